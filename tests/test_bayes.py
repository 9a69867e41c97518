"""Bayes' rule both ways: classifiers from generators, generators from classifiers."""

from __future__ import annotations

import numpy as np
import pytest
from naive_bayes import Gaussian, crps, quadratic_discriminant
from scipy.special import logsumexp

import synth
from synth.errors import InputError, InputTypeError


@pytest.fixture(scope="module")
def two():
    rng = np.random.default_rng(1)
    left = rng.multivariate_normal([-1, 0], [[1, 0.5], [0.5, 1]], 300)
    right = rng.multivariate_normal([1.5, 1], [[0.4, -0.1], [-0.1, 0.8]], 100)
    return np.concatenate([left, right]), np.repeat(["a", "b"], [300, 100])


@pytest.fixture(scope="module")
def model(two):
    return synth.BayesClassifier().fit(*two, density=Gaussian())


def test_gaussians_are_quadratic_discriminant_analysis(two, model):
    queries = np.random.default_rng(2).normal(0, 3, (500, 2))
    expected = quadratic_discriminant(*two, queries)
    np.testing.assert_allclose(model.predict_proba(queries), expected, atol=1e-12)
    assert (model.predict(queries) == np.array(["a", "b"])[expected.argmax(axis=1)]).all()


def test_all_is_the_sum_over_classes(two, model):
    queries = np.random.default_rng(3).normal(0, 3, (50, 2))
    parts = [np.log(model.prior[k]) + model.densities[k].log_prob(queries) for k in "ab"]
    np.testing.assert_allclose(model.log_prob(queries), logsumexp(parts, axis=0), rtol=1e-13)


def test_far_outside_the_classes_still_compare(model):
    far = np.array([[-200.0, 0.0], [0.0, 300.0]])
    assert (model.joint_log_prob(far) < -5000).all()
    np.testing.assert_allclose(model.predict_proba(far).sum(axis=1), 1)


def test_a_row_that_nothing_can_make_gets_the_prior():
    class Box(Gaussian):
        def log_prob(self, x):
            return np.where(np.abs(x[:, 0]) < 1, 0.0, -np.inf)

    model = synth.BayesClassifier({"a": Box(), "b": Box()}, {"a": 3, "b": 1})
    np.testing.assert_allclose(model.predict_proba([[5.0]]), [[0.75, 0.25]])


def test_samples_have_the_labels_and_the_shares(model):
    rows, labels = model.sample(4000, seed=5), model.sample_labels(4000, seed=5)
    assert abs((labels == "b").mean() - 0.25) < 0.03
    np.testing.assert_allclose(rows[labels == "b"].mean(axis=0), [1.5, 1], atol=0.2)
    np.testing.assert_array_equal(rows, model.sample(4000, seed=5))
    assert not np.array_equal(rows, model.sample(4000, seed=6))
    own = model.sample(500, label="a", seed=5)
    np.testing.assert_allclose(own.mean(axis=0), [-1, 0], atol=0.2)
    assert model.sample(0).shape == (0, 2)


def test_a_class_of_no_weight_is_never_drawn(model):
    model = synth.BayesClassifier(model.densities, {"a": 1, "b": 0})
    assert set(model.sample_labels(1000)) == {"a"}
    assert (model.predict([[1.5, 1.0]]) == "a").all()


def test_weights_are_repetition(two):
    x, y = two
    times = np.random.default_rng(4).integers(1, 4, len(x))
    weighted = synth.BayesClassifier().fit(x, y, density=Gaussian(), weights=times)
    repeated = synth.BayesClassifier().fit(
        np.repeat(x, times, axis=0), np.repeat(y, times), density=Gaussian()
    )
    assert weighted.prior == pytest.approx(repeated.prior)
    density = [one.densities["a"].center for one in (weighted, repeated)]
    np.testing.assert_allclose(*density)


def test_a_density_for_each_label(two):
    seen = []

    def make(label):
        seen.append(label)
        return Gaussian()

    synth.BayesClassifier().fit(*two, density=make)
    assert seen == ["a", "b"]


