"""The command line: what goes where, exit codes, one line for every error, nothing left behind."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest

from synth import __version__
from synth.files import load, save
from tests.conftest import noise, write_pair


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
        "method": "patchmatch",
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


@pytest.mark.parametrize(
    "command",
    [
        ["planes"],
        ["move", "-m", "masks/a.png", "--by", "9,2"],
        ["retarget", "--size", "30x40", "--quality", "draft"],
        ["reshuffle", "--move", "masks/a.png", "9,2", "--quality", "draft"],
        ["synthesize", "--size", "20x20", "--method", "quilting"],
    ],
)
def test_every_command_for_pictures_takes_pipes(run, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    write_pair(tmp_path, size=(40, 44))
    data = (tmp_path / "a.png").read_bytes()
    name, *options = command
    assert run(name, "a.png", *options, "-o", "b.png").code == 0
    done = run(name, "-", *options, "-o", "-", stdin=data)
    assert done.code == 0, done.err
    assert "wrote" not in done.err
    expected = load(tmp_path / "b.png").pixels
    np.testing.assert_array_equal(load(io.BytesIO(done.out)).pixels, expected)
    done = run(name, "a.png", *options, "-o", "-", "--json")
    assert (done.code, done.out) == (2, b"")
    assert "both write to standard output" in done.err


@pytest.mark.parametrize("option", ["--samples", "--layer", "--maps"])
def test_several_pictures_are_not_one_stream(run, tmp_path, option):
    write_pair(tmp_path)
    more = {"--samples": "2", "--layer": tmp_path / "a.png", "--maps": tmp_path}[option]
    done = run("synthesize", tmp_path / "a.png", "--size", "20", option, more, "-o", "-")
    assert (done.code, done.out) == (2, b"")
    assert "-o - is one" in done.err


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
    names = ["after.png", "before-hole-after.png", "before.png", "gravel.png", "hole.png"]
    names.append("texture.png")
    assert sorted(os.listdir("synth-demo")) == names
    assert load("synth-demo/before-hole-after.png").pixels.shape == (427, 3 * 640 + 16, 3)
    assert (load("synth-demo/hole.png").pixels > 127).mean() > 0.01
    assert load("synth-demo/texture.png").pixels.shape == (512, 512)
    assert "before-hole-after.png" in done.err
    monkeypatch.chdir(tmp_path / "synth-demo")
    Path("synth-demo").write_text("mine")
    assert run("demo").code == 1
    assert Path("synth-demo").read_text() == "mine"
