"""``synth planes``, and ``synth fill --planes``."""

from __future__ import annotations

import json

import numpy as np
from click.testing import CliRunner
from test_fill_planes import oval
from test_planes import SIDE, aslant, seen, tiles

from synth.cli import main
from synth.files import load, save


def call(*arguments: object):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def files(folder, image):
    save(folder / "in.png", image)
    save(folder / "mask.png", oval(image.shape).astype(np.uint8) * 255)
    return folder / "in.png", folder / "mask.png"


def test_the_plane_is_drawn_and_told(tmp_path):
    picture, mask = files(tmp_path, seen(aslant(0.3, 10), tiles(2 * SIDE)))
    out = tmp_path / "out.png"
    done = call("planes", picture, "-m", mask, "-o", out, "--json")
    assert done.exit_code == 0, done.output
    (plane,) = json.loads(done.stdout)["planes"]
    assert plane["clear"]
    assert np.array(plane["homography"]).shape == (3, 3)
    assert "a clear plane" in done.stderr
    assert load(out).pixels.shape == (SIDE, SIDE, 3)
    assert call("planes", picture, "-o", out).exit_code == 1  # it is there already


def test_what_is_no_number_under_the_mask_does_not_spoil_the_drawing(tmp_path):
    image = seen(aslant(0.3, 10), tiles(2 * SIDE)).astype(np.float32)
    _, mask = files(tmp_path, image.astype(np.uint8))
    hole = oval(image.shape)
    drawn = []
    for spoilt in (image, np.where(hole, np.float32(np.nan), image)):
        save(tmp_path / "in.tif", spoilt, overwrite=True)
        out = tmp_path / "out.png"
        done = call("planes", tmp_path / "in.tif", "-m", mask, "-o", out, "--overwrite")
        assert done.exit_code == 0, done.output
        drawn.append(load(out).pixels[~hole])
    np.testing.assert_array_equal(*drawn)


def test_no_plane_is_told_as_well(tmp_path):
    picture, _ = files(tmp_path, np.full((64, 64), 9, np.uint8))
    done = call("planes", picture, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["planes"] == []
    assert "no plane" in done.stderr


def test_something_has_to_come_out(tmp_path):
    picture, _ = files(tmp_path, tiles())
    assert call("planes", picture).exit_code == 2


def test_fill_can_be_kept_off_the_plane(tmp_path):
    picture, mask = files(tmp_path, seen(aslant(0.3, 10), tiles(2 * SIDE)))
    shared = ("fill", picture, "-m", mask, "--quality", "draft", "-o")
    assert call(*shared, tmp_path / "auto.png").exit_code == 0
    assert call(*shared, tmp_path / "none.png", "--planes", "none").exit_code == 0
    both = [load(tmp_path / name).pixels for name in ("auto.png", "none.png")]
    assert (both[0] != both[1]).any()
