"""The nearest-neighbour kernels against their naive elders."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from conftest import noise
from hypothesis import given, settings
from hypothesis import strategies as st
from synth.kernels._jit import Bands, jit
from synth.kernels.cpu import kdtree, patchmatch
from synth.kernels.cpu.distance import PADDING, known_distance

from synth.patchmatch import search, tree


@jit
def known_distance_from_python(a, a_at, a_step, b, b_at, b_step, known, width, rows):
    """`known_distance` lives in compiled code only."""
    return known_distance(a, a_at, a_step, b, b_at, b_step, known, width, rows)


def smooth(shape, seed=0, dtype="uint8"):
    """Random pixels with neighbours alike, so that propagation has something to find."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (shape[0] // 3 + 2, shape[1] // 3 + 2, *shape[2:]))
    fine = np.kron(coarse, np.ones((3, 3) + (1,) * (len(shape) - 2)))[: shape[0], : shape[1]]
    return np.clip(fine + rng.normal(0, 6, shape), 0, 255).astype(dtype)


def pair_of(target, source, patch, seed=0, query=None, forbidden=None):
    return search.prepare(target, source, patch, query, forbidden, (seed, 0), Bands(None))


@settings(max_examples=40, deadline=None)
@given(
    patch=st.integers(1, 12),
    channels=st.integers(1, 9),
    whole=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_distance(patch, channels, whole, seed):
    """Widths below, at and above the 32 lanes, with and without a mask."""
    dtype = "uint8" if whole else "float32"
    target = noise((patch + 2, patch + 3, channels), dtype, seed)
    source = noise((patch + 1, patch + 5, channels), dtype, seed + 1)
    pair = pair_of(target, source, patch)
    field = np.full((*pair.grid, 2), -1, np.int32)
    cost = search.by_patchmatch(pair, field, 1, 4, lambda fraction: None)
    assert np.allclose(cost, naive.distances(target, source, patch, field), rtol=1e-5)
    if whole:
        known = np.full(target.size + PADDING, -1, np.int16)
        known[channels * patch // 2] = 0
        found = known_distance_from_python(
            pair.target_buffer, 0, target.shape[1] * channels, pair.source_buffer, 0,
            source.shape[1] * channels, known, patch * channels, patch,
        )  # fmt: skip
        keep = np.ones(target.size)
        keep[channels * patch // 2] = 0
        keep = keep.reshape(target.shape)[:patch, :patch]
        difference = target[:patch, :patch].astype(int) - source[:patch, :patch]
        assert found == (keep * difference**2).sum()


@pytest.mark.parametrize("seed", [0, 7])
def test_patchmatch_takes_the_same_steps(seed):
    """Bit for bit the field of the slow one: its draws, its order, its bands."""
    target, source = smooth((21, 17, 3), 1), smooth((18, 25, 3), 2)
    radii = [[8, 4, 2, 1, 1, 1], [], [2, 1]]
    bounds = np.array([0, 6, 11, 15])
    pair = pair_of(target, source, 7, seed)
    field = np.full((*pair.grid, 2), -1, np.int32)
    cost = np.zeros(pair.grid, np.int32)
    rows, columns = pair.source_grid
    for band in range(3):
        patchmatch.initialize(
            *pair.images, field, cost, pair.query, pair.penalty, pair.choices, rows, columns,
            seed, 0, 0, pair.limit, bounds, band,
        )  # fmt: skip
    for iteration, around in enumerate(radii):
        forward = iteration % 2 == 0
        edge = patchmatch.edge_rows(field, bounds, forward)
        for band in (2, 0, 1):  # in any order
            patchmatch.sweep(
                *pair.images, field, cost, pair.query, pair.penalty, rows, columns, edge,
                np.array(around, np.int64), seed, 0, iteration, 1, forward, bounds, band,
            )  # fmt: skip
    slow_field, slow_cost = naive.patchmatch(target, source, 7, radii, bounds.tolist(), seed)
    assert np.array_equal(field, slow_field)
    assert np.array_equal(cost, slow_cost)


def test_penalties_are_added_and_forbidden_sources_never_used():
    target, source = smooth((14, 15, 3), 1), smooth((14, 15, 3), 1)
    pair = pair_of(target, source, 7)
    rows, columns = pair.source_grid
    penalty = np.zeros((rows, columns), np.int32)
    penalty[::2] = 5000
    penalty[0] = patchmatch.FORBIDDEN
    field = np.full((*pair.grid, 2), -1, np.int32)
    cost = np.zeros(pair.grid, np.int32)
    bounds = np.array([0, pair.grid[0]])
    choices = np.flatnonzero(penalty < patchmatch.FORBIDDEN)
    patchmatch.initialize(
        *pair.images, field, cost, pair.query, penalty, choices, rows, columns, 0, 0, 0,
        pair.limit, bounds, 0,
    )  # fmt: skip
    for iteration in range(6):
        forward = iteration % 2 == 0
        before = cost.copy()
        patchmatch.sweep(
            *pair.images, field, cost, pair.query, penalty, rows, columns,
            patchmatch.edge_rows(field, bounds, forward), np.array([4, 2, 1]), 0, 0, iteration,
            1, forward, bounds, 0,
        )  # fmt: skip
        assert (cost <= before).all()
    assert (field[..., 0] > 0).all()
    extra = penalty[field[..., 0], field[..., 1]]
    assert np.array_equal(cost, naive.distances(target, source, 7, field) + extra)
    assert (cost[1::2] == 0).mean() > 0.9  # odd rows find themselves, free of charge


@pytest.mark.parametrize(
    ("shape", "patch"), [((20, 23, 3), 7), ((19, 22, 1), 1), ((24, 18, 5), 4)]
)
def test_projections_are_a_lower_bound(shape, patch):
    target, source = smooth(shape, 3), smooth(shape, 4)
    directions = tree.choose_directions(target, source, patch)
    pair = pair_of(target, source, patch)
    bounds = np.array([0, 5, pair.grid[0]])
    points = [
        tree.projections(buffer, shape, patch, directions, pair.bands, bounds).astype(np.int64)
        for buffer in (pair.target_buffer, pair.source_buffer)
    ]
    mine, theirs = naive.patches(target, patch), naive.patches(source, patch)
    flat = [p.reshape(-1, p.shape[-1]) for p in (*points, mine, theirs)]
    bound = ((flat[0][:, None] - flat[1][None]) ** 2).sum(-1)
    real = ((flat[2][:, None] - flat[3][None]) ** 2).sum(-1)
    assert bound.max() < 2**28
    scaled = np.sqrt(bound * float(directions.scale))
    rounding = 4 * np.sqrt(float(directions.scale))  # half a unit and a bit in 16 terms, twice
    assert (scaled <= np.sqrt(real) + rounding).all()
    if mine.shape[-1] <= 16:  # all there is: the bound is the distance
        assert np.allclose(scaled, np.sqrt(real), atol=rounding)
    else:
        assert np.corrcoef(bound.ravel(), real.ravel())[0, 1] > 0.8


@pytest.mark.parametrize("count", [1, 5, 8, 9, 1000])
def test_tree_holds_every_point_once_in_the_leaf_it_is_found_in(count):
    rng = np.random.default_rng(count)
    points = rng.integers(-3000, 3000, (1, 1100, 16)).astype(np.int16)
    allowed = np.sort(rng.permutation(1100)[:count])
    planted = tree.build(points, allowed, tree.spread(0), Bands(None))
    leaf_of = planted.leaf_of
    assert np.array_equal(np.flatnonzero(leaf_of >= 0), allowed)
    members = planted.members & 0xFFFFFFFF
    assert np.array_equal(np.unique(members), allowed)
    for leaf, held in enumerate(members.reshape(-1, kdtree.LANES)):
        assert (leaf_of[held] == leaf).all()
        packed = planted.leaves.reshape(-1, 8, kdtree.LANES, 2)[leaf]
        assert np.array_equal(packed.transpose(1, 0, 2).reshape(-1, 16), points[0, held])
    # random values tie hardly ever, so a point comes down to its own leaf
    own = tree.own_leaves(points, planted, Bands(None), np.array([0, 1]))
    assert (own[0, allowed] == leaf_of[allowed]).mean() > 0.99


def test_exact_bands_agree_with_the_naive_twin():
    target, source = smooth((40, 19, 2), 5), smooth((17, 30, 2), 6)
    pair = pair_of(target, source, 5)
    field, cost = search.by_all(pair, 2, lambda fraction: None)
    positions, distance = naive.exact(target, source, 5, k=2)
    assert np.array_equal(field, positions)
    assert np.array_equal(cost, distance)
