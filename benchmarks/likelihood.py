"""Bits a pixel, Efros-Leung beside lossless codecs: ``python -m benchmarks.likelihood``.

The right half of a texture given its left half. The models look pixels up in the left half, their
parameters chosen by leaving out within it.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

import synth
from benchmarks.options import RESULTS, command_line
from benchmarks.photographs import photograph
from benchmarks.report import Column, Row, machine, markdown_table
from synth.texture.orders import DependencyGraph
from synth.texture.scoring import score, some_pixels

__all__ = ["bits_of_codec", "bits_of_model", "codecs"]

TEXTURES = ("brick", "gravel", "grass")
RAW = "ε-rule alone"
#: What `synth.EfrosLeung.select` chooses from; the first one is the paper's rule and not chosen.
MODELS: dict[str, tuple[dict[str, Any], dict[str, list[Any]]]] = {
    RAW: ({"window": 11, "value_kernel": "none", "floor": 0.01}, {}),
    "ε-rule, value kernel": (
        {},
        {"window": [3, 5, 7, 11], "eps": [0.1, 0.5, 1.0], "value_scale": [2.0, 4.0, 8.0]},
    ),
    "softmax": (
        {"weighting": "softmax"},
        {"window": [3, 5, 7], "temperature": [0.3, 1.0, 2.0], "value_scale": [1.0, 2.0, 4.0]},
    ),
    "softmax_relative": (
        {"weighting": "softmax_relative"},
        {"window": [3, 5, 7], "temperature": [0.3, 0.6, 1.2], "value_scale": [1.0, 2.0, 4.0]},
    ),
}


def bits_of_model(
    model: synth.EfrosLeung, picture: NDArray[np.uint8], split: int, pixels: int
) -> tuple[float, float]:
    """Score some pixels right of column ``split`` given all before them, in raster order.

    Returns
    -------
    bits : float
        Mean −log₂ p of a pixel.
    error : float
        Its standard error, because not all pixels are scored.
    """
    rows, columns = picture.shape
    known = np.zeros((rows, columns), np.bool_)
    known[:, :split] = True
    graph = DependencyGraph.of("raster", (rows, columns), model.window, known=known)
    chosen = some_pixels(~known, pixels, 0)
    nats = score(model.lookup(), picture, graph.rank, chosen, None, 0)[chosen]
    bits = -nats / np.log(2)
    return float(bits.mean()), float(bits.std() / np.sqrt(len(bits)))


def codecs() -> dict[str, Callable[[NDArray[np.uint8]], bytes]]:
    """List lossless codecs at their hardest; JPEG XL with the package pillow-jxl-plugin."""

    def by(kind: str, **options: Any) -> Callable[[NDArray[np.uint8]], bytes]:
        def encode(picture: NDArray[np.uint8]) -> bytes:
            file = io.BytesIO()
            Image.fromarray(picture).save(file, kind, **options)
            return file.getvalue()

        return encode

    found = {"PNG": by("PNG", optimize=True)}
    if features.check("webp"):
        found["WebP lossless"] = by("WebP", lossless=True, quality=100, method=6)
    with contextlib.suppress(ImportError):
        importlib.import_module("pillow_jxl")
        found["JPEG XL"] = by("JXL", lossless=True, effort=9)
    return found


def bits_of_codec(
    encode: Callable[[NDArray[np.uint8]], bytes], picture: NDArray[np.uint8], split: int
) -> float:
    """Say what the part right of ``split`` takes, in bits a pixel.

    By itself or on top of the left part, whichever is less: few codecs learn much on the way.
    """
    parts = (picture, picture[:, :split], picture[:, split:])
    both, left, right = (len(encode(np.ascontiguousarray(part))) for part in parts)
    return 8 * min(both - left, right) / parts[2].size


@click.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=RESULTS)
@click.option("--pixels", type=click.IntRange(10), default=5000, help="Scored pixels a texture.")
@click.option("--quick", is_flag=True, help="A small texture, few pixels: does it all work?")
def main(out: Path, pixels: int, quick: bool) -> None:
    """Score the right half of textures given the left half, by models and by codecs."""
    tables: dict[str, dict[str, float]] = {}
    notes: list[dict[str, Any]] = []
    pixels = 200 if quick else pixels
    side = 64 if quick else 512
    names = TEXTURES[:1] if quick else TEXTURES
    for name in names:
        picture = np.ascontiguousarray(photograph(name, side)[..., 0])
        left = np.ascontiguousarray(picture[:, : side // 2])
        for model_name, (options, grid) in MODELS.items():
            begin = time.process_time()
            model = synth.EfrosLeung(**options).fit(left)
            if grid:
                model = model.select(grid, pixels=min(pixels, 300))
            chosen_in = time.process_time() - begin
            bits, error = bits_of_model(model, picture, side // 2, pixels)
            tables.setdefault(model_name, {})[name] = bits
            seconds = time.process_time() - begin - chosen_in
            notes.append(
                {
                    "texture": name, "model": model_name, "bits": bits, "error": error,
                    "parameters": {key: getattr(model, key) for key in ("window", *grid)},
                    "seconds of select": chosen_in, "ms a pixel": seconds / pixels * 1e3,
                }
            )  # fmt: skip
            print(f"{name}: {model_name}: {bits:.2f} ± {error:.2f}", file=sys.stderr)
        for codec, encode in codecs().items():
            tables.setdefault(codec, {})[name] = bits_of_codec(encode, picture, side // 2)
    out.mkdir(parents=True, exist_ok=True)
    content = {"machine": machine(), "command": command_line("likelihood"), "bits": tables}
    (out / "likelihood.json").write_text(
        json.dumps({**content, "models": notes}, indent=1, ensure_ascii=False) + "\n"
    )
    (out / "likelihood.md").write_text(_page(tables, notes, names, pixels))
    print(out / "likelihood.md")


def _page(
    tables: Mapping[str, Mapping[str, float]],
    notes: list[dict[str, Any]],
    names: tuple[str, ...],
    pixels: int,
) -> str:
    on = machine()
    missing = "" if "JPEG XL" in tables else " JPEG XL needs pillow-jxl-plugin, which was missing."
    rows: dict[str, Row] = dict(tables)
    lines = [
        "# Likelihood: bits a pixel\n",
        f"Made by `{command_line('likelihood')}` on {on['date']}: {on['processor']}, synth "
        f"{on['synth']}. The right half of scikit-image's 512×512 grey textures given the left "
        f"half, raster order, {pixels} pixels of the right half drawn once (standard error "
        f"{min(n['error'] for n in notes):.2f} to {max(n['error'] for n in notes):.2f}). Uniform "
        "is 8. Parameters were chosen by `EfrosLeung.select` on 300 pixels of the left half; the "
        "ε-rule alone has the others' floor, 1 % of a uniform, or its bits were infinite. Codecs: "
        f"what the right half takes by itself or on top of the left one, whichever is "
        f"less.{missing}\n",
        markdown_table(rows, [Column(name, name, ".2f", "low") for name in names]),
        "## What was chosen\n",
        "| texture | model | parameters | CPU s of select | CPU ms a pixel |",
        "|---|---|---|---|---|",
    ]
    for note in notes:
        chosen = ", ".join(f"{key} {value}" for key, value in note["parameters"].items())
        lines.append(
            f"| {note['texture']} | {note['model']} | {chosen} | "
            f"{note['seconds of select']:.0f} | {note['ms a pixel']:.2f} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
