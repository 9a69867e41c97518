"""Whatever is given to densities, classifiers and priors: an answer, or an error that says why."""

import io

import numpy as np
import pytest

import synth
from synth.arguments import check_number, shown
from synth.errors import DeviceError, InputError, InputTypeError

X = np.random.default_rng(0).normal(size=(30, 2))
Y = np.repeat([0, 1], 15)
PICTURE = np.random.default_rng(1).random((16, 16))


class AsArray:
    """What other libraries' tables are to NumPy."""

    def __array__(self, dtype=None, copy=None):
        return X.astype(dtype) if dtype is not None else X


GARBAGE = {
    "None": None,
    "text": "hello",
    "digits": "1",
    "object": object(),
    "mapping": {"a": 1},
    "set": {1, 2},
    "function": len,
    "class": synth.GaussianMixture,
    "words": np.array([["a", "b"]]),
    "mixed": np.array([[1, 2], [3, "a"]], object),
    "ragged": [[1, 2], [3]],
    "complex": X + 1j,
    "dates": np.array(["2020-01-01"], "M8[D]"),
    "no rows": np.empty((0, 2)),
    "no columns": np.empty((3, 0)),
    "empty": [],
    "one number": 3.0,
    "fraction": 0.5,
    "negative": -1,
    "true": True,
    "nan": float("nan"),
    "infinite": float("inf"),
    "vast": 10**400,
    "cube": np.zeros((2, 2, 2)),
    "gap": np.where(np.arange(60).reshape(30, 2) == 3, np.nan, X),
    "hole": np.ma.masked_array(X, X > 1),
    "wide": np.zeros((30, 3)),
    "one row": X[:1],
    "constant": np.ones((30, 2)),
    "far": X * 1e160,
    "good": X,
}


def _fitted():
    kernels, mixture = synth.KernelDensity().fit(X), synth.GaussianMixture(2).fit(X)
    classifier = synth.BayesClassifier({0: kernels, 1: mixture})
    conditional = synth.ConditionalDensity(synth.GaussianMixture(2)).fit(X[:, 0], X[:, 1])
    bilinear = synth.BilinearModel(2, 2).fit(np.random.default_rng(0).normal(size=(3, 4, 5)))
    prior = synth.PatchPrior(2, patch=4, max_iter=2).fit(PICTURE)
    copula = synth.Copula(core=synth.GaussianMixture(1)).fit(X)
    return kernels, mixture, classifier, conditional, bilinear, prior, copula


K, M, B, C, T, P, U = _fitted()
G = synth.GaussianMixture


def _posterior(**options):
    sampler = synth.PosteriorSampler(options.pop("prior", M), options.pop("classifier", B))
    return sampler.sample(**{"n": 2, "label": 0, "candidates": 50, **options})


