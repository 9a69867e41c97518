"""Expectation-maximisation: from a start to a mixture, with an account of what happened."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.density.blas import workers
from synth.density.expectation import Rows, expect
from synth.density.gaussians import Moments, Parts, frame_of
from synth.density.maximization import Covariance, maximize, shape_of, split
from synth.density.missing import expect_missing, has_gaps, separated
from synth.density.mixture_rows import Summary, summary
from synth.density.mixture_start import clustered, sampled
from synth.errors import InputError
from synth.kernels._jit import Bands

__all__ = ["FitReport", "Problem", "Repair", "fit_mixture", "moments_of"]

#: "auto": the least variance, as a share of each column's.
_AUTO = 1e-6
#: What float64 tells from nothing, for a ridge of 0.
_NOTHING = 1e-13
#: How often a component is put elsewhere before it is left where it collapses.
_REPAIRS = 2


@dataclass(frozen=True)
class Repair:
    """A component that collapsed, and got half of the heaviest one.

    Attributes
    ----------
    iteration : int
    component : int
    cause : {"no rows", "no width"}
    """

    iteration: int
    component: int
    cause: str


@dataclass(frozen=True)
class FitReport:
    """What happened during a fit.

    Attributes
    ----------
    log_likelihood : tuple of float
        Mean per row in nats, at the start of each iteration; it never decreases but where
        ``repairs`` names the iteration before, and by rounding: up to 1e-5 in float32.
    converged : bool
        Whether the last gain was below ``tol``, not cut off by ``max_iter``.
    repairs : tuple of Repair
    """

    log_likelihood: tuple[float, ...]
    converged: bool
    repairs: tuple[Repair, ...]

    @property
    def iterations(self) -> int:
        """How many passes over the data there were."""
        return len(self.log_likelihood)


class Problem:
    """Rows, and the frame and floor that a mixture of them is computed with.

    Parameters
    ----------
    rows : Rows
    kind, factors, ridge
        As for `GaussianMixture`.
    dtype : numpy.dtype
        Of the products.
    about : Summary, optional
        What the frame follows; the rows themselves if not given.
    """

    def __init__(
        self,
        rows: Rows,
        kind: Covariance,
        factors: int,
        ridge: float | str,
        dtype: np.dtype[Any],
        about: Summary | None = None,
    ) -> None:
        self.rows, self.kind, self.factors, self.dtype = rows, kind, factors, dtype
        gaps = has_gaps(rows)
        if about is None:
            with workers() as run:
                whole = summary(run, rows, gaps)
        else:
            whole = about
        variances = _least(whole, len(rows.x) if about is None else 2, kind, ridge)
        covariance = whole.covariance
        if covariance.ndim == 2 and not gaps:
            covariance = covariance + np.diag(np.maximum(variances - np.diag(covariance), 0))
        else:  # one row has not the columns that another's whitening mixes
            covariance = np.maximum(whole.variances, variances)
        self.frame = frame_of(whole.mean, covariance, kind)
        inward = self.frame.inward
        wide = np.diag(inward) if inward.ndim == 1 else inward
        self.floor = (
            np.square(inward) * variances if inward.ndim == 1 else wide * variances @ wide.T
        )
        self.second = None
        if kind == "tied" and not gaps and about is None:
            self.second = np.asarray(wide @ whole.covariance @ wide.T)
        self.complete, self.patterns = separated(rows) if gaps else (rows, [])

    def expect(self, run: Bands, parts: Parts) -> tuple[float, Moments]:
        """Return the mean log-likelihood of a mixture in the frame, and the moments."""
        total, moments = 0.0, None
        if len(self.complete.x):
            shape = parts.shape
            if shape == "tied" and self.second is None:
                parts = Parts(parts.log_weights, parts.means, parts.full(), "full")
            total, moments = expect(run, self.complete, self.frame, parts, self.dtype, self.second)
            if shape != parts.shape:
                moments = _as_shape(moments, self.kind)
        for part in self.patterns:
            more, own = expect_missing(part, self.frame, parts, shape_of(self.kind))
            total += more
            moments = own if moments is None else moments.plus(own)
        assert moments is not None
        return total / self.rows.total, moments

    def maximize(self, moments: Moments) -> tuple[Parts, NDArray[np.bool_]]:
        """Return the mixture, in the frame, that is most likely for these moments."""
        return maximize(moments, self.kind, self.floor, self.factors)

    def enter(self, parts: Parts) -> Parts:
        """Return a mixture of any kind as one of this problem's, in its frame."""
        entered = _as_shape(moments_of(self.frame.enter(parts)), self.kind)
        return self.maximize(entered)[0]


