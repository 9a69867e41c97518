"""Regression with several answers: p(y | x) from the joint density of both."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synth.arguments import check_verbs, numbers_of
from synth.density.archive import Target, packed, read, unpacked, write
from synth.errors import InputError
from synth.rows import check_count, check_rows, child_seeds

__all__ = ["ConditionalDensity", "crps"]


class ConditionalDensity:
    """Answer x with a distribution over y: p(y | x) = p(x, y) / p(x).

    With a kernel density these are Nadaraya's and Watson's weights (both 1964) on whole
    distributions, and analog forecasting (Lorenz 1969): what followed on the nearest past states.
    With a mixture it is Gaussian mixture regression (Ghahramani & Jordan 1994). Where there are
    two good answers the mean lies between them, and the samples do not.

    Parameters
    ----------
    joint : density
        An unfitted model with ``fit``, ``log_prob``, ``given`` and ``marginal``, such as
        `KernelDensity`. `fit` works on a copy.

    Attributes
    ----------
    joint : density
        Of the columns of x followed by those of y, after `fit`.

    Examples
    --------
    >>> import numpy as np
    >>> import synth
    >>> rng = np.random.default_rng(0)
    >>> x = rng.uniform(-1, 1, (400, 1))
    >>> y = rng.choice([-1, 1], (400, 1)) * (1 + x) + rng.normal(0, 0.05, (400, 1))
    >>> model = synth.ConditionalDensity(synth.KernelDensity(0.1)).fit(x, y)
    >>> samples = model.sample([[0.0]], 200)
    >>> samples.shape, bool(abs(samples.mean()) < 0.3), bool(abs(samples).mean() > 0.7)
    ((1, 200, 1), True, True)
    """

    def __init__(self, joint: Any) -> None:
        verbs = ("fit", "log_prob", "given", "marginal")
        check_verbs(joint, "joint", verbs, "take a synth.KernelDensity")
        self.joint = joint
        self._width = self._answers = 0

    def fit(
        self, x: ArrayLike, y: ArrayLike, *, weights: ArrayLike | None = None
    ) -> ConditionalDensity:
        """Fit the joint density.

        Parameters
        ----------
        x : (n, d) array_like
            What is known: observations, states.
        y : (n, k) or (n,) array_like
            What is asked for: actions, outcomes.
        weights : (n,) array_like, optional

        Returns
        -------
        ConditionalDensity
            The same object.
        """
        known, asked = check_rows(x, "x"), check_rows(y, "y")
        if len(known) != len(asked):
            raise InputError(f"x has {len(known)} rows and y {len(asked)}; each needs the other")
        extra = {} if weights is None else {"weights": weights}
        self.joint = copy.deepcopy(self.joint).fit(np.hstack([known, asked]), **extra)
        self._width, self._answers = known.shape[1], asked.shape[1]
        return self

    def given(self, x: ArrayLike) -> Any:
        """Return the density p(y | x) of one x, (d,)."""
        rows = self._known(numbers_of(x, "x").reshape(1, -1))
        return self.joint.given(dict(enumerate(rows[0].tolist())))

    def log_prob(self, y: ArrayLike, x: ArrayLike) -> NDArray[np.float64]:
        """Return log p(y | x) = log p(x, y) − log p(x) for each pair of rows, (n,), in nats.

        −∞ where no kernel reaches x: kernels that end somewhere say nothing beyond, and what
        came was not foreseen. (`given`, `sample` and `mean` raise `InputError` there.)
        """
        rows = self._known(x)
        asked = check_rows(y, "y", self._answers)
        if len(rows) != len(asked):
            raise InputError(f"x has {len(rows)} rows and y {len(asked)}; each needs the other")
        below = self.joint.marginal(list(range(self._width))).log_prob(rows)
        both = np.asarray(self.joint.log_prob(np.hstack([rows, asked])), np.float64)
        reached = np.isfinite(below)
        out = np.full(len(rows), -np.inf)
        return np.asarray(np.subtract(both, below, out=out, where=reached))

    def sample(self, x: ArrayLike, n: int, *, seed: int = 0) -> NDArray[np.float64]:
        """Draw n answers to each row of x.

        Returns
        -------
        (m, n, k) ndarray
            For m rows of x.
        """
        rows, count = self._known(x), check_count(n)
        drawn = np.empty((len(rows), count, self._answers))
        for number, child in enumerate(child_seeds(seed, len(rows))):
            drawn[number] = self.given(rows[number]).sample(count, seed=child)
        return drawn

    def mean(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return E[y | x] for each row, (m, k): the regression, which may be no good answer."""
        return np.stack([self.given(row).mean() for row in self._known(x)])

    def crps(
        self, x: ArrayLike, y: ArrayLike, *, n: int = 100, seed: int = 0
    ) -> NDArray[np.float64]:
        """Score n answers to each row of x by what came, y: `crps` of each row, (m, k)."""
        return crps(self.sample(x, n, seed=seed), y)

    def save(self, path: Target, *, overwrite: bool = False) -> None:
        """Write the model as NumPy's npz, without pickles; `load` reads it.

        ``joint`` must be a model of synth.
        """
        if not self._width:
            raise InputError("the model has no rows yet; call fit(x, y) first")
        width = np.array([self._width, self._answers])
        held = {"joint": packed(self.joint, "joint"), "widths": width}
        write(path, "conditional density", overwrite, None, 0, **held)

    @classmethod
    def load(cls, path: Target) -> ConditionalDensity:
        """Read what `save` wrote."""
        held = read(path, "conditional density")
        model = cls(unpacked(held["joint"]))
        model._width, model._answers = (int(count) for count in held["widths"])
        return model

    def _known(self, x: ArrayLike) -> NDArray[np.float64]:
        if not self._width:
            raise InputError("the model has no rows yet; call fit(x, y) first")
        return check_rows(x, "x", self._width)