CALLS = {
    "mixture components": lambda v: G(v).fit(X),
    "mixture covariance": lambda v: G(2, covariance=v),
    "mixture factors": lambda v: G(2, covariance="factor", factors=v).fit(X),
    "mixture init": lambda v: G(2, init=v).fit(X),
    "mixture max_iter": lambda v: G(2, max_iter=v),
    "mixture tol": lambda v: G(2, tol=v),
    "mixture restarts": lambda v: G(2, restarts=v),
    "mixture ridge": lambda v: G(2, ridge=v).fit(X),
    "mixture dtype": lambda v: G(2, dtype=v),
    "mixture seed": lambda v: G(2, seed=v),
    "mixture device": lambda v: G(2, device=v),
    "mixture fit": lambda v: G(2, max_iter=3).fit(v).sample(3),
    "mixture weights": lambda v: G(2, max_iter=3).fit(X, v),
    "mixture step": lambda v: G.load(_copy(M)).partial_fit(v),
    "mixture of weights": lambda v: G.of(v, [[0.0]], [[[1.0]]]),
    "mixture of means": lambda v: G.of([1.0], v, [[[1.0]]]),
    "mixture of covariances": lambda v: G.of([1.0], [[0.0]], v),
    "mixture log_prob": M.log_prob,
    "mixture responsibilities": M.responsibilities,
    "mixture marginal": M.marginal,
    "mixture given": M.given,
    "mixture given value": lambda v: M.given({0: v}),
    "mixture sample": lambda v: M.sample(v),
    "mixture sample seed": lambda v: M.sample(2, seed=v),
    "mixture save": M.save,
    "mixture save columns": lambda v: M.save(io.BytesIO(), columns=v),
    "mixture load": G.load,
    "select x": lambda v: synth.select_mixture(v, components=[1], covariances=["full"]),
    "select components": lambda v: synth.select_mixture(X, components=v, covariances=["full"]),
    "select covariances": lambda v: synth.select_mixture(X, components=[1], covariances=v),
    "select by": lambda v: synth.select_mixture(X, components=[1], by=v),
    "copula marginals": lambda v: synth.Copula(v, core=G(1)).fit(X),
    "copula core": lambda v: synth.Copula(core=v).fit(X),
    "copula seed": lambda v: synth.Copula(seed=v),
    "copula fit": lambda v: synth.Copula("levels", core=G(1)).fit(v),
    "copula log_prob": U.log_prob,
    "copula given": U.given,
    "copula given value": lambda v: U.given({1: v}),
    "empirical fit": lambda v: synth.Empirical().fit(v).log_prob(X),
    "empirical weights": lambda v: synth.Empirical().fit(X, v),
    "kernels bandwidth": lambda v: synth.KernelDensity(v).fit(X),
    "kernels kernel": lambda v: synth.KernelDensity(kernel=v),
    "kernels method": lambda v: synth.KernelDensity(method=v),
    "kernels rtol": lambda v: synth.KernelDensity(rtol=v),
    "kernels dtype": lambda v: synth.KernelDensity(dtype=v),
    "kernels adaptive": lambda v: synth.KernelDensity(adaptive=v),
    "kernels bounds": lambda v: synth.KernelDensity(bounds=v).fit(X),
    "kernels bound": lambda v: synth.KernelDensity(bounds={0: v}).fit(X),
    "kernels period": lambda v: synth.KernelDensity(period={0: (-9, v)}).fit(X),
    "kernels fit": lambda v: synth.KernelDensity("isj").fit(v).sample(3),
    "kernels merge": lambda v: synth.KernelDensity(0.5).fit(X).merge(v),
    "kernels given": K.given,
    "kernels given value": lambda v: K.given({0: v}),
    "kernels marginal": K.marginal,
    "kernels gradient": K.gradient,
    "kernels denoise": lambda v: K.denoise(X, v),
    "kernels cdf": K.marginal(0).cdf,
    "kernels quantile": K.marginal(0).quantile,
    "kernels log_prob": K.log_prob,
    "kernels weights": lambda v: synth.KernelDensity(0.5).fit(X, v),
    "classifier": lambda v: synth.BayesClassifier(v),
    "classifier density": lambda v: synth.BayesClassifier({0: v}),
    "classifier prior": lambda v: synth.BayesClassifier({0: K}, v),
    "classifier prior value": lambda v: synth.BayesClassifier({0: K, 1: M}, {0: v, 1: 1}),
    "classifier fit": lambda v: synth.BayesClassifier().fit(v, Y, density=G(1)),
    "classifier labels": lambda v: synth.BayesClassifier().fit(X, v, density=G(1)),
    "classifier fit density": lambda v: synth.BayesClassifier().fit(X, Y, density=v),
    "classifier predict": B.predict,
    "classifier score": lambda v: B.score(X, v),
    "classifier sample": lambda v: B.sample(v),
    "classifier label": lambda v: B.sample(2, label=v),
    "posterior prior": lambda v: _posterior(prior=v),
    "posterior classifier": lambda v: _posterior(classifier=v),
    "posterior answer": lambda v: _posterior(classifier=lambda x, label: v),
    "posterior n": lambda v: _posterior(n=v),
    "posterior label": lambda v: _posterior(label=v),
    "posterior seed": lambda v: _posterior(seed=v),
    "posterior method": lambda v: _posterior(method=v),
    "posterior candidates": lambda v: _posterior(candidates=v),
    "conditional": lambda v: synth.ConditionalDensity(v).fit(X, Y),
    "conditional fit": lambda v: synth.ConditionalDensity(G(1)).fit(v, X),
    "conditional answers": lambda v: synth.ConditionalDensity(G(1)).fit(X, v),
    "conditional given": C.given,
    "conditional log_prob": lambda v: C.log_prob(v, X[:, 0]),
    "conditional known": lambda v: C.log_prob(X[:, 1], v),
    "conditional sample": lambda v: C.sample(v, 2),
    "conditional mean": C.mean,
    "crps samples": lambda v: synth.crps(v, [1.0]),
    "crps outcome": lambda v: synth.crps([[1.0, 2.0]], v),
    "bilinear factors": lambda v: synth.BilinearModel(v),
    "bilinear style factors": lambda v: synth.BilinearModel(2, v) and None,
    "bilinear tol": lambda v: synth.BilinearModel(2, tol=v),
    "bilinear fit": lambda v: synth.BilinearModel(1).fit(v),
    "bilinear predict": lambda v: T.predict(v, 0),
    "bilinear style": T.style_of,
    "bilinear shrink": lambda v: T.style_of(np.ones((4, 5)), shrink=v),
    "bilinear translate": T.translate,
    "prior components": lambda v: synth.PatchPrior(v),
    "prior patch": lambda v: synth.PatchPrior(patch=v),
    "prior seed": lambda v: synth.PatchPrior(seed=v),
    "prior fit": lambda v: synth.PatchPrior(2, patch=4, max_iter=2).fit(v),
    "prior fit sigma": lambda v: synth.PatchPrior(2, patch=4, max_iter=2).fit(PICTURE, sigma=v),
    "prior denoise": lambda v: P.denoise(v, 0.1),
    "prior denoise sigma": lambda v: P.denoise(PICTURE, v),
    "prior stride": lambda v: P.denoise(PICTURE, 0.1, stride=v),
    "prior fill": lambda v: P.fill(PICTURE, v),
    "prior callback": lambda v: None if v is len else P.denoise(PICTURE, 0.1, callback=v),
}