def moments_of(parts: Parts) -> Moments:
    """Return the moments that a mixture stands for, of one row in all."""
    return Moments(np.exp(parts.log_weights), parts.means, parts.covariances, parts.shape)


def _as_shape(moments: Moments, kind: Covariance) -> Moments:
    shape, spread = shape_of(kind), moments.spread
    if shape == moments.shape:
        return moments
    weights = moments.count / moments.count.sum()
    parts = Parts(np.log(np.maximum(weights, 1e-300)), moments.mean, spread, moments.shape)
    full = parts.full()
    if shape == "tied":
        spread = np.tensordot(weights, full, 1)
    elif shape == "diag":
        spread = np.diagonal(full, axis1=1, axis2=2).copy()
    else:
        spread = full.copy()
    return Moments(moments.count, moments.mean, spread, shape)


def _least(
    whole: Summary, count: int, kind: Covariance, ridge: float | str
) -> NDArray[np.float64]:
    """Return the least variance along each column, (d,), in the units of the data."""
    variances = whole.variances
    if not isinstance(ridge, str) and ridge > 0:
        return np.full(len(variances), float(ridge))
    if count == 1:
        raise InputError(
            "there is 1 row, whose scale is unknown; give more rows, or ridge as a number: the "
            "least variance of a component"
        )
    if kind in ("spherical", "factor"):
        variances = np.full(len(variances), variances.mean())
    flat = np.flatnonzero(variances <= 1e-24 * np.maximum(np.square(whole.mean), 1e-276))
    if len(flat):
        told = f"is constant ({whole.mean[flat[0]]:g}), or nearly so"
        if whole.variances[flat[0]] > 0:
            told = f"spreads by {math.sqrt(whole.variances[flat[0]]):g} only"
        raise InputError(
            f"column {flat[0]} {told}, too little to tell its scale; "
            "leave it out, or give ridge as a number: the least variance of a component"
        )
    return np.asarray(variances * (_AUTO if ridge == "auto" else _NOTHING))


def fit_mixture(
    problem: Problem,
    components: int,
    start: Parts | NDArray[np.float64] | None,
    seeds: list[int],
    max_iter: int,
    tol: float,
) -> tuple[Parts, FitReport]:
    """Return the best mixture over the starts, in the units of the data.

    Parameters
    ----------
    problem : Problem
    components : int
    start : Parts, (K, d) means, or None
        None draws one for each seed.
    seeds : list of int
    max_iter : int
    tol : float
        Mean gain per row, in nats, below which the fit has converged.
    """
    best: tuple[Parts, FitReport] | None = None
    with workers() as run:
        for seed in seeds:
            parts = _start(problem, components, start, seed)
            found = _climb(run, problem, parts, max_iter, tol)
            if best is None or found[1].log_likelihood[-1] > best[1].log_likelihood[-1]:
                best = found
    assert best is not None
    parts, report = best
    if report.repairs:
        which = sorted({repair.component for repair in report.repairs})
        warnings.warn(
            f"components {which} collapsed on too few rows and were given half of the heaviest "
            "one; fewer components or a larger ridge avoid it (see report.repairs)",
            UserWarning,
            stacklevel=3,
        )
    return problem.frame.leave(parts), report


def _start(
    problem: Problem, components: int, start: Parts | NDArray[np.float64] | None, seed: int
) -> Parts:
    if isinstance(start, Parts):
        return problem.enter(start)
    means = None if start is None else np.ascontiguousarray(problem.frame.columns(start).T)
    z, weights = sampled(problem.rows, problem.frame, components, seed)
    z = np.nan_to_num(z)  # a missing value starts at its column's mean
    moments = clustered(z, weights, components, shape_of(problem.kind), seed, means)
    return problem.maximize(moments)[0]


def _climb(
    run: Bands, problem: Problem, parts: Parts, max_iter: int, tol: float
) -> tuple[Parts, FitReport]:
    trace: list[float] = []
    repairs: list[Repair] = []
    tried = np.zeros(len(parts.means), np.int64)
    before, converged = -np.inf, False
    for iteration in range(max_iter):
        likelihood, moments = problem.expect(run, parts)
        trace.append(likelihood)
        if likelihood - before < tol:
            converged = True
            break
        before = likelihood
        parts, collapsed = problem.maximize(moments)
        for k in np.flatnonzero(collapsed & (tried < _REPAIRS)):
            if len(tried) == 1:
                break
            cause = "no width" if moments.count[k] > 1e-10 * moments.count.sum() else "no rows"
            repairs.append(Repair(iteration, int(k), cause))
            parts = split(parts, int(k), problem.kind, np.diag(np.atleast_2d(problem.floor)))
            tried[k] += 1
            before = -np.inf
    return parts, FitReport(tuple(trace), converged, tuple(repairs))
