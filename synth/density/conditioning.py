"""What is left of each kernel where some columns are known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.density.shapes import Shape

__all__ = ["Kernels", "condition", "regress", "shares"]

#: Kernels whose weight is e^−700 of the largest, or less, are left out.
_LEAST = 700.0


@dataclass(frozen=True)
class Kernels:
    """Kernels of one shape.

    Attributes
    ----------
    points : (n, d) ndarray
    log_weights : (n,) ndarray
    precision : (n,) ndarray or None
        How much narrower than the covariance says each is, as a variance; 1 if None.
    """

    points: NDArray[np.float64]
    log_weights: NDArray[np.float64]
    precision: NDArray[np.float64] | None


def shares(log_weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log-weights so that the weights add up to 1."""
    highest = log_weights.max()
    return np.asarray(log_weights - highest - math.log(np.exp(log_weights - highest).sum()))


def regress(
    points: NDArray[np.float64],
    covariance: NDArray[np.float64],
    keep: list[int],
    known: list[int],
    value: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where kernels of a covariance lie in the open columns, and what is left of it."""
    across = covariance[np.ix_(keep, known)]
    gain = np.linalg.solve(covariance[np.ix_(known, known)], across.T).T
    moved = points[:, keep] + (value - points[:, known]) @ gain.T
    return moved, covariance[np.ix_(keep, keep)] - gain @ across.T


def condition(
    kernels: Kernels, squares: list[NDArray[np.float64]], known: int, shape: Shape
) -> Kernels:
    """Weigh kernels by their height at the known values, and cut them there.

    Parameters
    ----------
    kernels : Kernels
        Of the columns that stay open, but with the shape and weights of all.
    squares : list of (n,) arrays
        r² of the known values from each kernel, in the metric of the known columns: one array for
        each image of the values where there are bounds or periods.
    known : int
        How many columns are known.
    shape : Shape
        Over all columns.
    """
    precision = np.ones(len(kernels.points)) if kernels.precision is None else kernels.precision
    below, rest = shape.marginal(known), shape.given(known)
    base = kernels.log_weights + known / 2 * np.log(precision)
    terms = [base + below.log_heights(precision * square) for square in squares]
    if not shape.ball:  # one image of a Gaussian differs from another by its height alone
        return _alive(kernels.points, np.logaddexp.reduce(terms), kernels.precision)
    with np.errstate(divide="ignore"):
        left = [np.maximum(shape.scale**2 / precision - square, 0) for square in squares]
        narrower = rest.scale**2 / np.concatenate(left)
    return _alive(np.tile(kernels.points, (len(squares), 1)), np.concatenate(terms), narrower)


def _alive(
    points: NDArray[np.float64],
    log_weights: NDArray[np.float64],
    precision: NDArray[np.float64] | None,
) -> Kernels:
    alive = log_weights > log_weights.max() - _LEAST
    if precision is not None:
        alive &= np.isfinite(precision)
        precision = precision[alive]
    return Kernels(points[alive], log_weights[alive], precision)
