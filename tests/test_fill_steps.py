"""The steps of a fill against their naive elders."""

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
from synth.kernels.cpu.onion import peel_search
from test_kernels_nnf import smooth

from synth.errors import InputError
from synth.patchmatch import em
from synth.patchmatch import peel as peeling
from synth.patchmatch.membrane import _between_copies, membrane
from synth.patchmatch.order import Edges, outermost
from synth.patchmatch.pyramid import Level, allowed_patches, build, depth, is_thin, is_wide
from synth.patchmatch.stage import make_stage

EFFORT = em.Effort(coarse_rounds=3, fine_rounds=2, sweeps=1, peel_samples=6)


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


@pytest.mark.parametrize(("width", "levels"), [(1, 0), (7, 0), (15, 1), (29, 1), (60, 2)])
def test_the_widest_part_of_a_hole_sets_the_depth(width, levels):
    hole = np.zeros((100, 120), bool)
    hole[20 : 20 + width, 3:110] = True
    assert depth(hole, 7) == levels
    # beyond the border nothing is known, so a strip along it counts double
    strip = np.zeros((100, 120), bool)
    strip[: -(-width // 2)] = True
    assert depth(strip, 7) == levels


def test_long_thin_holes_are_told_from_wide_ones():
    stroke = np.zeros((100, 900), bool)
    stroke[40:69, 10:890] = True
    assert is_thin(stroke)
    assert not is_wide(stroke, 7)
    assert is_wide(stroke, 3)
    assert not is_thin(stroke[:, :200])
    assert is_wide(stroke[:, :200], 7)
    assert not is_wide(stroke[:, :200], 9)


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


def test_a_vote_on_some_rows_is_the_same_there():
    image = noise((60, 50, 3), "uint8", 4)
    hole = np.zeros((60, 50), bool)
    hole[10:50, 10:40] = True
    part = np.zeros_like(hole)
    part[20:24, 12:30] = True
    found = []
    for rows in (None, (14, 30)):
        stage = make_stage(Level(np.where(hole[..., None], 0, image), hole, ~hole), 3, 7)
        rng = np.random.default_rng(8)
        at = tuple(stage.queries.T)
        free = np.argwhere(stage.penalty == 0)
        stage.field[at] = free[rng.integers(0, len(free), len(stage.queries))]
        stage.cost[at] = rng.integers(0, 200_000, len(stage.queries))
        active = np.zeros_like(stage.query)
        active[16:22, 10:28] = 1
        if rows is None:
            solver().vote(stage, active, part)
        else:
            top, bottom = rows
            solver().vote(stage, active[top : bottom - 6], part[top:bottom], rows=rows)
        found.append(stage.content.copy())
    assert np.array_equal(*found)
    assert (found[0][part] > 0).all()
    assert (found[0][hole & ~part] == 0).all()


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
    peeling.guess(stage)
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


def test_the_peel_takes_a_layer_at_a_time(monkeypatch):
    stage = make_stage(level((60, 50, 3), 9), 2, 9)
    seen = []

    def spy(target, _width, known, *rest):
        view = known[: stage.hole.size * 3].reshape(stage.shape)
        assert (view[..., 2] == -1).all()  # given, not sought
        seen.append(view[..., 0] == 0)
        peel_search(target, _width, known, *rest)

    monkeypatch.setattr(peeling, "peel_search", spy)
    solver().peel(stage, 0)
    unknown = stage.hole
    for layer in seen:
        assert np.array_equal(layer, unknown)
        unknown = unknown & ~naive.touching(np.pad(~unknown, 1), 3)
    assert not unknown.any()
    assert len(seen) == 5  # nine pixels wide, from both sides


def test_a_wide_hole_is_settled_along_the_line_that_runs_into_it_first():
    image = np.full((60, 60, 3), 90, np.uint8)
    image[29:32] = 250
    hole = np.zeros((60, 60), bool)
    hole[15:46, 15:46] = True
    image[hole] = 0
    edges = Edges(make_stage(Level(image, hole, ~hole), 3, 7))
    first = edges.next_layer(hole)
    assert first.any()
    rows, columns = np.nonzero(first)
    assert (abs(rows - 30) < 8).all()
    assert set(columns) == {15, 45}


def test_another_peel_finds_the_line_that_the_coarser_level_has_lost():
    image = np.full((90, 90, 3), 90, np.uint8)
    image[44:46] = 250
    hole = np.zeros((90, 90), bool)
    hole[30:60, 30:60] = True
    stage = make_stage(Level(np.where(hole[..., None], 0, image), hole, ~hole), 3, 7)
    stage.content[hole] = 90
    at = tuple(stage.queries.T)
    stage.field[at] = [3, 40]  # flat
    solver().peel(stage, 1, again=True)
    wrong = abs(stage.content[..., 0] - image[..., 0].astype(int)) > 20
    assert wrong.sum() < 6  # of the 60 pixels of the line, and of all others


def test_without_edges_the_whole_border_is_next():
    hole = np.zeros((40, 40), bool)
    hole[12:28, 12:28] = True
    stage = make_stage(
        Level(np.where(hole[..., None], 0, np.uint8([[[9] * 3]])), hole, ~hole), 3, 7
    )
    assert np.array_equal(Edges(stage).next_layer(hole), outermost(hole))
    assert np.array_equal(outermost(np.ones((5, 5), bool)), np.ones((5, 5), bool))


def test_rounds_lower_the_energy():
    image = smooth((70, 70, 3), 4)
    hole = np.zeros((70, 70), bool)
    hole[25:45, 25:45] = True
    image[hole] = 0
    stage = make_stage(Level(image, hole, ~hole), 3, 7)
    work = solver()
    work.peel(stage, 0)
    told = []
    first = work.rounds(stage, 1, np.array([8, 4, 2, 1]), told.append)
    last = work.rounds(stage, 8, np.array([8, 4, 2, 1]), told.append)
    assert 0 < last < first
    assert told[:3] == [0, 0, 1 / 8]
    cost = naive.distances(
        stage.content.astype(float), image.astype(float), 7, np.maximum(stage.field, 0)
    )
    # costs are those before the last vote, which can only have brought patches nearer on average
    assert cost[stage.query > 0].mean() / 147 < 1.2 * last


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_the_membrane_hides_changes_of_light_and_leaves_inner_edges(dtype):
    """A step of light fades from the border inwards; true copies stay as they are."""
    image = np.full((60, 140, 1), 100, dtype)
    image[:, 70:110], image[:, 110:] = 92, 220
    hole = np.zeros((60, 140), bool)
    hole[10:50, 10:50] = True
    pixels = np.argwhere(hole).astype(np.int32)

    def change(sources):
        found = membrane(image, hole, hole, pixels, sources.astype(np.int32), (92.0, 220.0))
        field = np.zeros(hole.shape)
        field[hole] = found[:, 0] * 128
        return field

    assert (change(np.broadcast_to([5, 5], pixels.shape)) == 0).all()
    light = change(np.broadcast_to([30, 90], pixels.shape))
    assert np.abs(light[10, 10:50] - 8).max() < 2.5
    assert 0 < light[30, 30] < 0.5 * light[30, 10]
    assert (np.diff(light[30, 10:30]) < 0).all()
    mixed = np.array([[30, 90]]).repeat(len(pixels), axis=0)
    mixed[pixels[:, 1] >= 30] = 30, 125  # an edge between two copies, none of it of light
    assert np.abs(np.diff(change(mixed)[30, 29:31])) < 8


def test_two_copies_share_what_does_not_fit_between_them():
    image = 120 + noise((40, 40, 2), "uint8") // 64
    hole = np.zeros((40, 40), bool)
    hole[20:30, 20:30] = True
    pixels = np.argwhere(hole).astype(np.int32)
    sources = np.where(pixels[:, 1:] < 25, pixels - 15, pixels - [15, 9]).astype(np.int32)
    wanted = _between_copies(image, hole, pixels, sources, 128.0)
    beside = (pixels[:, 1] == 24) | (pixels[:, 1] == 25)
    assert (wanted[~beside] == 0).all()
    pairs = wanted[beside].reshape(10, 2, 2)
    assert np.array_equal(pairs[:, 0], -pairs[:, 1])
    assert np.abs(pairs).max() > 0
