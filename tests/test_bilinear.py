"""Bilinear models: exact where the data are bilinear, least squares where they are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import synth
from synth.errors import InputError, InputTypeError

S, C, F = 6, 8, 15


def asymmetric(inner=3, seed=0, noise=0.0):
    rng = np.random.default_rng(seed)
    y = np.einsum("sfj,cj->scf", rng.normal(size=(S, F, inner)), rng.normal(size=(C, inner)))
    return y + noise * rng.normal(size=y.shape)


def symmetric(outer=2, inner=3, seed=0, noise=0.0):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(S, outer)) + 2 * (np.arange(outer) == 0)
    w, b = rng.normal(size=(F, outer, inner)), rng.normal(size=(C, inner))
    y = np.einsum("fij,si,cj->scf", w, a, b)
    return y + noise * rng.normal(size=y.shape)


def table(model):
    return np.array([[model.predict(s, c) for c in range(C)] for s in range(S)])


@given(st.integers(1, 5), st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_asymmetric_data_are_recovered(inner, seed):
    y = asymmetric(inner, seed)
    model = synth.BilinearModel(inner).fit(y)
    np.testing.assert_allclose(table(model), y, atol=1e-9)
    assert model.error < 1e-9


@given(st.integers(1, 3), st.integers(1, 4), st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_symmetric_data_are_recovered(outer, inner, seed):
    y = symmetric(outer, inner, seed)
    model = synth.BilinearModel(inner, outer).fit(y)
    np.testing.assert_allclose(table(model), y, atol=1e-9)


def test_one_decomposition_is_the_best_asymmetric_fit():
    y = asymmetric(4, noise=0.5)
    stacked = y.transpose(0, 2, 1).reshape(-1, C)
    left = np.square(np.linalg.svd(stacked, compute_uv=False)[2:]).sum()
    model = synth.BilinearModel(2).fit(y)
    assert model.error**2 * y.size == pytest.approx(left)


def test_iterated_decomposition_is_no_worse_than_one_of_each():
    y = symmetric(4, 5, noise=0.5)
    model = synth.BilinearModel(3, 2).fit(y)
    unfolded = [y.transpose(k, *(n for n in range(3) if n != k)).reshape(len(y), -1) for k in (0,)]
    a = np.linalg.svd(unfolded[0], full_matrices=False)[0][:, :2]
    b = np.linalg.svd(y.transpose(1, 0, 2).reshape(C, -1), full_matrices=False)[0][:, :3]
    once = np.einsum("scf,si,cj,ti,dj->tdf", y, a, b, a, b, optimize=True)
    assert model.error <= np.sqrt(np.square(once - y).mean()) + 1e-12


@pytest.mark.parametrize("outer", [None, 2])
def test_unseen_pairs_are_predicted(outer):
    y = asymmetric() if outer is None else symmetric()
    seen = y.copy()
    for s, c in ((0, 0), (1, 5), (5, 7), (5, 2), (3, 3)):
        seen[s, c] = np.nan
    model = synth.BilinearModel(3, outer).fit(seen)
    np.testing.assert_allclose(table(model), y, atol=2e-4 * np.abs(y).max())


@pytest.mark.parametrize("outer", [None, 2])
def test_with_gaps_the_fit_is_a_minimum(outer):
    y = symmetric(3, 4, noise=0.3)
    hidden = np.random.default_rng(1).random((S, C)) < 0.2
    y[hidden] = np.nan
    model = synth.BilinearModel(3, outer, max_iter=5000, tol=1e-15).fit(y)
    best = model.error
    rng = np.random.default_rng(2)
    for _ in range(5):  # no small step is better
        keep = model.contents
        model.contents = keep + 1e-3 * rng.normal(size=keep.shape)
        moved = np.sqrt(np.nanmean(np.square(table(model) - y)))
        model.contents = keep
        assert moved >= best - 1e-9


@pytest.mark.parametrize("outer", [None, 2])
def test_a_new_style_is_carried_to_unseen_contents(outer):
    y = asymmetric() if outer is None else symmetric()
    model = synth.BilinearModel(3, outer).fit(y[:-1])
    new = y[-1].copy()
    new[[1, 4, 6]] = np.nan
    np.testing.assert_allclose(model.extrapolate(new), y[-1], atol=1e-7)
    style = model.style_of(new)
    np.testing.assert_allclose(model.predict(style, 4), y[-1, 4], atol=1e-7)


def test_few_observations_are_shrunk_towards_known_styles():
    y = symmetric()  # a new style is a combination of the others
    model = synth.BilinearModel(3).fit(y[:-1])
    new = np.full_like(y[-1], np.nan)
    new[:2] = y[-1, :2]
    with pytest.raises(InputError, match="2 contents were seen in the new style, but 3"):
        model.extrapolate(new)
    np.testing.assert_allclose(model.extrapolate(new, shrink=1.0), y[-1], atol=1e-6)


def test_a_new_content_in_a_new_style_is_taken_apart():
    y = symmetric(2, 3, seed=4)
    model = synth.BilinearModel(3, 2).fit(y[1:, 1:])
    found = model.translate(y[0, 0])
    assert found.error < 1e-5
    scale = (found.in_known_styles * y[1:, 0]).sum() / np.square(y[1:, 0]).sum()
    np.testing.assert_allclose(found.in_known_styles / scale, y[1:, 0], atol=1e-3)
    np.testing.assert_allclose(found.known_contents * scale, y[0, 1:], atol=1e-3)
    np.testing.assert_allclose(model.predict(found.style, found.content), y[0, 0], atol=1e-4)


def test_errors():
    y = asymmetric()
    fit = synth.BilinearModel(3).fit
    with pytest.raises(InputError, match=r"call fit\(observations\) first"):
        synth.BilinearModel(2).predict(0, 0)
    with pytest.raises(InputError, match=r"\(6, 8\), but \(styles, contents, features\)"):
        fit(y[:, :, 0])
    with pytest.raises(InputTypeError, match="numbers are needed"):
        fit(np.array([[["a"]]]))
    with pytest.raises(InputError, match="content_factors is 9, but there are 8 contents"):
        synth.BilinearModel(9).fit(y)
    with pytest.raises(InputError, match="style_factors is 7, but there are 6 styles"):
        synth.BilinearModel(3, 7).fit(y)
    holes = y.copy()
    holes[2, 3:] = np.nan
    holes[2, :1] = np.nan
    with pytest.raises(InputError, match="style 2 was seen in 2 contents, but at least 3"):
        fit(holes)
    holes = y.copy()
    holes[:, 4] = np.nan
    with pytest.raises(InputError, match="content 4 was seen in 0 styles, but at least 1"):
        fit(holes)
    holes = y.copy()
    holes[1, 2, 3] = np.nan
    with pytest.raises(InputError, match="style 1, content 2 has NaN in 1 of 15 features"):
        fit(holes)
    with pytest.raises(InputError, match="infinity"):
        fit(np.where(y > 3, np.inf, y))
    model = fit(y)
    with pytest.raises(InputError, match="style is 6, but there are 0 … 5"):
        model.predict(6, 0)
    with pytest.raises(InputError, match=r"content has shape \(2,\), but \(3,\)"):
        model.predict(0, np.zeros(2))
    with pytest.raises(InputError, match="asymmetric model cannot tell"):
        model.translate(y[0, 0])
    with pytest.raises(InputError, match="no content was seen"):
        model.extrapolate(np.full((C, F), np.nan))
    with pytest.raises(InputError, match=r"of the fit are \(8, 15\)"):
        model.extrapolate(np.zeros((C, 3)))
    with pytest.raises(InputError, match="shrink is for asymmetric"):
        synth.BilinearModel(2, 2).fit(y).style_of(y[0], shrink=1.0)
