"""Fills that change what they copy: turned, scaled, mirrored, brighter or darker."""

from __future__ import annotations

import naive_fill
import numpy as np
import pytest
from conftest import write_pair
from scipy import ndimage
from skimage import data
from synth.kernels._jit import threads

import synth
from synth.errors import InputError, InputTypeError
from synth.files import load, save
from synth.patchmatch import copies, window
from synth.patchmatch.adaptation import Adaptation, Change
from synth.patchmatch.copies import Ground, with_copies
from synth.patchmatch.em import Effort, _Solver
from synth.patchmatch.pieces import pieces
from synth.patchmatch.pyramid import Level
from synth.patchmatch.regions import bounding_window, surroundings
from synth.patchmatch.stage import make_stage
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


def lamp(shape: tuple[int, ...], most: float) -> np.ndarray:
    """Return light that falls off round a place beside the middle, from ``most`` to −``most``."""
    row, column = np.indices(shape[:2])
    return most * (2 * np.exp(-((row - 50) ** 2 + (column - 70) ** 2) / 60**2) - 1)


def lit(mode: str) -> tuple[np.ndarray, np.ndarray]:
    """Return tiles in uneven light, colours unlike one another for "color", and a hole in it."""
    tiles = np.tile(cloth(24, 5), (7, 7)) * 0.4 + 77
    light = lamp(tiles.shape, 50)
    planes = [
        tiles + light * share for share in ((1, 1, 1) if mode == "brightness" else (1, 0, -1))
    ]
    hole = np.zeros(tiles.shape, bool)
    hole[58:110, 52:112] = True
    return np.stack(planes, axis=2).astype(np.uint8), hole


