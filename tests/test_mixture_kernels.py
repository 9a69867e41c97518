"""The steps of a mixture's kernels, each against the same step in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from synth.kernels._jit import jit
from synth.kernels.cpu.either import two_to
from synth.kernels.cpu.exponential import log2
from synth.kernels.cpu.mixture import LANES, features, shares, squares
from synth.kernels.cpu.mixture_bands import answer_band, likeliest, moments_band, sum_band
from synth.kernels.cpu.mixture_centred import add_sums, centred_scores
from synth.kernels.cpu.tiles import PARTS, TALL, add_products, multiply

import synth
from synth.density.works import works

KINDS = [np.float64, np.float32]


def close(found, expected, dtype):
    error = 1e-12 if dtype == np.float64 else 1e-4
    np.testing.assert_allclose(found, expected, rtol=error, atol=error)


@jit
def _two_to(t, out):
    for i in range(len(t)):
        out[i] = two_to(t[i])


@jit
def _log2(x, out):
    for i in range(len(x)):
        out[i] = log2(x[i])


@pytest.mark.parametrize(
    ("dtype", "error", "least"), [(np.float64, 4e-16, -1020), (np.float32, 2e-7, -124)]
)
def test_powers_of_two(dtype, error, least):
    t = np.random.default_rng(0).uniform(least, 100, 10_000).astype(dtype)
    out = np.empty_like(t)
    _two_to(t, out)
    np.testing.assert_allclose(out, np.exp2(t.astype(np.float64)), rtol=error)


def test_logarithms():
    rng = np.random.default_rng(0)
    x = np.concatenate(
        [2 ** rng.uniform(-1000, 1000, 5000), rng.uniform(0.5, 2, 5000), [1, 2, 1024]]
    )
    out = np.empty_like(x)
    _log2(x, out)
    np.testing.assert_allclose(out, np.log2(x), rtol=4e-16, atol=4e-16)
    assert list(out[-3:]) == [0, 1, 10]


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("lower", [False, True])
def test_products_in_tiles(dtype, lower):
    rng = np.random.default_rng(0)
    left = rng.normal(size=(3 * TALL, 11)).astype(dtype)
    left = np.tril(left) if lower else left
    right = rng.normal(size=(11, 3 * LANES)).astype(dtype)
    out = np.full((3 * TALL, 5 * LANES), 7, dtype)
    multiply(left, right, out, LANES, lower)
    close(out[:, LANES : 4 * LANES], left @ right, dtype)
    assert (out[:, :LANES] == 7).all()
    assert (out[:, 4 * LANES :] == 7).all()


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("upper", [False, True])
def test_sums_of_products_in_tiles(dtype, upper):
    rng = np.random.default_rng(0)
    left = rng.normal(size=(3 * TALL, 3 * LANES)).astype(dtype)
    right = rng.normal(size=(4 * PARTS, 3 * LANES)).astype(dtype)
    sums = np.ones((len(left), len(right)))
    add_products(left, right, sums, upper)
    expected = 1 + left @ right.T
    if upper:
        above = np.triu_indices(len(left))
        sums, expected = sums[above], expected[above]
    close(sums, expected, dtype)


@pytest.mark.parametrize("dtype", KINDS)
def test_features_of_some_columns(dtype):
    z = np.random.default_rng(0).normal(size=(5, 4 * LANES)).astype(dtype)
    part = z[:, LANES : 2 * LANES]
    first, other = np.triu_indices(5)
    ones = np.ones((1, LANES), dtype)
    out = np.zeros((21, LANES), dtype)
    features(z, LANES, out)
    np.testing.assert_array_equal(out, np.concatenate([part[first] * part[other], part, ones]))
    out = np.zeros((11, LANES), dtype)
    squares(z, LANES, out)
    np.testing.assert_array_equal(out, np.concatenate([part * part, part, ones]))


@pytest.mark.parametrize("dtype", KINDS)
def test_shares_add_up_to_the_weights(dtype):
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 30, (7, 2 * LANES)).astype(dtype)
    scores[:, 0] -= 5000
    level, weights = rng.normal(size=(2, 2 * LANES))
    expected = np.logaddexp2.reduce(scores.astype(np.float64), axis=0)
    part = np.exp2(scores - expected) * weights
    logs = np.empty(2 * LANES)
    shares(scores, level, weights, logs)
    close(logs, expected + level, dtype)
    close(scores, part, dtype)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("full", [True, False])
def test_sums_over_rows_with_a_share(dtype, full):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(5, 40 * LANES)).astype(dtype)
    own = (rng.uniform(size=40 * LANES) ** 3).astype(dtype)
    own[rng.uniform(size=len(own)) < 0.3] = 1e-30
    mean = rng.normal(size=5)
    apart = z - mean[:, np.newaxis]
    first, other = np.triu_indices(5)
    phi = apart[first] * apart[other] if full else apart**2
    phi = np.concatenate([phi, apart, np.ones((1, len(own)))])
    sums = np.ones(len(phi))
    add_sums(z, own, np.ones(len(own)), mean, full, np.empty(len(own), np.uint64), sums)
    np.testing.assert_allclose(
        sums,
        1 + phi @ own,
        rtol=1e-12 if dtype == np.float64 else 1e-4,
        atol=1e-3 if dtype == np.float32 else 1e-9,
    )


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("vague", [False, True])
def test_scores_about_a_mean(full, vague):
    """Those of other components, and those too low to matter, stay as they are."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(5, 20 * LANES))
    means = rng.normal(size=(2, 5))
    inverse = np.tril(rng.normal(size=(2, 5, 5))) if full else rng.uniform(1, 2, (2, 1, 5))
    inverse = np.pad(inverse, [(0, 0), (0, -inverse.shape[1] % TALL), (0, 0)])
    scores = np.zeros((2, 20 * LANES))
    scores[1, ::2] = -1000
    apart = z - means[1][:, np.newaxis]
    white = inverse[1] @ apart if full else apart * inverse[1, 0][:, np.newaxis]
    expected = 3 - 0.5 / np.log(2) * np.square(white).sum(axis=0)
    if not vague:
        expected[::2] = -1000
    centred_scores(
        z,
        scores,
        means,
        inverse,
        np.array([9.0, 3.0]),
        np.array([1]),
        np.array([False, vague]),
        full,
    )
    assert (scores[0] == 0).all()
    np.testing.assert_allclose(scores[1], expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", KINDS)
def test_the_likeliest_component(dtype):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(3, 70)).astype(np.float32)
    theta = np.zeros((8, 10), dtype)
    theta[:6] = rng.normal(size=(6, 10))
    phi = np.zeros((10, 96), dtype)
    features(np.pad(z, [(0, 0), (0, 26)]).astype(dtype), 0, phi)
    best = np.empty(70, np.int64)
    likeliest(z, theta, 6, best)
    np.testing.assert_array_equal(best, (theta[:6] @ phi)[:, :70].argmax(axis=0))


def test_the_warm_up_has_seen_float32_rows():
    for _, work in works():
        work()
    seen = [len(kernel.signatures) for kernel in (moments_band, answer_band, sum_band)]
    rows = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    synth.GaussianMixture(2, max_iter=1).fit(rows).log_prob(rows)
    synth.GaussianMixture(2, max_iter=1, dtype=np.float64).fit(rows).log_prob(rows)
    assert seen == [len(kernel.signatures) for kernel in (moments_band, answer_band, sum_band)]
