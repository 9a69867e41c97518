"""Where Gaussian kernels pull to: the score of their density, and the data behind noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth.density.direct import batches, responsibilities

__all__ = ["expectations", "pulls"]


def pulls(
    points: NDArray[np.float64],
    log_weights: NDArray[np.float64],
    queries: NDArray[np.float64],
    precision: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """Return ∇ log Σⱼ wⱼ N(qᵢ; xⱼ, 1 / aⱼ), (m, d), in units of the bandwidth."""
    if precision is None:
        precision = np.ones(len(points))
    log_weights = log_weights + points.shape[1] / 2 * np.log(precision)
    pull = np.empty_like(queries)
    for part in batches(len(queries), len(points)):
        share = responsibilities(points, log_weights, queries[part], precision) * precision
        pull[part] = share @ points - share.sum(axis=1, keepdims=True) * queries[part]
    return pull


def expectations(
    points: NDArray[np.float64],
    log_weights: NDArray[np.float64],
    queries: NDArray[np.float64],
    sigma: float,
) -> NDArray[np.float64]:
    """Return Σⱼ wⱼ N(qᵢ; xⱼ, σ²) xⱼ / Σⱼ wⱼ N(qᵢ; xⱼ, σ²), (m, d)."""
    clean = np.empty_like(queries)
    scaled, even = points / sigma, np.ones(len(points))
    for part in batches(len(queries), len(points)):
        share = responsibilities(scaled, log_weights, queries[part] / sigma, even)
        clean[part] = share @ points
    return clean
