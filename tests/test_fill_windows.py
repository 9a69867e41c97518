"""How a fill cuts its work: windows around holes, bands of rows."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.patchmatch.regions import bounding_window, windows
from synth.patchmatch.stage import band_bounds


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 900), min_size=1, max_size=60), st.sampled_from([1, 50, 2048]))
def test_bands_hold_every_row_once(counts, per_band):
    bounds = band_bounds(np.array(counts), per_band)
    assert bounds[0] == 0
    assert bounds[-1] == len(counts)
    assert (np.diff(bounds) >= 0).all()
    assert len(bounds) - 1 == np.clip(sum(counts) // per_band, 1, 16)


def test_bands_share_the_work():
    bounds = band_bounds(np.full(400, 100), 2048)
    shares = np.diff(bounds) * 100
    assert len(shares) == 16
    assert shares.max() <= shares.mean() + 100


@settings(max_examples=40, deadline=None)
@given(
    size=st.tuples(st.integers(1, 900), st.integers(1, 900)),
    holes=st.lists(
        st.tuples(st.floats(0, 0.99), st.floats(0, 0.99), st.integers(1, 90), st.integers(1, 90)),
        min_size=1, max_size=5,
    ),
    patch=st.integers(3, 31),
)  # fmt: skip
def test_windows_are_apart_and_hold_all_holes_with_their_surroundings(size, holes, patch):
    mask = np.zeros(size, bool)
    for y, x, height, width in holes:
        top, left = int(y * size[0]), int(x * size[1])
        mask[top : top + height, left : left + width] = True
    times = np.zeros(size, int)
    for part in windows(mask, patch):
        times[part] += 1
        assert mask[part].any()
    assert times.max() == 1
    assert (times[mask] == 1).all()
    for y, x, height, width in holes:
        top, left = int(y * size[0]), int(x * size[1])
        height, width = min(height, size[0] - top), min(width, size[1] - left)
        margin = max(96, round(1.5 * max(height, width)))
        rows = slice(max(0, top - margin), top + height + margin)
        assert (times[rows, max(0, left - margin) : left + width + margin] == 1).all()


def test_windows_within_the_bounds_of_another_are_joined_with_it():
    mask = np.zeros((1200, 1200), bool)
    mask[60:1140:150, 60] = mask[1110, 60::150] = True  # an L of specks
    assert windows(mask, 7) == [(slice(0, 1200), slice(0, 1200))]
    mask[60, 1110] = True  # far from the L, and within its bounds
    assert windows(mask, 7) == [(slice(0, 1200), slice(0, 1200))]
    mask[1110] = False
    assert len(windows(mask, 7)) == 2


def test_no_hole_no_window():
    assert windows(np.zeros((40, 40), bool), 7) == []
    assert bounding_window(np.zeros((40, 40), bool)) is None
    mask = np.zeros((40, 50), bool)
    mask[3, 7] = mask[20, 49] = True
    assert bounding_window(mask) == (slice(3, 21), slice(7, 50))
