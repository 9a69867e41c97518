"""Where Gaussian kernels pull to: the score of their density, and the data behind noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from synth.density.direct import batches, responsibilities
from synth.density.shapes import shape_of
from synth.density.sums import Summands, Way, takes_a_tree
from synth.density.tree import tree_sums
from synth.errors import InputError
from synth.rows import FAR

__all__ = ["clean", "pulls"]


def pulls(kernels: Summands, queries: NDArray[np.float64], way: Way) -> NDArray[np.float64]:
    """Return ∇ log Σⱼ wⱼ N(qᵢ; xⱼ, 1 / aⱼ), (m, d), in units of the bandwidth."""
    points, precision = kernels.points, kernels.precision
    far = np.abs(queries).max(axis=1) >= FAR
    if far.any():
        raise InputError(
            f"row {far.argmax()} of q lies too many bandwidths from the data for their squares, "
            "so there is no slope; leave it out"
        )
    if takes_a_tree(kernels, queries, way):
        found = tree_sums(kernels.tree, queries, way.rtol, means=True)
        if precision is None:
            return found.means - queries
        # Σ w a k (x − q) / Σ w k: the means are those of weights w a
        heavier = replace(kernels, log_weights=kernels.log_weights + np.log(precision))
        steep = tree_sums(heavier.tree, queries, way.rtol, means=True)
        size = np.exp(steep.logs - found.logs)[:, np.newaxis]
        return np.asarray(size * (steep.means - queries))
    own = np.ones(len(points)) if precision is None else precision
    pull = np.empty_like(queries)
    for part in batches(len(queries), len(points)):
        share = responsibilities(points, kernels.log_heights, queries[part], own) * own
        pull[part] = share @ points - share.sum(axis=1, keepdims=True) * queries[part]
    return pull


def clean(
    points: NDArray[np.float64],
    log_weights: NDArray[np.float64],
    queries: NDArray[np.float64],
    sigma: float,
    way: Way,
) -> NDArray[np.float64]:
    """Return Σⱼ wⱼ N(qᵢ; xⱼ, σ²) xⱼ / Σⱼ wⱼ N(qᵢ; xⱼ, σ²), (m, d)."""
    farthest = float(max(np.abs(points).max(), np.abs(queries).max()))
    if not farthest / FAR < sigma:
        raise InputError(
            f"sigma is {sigma:g}, too small for rows that lie {farthest:g} apart; take a larger "
            "one, or its limit: the nearest row of the data"
        )
    kernels = Summands(points / sigma, log_weights, None, shape_of("gaussian", points.shape[1]))
    queries = queries / sigma
    if takes_a_tree(kernels, queries, way):
        return tree_sums(kernels.tree, queries, way.rtol, means=True).means * sigma
    even, found = np.ones(len(points)), np.empty_like(queries)
    for part in batches(len(queries), len(points)):
        found[part] = responsibilities(kernels.points, log_weights, queries[part], even) @ points
    return found
