"""Every fitted model lies in a file as it was, and only there is it one."""

import io

import numpy as np
import pytest

import synth
from synth.density.archive import load, read, write
from synth.errors import FileError, InputError, InputTypeError

RNG = np.random.default_rng(0)
X = np.round(RNG.normal(size=(80, 3)) @ RNG.normal(size=(3, 3)), 1)
MIXTURE = synth.GaussianMixture(2).fit(X)

MODELS = {
    "kernels": synth.KernelDensity(kernel="tophat").fit(X, np.arange(80)),
    "mixture": synth.GaussianMixture(2, covariance="factor", factors=1, dtype=np.float32).fit(X),
    "empirical": synth.Empirical().fit(X),
    "copula": synth.Copula().fit(X),
    "copula of kinds": synth.Copula(
        ["levels", "histogram", "kernel"], core=synth.KernelDensity(0.5), seed=2**64 - 1
    ).fit(X),
    "part of a copula": synth.Copula(["kernel", "levels", "histogram"]).fit(X).given({0: 1.0}),
    "classifier": synth.BayesClassifier(
        {"a": MIXTURE, "é,\n": synth.Copula().fit(X)}, {"a": 2, "é,\n": 1}
    ),
    "nested": synth.BayesClassifier(
        {True: synth.BayesClassifier({0: MIXTURE, 1.5: MIXTURE}), 3: MIXTURE}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_there_and_back(tmp_path, name):
    model, file = MODELS[name], tmp_path / "model.npz"
    model.save(file)
    again = type(model).load(file)
    width = model.sample(1).shape[1]
    rows = np.vstack([X[:5, :width], 100 * X[:2, :width]])
    np.testing.assert_array_equal(again.log_prob(rows), model.log_prob(rows))
    np.testing.assert_array_equal(again.sample(20, seed=3), model.sample(20, seed=3))
    assert type(load(file)) is type(model)
    with pytest.raises(FileError, match="exists already"):
        model.save(file)
    other = tmp_path / "again.npz"
    again.save(other)
    np.testing.assert_array_equal(load(other).log_prob(rows), model.log_prob(rows))


@pytest.mark.parametrize("joint", [synth.KernelDensity(), synth.GaussianMixture(2)])
def test_conditionals(tmp_path, joint):
    model = synth.ConditionalDensity(joint).fit(X[:, :2], X[:, 2])
    model.save(tmp_path / "model.npz")
    again = synth.ConditionalDensity.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(again.sample(X[:3, :2], 4), model.sample(X[:3, :2], 4))
    np.testing.assert_array_equal(again.mean(X[:3, :2]), model.mean(X[:3, :2]))


@pytest.mark.parametrize("outer", [None, 2])
def test_styles(tmp_path, outer):
    model = synth.BilinearModel(2, outer, tol=1e-9).fit(RNG.normal(size=(3, 4, 5)))
    model.save(tmp_path / "model.npz")
    again = synth.BilinearModel.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(again.predict(1, 2), model.predict(1, 2))
    assert (again.tol, again.error, again.style_factors) == (1e-9, model.error, outer)


def test_a_fit_starts_afresh_with_the_same_settings(tmp_path):
    model = synth.GaussianMixture(3, tol=1e-3, max_iter=7, restarts=2, dtype=np.float32, seed=5)
    model.fit(X).save(tmp_path / "model.npz")
    again = synth.GaussianMixture.load(tmp_path / "model.npz").fit(X)
    np.testing.assert_array_equal(again.means, model.means)
    fresh = synth.BayesClassifier().fit(X, X[:, 0] > 0, density=synth.GaussianMixture(1))
    fresh.save(tmp_path / "classes.npz")
    loaded = synth.BayesClassifier.load(tmp_path / "classes.npz")
    assert loaded.classes_.tolist() == [False, True]
    assert loaded.fit(X, X[:, 0] > 1, density=MIXTURE).prior[True] < fresh.prior[True]


def test_what_cannot_be_kept_is_told_before_anything_is_written(tmp_path):
    class Own:
        def log_prob(self, x):
            return np.zeros(len(x))

        def sample(self, n, *, seed=0):
            return np.zeros((n, 3))

        def fit(self, x, weights=None):
            return self

    file = tmp_path / "model.npz"
    for model, message in (
        (synth.BayesClassifier({"a": Own()}), "densities.*no save"),
        (synth.BayesClassifier({(1, 2): MIXTURE}), "label"),
        (synth.Copula(core=Own()).fit(X), "core.*no save"),
    ):
        with pytest.raises(InputTypeError, match=message):
            model.save(file)
    for unfitted in (
        synth.KernelDensity(), synth.GaussianMixture(), synth.Copula(), synth.Empirical(),
        synth.BayesClassifier(), synth.ConditionalDensity(synth.KernelDensity()),
        synth.BilinearModel(1), synth.PatchPrior(),
    ):  # fmt: skip
        with pytest.raises(InputError, match="call fit"):
            unfitted.save(file)
    with pytest.raises(InputError, match="3 names"):
        MODELS["copula"].save(file, columns=["a", "b"])
    with pytest.raises(FileError, match="must end in"):
        MODELS["copula"].save(tmp_path / "model.pkl")
    assert not list(tmp_path.iterdir())


def test_files_that_are_no_such_model(tmp_path):
    file = tmp_path / "model.npz"
    MODELS["copula"].save(file)
    with pytest.raises(FileError, match=r"holds copula \(synth.Copula.load reads it\)"):
        synth.GaussianMixture.load(file)
    whole = file.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 30):
        file.write_bytes(whole[:size])
        with pytest.raises(FileError, match="damaged"):
            load(file)
    broken = bytearray(whole)
    broken[len(whole) // 3 : len(whole) // 3 + 40] = bytes(40)
    file.write_bytes(broken)
    with pytest.raises(FileError, match="damaged"):
        synth.Copula.load(file)
    np.savez(file, a=np.ones(3))
    with pytest.raises(FileError, match="nothing known"):
        load(file)
    for kind in ("copula", "gaussian mixture", "empirical", "bayes classifier"):
        write(file, kind, True, None, 0, other=np.ones(3))
        with pytest.raises(FileError, match="damaged: it has no"):
            load(file)
    np.savez(file, kind=np.array("empirical"), version=np.array(99))
    with pytest.raises(FileError, match="later version"):
        read(file)
    with pytest.raises(FileError, match="does not exist"):
        synth.Copula.load(tmp_path / "none.npz")


def test_a_file_that_is_open(tmp_path):
    buffer = io.BytesIO()
    MIXTURE.save(buffer)
    buffer.seek(0)
    np.testing.assert_array_equal(load(buffer).means, MIXTURE.means)


def test_names_of_columns_are_different(tmp_path):
    with pytest.raises(InputError, match="different names are needed"):
        MIXTURE.save(tmp_path / "m.npz", columns=["a", "a", "b"])
