"""``lines=`` of `synth.retarget` and `synth.reshuffle`: what was straight stays straight."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

import synth
from synth.editing import lines
from synth.errors import InputError, InputTypeError
from synth.files import load, save


def slanted():
    """Dark below a slanted edge, light above it, grain and blots on both."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:120, :160]
    image = np.where(y > 20 + 0.45 * x, 60.0, 190.0)
    image += 25 * ndimage.zoom(rng.normal(size=(12, 16)), 10, order=1) + rng.normal(
        0, 4, (120, 160)
    )
    return np.clip(image, 0, 255).astype(np.uint8), ((20, 0), (91, 158))


def bend(image):
    """How far the edge is from the line fitted to it, in pixels on average."""
    place = (image > 125).sum(axis=0)  # light pixels of each column, all above the edge
    x = np.arange(len(place))
    return np.abs(place - np.polyval(np.polyfit(x, place, 1), x)).mean()


def test_an_edge_stays_straight():
    image, edge = slanted()
    bends = {}
    for kept in (None, [edge]):
        results = [synth.retarget(image, (120, 100), lines=kept, seed=n) for n in range(3)]
        bends[kept is None] = np.mean([bend(result) for result in results])
    assert bends[False] < 0.7 * bends[True]


@pytest.mark.parametrize("up", [-15, 12])
def test_rearranging_keeps_an_edge_straight_between_what_moves_and_what_is_locked(up):
    image, edge = slanted()
    thing, locked = (np.zeros(image.shape, bool) for _ in range(2))
    thing[15:60, :30] = True
    locked[:, 125:] = True
    off = {}
    for kept in (None, [edge]):
        done = synth.reshuffle(image, [(thing, (up, 0))], locked=locked, lines=kept)
        np.testing.assert_array_equal(done[15 + up : 60 + up, :30], image[15:60, :30])
        np.testing.assert_array_equal(done[:, 125:], image[:, 125:])
        place = (done > 125).sum(axis=0)
        x = np.arange(15, 142)  # from the middle of the one to the middle of the other
        off[kept is None] = np.abs(place[x] - np.interp(x, x[[0, -1]], place[x[[0, -1]]])).mean()
    assert off[False] < 0.4 * off[True]


@settings(max_examples=40, deadline=None)
@given(
    angle=st.floats(0, 3.1),
    place=st.tuples(st.floats(-50, 50), st.floats(-50, 50)),
    strays=st.integers(0, 6),
    seed=st.integers(0, 99),
)
def test_a_line_is_found_among_strays(angle, place, strays, seed):
    rng = np.random.default_rng(seed)
    true = np.array([np.sin(angle), np.cos(angle)])
    points = np.array(place) + rng.uniform(-40, 40, 40)[:, None] * true
    points[:strays] += rng.normal(0, 10, (strays, 2))
    point, direction = lines.fitted(points)
    normal = np.array([-direction[1], direction[0]])
    assert np.abs((points[strays:] - point) @ normal).max() < 2.5
    assert abs(direction @ true) > 0.99


def test_matches_are_put_on_one_line():
    rng = np.random.default_rng(0)
    field = np.moveaxis(np.indices((40, 40), np.int32), 0, -1) + rng.integers(
        -2, 3, (40, 40, 2), np.int32
    )
    field = np.clip(field, 0, 39).astype(np.int32)
    before = field.copy()
    ends = np.array([[8.0, 5.0], [30.0, 38.0]])
    on_line = lines.straightened(field, [ends], 7, (40, 40))
    assert on_line.sum() > 40
    np.testing.assert_array_equal(field[~on_line], before[~on_line])
    # a patch keeps its distance from the line, so the shift is the same across it
    shift = (field - np.moveaxis(np.indices((40, 40)), 0, -1))[on_line]
    direction = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    across = shift @ np.array([-direction[1], direction[0]])
    assert np.ptp(across) < 2
    assert np.ptp((before - field)[on_line], axis=0).max() > 2


def test_a_line_goes_through_what_is_held():
    grid = np.moveaxis(np.indices((30, 60), np.int32), 0, -1)
    held = np.zeros((30, 60), bool)
    held[:, :12] = held[:, 48:] = True
    field = np.ascontiguousarray(grid)
    field[:, :12, 0] += 8  # one end of a level line is moved down
    field = np.minimum(field, [29, 59]).astype(np.int32)
    before = field.copy()
    on_line = lines.straightened(
        field, [np.array([[15.0, 3.0], [15.0, 62.0]])], 7, (30, 60), held=held
    )
    np.testing.assert_array_equal(field[held], before[held])
    assert not (on_line & held).any()
    rows, columns = np.nonzero(on_line)
    assert len(rows) > 100
    down = field[rows, columns, 0] - rows
    np.testing.assert_allclose(down, np.interp(columns, [5.5, 53.5], [8, 0]), atol=1.5)


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        (5, InputTypeError, "lines must be a list of pairs of ends"),
        ([(1, 2)], InputError, r"but lines\[0\] is \(1, 2\)"),
        (iter([(1, 2)]), InputError, r"but lines\[0\] is \(1, 2\)"),
        ([((0, 0), (500, 0))], InputError, "leaves the picture of 120×160"),
        ([((5, 5), (9, 5))], InputError, "shorter than 8 pixels"),
    ],
)
def test_errors_say_what_is_needed(given, error, says):
    image = slanted()[0]
    with pytest.raises(error, match=says):
        synth.retarget(image, (100, 100), lines=given)
    if isinstance(given, list):
        with pytest.raises(error, match=says):
            synth.reshuffle(image, [(image < 60, (0, 2))], lines=given)


def test_the_commands_take_lines(run, tmp_path):
    image, _ = slanted()
    save(tmp_path / "in.png", image)
    out = tmp_path / "out.png"
    shared = ("retarget", tmp_path / "in.png", "--size", "120x120", "--quality", "draft")
    assert run(*shared, "--line", "0,20,158,91", "-o", out).code == 0
    expected = synth.retarget(image, (120, 120), lines=[((20, 0), (91, 158))], quality="draft")
    np.testing.assert_array_equal(load(out).pixels, expected)
    done = run(*shared, "--line", "0,20,158", "-o", tmp_path / "b.png")
    assert done.code == 2
    assert "X0,Y0,X1,Y1, four whole numbers" in done.err
    thing = np.zeros(image.shape, bool)
    thing[15:60, :30] = True
    save(tmp_path / "thing.png", thing.astype(np.uint8) * 255)
    shared = ("reshuffle", tmp_path / "in.png", "--quality", "draft")
    there = tmp_path / "c.png"
    move = ("--move", tmp_path / "thing.png", "0,-12")
    assert run(*shared, *move, "--line", "0,20,158,91", "-o", there).code == 0
    expected = synth.reshuffle(
        image, [(thing, (-12, 0))], lines=[((20, 0), (91, 158))], quality="draft"
    )
    np.testing.assert_array_equal(load(there).pixels, expected)
