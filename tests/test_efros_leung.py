"""`synth.EfrosLeung` against the naive algorithm, and what holds for any texture."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import noise
from naive_efros_leung import naive_log_prob, naive_sample, naive_support

import synth
from synth.errors import InputError, InputTypeError

ORDERS = ("onion", "raster", "spiral", "random", "multiscale")
RULES = {
    "uniform_eps": lambda model: ("uniform_eps", model.eps * model.temperature),
    "softmax": lambda model: ("softmax", model.temperature * model.noise_level),
    "softmax_relative": lambda model: ("softmax_relative", model.temperature),
}


def texture(shape, seed=0):
    """Return blobs of a few pixels: something that windows can be told apart by."""
    from scipy import ndimage

    rough = np.random.default_rng(seed).normal(size=shape)
    smooth = ndimage.gaussian_filter(rough, (1.2, 1.2, *[0] * (len(shape) - 2)))
    return np.clip(128 + 160 * smooth, 0, 255).astype(np.uint8)


def levels(image):
    return np.atleast_3d(image).astype(np.float64)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("weighting", RULES)
def test_same_pixels_as_the_naive_scan(order, weighting):
    exemplar = texture((21, 19))
    model = synth.EfrosLeung(7, weighting=weighting, temperature=0.5).fit(exemplar)
    sample = model.sample((14, 13), order=order, seed=3)
    known = np.where(sample.order < 0, sample.image, 0)
    image, source = naive_sample(
        levels(exemplar), sample.order, levels(known), 7, model.sigma, RULES[weighting](model), 3
    )
    np.testing.assert_array_equal(sample.image, image[..., 0])
    drawn = sample.order >= 0
    np.testing.assert_array_equal(sample.source[drawn][:, 1:], source[drawn])


@pytest.mark.parametrize("borders", ["inside", "masked"])
@pytest.mark.parametrize("periodic", [False, True])
def test_colour_borders_and_wrap_as_the_naive_scan(borders, periodic):
    exemplar = texture((17, 18, 3), 1)
    mask = np.zeros((17, 18), bool)
    mask[7:9, 11:14] = True
    model = synth.EfrosLeung(5, borders=borders).fit(exemplar, mask=mask)
    sample = model.sample((11, 12), periodic=periodic, seed=5)
    known = np.where(sample.order[..., None] < 0, sample.image, 0)
    image, _ = naive_sample(
        levels(exemplar), sample.order, known, 5, model.sigma, ("uniform_eps", 0.1), 5,
        periodic=periodic, usable=~mask, borders=borders,
    )  # fmt: skip
    np.testing.assert_array_equal(sample.image, image)


def test_guide_as_the_naive_scan():
    exemplar, guide = texture((20, 20)), np.zeros((20, 20), np.uint8)
    guide[:, 10:] = 255
    ours = np.zeros((10, 12), np.uint8)
    ours[5:] = 255
    model = synth.EfrosLeung(5).fit(exemplar, guide=guide, guide_weight=0.5)
    sample = model.sample((10, 12), order="raster", guide=ours, seed=2)
    image, source = naive_sample(
        levels(exemplar), sample.order, np.zeros((10, 12, 1)), 5, model.sigma,
        ("uniform_eps", 0.1), 2, guide=(levels(guide), levels(ours), 0.5),
    )  # fmt: skip
    np.testing.assert_array_equal(sample.image, image[..., 0])
    labels = guide[source[..., 0], source[..., 1]]
    assert (labels[2:-2] == ours[2:-2])[:, 2:-2].mean() > 0.7


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_every_value_comes_from_the_exemplar(dtype):
    exemplar = noise((16, 16, 2), dtype)
    sample = synth.EfrosLeung(5).fit(exemplar).sample((9, 20), seed=1)
    number, row, column = np.moveaxis(sample.source, -1, 0)
    assert sample.image.dtype == exemplar.dtype
    assert (number == 0).all()
    np.testing.assert_array_equal(sample.image, exemplar[row, column])


def test_several_exemplars_of_different_sizes():
    dark, light = texture((20, 16)) // 4, 192 + texture((14, 24), 1) // 4
    sample = synth.EfrosLeung(5, eps=3).fit(dark, light).sample((24, 24), order="random", seed=0)
    number, row, column = np.moveaxis(sample.source, -1, 0)
    assert set(number.ravel()) == {0, 1}
    for which, exemplar in enumerate((dark, light)):
        own = number == which
        np.testing.assert_array_equal(sample.image[own], exemplar[row[own], column[own]])


def test_same_bytes_for_any_number_of_threads(monkeypatch):
    model = synth.EfrosLeung(7).fit(texture((24, 24)))
    results = []
    for count in ("1", "3"):
        monkeypatch.setenv("SYNTH_NUM_THREADS", count)
        results.append(
            (model.sample((20, 20), seed=4).image, model.log_prob(texture((20, 20), 2)))
        )
    for first, second in zip(*results, strict=True):
        np.testing.assert_array_equal(first, second)


def test_another_seed_is_another_image():
    model = synth.EfrosLeung(5).fit(texture((24, 24)))
    first = model.sample((16, 16), seed=0).image
    np.testing.assert_array_equal(first, model.sample((16, 16), seed=0).image)
    assert (first != model.sample((16, 16), seed=1).image).any()


def test_known_pixels_are_kept_and_a_missing_stripe_is_found():
    stripes = np.tile(np.array([0, 0, 0, 255, 255, 255], np.uint8), (24, 4))
    hole = np.zeros(stripes.shape, bool)
    hole[8:16, 8:16] = True
    sample = (
        synth.EfrosLeung(7)
        .fit(stripes, mask=hole)
        .sample(stripes.shape, init=np.where(hole, 99, stripes).astype(np.uint8), known=~hole)
    )
    np.testing.assert_array_equal(sample.image, stripes)
    assert (sample.order[~hole] == -1).all()
    assert (sample.source[~hole] == -1).all()


def test_periodic_wraps():
    exemplar = texture((40, 40))
    sample = synth.EfrosLeung(7).fit(exemplar).sample((24, 24), periodic=True, seed=2).image
    image = sample.astype(float)
    for axis in (0, 1):
        inner = np.abs(np.diff(image, axis=axis)).mean(axis=1 - axis)
        seam = np.abs(np.take(image, 0, axis) - np.take(image, -1, axis)).mean()
        assert seam <= inner.max()


def test_max_copy_keeps_copies_short():
    exemplar = texture((48, 48))
    model = synth.EfrosLeung(9).fit(exemplar)
    free, kept = model.sample((40, 40), seed=0), model.sample((40, 40), seed=0, max_copy=3)
    assert kept.copy_map().max() < free.copy_map().max() / 2
    # three steps from where it began reach a square of seven at most
    assert kept.copy_map()[kept.order >= 0].max() <= 49


def test_log_prob_as_the_naive_formula():
    exemplar, image = texture((18, 18, 2)), texture((7, 8, 2), 1)
    model = synth.EfrosLeung(5, weighting="softmax", value_scale=3, floor=0.05).fit(exemplar)
    found = model.log_prob(image)
    rank = np.arange(56).reshape(7, 8)
    for y, x in np.ndindex(7, 8):
        places, _, weights = naive_support(
            levels(exemplar), levels(image), rank < rank[y, x], y, x, 5, model.sigma,
            RULES["softmax"](model),
        )  # fmt: skip
        values = exemplar[places[:, 0], places[:, 1]]
        wanted = naive_log_prob(values, weights, image[y, x], 3.0, 0.05)
        assert found[y, x] == pytest.approx(wanted, abs=1e-9)


def test_unsmoothed_rule_is_no_density():
    exemplar = texture((20, 20)) // 2 * 2
    bare = synth.EfrosLeung(5, value_kernel="none", floor=0).fit(exemplar)
    odd = exemplar[:8, :8] + 1
    assert np.isneginf(bare.log_prob(odd)).all()
    assert np.isfinite(synth.EfrosLeung(5).fit(exemplar).log_prob(odd)).all()
    grown = bare.sample((10, 10), order="raster", seed=1)
    np.testing.assert_allclose(bare.log_prob(grown.image), grown.log_q, atol=1e-12)


def test_conditional_is_a_distribution_and_agrees_with_log_prob():
    exemplar, image = texture((20, 20)), texture((9, 9), 3)
    model = synth.EfrosLeung(5, weighting="softmax_relative").fit(exemplar)
    rank = np.arange(81).reshape(9, 9)
    scores = model.log_prob(image)
    for y, x in ((4, 4), (8, 2), (0, 0)):
        conditional = model.conditional(image, rank < rank[y, x], [[y, x]])
        probabilities = conditional.probs()
        assert probabilities.sum() == pytest.approx(1, abs=1e-12)
        assert np.log(probabilities[0, image[y, x]]) == pytest.approx(scores[y, x], abs=1e-9)
        assert np.exp(conditional.log_weight).sum() == pytest.approx(1)
        assert 0 <= conditional.entropy()[0] <= np.log(len(conditional.values)) + 1e-12
        coarse = conditional.probs(16)
        np.testing.assert_allclose(coarse[0], probabilities[0].reshape(16, 16).sum(1), atol=1e-12)
        assert conditional.sample(7)[0] in conditional.values


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_probabilities_of_other_types(dtype):
    exemplar = noise((16, 16), dtype)
    model = synth.EfrosLeung(5).fit(exemplar)
    known = np.ones((16, 16), bool)
    conditional = model.conditional(exemplar, known, [[8, 8], [3, 4]])
    np.testing.assert_allclose(conditional.probs(32).sum(axis=1), 1)
    assert np.isfinite(model.log_prob(exemplar)).all()


def test_float_density_integrates_to_one():
    exemplar = noise((14, 14), "float64")
    model = synth.EfrosLeung(3, value_scale=4, floor=0).fit(exemplar)
    image = np.zeros((3, 3))
    grid = np.linspace(exemplar.min() - 1, exemplar.max() + 1, 4001)
    density = []
    for value in grid:
        image[1, 1] = value
        density.append(np.exp(model.log_prob(image)[1, 1]))
    assert np.trapezoid(density, grid) == pytest.approx(1, abs=2e-3)


def test_bits_of_a_markov_chain_come_near_its_entropy():
    rng = np.random.default_rng(0)
    stay = 0.9
    flips = rng.random((120, 120)) > stay
    field = (np.cumsum(flips, axis=1) % 2 * 255).astype(np.uint8)
    entropy = -(stay * np.log2(stay) + (1 - stay) * np.log2(1 - stay))
    model = synth.EfrosLeung(
        3, weighting="uniform_eps", value_kernel="none", floor=1e-6, sigma=0.35, eps=0.01
    ).fit(field)
    flips = rng.random((40, 120)) > stay
    other = (np.cumsum(flips, axis=1) % 2 * 255).astype(np.uint8)
    assert model.bits_per_dim(other) == pytest.approx(entropy, rel=0.08)


def test_left_out_windows_cost_likelihood():
    exemplar = texture((40, 40))
    model = synth.EfrosLeung(7).fit(exemplar)
    kept, left_out = (model.bits_per_dim(exemplar, leave_out=n) for n in (None, 7))
    assert kept < left_out - 1


def test_select_takes_the_likeliest():
    model = synth.EfrosLeung(7, weighting="softmax").fit(texture((40, 40)))
    chosen = model.select({"window": [3, 5, 7], "temperature": [0.1, 1.0]}, pixels=200)
    assert len(chosen.selection) == 6
    best, nats = chosen.selection[0]
    assert nats == max(row[1] for row in chosen.selection)
    assert (chosen.window, chosen.temperature) == (best["window"], best["temperature"])
    assert chosen.sigma == pytest.approx(best["window"] / 6.4)


def test_top_k_and_top_p_narrow_the_support():
    exemplar = texture((30, 30))
    known = np.ones(exemplar.shape, bool)
    at = [[15, 15], [9, 20]]

    def sizes(**options):
        model = synth.EfrosLeung(5, weighting="softmax", **options).fit(exemplar)
        return np.diff(model.conditional(exemplar, known, at).start)

    every = sizes()
    np.testing.assert_array_equal(sizes(top_k=3), 3)
    assert (sizes(top_p=0.5) < every).all()


@pytest.mark.parametrize("order", ORDERS)
def test_levels_are_what_could_run_at_once(order):
    graph = synth.DependencyGraph.of(order, (11, 13), 5, seed=1)
    matrix, levels_ = graph.matrix().toarray() > 0, graph.levels().ravel()
    rank = graph.rank.ravel()
    assert sorted(rank) == list(range(143))
    for pixel in range(143):
        earlier = np.flatnonzero(matrix[pixel])
        assert (rank[earlier] < rank[pixel]).all()
        assert levels_[pixel] == levels_[earlier].max(initial=-1) + 1
    assert graph.depth == levels_.max() + 1
    assert sum(map(len, graph.by_level())) == 143


def test_the_engine_scores_as_the_model_does():
    exemplar, image = texture((20, 20)), texture((8, 9), 3)
    model = synth.EfrosLeung(5).fit(exemplar)
    for order in ("raster", "onion"):
        graph = synth.DependencyGraph.of(order, image.shape, 5, seed=0)
        np.testing.assert_allclose(
            synth.score_symbols(graph, model, image), model.log_prob(image, order=order), atol=1e-9
        )


def test_one_engine_runs_a_markov_chain_of_letters():
    class Chain:
        """Letters that follow one another by a matrix; the first is of its last row."""

        matrix = np.array([[0.1, 0.9, 0.0], [0.0, 0.2, 0.8], [0.5, 0.0, 0.5], [1.0, 0.0, 0.0]])

        def next_log_probs(self, values, known, at):
            left = np.where(at[:, 1] > 0, values[0, at[:, 1] - 1], 3)
            with np.errstate(divide="ignore"):
                return np.log(self.matrix[left])

    graph = synth.DependencyGraph.of("raster", (1, 4000), (1, 3))
    line = synth.sample_symbols(graph, Chain(), seed=1)[0]
    counts = np.zeros((3, 3))
    np.add.at(counts, (line[:-1], line[1:]), 1)
    np.testing.assert_allclose(
        counts / counts.sum(axis=1, keepdims=True), Chain.matrix[:3], atol=0.05
    )
    scores = synth.score_symbols(graph, Chain(), line[None])
    assert np.isfinite(scores).all()
    assert np.isneginf(synth.score_symbols(graph, Chain(), line[None, ::-1])).any()
    known = np.arange(4000)[None] < 10
    given = synth.DependencyGraph.of("raster", (1, 4000), (1, 3), known=known)
    again = synth.sample_symbols(given, Chain(), init=line[None], seed=2)
    np.testing.assert_array_equal(again[0, :10], line[:10])
    with pytest.raises(InputError, match="init"):
        synth.sample_symbols(given, Chain())


def test_a_mapping_that_is_no_distribution_is_told():
    class Half:
        def next_log_probs(self, values, known, at):
            return np.log(np.full((len(at), 2), 0.25))

    graph = synth.DependencyGraph.of("raster", (2, 2), 3)
    with pytest.raises(InputError, match="add up"):
        synth.sample_symbols(graph, Half())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: synth.EfrosLeung(4), "odd"),
        (lambda m: synth.EfrosLeung(5, temperature=0), "temperature"),
        (lambda m: synth.EfrosLeung(5, weighting="soft"), "weighting"),
        (lambda m: synth.EfrosLeung(5, top_p=2), "top_p"),
        (lambda m: synth.EfrosLeung(5).sample((4, 4)), "fit"),
        (lambda m: synth.EfrosLeung(11).fit(texture((8, 8))), "larger exemplar"),
        (lambda m: synth.EfrosLeung(5).fit(texture((9, 9)), mask=np.eye(9) > 0), "mask"),
        (lambda m: synth.EfrosLeung(5).fit(np.full((9, 9), np.nan)), "NaN"),
        (lambda m: synth.EfrosLeung(5).fit(texture((9, 9)), texture((9, 9, 3))), "same type"),
        (lambda m: synth.EfrosLeung(5).fit(), "no exemplar"),
        (lambda m: m.sample((0, 4)), "shape"),
        (lambda m: m.sample((4, 4), order="zigzag"), "zigzag"),
        (lambda m: m.sample((4, 4), order=np.zeros((3, 3))), "order"),
        (lambda m: m.sample((4, 4), known=np.ones((4, 4), bool)), "init"),
        (lambda m: m.sample((4, 4), guide=np.zeros((4, 4), np.uint8)), "guide"),
        (lambda m: m.sample((4, 4), max_copy=0), "max_copy"),
        (lambda m: m.log_prob(texture((4, 4, 3))), "channels"),
        (lambda m: m.log_prob(texture((4, 4)), leave_out=5), "leave_out"),
        (lambda m: m.conditional(texture((4, 4)), np.ones((4, 4), bool), [[9, 9]]), "outside"),
        (lambda m: m.select({"sharpness": [1]}), "sharpness"),
    ],
)
def test_errors_say_what_is_needed(call, words):
    model = synth.EfrosLeung(5).fit(texture((16, 16)))
    with pytest.raises((InputError, InputTypeError), match=words):
        call(model)


def test_a_callback_can_stop_it():
    class Stop(Exception):
        pass

    def stop(progress):
        if progress.fraction > 0.3:
            raise Stop

    with pytest.raises(Stop):
        synth.EfrosLeung(5).fit(texture((16, 16))).sample((20, 20), callback=stop)


def test_k_coherence_takes_pixels_of_the_exemplar_and_fits_nearly_as_well():
    exemplar = texture((40, 40))
    model = synth.EfrosLeung(7).fit(exemplar)
    exact = model.sample((30, 30), seed=1)
    near = model.sample((30, 30), seed=1, search="kcoherence")
    assert (exact.search, near.search) == ("exact", "kcoherence")
    np.testing.assert_array_equal(near.image, exemplar[near.source[..., 1], near.source[..., 2]])
    drawn = near.order >= 0
    assert near.d_min[drawn].mean() < 3 * exact.d_min[drawn].mean() + 50
    assert near.candidates[drawn].max() <= 25 * 11
    with pytest.raises(InputError, match="search"):
        model.sample((8, 8), search="pca")
    with pytest.raises(InputError, match="inside"):
        synth.EfrosLeung(7, borders="masked").fit(exemplar).sample((8, 8), search="kcoherence")
