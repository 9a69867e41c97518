"""`synth.EfrosLeung` where little is left to look at, or what it is given is odd."""

from __future__ import annotations

import numpy as np
import pytest
from test_efros_leung import ORDERS, texture

import synth
from synth.errors import InputError


def test_where_every_candidate_is_barred_a_longer_copy_is_taken():
    exemplar = np.random.default_rng(0).integers(0, 256, (5, 4), np.uint8)
    for order in ORDERS:
        sample = synth.EfrosLeung(3).fit(exemplar).sample((20, 20), max_copy=1, order=order)
        drawn = sample.order >= 0
        assert (sample.candidates[drawn] > 0).all()
        assert np.isfinite(sample.log_q).all()
        assert (sample.source[drawn] >= 0).all()


def test_scores_do_not_underflow():
    model = synth.EfrosLeung(5, floor=0, value_scale=0.1).fit(np.zeros((20, 20), np.uint8))
    scores = model.log_prob(np.full((6, 6), 200, np.uint8))
    ratio = np.exp(-10.0)  # the kernel on 0 … 255 around 0
    np.testing.assert_allclose(scores, -2000 - np.log(1 / (1 - ratio)), rtol=1e-9)


def test_float_densities_end_where_the_exemplar_does():
    exemplar = (texture((20, 20)) > 128).astype(np.float64)
    model = synth.EfrosLeung(5, floor=0.2).fit(exemplar)
    image = exemplar[:5, :5].copy()
    density = []
    grid = np.linspace(0, 1, 2001)
    for value in grid:
        image[2, 2] = value
        density.append(np.exp(model.log_prob(image)[2, 2]))
    assert np.trapezoid(density, grid) == pytest.approx(1, abs=2e-3)
    image[2, 2] = 1.5
    assert np.isneginf(model.log_prob(image)[2, 2])
    with pytest.raises(InputError, match="laplace"):
        synth.EfrosLeung(5, value_kernel="none").fit(exemplar).log_prob(image)


def test_a_model_keeps_what_it_was_fitted_to():
    exemplar = texture((24, 24))
    model = synth.EfrosLeung(5).fit(exemplar)
    before = model.sample((9, 9)).image
    exemplar[:] = 0
    np.testing.assert_array_equal(model.sample((9, 9)).image, before)


def test_an_exemplar_without_usable_pixels_takes_no_part():
    image = texture((24, 24)) / 255.0
    nothing = np.ones((24, 24), bool)
    both = synth.EfrosLeung(5).fit(image * 0, image, mask=[nothing, None])
    alone = synth.EfrosLeung(5).fit(image)
    assert both.bits_per_dim(image) == pytest.approx(alone.bits_per_dim(image))


def test_graphs_and_mappings_are_checked():
    class Sure:
        def next_log_probs(self, values, known, at):
            return np.zeros((len(at), 3))

    graph = synth.DependencyGraph.of("raster", (2, 3), 3)
    with pytest.raises(InputError, match="add up"):
        synth.score_symbols(graph, Sure(), np.zeros((2, 3), int))
    for known in (np.ones((2, 4), bool), np.ones((2, 3), np.uint8)):
        with pytest.raises(InputError, match="known"):
            synth.DependencyGraph.of("onion", (2, 3), 3, known=known)
    for options in (((2,), 3), ((2, 3), 2.5), ((0, 3), 3)):
        with pytest.raises(InputError):
            synth.DependencyGraph.of("raster", *options)
    model = synth.EfrosLeung(5).fit(texture((16, 16)))
    none = model.conditional(texture((8, 8)), np.ones((8, 8), bool), np.zeros((0, 2), int))
    assert len(none) == 0
    assert none.probs().shape == (0, 256)


def test_values_too_far_apart_for_a_float_are_refused():
    wide = np.random.default_rng(0).uniform(-1.7, 1.7, (12, 12)) * 1e308
    with pytest.raises(InputError, match=r"from -1\.\d+e\+308 to .*divide all images by 2"):
        synth.EfrosLeung(5).fit(wide)
    synth.EfrosLeung(5).fit(wide / 2)
