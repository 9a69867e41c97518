"""Every way to add kernels up gives the sum over all pairs, within its promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_density import kernel_log_prob, local_log_sums

import synth
from synth.density.direct import direct_log_sums
from synth.density.shapes import shape_of
from synth.density.sums import Summands, Way, kernel_log_sums
from synth.density.tree import plant, tree_sums
from synth.errors import InputError

KERNELS = ("gaussian", "exponential", "epanechnikov", "tophat", "triangular")


def rows(n, d, seed=0, scale=1.0):
    return np.random.default_rng(seed).normal(0, scale, (n, d))


def places(d, seed=1):
    """In the bulk, at the rim, beyond it, and where every kernel underflows."""
    return np.concatenate([rows(30, d, seed + k, s) for k, s in enumerate((1.0, 3.0, 9.0, 500.0))])


def within(found, expected, rtol):
    """Tell whether logs differ by no more than that error and their own rounding."""
    assert (np.isinf(found) == np.isinf(expected)).all()
    reached = np.isfinite(expected)
    away = np.abs(found[reached] - expected[reached])
    return (away <= 1.01 * rtol + 1e-12 + 1e-13 * np.abs(expected[reached])).all()


@pytest.mark.parametrize("method", ["tree", "direct"])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_sums_are_those_over_all_pairs(d, kernel, method):
    rng = np.random.default_rng(d)
    x, weights = rows(500, d) * 4, rng.uniform(0.01, 2, 500)
    for precision in (None, np.exp(rng.normal(size=500))):
        shape = shape_of(kernel, d)
        kernels = Summands(x, np.log(weights), precision, shape)
        own = np.ones(500) if precision is None else precision
        expected = local_log_sums(kernel, shape.scale, x, weights, own, places(d) * 4)
        found = kernel_log_sums(kernels, places(d) * 4, Way(method))
        assert within(found, expected, 1e-9)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 4),
    st.integers(1, 300),
    st.integers(0, 10_000),
    st.floats(-12, -1),
    st.floats(-2, 2),
    st.sampled_from(KERNELS),
)
def test_a_tree_keeps_its_promise(d, count, seed, log_rtol, log_spread, kernel):
    """For duplicates, weights far apart, widths far apart, and any spread."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, d))[rng.integers(0, count, count)] * 10**log_spread
    if seed % 3 == 0:
        x = np.round(x)
    weights = np.exp(rng.normal(0, 8, count))
    precision = np.exp(rng.normal(0, 2, count))
    shape, rtol = shape_of(kernel, d), 10**log_rtol
    q = np.concatenate([x[:10], rng.normal(size=(20, d)) * 10**log_spread * 4])
    expected = local_log_sums(kernel, shape.scale, x, weights, precision, q)
    found = kernel_log_sums(
        Summands(x, np.log(weights), precision, shape), q, Way("tree", rtol=rtol)
    )
    assert (np.isinf(found) == np.isinf(expected)).mean() > 0.95  # at a compact kernel's very end
    both = np.isfinite(found) & np.isfinite(expected)
    slack = 1e-6 if shape.compact else 1e-12 + 1e-13 * np.abs(expected[both])
    assert (np.abs(found[both] - expected[both]) <= 1.01 * rtol + slack).all()


def test_a_loose_tolerance_is_not_ignored():
    x = rows(3000, 2) * 20
    tree = plant(x, np.zeros(len(x)), None)
    seen = [tree_sums(tree, x[:200], rtol).visits.mean() for rtol in (1e-1, 1e-4, 1e-12)]
    assert seen[0] < seen[1] < seen[2] < tree.leaves


@pytest.mark.parametrize("d", [1, 2, 3])
def test_far_queries_look_at_few_rows(d):
    x = rows(20_000, d) * 20
    tree = plant(x, np.zeros(len(x)), None)
    seen = tree_sums(tree, rows(500, d, 1) * 400, 1e-9).visits
    assert seen.mean() < 0.03 * tree.leaves
    assert seen.min() >= 1


def test_a_tree_holds_every_row_once():
    x = rows(1000, 3)
    x[500:] = x[:500]
    tree = plant(x, np.log(np.arange(1.0, 1001)), None)
    real = np.isfinite(tree.log_weights)
    assert real.sum() == 1000
    held = np.sort(np.exp(tree.log_weights[real]))
    np.testing.assert_allclose(held, np.arange(1, 1001))
    flat = tree.points.transpose(0, 2, 1)[real]
    which = np.round(np.exp(tree.log_weights[real])).astype(int) - 1
    np.testing.assert_array_equal(flat, x[which])
    lowest, highest = tree.boxes[0]
    np.testing.assert_array_equal(lowest, x.min(axis=0))
    np.testing.assert_array_equal(highest, x.max(axis=0))


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("rtol", [1e-3, 1e-9, 1e-13])
@pytest.mark.parametrize("spread", [0.5, 30.0])
def test_boxes_with_their_tails(d, rtol, spread):
    x, weights = rows(3000, d) * spread, np.random.default_rng(3).uniform(0.1, 2, 3000)
    q = np.concatenate([rows(300, d, 1) * spread, rows(300, d, 2) * 5 * spread])
    kernels = Summands(x, np.log(weights), None, shape_of("gaussian", d))
    expected = local_log_sums("gaussian", 1.0, x, weights, np.ones(3000), q)
    assert within(kernel_log_sums(kernels, q, Way("boxes", rtol=rtol)), expected, rtol)


