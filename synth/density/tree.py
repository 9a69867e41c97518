"""Log-sums over a kd-tree: far queries need few rows, and so do near ones of narrow kernels.

Rows are kept leaf by leaf in a balanced tree of boxes (Bentley 1975). A query looks at the nearer
boxes first, and leaves out those whose kernels could not change its sum by more than their share
of the error, or do not reach it (Gray & Moore 2003, one tree).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.density.shapes import Shape
from synth.kernels._jit import threads
from synth.kernels.cpu import compact_sums
from synth.kernels.cpu import kernel_tree as kernels

__all__ = ["KernelTree", "TreeSums", "compact_log_sums", "plant", "tree_sums"]

_LOG2E = float(np.log2(np.e))
#: Weights that are e^−600 of the largest are 0 beside it, or lose their digits; sums of compact
#: kernels below e^−640 of it are added up anew.
_APART, _LEAST = 600.0, -640.0
#: Numbers of a table of queries by rows (32 MiB).
_BATCH = 1 << 22


@dataclass(frozen=True)
class KernelTree:
    """Rows leaf by leaf, `kernels.LEAF` in each, and the box around each node.

    Attributes
    ----------
    boxes : (nodes, 2, d) ndarray
    points : (leaves, d, LEAF) ndarray
        The last leaf is filled up with copies of no weight.
    precision, log_weights : (leaves, LEAF) ndarrays
        log_weights are −∞ where a leaf is filled up.
    """

    boxes: NDArray[np.float64]
    points: NDArray[np.float64]
    precision: NDArray[np.float64]
    log_weights: NDArray[np.float64]

    @property
    def leaves(self) -> int:
        """How many there are."""
        return len(self.points)

    def over_nodes(self, values: NDArray[np.float64], by: np.ufunc) -> NDArray[np.float64]:
        """Reduce values of rows, (leaves, LEAF), to values of nodes, (nodes,)."""
        out = np.empty(len(self.boxes))
        own = by.reduce(values, axis=1)
        stack = [(0, 0, self.leaves)]
        while stack:
            node, first, last = stack.pop()
            out[node] = by.reduce(own[first:last])
            if last - first > 1:
                middle = (first + last) // 2
                stack.append((node + 1, first, middle))
                stack.append((node + 2 * (middle - first), middle, last))
        return out

    def order(self, queries: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return an order in which neighbouring queries look at the same leaves."""
        found = np.empty(len(queries), np.int64)
        with threads() as run:
            bands = -(-len(queries) // kernels.QUERIES)
            run(kernels.nearest_leaves, bands, self.boxes, self.leaves, queries, found)
        return np.argsort(found, kind="stable")


def plant(
    points: NDArray[np.float64],
    log_weights: NDArray[np.float64],
    precision: NDArray[np.float64] | None,
) -> KernelTree:
    """Return a tree over rows, (n, d), in O(n log n)."""
    count, width = points.shape
    leaves = -(-count // kernels.LEAF)
    order, boxes = np.arange(count), np.empty((2 * leaves - 1, 2, width))
    kernels.build(points, order, boxes)
    filled = np.concatenate([order, np.full(leaves * kernels.LEAF - count, order[-1])])
    weights = log_weights[filled]
    weights[count:] = -np.inf
    return KernelTree(
        boxes,
        np.ascontiguousarray(
            points[filled].reshape(leaves, kernels.LEAF, width).transpose(0, 2, 1)
        ),
        (np.ones(len(filled)) if precision is None else precision[filled]).reshape(leaves, -1),
        weights.reshape(leaves, -1),
    )


@dataclass(frozen=True)
class TreeSums:
    """What a tree gives for each query.

    Attributes
    ----------
    logs : (m,) ndarray
        log Σⱼ wⱼ k(qᵢ − xⱼ).
    means : (m, d) ndarray
        Σⱼ wⱼ k(qᵢ − xⱼ) xⱼ / Σⱼ wⱼ k(qᵢ − xⱼ); (0, d) where they are not asked for.
    visits : (m,) ndarray
        How many leaves were looked at.
    """

    logs: NDArray[np.float64]
    means: NDArray[np.float64]
    visits: NDArray[np.int64]


def tree_sums(
    tree: KernelTree,
    queries: NDArray[np.float64],
    rtol: float,
    *,
    length: float | None = None,
    means: bool = False,
) -> TreeSums:
    """Return log Σⱼ wⱼ exp(−½ aⱼ |qᵢ − xⱼ|²) and what comes with it.

    Parameters
    ----------
    tree : KernelTree
    queries : (m, d)
        In units of the bandwidth.
    rtol : float
        The relative error of each sum; that of a mean is so much of the rows' extent.
    length : float, optional
        Sum up exp(−√aⱼ |qᵢ − xⱼ| / length) instead.
    means : bool
        Whether the means of the rows are wanted.
    """
    scales = 0.5 * tree.precision if length is None else np.sqrt(tree.precision) / length
    least = tree.over_nodes(scales, np.minimum) * _LOG2E
    whole = float(np.logaddexp.reduce(tree.log_weights, axis=None))
    slack = math.log2(rtol) - whole * _LOG2E
    count, width = queries.shape
    order = tree.order(queries)
    logs, visits = np.empty(count), np.empty(count, np.int64)
    middles = np.empty((count if means else 0, width))
    args = (tree.boxes, least, tree.points, scales * _LOG2E, tree.log_weights * _LOG2E)
    rest = (queries[order], length is not None, slack, logs, middles, visits)
    with threads() as run:
        run(kernels.tree_sums, -(-count // kernels.QUERIES), *args, *rest)
    back = np.empty_like(order)
    back[order] = np.arange(count)
    return TreeSums(logs[back] / _LOG2E, middles[back] if means else middles, visits[back])


def compact_log_sums(
    tree: KernelTree, queries: NDArray[np.float64], shape: Shape, *, cut: bool = True
) -> NDArray[np.float64]:
    """Return log Σⱼ wⱼ k(√aⱼ |qᵢ − xⱼ|), (m,); −∞ where no kernel reaches.

    Nothing is left out that a kernel reaches; of top hats, boxes that lie inside count as one.
    With ``cut=False`` every row is looked at.
    """
    scales = tree.precision * shape.scale**-2.0
    level = float(tree.log_weights.max())
    weights = np.exp(tree.log_weights - level)
    nodes = [
        tree.over_nodes(scales, np.minimum),
        tree.over_nodes(scales, np.maximum),
        tree.over_nodes(weights, np.add),
    ]
    power = compact_sums.TRIANGLE if shape.kernel == "triangular" else shape.power
    order, sums = tree.order(queries), np.empty(len(queries))
    args = (tree.boxes, *nodes, tree.points, scales, weights, queries[order], power, cut, sums)
    with threads() as run:
        run(compact_sums.compact_sums, -(-len(queries) // kernels.QUERIES), *args)
    out = np.empty(len(queries))
    with np.errstate(divide="ignore"):
        out[order] = np.log(sums) + level
    if tree.log_weights[np.isfinite(tree.log_weights)].min() < level - _APART:
        lost = np.flatnonzero(out < level + _LEAST)  # what reaches these may be far below level
        for part in np.array_split(lost, -(-len(lost) * weights.size // _BATCH) or 1):
            out[part] = _each(tree, queries[part], shape)
    return out


def _each(tree: KernelTree, queries: NDArray[np.float64], shape: Shape) -> NDArray[np.float64]:
    """Add every row up in logarithms, with a level for each query."""
    from scipy.spatial.distance import cdist

    rows = tree.points.transpose(0, 2, 1).reshape(-1, queries.shape[1])
    squares = cdist(queries, rows, "sqeuclidean") * tree.precision.reshape(-1)
    terms = tree.log_weights.reshape(-1) + shape.log_heights(squares)
    return np.asarray(np.logaddexp.reduce(terms, axis=1))
