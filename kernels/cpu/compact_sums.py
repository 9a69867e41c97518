"""Sums of kernels that end somewhere: only points in the neighbouring cells are looked at.

Bands are runs of queries. Each writes the results of its own queries only and adds up the points
in one order, so bands may run at the same time and the result does not depend on the threads.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit

__all__ = ["QUERIES", "TRIANGLE", "compact_sums"]

#: Queries of a band.
QUERIES = 256
#: Points of a run.
_POINTS = 64
#: The power that stands for 1 − r instead of (1 − r²)ᵖ.
TRIANGLE = -1.0


@jit
def compact_sums(points, scales, weights, keys, queries, cells, sizes, power, out, band):
    """Write Σⱼ wⱼ (1 − sⱼ |qᵢ − xⱼ|²)ᵖ over the points where that is not negative.

    Parameters
    ----------
    points : (d, n) float64
        In the order of their keys.
    scales, weights : (n,) float64
    keys : (n,) int64
        Of each point's cell: (a · sizes[1] + b) · sizes[2] + c; rising.
    queries : (m, d) float64
    cells : (m, 3) int64
        Of each query; those beyond the points' are outside of 0 … size − 1.
    sizes : (3,) int64
        Numbers of cells; a cell is at least as wide as a kernel reaches.
    power : float
        p, or `TRIANGLE`.
    out : (m,) float64
    band : int
        Of `QUERIES` queries.
    """
    squares = np.empty(_POINTS)
    sums = np.empty(_POINTS)
    for i in range(band * QUERIES, min((band + 1) * QUERIES, queries.shape[0])):
        sums[:] = 0.0
        low = max(cells[i, 2] - 1, 0)
        high = min(cells[i, 2] + 1, sizes[2] - 1)
        for a in range(max(cells[i, 0] - 1, 0), min(cells[i, 0] + 2, sizes[0])):
            for b in range(max(cells[i, 1] - 1, 0), min(cells[i, 1] + 2, sizes[1])):
                row = (a * sizes[1] + b) * sizes[2]
                start = np.searchsorted(keys, row + low)
                end = np.searchsorted(keys, row + high, side="right")
                for first in range(start, end, _POINTS):
                    some = min(_POINTS, end - first)
                    _squares(points, queries[i], first, some, squares)
                    _add(squares, scales, weights, first, some, power, sums)
        total = 0.0
        for j in range(_POINTS):
            total += sums[j]
        out[i] = total


@jit
def _squares(points, query, first, some, squares):
    """Write |query − point|² of a run of points."""
    for j in range(some):
        squares[j] = 0.0
    for k in range(query.size):
        for j in range(some):
            apart = query[k] - points[k, first + j]
            squares[j] += apart * apart


@jit
def _add(squares, scales, weights, first, some, power, sums):
    """Add a run of kernels, each to the sum of its place in the run: no loop waits for itself."""
    if power == 0.0:
        for j in range(some):
            inside = squares[j] * scales[first + j] <= 1.0
            sums[j] += weights[first + j] if inside else 0.0
    elif power == 1.0:
        for j in range(some):
            left = 1.0 - squares[j] * scales[first + j]
            sums[j] += weights[first + j] * (left if left > 0.0 else 0.0)
    elif power == TRIANGLE:  # 1 − r without its cancellation
        for j in range(some):
            far = squares[j] * scales[first + j]
            left = 1.0 - far if far < 1.0 else 0.0
            sums[j] += weights[first + j] * left / (1.0 + np.sqrt(far))
    else:
        for j in range(some):
            left = 1.0 - squares[j] * scales[first + j]
            if left > 0.0:
                sums[j] += weights[first + j] * left**power