@pytest.mark.parametrize("d", [3, 6, 10])
def test_auto_is_right_whichever_way_it_takes(d):
    x, q = rows(6000, d) * 5, np.concatenate([rows(300, d, 1) * 5, rows(300, d, 2) * 40])
    kernels = Summands(x, np.zeros(6000), None, shape_of("gaussian", d))
    some = np.r_[:40, 560:600]
    expected = local_log_sums("gaussian", 1.0, x, np.ones(6000), np.ones(6000), q[some])
    assert within(kernel_log_sums(kernels, q, Way())[some], expected, 1e-9)


@pytest.mark.parametrize("d", [2, 8, 20])
def test_rows_that_add_nothing_are_passed_over(d):
    """One near row among thousands whose kernels are below 2^-1000 of it, and the other way."""
    x = rows(4000, d) * 1e3
    x[1234] = 0.0
    q = np.concatenate([np.zeros((1, d)), rows(70, d, 1) * 1e3])
    expected = kernel_log_prob(x, np.ones(len(x)), np.eye(d), q)
    expected += np.log(len(x)) + d / 2 * np.log(2 * np.pi)
    for single, error in ((False, 1e-12), (True, 1e-3)):
        found = direct_log_sums(x, np.zeros(len(x)), q, single=single)
        np.testing.assert_allclose(found, expected, rtol=error, atol=error)


@pytest.mark.parametrize("kernel", ["gaussian", "exponential", "tophat"])
def test_trees_give_the_same_bytes_for_any_number_of_threads(monkeypatch, kernel):
    x, q = rows(2000, 2), places(2) * 2
    found = []
    for count in ("1", "2", "5"):
        monkeypatch.setenv("SYNTH_NUM_THREADS", count)
        model = synth.KernelDensity(0.2, kernel=kernel, method="tree").fit(x)
        found.append(model.log_prob(q).tobytes())
    assert len(set(found)) == 1


@pytest.mark.parametrize("adaptive", [False, True])
def test_slopes_and_denoising_by_a_tree_are_those_of_every_pair(adaptive):
    x = rows(5000, 2) * 20
    q = np.concatenate([rows(250, 2, 1) * 20, rows(250, 2, 2) * 90])
    tree, direct = (
        synth.KernelDensity(1.0, adaptive=adaptive, method=m).fit(x) for m in ("tree", "direct")
    )
    auto = synth.KernelDensity(1.0, adaptive=adaptive).fit(x)
    for model in (tree, auto):
        np.testing.assert_allclose(model.gradient(q), direct.gradient(q), rtol=1e-7, atol=1e-6)
        np.testing.assert_allclose(model.denoise(q, 0.7), direct.denoise(q, 0.7), atol=1e-6)


@pytest.mark.parametrize("edges", [{"bounds": {0: (-4, 4)}}, {"period": {0: (-5, 5)}}])
@pytest.mark.parametrize("kernel", ["gaussian", "epanechnikov"])
def test_trees_know_bounds_and_periods(edges, kernel):
    x = np.clip(rows(800, 2), -3.9, 3.9)
    models = [
        synth.KernelDensity(0.3, kernel=kernel, adaptive=True, method=m, **edges).fit(x)
        for m in ("tree", "direct")
    ]
    q = np.clip(rows(100, 2, 1) * 2, -3.99, 3.99)
    np.testing.assert_allclose(models[0].log_prob(q), models[1].log_prob(q), atol=2e-9)


def test_float32_keeps_its_error_whichever_way_it_takes():
    x, q = rows(3000, 3), np.concatenate([rows(500, 3, 1), rows(500, 3, 2) * 6])
    single = synth.KernelDensity(0.3, dtype="float32").fit(x).log_prob(q)
    double = synth.KernelDensity(0.3, method="direct").fit(x).log_prob(q)
    farthest = np.linalg.norm(x - x.mean(axis=0), axis=1).max() / 0.3
    reach = np.maximum(farthest, np.linalg.norm(q, axis=1) / 0.3)
    assert (np.abs(single - double) < 4e-6 * (1 + reach) ** 2).all()