def _copy(model):
    held = io.BytesIO()
    model.save(held)
    held.seek(0)
    return held


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_anything_gets_an_answer_or_an_error_of_ours(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = []
    for value in GARBAGE.values():
        if value is len and name in ("posterior classifier", "classifier fit density"):
            continue  # a function that is called, and raises what it raises
        try:
            found = CALLS[name](value)
        except (InputError, InputTypeError, DeviceError) as error:
            told.append(str(error))
        else:
            if isinstance(found, np.ndarray | float):
                assert not np.isnan(found).any()
    assert len(told) > 5
    assert all(len(text) > 20 and "\n" not in text for text in told)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.int8, bool, np.uint64, np.longdouble])
def test_numbers_of_any_kind_and_layout(kind):
    plain = (np.abs(X) * 10).astype(kind)
    wanted = synth.Empirical().fit(plain.astype(float))
    frozen = plain.copy()
    frozen.flags.writeable = False
    for x in (
        plain,
        np.asfortranarray(plain),
        np.repeat(plain, 2, 0)[::2],
        frozen,
        plain.tolist(),
    ):
        model = synth.Empirical().fit(x)
        np.testing.assert_array_equal(model.points, wanted.points)
        if kind is not bool:
            assert np.isfinite(G(2, ridge=0.1).fit(x).score(x))
            assert np.isfinite(synth.KernelDensity(1.0).fit(x).score(x))
    np.testing.assert_array_equal(synth.Empirical().fit(AsArray()).points, np.unique(X, axis=0))


def test_masked_values_are_missing_not_numbers():
    hole = np.ma.masked_array(X, np.arange(60).reshape(30, 2) == 3)
    with pytest.raises(InputError, match="NaN or infinity in 1 rows, the first is row 1"):
        synth.KernelDensity().fit(hole)
    gap = hole.filled(np.nan)
    np.testing.assert_array_equal(G(2).fit(hole).means, G(2).fit(gap).means)


def test_squares_that_are_no_numbers_are_refused():
    with pytest.raises(InputError, match=r"q has 1e\+151 in row 1, column 0.*divide"):
        M.log_prob([[0.0, 0.0], [1e151, 0.0]])
    assert np.isfinite(M.log_prob([[1e130, 0.0]])).all()
    with pytest.raises(InputError, match="row 2, column 1"):
        K.log_prob([[0.0, 0.0], [1.0, 0.0], [0.0, -1e200]])


@pytest.mark.parametrize("model", [
    synth.KernelDensity(), synth.KernelDensity("isj"), G(1), synth.Copula(core=G(1)),
])  # fmt: skip
def test_columns_too_narrow_to_square_are_not_called_constant(model):
    with pytest.raises(InputError, match="too little to tell"):
        model.fit(X * [1, 1e-200])
    with pytest.raises(InputError, match="column 1 is constant"):
        model.fit(X * [1, 0])


def test_messages_name_what_was_given_in_short():
    assert shown(np.zeros((100, 3))) == "an array of float64, (100, 3)"
    assert len(shown(list(range(1000)))) < 100
    with pytest.raises(InputError, match=r"a is 7, but a number in 1 … 5 is needed"):
        check_number(7, "a", 1, 5)
    with pytest.raises(InputTypeError, match="a is True, but a finite number from 0 on"):
        check_number(True, "a", 0)
    with pytest.raises(InputTypeError, match=r"is the class GaussianMixture, .*call it"):
        synth.Copula(core=G)


def test_mixtures_follow_the_devices_rule():
    assert G(1, device="cpu").fit(X).device == "cpu"
    with pytest.raises(DeviceError, match="CPU only"):
        G(1, device="cuda")