@pytest.mark.parametrize("mode", ["brightness", "color"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_uneven_light_goes_on_where_copies_are_adapted(mode, dtype):
    image, hole = lit(mode)
    unit = {"uint8": 1, "uint16": 257, "float32": 1 / 255}[dtype]
    image = (image * np.array(unit, dtype)).astype(dtype)
    adapted = synth.fill(image, hole, adapt=mode, planes=None)
    assert adapted.dtype == image.dtype
    assert (adapted[~hole] == image[~hole]).all()
    plain = error(synth.fill(image, hole, planes=None), image, hole)
    assert error(adapted, image, hole) < 0.9 * plain


@pytest.mark.parametrize("planes", [None, np.eye(3)])
def test_adapted_fills_do_not_depend_on_threads_or_on_what_the_hole_holds(monkeypatch, planes):
    image, hole = lit("color")
    options = {"adapt": "color", "rotate": (0, 90), "quality": "draft", "planes": planes}
    monkeypatch.setenv("SYNTH_NUM_THREADS", "1")
    one = synth.fill(image, hole, seed=3, **options)
    monkeypatch.setenv("SYNTH_NUM_THREADS", "3")
    changed = np.where(hole[..., None], 255 - image, image)
    assert (synth.fill(changed, hole, seed=3, **options) == one).all()


@pytest.mark.parametrize("joint", [0, 1])
@pytest.mark.parametrize("patch", [5, 8])
def test_costs_are_those_of_adapted_patches(joint, patch):
    rng = np.random.default_rng(patch)
    features = np.clip(rng.normal(120, 30, (40, 44, 1)) + rng.normal(0, 15, (40, 44, 5)), 0, 255)
    features = features.astype(np.uint8)
    hole = np.zeros((40, 44), bool)
    hole[10:20, 12:24] = True
    stage = make_stage(Level(features, hole, ~hole), 4, patch)
    stage.content[hole] = rng.integers(60, 200, (int(hole.sum()), 5))
    mode = "brightness" if joint else "color"
    colours, gain, shift = 3, 1.25, 24.0
    with threads(1) as bands:
        solver = _Solver((1, 2), 0, Effort(1, 1, 1, 1), bands)
        solver.adaptation = Adaptation(stage, mode, colours, bands)
        solver.search(stage, np.array([8, 2], np.int64))
    scale, offset = solver.adaptation.scale, solver.adaptation.offset
    source = features.copy()
    source[hole] = 0
    for y, x in stage.queries:
        row, column = stage.field[y, x]
        there = stage.content[y : y + patch, x : x + patch]
        here = source[row : row + patch, column : column + patch]
        wanted, moved = naive_fill.adapted(there, here, colours, joint, gain, shift)
        cost = np.square(wanted - there).sum() + 0.05 * patch**2 * np.square(moved).sum()
        assert stage.cost[y, x] == pytest.approx(cost, rel=1e-5, abs=2)
        changed = here[..., :4] * scale[y, x] + offset[y, x]
        assert np.abs(changed - wanted[..., :4]).max() < 1e-3


def test_a_change_is_the_same_in_other_units():
    change = Change(np.array([1.2], np.float32), np.array([[10.0]], np.float32))
    units = change.in_units(-1.0, 3.0)
    eight_bits = change(np.array([[100.0]]))
    assert units(100 / 255 * 4 - 1.0 + np.zeros((1, 1))) == pytest.approx(eight_bits / 255 * 4 - 1)


def test_nothing_asked_for_is_the_plain_fill():
    image = data.coffee()[50:200, 150:350]
    hole = np.zeros(image.shape[:2], bool)
    hole[60:90, 40:70] = True
    plain = synth.fill_details(image, hole, quality="draft")
    for options in (
        {"adapt": "none", "rotate": None, "scale": None, "mirror": False},
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
@pytest.mark.parametrize(("channels", "adapt"), [(0, "brightness"), (4, "color"), (7, "none")])
def test_every_kind_of_picture_keeps_its_range_and_its_surroundings(dtype, channels, adapt):
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
        adapt=adapt, rotate=(-15, 30), scale=(0.6, 1.2), mirror=True,
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


@pytest.mark.parametrize("size", [1e308, 1e-300])
def test_values_of_any_size_can_be_turned(size):
    image, hole = beside(cloth(48), cloth(48, seed=1))
    options = {"rotate": (-20, 20), "quality": "draft"}
    usual = synth.fill(image / 255 - 0.5, hole, **options)
    other = synth.fill((image / 255 - 0.5) * size, hole, **options)
    assert np.abs(other / size - usual).max() < 1e-6


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
        ({"adapt": "color", "method": "efros-leung"}, InputError, "leave out"),
        ({"adapt": "light"}, InputError, "'brightness'"),
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
    done = run(
        *common, "--rotate", "-20,20", "--scale", "0.8,1.25", "--mirror", "--adapt", "color"
    )
    assert done.code == 0, done.err
    call = filling[0]
    assert (call.rotate, call.scale, call.mirror) == ((-20, 20), (0.8, 1.25), True)
    assert call.adapt == "color"
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


def specks(shape: tuple[int, int], count: int, seed: int = 0) -> np.ndarray:
    """Return small holes all over."""
    rng = np.random.default_rng(seed)
    hole = np.zeros(shape, bool)
    for row, column in zip(*(rng.integers(0, side - 8, count) for side in shape), strict=True):
        hole[row : row + 7, column : column + 5] = True
    return hole


@pytest.mark.parametrize("most", [10, 3_000, 400_000, 3_000_000, 1 << 40])
def test_holes_all_over_are_cut_into_disjoint_groups_that_have_room(monkeypatch, most):
    monkeypatch.setattr(copies, "_MOST_PIXELS", most)
    variation = Variation((-20, 20), (0.8, 1.25))
    hole = specks((400, 500), 30)
    groups = pieces(hole, variation, 7)
    assert (sum(mask.astype(int) for _, mask in groups) == hole).all()
    assert (len(groups) == 1) == (most > 3_000_000)
    for (rows, columns), mask in groups:
        assert mask[rows, columns].sum() == mask.sum() > 0
        count = ndimage.label(ndimage.binary_dilation(mask, np.ones((15, 15))))[1]
        near = surroundings([bounding_window(mask)], hole.shape, copies.CROWDED)
        assert count == 1 or copies.fits(variation, tuple(s.stop - s.start for s in near), 7)


def test_copies_take_no_more_room_than_there_is(monkeypatch):
    most = 60_000
    monkeypatch.setattr(copies, "_MOST_PIXELS", most)
    grounds = []
    laid_out = copies.with_copies

    def noted(*arguments, **more):
        ground, allowed = laid_out(*arguments, **more)
        grounds.append(ground.image.shape[0] * ground.image.shape[1])
        return ground, allowed

    monkeypatch.setattr(window, "with_copies", noted)
    image = np.tile(cloth(96), (3, 4))
    hole = specks(image.shape, 9)
    results = []
    for threads_ in ("1", "3"):
        monkeypatch.setenv("SYNTH_NUM_THREADS", threads_)
        changed = np.where(hole, 255 - image, image) if results else image
        results.append(
            synth.fill_details(changed, hole, quality="draft", rotate=(-90, 90), scale=(0.5, 2))
        )
    assert len(grounds) > 4
    assert max(grounds) <= most
    assert (results[0].image[~hole] == image[~hole]).all()
    assert (results[0].image == results[1].image).all()
    assert (results[0].pixels == np.argwhere(hole)).all()


def test_a_hole_of_which_no_surroundings_fit_is_filled_without_copies(monkeypatch):
    monkeypatch.setattr(copies, "_MOST_PIXELS", 10)
    image, hole = beside(cloth(), np.rot90(cloth()))
    assert (synth.fill(image, hole, rotate=(0, 90)) == synth.fill(image, hole)).all()


def test_a_tiny_picture_has_no_more_copies_than_one_of_256_pixels_a_side():
    counts = []
    for side in (40, 256, 300):
        image = np.random.default_rng(0).integers(0, 256, (side, side), np.uint8)
        hole = np.zeros((side, side), bool)
        hole[15:25, 15:25] = True
        ground, _ = copies.with_copies(
            copies.Ground(image, hole, None),
            ~hole,
            hole,
            Variation((-180, 180), (0.5, 2), True),
            7,
        )
        counts.append(len(ground.copies))
    assert counts[0] == counts[1] >= counts[2] > 50
