"""Fills that change what they copy: turned, scaled, mirrored, brighter or darker."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import write_pair
from skimage import data

import synth
from synth.errors import InputError, InputTypeError
from synth.files import load, save
from synth.patchmatch.copies import Ground, with_copies
from synth.patchmatch.variation import Variation


def cloth(side: int = 72, seed: int = 0) -> np.ndarray:
    """Return a picture without repetition, smooth enough to be matched at half its size."""
    import cv2

    rng = np.random.default_rng(seed)
    return cv2.resize(rng.integers(0, 256, (side // 3, side // 3), np.uint8), (side, side))


def beside(motif: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two pictures side by side, and a hole in the second."""
    image = np.hstack([motif, other])
    hole = np.zeros(image.shape[:2], bool)
    rows, columns = motif.shape[:2]
    hole[
        rows // 2 - 9 : rows // 2 + 9, columns + columns // 2 - 9 : columns + columns // 2 + 9
    ] = 1
    return image, hole


def error(filled: np.ndarray, image: np.ndarray, hole: np.ndarray) -> float:
    return float(np.abs(filled[hole].astype(float) - image[hole]).mean())


@pytest.mark.parametrize("colours", [1, 3])
def test_a_hole_in_a_turned_pattern_is_filled_exactly_by_turned_copies(colours):
    motif = cloth() if colours == 1 else np.stack([cloth(seed=n) for n in range(3)], axis=2)
    image, hole = beside(motif, np.rot90(motif))
    details = synth.fill_details(image, hole, rotate=(0, 90))
    assert (details.image == image).all()
    plain = synth.fill(image, hole)
    assert error(plain, image, hole) > 10
    # what was copied are the turned pattern's own pixels
    row, column = details.pixels.T
    turned = np.stack([column - 72, 71 - row], axis=1)
    assert (np.abs(details.sources - turned).max(axis=1) <= 0).mean() > 0.95


def test_a_mirrored_motif_is_filled_exactly_by_mirrored_copies():
    motif = cloth()
    image, hole = beside(motif, motif[:, ::-1])
    assert (synth.fill(image, hole, mirror=True) == image).all()
    assert error(synth.fill(image, hole), image, hole) > 10


def test_an_enlarged_motif_is_filled_better_by_enlarged_copies():
    import cv2

    motif = cloth(96)
    larger = cv2.resize(motif, None, fx=1.25, fy=1.25, interpolation=cv2.INTER_CUBIC)[:96]
    image, hole = beside(motif, larger)
    plain = error(synth.fill(image, hole), image, hole)
    assert error(synth.fill(image, hole, scale=(1, 1.25)), image, hole) < plain / 2


def test_nothing_asked_for_is_the_plain_fill():
    image = data.coffee()[50:200, 150:350]
    hole = np.zeros(image.shape[:2], bool)
    hole[60:90, 40:70] = True
    plain = synth.fill_details(image, hole, quality="draft")
    for options in (
        {"rotate": None, "scale": None, "mirror": False},
        {"rotate": (0, 0), "scale": (1, 1)},
    ):
        again = synth.fill_details(image, hole, quality="draft", **options)
        assert (again.image == plain.image).all()
        assert (again.sources == plain.sources).all()


@pytest.mark.parametrize("planes", [None, np.eye(3)])
def test_threads_and_values_in_the_hole_do_not_matter(monkeypatch, planes):
    image = data.coffee()[50:200, 150:350]
    hole = np.zeros(image.shape[:2], bool)
    hole[60:90, 40:70] = True
    options = {"rotate": (-20, 20), "mirror": True, "quality": "draft", "planes": planes}
    monkeypatch.setenv("SYNTH_NUM_THREADS", "1")
    one = synth.fill(image, hole, seed=3, **options)
    monkeypatch.setenv("SYNTH_NUM_THREADS", "3")
    changed = np.where(hole[..., None], 255 - image, image)
    assert (synth.fill(changed, hole, seed=3, **options) == one).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [0, 4, 7])
def test_every_kind_of_picture_keeps_its_range_and_its_surroundings(dtype, channels):
    scale = {np.uint8: 1.0, np.uint16: 257.0}.get(dtype, 1 / 255)
    image = (cloth(90) * scale).astype(dtype)
    if channels:
        image = np.repeat(image[..., None], channels, axis=2)
    if channels == 4:
        image[..., 3] = image.max()
        image[:20, :20, 3] = 0
    hole = np.zeros(image.shape[:2], bool)
    hole[0:30, 60:90] = True
    source = np.ones_like(hole)
    source[50:] = False
    guide = np.indices(hole.shape)[1] // 30
    details = synth.fill_details(
        image, hole, source=source, guide=guide, quality="draft",
        rotate=(-15, 30), scale=(0.6, 1.2), mirror=True,
    )  # fmt: skip
    assert details.image.dtype == image.dtype
    assert (details.image[~hole] == image[~hole]).all()
    assert details.image.min() >= image[~hole].min()
    assert details.image.max() <= image[~hole].max()
    assert (details.pixels == np.argwhere(hole)).all()
    row, column = details.sources.T
    assert (source & ~hole)[row, column].all()
    if channels == 4:
        assert (image[row, column, 3] > 0).all()


