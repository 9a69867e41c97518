"""Copulas: marginals of any shape, held together by a density of their normal scores."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest, norm

import synth
from synth.errors import InputError, InputTypeError

KINDS = ["kernel", "histogram", "levels"]


def rows(n=800, seed=0):
    """A skewed column, one with two peaks, and one of few values, all of them bound together."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 1)) + 0.7 * rng.normal(size=(n, 3))
    return np.stack([np.exp(z[:, 0]), z[:, 1] + 4 * np.sign(z[:, 1]), np.round(z[:, 2])], axis=1)


def model(kind="kernel", x=None, **options):
    core = synth.GaussianMixture(2)
    return synth.Copula(kind, core=core, **options).fit(rows() if x is None else x)


@pytest.mark.parametrize("kind", KINDS)
def test_it_integrates_to_one(kind):
    x = rows()[:, 2:]
    fitted = synth.Copula(kind, core=synth.GaussianMixture(3)).fit(x)
    t = np.linspace(-40, 40, 80001)
    density = np.exp(fitted.log_prob(t))
    assert abs(np.trapezoid(density, t) - 1) < 2e-3


def test_the_change_of_variables_is_the_slope():
    fitted = model(["kernel", "histogram", "levels"])
    q, step = rows(20, seed=3) + 0.01, 1e-6
    for k in range(3):
        moved = q.copy()
        moved[:, k] += step
        slope = (fitted.scores(moved) - fitted.scores(q))[:, k] / step
        own = fitted.columns[k].scores(q[:, k])[1]
        slope, own = slope[own > -8], own[own > -8]  # a gap's slope is lost in the difference
        np.testing.assert_allclose(np.log(slope), own, atol=1e-3)
    z = fitted.scores(q)
    jacobian = sum(fitted.columns[k].scores(q[:, k])[1] for k in range(3))
    np.testing.assert_allclose(fitted.log_prob(q), fitted.core.log_prob(z) + jacobian)


@pytest.mark.parametrize("kind", ["kernel", "histogram"])
def test_values_undo_scores_far_out(kind):
    column = model(kind).columns[0]
    z = np.linspace(-12, 12, 97)
    np.testing.assert_allclose(column.scores(column.values(z))[0], z, atol=1e-6)
    x = np.array([-1e3, -50.0, 0.0, 3.0, 1e3])
    scores, slopes = column.scores(x)
    assert np.isfinite(scores).all()
    assert np.isfinite(slopes).all()
    assert (np.diff(scores) > 0).all()


def test_normal_scores_of_kernels_are_their_distribution():
    x = rows()[:, 0]
    column = model(x=x[:, np.newaxis]).columns[0]
    kernel = synth.KernelDensity("scott").fit(x)
    q = np.quantile(x, np.linspace(0.01, 0.99, 31))
    np.testing.assert_allclose(column.scores(q)[0], norm.ppf(kernel.cdf(q)), atol=2e-3)
    slope = kernel.log_prob(q) - norm.logpdf(column.scores(q)[0])
    np.testing.assert_allclose(column.scores(q)[1], slope, atol=5e-3)


def test_many_rows_are_summed_up_closely():
    x = rows(20000)
    column = model(x=x[:, :1]).columns[0]
    assert len(column.points) < 4000
    kernel = synth.KernelDensity("scott").fit(x[:, 0])
    q = np.quantile(x[:, 0], np.linspace(0.01, 0.99, 31))
    np.testing.assert_allclose(column.scores(q)[0], norm.ppf(kernel.cdf(q)), atol=1e-3)


def test_samples_follow_the_columns():
    x = rows(3000)
    fitted = model(["kernel", "histogram", "levels"], x)
    drawn = fitted.sample(3000, seed=4)
    for k in range(2):
        assert kstest(drawn[:, k], x[:, k]).statistic < 0.08
    assert set(drawn[:, 2]) <= set(x[:, 2])
    shares = [np.mean(a[:, 2] == 0) for a in (x, drawn)]
    assert abs(shares[0] - shares[1]) < 0.04
    bound = [np.corrcoef(a[:, [1, 2]].T)[0, 1] for a in (x, drawn)]
    assert abs(bound[0] - bound[1]) < 0.08
    np.testing.assert_array_equal(drawn, fitted.sample(3000, seed=4))


@pytest.mark.parametrize("kind", KINDS)
def test_given_times_marginal_is_joint(kind):
    fitted = model(kind)
    q = rows(10, seed=2)
    for row in q:
        below = fitted.marginal([2, 0]).log_prob(row[np.newaxis, [2, 0]])
        above = fitted.given({2: row[2], 0: row[0]}).log_prob(row[np.newaxis, 1:2])
        np.testing.assert_allclose(below + above, fitted.log_prob(row[np.newaxis]), atol=1e-9)


@pytest.mark.parametrize("kind", ["kernel", "histogram"])
def test_weights_are_repetition(kind):
    x, times = rows(100)[:, :2], np.random.default_rng(1).integers(0, 3, 100)
    ours, theirs = (synth.Copula(kind, core=synth.GaussianMixture(1)) for _ in range(2))
    ours.fit(x, times)
    theirs.fit(np.repeat(x, times, axis=0))
    if kind == "histogram":
        np.testing.assert_allclose(ours.log_prob(x), theirs.log_prob(x), atol=1e-6)
    else:  # Scott's rule knows how many rows there are
        np.testing.assert_allclose(ours.log_prob(x), theirs.log_prob(x), atol=0.5)


def test_marginals_help_where_the_columns_are_no_gaussians():
    x, new = rows(1500), rows(1500, seed=5)
    core = synth.GaussianMixture(4, covariance="tied")
    plain = core.fit(x[:, :2]).score(new[:, :2])
    composed = synth.Copula("kernel", core=synth.GaussianMixture(4)).fit(x[:, :2])
    assert composed.score(new[:, :2]) > plain + 0.1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: synth.Copula("spline"), "the choices are"),
        (lambda: synth.Copula(["kernel"]).fit([[1.0, 2.0], [2.0, 3.0]]), "1 marginals for 2"),
        (lambda: synth.Copula().fit([[1.0], [np.nan]]), "row 1"),
        (lambda: synth.Copula().fit(np.empty((0, 2))), "rows are needed"),
        (lambda: synth.Copula().fit([[1.0, 2.0]] * 9), "column 0 is constant"),
        (lambda: synth.Copula("histogram").fit([[1.0, 2.0]] * 9), "column 0 is constant"),
        (lambda: synth.Copula().fit([[1.0], [2.0]], [-1, 1]), "not negative"),
        (lambda: synth.Copula().log_prob([[1.0]]), "call fit"),
        (lambda: model().log_prob([[1.0]]), "1 columns"),
        (lambda: model().given({0: 1, 1: 1, 2: 1}), "leave at least one"),
    ],
)
def test_errors(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_core_that_is_none():
    with pytest.raises(InputTypeError, match="GaussianMixture"):
        synth.Copula(core=3)
