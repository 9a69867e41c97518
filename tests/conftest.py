"""What several test modules share."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synth.cli import main
from synth.codecs import encode
from synth.files import save


def noise(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray[Any, Any]:
    """Return random pixels over the whole range of integers, or around 0 for floats."""
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


@pytest.fixture
def run(capsysbinary, monkeypatch):
    """Call the command line in this process; gives its exit code and what it wrote."""

    def call(*args: object, stdin: bytes = b"") -> SimpleNamespace:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as caught:
            main([str(arg) for arg in args])
        out, err = capsysbinary.readouterr()
        return SimpleNamespace(code=caught.value.code, out=out, err=err.decode())

    return call


@pytest.fixture
def filling(monkeypatch):
    """Stand in for the fill with one that paints the hole with 7; gives the calls it got."""
    calls = []

    def fill_details(image, mask, **options):
        calls.append(SimpleNamespace(image=image, mask=mask, **options))
        filled = image.copy()
        filled[mask] = 7
        return SimpleNamespace(
            image=filled,
            energy=((1, 2.0), (0, 1.0)),
            seconds={"search": 0.5},
            samples=None,
            spread=None,
            chosen=None,
        )

    monkeypatch.setattr("synth.patchmatch.fill.fill_details", fill_details)
    return calls


def write_pair(folder: Path, name: str = "a.png", size: tuple[int, int] = (12, 10)) -> np.ndarray:
    """Write a picture and, in the folder masks beside it, its mask; give the hole."""
    hole = np.zeros(size, bool)
    hole[3:6, 4:8] = True
    for path in (folder / name, folder / "masks" / Path(name).with_suffix(".png")):
        path.parent.mkdir(parents=True, exist_ok=True)
    save(folder / name, noise((*size, 3), "uint8", len(name)))
    mask = hole.astype(np.uint8) * 255
    save(folder / "masks" / Path(name).with_suffix(".png"), mask, overwrite=True)
    return hole


@pytest.fixture
def bad_files(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """Return a folder of files that cannot be loaded, and for each what the message must have."""
    folder = tmp_path / "bad"
    folder.mkdir()
    data = encode(noise((40, 40, 3), "uint8"), "PNG")
    (folder / "cut.png").write_bytes(data[: len(data) // 2])
    deep = encode(noise((40, 40, 3), "uint16"), "PNG")
    (folder / "deep_cut.png").write_bytes(deep[: len(deep) // 2])
    tiff = encode(noise((40, 40, 3), "uint16"), "TIFF")
    (folder / "cut.tif").write_bytes(tiff[: len(tiff) // 2])
    jpeg = encode(noise((40, 40, 3), "uint8"), "JPEG")
    (folder / "cut.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    webp = encode(noise((40, 40, 3), "uint8"), "WebP")
    (folder / "cut.webp").write_bytes(webp[: len(webp) // 2])
    (folder / "text.png").write_text("just words")
    (folder / "empty.png").write_bytes(b"")
    (folder / "folder.png").mkdir()
    Image.new("CMYK", (8, 8)).save(folder / "cmyk.jpg")
    Image.new("CMYK", (8, 8)).save(folder / "cmyk.tif")
    frames = [Image.new("RGB", (8, 8), c) for c in ("red", "blue")]
    frames[0].save(folder / "moves.webp", save_all=True, append_images=frames[1:])
    frames[0].save(folder / "pages.tif", save_all=True, append_images=frames[1:])
    header = b"IHDR" + struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0)
    bomb = data[:8] + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    (folder / "bomb.png").write_bytes(bomb + data[33:])
    return folder, {
        "cut.png": "damaged or cut short",
        "deep_cut.png": "damaged or cut short",
        "cut.tif": "damaged or cut short",
        "cut.jpg": "damaged or cut short",
        "cut.webp": "damaged or cut short",
        "text.png": "not an image of a format known here",
        "empty.png": "is empty",
        "folder.png": "is a folder",
        "missing.png": "does not exist",
        "cmyk.jpg": "CMYK.*convert it to RGB",
        "cmyk.tif": "CMYK.*convert it to RGB",
        "moves.webp": "2 pictures",
        "pages.tif": "2 pages",
        "bomb.png": "too large",
    }
