"""What every density over two columns must keep, whichever model it is.

One grid says all of it: the density adds up to one, and as many samples fall into each cell as it
says; parts of the model are that of the whole.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.stats import chisquare

import synth

RNG = np.random.default_rng(0)
CLOUD = RNG.normal(size=(60, 2)) @ [[1.0, 0.6], [0.0, 0.7]] + np.sign(RNG.normal(size=(60, 1)))
SQUARE = RNG.uniform(0, 1, (60, 2)) ** 2
FREE, UNIT = (-9.0, 9.0), (0.0, 1.0)
KERNELS = ["gaussian", "epanechnikov", "tophat", "triangular", "exponential"]
EDGES = {
    "bounds": {"bounds": {0: UNIT, 1: UNIT}},
    "period": {"period": {0: UNIT, 1: UNIT}},
    "both": {"bounds": {0: (0.0, np.inf)}, "period": {1: UNIT}},
}
KINDS = ["full", "tied", "diag", "spherical", "factor"]


def kernels(kernel="gaussian", x=CLOUD, h=0.5, **options):
    return synth.KernelDensity(h, kernel=kernel, **options).fit(x)


def mixture(kind="full", columns=2):
    x = np.hstack([CLOUD, CLOUD[::-1]])[:, :columns]
    factors = 1 if kind == "factor" else None
    return synth.GaussianMixture(3, covariance=kind, factors=factors, ridge=0.05).fit(x)


def _models():
    for kernel in KERNELS:
        yield f"kernels {kernel}", lambda k=kernel: kernels(k), FREE, FREE
        yield f"adaptive {kernel}", lambda k=kernel: kernels(k, adaptive=True), FREE, FREE
        for name, edges in EDGES.items():
            if name != "both" and kernel not in ("gaussian", "tophat"):
                continue
            wide, options = (0.0, 8.0) if name == "both" else UNIT, {"method": "direct", **edges}
            yield (
                f"{name} {kernel}", lambda k=kernel, o=options: kernels(k, SQUARE, 0.2, **o),
                wide, UNIT,
            )  # fmt: skip
    matrix = [[0.3, 0.2], [0.2, 0.3]]
    yield "kernels askew", lambda: kernels(h=matrix), FREE, FREE
    for kind in KINDS:
        yield f"mixture {kind}", lambda k=kind: mixture(k), FREE, FREE
        yield f"given {kind}", lambda k=kind: mixture(k, 4).given({0: 1.0, 2: 0.5}), FREE, FREE
    for kind in ("kernel", "histogram"):
        yield (
            f"copula {kind}",
            lambda k=kind: synth.Copula(k, core=synth.GaussianMixture(2, ridge=0.1)).fit(CLOUD),
            FREE, FREE,
        )  # fmt: skip
    yield "copula of kernels", lambda: synth.Copula(core=kernels()).fit(CLOUD), FREE, FREE
    yield (
        "classes", lambda: synth.BayesClassifier().fit(CLOUD, CLOUD[:, 0] > 0, density=kernels()),
        FREE, FREE,
    )  # fmt: skip
    yield (
        "conditional",
        lambda: synth.ConditionalDensity(kernels()).fit(CLOUD[::-1, 0], CLOUD).given([0.3]),
        FREE, FREE,
    )  # fmt: skip


MODELS = {name: parts for name, *parts in _models()}
CELLS = 24


@pytest.mark.parametrize("name", MODELS)
def test_it_adds_up_to_one_and_samples_follow_it(name):
    make, across, up = MODELS[name]
    model = make()
    steps = "tophat" in name or "histogram" in name
    fine = 51 if "histogram" in name else 9 if steps and across == FREE else 4
    lines = [low + (np.arange(CELLS * fine) + 0.5) * (high - low) / (CELLS * fine)
             for low, high in (across, up)]  # fmt: skip
    places = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, 2)
    area = np.prod([line[1] - line[0] for line in lines])
    mass = np.exp(model.log_prob(places)).reshape(CELLS, fine, CELLS, fine).sum((1, 3)) * area
    assert abs(mass.sum() - 1) < (8e-3 if steps else 2e-3)
    count = 4000
    drawn = model.sample(count, seed=5)
    found = np.histogram2d(*drawn.T, bins=CELLS, range=[across, up])[0]
    many = mass * count >= 5
    expected = np.append(mass[many], 1 - mass[many].sum()) * count
    counts = np.append(found[many], count - found[many].sum())
    enough = expected > 1  # the rest of a density that ends may be next to nothing
    scale = counts[enough].sum() / expected[enough].sum()
    assert abs(scale - 1) < 5e-3
    assert chisquare(counts[enough], expected[enough] * scale).pvalue > 1e-3


@pytest.mark.parametrize("core", [synth.KernelDensity(0.4), synth.GaussianMixture(2, ridge=0.1)])
def test_a_copula_s_parts_make_the_whole(core):
    x = np.hstack([CLOUD, CLOUD[::-1, :1]])
    model = synth.Copula(["kernel", "histogram", "kernel"], core=core).fit(x)
    for row in x[:4] + 0.05:
        below = model.marginal([2, 1]).log_prob(row[np.newaxis, [2, 1]])
        above = model.given({1: row[1], 2: row[2]}).log_prob(row[np.newaxis, :1])
        np.testing.assert_allclose(below + above, model.log_prob(row[np.newaxis]), atol=1e-9)


@pytest.mark.parametrize("kernel", ["gaussian", "epanechnikov", "tophat"])
@pytest.mark.parametrize("name", EDGES)
def test_parts_make_the_whole_with_edges(kernel, name):
    model = kernels(kernel, SQUARE, 0.15, **EDGES[name])
    for row, joint in zip(SQUARE[:2], model.log_prob(SQUARE[:2]), strict=True):
        for one, other in ((0, 1), (1, 0)):
            below = model.marginal(one).log_prob([[row[one]]])
            above = model.given({one: row[one]}).log_prob([[row[other]]])
            np.testing.assert_allclose(below + above, joint, atol=1e-8)


OPTIONS = [
    *({"kernel": kernel} for kernel in KERNELS),
    {"bounds": {0: (-9, 9)}},
    {"period": {1: (-9, 9)}},
    {"adaptive": True},
    {"dtype": np.float32},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_weights_are_repetition_at_a_given_bandwidth(options):
    times = np.arange(60) % 3
    ours, theirs = (synth.KernelDensity(0.5, **options) for _ in range(2))
    ours.fit(CLOUD, times)
    theirs.fit(np.repeat(CLOUD, times, axis=0))
    near = 1e-5 if "dtype" in options else 1e-9
    np.testing.assert_allclose(ours.log_prob(CLOUD), theirs.log_prob(CLOUD), atol=near)


@pytest.mark.parametrize("rule", ["scott", "silverman"])
def test_rules_count_effective_rows_so_that_they_see_more_in_repetition(rule):
    times = 1 + np.arange(60) % 3
    weighted = synth.KernelDensity(rule).fit(CLOUD, times)
    repeated = synth.KernelDensity(rule).fit(np.repeat(CLOUD, times, axis=0))
    effective = times.sum() ** 2 / np.square(times).sum()
    spread = np.cov(CLOUD.T, aweights=times)
    factor = 1.0 if rule == "scott" else (4 / 4) ** (-2 / 6)
    np.testing.assert_allclose(weighted.covariance, spread * factor * effective ** (-2 / 6))
    assert np.linalg.det(repeated.covariance) < 0.8 * np.linalg.det(weighted.covariance)
    alike = synth.KernelDensity(rule).fit(CLOUD, np.full(60, 7.0))  # only relative weights count
    np.testing.assert_allclose(
        alike.covariance, synth.KernelDensity(rule).fit(CLOUD).covariance, rtol=1e-12
    )


@pytest.mark.parametrize("options", OPTIONS)
def test_merging_is_one_fit_of_both(options):
    weights = np.linspace(1, 2, 60)
    whole = synth.KernelDensity(0.5, **options).fit(CLOUD, weights)
    one, other = (
        synth.KernelDensity(0.5, **options).fit(CLOUD[part], weights[part])
        for part in (slice(20), slice(20, 60))
    )
    merged = one.merge(other)
    near = 1e-5 if "dtype" in options else 1e-9
    np.testing.assert_allclose(merged.log_prob(CLOUD), whole.log_prob(CLOUD), atol=near)


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("kind", KINDS)
def test_weighted_fits_never_lose_likelihood_and_are_those_of_repeated_rows(kind, missing):
    rng = np.random.default_rng(3)
    x, times = np.hstack([CLOUD, CLOUD[::-1, :1]]), 1 + np.arange(60) % 3
    x[rng.uniform(size=x.shape) < missing] = np.nan
    there = ~np.isnan(x).all(axis=1)
    x, times = x[there], times[there]
    factors = 1 if kind == "factor" else None
    ours, theirs = (
        synth.GaussianMixture(2, covariance=kind, factors=factors, max_iter=25, tol=0)
        for _ in range(2)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # a repair would hide a loss
        trace = ours.fit(x, times).report.log_likelihood
    assert len(trace) > 5
    assert np.diff(trace).min() > -1e-10
    theirs.fit(np.repeat(x, times, axis=0))
    np.testing.assert_allclose(ours.log_prob(x), theirs.log_prob(x), atol=1e-6)
