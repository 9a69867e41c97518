"""Gaussian sums in three columns over a grid: what it promises, and what it leaves to others."""

from __future__ import annotations

import numpy as np
import pytest
from naive_density import local_log_sums

import synth
from synth.density import grid_transform
from synth.density.grid_transform import Box, design, grid_log_sums
from synth.density.shapes import shape_of
from synth.density.sums import Summands, Way, _takes_boxes, kernel_log_sums


def rows(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 3))


def exact(points, weights, queries):
    return local_log_sums("gaussian", 1.0, points, weights, np.ones(len(points)), queries)


def test_shares_and_taps_make_a_gaussian():
    """Straight from the definition, at places that the fit has not seen."""
    made, spacing = design(), grid_transform._SPACING
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, 3000) * spacing
    q = x + np.concatenate([rng.uniform(-14, 14, 2000), rng.uniform(-1, 1, 1000)])
    q[:3], x[:3] = (0.0, spacing, -spacing), 0.0
    cells = [np.floor(place / spacing).astype(int) for place in (q, x)]
    shares = [
        np.polynomial.polynomial.polyval(2 * (place / spacing - cell) - 1, made.polynomials)
        for place, cell in zip((q, x), cells, strict=True)
    ]
    away = np.abs(
        (cells[0] - cells[1]) + np.subtract.outer(np.arange(16), np.arange(16))[..., None]
    )
    taps = np.append(made.taps, 0.0)[np.minimum(away, len(made.taps))]
    found = np.einsum("in,jn,ijn->n", *shares, taps)
    assert np.abs(found - np.exp(-0.5 * (q - x) ** 2)).max() <= made.error < 1e-14
    assert made.taps.min() > 0
    assert np.concatenate(shares).min() > -1e-17


@pytest.mark.parametrize("rtol", [1e-1, 1e-6, 1e-9, 3e-11])
@pytest.mark.parametrize("stretch", [(0.01, 1, 1), (5, 5, 5), (1, 40, 0.2), (60, 2, 2)])
def test_what_is_promised_is_kept(rtol, stretch):
    x, weights = rows(3000) * stretch, np.random.default_rng(3).uniform(0, 2, 3000)
    q = np.concatenate([rows(300, 1) * stretch, rows(100, 2) * 3 * np.array(stretch), x[:50]])
    found = grid_log_sums(x, weights, q, rtol)
    assert found is not None
    sums, promised = found
    assert promised.sum() > 40
    expected = exact(x, weights, q)
    assert (np.abs(np.expm1(sums - expected))[promised] <= rtol).all()


def test_clusters_far_apart_and_of_very_different_weight():
    x = np.concatenate([rows(400), rows(400, 1) + 30])
    weights = np.repeat([1.0, 1e-13], 400)
    q = np.concatenate([rows(200, 2), rows(200, 3) + 30])
    sums, promised = grid_log_sums(x, weights, q, 1e-9)
    assert promised[:200].mean() > 0.9
    assert promised[200:].mean() > 0.9  # the heavy ones do not reach there
    assert (np.abs(np.expm1(sums - exact(x, weights, q)))[promised] <= 1e-9).all()


def test_most_of_the_bulk_is_answered():
    _, promised = grid_log_sums(rows(5000) * 5, np.ones(5000), rows(1000, 3) * 5, 1e-9)
    assert promised.mean() > 0.95


def test_one_row_and_queries_far_away():
    sums, promised = grid_log_sums(
        np.zeros((1, 3)), np.ones(1), np.array([[0.0] * 3, [9e9] * 3]), 1e-9
    )
    assert promised.tolist() == [True, False]
    assert abs(sums[0]) < 1e-9


def test_parts_and_blocks_change_nothing_but_the_last_bits(monkeypatch):
    x, q = rows(2000) * 4, rows(500, 1) * 4
    whole = grid_log_sums(x, np.ones(2000), q, 1e-9)
    monkeypatch.setattr(grid_transform, "_PART", 300)
    monkeypatch.setattr(grid_transform, "_NUMBERS", 1)
    parts = grid_log_sums(x, np.ones(2000), q, 1e-9)
    np.testing.assert_array_equal(whole[1], parts[1])
    np.testing.assert_allclose(whole[0][whole[1]], parts[0][whole[1]], rtol=0, atol=1e-12)


def test_what_does_not_fit_is_left_to_others():
    x = rows(100)
    assert grid_log_sums(x * 1e4, np.ones(100), x, 1e-9) is None
    assert grid_log_sums(x * 30, np.ones(100), x, 1e-13) is None
    assert not Box.around(np.array([[0.0] * 3, [1e300] * 3])).fits


@pytest.mark.parametrize("weight", [1.0, 1e30])
def test_outliers_are_left_out_and_reckoned_with(weight):
    """Some far away, some just outside the box around the others."""
    far = np.array(
        [[1e6, 0, 0], [-1e6, 0, 0], [0, 1e6, 0], [0, -1e6, 0], [0, 0, 1e6], [0, 0, -1e6]]
    )
    x = np.concatenate([rows(20000) * 6, far])
    box = Box.around(x)
    assert box.fits
    beside = np.flatnonzero(box.depths(x) < 0)
    assert 6 < len(beside) < 40
    weights = np.ones(len(x))
    weights[beside] = weight
    q = np.concatenate([rows(60, 1) * 6, x[beside[:5]] * 0.8, far])
    sums, promised = grid_log_sums(x, weights, q, 1e-9)
    assert promised[:60].any()
    assert not promised[-6:].any()
    expected = exact(x, weights, q)
    assert (np.abs(np.expm1(sums - expected))[promised] <= 1e-9).all()
    kernels = Summands(x, np.log(weights), None, shape_of("gaussian", 3))
    whole = kernel_log_sums(kernels, q, Way("boxes"))
    np.testing.assert_allclose(whole, expected, rtol=1e-13, atol=1e-9)


def test_auto_takes_boxes_where_a_tree_would_look_at_more():
    def taken(spread, method="auto"):
        x, q = rows(20000) * spread, rows(20000, 1) * spread
        way = Way(method)
        return _takes_boxes(Summands(x, np.zeros(20000), None, shape_of("gaussian", 3)), q, way)

    assert taken(4.0)
    assert not taken(40.0)
    assert not taken(4.0, "tree")
    assert not taken(4.0, "direct")
    assert taken(1e4, "boxes")


def test_edges_and_periods_go_the_same_way():
    x, q = np.abs(rows(3000)), np.abs(rows(400, 1))
    options = {"bounds": {0: (0, np.inf)}, "period": {2: (0, 6)}}
    found, expected = (
        synth.KernelDensity(0.3, method=method, **options).fit(x).log_prob(q)
        for method in ("boxes", "direct")
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=1.01e-9)