@pytest.mark.parametrize("density", [synth.KernelDensity(), synth.GaussianMixture(2)])
def test_densities_classify(density, two):
    x, y = two
    model = synth.BayesClassifier().fit(x[::2], y[::2], density=density)
    assert model.score(x[1::2], y[1::2]) > 0.85
    assert model.sample(10, seed=1).shape == (10, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, x, y: m.fit(x, y[:-1], density=Gaussian()), "one label for each of 400"),
        (lambda m, x, y: m.fit(np.full_like(x, np.nan), y, density=Gaussian()), "NaN"),
        (lambda m, x, y: m.fit(x, y, density=Gaussian(), weights=-np.ones(400)), "not negative"),
        (lambda m, x, y: m.sample(3), "no classes yet"),
        (lambda m, x, y: m.log_prob(x), "no classes yet"),
        (lambda m, x, y: synth.BayesClassifier({}), "label: density"),
        (lambda m, x, y: synth.BayesClassifier({"a": Gaussian()}, {"b": 1}), "one weight"),
        (lambda m, x, y: synth.BayesClassifier({"a": Gaussian()}, {"a": 0}), "not all 0"),
        (
            lambda m, x, y: synth.BayesClassifier({"a": Gaussian()}).sample(2, label="c"),
            "the classes are",
        ),
    ],
)
def test_errors(two, call, message):
    with pytest.raises(InputError, match=message):
        call(synth.BayesClassifier(), *two)


def test_a_density_that_is_none(two):
    with pytest.raises(InputTypeError, match="KernelDensity"):
        synth.BayesClassifier().fit(*two, density=3)


class Normal:
    """A standard normal prior around ``center``."""

    def __init__(self, center=0.0, log=True):
        self.center = center
        if log:
            self.log_prob = lambda x: -0.5 * ((x[:, 0] - center) ** 2 + np.log(2 * np.pi))

    def sample(self, n, *, seed=0):
        return np.random.default_rng(seed).normal(self.center, 1, (n, 1))


def bell(x, label):
    """p(label | x) ∝ a Gaussian at the label, so that the posterior is one, by conjugacy."""
    return np.exp(-0.5 * ((x[:, 0] - label) / 0.5) ** 2)


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("method", ["importance", "metropolis"])
def test_the_posterior_of_conjugate_gaussians(method, log):
    sampler = synth.PosteriorSampler(Normal(log=log), bell)
    drawn = sampler.sample(2000, label=1.0, seed=3, method=method, candidates=40000)
    assert drawn.method == method
    assert abs(drawn.rows.mean() - 0.8) < 0.04
    assert abs(drawn.rows.std() - np.sqrt(0.2)) < 0.03
    assert (drawn.acceptance is None) == (method == "importance")


def test_two_priors_two_answers():
    here, there = (
        synth.PosteriorSampler(Normal(center), bell).sample(1000, label=0.0).rows
        for center in (-2.0, 2.0)
    )
    assert here.mean() < -0.3 < 0.3 < there.mean()


def test_chains_take_over_where_few_candidates_count():
    sampler = synth.PosteriorSampler(Normal(), bell)
    drawn = sampler.sample(400, label=4.0, seed=1)
    assert drawn.method == "metropolis"
    assert drawn.effective_size < 400
    assert drawn.distinct > 350
    assert abs(drawn.rows.mean() - 3.2) < 0.1
    poor = sampler.sample(400, label=4.0, seed=1, method="importance")
    assert poor.distinct < drawn.distinct


def test_the_posterior_of_a_classifier_of_ours(model):
    class Wide:
        def sample(self, n, *, seed=0):
            return np.random.default_rng(seed).uniform(-5, 5, (n, 2))

    drawn = synth.PosteriorSampler(Wide(), model).sample(500, label="b", seed=2)
    assert model.predict_proba(drawn.rows)[:, 1].mean() > 0.8
    again = synth.PosteriorSampler(Wide(), model).sample(500, label="b", seed=2)
    np.testing.assert_array_equal(drawn.rows, again.rows)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: synth.PosteriorSampler(Normal(), lambda x, _: 0 * x[:, 0]), "take another prior"),
        (lambda: synth.PosteriorSampler(Normal(), lambda x, _: x[:, 0]), "negative"),
        (lambda: synth.PosteriorSampler(Normal(), lambda x, _: np.ones(3)), "gave"),
    ],
)
def test_posterior_errors(call, message):
    with pytest.raises(InputError, match=message):
        call().sample(10, label=0)


