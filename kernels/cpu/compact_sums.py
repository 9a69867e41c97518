"""Sums of kernels that end somewhere, over the tree of `kernel_tree`: only rows within reach.

Bands are runs of queries. Each writes the results of its own queries only, and adds up the leaves
in one order, so bands may run at the same time and the result does not depend on the threads.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit
from .exponential import fused
from .kernel_tree import QUERIES, apart

__all__ = ["TRIANGLE", "compact_sums"]

#: The power that stands for 1 − r instead of (1 − r²)ᵖ.
TRIANGLE = -1.0
#: Nodes that wait: as many as there are levels.
_DEPTH = 64
#: Rounding of a box's distance against those of its rows.
_ROUNDING = 1e-12


@jit
def compact_sums(
    boxes, least, most, mass, points, scales, weights, queries, power, cut, out, band
):  # fmt: skip
    """Write Σⱼ wⱼ (1 − sⱼ |qᵢ − xⱼ|²)ᵖ over the rows where that is not negative.

    Parameters
    ----------
    boxes : (2 leaves − 1, 2, d) float64
    least, most, mass : (2 leaves − 1,) float64
        The least and the largest scale, and the sum of weights of each node.
    points : (leaves, d, LEAF) float64
    scales, weights : (leaves, LEAF) float64
    queries : (m, d) float64
    power : float
        p, or `TRIANGLE`.
    cut : bool
        False looks at every row.
    out : (m,) float64
    band : int
        Of `QUERIES` queries.
    """
    rows, width = points.shape[2], queries.shape[1]
    squares, sums = np.empty(rows), np.empty(rows)
    stack = np.empty((_DEPTH, 3), np.int64)
    for i in range(band * QUERIES, min((band + 1) * QUERIES, queries.shape[0])):
        query = queries[i]
        sums[:] = 0.0
        whole = 0.0
        stack[0] = 0, 0, points.shape[0]
        top = 1
        while top > 0:
            top -= 1
            node, first, last = stack[top]
            if cut and least[node] * apart(boxes[node], query) > 1.0 + _ROUNDING:
                continue
            # a top hat is as high everywhere
            flat = cut and power == 0.0
            if flat and most[node] * _farthest(boxes[node], query) < 1.0 - _ROUNDING:
                whole += mass[node]
                continue
            if last - first > 1:
                middle = (first + last) // 2
                stack[top] = node + 2 * (middle - first), middle, last
                stack[top + 1] = node + 1, first, middle
                top += 2
                continue
            for j in range(rows):
                squares[j] = 0.0
            for k in range(width):
                row, at = points[first, k], query[k]
                for j in range(rows):
                    away = at - row[j]
                    squares[j] += away * away
            _add(squares, scales[first], weights[first], power, sums)
        for j in range(rows):
            whole += sums[j]
        out[i] = whole


@jit
def _farthest(box, query):
    """Return the squared distance from a query to the farthest corner of a box."""
    total = 0.0
    for k in range(query.size):
        away = max(abs(query[k] - box[0, k]), abs(query[k] - box[1, k]))
        total = fused(away, away, total)
    return total


@jit
def _add(squares, scales, weights, power, sums):
    """Add a leaf of kernels, each to the sum of its place in the leaf: no sum waits."""
    if power == 0.0:
        for j in range(sums.size):
            inside = squares[j] * scales[j] <= 1.0
            sums[j] += weights[j] if inside else 0.0
    elif power == 1.0:
        for j in range(sums.size):
            left = 1.0 - squares[j] * scales[j]
            sums[j] += weights[j] * (left if left > 0.0 else 0.0)
    elif power == TRIANGLE:  # 1 − r without its cancellation
        for j in range(sums.size):
            far = squares[j] * scales[j]
            left = 1.0 - far if far < 1.0 else 0.0
            sums[j] += weights[j] * left / (1.0 + np.sqrt(far))
    else:
        for j in range(sums.size):
            left = 1.0 - squares[j] * scales[j]
            if left > 0.0:
                sums[j] += weights[j] * left**power
