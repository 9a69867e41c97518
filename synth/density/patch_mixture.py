"""Mixtures of Gaussians around 0, as patches without their mean are distributed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth.density.blas import workers
from synth.density.expectation import Rows
from synth.density.gaussians import Moments, Parts
from synth.density.mixture_fit import Problem
from synth.density.mixture_rows import Summary
from synth.density.mixture_start import clustered, sampled
from synth.errors import InputError
from synth.progress import Callback, report

__all__ = ["fit_centred"]

#: Least variance of a component, as a share of the mean over all directions.
_LEAST = 1e-3


def fit_centred(
    rows: NDArray[np.float32],
    components: int,
    *,
    noise: float = 0.0,
    max_iter: int = 60,
    tol: float = 1e-3,
    seed: int = 0,
    callback: Callback | None = None,
) -> tuple[Parts, tuple[float, ...]]:
    """Fit Σ wₖ N(0, Cₖ) to rows that carry white noise of a known size.

    Parameters
    ----------
    rows : (n, d) float32
    components : int
    noise : float
        Standard deviation of the noise in the rows.
    max_iter : int
    tol : float
        Mean gain per row, in nats, below which the fit has converged.
    seed : int
    callback : callable, optional

    Returns
    -------
    Parts
        Weights and covariances of the rows without their noise.
    tuple of float
        Mean log-likelihood of the rows at the start of each iteration, in nats.

    Notes
    -----
    The noisy rows have covariances Cₖ + σ² I, so the most likely Cₖ follow from a fit in which no
    variance is below σ²: `maximize` does that exactly, and σ² is taken off in the end.
    """
    problem, size = _problem(rows, noise)
    parts = _start(problem, components, seed)
    trace: list[float] = []
    with workers() as run:
        for iteration in range(max_iter):
            report(callback, "patches", iteration / max_iter)
            likelihood, moments = problem.expect(run, parts)
            gain = likelihood - trace[-1] if trace else np.inf
            trace.append(likelihood)
            if gain < tol:
                break
            parts = _maximize(problem, moments)
    left = problem.frame.leave(parts)
    covariances = left.covariances - (noise**2) * np.eye(rows.shape[1])
    values, vectors = np.linalg.eigh(covariances)
    values = np.maximum(values, _LEAST * size)
    covariances = (vectors * values[:, np.newaxis]) @ np.swapaxes(vectors, 1, 2)
    return Parts(left.log_weights, np.zeros_like(left.means), covariances, "full"), tuple(trace)


def _problem(rows: NDArray[np.float32], noise: float) -> tuple[Problem, float]:
    """Set the frame around 0, whatever the mean of the rows; and tell their mean variance."""
    width = rows.shape[1]
    second = np.zeros((width, width))
    for start in range(0, len(rows), 1 << 14):
        part = rows[start : start + (1 << 14)].astype(np.float64)
        second += part.T @ part
    second /= len(rows)
    size = float(np.trace(second)) / width
    if size == 0:
        raise InputError(
            "the pictures are flat everywhere, so there is nothing to learn from them"
        )
    least = noise**2 + _LEAST * max(size - noise**2, 1e-4 * size)
    second += 1e-3 * least * np.eye(width)
    about = Summary(np.zeros(width), second)
    return Problem(Rows(rows), "full", 0, least, np.dtype(np.float32), about), size


def _start(problem: Problem, components: int, seed: int) -> Parts:
    """Start from clusters of rows, where a row and its negative are the same."""
    z, weights = sampled(problem.rows, problem.frame, components, seed)
    largest = np.take_along_axis(z, np.abs(z).argmax(axis=1)[:, np.newaxis], axis=1)
    z = z * np.where(largest < 0, -1.0, 1.0)
    return _maximize(problem, clustered(z, weights, components, "full", seed))


def _maximize(problem: Problem, moments: Moments) -> Parts:
    """Return the most likely mixture around 0: second moments in the place of covariances."""
    mean = moments.mean
    spread = moments.spread + mean[:, :, np.newaxis] * mean[:, np.newaxis]
    centred = Moments(moments.count, np.zeros_like(mean), spread, "full")
    parts, _ = problem.maximize(centred)
    empty = moments.count <= 1e-10 * moments.count.sum()
    return _refilled(parts, np.flatnonzero(empty))


def _refilled(parts: Parts, empty: NDArray[np.intp]) -> Parts:
    """Give components without rows half of the heaviest: one wider, one narrower than it was."""
    log_weights, covariances = parts.log_weights.copy(), parts.covariances.copy()
    log_weights[empty] = -np.inf
    for k in empty:
        heavy = int(log_weights.argmax())
        log_weights[[heavy, k]] = log_weights[heavy] - np.log(2)
        covariances[k] = covariances[heavy] * 1.5
        covariances[heavy] *= 0.5
    return Parts(log_weights, parts.means, covariances, "full")
