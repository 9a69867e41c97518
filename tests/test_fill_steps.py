"""The kernels and steps of a fill against their naive elders."""

from __future__ import annotations

from itertools import pairwise

import naive
import naive_fill
import numpy as np
import pytest
from conftest import noise
from hypothesis import given, settings
from hypothesis import strategies as st
from synth.kernels._jit import Bands
from synth.kernels.cpu.distance import PADDING
from synth.kernels.cpu.membrane import relax
from synth.kernels.cpu.onion import peel_search
from synth.kernels.cpu.vote import pick_best, vote, vote_back
from test_kernels_nnf import smooth

from synth.errors import InputError
from synth.patchmatch import em
from synth.patchmatch.pyramid import Level, allowed_patches, build, depth
from synth.patchmatch.stage import LIMIT, make_stage

EFFORT = em.Effort(coarse_rounds=3, fine_rounds=2, sweeps=1, peel_samples=6)


def flat(image):
    """A buffer as kernels read it."""
    buffer = np.zeros(image.size + PADDING, image.dtype)
    buffer[: image.size] = image.ravel()
    return buffer


def random_field(rng, grid, source_grid):
    return np.stack([rng.integers(0, n, grid) for n in source_grid], axis=-1).astype(np.int32)


def level(shape, patch, seed=0):
    """A level with a hole that touches the left border, and something forbidden beside it."""
    rng = np.random.default_rng(seed)
    rows = shape[0]
    hole = np.zeros(shape[:2], bool)
    hole[rows // 3 : rows // 3 + patch, : patch + 1] = True
    hole[-3:, -2:] = True
    image = rng.integers(0, 256, shape, np.uint8)
    image[hole] = 0
    allowed = ~hole
    allowed[0] = False
    return Level(image, hole, allowed)


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
    sums = (total.reshape(rows, -1).copy(), norm.copy()) if back else em._NO_SUMS
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
    assert np.array_equal(field, np.stack(np.indices((16, 16)), axis=-1) + [20, 30])


@settings(max_examples=20, deadline=None)
@given(
    size=st.tuples(st.integers(1, 19), st.integers(1, 19)),
    patch=st.integers(1, 7),
    share=st.sampled_from([0.02, 0.1, 0.5]),
    seed=st.integers(0, 999),
)
def test_allowed_patches(size, patch, share, seed):
    allowed = np.random.default_rng(seed).random(size) >= share
    found = allowed_patches(allowed, patch)
    if min(size) < patch:
        assert found.size == 0
    else:
        assert np.array_equal(found, naive_fill.allowed_patches(allowed, patch))


@pytest.mark.parametrize("size", [(40, 41), (33, 64)])
def test_levels_are_halved(size):
    first = level((*size, 3), 5)
    pyramid = build(first, 2, 5)
    assert len(pyramid) == 3
    for finer, coarser in pairwise(pyramid):
        mean, hole, allowed = naive_fill.halve(finer.features, finer.hole, finer.allowed)
        assert np.array_equal(coarser.features, mean)
        assert np.array_equal(coarser.hole, hole)
        assert np.array_equal(coarser.allowed, allowed)


def test_a_pyramid_ends_where_too_little_is_left_to_copy():
    hole = np.zeros((64, 64), bool)
    hole[8:56, 8:56] = True
    pyramid = build(Level(np.zeros((64, 64, 1), np.uint8), hole, ~hole), 5, 7)
    assert all(allowed_patches(coarse.allowed, 7).sum() >= 28 for coarse in pyramid[1:])
    assert len(pyramid) < 6


@pytest.mark.parametrize(("width", "levels"), [(1, 0), (7, 0), (15, 1), (29, 2), (60, 3)])
def test_the_widest_part_of_a_hole_sets_the_depth(width, levels):
    hole = np.zeros((100, 120), bool)
    hole[20 : 20 + width, 3:110] = True
    assert depth(hole, 7) == levels
    # beyond the border nothing is known, so a strip along it counts double
    strip = np.zeros((100, 120), bool)
    strip[: -(-width // 2)] = True
    assert depth(strip, 7) == levels


@pytest.mark.parametrize("patch", [3, 4, 7])
def test_a_stage_asks_for_the_patches_over_the_hole(patch):
    made = make_stage(level((40, 37, 4), patch), 3, patch)
    over = naive.touching(made.hole, patch)
    assert np.array_equal(made.query > 0, over)
    assert np.array_equal(made.queries, np.argwhere(over))
    assert np.array_equal(made.pixels, np.argwhere(made.hole))
    allowed = naive_fill.allowed_patches(level((40, 37, 4), patch).allowed, patch)
    assert np.array_equal(made.penalty == 0, allowed)
    assert np.array_equal(made.choices, np.flatnonzero(allowed))
    half = patch // 2
    centres = made.hole[half : half + over.shape[0], half : half + over.shape[1]]
    assert (made.decay[~centres] == 1).all()
    assert (made.decay[centres] < 1).all()


def test_patches_whose_costs_would_overflow_are_refused():
    most = Level(
        np.zeros((64, 64, 17), np.uint8), np.zeros((64, 64), bool), np.ones((64, 64), bool)
    )
    make_stage(most, 17, 31)
    more = Level(np.zeros((64, 64, 18), np.uint8), most.hole, most.allowed)
    with pytest.raises(
        InputError, match=r"patch is 31 .* 18 channels .* pass patch=30 or smaller"
    ):
        make_stage(more, 18, 31)
    make_stage(more, 18, 30)


def solver(effort=EFFORT):
    return em._Solver((5, 0), 0, effort, Bands(None))


@pytest.mark.parametrize("size", [(40, 41), (37, 42)])
def test_a_field_descends_to_twice_its_place(size):
    """And the content is voted from the finer source; nothing forbidden is carried over."""
    rng = np.random.default_rng(1)
    pyramid = build(level((*size, 3), 5), 1, 5)
    fine, coarse = (make_stage(one, 3, 5) for one in pyramid)
    drawn = np.stack([rng.integers(0, n, len(coarse.queries)) for n in coarse.penalty.shape], -1)
    coarse.field[tuple(coarse.queries.T)] = drawn
    coarse.cost[tuple(coarse.queries.T)] = rng.integers(0, 9999, len(drawn))
    solver().descend(coarse, fine)
    expected = naive_fill.descend(coarse.field, coarse.query, fine.queries, fine.penalty)
    carried = expected[tuple(fine.queries.T)][:, 0] >= 0
    assert 0.5 < carried.mean() < 0.95
    assert np.array_equal(fine.field, expected)
    assert np.array_equal(fine.content[~fine.hole], pyramid[0].features[~fine.hole])
    assert (fine.content[fine.hole] > 0).mean() > 0.9


def test_votes_weigh_by_distance_and_place():
    """Decay × exp(−d / 2σ²), σ² half the mean cost round about."""
    rng = np.random.default_rng(2)
    stage = make_stage(level((30, 31, 3), 5), 3, 5)
    choices = np.stack(np.divmod(stage.choices, stage.penalty.shape[1]), axis=-1)
    at = tuple(stage.queries.T)
    stage.field[at] = choices[rng.integers(0, len(choices), len(stage.queries))]
    stage.cost[at] = rng.integers(0, 200_000, len(stage.queries))
    solver().vote(stage, stage.query, stage.hole)
    weight = np.zeros(stage.cost.shape, np.float32)
    for y, x in stage.queries:
        box = slice(max(0, y - 4), y + 5), slice(max(0, x - 4), x + 5)
        sigma2 = stage.cost[box][stage.query[box] > 0].mean() / 2
        weight[y, x] = stage.decay[y, x] * np.exp(-stage.cost[y, x] / (2 * sigma2))
    source = stage.source[: np.prod(stage.shape)].reshape(stage.shape)
    mean, nobody = naive_fill.vote(
        source, stage.field, weight, 5, np.zeros(stage.shape, np.float32),
        np.zeros(stage.shape[:2], np.float32),
    )  # fmt: skip
    assert not nobody[stage.hole].any()
    assert np.abs(stage.content[stage.hole] - mean[stage.hole]).max() <= 1


def test_pixels_that_nobody_votes_for_take_their_neighbour():
    stage = make_stage(level((30, 31, 3), 5), 2, 5)
    solver().vote(stage, np.zeros_like(stage.query), stage.hole)
    known = np.argwhere(~stage.hole)
    for y, x in stage.pixels:
        far = ((known - (y, x)) ** 2).sum(axis=1)
        nearest = known[far == far.min()]
        values = stage.content[nearest[:, 0], nearest[:, 1], :2]
        assert (values == stage.content[y, x, :2]).all(axis=1).any()


def test_the_guess_is_smooth():
    stage = make_stage(level((30, 31, 3), 5), 2, 5)
    before = stage.content.copy()
    em._guess(stage)
    for channel in range(2):
        exact = naive_fill.relaxed(
            before[..., channel], np.zeros(len(stage.pixels)), stage.pixels, ~stage.hole, 0
        )
        assert np.abs(stage.content[stage.hole][:, channel] - exact).max() < 1
    assert np.array_equal(stage.content[..., 2], before[..., 2])  # given, not sought
    assert np.array_equal(stage.content[~stage.hole], before[~stage.hole])


@pytest.mark.parametrize("coarse", [0, 9])
def test_the_peel_leaves_no_pixel_out(coarse):
    """With and without a guess; the field it leaves holds allowed patches only."""
    stage = make_stage(level((60, 50, 3), 7), 3, 7)
    stage.content[stage.hole] = -5
    solver().peel(stage, coarse)
    assert (stage.content[stage.hole] >= 0).all()
    found = stage.field[stage.query > 0]
    found = found[found[:, 0] >= 0]
    assert len(found) > 0
    assert (stage.penalty[found[:, 0], found[:, 1]] == 0).all()


def test_rounds_lower_the_energy():
    image = smooth((70, 70, 3), 4)
    hole = np.zeros((70, 70), bool)
    hole[25:45, 25:45] = True
    image[hole] = 0
    stage = make_stage(Level(image, hole, ~hole), 3, 7)
    work = solver()
    work.peel(stage, 0)
    told = []
    first = work.rounds(stage, 1, np.array([8, 4, 2, 1]), False, told.append)
    last = work.rounds(stage, 8, np.array([8, 4, 2, 1]), False, told.append)
    assert 0 < last < first
    assert told[:3] == [0, 0, 1 / 8]
    cost = naive.distances(
        stage.content.astype(float), image.astype(float), 7, np.maximum(stage.field, 0)
    )
    # costs are those before the last vote, which can only have brought patches nearer on average
    assert cost[stage.query > 0].mean() / 147 < 1.2 * last


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
