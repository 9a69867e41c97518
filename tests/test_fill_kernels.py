"""The kernels of a fill against their naive elders."""

from __future__ import annotations

import naive_fill
import numpy as np
import pytest
from conftest import noise
from hypothesis import given, settings
from hypothesis import strategies as st
from synth.kernels.cpu.distance import PADDING
from synth.kernels.cpu.membrane import relax
from synth.kernels.cpu.onion import peel_search, urgency
from synth.kernels.cpu.vote import NO_SUMS, pick_best, vote, vote_back

from synth.patchmatch.stage import LIMIT


def flat(image):
    """A buffer as kernels read it."""
    buffer = np.zeros(image.size + PADDING, image.dtype)
    buffer[: image.size] = image.ravel()
    return buffer


def random_field(rng, grid, source_grid):
    return np.stack([rng.integers(0, n, grid) for n in source_grid], axis=-1).astype(np.int32)


@settings(max_examples=25, deadline=None)
@given(
    patch=st.integers(1, 8),
    channels=st.integers(1, 5),
    size=st.tuples(st.integers(8, 17), st.integers(8, 17)),
    cuts=st.lists(st.integers(0, 17), max_size=4),
    back=st.booleans(),
    seed=st.integers(0, 999),
)
def test_vote(patch, channels, size, cuts, back, seed):
    """Bit for bit the slow mean, whatever the bands; pixels that nobody votes for stay wanted."""
    rng = np.random.default_rng(seed)
    rows, columns = size
    voted = int(rng.integers(1, channels + 1))
    source = noise((rows + 3, columns + 1, channels), "uint8", seed)
    grid = rows - patch + 1, columns - patch + 1
    field = random_field(rng, grid, (rows + 4 - patch, columns + 2 - patch))
    weight = rng.random(grid, np.float32) * (rng.random(grid) < 0.4)
    wanted = rng.random(size) < 0.7
    total = np.zeros((*size, channels), np.float32)
    norm = np.zeros(size, np.float32)
    if back:
        norm[rng.random(size) < 0.3] = 0.5
        total += norm[..., None] * np.float32(80)
    sums = (total.reshape(rows, -1).copy(), norm.copy()) if back else NO_SUMS
    bounds = np.array(sorted({0, rows, *(min(cut, rows) for cut in cuts)}), np.int64)
    before = noise((*size, channels), "uint8", seed + 1).astype(np.int16)
    out, left = before.copy(), wanted.copy()
    for band in rng.permutation(len(bounds) - 1):
        vote(
            flat(source), columns + 1, channels, patch, field, weight, *sums, left, voted, out,
            bounds, band,
        )  # fmt: skip
    mean, nobody = naive_fill.vote(source, field, weight, patch, total, norm)
    assert np.array_equal(left, wanted & nobody)
    done = wanted & ~nobody
    assert np.array_equal(out[done, :voted], mean[done, :voted])
    assert np.array_equal(out[~done], before[~done])
    assert np.array_equal(out[..., voted:], before[..., voted:])


@pytest.mark.parametrize("patch", [3, 4])
def test_vote_back(patch):
    rng = np.random.default_rng(patch)
    source = noise((13, 11, 4), "uint8", patch)
    grid = 14 - patch, 12 - patch
    field = random_field(rng, grid, grid)
    weight = rng.random(grid, np.float32) * (rng.random(grid) < 0.5)
    total, norm = np.zeros((13, 44), np.float32), np.zeros((13, 11), np.float32)
    vote_back(flat(source), 11, 4, patch, field, weight, total, norm)
    slow_total, slow_norm = naive_fill.vote_back(source, field, weight, patch)
    assert np.array_equal(total, slow_total.reshape(13, 44))
    assert np.array_equal(norm, slow_norm)


@pytest.mark.parametrize("patch", [1, 3, 6])
def test_pick_best(patch):
    """Few different costs, so that ties are many; −1 where no queried patch lies over a pixel."""
    rng = np.random.default_rng(patch)
    grid = 12, 9
    field = random_field(rng, grid, (20, 20))
    cost = rng.integers(0, 3, grid).astype(np.int32)
    query = (rng.random(grid) < 0.3).astype(np.uint8)
    pixels = np.argwhere(rng.random((11 + patch, 8 + patch)) < 0.6).astype(np.int32)
    picked = np.empty_like(pixels)
    bounds = np.array([0, 7, 7, len(pixels)])
    for band in (2, 1, 0):
        pick_best(field, cost, query, patch, pixels, picked, bounds, band)
    expected = naive_fill.pick_best(field, cost, query, patch, pixels)
    assert (expected[:, 0] < 0).any()
    assert np.array_equal(picked, expected)


@pytest.mark.parametrize(("patch", "trust"), [(5, 0.0), (4, 0.0), (5, 0.15)])
def test_peel_search_tries_every_source(patch, trust):
    """The nearest by what is known, costs scaled to a whole patch."""
    rng = np.random.default_rng(patch)
    source = noise((16, 18, 3), "uint8", 1)
    target = noise((14, 15, 3), "uint8", 2).astype(np.int16)
    known = rng.random((14, 15, 3)) < 0.5
    grid, source_grid = (15 - patch, 16 - patch), (17 - patch, 19 - patch)
    allowed = rng.random(source_grid) < 0.7
    queries = np.argwhere(rng.random(grid) < 0.3).astype(np.int32)
    scale = rng.uniform(1, 4, grid).astype(np.float32)
    field = np.full((*grid, 2), -1, np.int32)
    cost = np.zeros(grid, np.int32)
    peel_search(
        flat(target), 15, flat(np.where(known, np.int16(-1), np.int16(0))), flat(source), 18, 3,
        patch, field, cost, scale, queries, np.where(allowed, np.int32(0), LIMIT),
        np.flatnonzero(allowed).astype(np.int32), source_grid[1], 0, 0, 0, 0, 2, LIMIT, trust,
    )  # fmt: skip
    for y, x in queries:
        costs = naive_fill.nearest_known(target, known, source, patch, allowed, (y, x), trust)
        found = costs[tuple(field[y, x])]
        assert abs(found - costs.min()) <= (trust > 0)  # trust × a sum may round either way
        assert abs(cost[y, x] - found * scale[y, x]) <= 1 + scale[y, x] * (trust > 0)
    asked = np.zeros(grid, bool)
    asked[tuple(queries.T)] = True
    assert (field[~asked] == -1).all()


