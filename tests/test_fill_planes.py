"""Fills on planes."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data
from test_planes import SIDE, aslant, seen, tiles

import synth
from synth.compare import ssim
from synth.errors import InputError, InputTypeError
from synth.patchmatch.adaptation import Change
from synth.patchmatch.copies import Ground
from synth.patchmatch.em import Solution
from synth.patchmatch.frontal import Frontal
from synth.patchmatch.request import PlanePart, make_request
from synth.patchmatch.window import Match


def oval(shape: tuple[int, ...], share: float = 0.45) -> np.ndarray:
    row, column = np.ogrid[: shape[0], : shape[1]]
    y = (row - shape[0] / 2) / (share * shape[0] / 2)
    x = (column - shape[1] / 2) / (share * shape[1] / 2)
    return x**2 + y**2 < 1


def test_a_lattice_is_filled_exactly_where_the_plane_is_a_matter_of_whole_pixels():
    image = tiles()
    hole = oval(image.shape)
    filled = synth.fill(image, hole, planes=np.eye(3))
    assert (filled == image).all()


@pytest.mark.parametrize("size", [1e300, 1e37, 1e-300])
@pytest.mark.filterwarnings("error")
def test_a_lattice_of_floats_of_any_size_is_filled_as_well(size):
    image = tiles()
    filled = synth.fill(image * size, oval(image.shape), quality="draft") / size
    assert np.abs(filled - image).max() < 20


def test_rows_in_perspective_go_on_straight():
    image = seen(aslant(0.35, 12), tiles(2 * SIDE))
    hole = oval(image.shape)
    on_plane = ssim(synth.fill(image, hole), image, hole)
    without = ssim(synth.fill(image, hole, planes=None), image, hole)
    assert on_plane > 0.75
    assert on_plane > without + 0.15


def corner():
    """Return two tiled walls that meet in an upright edge, where each is, and a hole on both."""
    there = np.broadcast_to(np.arange(SIDE) < SIDE // 2, (SIDE, SIDE))
    walls = []
    for lean, light in ((0.9, 200), (-1.1, 130)):  # both recede from the edge
        to_middle = np.array([[1, 0, -SIDE / 2], [0, 1, -SIDE / 2], [0, 0, 1.0]])
        perspective = np.array([[1, 0, 0], [0, 1, 0], [lean / SIDE, 0, 1.0]])
        onto_tiles = np.array([[1, 0, 2 * SIDE], [0, 1, 2 * SIDE], [0, 0, 1.0]])
        walls.append(seen(onto_tiles @ perspective @ to_middle, tiles(4 * SIDE, ground=light)))
    return np.where(there, *walls), there, oval((SIDE, SIDE), 0.4)


def test_each_part_of_a_hole_is_filled_on_its_own_plane():
    image, left, hole = corner()
    planes = [("auto", left), ("auto", ~left)]
    details = synth.fill_details(image, hole, planes=planes)
    both = ssim(details.image, image, hole)
    for other in (None, "auto"):
        assert both > ssim(synth.fill(image, hole, planes=other), image, hole) + 0.1
    np.testing.assert_array_equal(details.image[~hole], image[~hole])
    np.testing.assert_array_equal(details.pixels, np.argwhere(hole))
    from_left = left[tuple(details.sources.T)]
    np.testing.assert_array_equal(from_left, left[tuple(details.pixels.T)])
    assert not hole[tuple(details.sources.T)].any()
    homographies = [synth.find_planes(image, hole | ~own).planes[0].homography
                    for own in (left, ~left)]  # fmt: skip
    given = list(zip(homographies, (left, ~left), strict=True))
    assert ssim(synth.fill(image, hole, planes=given), image, hole) > both - 0.1


def test_parts_that_do_not_fit_are_told():
    image, left, hole = corner()
    for planes, words in (
        ([(np.eye(3), left), (np.eye(3), left)], "overlaps"),
        ([(np.eye(3), hole)], "inside the hole"),
        ([("auto", np.zeros_like(left)), ("some", ~left)], "homography"),
        ([(np.eye(3), left[:9])], "320×320"),
        ([(None, left)], r"planes\[0\]\[0\] is None, but \"auto\" or a homography"),
        ([("auto", left), ("foo", ~left)], r"planes\[1\]\[0\] is 'foo', but \"auto\" or"),
        ([(np.ones((3, 3)), left)], r"planes\[0\]\[0\] .* cannot be inverted"),
        (
            [(np.array([[1, 0, 0], [0, 1, 0], [-1 / 150, 0, 1]]), left)],
            r"horizon .* \(planes\[0\]\[0\]\) .* make its region smaller",
        ),
        ((PlanePart(np.zeros((3, 3))),), "planes is"),
    ):
        with pytest.raises((InputError, InputTypeError), match=words):
            synth.fill(image, hole, planes=planes)
    flat = np.full((64, 64), 9, np.uint8)
    with pytest.raises(InputError, match="no plane is seen"):
        synth.fill(flat, oval(flat.shape), planes=[("auto", np.ones((64, 64), bool))])


def test_the_brick_wall_keeps_its_rows():
    image = data.brick()
    row, column = np.ogrid[:512, :512]
    hole = ((row - 255.5) / 113) ** 2 + ((column - 255.5) / 150) ** 2 <= 1
    assert ssim(synth.fill(image, hole), image, hole) >= 0.80


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_auto_is_the_plain_fill_where_there_is_no_plane(name):
    image = getattr(data, name)()[:300, :300]
    hole = oval(image.shape, 0.4)
    plain = synth.fill(image, hole, planes=None, quality="draft")
    assert (synth.fill(image, hole, planes="auto", quality="draft") == plain).all()


def test_auto_leaves_narrow_holes_to_the_plain_fill():
    image = tiles()
    hole = np.zeros(image.shape, bool)
    hole[40:280, 150:170] = True
    details = synth.fill_details(image, hole, quality="draft")
    plain = synth.fill_details(image, hole, quality="draft", planes=None)
    assert (details.sources == plain.sources).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [0, 1, 3, 4, 7])
def test_every_kind_of_picture_keeps_what_is_outside_the_hole(dtype, channels):
    scale = {np.uint8: 1.0, np.uint16: 257.0}.get(dtype, 1 / 255)
    image = (seen(aslant(0.2, 5), tiles(2 * SIDE)) * scale).astype(dtype)
    if channels:
        image = np.repeat(image[..., None], channels, axis=2)
    if channels == 4:
        image[..., 3] = image.max()
    hole = oval(image.shape, 0.3)
    details = synth.fill_details(image, hole, quality="draft", seed=4)
    assert details.image.dtype == image.dtype
    assert (details.image[~hole] == image[~hole]).all()
    assert (details.pixels == np.argwhere(hole)).all()
    assert not hole[details.sources[:, 0], details.sources[:, 1]].any()
    assert details.image.min() >= image[~hole].min()
    assert details.image.max() <= image[~hole].max()


def test_values_in_the_hole_do_not_matter_and_threads_do_not_either(monkeypatch):
    image = seen(aslant(0.2, 5), tiles(2 * SIDE))
    hole = oval(image.shape, 0.4)
    monkeypatch.setenv("SYNTH_NUM_THREADS", "1")
    one = synth.fill(image, hole, quality="draft", seed=9)
    monkeypatch.setenv("SYNTH_NUM_THREADS", "3")
    changed = np.where(hole, 255 - image, image)
    assert (synth.fill(changed, hole, quality="draft", seed=9) == one).all()


def test_a_source_mask_and_a_guide_are_obeyed_on_a_plane():
    image = seen(aslant(0.2, 5), tiles(2 * SIDE))
    hole = oval(image.shape, 0.3)
    source = np.zeros(hole.shape, bool)
    source[:, : SIDE // 2] = True
    details = synth.fill_details(image, hole, source=source, quality="draft")
    assert source[details.sources[:, 0], details.sources[:, 1]].all()
    labels = (np.arange(SIDE)[:, None] * np.ones(SIDE) > SIDE / 2).astype(np.int32)
    details = synth.fill_details(image, hole, guide=labels, planes=np.eye(3), quality="draft")
    same = labels[tuple(details.pixels.T)] == labels[tuple(details.sources.T)]
    assert same.mean() > 0.9


@pytest.mark.parametrize(
    ("planes", "error", "needed"),
    [
        ("best", InputTypeError, "homography is needed"),
        (np.eye(2), InputError, "3×3"),
        (np.full((3, 3), np.nan), InputError, "finite"),
        (np.ones((3, 3)), InputError, "inverted"),
        (np.zeros((3, 3)), InputError, "inverted"),
        (np.array([[1, 0, 0], [0, 1, 0], [-1 / 160, 0, 1]]), InputError, "horizon"),
        (object(), InputTypeError, "homography is needed"),
    ],
)
def test_what_is_no_plane_is_refused(planes, error, needed):
    image = tiles()
    with pytest.raises(error, match=needed):
        synth.fill(image, oval(image.shape), planes=planes)


def test_what_nothing_was_found_for_takes_neither_place_nor_light_of_another():
    image = tiles()
    hole = np.zeros(image.shape, bool)
    hole[150:153, 150:153] = True
    request = make_request(image, hole, 7, "draft", None, None, None, 0)
    window = (slice(0, SIDE), slice(0, SIDE))
    frontal = Frontal(request, window, window, np.eye(3))
    place = np.argwhere(frontal.request.hole).astype(np.int32)
    found = place[place[:, 0] != place[:, 0].max() - 2]  # without the hole's own last row
    light = Change(np.full(len(found), 2, np.float32), np.full((len(found), 1), 9.0))
    ground = Ground(image, hole, None)
    match = Match(window, hole, ground, Solution(found, found - 90, (), light))
    copies = frontal.copies(match)
    lost = copies.number < 0
    np.testing.assert_array_equal(lost, frontal.pixels[:, 0] == 152)
    assert (np.abs(copies.nearest[lost] - frontal.pixels[lost]).max(axis=1) <= 2).all()
    np.testing.assert_array_equal(copies.exact[~lost], frontal.pixels[~lost][:, ::-1] - 90)
    taken = light.taken(copies.number)
    np.testing.assert_array_equal(taken.scale, np.where(lost, 1, 2))
    np.testing.assert_array_equal(taken.offset[:, 0], np.where(lost, 0, 9))
