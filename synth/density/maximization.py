"""From moments to Gaussians: the most likely ones whose variance keeps above a floor."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from synth.density.gaussians import Moments, Parts, Shape

__all__ = ["Covariance", "maximize", "parameters", "shape_of", "split"]

Covariance = Literal["full", "tied", "diag", "spherical", "factor"]


def shape_of(kind: Covariance) -> Shape:
    """Return the shape in which covariances of this kind are kept."""
    shapes: dict[str, Shape] = {"tied": "tied", "diag": "diag", "spherical": "diag"}
    return shapes.get(kind, "full")


def parameters(kind: Covariance, components: int, width: int, factors: int) -> int:
    """Return how many free numbers a mixture has, for AIC and BIC."""
    triangle = width * (width + 1) // 2
    each = {
        "full": components * triangle,
        "tied": triangle,
        "diag": components * width,
        "spherical": components,
        "factor": components * (width * factors - factors * (factors - 1) // 2 + 1),
    }[kind]
    return components - 1 + components * width + each


def maximize(
    moments: Moments, kind: Covariance, floor: NDArray[np.float64], factors: int
) -> tuple[Parts, NDArray[np.bool_]]:
    """Return the most likely mixture for these moments, and which components have collapsed.

    Parameters
    ----------
    moments : Moments
    kind : Covariance
    floor : (d, d) or (d,) ndarray
        No component's variance in any direction is below this covariance's. For "spherical" and
        "factor" it is the same number in each direction.
    factors : int
        For "factor": how many directions have a variance of their own.

    Returns
    -------
    Parts, and (K,) of bool
        A component has collapsed where it has no rows, or none of its variances is above the
        floor.

    Notes
    -----
    A floor, unlike a ridge that is added, is a constraint: every step is the maximum under it, so
    the likelihood never decreases. In coordinates in which the floor is 1 the best eigenvalues are
    max(λ, 1), with the eigenvectors of the moments.
    """
    with np.errstate(divide="ignore"):
        log_weights = np.log(moments.count / moments.count.sum())
    spread = moments.spread
    low: NDArray[np.bool_] = np.zeros(len(moments.count), np.bool_)
    if kind == "diag":
        low = np.asarray((spread <= floor).all(axis=1))
        spread = np.maximum(spread, floor)
    elif kind == "spherical":
        size = spread.mean(axis=1, keepdims=True)
        low = size[:, 0] <= floor[0]
        spread = np.broadcast_to(np.maximum(size, floor[0]), spread.shape).copy()
    elif kind == "factor":
        values, vectors = np.linalg.eigh(spread)
        low = values[:, -1] <= floor[0]
        rest = np.maximum(values[:, : values.shape[1] - factors].mean(axis=1), floor[0])
        values[:, : values.shape[1] - factors] = rest[:, np.newaxis]
        values = np.maximum(values, rest[:, np.newaxis])
        spread = (vectors * values[:, np.newaxis]) @ np.swapaxes(vectors, 1, 2)
    elif kind == "tied":
        spread = _lifted(spread, floor)[0]
    else:
        spread = spread.copy()
        for k in range(len(spread)):
            spread[k], low[k] = _lifted(spread[k], floor)
    empty = moments.count <= 1e-10 * moments.count.sum()
    return Parts(log_weights, moments.mean, spread, moments.shape), empty | low


def _lifted(
    spread: NDArray[np.float64], floor: NDArray[np.float64]
) -> tuple[NDArray[np.float64], bool]:
    """Lift a covariance (d, d) above the floor; and whether no direction was above it."""
    if floor.ndim == 1:
        floor = np.diag(floor)
    try:
        np.linalg.cholesky(spread - floor)
    except np.linalg.LinAlgError:
        root = np.linalg.cholesky(floor)
        inverse = np.linalg.inv(root)
        values, vectors = np.linalg.eigh(inverse @ spread @ inverse.T)
        turned = root @ vectors
        return (turned * np.maximum(values, 1)) @ turned.T, bool(values[-1] <= 1)
    return spread, False


def split(parts: Parts, gone: int, kind: Covariance, floor: NDArray[np.float64]) -> Parts:
    """Give a collapsed component half of the heaviest one.

    The heaviest is cut along its longest axis, half a standard deviation to either side, and made
    narrower there by as much, which keeps its mean and covariance as a whole.
    """
    log_weights, means = parts.log_weights.copy(), parts.means.copy()
    covariances = parts.covariances.copy()
    log_weights[gone] = -np.inf
    heavy = int(log_weights.argmax())
    log_weights[[heavy, gone]] = log_weights[heavy] - math.log(2)
    if parts.shape == "diag":
        axis = int(covariances[heavy].argmax())
        step = np.zeros(means.shape[1])
        step[axis] = 0.5 * math.sqrt(covariances[heavy, axis])
        covariances[heavy, axis] *= 0.75
        if kind == "spherical":
            covariances[heavy] = covariances[heavy].mean()
        covariances[heavy] = np.maximum(covariances[heavy], floor)
    else:
        whole = covariances if parts.shape == "tied" else covariances[heavy]
        values, vectors = np.linalg.eigh(whole)
        step = 0.5 * math.sqrt(values[-1]) * vectors[:, -1]
        if parts.shape == "full":
            covariances[heavy] -= np.outer(step, step)
    if parts.shape != "tied":
        covariances[gone] = covariances[heavy]
    means[gone] = means[heavy] + step
    means[heavy] -= step
    return Parts(log_weights - np.logaddexp.reduce(log_weights), means, covariances, parts.shape)