def test_posterior_arguments():
    sampler = synth.PosteriorSampler(Normal(), bell)
    for options in ({"n": 0}, {"n": 5, "candidates": 4}, {"n": 5, "method": "gibbs"}):
        with pytest.raises(InputError):
            sampler.sample(**options, label=0.0)
    with pytest.raises(InputTypeError):
        sampler.sample(True, label=0.0)
    with pytest.raises(InputTypeError, match="samples"):
        synth.PosteriorSampler(3, bell)
    with pytest.raises(InputTypeError, match="predict_proba"):
        synth.PosteriorSampler(Normal(), 3)


def test_one_gaussian_a_class_is_quadratic_discriminant_analysis(two):
    queries = np.random.default_rng(2).normal(0, 3, (500, 2))
    model = synth.BayesClassifier().fit(*two, density=synth.GaussianMixture(1, ridge=0))
    expected = quadratic_discriminant(*two, queries)
    np.testing.assert_allclose(model.predict_proba(queries), expected, atol=1e-9)


@pytest.fixture(scope="module", params=["kernels", "mixture"])
def fork(request):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (800, 1))
    y = rng.choice([-1, 1], (800, 1)) * (1.5 + x) + rng.normal(0, 0.05, (800, 1))
    if request.param == "kernels":
        return synth.ConditionalDensity(synth.KernelDensity(0.15)).fit(x, y)
    return synth.ConditionalDensity(synth.GaussianMixture(6)).fit(x, y)


def test_conditional_has_both_answers(fork):
    samples = fork.sample([[0.0], [0.9]], 400, seed=1)
    assert samples.shape == (2, 400, 1)
    assert abs(np.abs(samples[0]).mean() - 1.5) < 0.25
    assert abs((samples[0] > 0).mean() - 0.5) < 0.1
    assert np.abs(fork.mean([[0.0]])).max() < 0.3
    np.testing.assert_array_equal(samples, fork.sample([[0.0], [0.9]], 400, seed=1))


def test_conditional_integrates_to_one(fork):
    y = np.linspace(-6, 6, 4001)[:, np.newaxis]
    density = np.exp(fork.log_prob(y, np.full_like(y, 0.3)))
    assert abs(np.trapezoid(density, y[:, 0]) - 1) < 1e-6
    one = np.exp(fork.given([0.3]).log_prob(y))
    np.testing.assert_allclose(density, one, atol=1e-9 * one.max())


def test_crps_prefers_the_samples(fork):
    rng = np.random.default_rng(5)
    x = rng.uniform(-1, 1, (60, 1))
    y = rng.choice([-1, 1], (60, 1)) * (1.5 + x)
    ours = fork.crps(x, y, n=100).mean()
    assert ours < 0.8 * np.abs(fork.mean(x) - y).mean()


def test_crps_is_the_double_sum():
    rng = np.random.default_rng(6)
    members, came = rng.normal(size=(3, 7)), rng.normal(size=3)
    expected = [crps(*pair) for pair in zip(members, came, strict=True)]
    np.testing.assert_allclose(synth.crps(members, came), expected)
    np.testing.assert_allclose(synth.crps(members[:, :1], came), abs(members[:, 0] - came))


@pytest.mark.parametrize("kernel", ["tophat", "epanechnikov"])
def test_conditional_where_no_kernel_reaches(kernel):
    x = np.linspace(0, 1, 50)
    model = synth.ConditionalDensity(synth.KernelDensity(0.1, kernel=kernel)).fit(x, 2 * x)
    found = model.log_prob([1.0, 1.0, 9.0], [0.5, 7.0, 0.5])
    assert np.isfinite(found[0])
    assert np.isneginf(found[1:]).all()  # x out of reach; and y out of reach
    for verb in (model.given, model.mean, lambda q: model.sample(q, 2)):
        with pytest.raises(InputError, match="no kernel reaches"):
            verb([7.0])


