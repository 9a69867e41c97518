"""Kernel densities whose kernels are no Gaussians, and sums in float32."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_density import PROFILES, kernel_log_prob, shaped_prob
from scipy.stats import kstest

import synth
from synth.density.shapes import shape_of
from synth.density.sums import Summands, Way, kernel_log_sums
from synth.errors import InputError

KERNELS = sorted(PROFILES)
BALLS = ["epanechnikov", "tophat"]


def rows(n, d, seed=0, scale=1.0):
    return np.random.default_rng(seed).normal(0, scale, (n, d))


def logs(values):
    with np.errstate(divide="ignore"):
        return np.log(values)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("d", [1, 2, 3, 5, 20])
@pytest.mark.parametrize("method", ["auto", "direct"])
def test_log_prob_is_the_naive_sum(kernel, d, method):
    x, q = rows(120, d), np.concatenate([rows(40, d, 1), rows(20, d, 2, 3.0)])
    weights = np.random.default_rng(2).uniform(0, 2, len(x))
    model = synth.KernelDensity("scott", kernel=kernel, method=method).fit(x, weights)
    expected = logs(shaped_prob(kernel, x, weights, model.covariance, q))
    np.testing.assert_allclose(model.log_prob(q), expected, rtol=1e-10, atol=1e-10)
    if kernel != "exponential":
        assert model.log_prob(np.full((1, d), 1e6))[0] == -np.inf
    else:
        assert np.isfinite(model.log_prob(np.full((1, d), 1e6))[0])


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("adaptive", [False, True])
def test_it_integrates_to_one(kernel, d, adaptive):
    model = synth.KernelDensity(0.5, kernel=kernel, adaptive=adaptive).fit(rows(30, d))
    side = 8001 if d == 1 else 1001
    grid = np.linspace(-14, 14, side)
    places = np.stack(np.meshgrid(*[grid] * d), axis=-1).reshape(-1, d)
    whole = np.exp(model.log_prob(places)).sum() * (grid[1] - grid[0]) ** d
    assert abs(whole - 1) < 2e-3


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("adaptive", [False, True])
def test_samples_quantiles_and_the_distribution_agree(kernel, adaptive):
    model = synth.KernelDensity(0.4, kernel=kernel, adaptive=adaptive).fit([0.0, 0.3, 3.0])
    t = np.linspace(-6, 9, 40001)
    summed = np.cumsum(np.exp(model.log_prob(t))) * (t[1] - t[0])
    np.testing.assert_allclose(model.cdf(t[::500]), summed[::500], atol=1e-3)
    p = np.linspace(0.01, 0.99, 9)
    np.testing.assert_allclose(model.cdf(model.quantile(p)), p, atol=1e-12)
    assert kstest(model.sample(4000, seed=3)[:, 0], model.cdf).pvalue > 1e-3


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("d", [2, 4])
def test_every_kernel_has_the_covariance_it_says(kernel, d):
    spread = rows(d, d, 4)
    spread = spread @ spread.T + np.eye(d)
    drawn = synth.KernelDensity(spread, kernel=kernel).fit(np.zeros((1, d))).sample(100_000)
    np.testing.assert_allclose(np.cov(drawn.T), spread, atol=0.02 * np.trace(spread))
    unit = np.linalg.solve(np.linalg.cholesky(spread), drawn.T).T
    share = np.mean((unit[:, 0] > 0) & (unit[:, 1] > 0))  # round: every direction alike
    assert abs(share - 0.25) < 0.01


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(
    "edges", [{"bounds": {0: (0.0, 1.0)}}, {"bounds": {0: (0.0, np.inf)}}, {"period": {0: (0, 1)}}]
)
@pytest.mark.parametrize("bandwidth", [0.05, 2.0])
def test_edges_keep_the_whole_probability(kernel, edges, bandwidth):
    x = np.random.default_rng(0).uniform(0, 1, 50)
    model = synth.KernelDensity(bandwidth, kernel=kernel, **edges).fit(x)
    high = 60 if np.isinf(next(iter(edges.values()))[0][1]) else 1
    t = (np.arange(20000) + 0.5) / 20000 * high
    assert abs(np.exp(model.log_prob(t)).mean() * high - 1) < 1e-2
    assert kstest(model.sample(500, seed=1)[:, 0], model.cdf).pvalue > 1e-3


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(0, 1000), st.booleans(), st.sampled_from(BALLS))
def test_given_times_marginal_is_joint(split, seed, adaptive, kernel):
    x = rows(50, 4, seed) @ rows(4, 4, seed + 1)
    model = synth.KernelDensity("scott", kernel=kernel, adaptive=adaptive).fit(x)
    known, rest = list(range(split)), list(range(split, 4))
    for q in x[:3] + 0.02:
        joint = model.log_prob(q[np.newaxis])
        below = model.marginal(known).log_prob(q[np.newaxis, known])
        above = model.given(dict(zip(known, q[known], strict=True))).log_prob(q[np.newaxis, rest])
        np.testing.assert_allclose(joint, below + above, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("kernel", BALLS)
def test_given_times_marginal_is_joint_at_a_bound(kernel):
    x = np.abs(rows(60, 2))
    model = synth.KernelDensity(0.5, kernel=kernel, bounds={0: (0, np.inf)}).fit(x)
    for q in ([[0.1, 0.3]], [[0.02, 1.0]]):
        joint = model.log_prob(q)
        parts = model.marginal(0).log_prob([q[0][0]]) + model.given({0: q[0][0]}).log_prob(
            [q[0][1]]
        )
        np.testing.assert_allclose(joint, parts, rtol=1e-9)


@pytest.mark.parametrize("kernel", BALLS)
def test_a_marginal_is_the_integral(kernel):
    model = synth.KernelDensity(0.6, kernel=kernel).fit(rows(20, 2))
    t = np.linspace(-8, 8, 16001)
    for at in (-0.5, 0.8):
        line = np.column_stack([np.full(len(t), at), t])
        whole = np.exp(model.log_prob(line)).sum() * (t[1] - t[0])
        assert np.exp(model.marginal(0).log_prob([at]))[0] == pytest.approx(whole, rel=5e-3)
    part = model.marginal(0)
    assert kstest(part.sample(3000, seed=2)[:, 0], part.cdf).pvalue > 1e-3


def test_kernels_that_do_not_hold_together_say_so():
    for kernel in ("triangular", "exponential"):
        model = synth.KernelDensity(1.0, kernel=kernel).fit(rows(9, 2))
        turned = model.marginal([1, 0])
        np.testing.assert_allclose(turned.log_prob([[1, 2]]), model.log_prob([[2, 1]]))
        for do in (lambda m: m.marginal(0), lambda m: m.given({0: 1.0})):
            with pytest.raises(InputError, match="take 'gaussian', 'epanechnikov' or 'tophat'"):
                do(model)


def test_nothing_is_within_reach_of_the_known_values():
    model = synth.KernelDensity(0.1, kernel="tophat").fit(rows(9, 2))
    with pytest.raises(InputError, match="no kernel reaches the known values"):
        model.given({0: 100.0})


@pytest.mark.parametrize("kernel", KERNELS)
def test_there_and_back(tmp_path, kernel):
    model = synth.KernelDensity("silverman", kernel=kernel).fit(rows(50, 2))
    part = model.marginal([0]) if kernel in BALLS else model
    for number, one in enumerate((model, part)):
        one.save(tmp_path / f"{number}.npz")
        again = synth.KernelDensity.load(tmp_path / f"{number}.npz")
        q = rows(20, len(one.covariance), 3)
        np.testing.assert_array_equal(one.log_prob(q), again.log_prob(q))
        np.testing.assert_array_equal(one.sample(5), again.sample(5))


def test_the_same_bytes_for_any_number_of_threads(monkeypatch):
    x, q = rows(700, 2), rows(900, 2, 1)
    for options in (*({"kernel": kernel} for kernel in KERNELS), {"dtype": "float32"}):
        found = []
        for count in ("1", "2", "5"):
            monkeypatch.setenv("SYNTH_NUM_THREADS", count)
            model = synth.KernelDensity(0.5, **options).fit(x)
            found.append(model.log_prob(q).tobytes() + model.sample(9).tobytes())
        assert len(set(found)) == 1


@pytest.mark.parametrize("d", [1, 3, 8, 16, 64])
@pytest.mark.parametrize("bandwidth", ["scott", 0.1])
def test_float32_errs_as_little_as_it_says(d, bandwidth):
    x = rows(1000, d)
    q = np.concatenate([rows(80, d, 1), rows(20, d, 2, 6.0), rows(10, d, 3, 100.0)])
    model = synth.KernelDensity(bandwidth, dtype="float32", method="direct").fit(x)
    exact = synth.KernelDensity(bandwidth, method="direct").fit(x).log_prob(q)
    root = np.linalg.cholesky(model.covariance)
    unit, asked = (np.linalg.solve(root, part.T).T for part in (x, q))
    distance = np.sqrt(((asked[:, None] - unit) ** 2).sum(axis=2).min(axis=1))
    extent = np.sqrt((unit**2).sum(axis=1).max())
    error = np.abs(model.log_prob(q) - exact) / (1 + distance * np.maximum(extent, distance))
    assert error.max() < 1e-6


def test_float32_of_exponentials():
    x, q = rows(500, 2), rows(50, 2, 1, 5.0)
    one, other = (
        synth.KernelDensity(0.3, kernel="exponential", dtype=dtype).fit(x).log_prob(q)
        for dtype in (np.float32, None)
    )
    assert 0 < np.abs(one - other).max() < 1e-4


def test_float64_where_float32_would_not_do():
    x = rows(3000, 1)
    for options in ({"adaptive": True}, {"kernel": "tophat"}):
        one, other = (
            synth.KernelDensity(dtype=dtype, **options).fit(x).log_prob(x[:50])
            for dtype in (np.float32, np.float64)
        )
        np.testing.assert_array_equal(one, other)
    expected = kernel_log_prob(x, np.ones(len(x)), np.array([[0.01]]), x[:50])
    model = synth.KernelDensity(0.1, dtype=np.float32, method="boxes").fit(x)
    np.testing.assert_allclose(model.log_prob(x[:50]), expected, atol=1e-9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: synth.KernelDensity(kernel="cosine"), "the choices are gaussian"),
        (lambda: synth.KernelDensity(dtype="int8"), "float32"),
        (
            lambda: (
                synth.KernelDensity(1, kernel="tophat", method="boxes").fit([[1.0]]).score([1])
            ),
            "Gaussian",
        ),
        (
            lambda: synth.KernelDensity(1, kernel="tophat").fit([[1.0]]).gradient([1]),
            "Gaussian kernels",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("kernel", ["epanechnikov", "tophat", "triangular"])
def test_weights_far_apart_keep_each_its_own_kernel(kernel):
    weights = np.array([1e-99, 1e99, 1.0])
    x = np.array([[0.0], [100.0], [100.5]])
    logs = np.log(weights) * 4  # e^±900, as local bandwidths in 64 columns make them
    shape = shape_of(kernel, 1)
    found = kernel_log_sums(
        Summands(x, logs, None, shape), np.array([[0.1], [100.2], [50.0]]), Way("tree")
    )
    first = logs[0] + shape.log_heights(np.array([0.01]))
    second = logs[1] + shape.log_heights(np.array([0.04]))
    np.testing.assert_allclose(found[:2], [first[0], second[0]], rtol=1e-12)
    assert np.isneginf(found[2])