def crps(samples: ArrayLike, outcome: ArrayLike) -> NDArray[np.float64]:
    """Continuous ranked probability score of ensembles: 0 is best, in the unit of the outcome.

    ``E|X − y| − ½ E|X − X′|`` over the members (Gneiting & Raftery 2007, equation 21), with the
    fair second term for finite ensembles (Ferro 2014). For one member it is the absolute error.

    Parameters
    ----------
    samples : (m, n, k) or (m, n) array_like
        n members for each of m cases.
    outcome : (m, k) or (m,) array_like
        What came.

    Returns
    -------
    (m, k) or (m,) ndarray

    Examples
    --------
    >>> crps([[0.0, 2.0]], [1.0]), crps([[1.0, 1.0]], [4.0])
    (array([0.]), array([3.]))
    """
    members = numbers_of(samples, "samples").astype(np.float64)
    came = numbers_of(outcome, "outcome").astype(np.float64)
    if members.ndim == 3 and came.ndim == 1 and members.shape[2] == 1:
        came = came[:, np.newaxis]
    if members.ndim not in (2, 3) or members.shape[:1] + members.shape[2:] != came.shape:
        raise InputError(
            f"samples have shape {members.shape} and outcomes {came.shape}, but (m, n, k) and "
            "(m, k), or (m, n) and (m,), are needed"
        )
    count = members.shape[1]
    if count == 0 or not (np.isfinite(members).all() and np.isfinite(came).all()):
        raise InputError("samples and outcomes must be finite, with at least one sample a case")
    error = np.abs(members - came[:, np.newaxis]).mean(axis=1)
    if count == 1:
        return np.asarray(error)
    # Σᵢⱼ |xᵢ − xⱼ| from sorted members: each counts as often as it is above others, minus below
    order = np.sort(members, axis=1)
    rank = 2 * np.arange(count) - (count - 1)
    shape = (1, count) + (1,) * (members.ndim - 2)
    apart = 2 * (order * rank.reshape(shape)).sum(axis=1) / (count * (count - 1))
    return np.asarray(error - apart / 2)