def test_conditional_errors(fork):
    fresh = synth.ConditionalDensity(synth.KernelDensity())
    with pytest.raises(InputError, match="fit"):
        fresh.sample([[0.0]], 3)
    with pytest.raises(InputError, match="each needs the other"):
        fresh.fit([[1.0], [2.0]], [[1.0]])
    with pytest.raises(InputError, match="has 2 columns"):
        fork.sample([[0.0, 1.0]], 3)
    with pytest.raises(InputTypeError, match="given"):
        synth.ConditionalDensity(Gaussian())
    with pytest.raises(InputError, match="are needed"):
        synth.crps([[1.0, 2.0]], [1.0, 2.0])


def test_classes_of_different_widths_are_refused_and_labels_kept_as_they_are():
    x = np.random.default_rng(0).normal(size=(60, 2))
    wide, narrow = synth.KernelDensity().fit(x), synth.KernelDensity().fit(x[:, 0])
    with pytest.raises(InputError, match="columns"):
        synth.BayesClassifier({0: wide, 1: narrow}).sample(8, seed=1)
    model = synth.BayesClassifier({0: wide, "b": wide, (1, 2): wide})
    assert model.classes_.tolist() == [0, "b", (1, 2)]
    assert model.predict(x[:2]).tolist() == [0, 0]


@pytest.mark.parametrize("center", [8.0, 20.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_far_out_of_the_priors_reach_chains_are_led_there(center, seed):
    drawn = synth.PosteriorSampler(Normal(), bell).sample(1000, label=center, seed=seed)
    assert drawn.tempered
    assert drawn.effective_size < 3
    assert abs(drawn.rows.mean() - 0.8 * center) < 0.06
    assert abs(drawn.rows.std() / np.sqrt(0.2) - 1) < 0.1
    assert drawn.distinct > 990


def test_tempering_keeps_every_answer_of_a_kernel_density():
    x = np.random.default_rng(0).normal(size=(60, 3)) * [1, 1, 0.2]
    prior = synth.KernelDensity(0.4).fit(x)
    place, size = np.array([4.0, 4.0, 0.0]), 0.5
    sampler = synth.PosteriorSampler(
        prior, lambda q, _: np.exp(-0.5 * np.square((q - place) / size).sum(axis=1))
    )
    drawn = sampler.sample(800, label=1, seed=4)
    # Gaussians times a Gaussian: each kernel moves, and counts by its height at the place
    share = 0.4**2 / (0.4**2 + size**2)
    height = -0.5 * np.square(place - x).sum(axis=1) / (0.4**2 + size**2)
    weights = np.exp(height - height.max()) / np.exp(height - height.max()).sum()
    means = x + share * (place - x)
    mean = weights @ means
    spread = np.sqrt(share * size**2 + weights @ np.square(means - mean))
    assert drawn.tempered
    np.testing.assert_allclose(drawn.rows.mean(axis=0), mean, atol=0.1)
    np.testing.assert_allclose(drawn.rows.std(axis=0), spread, rtol=0.12)


def test_log_probabilities_reach_where_probabilities_are_zero():
    class Logs:
        classes_ = ("far",)

        def predict_log_proba(self, x):
            return -0.5 * ((x - 60) / 0.5) ** 2

    drawn = synth.PosteriorSampler(Normal(), Logs()).sample(500, label="far", seed=1)
    assert abs(drawn.rows.mean() - 48) < 0.1
    with pytest.raises(InputError, match="take another prior"):
        synth.PosteriorSampler(Normal(), bell).sample(500, label=60.0)


def test_a_prior_without_density_is_not_asked_for_what_it_never_makes():
    sampler = synth.PosteriorSampler(Normal(log=False), bell)
    with pytest.raises(InputError, match=r"worth 1\.\d draws .*log_prob"):
        sampler.sample(500, label=10.0)
    with pytest.warns(UserWarning, match="far from"):
        sampler.sample(500, label=10.0, method="metropolis")


def test_an_answer_out_of_the_priors_reach_is_told():
    prior = synth.KernelDensity().fit(np.random.default_rng(0).normal(size=(300, 1)))
    sampler = synth.PosteriorSampler(prior, lambda x, label: np.exp(-0.5 * (x[:, 0] - 30) ** 2))
    with pytest.warns(UserWarning, match="far from"):
        sampler.sample(200, label=1, method="importance")
