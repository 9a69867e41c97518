"""Sums of Gaussians and exponentials at any places: exact, in logarithms, in O(queries) memory.

Bands are runs of `QUERIES` queries. Each writes the results of its own queries only and
adds up the points in their order, so bands may run at the same time and in any order, and the
result does not depend on the threads.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit
from .exponential import exp2, fused, larger

__all__ = ["LANES", "QUERIES", "exponent_sums", "log_sums"]

#: Queries side by side.
LANES = 64
#: Queries of a band.
QUERIES = 256
#: Points between two looks at the maximum; their exponents (32 KiB) stay in the first cache.
_POINTS = 64


@jit
def log_sums(points, scales, offsets, queries, root, out, band):
    """Write log2 Σⱼ 2^(offsetⱼ − scaleⱼ |queryᵢ − pointⱼ|²).

    Parameters
    ----------
    points : (n, d) float64
    scales, offsets : (n,) float64
    queries : (d, m) float64
    root : bool
        The distance instead of its square.
    out : (m,) float64
    band : int
        Of `QUERIES` queries.
    """
    count, width = points.shape
    exponents = np.empty((_POINTS, LANES))
    maximum = np.empty(LANES)
    total = np.empty(LANES)
    query = np.zeros((width, LANES))
    end = min((band + 1) * QUERIES, queries.shape[1])
    for start in range(band * QUERIES, end, LANES):
        # a number that the compiler does not know keeps it from unrolling what it should vectorise
        lanes = min(LANES, end - start)
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
                    row[q] = 0.0
                for k in range(width):
                    coordinate = points[first + j, k]
                    of = query[k]
                    for q in range(lanes):
                        apart = of[q] - coordinate
                        row[q] = fused(apart, apart, row[q])
                if root:
                    for q in range(lanes):
                        row[q] = np.sqrt(row[q])
                scale = -scales[first + j]
                offset = offsets[first + j]
                for q in range(lanes):
                    row[q] = fused(row[q], scale, offset)
            _add(exponents, 0, some, 0, lanes, maximum, total)
        for q in range(lanes):
            out[start + q] = maximum[q] + np.log2(total[q])


@jit
def _add(exponents, first, some, start, lanes, maximum, total):
    """Add 2^exponents of ``some`` points and ``lanes`` queries to totals relative to 2^maximum."""
    highest = np.empty(LANES)
    for q in range(lanes):
        highest[q] = maximum[start + q]
    for j in range(some):
        for q in range(lanes):
            highest[q] = larger(exponents[first + j, start + q], highest[q])
    for q in range(lanes):
        if highest[q] > maximum[start + q]:
            total[start + q] *= 2.0 ** (maximum[start + q] - highest[q])
            maximum[start + q] = highest[q]
        elif highest[q] == -np.inf:  # no weight yet: any finite level does
            highest[q] = 0.0
    for j in range(some):
        for q in range(lanes):
            total[start + q] += exp2(exponents[first + j, start + q] - highest[q])


@jit
def exponent_sums(exponents, maximum, total):
    """Add 2^exponents, (points, queries), to totals (queries,) kept relative to 2^maximum."""
    count, queries = exponents.shape
    for start in range(0, queries, LANES):
        lanes = min(LANES, queries - start)
        for first in range(0, count, _POINTS):
            some = min(_POINTS, count - first)
            _add(exponents, first, some, start, lanes, maximum, total)