def test_copies_are_the_picture_interpolated_where_they_come_from():
    rows, columns = np.indices((60, 80)).astype(np.float64)
    image = np.stack([columns, rows], axis=2)  # each pixel tells its place
    hole = np.zeros((60, 80), bool)
    hole[20:30, 30:50] = True
    window = Ground(image, hole, None)
    ground, allowed = with_copies(
        window, ~hole, hole, Variation((-30, 30), (0.8, 1.25), mirror=True), 7
    )
    assert len(ground.copies) == len(Variation((-30, 30), (0.8, 1.25), True).matrices(7))
    assert (ground.image[:60, :80] == image).all()
    places = np.argwhere(allowed)
    exact, _ = ground.origins(places.astype(np.int32))
    # OpenCV interpolates in steps of 1/32 of a pixel
    assert np.abs(ground.image[allowed][:, ::-1] - exact).max() < 0.05
    nearest = np.rint(exact).astype(int)
    assert not hole[nearest[:, 0], nearest[:, 1]].any()
    assert not ground.unknown[allowed].any()


def test_large_windows_get_fewer_copies(monkeypatch):
    monkeypatch.setattr("synth.patchmatch.copies._MOST_PIXELS", 400_000)
    image = np.zeros((200, 220), np.uint8)
    hole = np.zeros(image.shape, bool)
    hole[90:110, 100:120] = True
    ground, allowed = with_copies(
        Ground(image, hole, None), ~hole, hole, Variation((-180, 180)), 7
    )
    assert len(ground.copies) < len(Variation((-180, 180)).matrices(7))
    assert allowed.size <= 400_000
    assert allowed[201:].sum() > 1000


@pytest.mark.parametrize(
    ("options", "kind", "needed"),
    [
        ({"rotate": 20}, InputTypeError, r"\(low, high\) from -180 to 180"),
        ({"rotate": "-20,20"}, InputTypeError, "such as"),
        ({"rotate": (20, -20)}, InputError, "degrees"),
        ({"rotate": (-200, 0)}, InputError, "degrees"),
        ({"rotate": (0, float("nan"))}, InputError, "degrees"),
        ({"rotate": (0, 1, 2)}, InputError, "degrees"),
        ({"scale": (0.1, 1)}, InputError, "from 0.5 to 2"),
        ({"scale": ("a", "b")}, InputError, "from 0.5 to 2"),
        ({"scale": (1j, 2)}, InputTypeError, "from 0.5 to 2"),
        ({"mirror": True, "method": "efros-leung"}, InputError, "leave out"),
        ({"mirror": "yes"}, InputTypeError, "True or False"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, kind, needed):
    image = np.zeros((20, 20), np.uint8)
    with pytest.raises(kind, match=needed):
        synth.fill(image, np.eye(20, dtype=bool), **options)


def test_the_command_line_passes_everything_on(run, filling, tmp_path):
    write_pair(tmp_path)
    common = (
        "fill", tmp_path / "a.png", "-m", tmp_path / "masks" / "a.png", "-o", tmp_path / "b.png",
    )  # fmt: skip
    done = run(*common, "--rotate", "-20,20", "--scale", "0.8,1.25", "--mirror")
    assert done.code == 0, done.err
    call = filling[0]
    assert (call.rotate, call.scale, call.mirror) == ((-20, 20), (0.8, 1.25), True)
    done = run(*common, "--overwrite", "--rotate", "20")
    assert done.code == 2
    assert "two numbers with a comma" in done.err


def test_the_command_line_fills_a_mirrored_motif(run, tmp_path):
    motif = cloth()
    image, hole = beside(motif, motif[:, ::-1])
    save(tmp_path / "a.png", image)
    save(tmp_path / "m.png", hole.astype(np.uint8) * 255)
    done = run(
        "fill", tmp_path / "a.png", "-m", tmp_path / "m.png", "-o", tmp_path / "b.png", "--mirror"
    )
    assert done.code == 0, done.err
    assert (load(tmp_path / "b.png").pixels == image).all()
