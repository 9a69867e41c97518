"""Kernel densities: exact wherever one asks, and with the algebra of distributions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_density import kernel_log_prob
from scipy.stats import gaussian_kde, kstest

import synth
from synth.errors import DeviceError, FileError, InputError, InputTypeError


def rows(n, d, seed=0, scale=1.0):
    return np.random.default_rng(seed).normal(0, scale, (n, d))


def queries(d, seed=1):
    """In the bulk, at the rim, and where every kernel underflows."""
    return np.concatenate([rows(40, d, seed), rows(40, d, seed, 6.0), rows(10, d, seed, 500.0)])


@pytest.mark.parametrize("d", [1, 2, 3, 8, 15, 16, 40])
@pytest.mark.parametrize("bandwidth", ["scott", 0.1])
def test_log_prob_is_the_log_sum_exp(d, bandwidth):
    x, q = rows(300, d), queries(d)
    weights = np.random.default_rng(2).uniform(0, 2, len(x))
    model = synth.KernelDensity(bandwidth, method="direct").fit(x, weights)
    expected = kernel_log_prob(x, weights, model.covariance, q)
    np.testing.assert_allclose(model.log_prob(q), expected, rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("rtol", [1e-4, 1e-9, 1e-12])
def test_boxes_keep_their_promise(d, rtol):
    x, q = rows(4000, d), queries(d)
    weights = np.random.default_rng(2).uniform(0, 2, len(x))
    model = synth.KernelDensity(0.3, method="boxes", rtol=rtol).fit(x, weights)
    expected = kernel_log_prob(x, weights, model.covariance, q)
    far = np.abs(expected) * 1e-13  # the exponent's own rounding
    assert (np.abs(model.log_prob(q) - expected) <= rtol * 1.01 + 1e-12 + far).all()


def test_boxes_answer_most_of_the_bulk_themselves():
    from synth.density.gauss_transform import box_log_sums

    x = rows(5000, 2) * 5
    found = box_log_sums(x, np.ones(len(x)), rows(1000, 2, 3) * 5, 1e-9)
    assert found is not None
    assert found[1].mean() > 0.99
    assert box_log_sums(x * 1e4, np.ones(len(x)), x * 1e4, 1e-9) is None


def test_where_every_kernel_underflows():
    """A narrow kernel in 64 dimensions: all heights are below 10⁻³⁰⁸."""
    x = np.random.default_rng(0).integers(0, 17, (500, 64)) / 16
    q = np.random.default_rng(1).integers(0, 17, (50, 64)) / 16
    model = synth.KernelDensity(0.05).fit(x)
    expected = kernel_log_prob(x, np.ones(len(x)), model.covariance, q)
    assert expected.max() < -750
    np.testing.assert_allclose(model.log_prob(q), expected, rtol=1e-12)


@pytest.mark.parametrize("rule", ["scott", "silverman"])
def test_rules_are_scipy_s(rule):
    x = rows(200, 3) @ np.array([[1, 2, 0], [0, 3, 1], [0, 0, 100]])
    weights = np.random.default_rng(2).uniform(0.1, 2, len(x))
    theirs = gaussian_kde(x.T, rule, weights=weights)
    ours = synth.KernelDensity(rule).fit(x, weights)
    np.testing.assert_allclose(ours.covariance, theirs.covariance)
    np.testing.assert_allclose(ours.log_prob(x[:20]), theirs.logpdf(x[:20].T))


def test_rules_for_separate_peaks_do_not_blur_them():
    x = np.concatenate([rows(300, 1), rows(300, 1, 1) + 20])
    new = np.concatenate([rows(300, 1, 2), rows(300, 1, 3) + 20])
    score = {r: synth.KernelDensity(r).fit(x).score(new) for r in ("scott", "isj", "loo")}
    assert min(score["isj"], score["loo"]) > score["scott"] + 0.3


def test_loo_is_the_best_of_its_family():
    x = rows(150, 2)
    found = synth.KernelDensity("loo").fit(x).covariance

    def left_out(covariance):
        kernel = [kernel_log_prob(np.delete(x, i, 0), np.ones(149), covariance, x[i : i + 1])
                  for i in range(150)]  # fmt: skip
        return np.mean(kernel)

    best = left_out(found)
    assert best > left_out(found * 0.8) - 1e-6
    assert best > left_out(found * 1.25) - 1e-6


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("adaptive", [False, True])
def test_it_integrates_to_one(d, adaptive):
    model = synth.KernelDensity("silverman", adaptive=adaptive).fit(rows(60, d))
    grid = np.linspace(-12, 12, 601)
    places = np.stack(np.meshgrid(*[grid] * d), axis=-1).reshape(-1, d)
    assert abs(np.exp(model.log_prob(places)).sum() * (grid[1] - grid[0]) ** d - 1) < 2e-4


def test_adaptive_kernels_are_wider_in_the_tail():
    x = np.concatenate([rows(200, 1), [[8.0]]])
    plain, adaptive = (synth.KernelDensity(adaptive=a).fit(x) for a in (False, True))
    assert adaptive.log_prob([[8.0]]) < plain.log_prob([[8.0]])
    assert adaptive.log_prob([[11.0]]) > plain.log_prob([[11.0]])


@pytest.mark.parametrize(
    "edges",
    [
        {"bounds": {0: (0.0, 1.0)}},
        {"bounds": {0: (0.0, np.inf)}},
        {"bounds": {0: (-np.inf, 1.0)}},
        {"period": {0: (0.0, 1.0)}},
    ],
)
@pytest.mark.parametrize("bandwidth", [0.05, 2.0])
def test_edges_keep_the_whole_probability(edges, bandwidth):
    x = np.random.default_rng(0).uniform(0, 1, 200)
    model = synth.KernelDensity(bandwidth, **edges).fit(x)
    low = -40 if np.isinf(next(iter(edges.values()))[0][0]) else 0
    high = 40 if np.isinf(next(iter(edges.values()))[0][1]) else 1
    t = low + (np.arange(20000) + 0.5) / 20000 * (high - low)
    density = np.exp(model.log_prob(t))
    assert abs(density.mean() * (high - low) - 1) < 1e-5
    cumulative = np.cumsum(density) * (high - low) / 20000
    np.testing.assert_allclose(
        model.cdf(t[99::400] + (high - low) / 40000), cumulative[99::400], atol=1e-4
    )
    drawn = model.sample(500, seed=1)
    assert ((drawn >= low) & (drawn <= high)).all()
    assert kstest(drawn[:, 0], model.cdf).pvalue > 1e-3


def test_a_period_joins_its_ends():
    model = synth.KernelDensity(0.3, period={0: (-np.pi, np.pi)}).fit([3.0, -3.0])
    left, right = model.log_prob([-np.pi, np.pi])
    assert left == pytest.approx(right)
    assert model.log_prob([3 + 2 * np.pi]) == pytest.approx(model.log_prob([3.0]))


def test_no_density_beyond_a_bound():
    model = synth.KernelDensity(0.3, bounds={0: (0, 1)}).fit([0.5])
    assert model.log_prob([-0.1])[0] == -np.inf


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(0, 1000), st.booleans())
def test_given_times_marginal_is_joint(split, seed, adaptive):
    x = rows(50, 4, seed) @ rows(4, 4, seed + 1)
    model = synth.KernelDensity("scott", adaptive=adaptive).fit(x)
    known, rest = list(range(split)), list(range(split, 4))
    for q in x[:3] + 0.1:
        joint = model.log_prob(q[np.newaxis])
        below = model.marginal(known).log_prob(q[np.newaxis, known])
        above = model.given(dict(zip(known, q[known], strict=True))).log_prob(q[np.newaxis, rest])
        np.testing.assert_allclose(joint, below + above, rtol=1e-8, atol=1e-8)


def test_given_far_from_everything():
    x = rows(50, 2)
    model = synth.KernelDensity(0.1).fit(x)
    away = model.given({0: 1e4})
    nearest = x[x[:, 0].argmax(), 1]
    assert abs(away.sample(5)[:, 0] - nearest).max() < 1


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_weights_are_repetition(seed):
    x, times = rows(30, 2, seed), np.random.default_rng(seed).integers(0, 4, 30)
    times[0] = 1
    ours = synth.KernelDensity(0.3).fit(x, times)
    theirs = synth.KernelDensity(0.3).fit(np.repeat(x, times, axis=0))
    np.testing.assert_allclose(ours.log_prob(x), theirs.log_prob(x), atol=1e-12)


def test_update_and_merge_are_one_fit():
    x, weights = rows(90, 2), np.random.default_rng(1).uniform(1, 2, 90)
    whole = synth.KernelDensity().fit(x, weights)
    first, second = (
        synth.KernelDensity().fit(x[p], weights[p]) for p in (slice(40), slice(40, 90))
    )
    for model in (
        synth.KernelDensity().fit(x[:40], weights[:40]).update(x[40:], weights[40:]),
        first.merge(second),
    ):
        np.testing.assert_allclose(model.log_prob(x), whole.log_prob(x), atol=1e-12)


def test_samples_follow_the_density():
    model = synth.KernelDensity(0.2).fit([0.0, 0.0, 3.0])
    drawn = model.sample(4000, seed=7)
    assert kstest(drawn[:, 0], model.cdf).pvalue > 1e-3
    np.testing.assert_array_equal(drawn, model.sample(4000, seed=7))
    assert not np.array_equal(drawn, model.sample(4000, seed=8))


def test_quantiles_invert_the_distribution():
    model = synth.KernelDensity("isj", adaptive=True).fit(rows(100, 1))
    p = np.linspace(0.001, 0.999, 21)
    np.testing.assert_allclose(model.cdf(model.quantile(p)), p, atol=1e-12)
    assert model.cdf([-1e9, 1e9]).tolist() == [0, 1]


@pytest.mark.parametrize("adaptive", [False, True])
def test_gradient_is_the_difference_quotient(adaptive):
    model = synth.KernelDensity(adaptive=adaptive).fit(rows(80, 3) @ rows(3, 3, 5))
    q, h = rows(10, 3, 6), 1e-5
    for k in range(3):
        step = h * np.eye(3)[k]
        slope = (model.log_prob(q + step) - model.log_prob(q - step)) / (2 * h)
        np.testing.assert_allclose(model.gradient(q)[:, k], slope, rtol=1e-5, atol=1e-6)


def test_denoising_is_the_posterior_mean_over_the_data():
    x, noisy, sigma = rows(60, 2), rows(5, 2, 9), 0.4
    share = np.exp(-0.5 * ((noisy[:, None] - x) ** 2).sum(axis=2) / sigma**2)
    expected = share @ x / share.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(synth.KernelDensity().fit(x).denoise(noisy, sigma), expected)
    # Tweedie: E[clean | x] = x + σ² ∇ log p of the density with that bandwidth
    score = synth.KernelDensity(sigma).fit(x).gradient(noisy)
    np.testing.assert_allclose(noisy + sigma**2 * score, expected)


def test_the_limit_is_the_data():
    x = rows(40, 2)
    data = synth.Empirical().fit(x)
    narrow = synth.KernelDensity(1e-9).fit(x)
    near = ((narrow.sample(200)[:, None] - x) ** 2).sum(axis=2).min(axis=1)
    assert near.max() < 1e-14
    assert {tuple(row) for row in data.sample(500)} == {tuple(row) for row in x}
    np.testing.assert_allclose(data.log_prob(x), np.log(1 / 40))
    off = x + 0.1
    heights = [synth.KernelDensity(h).fit(x).log_prob(off).max() for h in (0.1, 0.01, 0.001)]
    assert (data.log_prob(off) == -np.inf).all()
    assert heights[0] > heights[1] > heights[2]


def test_the_same_bytes_for_any_number_of_threads(monkeypatch):
    for d, method in ((2, "boxes"), (3, "boxes"), (4, "direct"), (20, "direct")):
        x, q = rows(700, d), rows(900, d, 1)
        found = []
        for count in ("1", "2", "5"):
            monkeypatch.setenv("SYNTH_NUM_THREADS", count)
            found.append(synth.KernelDensity(0.5, method=method).fit(x).log_prob(q).tobytes())
        assert len(set(found)) == 1


@pytest.mark.parametrize("options", [{}, {"adaptive": True}, {"bounds": {0: (-9, np.inf)}}])
def test_there_and_back(tmp_path, options):
    model = synth.KernelDensity("silverman", **options).fit(rows(50, 1), np.arange(1, 51))
    model.save(tmp_path / "a.npz")
    again = synth.KernelDensity.load(tmp_path / "a.npz")
    q = rows(20, 1, 3)
    np.testing.assert_array_equal(model.log_prob(q), again.log_prob(q))
    np.testing.assert_array_equal(model.sample(5), again.sample(5))
    with pytest.raises(FileError, match="exists already"):
        model.save(tmp_path / "a.npz")
    (tmp_path / "b.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:200])
    with pytest.raises(FileError, match="damaged"):
        synth.KernelDensity.load(tmp_path / "b.npz")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: synth.KernelDensity().fit(np.empty((0, 2))), "rows are needed"),
        (lambda: synth.KernelDensity().fit([[1.0, 2.0]]), "at least 2 rows"),
        (lambda: synth.KernelDensity().fit([[1.0, 2.0], [1.0, 3.0]]), "column 0 is constant"),
        (lambda: synth.KernelDensity().fit([[1.0, 2.0], [2.0, 4.0]]), "combination"),
        (lambda: synth.KernelDensity("isj").fit([[1.0], [1.0]]), "constant"),
        (lambda: synth.KernelDensity().fit([[1.0], [np.nan]]), "row 1"),
        (lambda: synth.KernelDensity().fit([[1.0], [np.inf]]), "infinity"),
        (lambda: synth.KernelDensity().fit([[1.0], [2.0]], [-1, 1]), "not negative"),
        (lambda: synth.KernelDensity().fit([[1.0], [2.0]], [1]), "shape"),
        (lambda: synth.KernelDensity("wide").fit([[1.0], [2.0]]), "the rules are"),
        (lambda: synth.KernelDensity(0.0).fit([[1.0]]), "Empirical"),
        (lambda: synth.KernelDensity([1, 2]).fit([[1.0]]), "one number"),
        (lambda: synth.KernelDensity(-np.eye(2)).fit([[1.0, 2.0]]), "positive definite"),
        (lambda: synth.KernelDensity(1.0).log_prob([[1.0]]), "call fit"),
        (lambda: synth.KernelDensity(1.0).fit([[1.0]]).log_prob([[1.0, 2.0]]), "2 columns"),
        (lambda: synth.KernelDensity(1.0).fit([[1.0]]).given({0: 1.0}), "leave at least one"),
        (lambda: synth.KernelDensity(1.0).fit([[1.0]]).marginal(1), "columns are"),
        (lambda: synth.KernelDensity(1.0).fit([[1.0, 2.0]]).cdf([[0.0, 1.0]]), "one column"),
        (lambda: synth.KernelDensity(1.0).fit([[1.0]]).quantile(1.0), "between 0 and 1"),
        (lambda: synth.KernelDensity(1.0).fit([[1.0]]).denoise([[1.0]], 0), "above 0"),
        (lambda: synth.KernelDensity(1.0, bounds={0: (0, 1)}).fit([[2.0]]), "outside"),
        (lambda: synth.KernelDensity(1.0, bounds={0: (1, 0)}).fit([[2.0]]), "low < high"),
        (lambda: synth.KernelDensity(1.0, bounds={1: (0, 1)}).fit([[2.0]]), "column 1"),
        (lambda: synth.KernelDensity(method="fft"), "method"),
        (lambda: synth.KernelDensity(rtol=0), "rtol"),
        (lambda: synth.KernelDensity(1, method="boxes").fit(rows(3, 4)).score([[1] * 4]), "boxes"),
    ],
)  # fmt: skip
def test_errors(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_kinds():
    with pytest.raises(InputTypeError, match="numbers"):
        synth.KernelDensity().fit([["a"], ["b"]])
    with pytest.raises(DeviceError):
        synth.KernelDensity(device="cuda")


def test_rules_see_angles_as_they_lie_on_the_circle():
    rng = np.random.default_rng(0)
    angles = rng.normal(0, 0.05, (300, 1))
    for rule in ("scott", "silverman", "isj", "loo"):
        found = [
            synth.KernelDensity(rule, period={0: (0, 2 * np.pi)})
            .fit(np.mod(angles + turn, 2 * np.pi))
            .covariance[0, 0]
            for turn in (0.0, 1.0, 3.0)
        ]
        np.testing.assert_allclose(found, found[0], rtol=1e-6)
        assert found[0] < 0.05**2


def test_kernels_much_wider_than_the_space_are_refused():
    x = np.random.default_rng(0).uniform(0, 0.01, (20, 2))
    model = synth.KernelDensity(5.0, period={0: (0, 0.01), 1: (0, 0.01)}).fit(x)
    with pytest.raises(InputError, match="images"):
        model.log_prob(x[:1])


def test_weights_that_no_sum_holds_are_refused():
    x = np.random.default_rng(0).normal(size=(50, 1))
    with pytest.raises(InputError, match="divide"):
        synth.KernelDensity().fit(x, np.full(50, 1e200))
    with pytest.raises(InputError, match="all the weight"):
        synth.KernelDensity().fit(x, np.r_[1e20, np.ones(49)])


def test_quantiles_across_the_cut_of_a_period():
    x = np.random.default_rng(3).uniform(0, 1, 200)
    model = synth.KernelDensity(0.05, period={0: (0, 6.28)}).fit(x)
    asked = [0.001, 0.5, 0.99, 0.999]
    np.testing.assert_allclose(model.cdf(model.quantile(asked)), asked, rtol=1e-9)


def test_quantiles_far_in_a_tail():
    model = synth.KernelDensity(1.0, kernel="exponential").fit([[0.0]])
    expected = np.log(2e-30) / np.sqrt(2)
    np.testing.assert_allclose(model.quantile([1e-30]), expected, rtol=1e-12)


@pytest.mark.parametrize("d", [1, 2, 16])
@pytest.mark.parametrize("method", ["direct", "tree", "boxes"])
def test_a_constant_offset_costs_no_digits(d, method):
    if method == "boxes" and d > 2:
        return
    x = np.round(1e-2 * rows(300, d) * 2**20) / 2**20  # so that the sum with 1e9 is exact
    for bandwidth in (1e-3, np.eye(d) * 2e-6 - 1e-6 / d):
        model = synth.KernelDensity(bandwidth, method=method).fit(x)
        away = synth.KernelDensity(bandwidth, method=method).fit(1e9 + x)
        np.testing.assert_allclose(
            away.log_prob(1e9 + x[:50]), model.log_prob(x[:50]), rtol=1e-12, atol=1e-9
        )
        np.testing.assert_allclose(
            away.gradient(1e9 + x[:50]), model.gradient(x[:50]), rtol=1e-9, atol=1e-6
        )
    np.testing.assert_allclose(
        away.denoise(1e9 + x[:50], 1e-3) - 1e9, model.denoise(x[:50], 1e-3), atol=1e-6
    )
    rule = synth.KernelDensity("loo").fit(1e9 + x).covariance
    np.testing.assert_allclose(rule, synth.KernelDensity("loo").fit(x).covariance, rtol=1e-4)


def test_a_fit_that_fails_leaves_the_model_as_it_was():
    model = synth.KernelDensity(1e-100).fit([[0.0], [1e-100]])
    before = model.log_prob([[0.0]])
    for refused in (model.fit, model.update):
        with pytest.raises(InputError, match="too many bandwidths"):
            refused([[0.0], [1e100], [1.0]])
        assert model.points.tolist() == [[0.0], [1e-100]]
        assert model.log_prob([[0.0]]) == before


def test_densities_of_other_kernels_do_not_merge():
    x = np.abs(rows(20, 1))
    other = {
        "kernel": synth.KernelDensity(1.0, kernel="tophat"),
        "adaptive": synth.KernelDensity(1.0, adaptive=True),
        "bounds": synth.KernelDensity(1.0, bounds={0: (0, np.inf)}),
        "period": synth.KernelDensity(1.0, period={0: (0, 9)}),
        "bandwidth": synth.KernelDensity(2.0),
    }
    for name, model in other.items():
        with pytest.raises(InputError, match=name):
            synth.KernelDensity(1.0).fit(x).merge(model.fit(x))
    synth.KernelDensity().fit(x).merge(synth.KernelDensity(1.0, method="tree").fit(x))


def test_noise_too_small_for_the_rows_is_refused():
    model = synth.KernelDensity(1.0).fit([[0.0, 0.0], [1.0, 1.0]])
    with pytest.raises(InputError, match="sigma is 1e-160, too small"):
        model.denoise([[0.0, 0.0]], 1e-160)
    np.testing.assert_array_equal(model.denoise([[0.1, 0.2]], 1e-140), [[0, 0]])
    with pytest.raises(InputError, match="row 1 of q lies too many bandwidths"):
        synth.KernelDensity(1e-20).fit([[0.0]]).gradient([0.0, 1e140])


def test_repeated_rows_have_no_best_bandwidth():
    x = np.repeat(rows(30, 1), 2, axis=0)
    with pytest.warns(UserWarning, match="0.02 of Scott's: the data repeat"):
        synth.KernelDensity("loo").fit(x)
