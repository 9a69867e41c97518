"""Sums of Gaussians and exponentials at any places: exact, in logarithms, in O(queries) memory.

One source for float64 and float32: terms are added up in the points' own type within a run of 64
points, the runs in float64.

Bands are runs of `QUERIES` queries. Each writes the results of its own queries only and
adds up the points in their order, so bands may run at the same time and in any order, and the
result does not depend on the threads.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit
from .either import two_to
from .exponential import fused, larger

__all__ = ["LANE_BYTES", "QUERIES", "exponent_sums", "log_sums"]

#: Queries side by side, in bytes: 64 in float64, 128 in float32.
LANE_BYTES = 512
#: Queries of a band.
QUERIES = 256
#: Points between two looks at the maximum; their exponents (32 KiB) stay in the first cache.
_POINTS = 64
#: Exponents so far below the highest add nothing that a sum of 2²⁷ of them would show, in float32
#: of 2²⁵.
_NOTHING, _NOTHING_SINGLE = -80.0, -50.0


@jit
def log_sums(points, scales, offsets, queries, root, out, band):
    """Write log2 Σⱼ 2^(offsetⱼ − scaleⱼ |queryᵢ − pointⱼ|²).

    Parameters
    ----------
    points : (n, d) float64 or float32
    scales, offsets : (n,) of the same type
    queries : (d, m) of the same type
    root : bool
        The distance instead of its square.
    out : (m,) float64
    band : int
        Of `QUERIES` queries.
    """
    count, width = points.shape
    side = LANE_BYTES // points.itemsize
    zero = points.dtype.type(0)
    exponents = np.empty((_POINTS, side), points.dtype)
    maximum = np.empty(side, points.dtype)
    total = np.empty(side)
    query = np.zeros((width, side), points.dtype)
    end = min((band + 1) * QUERIES, queries.shape[1])
    for start in range(band * QUERIES, end, side):
        # a number that the compiler does not know keeps it from unrolling what it should vectorise
        lanes = min(side, end - start)
        for k in range(width):
            for q in range(lanes):
                query[k, q] = queries[k, start + q]
        for q in range(lanes):
            maximum[q] = -np.inf
            total[q] = 0.0
        for first in range(0, count, _POINTS):
            some = min(_POINTS, count - first)
            for j in range(some):
                row = exponents[j]
                for q in range(lanes):
                    row[q] = zero
                point = points[first + j]
                _add_squares(query, point, lanes, row)
                if root:
                    for q in range(lanes):
                        row[q] = np.sqrt(row[q])
                scale = -scales[first + j]
                offset = offsets[first + j]
                for q in range(lanes):
                    row[q] = fused(row[q], scale, offset)
            _add(exponents[:some], 0, maximum[:lanes], total[:lanes])
        for q in range(lanes):
            out[start + q] = maximum[q] + np.log2(total[q])


@jit
def _add_squares(query, point, lanes, row):
    """Add the squared distances of queries, (d, lanes), from a point, four columns at a time."""
    width = point.size
    whole = width - width % 4
    for k in range(0, whole, 4):
        at_0, at_1, at_2, at_3 = point[k], point[k + 1], point[k + 2], point[k + 3]
        of_0, of_1, of_2, of_3 = query[k], query[k + 1], query[k + 2], query[k + 3]
        for q in range(lanes):
            apart_0, apart_1 = of_0[q] - at_0, of_1[q] - at_1
            apart_2, apart_3 = of_2[q] - at_2, of_3[q] - at_3
            near = fused(apart_0, apart_0, row[q])
            near = fused(apart_1, apart_1, near)
            near = fused(apart_2, apart_2, near)
            row[q] = fused(apart_3, apart_3, near)
    for k in range(whole, width):
        at, of = point[k], query[k]
        for q in range(lanes):
            apart = of[q] - at
            row[q] = fused(apart, apart, row[q])


@jit
def _add(exponents, start, maximum, total):
    """Add 2^exponents of the lanes from ``start`` on to totals (lanes,) relative to 2^maximum."""
    # rows are cut out before they are looped over, and by one axis at a time: sums as indices and
    # cuts along two axes turn loads into gathers
    lanes = maximum.size
    zero, nothing = exponents.dtype.type(0), exponents.dtype.type(_NOTHING)
    if exponents.itemsize == 4:
        nothing = exponents.dtype.type(_NOTHING_SINGLE)
    highest = np.empty(lanes, exponents.dtype)
    part = np.empty(lanes, exponents.dtype)
    for q in range(lanes):
        highest[q] = maximum[q]
        part[q] = zero
    for j in range(exponents.shape[0]):
        row = exponents[j][start : start + lanes]
        for q in range(lanes):
            highest[q] = larger(row[q], highest[q])
    for q in range(lanes):
        if highest[q] > maximum[q]:
            total[q] *= 2.0 ** np.float64(maximum[q] - highest[q])
            maximum[q] = highest[q]
        elif highest[q] == -np.inf:  # no weight yet: any finite level does
            highest[q] = zero
    for j in range(exponents.shape[0]):
        row = exponents[j][start : start + lanes]
        matter = 0
        for q in range(lanes):
            matter += 1 if row[q] - highest[q] > nothing else 0
        if matter > 0:
            for q in range(lanes):
                part[q] += two_to(row[q] - highest[q])
    for q in range(lanes):
        total[q] += part[q]


@jit
def exponent_sums(exponents, maximum, total):
    """Add 2^exponents, (points, queries), to totals (queries,) kept relative to 2^maximum."""
    count, queries = exponents.shape
    lanes = LANE_BYTES // exponents.itemsize
    for start in range(0, queries, lanes):
        end = min(start + lanes, queries)
        for first in range(0, count, _POINTS):
            some = exponents[first : first + _POINTS]
            _add(some, start, maximum[start:end], total[start:end])
