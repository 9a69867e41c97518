"""Where Gaussian kernels pull to: the score of their density, and the data behind noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from synth.density.direct import batches, responsibilities
from synth.density.sums import Summands, Way, takes_a_tree
from synth.density.tree import tree_sums

__all__ = ["expectations", "pulls"]


def pulls(kernels: Summands, queries: NDArray[np.float64], way: Way) -> NDArray[np.float64]:
    """Return ∇ log Σⱼ wⱼ N(qᵢ; xⱼ, 1 / aⱼ), (m, d), in units of the bandwidth."""
    points, precision = kernels.points, kernels.precision
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


def expectations(kernels: Summands, queries: NDArray[np.float64], way: Way) -> NDArray[np.float64]:
    """Return Σⱼ wⱼ N(qᵢ; xⱼ, 1) xⱼ / Σⱼ wⱼ N(qᵢ; xⱼ, 1), (m, d)."""
    if takes_a_tree(kernels, queries, way):
        return tree_sums(kernels.tree, queries, way.rtol, means=True).means
    points, even = kernels.points, np.ones(len(kernels.points))
    clean = np.empty_like(queries)
    for part in batches(len(queries), len(points)):
        clean[part] = responsibilities(points, kernels.log_weights, queries[part], even) @ points
    return clean
