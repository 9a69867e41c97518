"""A balanced kd-tree over rows, and sums of kernels over the rows that matter to a query.

The tree has no pointers. It covers leaves 0 … n − 1; a node that covers leaves
``first <= leaf < last`` splits before ``middle = (first + last) // 2``. Nodes are numbered from
the root on, the lower half first: the halves of node i are i + 1 and i + 2 (middle − first).

Bands are runs of queries. Each writes the results of its own queries only, and a query meets the
leaves in an order of its own, so bands may run at the same time and the result does not depend on
the threads.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit
from .exponential import exp2, fused, larger

__all__ = ["LEAF", "QUERIES", "apart", "build", "nearest_leaves", "tree_sums"]

#: Rows of a leaf: side by side, for the vector registers.
LEAF = 64
#: Queries of a band.
QUERIES = 256
#: Nodes that wait: as many as there are levels.
_DEPTH = 64
#: Exponents above the level so far at which a leaf's own highest is looked up; below 1023.
_ROOM = 500.0


@jit
def build(points, order, boxes):
    """Sort rows into leaves, and write the box around the rows of each node.

    Parameters
    ----------
    points : (n, d) float64
    order : (n,) int64
        0 … n − 1; becomes the rows leaf by leaf, each of `LEAF`, the last one of what is left.
    boxes : (2 leaves − 1, 2, d) float64
        Lowest and highest of each column.
    """
    count, width = points.shape
    values = np.empty(count)
    stack = np.empty((_DEPTH, 3), np.int64)
    stack[0] = 0, 0, (count + LEAF - 1) // LEAF
    top = 1
    while top > 0:
        top -= 1
        node, first, last = stack[top]
        low, high = first * LEAF, min(last * LEAF, count)
        box = boxes[node]
        box[0], box[1] = np.inf, -np.inf
        for i in range(low, high):
            row = points[order[i]]
            for k in range(width):
                box[0, k] = min(box[0, k], row[k])
                box[1, k] = max(box[1, k], row[k])
        if last - first == 1:
            continue
        column = 0
        for k in range(1, width):
            if box[1, k] - box[0, k] > box[1, column] - box[0, column]:
                column = k
        for i in range(low, high):
            values[i] = points[order[i], column]
        middle = (first + last) // 2
        _select(values, order, low, high - 1, middle * LEAF)
        stack[top] = node + 2 * (middle - first), middle, last
        stack[top + 1] = node + 1, first, middle
        top += 2


@jit
def _select(values, order, low, high, rank):
    """Reorder both so that no value before ``rank`` is larger than one from it on."""
    while low < high:
        a, b, c = values[low], values[(low + high) // 2], values[high]
        pivot = max(min(a, b), min(max(a, b), c))
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            return


@jit
def apart(box, query):
    """Return the squared distance from a query to a box."""
    total = 0.0
    for k in range(query.size):
        away = max(max(box[0, k] - query[k], query[k] - box[1, k]), 0.0)
        total = fused(away, away, total)
    return total


@jit
def nearest_leaves(boxes, leaves, queries, found, band):
    """Write a leaf near each query, by which neighbours are told.

    Parameters
    ----------
    boxes : (2 leaves − 1, 2, d) float64
    leaves : int
    queries : (m, d) float64
    found : (m,) int64
    band : int
    """
    for i in range(band * QUERIES, min((band + 1) * QUERIES, queries.shape[0])):
        node, first, last = 0, 0, leaves
        while last - first > 1:
            middle = (first + last) // 2
            left, right = node + 1, node + 2 * (middle - first)
            if apart(boxes[left], queries[i]) <= apart(boxes[right], queries[i]):
                node, last = left, middle
            else:
                node, first = right, middle
        found[i] = first


@jit
def tree_sums(
    boxes, least, points, scales, offsets, queries, root, slack, out, means, visits, band
):  # fmt: skip
    """Write log2 Σⱼ 2^(offsetⱼ − scaleⱼ |queryᵢ − pointⱼ|²), but for what is too small to matter.

    The nearer half of a node is looked at first. A node is left out where a weight of 1 in it
    would be at most 2^slack of the sum so far; if slack is log2 of (error / all weights), what
    is left out adds up to at most the error times the sum (Gray & Moore 2003, section 4).

    Parameters
    ----------
    boxes : (2 leaves − 1, 2, d) float64
    least : (2 leaves − 1,) float64
        The least scale of each node.
    points : (leaves, d, LEAF) float64
    scales, offsets : (leaves, LEAF) float64
        Places without a row have the offset −inf.
    queries : (m, d) float64
    root : bool
        The distance instead of its square.
    slack : float
    out : (m,) float64
    means : (m, d) float64, or (0, d)
        Becomes the means of the points, each as its term weighs; not if there are no rows.
    visits : (m,) int64
        Becomes the number of leaves that were summed up.
    band : int
        Of `QUERIES` queries.
    """
    # numbers that the compiler does not know keep it from unrolling what it should vectorise
    rows, width = points.shape[2], queries.shape[1]
    exponents, sums, moments = np.empty(rows), np.empty(rows), np.empty((width, rows))
    stack = np.empty((_DEPTH, 3), np.int64)
    heights = np.empty(_DEPTH)
    highest = -np.inf
    for leaf in range(points.shape[0]):
        highest = max(highest, _highest(offsets[leaf]))
    for i in range(band * QUERIES, min((band + 1) * QUERIES, queries.shape[0])):
        query = queries[i]
        level, floor, seen, look = -np.inf, -np.inf, 0, 1
        for j in range(rows):
            sums[j] = 0.0
        moments[:] = 0.0
        stack[0] = 0, 0, points.shape[0]
        heights[0] = np.inf
        top = 1
        while top > 0:
            top -= 1
            height = heights[top]
            if height <= floor and seen > 0:
                continue
            node, first, last = stack[top]
            while last - first > 1 and (height > floor or seen == 0):
                middle = (first + last) // 2
                left, right = node + 1, node + 2 * (middle - first)
                near, far = apart(boxes[left], query), apart(boxes[right], query)
                if root:
                    near, far = np.sqrt(near), np.sqrt(far)
                near, far = -least[left] * near, -least[right] * far
                if near >= far:
                    stack[top] = right, middle, last
                    heights[top] = far
                    node, last, height = left, middle, near
                else:
                    stack[top] = left, first, middle
                    heights[top] = near
                    node, first, height = right, middle, far
                if heights[top] > floor or seen == 0:
                    top += 1
            if last - first > 1:
                continue
            for j in range(rows):
                exponents[j] = 0.0
            for k in range(width):
                row, at = points[first, k], query[k]
                for j in range(rows):
                    away = at - row[j]
                    exponents[j] = fused(away, away, exponents[j])
            if root:
                for j in range(rows):
                    exponents[j] = np.sqrt(exponents[j])
            scale, offset = scales[first], offsets[first]
            for j in range(rows):
                exponents[j] = fused(exponents[j], -scale[j], offset[j])
            if height + highest > level + _ROOM or seen == 0:
                found = _highest(exponents)
                if found > level:
                    for j in range(rows):
                        sums[j] *= 2.0 ** (level - found)
                    if means.size > 0:
                        moments *= 2.0 ** (level - found)
                    level = found
            seen += 1
            if level == -np.inf:  # every kernel is 0 here, as far as numbers go
                continue
            for j in range(rows):
                exponents[j] = exp2(exponents[j] - level)
            for j in range(rows):
                sums[j] += exponents[j]
            if means.size > 0:
                for k in range(width):
                    row, moment = points[first, k], moments[k]
                    for j in range(rows):
                        moment[j] = fused(exponents[j], row[j], moment[j])
            if seen == look:
                floor = slack + level + np.log2(_total(sums))
                look *= 2
        visits[i] = seen
        total = _total(sums)
        out[i] = level + np.log2(total)
        if means.size > 0:
            for k in range(width):
                means[i, k] = _total(moments[k]) / total


@jit
def _highest(values):
    """Return the largest."""
    found = -np.inf
    for j in range(values.size):
        found = larger(values[j], found)
    return found


@jit
def _total(sums):
    """Return the sum of all."""
    total = 0.0
    for j in range(sums.size):
        total += sums[j]
    return total
