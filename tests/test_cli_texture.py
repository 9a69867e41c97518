"""``synth synthesize``."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from skimage import data
from test_kernels_nnf import smooth

import synth
from synth.cli import main
from synth.files import load, save

PICTURE = np.ascontiguousarray(data.coffee()[:60, 100:170])
OUT = (64, 80)


@pytest.fixture
def folder(tmp_path):
    save(tmp_path / "in.png", PICTURE)
    save(tmp_path / "normal.png", smooth((60, 70, 3), 1))
    labels = np.zeros((60, 70), np.uint8)
    labels[:, 35:] = 255
    save(tmp_path / "labels.png", labels)
    return tmp_path


def call(folder, *more):
    options = ("--size", "80x64", "--quality", "draft")
    arguments = ["synthesize", str(folder / "in.png"), *options, *map(str, more)]
    return CliRunner().invoke(main, arguments)


def test_what_is_written_is_what_the_function_gives(folder):
    done = call(folder, "-o", folder / "out.png", "--tile", "--seed", 3, "--json")
    assert done.exit_code == 0, done.output
    made = synth.synthesize_details(PICTURE, (64, 80), tile=True, seed=3, quality="draft")
    assert np.array_equal(load(folder / "out.png").pixels, made.image)
    told = json.loads(done.stdout)
    assert (told["width"], told["height"], told["seed"]) == (80, 64, 3)
    assert (told["method"], told["why"]) == (made.method, made.why)
    assert told["outputs"] == [str(folder / "out.png")]


def test_several_samples_and_their_maps(folder):
    more = ("--samples", 2, "--maps", folder / "maps", "--method", "quilting")
    done = call(folder, "-o", folder / "out.png", *more)
    assert done.exit_code == 0, done.output
    assert "quilting" in done.stderr
    first, second = (load(folder / f"out-{number}.png").pixels for number in (1, 2))
    assert (first != second).any()
    drawn = load(folder / "maps" / "out-1-source.png").pixels
    assert drawn.shape == (64, 80, 3)
    assert drawn[..., :2].max() == 255
    assert not (folder / "out.png").exists()


def test_pixel_by_pixel_the_order_and_candidates_are_drawn_too(folder):
    more = ("--maps", folder / "maps", "--method", "efros-leung", "--json")
    done = call(folder, "-o", folder / "out.png", *more)
    assert done.exit_code == 0, done.output
    source, order, candidates = (load(file).pixels for file in json.loads(done.stdout)["maps"])
    assert source.shape == (64, 80, 3)
    assert order.shape == candidates.shape == (64, 80)
    assert order.max() == candidates.max() == 255


def test_layers_are_made_along_and_several_exemplars_mixed(folder):
    done = call(folder, "-o", folder / "out.png", "--layer", folder / "normal.png")
    assert done.exit_code == 0, done.output
    normal = load(folder / "normal.png").pixels
    made = synth.synthesize_details({"": PICTURE, "n": normal}, (64, 80), quality="draft")
    assert np.array_equal(load(folder / "out.png").pixels, made.image[""])
    assert np.array_equal(load(folder / "out-normal.png").pixels, made.image["n"])
    save(folder / "mirrored.png", np.ascontiguousarray(PICTURE[:, ::-1]))
    done = call(folder, folder / "mirrored.png", "-o", folder / "both.png", "--maps", folder / "m")
    assert done.exit_code == 0, done.output
    assert load(folder / "m" / "both-source.png").pixels[..., 2].max() == 255


def test_guides_and_masks(folder):
    labels = folder / "labels.png"
    target = folder / "target.png"
    save(target, np.full((64, 80), 255, np.uint8))
    save(folder / "black.png", PICTURE * (load(labels).pixels[..., None] > 0))
    done = call(folder, "-o", folder / "out.png", "--guide", target, "--exemplar-guide", labels)
    assert done.exit_code == 0, done.output
    right = {tuple(colour) for colour in PICTURE[:, 35:].reshape(-1, 3)}
    pixels = load(folder / "out.png").pixels.reshape(-1, 3)
    assert np.mean([tuple(colour) in right for colour in pixels]) > 0.97
    done = call(folder, "-o", folder / "left.png", "--exemplar-mask", labels)
    assert done.exit_code == 0, done.output
    left = {tuple(colour) for colour in PICTURE[:, :35].reshape(-1, 3)}
    assert all(tuple(c) in left for c in load(folder / "left.png").pixels.reshape(-1, 3))


def test_what_is_known_stays_and_the_rest_goes_on_from_it(folder):
    known = np.zeros((64, 80, 4), np.uint8)
    known[:40, :50, :3] = PICTURE[:40, :50]
    known[:40, :50, 3] = 255
    save(folder / "known.png", known)
    unknown = known[..., 3] == 0
    save(folder / "unknown.png", unknown.astype(np.uint8) * 255)
    save(folder / "opaque.png", np.ascontiguousarray(known[..., :3]))
    made = synth.synthesize_details(
        PICTURE, (64, 80), known=(np.ascontiguousarray(known[..., :3]), unknown), quality="draft"
    )
    shared = ("synthesize", folder / "in.png", "--quality", "draft", "--maps", folder / "maps")
    for more in (
        ("--known", folder / "known.png"),
        ("--known", folder / "opaque.png", "--known-mask", folder / "unknown.png", "--overwrite"),
    ):
        arguments = [str(one) for one in (*shared, *more, "-o", folder / "out.png")]
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 0, done.output
        pixels = load(folder / "out.png").pixels
        np.testing.assert_array_equal(pixels, made.image)
        np.testing.assert_array_equal(pixels[:40, :50], PICTURE[:40, :50])
        drawn = load(folder / "maps" / "out-source.png").pixels
        assert not drawn[~unknown].any()
        assert drawn[unknown].any()


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (("--size", "big"), 2, "'big' is no size; write width x height"),
        (("--size", "4x4"), 1, "each from 8 to 32768"),
        (("in.png", "--guide", "in.png"), 2, "go with one EXEMPLAR"),
        (("--guide", "in.png"), 1, "guide is given but exemplar_guide is not"),
        (("--layer", "in.png", "--layer", "in.png"), 1, "would be written twice"),
        (("missing.png",), 1, "missing.png does not exist"),
        (("--patch", "300", "--maps", "m"), 1, "patch is 300"),
        (("--known", "sized.png"), 1, "--known sized.png has no transparency"),
        (
            ("--known", "in.png", "--known-mask", "in.png"),
            1,
            "--known in.png is 70x60, but --size",
        ),
        (
            ("--known", "grey.png", "--known-mask", "white.png"),
            1,
            "--known grey.png is uint8 with 1 channel, but EXEMPLAR is uint8 with 3 channels",
        ),
        (("--known", "sized.png", "--known-mask", "grey.png"), 1, "--known-mask grey.png leaves"),
        (
            ("--known", "sized.png", "--known-mask", "dots.png"),
            1,
            "--known-mask dots.png is 60×70",
        ),
        (("--known", "clear.png"), 1, "--known clear.png leaves nothing to make; make it"),
        (
            ("sized.png", "clear.png", "--known", "sized.png", "--known-mask", "white.png"),
            1,
            "--known sized.png is uint8 with 3 channels, but EXEMPLAR 3 is uint8 with 4 channels",
        ),
        (("--known", "-", "--known-mask", "-"), 2, "cannot both come from standard input"),
        (("--known", "in.png", "--tile"), 2, "--known goes without"),
        (("--known-mask", "in.png"), 2, "--known-mask is of a picture given by --known"),
        (("--layer", "small.png"), 1, "exemplar['--layer small.png'] is 20×20 but exemplar["),
        (("--layer", "normal.png", "--maps", "no/m"), 1, "there is no folder no"),
        (
            ("--method", "efros-leung", "--exemplar-mask", "dots.png"),
            1,
            "no 11×11 pixels in a square may be copied from",
        ),
    ],
)
def test_what_cannot_be_made_is_said_and_nothing_written(folder, more, code, message, monkeypatch):
    monkeypatch.chdir(folder)
    save(folder / "small.png", np.zeros((20, 20), np.uint8))
    dots = np.zeros((60, 70), np.uint8)
    dots[::8, ::8] = 255
    save(folder / "dots.png", dots)
    rows, columns = OUT
    for name, channels in (("grey", 0), ("sized", 3), ("clear", 4)):
        shape = (rows, columns, channels) if channels else (rows, columns)
        save(folder / f"{name}.png", np.full(shape, 255 if channels == 4 else 9, np.uint8))
    save(folder / "white.png", np.full(OUT, 255, np.uint8))
    before = sorted(folder.iterdir())
    done = call(folder, "-o", folder / "out.png", *more)
    assert done.exit_code == code
    assert message in done.stderr
    assert sorted(folder.iterdir()) == before


def test_a_small_exemplar_is_called_by_its_name(folder):
    save(folder / "tiny.png", np.zeros((5, 5), np.uint8))
    arguments = ("synthesize", folder / "tiny.png", "--size", "20x20", "-o", folder / "o.png")
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert done.exit_code == 1
    assert "exemplar is 5×5, but at least 8×8 pixels are needed" in done.stderr
    assert (
        CliRunner()
        .invoke(main, ["synthesize", *map(str, arguments[1:2]), "-o", "x.png"])
        .exit_code
        == 2
    )


def test_files_are_kept(folder):
    (folder / "out-2.png").write_bytes(b"mine")
    done = call(folder, "-o", folder / "out.png", "--samples", 2)
    assert done.exit_code == 1
    assert "out-2.png exists" in done.stderr
    assert not (folder / "out-1.png").exists()
    assert call(folder, "-o", folder / "out.png", "--samples", 2, "--overwrite").exit_code == 0
