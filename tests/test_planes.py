"""Planes: found where they are, refused where they are not."""

from __future__ import annotations

import cv2
import naive_planes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

import synth
from synth.errors import InputError, InputTypeError
from synth.patchmatch.resample import sample
from synth.planes.homography import apply, jacobian, rectifying

SIDE = 320


def tiles(side: int = SIDE, period: tuple[int, int] = (24, 32), ground: int = 200) -> np.ndarray:
    """Joints of 3 pixels between tiles of two greys."""
    row, column = np.ogrid[:side, :side]
    chess = (row // period[0] + column // period[1]) % 2
    joint = (row % period[0] < 3) | (column % period[1] < 3)
    return np.where(joint, 20, ground - 60 * chess).astype(np.uint8)


def seen(homography: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Look at a frontal picture; ``homography`` maps what is seen to the frontal one."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpPerspective(picture, homography, (SIDE, SIDE), flags=flags)


def aslant(tilt: float, turn: float) -> np.ndarray:
    """Turn by ``turn`` degrees and tilt, the middle staying in place."""
    there = np.array([[1, 0, -SIDE / 2], [0, 1, -SIDE / 2], [0, 0, 1.0]])
    angle = np.deg2rad(turn)
    rotate = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1.0]]
    )
    perspective = np.array([[1, 0, 0], [0, 1, 0], [tilt / SIDE, 0.6 * tilt / SIDE, 1.0]])
    back = np.array([[1, 0, SIDE], [0, 1, SIDE], [0, 0, 1.0]])
    return back @ rotate @ perspective @ there


@pytest.mark.parametrize("turn", [0, 12, 30])
@pytest.mark.parametrize("tilt", [0.15, 0.35, 0.6])
def test_the_lines_of_a_plane_become_the_axes_within_a_degree(tilt, turn):
    truth = aslant(tilt, turn)
    (plane,) = synth.find_planes(seen(truth, tiles(2 * SIDE))).planes
    assert plane.clear
    assert plane.confidence > 0.7
    # what runs along an axis of the true plane must run along one of the plane that was found
    both = plane.homography @ np.linalg.inv(truth)
    for at in ((SIDE, SIDE), (SIDE - 60, SIDE + 40), (SIDE + 70, SIDE + 70)):
        step = jacobian(both, np.array(at, float))
        for axis in (0, 1):
            off = np.degrees(np.arctan2(*np.sort(np.abs(step[:, axis]))))
            assert off < 1.0


def test_a_plane_seen_frontally_is_found_as_it_is():
    (plane,) = synth.find_planes(tiles()).planes
    assert plane.clear
    np.testing.assert_allclose(plane.homography, np.eye(3), atol=0.01)


@pytest.mark.parametrize(
    "name", ["astronaut", "camera", "coffee", "coins", "chelsea", "rocket", "gravel", "grass"]
)
def test_pictures_without_a_plane_have_no_clear_one(name):
    image = getattr(data, name)()
    assert not any(plane.clear for plane in synth.find_planes(image).planes)


def test_lines_on_one_wall_only_are_not_the_plane_of_the_picture():
    picture = np.full((SIDE, SIDE), 128, np.uint8)
    picture[: SIDE // 3] = tiles()[: SIDE // 3]
    (plane,) = synth.find_planes(picture).planes
    assert plane.confidence > 0.7
    assert plane.coverage < 0.5
    assert not plane.clear


def test_a_flat_picture_has_no_plane():
    assert synth.find_planes(np.full((64, 64), 7, np.uint8)).planes == ()


def test_drawing_leaves_the_picture_alone():
    image = np.repeat(tiles()[..., None], 3, axis=2)
    before = image.copy()
    drawn = synth.find_planes(image).draw()
    assert drawn.shape == image.shape
    assert (drawn != image).any()
    assert (image == before).all()


def test_what_is_no_number_is_drawn_grey():
    image = np.repeat(tiles()[..., None], 3, axis=2) / np.float32(255)
    hole = np.zeros(image.shape[:2], bool)
    hole[100:200, 100:200] = True
    plain = synth.find_planes(image, hole).draw(1000)
    for nothing in (np.nan, np.inf, -np.inf):
        spoilt = np.where(hole[..., None], np.float32(nothing), image)
        drawn = synth.find_planes(spoilt, hole).draw(1000)
        assert (drawn[~hole] == plain[~hole]).all()
        assert (drawn[120:180, 120:180] == 128).all()


@pytest.mark.parametrize(
    ("spacing", "error"), [(0, InputError), (-3, InputError), (np.nan, InputError),
                           (np.inf, InputError), ("wide", InputTypeError), (None, InputTypeError)]
)  # fmt: skip
def test_a_grid_needs_a_spacing(spacing, error):
    with pytest.raises(error, match="spacing"):
        synth.find_planes(tiles()).draw(spacing)


@pytest.mark.parametrize("size", [1e300, 7e305, 1e37, -1e37, 1e-38, 1e-300])
@pytest.mark.filterwarnings("error")
def test_floats_of_any_size_show_the_same_plane(size):
    image = np.repeat(seen(aslant(0.3, 10), tiles(2 * SIDE))[..., None], 3, axis=2) * size
    hole = np.zeros(image.shape[:2], bool)
    hole[100:200, 100:200] = True
    (expected,) = synth.find_planes(image / size, hole).planes
    image[hole] = np.nan
    found = synth.find_planes(image, hole)
    (plane,) = found.planes
    assert plane.clear
    np.testing.assert_allclose(plane.homography, expected.homography, rtol=1e-4, atol=1e-6)
    assert np.ptp(found.draw()) > 200


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
def test_every_dtype_shows_the_same_plane(dtype):
    scale = 257 if dtype == np.uint16 else 1 / 255
    (plane,) = synth.find_planes((tiles() * dtype(scale)).astype(dtype)).planes
    np.testing.assert_allclose(plane.homography, np.eye(3), atol=0.01)
    assert synth.find_planes((tiles() * dtype(scale)).astype(dtype)).draw().dtype == np.uint8


@given(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6), st.floats(-60, 60), st.integers(100, 200))
@settings(max_examples=50)
def test_rectifying_keeps_scale_one_at_its_centre(tilt_x, tilt_y, turn, centre):
    angle = np.deg2rad(turn)
    at = np.array([centre, 300.0 - centre])
    horizon = np.array([tilt_x / 400, tilt_y / 400])
    points = [
        np.array([np.cos(a) + 150 * w, np.sin(a) + 150 * w, w])
        for a in (angle, angle + np.pi / 2)
        for w in (horizon @ [np.cos(a), np.sin(a)],)
    ]
    homography = rectifying(points[0], points[1], at)
    step = jacobian(homography, at)
    np.testing.assert_allclose(np.linalg.norm(step, axis=1), 1, rtol=1e-6)
    assert np.linalg.det(step) > 0
    corner = apply(homography, at[None] + [[1e-4, 0]]) - apply(homography, at[None])
    np.testing.assert_allclose(corner[0] / 1e-4, step[:, 0], atol=1e-3)


def test_sampling_equals_its_obvious_twin():
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (20, 24, 3), np.uint8)
    known = np.ones((20, 24), bool)
    known[8:12, 8:14] = False
    exact = rng.uniform(-0.4, 19.4, (300, 2))
    exact[:20] = np.rint(exact[:20])
    nearest = np.zeros((300, 2), np.int32)
    expected = naive_planes.sample(image, known, exact, nearest)
    np.testing.assert_allclose(sample(image, known, exact, nearest)[0], expected, atol=1e-9)
