"""Gaussian mixtures: the fit of the textbook, at any scale, and the algebra of distributions."""

from __future__ import annotations

import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_mixture import (
    expectation_maximization,
    expectation_maximization_missing,
    mixture_log_prob,
    mixture_scores,
)
from scipy.stats import kstest

import synth
from synth.errors import FileError, InputError, InputTypeError

KINDS = ["full", "tied", "diag", "spherical", "factor"]


def clouds(n=600, d=3, count=4, seed=0, size=1.0, apart=4.0):
    """Rows in a few skewed clouds."""
    rng = np.random.default_rng(seed)
    owner = rng.integers(0, count, n)
    turn = rng.normal(size=(count, d, d)) * size
    rows = np.einsum("nij,nj->ni", turn[owner], rng.normal(size=(n, d)))
    return rows + rng.normal(size=(count, d))[owner] * apart


def started(x, components, seed=0):
    """A start of no special shape."""
    rng = np.random.default_rng(seed)
    means = x[rng.permutation(len(x))[:components]]
    return (
        rng.dirichlet(np.full(components, 5.0)),
        means,
        np.stack([np.atleast_2d(np.cov(x.T))] * components),
    )


def mixture(kind="full", x=None, **options):
    x = clouds() if x is None else x
    factors = 2 if kind == "factor" else None
    return synth.GaussianMixture(4, covariance=kind, factors=factors, **options).fit(x)


@pytest.mark.parametrize("kind", KINDS[:4])
@pytest.mark.parametrize("d", [1, 2, 5, 21])  # from 20 on sums are over rows with a share
def test_the_fit_is_the_textbook_s(kind, d):
    x = clouds(500, d) @ (np.eye(d) + 0.5) * np.geomspace(0.1, 10, d) + 50
    given = np.random.default_rng(1).uniform(0.1, 2, len(x))
    start = started(x, 3)
    if kind != "full":
        size = start[2][0] if kind == "tied" else np.diag(np.diag(start[2][0]))
        if kind == "spherical":
            size = np.eye(d) * np.trace(size) / d
        start = (*start[:2], np.stack([size] * 3))
    expected = expectation_maximization(x, given, *start, 12, kind)
    begin = synth.GaussianMixture.of(*start)
    model = synth.GaussianMixture(3, covariance=kind, init=begin, max_iter=12, tol=0, ridge=0)
    model.fit(x, given)
    np.testing.assert_allclose(model.report.log_likelihood, expected[3], rtol=1e-9)
    np.testing.assert_allclose(model.weights, expected[0], rtol=1e-7)
    np.testing.assert_allclose(model._parts.full(), expected[2], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("size", [1.0, 1e-3, 1e-5])
@pytest.mark.parametrize("kind", KINDS[:3])
def test_narrow_clouds_far_apart_keep_their_digits(kind, size):
    x = clouds(400, 2, size=size) + 1000
    start = synth.GaussianMixture(4, covariance=kind, max_iter=1, ridge=1e-4 * size**2).fit(x)
    model = synth.GaussianMixture(4, covariance=kind, init=start, max_iter=8, tol=0, ridge=0)
    model.fit(x)
    held = (start.weights, start.means, start._parts.full())
    expected = expectation_maximization(x, np.ones(len(x)), *held, 8, kind)
    trace = model.report.log_likelihood
    np.testing.assert_allclose(trace, expected[3][: len(trace)], atol=1e-7)
    np.testing.assert_allclose(
        model.log_prob(x[:50]),
        mixture_log_prob(model.weights, model.means, model._parts.full(), x[:50]),
        atol=1e-6,
    )


@pytest.mark.parametrize("d", [4, 21])
@pytest.mark.parametrize("kind", KINDS[:3])
def test_single_precision_is_close(kind, d):
    x = clouds(3000, d)
    start = mixture(kind, x, max_iter=3)
    double, single = (
        synth.GaussianMixture(4, covariance=kind, init=start, max_iter=20, tol=0, dtype=t).fit(x)
        for t in (np.float64, np.float32)
    )
    assert abs(double.score(x) - single.score(x)) < 1e-4
    own = synth.GaussianMixture(4, covariance=kind, init=start, max_iter=20, tol=0)
    assert abs(own.fit(x.astype(np.float32)).score(x) - double.score(x)) < 1e-4


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.integers(0, 1000),
    st.integers(1, 6),
    st.sampled_from([0.0, 0.2]),
    st.sampled_from(["auto", 0.5]),
)
def test_the_likelihood_never_decreases(kind, seed, components, missing, ridge):
    x = clouds(120, 3, seed=seed)
    x[np.random.default_rng(seed).uniform(size=x.shape) < missing] = np.nan
    x = x[~np.isnan(x).all(axis=1)]
    factors = 1 if kind == "factor" else None
    model = synth.GaussianMixture(
        components, covariance=kind, factors=factors, max_iter=30, tol=0, ridge=ridge, seed=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        report = model.fit(x).report
    gains = np.diff(report.log_likelihood)
    repaired = {repair.iteration for repair in report.repairs}
    assert all(g > -1e-9 for i, g in enumerate(gains) if i not in repaired)


@pytest.mark.parametrize("kind", KINDS)
def test_log_prob_and_responsibilities(kind):
    model = mixture(kind)
    q = np.concatenate([clouds(50, seed=9), clouds(5, seed=8) * 1e3])
    parts = (model.weights, model.means, model._parts.full())
    scores = mixture_scores(*parts, q)
    logs = mixture_log_prob(*parts, q)
    np.testing.assert_allclose(model.log_prob(q), logs, rtol=1e-10)
    shares = model.responsibilities(q)
    np.testing.assert_allclose(shares, np.exp(scores - logs[:, None]), atol=1e-9)
    assert (model.predict(q) == scores.argmax(axis=1)).all()
    assert model.score(q) == pytest.approx(logs.mean())


def test_factors_are_principal_components():
    x = clouds(500, 6, 1)
    model = synth.GaussianMixture(1, covariance="factor", factors=2).fit(x)
    values, vectors = np.linalg.eigh(np.cov(x.T, ddof=0))
    rest = values[:4].mean()
    expected = rest * np.eye(6) + (vectors[:, 4:] * (values[4:] - rest)) @ vectors[:, 4:].T
    np.testing.assert_allclose(model.covariances[0], expected, atol=1e-9 * values[-1])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(KINDS))