def test_peel_search_by_samples_is_valid_and_never_above_the_limit():
    source = np.zeros((20, 20, 1), np.uint8)
    target = np.full((20, 20, 1), 255, np.int16)
    penalty = np.full((14, 14), LIMIT)
    penalty[3:5, 2:9] = 0
    field, cost = np.full((14, 14, 2), -1, np.int32), np.zeros((14, 14), np.int32)
    queries = np.argwhere(np.ones((14, 14))).astype(np.int32)
    peel_search(
        flat(target), 20, flat(np.full((20, 20, 1), np.int16(-1))), flat(source), 20, 1, 7,
        field, cost, np.full((14, 14), np.float32(1000)), queries, penalty,
        np.flatnonzero(penalty == 0).astype(np.int32), 14, 5, 1, 2, 3, 4, LIMIT, 0.0,
    )  # fmt: skip
    assert (penalty[field[..., 0], field[..., 1]] == 0).all()
    assert (cost == LIMIT).all()  # 49 · 255² · 1000 does not fit an int32
    assert len(np.unique(field.reshape(-1, 2), axis=0)) > 1


def test_peel_search_follows_its_neighbours():
    """From one patch that knows its source, all others find theirs with hardly a draw."""
    source = noise((60, 70, 1), "uint8")
    target = source[20:40, 30:50].astype(np.int16)
    field, cost = np.full((16, 16, 2), -1, np.int32), np.zeros((16, 16), np.int32)
    field[7, 8] = 27, 38
    queries = np.argwhere(np.ones((16, 16)))
    near_first = np.argsort(np.abs(queries - (7, 8)).max(axis=1), kind="stable")
    peel_search(
        flat(target), 20, flat(np.full((20, 20, 1), np.int16(-1))), flat(source), 70, 1, 5,
        field, cost, np.ones((16, 16), np.float32), queries[near_first][1:].astype(np.int32),
        np.zeros((56, 66), np.int32), np.arange(56 * 66, dtype=np.int32), 66, 1, 1, 2, 3, 4,
        LIMIT, 0.0,
    )  # fmt: skip
    assert (cost == 0).all()
    down, right = np.indices((16, 16))
    assert np.array_equal(field, np.stack([down + 20, right + 30], axis=-1))


@pytest.mark.parametrize("screening", [0.01, 0.3])
def test_relaxation_solves_its_equations(screening):
    rng = np.random.default_rng(3)
    inside = rng.random((14, 12)) < 0.6
    inside[:3, :5] = True  # up to the border
    inside[9, 9], inside[8:11, 8:11] = False, False
    inside[9, 9] = True  # a pixel on its own
    fixed = ~inside & (rng.random(inside.shape) < 0.5)
    fixed[8:11, 8:11] = False
    pixels = np.argwhere(inside).astype(np.int32)
    values = np.where(fixed[..., None], rng.normal(size=(14, 12, 2)), 0).astype(np.float32)
    wanted = rng.normal(size=(len(pixels), 2)).astype(np.float32)
    found = values.copy()
    relax(found, wanted, pixels, inside, fixed, np.float32(screening), np.float32(1.5), 2000)
    for channel in range(2):
        exact = naive_fill.relaxed(
            values[..., channel], wanted[:, channel], pixels, fixed, np.float32(screening)
        )
        assert np.allclose(found[inside][:, channel], exact, atol=1e-3 * np.abs(exact).max())
    assert np.array_equal(found[~inside], values[~inside])


@pytest.mark.parametrize("patch", [3, 6, 7])
def test_urgency_is_confidence_times_the_edge_that_runs_into_the_hole(patch):
    rng = np.random.default_rng(patch)
    luminance = rng.integers(0, 766, (20, 23)).astype(np.float32)
    unknown = np.zeros((20, 23), bool)
    unknown[4:15, :9] = True
    unknown[12:, 10:20] = True
    confidence = np.where(unknown, 0, rng.random(unknown.shape)).astype(np.float32)
    pixels = np.argwhere(unknown).astype(np.int32)
    unknown[4:7, 6:9] = False  # filled already
    unknown[17, 15] = False  # known all around: no side is out
    urgent = np.full(len(pixels), np.nan, np.float32)
    sure = np.full(len(pixels), np.nan, np.float32)
    urgency(luminance, unknown, confidence, pixels, patch, urgent, sure)
    for number, pixel in enumerate(pixels):
        wanted, share = naive_fill.urgency(luminance, unknown, confidence, pixel, patch)
        assert np.isclose(urgent[number], wanted, rtol=1e-4)
        assert share is None or np.isclose(sure[number], share, rtol=1e-5)
    assert (urgent > 0).any()
    assert (urgent < 0).any()
