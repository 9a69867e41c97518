"""The command line: what goes where, exit codes, one line for every error, nothing left behind."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from synth import __version__
from synth.cli import main
from synth.errors import DeviceError
from synth.files import load, save
from tests.conftest import noise


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
        return SimpleNamespace(image=filled, energy=((1, 2.0), (0, 1.0)), seconds={"search": 0.5})

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


def test_a_file_is_filled(run, filling, tmp_path):
    hole = write_pair(tmp_path)
    out = tmp_path / "out.tif"
    done = run("fill", tmp_path / "a.png", "-m", tmp_path / "masks/a.png", "-o", out, "--seed", 5)
    assert (done.code, done.out) == (0, b"")
    assert f"wrote {out}: 12 pixels filled" in done.err
    filled = load(out).pixels
    assert (filled[hole] == 7).all()
    np.testing.assert_array_equal(filled[~hole], load(tmp_path / "a.png").pixels[~hole])
    assert (filling[0].seed, filling[0].quality, filling[0].source) == (5, "normal", None)


def test_the_real_fill_gives_the_same_bytes_again(run, tmp_path):
    write_pair(tmp_path, size=(40, 44))
    files = [tmp_path / "one.png", tmp_path / "two.png"]
    for file in files:
        options = ("-m", tmp_path / "masks/a.png", "-o", file, "--quality", "draft")
        assert run("fill", tmp_path / "a.png", *options).code == 0
    assert files[0].read_bytes() == files[1].read_bytes()


def test_json_tells_what_was_done(run, filling, tmp_path):
    write_pair(tmp_path)
    out, mask = tmp_path / "out.png", tmp_path / "masks/a.png"
    done = run("fill", tmp_path / "a.png", "-m", mask, "-o", out, "--json", "--quality", "best")
    record = json.loads(done.out)
    assert done.err == ""
    seconds = record.pop("seconds")
    assert set(seconds) == {"load", "search", "save"}
    assert record == {
        "input": str(tmp_path / "a.png"),
        "mask": str(mask),
        "source": None,
        "output": str(out),
        "width": 10,
        "height": 12,
        "hole_pixels": 12,
        "quality": "best",
        "seed": 0,
        "energy": [[1, 2.0], [0, 1.0]],
    }


def test_pipes(run, filling, tmp_path):
    hole = write_pair(tmp_path)
    data, mask = (tmp_path / "a.png").read_bytes(), (tmp_path / "masks/a.png").read_bytes()
    done = run("fill", "-", "-m", tmp_path / "masks/a.png", "-o", "-", stdin=data)
    assert (done.code, done.err) == (0, "")
    assert (load(io.BytesIO(done.out)).pixels[hole] == 7).all()
    done = run("fill", tmp_path / "a.png", "-m", "-", "-o", tmp_path / "b.png", stdin=mask)
    assert done.code == 0
    assert run("fill", "-", "-m", tmp_path / "masks/a.png", "-o", "-").err == (
        "synth: standard input is empty (0 bytes)\n"
    )


@pytest.mark.parametrize(("channels", "dtype"), [(4, "uint8"), (2, "uint8"), (4, "uint16")])
def test_transparent_pixels_are_the_hole(run, filling, tmp_path, channels, dtype):
    top = np.iinfo(dtype).max
    pixels = noise((12, 10, channels), dtype)
    pixels[..., -1] = top - 1
    pixels[3:6, 4:8, -1] = top // 2
    save(tmp_path / "a.png", pixels)
    assert run("fill", tmp_path / "a.png", "-o", tmp_path / "b.png").code == 0
    filled = load(tmp_path / "b.png").pixels
    hole = filling[0].mask
    assert hole.sum() == 12
    assert (filled[hole][:, -1] == top).all()
    assert (filled[hole][:, :-1] == 7).all()
    np.testing.assert_array_equal(filled[~hole], pixels[~hole])


def test_masks_of_another_size(run, filling, tmp_path):
    write_pair(tmp_path)
    small = np.zeros((6, 5), np.uint8)
    small[1, 2] = 255
    save(tmp_path / "small.png", small)
    options = ("fill", tmp_path / "a.png", "-m", tmp_path / "small.png", "-o", tmp_path / "b.png")
    failed = run(*options)
    assert failed.code == 1
    assert "small.png is 6×5 but" in failed.err
    assert "is 12×10" in failed.err
    assert "--resize-mask" in failed.err
    assert run(*options, "--resize-mask").code == 0
    assert np.argwhere(filling[0].mask).tolist() == [[2, 4], [2, 5], [3, 4], [3, 5]]


def test_where_to_copy_from(run, filling, tmp_path):
    write_pair(tmp_path)
    save(tmp_path / "source.png", np.full((12, 10), 255, np.uint8))
    mask = tmp_path / "masks/a.png"
    options = ("-o", tmp_path / "b.png", "--source", tmp_path / "source.png")
    assert run("fill", tmp_path / "a.png", "-m", mask, *options).code == 0
    assert filling[0].source.all()


def test_a_folder_keeps_its_names_and_goes_on_past_bad_files(run, filling, tmp_path):
    photos = tmp_path / "photos"
    for name in ("a.png", "deep/b.jpg", "deep/c.png"):
        write_pair(photos, name)
    (photos / "masks/deep/c.png").unlink()
    (photos / "broken.png").write_text("words")
    (photos / "notes.txt").write_text("words")
    (photos / ".hidden.png").write_text("words")
    done = run("fill", photos, "-m", photos / "masks", "-o", tmp_path / "out", "--json")
    assert done.code == 1
    written = sorted(str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.*"))
    assert written == ["a.png", "deep/b.jpg"]
    assert [json.loads(line)["width"] for line in done.out.splitlines()] == [10, 10]
    assert "skipped 1 that are not images: notes.txt" in done.err
    last = done.err.splitlines()[-1]
    assert last == "synth: 2 of 4 could not be filled: broken.png, deep/c.png"
    assert "none of its images is called c" in done.err
    assert len(filling) == 2


def test_a_folder_with_one_mask_for_all_and_a_flat_folder_of_masks(run, filling, tmp_path):
    photos = tmp_path / "photos"
    for name in ("a.png", "deep/b.png"):
        write_pair(photos, name)
    (photos / "masks").rename(tmp_path / "masks")
    assert run("fill", photos, "-m", tmp_path / "masks/a.png", "-o", tmp_path / "one").code == 0
    (tmp_path / "masks/deep/b.png").rename(tmp_path / "masks/b.png")
    assert run("fill", photos, "-m", tmp_path / "masks", "-o", tmp_path / "two").code == 0
    assert len(filling) == 4
    again = run("fill", photos, "-m", tmp_path / "masks", "-o", tmp_path / "two")
    assert again.code == 1
    assert again.err.count("exists already") == 2
    assert len(filling) == 4, "no work is done for a file that may not be written"


def test_a_folder_may_be_filled_in_place_only_when_asked(run, filling, tmp_path):
    photos = tmp_path / "photos"
    hole = write_pair(photos)
    (photos / "masks").rename(tmp_path / "masks")
    options = ("fill", photos, "-m", tmp_path / "masks", "-o", f"{photos}/")
    refused = run(*options)
    assert refused.code == 2
    assert "--overwrite" in refused.err
    assert not filling
    assert run(*options, "--overwrite").code == 0
    assert (load(photos / "a.png").pixels[hole] == 7).all()


def test_several_masks_of_one_name(run, filling, tmp_path):
    photos = tmp_path / "photos"
    write_pair(photos)
    (photos / "masks").rename(tmp_path / "masks")
    save(tmp_path / "masks/a.tif", load(tmp_path / "masks/a.png").pixels)
    done = run("fill", photos, "-m", tmp_path / "masks", "-o", tmp_path / "out")
    assert done.code == 1
    assert "several masks" in done.err
    assert "a.png and a.tif" in done.err


def test_bad_files_are_one_line_each_and_leave_nothing(run, filling, bad_files):
    folder, messages = bad_files
    mask = folder.parent / "mask.png"
    save(mask, np.full((8, 8), 255, np.uint8))
    before = sorted(os.listdir(folder.parent))
    for name in messages:
        if name == "folder.png":
            continue
        done = run("fill", folder / name, "-m", mask, "-o", folder.parent / "out.png")
        assert done.code == 1
        assert done.err.count("\n") == 1
        assert done.err.startswith("synth: ")
        assert name in done.err
        assert sorted(os.listdir(folder.parent)) == before
    assert not filling


def test_a_very_thin_image_fails_in_one_line(run, tmp_path):
    save(tmp_path / "long.png", noise((1, 100_000), "uint8"))
    mask = np.zeros((1, 100_000), np.uint8)
    mask[0, 500:600] = 255
    save(tmp_path / "mask.png", mask)
    out = tmp_path / "out.png"
    done = run("fill", tmp_path / "long.png", "-m", tmp_path / "mask.png", "-o", out)
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "unexpected" not in done.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["fill", "a.png"], "Missing option"),
        (["fill", "a.png", "-o", "-", "--json"], "both write to standard output"),
        (["fill", "-", "-m", "-", "-o", "b.png"], "cannot both come from standard input"),
        (["fill", "a.png", "-o", "b.png", "--quality", "great"], "'great' is not one of"),
        (["fill", "a.png", "-o", "b.png", "--seed", "-1"], "-1 is not in the range"),
        (["nothing"], "No such command"),
        (["--nothing"], "No such option"),
    ],
)
def test_wrong_usage_is_one_line_and_2(run, args, message):
    done = run(*args)
    assert done.code == 2
    assert message in done.err
    assert done.err.count("\n") == 1
    assert "--help" in done.err


def test_without_a_command_the_help_is_shown(run):
    done = run()
    assert (done.code, done.out) == (2, b"")
    assert done.err.startswith("Usage: ")
    assert "says how" not in done.err


@pytest.mark.parametrize(
    ("closed", "args", "code", "message"),
    [
        ("stdout", ["info"], 0, ""),
        ("stdout", ["fill", "a.png", "-m", "masks/a.png", "-o", "-"], 1, "output is closed"),
        ("stdout", ["fill", "a.png", "-m", "masks/a.png", "-o", "b.png", "--json"], 0, ""),
        ("stdin", ["fill", "-", "-m", "masks/a.png", "-o", "b.png"], 1, "input is closed"),
        ("stdin", ["fill", "a.png", "-m", "-", "-o", "b.png"], 1, "input is closed"),
        ("stdin", ["fill", "a.png", "-m", "masks/a.png", "-o", "b.png"], 0, "wrote b.png"),
        ("stderr", ["fill", "a.png", "-m", "masks/a.png", "-o", "b.png"], 0, None),
        ("stderr", ["fill", "missing.png", "-o", "b.png"], 1, None),
    ],
)
def test_closed_streams(filling, capfd, monkeypatch, tmp_path, closed, args, code, message):
    monkeypatch.chdir(tmp_path)
    write_pair(tmp_path)
    monkeypatch.setattr(sys, closed, None)
    with pytest.raises(SystemExit) as caught:
        main(args)
    err = capfd.readouterr().err
    assert caught.value.code == code
    if message is not None:
        assert err.count("\n") == bool(message)
        assert message in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize(
    "args",
    [
        ["info"],
        ["--help"],
        ["fill", "a.png", "-m", "masks/a.png", "-o", "-"],
        ["fill", "a.png", "-m", "masks/a.png", "-o", "b.png", "--json"],
    ],
)
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_full_streams(filling, capfd, monkeypatch, tmp_path, name, args):
    monkeypatch.chdir(tmp_path)
    write_pair(tmp_path)
    full = io.TextIOWrapper(io.FileIO("/dev/full", "w"), write_through=True)
    monkeypatch.setattr(sys, name, full)
    with pytest.raises(SystemExit) as caught:
        main(args)
    if name == "stderr":  # nothing is said there
        assert caught.value.code == 0
        return
    err = capfd.readouterr().err
    assert caught.value.code == 1
    assert err.count("\n") == 1
    assert "No space left on device" in err
    assert "unexpected" not in err


@pytest.mark.parametrize(
    ("picture", "output", "message"),
    [
        ("a.png", "b.gif", "no image format known"),
        ("a.png", "nowhere/b.png", "no folder"),
        ("a.png", "taken.png", "exists already"),
        ("rgba.png", "b.jpg", "transparency; write PNG or WebP or TIFF"),
        ("a.png", "b.png", "has no transparent pixels.*-m MASK"),
        ("missing.png", "b.png", "does not exist"),
    ],
)
def test_what_cannot_work_is_said_before_the_work(
    run, filling, tmp_path, picture, output, message
):
    write_pair(tmp_path)
    save(tmp_path / "rgba.png", noise((12, 10, 4), "uint8"))
    save(tmp_path / "taken.png", noise((12, 10, 4), "uint8"))
    done = run("fill", tmp_path / picture, "-o", tmp_path / output)
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert re.search(message, done.err)
    assert not filling


@pytest.mark.parametrize("unreadable", ["a.png", "masks/a.png"])
def test_an_unreadable_file_fails_like_a_missing_one(
    run, filling, monkeypatch, tmp_path, unreadable
):
    write_pair(tmp_path)
    access, read_bytes = os.access, Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path == tmp_path / unreadable:
            raise PermissionError(13, "Permission denied", str(path))
        return read_bytes(path)

    # not by the rights of the file, which the superuser has all the same
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.R_OK and access(path, mode))
    monkeypatch.setattr(Path, "read_bytes", refuse)
    options = ("-m", tmp_path / "masks/a.png", "-o", tmp_path / "b.png")
    done = run("fill", tmp_path / "a.png", *options)
    assert done.code == 1
    assert done.err == f"synth: {tmp_path / unreadable} cannot be read: Permission denied\n"


def test_exit_codes_of_missing_devices_and_surprises(run, filling, monkeypatch, tmp_path):
    write_pair(tmp_path)
    mask, out = tmp_path / "masks/a.png", tmp_path / "b.png"
    options = ("fill", tmp_path / "a.png", "-m", mask, "-o", out)
    wrapped = RuntimeError("an import failed")
    wrapped.__cause__ = KeyboardInterrupt()
    for error, code, text in [
        (wrapped, 130, "stopped"),
        (DeviceError("there is no GPU"), 3, "synth: there is no GPU\n"),
        (KeyError("oh\nno"), 1, "unexpected error, KeyError"),
        (MemoryError("too much"), 1, "not enough memory"),
        (KeyboardInterrupt(), 130, "stopped"),
    ]:

        def fail(*_: object, error: BaseException = error, **__: object) -> None:
            raise error

        monkeypatch.setattr("synth.patchmatch.fill.fill_details", fail)
        done = run(*options)
        assert done.code == code
        assert text in done.err
        assert "Traceback" not in done.err
        assert not out.exists()
    monkeypatch.setenv("SYNTH_DEBUG", "1")
    assert "Traceback" in run(*options).err


def test_nearest_neighbours_to_a_file(run, tmp_path):
    for name, seed in (("a.png", 1), ("b.png", 2)):
        save(tmp_path / name, noise((20, 24, 3), "uint8", seed))
    field, plot = tmp_path / "field.npz", tmp_path / "field.png"
    options = ("nnf", tmp_path / "a.png", tmp_path / "b.png", "-o", field, "--quality", "draft")
    assert run(*options, "--plot", plot).code == 0
    assert np.load(field)["positions"].shape == (14, 18, 2)
    assert load(plot).pixels.ndim == 3
    refused = run(*options)
    assert refused.code == 1
    assert "exists already" in refused.err
    refused = run(*options[:-3], tmp_path / "field.bin")
    assert refused.code == 1
    assert "must end in .npz" in refused.err


def test_info(run):
    found = json.loads(run("info", "--json").out)
    assert found["synth"] == __version__
    assert found["packages"]["numpy"] == np.__version__
    assert found["cpu"]["threads"] >= 1
    text = run("info").out.decode()
    assert __version__ in text
    assert "threads" in text


@pytest.mark.parametrize(
    ("compiled", "folder", "message"),
    [
        (["a", "b"], Path("kept"), "compiled 2 kernels; they are kept in kept"),
        ([], Path("kept"), "all kernels were ready; they are kept in kept"),
        (["a"], None, "set NUMBA_CACHE_DIR"),
    ],
)
def test_warmup_says_where_kernels_are_kept(run, monkeypatch, compiled, folder, message):
    monkeypatch.setattr("synth.compilation.warmup", lambda _: compiled)
    monkeypatch.setattr("synth.compilation.cache_folder", lambda: folder)
    done = run("warmup")
    assert (done.code, done.out) == (0, b"")
    assert message in done.err


def test_the_demo_writes_only_in_its_folder(run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("synth.fill", lambda image, mask, **_: np.where(mask[..., None], 0, image))
    for _ in range(2):
        done = run("demo")
        assert done.code == 0
    assert os.listdir(tmp_path) == ["synth-demo"]
    names = ["after.png", "before-hole-after.png", "before.png", "hole.png"]
    assert sorted(os.listdir("synth-demo")) == names
    assert load("synth-demo/before-hole-after.png").pixels.shape == (427, 3 * 640 + 16, 3)
    assert (load("synth-demo/hole.png").pixels > 127).mean() > 0.01
    assert "before-hole-after.png" in done.err
    monkeypatch.chdir(tmp_path / "synth-demo")
    Path("synth-demo").write_text("mine")
    assert run("demo").code == 1
    assert Path("synth-demo").read_text() == "mine"
