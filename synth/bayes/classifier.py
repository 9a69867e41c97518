"""A generator for each class, and Bayes' rule: together a classifier."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synth.arguments import check_verbs, shown
from synth.density.archive import Target, packed, read, unpacked, write
from synth.errors import InputError, InputTypeError
from synth.protocols import Density
from synth.rows import LABELS, check_count, check_rows, check_weights, child_seeds, uniforms

__all__ = ["BayesClassifier"]

_TAKE = "take a fitted model, such as synth.KernelDensity().fit(x)"


class BayesClassifier:
    """Classify by p(y | x) ∝ p(x | y) p(y), with a density for each class.

    The same object generates: from one class, p(x | y), or from all, p(x) = Σ p(x | y) p(y).

    Parameters
    ----------
    densities : mapping of label to density, optional
        Fitted models with ``log_prob(x) -> (n,)`` and ``sample(n, seed=...) -> (n, d)``, such as
        `KernelDensity`. Without it, call `fit`.
    prior : mapping of label to weight, optional
        p(y), in any scale; a larger weight makes a class more likely. Without it all classes of
        ``densities`` are equally likely, and `fit` counts them.

    Attributes
    ----------
    classes_ : (K,) ndarray
        The labels, in the order of the columns of `predict_proba`.
    densities : dict of label to density
    prior : dict of label to float
        Adds up to 1.

    Raises
    ------
    InputError
        No class, a prior for other labels, or with negative or no weight.

    Notes
    -----
    With one Gaussian a class this is quadratic discriminant analysis (Hastie, Tibshirani, Friedman
    2009, section 4.3). Everything stays in logarithms, so that densities of 10⁻⁴⁰⁰ still compare.

    Examples
    --------
    >>> import numpy as np
    >>> import synth
    >>> rng = np.random.default_rng(0)
    >>> x = np.concatenate([rng.normal(-2, 1, (200, 1)), rng.normal(2, 1, (200, 1))])
    >>> y = np.repeat(["left", "right"], 200)
    >>> model = synth.BayesClassifier().fit(x, y, density=synth.KernelDensity())
    >>> [str(label) for label in model.predict([[-2.0], [1.5]])]
    ['left', 'right']
    >>> model.sample(3, label="left").shape
    (3, 1)
    """

    def __init__(
        self,
        densities: Mapping[Any, Density] | None = None,
        prior: Mapping[Any, float] | None = None,
    ) -> None:
        if prior is not None and not isinstance(prior, Mapping):
            raise InputTypeError(f"prior is {shown(prior)}, but {{label: weight, …}} is needed")
        self._given_prior = None if prior is None else dict(prior)
        self.densities: dict[Any, Density] = {}
        self.prior: dict[Any, float] = {}
        self._labels: list[Any] = []
        if densities is not None:
            if not isinstance(densities, Mapping):
                raise InputTypeError(
                    f"densities is {shown(densities)}, but {{label: density, …}} is needed"
                )
            if not densities:
                raise InputError("densities is empty, but {label: density, …} is needed")
            for label, one in densities.items():
                check_verbs(one, f"densities[{label!r}]", ("log_prob", "sample"), _TAKE)
            self._settle(dict(densities), dict.fromkeys(densities, 1.0))

    def fit(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        density: Density | Callable[[Any], Density],
        weights: ArrayLike | None = None,
    ) -> BayesClassifier:
        """Fit a density to the rows of each class.

        Parameters
        ----------
        x : (n, d) array_like
        y : (n,) array_like
            Labels; each different value is a class.
        density : density, or callable
            An unfitted model, of which each class gets a copy; or a function that is given the
            label and makes one, where classes need different settings.
        weights : (n,) array_like, optional
            How often each row counts, in its class and for the prior.

        Returns
        -------
        BayesClassifier
            The same object.

        Raises
        ------
        InputError
            Rows and labels do not match, or a class has too few rows for its density.
        """
        rows = check_rows(x, "x")
        labels = _labels_of(y, len(rows))
        amount = np.ones(len(rows)) if weights is None else check_weights(weights, len(rows))
        densities: dict[Any, Density] = {}
        counts: dict[Any, float] = {}
        for label in _different(labels):
            own = labels == label
            model = _fresh(density, label)
            # a class is fitted with weights only where they were given
            extra = {} if weights is None else {"weights": amount[own]}
            try:
                densities[label] = model.fit(rows[own], **extra)
            except InputError as error:
                raise InputError(f"class {label!r} ({own.sum()} rows): {error}") from error
            counts[label] = float(amount[own].sum())
        self._settle(densities, counts)
        return self

    def _settle(self, densities: dict[Any, Density], counts: dict[Any, float]) -> None:
        weights = self._given_prior if self._given_prior is not None else counts
        if set(weights) != set(densities):
            raise InputError(
                f"prior is for {sorted(map(str, weights))}, but the classes are "
                f"{sorted(map(str, densities))}; give one weight for each"
            )
        values = check_weights([weights[label] for label in densities], len(densities), "prior")
        self.densities = densities
        self.prior = dict(zip(densities, (values / values.sum()).tolist(), strict=True))
        self._labels = list(densities)

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels, in the order of the columns."""
        if len({type(label) for label in self._labels} | {tuple}) == 2:  # one kind, no tuples
            return np.array(self._labels)
        labels = np.empty(len(self._labels), object)  # of several kinds, or tuples
        labels[:] = self._labels
        return labels

    def joint_log_prob(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return log p(x, y) for every row and class, (n, K), in nats."""
        rows = check_rows(x, "x")
        if not self._labels:
            raise InputError("the classifier has no classes yet; call fit(x, y, density=…) first")
        columns = []
        for label, density in self.densities.items():
            share = self.prior[label]
            if share > 0:
                columns.append(np.asarray(density.log_prob(rows), np.float64) + np.log(share))
            else:
                columns.append(np.full(len(rows), -np.inf))
        return np.stack(columns, axis=1)

    def log_prob(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return log p(x) = log Σ p(x | y) p(y) for every row, (n,), in nats."""
        return _logsumexp(self.joint_log_prob(x))

    def predict_log_proba(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return log p(y | x), (n, K).

        A row that no class can have made (log p(x) = −∞) tells nothing: it gets the prior.
        """
        joint = self.joint_log_prob(x)
        nowhere = ~np.isfinite(joint.max(axis=1))
        with np.errstate(divide="ignore"):
            joint[nowhere] = np.log(list(self.prior.values()))
        return joint - _logsumexp(joint)[:, np.newaxis]

    def predict_proba(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return p(y | x), (n, K), each row adding up to 1."""
        return np.exp(self.predict_log_proba(x))

    def predict(self, x: ArrayLike) -> NDArray[Any]:
        """Return the most probable label of every row, (n,); of equals, the first class."""
        return np.asarray(self.classes_[self.predict_log_proba(x).argmax(axis=1)])

    def score(self, x: ArrayLike, y: ArrayLike) -> float:
        """Return the share of rows that get their own label."""
        predicted = self.predict(x)
        labels = _labels_of(y, len(predicted))
        return float(np.mean(predicted == labels))

    def sample_labels(self, n: int, *, seed: int = 0) -> NDArray[Any]:
        """Return n labels drawn from the prior; those of ``sample(n, seed=seed)``, row by row."""
        return self.classes_[self._draw(check_count(n), seed)]

    def sample(self, n: int, *, label: Hashable | None = None, seed: int = 0) -> NDArray[Any]:
        """Draw n rows, (n, d), from p(x | label), or from p(x) where no label is given."""
        count = check_count(n)
        if not self._labels:
            raise InputError("the classifier has no classes yet; call fit(x, y, density=…) first")
        seeds = child_seeds(seed, len(self._labels))
        if label is not None:
            if not isinstance(label, Hashable) or label not in self.densities:
                raise InputError(f"label is {shown(label)}, but the classes are {self._labels}")
            return self.densities[label].sample(count, seed=seeds[self._labels.index(label)])
        which = self._draw(count, seed)
        parts: list[NDArray[Any]] = [
            np.asarray(self.densities[own].sample(int((which == k).sum()), seed=seeds[k]))
            for k, own in enumerate(self._labels)
        ]
        widths = {part.shape[1] for part in parts}
        if len(widths) > 1:
            raise InputError(
                f"the densities of the classes have {sorted(widths)} columns, but one number of "
                "columns is needed for all"
            )
        rows = np.empty((count, parts[0].shape[1]), np.result_type(*parts))
        for k, part in enumerate(parts):
            rows[which == k] = part
        return rows

    def save(
        self,
        path: Target,
        *,
        columns: Sequence[str] | None = None,
        overwrite: bool = False,
    ) -> None:
        """Write the model, and names of its columns, as NumPy's npz; `load` reads it.

        The densities must be models of synth, and labels text, numbers or True and False.
        """
        if not self._labels:
            raise InputError("the classifier has no classes yet; call fit(x, y, density=…) first")
        for label in self._labels:
            if not isinstance(label, str | bool | int | float):
                raise InputTypeError(
                    f"label {shown(label)} cannot be kept in a file; text, numbers, or True and "
                    "False can"
                )
        held = {f"density_{k}": packed(one, f"densities[{label!r}]")
                for k, (label, one) in enumerate(self.densities.items())}  # fmt: skip
        held["labels"] = np.array(json.dumps(self._labels))
        held["prior"] = np.array(list(self.prior.values()))
        held["counted"] = np.array(self._given_prior is None)
        width = 0 if columns is None else self.sample(1).shape[1]
        write(path, "bayes classifier", overwrite, columns, width, **held)

    @classmethod
    def load(cls, path: Target) -> BayesClassifier:
        """Read what `save` wrote."""
        held = read(path, "bayes classifier")
        labels = json.loads(str(held["labels"]))
        densities = {label: unpacked(held[f"density_{k}"]) for k, label in enumerate(labels)}
        model = cls(densities, dict(zip(labels, held["prior"].tolist(), strict=True)))
        if held["counted"]:
            model._given_prior = None
        return model

    def _draw(self, count: int, seed: int) -> NDArray[np.intp]:
        if not self._labels:
            raise InputError("the classifier has no classes yet; call fit(x, y, density=…) first")
        edges = np.cumsum(list(self.prior.values()))
        edges /= edges[-1]  # so that rounding never reaches a class of no weight
        return np.searchsorted(edges, uniforms(seed, LABELS)(count), side="right")


def _fresh(density: Any, label: Any) -> Any:
    if not isinstance(density, type) and not hasattr(density, "fit") and callable(density):
        name, model = f"density({label!r})", density(label)
    else:
        name, model = "density", density
    take = "take a synth.KernelDensity(), or a function of the label that makes one"
    check_verbs(model, name, ("fit", "log_prob", "sample"), take)
    return copy.deepcopy(model)


def _labels_of(y: ArrayLike, count: int) -> NDArray[Any]:
    try:
        labels = np.asarray(y)
    except ValueError:  # rows of different lengths
        labels = np.empty(0)
    if labels.shape != (count,):
        raise InputError(
            f"y has shape {labels.shape}, but one label for each of {count} rows is needed"
        )
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise InputError("y has NaN or infinity, which are no labels; leave such rows out")
    return labels


def _different(labels: NDArray[Any]) -> list[Any]:
    try:
        return list(np.unique(labels).tolist())
    except TypeError:  # of several kinds, which have no order
        pass
    try:
        return list(dict.fromkeys(labels.tolist()))
    except TypeError:
        raise InputTypeError(
            "y has labels that cannot be keys of a dictionary; text or numbers can"
        ) from None


def _logsumexp(terms: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.special import logsumexp

    return np.asarray(logsumexp(terms, axis=1), np.float64)