def test_weights_are_repetition(seed, kind):
    x, times = clouds(80, 2, seed=seed), np.random.default_rng(seed).integers(0, 3, 80)
    factors = 1 if kind == "factor" else None
    ours, theirs = (
        synth.GaussianMixture(2, covariance=kind, factors=factors, max_iter=15, tol=0)
        for _ in range(2)
    )
    ours.fit(x, times)
    theirs.fit(np.repeat(x, times, axis=0))
    np.testing.assert_allclose(ours.log_prob(x), theirs.log_prob(x), atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_given_times_marginal_is_joint(kind):
    model = mixture(kind)
    q = clouds(20, seed=5)
    for known in ([0], [2, 0], [1]):
        rest = [k for k in range(3) if k not in known]
        below = model.marginal(known).log_prob(q[:, known])
        for row, part, joint in zip(q, below, model.log_prob(q), strict=True):
            above = model.given(dict(zip(known, row[known], strict=True)))
            assert above.log_prob(row[np.newaxis, rest])[0] + part == pytest.approx(joint)


def test_given_far_from_everything():
    model = synth.GaussianMixture.of([1, 1], [[0, 0], [9, 9]], [np.eye(2)] * 2)
    far = model.given({0: 1e5})
    assert far.mean()[0] == pytest.approx(9)
    assert far.log_prob([9.0]) == pytest.approx(-0.5 * np.log(2 * np.pi))


@pytest.mark.parametrize("kind", KINDS)
def test_samples_follow_the_density(kind):
    model = mixture(kind)
    drawn = model.sample(4000, seed=3)
    np.testing.assert_allclose(drawn.mean(axis=0), model.mean(), atol=0.5)
    for k in range(3):
        line = model.marginal(k)
        sd = np.sqrt(line._parts.full()[:, 0, 0])

        def cdf(t, line=line, sd=sd):
            from scipy.stats import norm

            return norm.cdf((t[:, None] - line.means[:, 0]) / sd) @ line.weights

        assert kstest(drawn[:, k], cdf).pvalue > 1e-3
    np.testing.assert_array_equal(drawn, model.sample(4000, seed=3))
    assert not np.array_equal(drawn, model.sample(4000, seed=4))
    assert model.sample(0).shape == (0, 3)


@pytest.mark.parametrize("d", [1, 2])
def test_it_integrates_to_one(d):
    model = synth.GaussianMixture(3).fit(clouds(200, d, apart=2.0))
    grid = np.linspace(-16, 16, 801)
    places = np.stack(np.meshgrid(*[grid] * d), axis=-1).reshape(-1, d)
    assert abs(np.exp(model.log_prob(places)).sum() * (grid[1] - grid[0]) ** d - 1) < 1e-3


def test_missing_values_are_the_textbook_s():
    x = clouds(60, 3)
    x[np.random.default_rng(0).uniform(size=x.shape) < 0.25] = np.nan
    x = x[~np.isnan(x).all(axis=1)]
    start = started(clouds(60, 3), 2)
    expected = expectation_maximization_missing(x, *start, 5)
    begin = synth.GaussianMixture.of(*start)
    model = synth.GaussianMixture(2, init=begin, max_iter=5, tol=0, ridge=0).fit(x)
    np.testing.assert_allclose(model.report.log_likelihood, expected[3], rtol=1e-9)
    np.testing.assert_allclose(model.means, expected[1], rtol=1e-7)
    np.testing.assert_allclose(model.covariances, expected[2], rtol=1e-6, atol=1e-8)
    assert model.score(x) >= model.report.log_likelihood[-1]


def test_what_is_missing_counts_for_nothing():
    model = mixture()
    q = clouds(10, seed=4)
    q[:, 1] = np.nan
    np.testing.assert_allclose(model.log_prob(q), model.marginal([0, 2]).log_prob(q[:, [0, 2]]))
    np.testing.assert_allclose(
        model.responsibilities(q), model.marginal([0, 2]).responsibilities(q[:, [0, 2]]), atol=1e-9
    )


@pytest.mark.parametrize("kind", KINDS)
def test_collapse_is_repaired_and_told(kind):
    x = np.concatenate([clouds(300, 2, 1), np.full((1, 2), 60.0)])
    factors = 1 if kind == "factor" else None
    start = [[60.0, 60.0], [60.0, 60.0], *x[:2]]
    model = synth.GaussianMixture(4, covariance=kind, factors=factors, init=start)
    with pytest.warns(UserWarning, match="collapsed"):
        model.fit(x)
    assert model.report.repairs
    assert np.isfinite(model.log_prob(x)).all()
    assert (np.linalg.eigvalsh(model._parts.full()) > 0).all()


def test_rows_that_repeat_end_at_the_ridge():
    x = np.repeat([[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]], 50, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = synth.GaussianMixture(5, ridge=0.01).fit(x)
    assert (np.linalg.eigvalsh(model.covariances) > 0.0099).all()
    assert np.isfinite(model.score(x))


def test_more_components_than_places():
    """Some must stay without rows, and no step fails over them."""
    x = np.repeat([[0.0, 1.0], [5.0, 5.0]], 30, axis=0)
    for kind in KINDS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            model = synth.GaussianMixture(
                8, covariance=kind, factors=1 if kind == "factor" else None, ridge=0.3
            ).fit(x)
        assert np.isfinite(model.score(x))


def test_a_warm_start_goes_on():
    x = clouds()
    whole = mixture(x=x, max_iter=20, tol=0)
    first = mixture(x=x, max_iter=4, tol=0)
    again = mixture(x=x, max_iter=3, tol=0, init=first)
    trace = first.report.log_likelihood + again.report.log_likelihood
    np.testing.assert_allclose(trace, whole.report.log_likelihood[:7], rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [3, 21])
def test_rows_so_far_that_their_squares_overflow(kind, d):
    model = mixture(kind, clouds(d=d))
    far = np.array([[1e145] * d, [-1e150] * d, [1e145, -1e145, *[0] * (d - 2)], [1e100] * d])
    logs = model.log_prob(far)
    assert (logs[:3] == -np.inf).all()
    assert -1e205 < logs[3] < -1e195
    gap = [[*row[:-1], np.nan] for row in far.tolist()]
    gap.append([1e150, *[np.nan] * (d - 1)])
    assert (model.log_prob(gap)[[0, 1, 2, 4]] == -np.inf).all()
    np.testing.assert_allclose(model.responsibilities(far).sum(axis=1), 1)
    np.testing.assert_allclose(model.responsibilities(gap).sum(axis=1), 1)
    with pytest.raises(InputError, match="column 1, but numbers up to"):
        mixture(kind, np.where(np.arange(d) == 1, 1e160 * clouds(d=d), clouds(d=d)))


def test_rows_may_be_read_only_and_sorted():
    x = clouds(3000, 2)
    x = np.ascontiguousarray(x[np.argsort(x[:, 0])])
    expected = mixture(x=x, init=x[::800], max_iter=5, tol=0)
    x.flags.writeable = False
    found = mixture(x=x, init=x[::800], max_iter=5, tol=0)
    np.testing.assert_array_equal(found.means, expected.means)


def test_restarts_keep_the_best():
    x = clouds(300, 2, 6)
    one = [synth.GaussianMixture(6, seed=seed).fit(x).score(x) for seed in range(3)]
    many = synth.GaussianMixture(6, restarts=6, seed=0).fit(x).score(x)
    assert many >= one[0] - 1e-9


@pytest.mark.parametrize("kind", KINDS)
def test_steps_come_close_to_the_fit(kind):
    x = clouds(6000, 3, apart=8.0)
    whole = mixture(kind, x)
    factors = 2 if kind == "factor" else None
    model = synth.GaussianMixture(4, covariance=kind, factors=factors, restarts=5)
    for start in range(0, 6000, 500):
        model.partial_fit(x[start : start + 500])
    assert model.score(x) > whole.score(x) - 0.1


@pytest.mark.parametrize(("kind", "d"), [("full", 5), ("diag", 5), ("full", 21)])
def test_the_same_bytes_for_any_number_of_threads(monkeypatch, kind, d):
    x, found = clouds(20000, d), []
    for count in ("1", "2", "5"):
        monkeypatch.setenv("SYNTH_NUM_THREADS", count)
        model = mixture(kind, x, max_iter=4)
        found.append(model.means.tobytes() + model.log_prob(x).tobytes())
    assert len(set(found)) == 1


def test_memory_does_not_grow_with_the_rows():
    def peak(x):
        start = synth.GaussianMixture.of(np.ones(4), x[:4], [np.eye(5)] * 4)
        model = synth.GaussianMixture(4, init=start, max_iter=2)
        model.fit(x[:100])
        tracemalloc.start()
        try:
            model.fit(x)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(clouds(40_000, 5)), peak(clouds(160_000, 5))
    assert many < few + 2_000_000 < 20_000_000


def test_there_and_back(tmp_path):
    for kind in KINDS:
        model = mixture(kind)
        model.save(tmp_path / f"{kind}.npz")
        again = synth.GaussianMixture.load(tmp_path / f"{kind}.npz")
        np.testing.assert_array_equal(model.log_prob(clouds()), again.log_prob(clouds()))
        np.testing.assert_array_equal(model.sample(5), again.sample(5))
        assert model.bic(clouds()) == again.bic(clouds())
    with pytest.raises(FileError, match="exists already"):
        model.save(tmp_path / "full.npz")
    synth.KernelDensity(1.0).fit([[1.0]]).save(tmp_path / "kernel.npz")
    with pytest.raises(FileError, match="holds kernel density"):
        synth.GaussianMixture.load(tmp_path / "kernel.npz")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: synth.GaussianMixture(1).fit(np.empty((0, 2))), "rows are needed"),
        (lambda: synth.GaussianMixture(1).fit([[1.0, 2.0]]), "there is 1 row"),
        (lambda: synth.GaussianMixture(1).fit([[1.0, 2.0], [1.0, 3.0]]), "column 0 is constant"),
        (lambda: synth.GaussianMixture(1).fit([[1.0], [np.inf]]), "infinity in row 1"),
        (lambda: synth.GaussianMixture(1).fit([[1.0], [np.nan]]), "no value at all in row 1"),
        (lambda: synth.GaussianMixture(1).fit([[1, np.nan]] * 2), "column 1 has no value"),
        (lambda: synth.GaussianMixture(1).fit([[1.0], [2.0]], [-1, 1]), "not negative"),
        (lambda: synth.GaussianMixture(1).fit([[1.0], [2.0]], [1]), "shape"),
        (lambda: synth.GaussianMixture(3).fit([[1.0], [2.0]]), "there are 2 rows"),
        (lambda: synth.GaussianMixture(3, ridge=1).fit([[1], [2], [3]], [1, 1, 0]), "2 rows"),
        (lambda: synth.GaussianMixture(0), "at least 1"),
        (lambda: synth.GaussianMixture(covariance="round"), "the choices are"),
        (lambda: synth.GaussianMixture(covariance="factor"), "factors goes with"),
        (lambda: synth.GaussianMixture(factors=2), "factors goes with"),
        (lambda: mixture("factor", clouds(50, 2)), "2 columns"),
        (lambda: synth.GaussianMixture(init="random"), "init"),
        (lambda: synth.GaussianMixture(2, init=[[1.0]]).fit([[1.0], [2.0]]), "init has 1 means"),
        (lambda: synth.GaussianMixture(1, init=mixture()).fit([[1.0], [2.0]]), "init has 4"),
        (lambda: synth.GaussianMixture(ridge=-1), "ridge"),
        (lambda: synth.GaussianMixture(tol=-1), "tol"),
        (lambda: synth.GaussianMixture(dtype=np.float16), "dtype"),
        (lambda: synth.GaussianMixture(max_iter=0), "max_iter"),
        (lambda: synth.GaussianMixture(1).log_prob([[1.0]]), "call fit"),
        (lambda: mixture().log_prob([[1.0]]), "has 1 columns, but the model has 3"),
        (lambda: mixture().partial_fit([[1.0]]), "has 1 columns, but the model has 3"),
        (lambda: mixture().given({0: 1.0, 1: 1.0, 2: 1.0}), "leave at least one"),
        (lambda: mixture().given({3: 1.0}), "columns are"),
        (lambda: mixture().marginal([0, 0]), "columns are"),
        (lambda: synth.GaussianMixture.of([1], [[0.0]], [[[-1.0]]]), "positive definite"),
        (lambda: synth.GaussianMixture.of([-1], [[0.0]], [[[1.0]]]), "weights"),
        (lambda: synth.GaussianMixture.of([1], [[0.0]], [[1.0]]), "shape"),
    ],
)
def test_errors(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_kinds():
    with pytest.raises(InputTypeError, match="numbers"):
        synth.GaussianMixture(1).fit([["a"], ["b"]])


def test_a_ridge_gives_constant_columns_a_width():
    x = clouds(100, 3)
    x[:, 1] = 7
    for kind in KINDS:
        model = mixture(kind, x, ridge=0.01)
        assert np.isfinite(model.score(x))
        assert (np.linalg.eigvalsh(model._parts.full()) > 0.0099).all()