def test_distances_beyond_all_numbers_are_impossible_not_unknown():
    for d in (2, 20):
        model = synth.KernelDensity(1e-10).fit(rows(30, d))
        q = np.full((2, d), 1e149)
        q[1] = model.points[0]
        assert model.log_prob(q)[0] == -np.inf
        assert np.isfinite(model.log_prob(q)[1])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: synth.KernelDensity(1e-200).fit([1.0, 2.0]), "must lie in"),
        (lambda: synth.KernelDensity([1.0, 1e200]).fit([[1.0, 2.0]]), "must lie in"),
        (lambda: synth.KernelDensity(1e-20).fit([1.0, 1e140]), "wider bandwidth"),
        (lambda: synth.KernelDensity(method="forest"), "method"),
        (
            lambda: (
                synth.KernelDensity(1.0, kernel="tophat", method="boxes").fit([1.0]).score([1.0])
            ),
            "'tree'",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("edges", [{"bounds": {0: (0, 1)}}, {"period": {0: (0, 1)}}, {}])
def test_loo_is_the_best_within_the_edges(monkeypatch, edges):
    """Without them rows at a bound look unlikely, and the bandwidth comes out otherwise."""
    monkeypatch.setenv("SYNTH_NUM_THREADS", "1")
    x = np.random.default_rng(0).beta(0.8, 0.8, (30, 1))
    found = np.sqrt(synth.KernelDensity("loo", **edges).fit(x).covariance[0, 0])

    def left_out(width):
        return np.mean(
            [
                synth.KernelDensity(width, **edges).fit(np.delete(x, i, 0)).log_prob(x[i : i + 1])
                for i in range(len(x))
            ]
        )

    assert left_out(found) > max(left_out(found * 0.8), left_out(found * 1.25)) - 1e-6


def test_files_keep_how_to_add_up(tmp_path):
    model = synth.KernelDensity(0.3, method="tree", dtype="float32").fit(rows(20, 1))
    model.save(tmp_path / "a.npz")
    again = synth.KernelDensity.load(tmp_path / "a.npz")
    assert (again.method, np.dtype(again.dtype)) == ("tree", np.float32)
    assert again.rtol == model.rtol


@pytest.mark.parametrize("kernel", ["gaussian", "epanechnikov", "tophat"])
@pytest.mark.parametrize("adaptive", [False, True])
def test_what_given_left_takes_no_rows(tmp_path, kernel, adaptive):
    x = rows(60, 3)
    model = synth.KernelDensity(0.8, kernel=kernel, adaptive=adaptive).fit(x)
    part = model.given({0: 0.1})
    for add in (lambda: part.update(x[:2, 1:]), lambda: part.merge(model.marginal([1, 2]))):
        with pytest.raises(InputError, match="update the whole density"):
            add()
    with pytest.raises(InputError, match="update the whole density"):
        synth.KernelDensity(1.0).fit(x[:, 1:]).merge(part)
    part.save(tmp_path / "part.npz")
    again = synth.KernelDensity.load(tmp_path / "part.npz")
    np.testing.assert_array_equal(again.log_prob(x[:, 1:]), part.log_prob(x[:, 1:]))
    with pytest.raises(InputError, match="update the whole density"):
        again.update(x[:2, 1:])


def test_marginals_of_plain_kernels_take_rows_with_their_weights():
    x, weights = rows(60, 3), np.random.default_rng(1).uniform(1, 5, 60)
    model = synth.KernelDensity(0.5).fit(x, weights)
    part = model.marginal([2, 0]).update(rows(5, 3, 1)[:, [2, 0]])
    whole = model.update(rows(5, 3, 1)).marginal([2, 0])
    np.testing.assert_allclose(part.log_prob(x[:, :2]), whole.log_prob(x[:, :2]), atol=1e-12)


@pytest.mark.parametrize("apart", [3e2, 1e4, 1e7])
@pytest.mark.parametrize("local", [False, True])
def test_products_give_way_where_clusters_are_far_apart(apart, local):
    """|q|² − 2qx + |x|² would round off 1e-16 |q|², up to 4 nats here."""
    rng = np.random.default_rng(0)
    side = apart * rng.choice([-1.0, 1.0], (300, 1))
    x = rows(300, 40) + side
    q = np.concatenate([x[:20] + 0.5, rows(3, 40)])
    precision = np.exp(rng.normal(size=300)) if local else np.ones(300)
    squares = np.square(q[:, np.newaxis] - x).sum(axis=2)
    expected = np.logaddexp.reduce(-0.5 * precision * squares, axis=1)
    found = direct_log_sums(x, np.zeros(300), q, precision if local else None)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=3e-9 if apart > 1e6 else 1e-9)
