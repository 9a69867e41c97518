"""Sums of Gaussians at arbitrary places: exact, in logarithms, in O(queries) memory.

Bands are runs of `QUERIES` queries. Each writes the results of its own queries only and
adds up the points in their order, so bands may run at the same time and in any order, and the
result does not depend on the threads.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit
from .exponential import exp2, fused, larger

__all__ = ["LANES", "QUERIES", "exponent_sums", "log_sums"]

#: Queries side by side: four vector registers of doubles on AVX2.
LANES = 32
#: Queries of a band.
QUERIES = 256
#: Points between two looks at the maximum; their exponents (16 KiB) stay in the first cache.
_POINTS = 64


@jit
def log_sums(points, scales, offsets, queries, out, band):
    """Write log2 Σⱼ 2^(offsetⱼ − scaleⱼ |queryᵢ − pointⱼ|²).

    Parameters
    ----------
    points : (n, d) float64
    scales, offsets : (n,) float64
    queries : (d, m) float64
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
        own = min(LANES, end - start)
        for k in range(width):
            for q in range(own):
                query[k, q] = queries[k, start + q]
        for q in range(LANES):
            maximum[q] = -np.inf
            total[q] = 0.0
        for first in range(0, count, _POINTS):
            some = min(_POINTS, count - first)
            for j in range(some):
                row = exponents[j]
                for q in range(LANES):
                    row[q] = 0.0
                for k in range(width):
                    coordinate = points[first + j, k]
                    of = query[k]
                    for q in range(LANES):
                        apart = of[q] - coordinate
                        row[q] = fused(apart, apart, row[q])
                scale = -scales[first + j]
                offset = offsets[first + j]
                for q in range(LANES):
                    row[q] = fused(row[q], scale, offset)
            _add(exponents, some, maximum, total)
        for q in range(own):
            out[start + q] = maximum[q] + np.log2(total[q])


@jit
def _add(exponents, some, maximum, total):
    """Add 2^exponents to totals that are kept relative to 2^maximum."""
    highest = np.empty(LANES)
    for q in range(LANES):
        highest[q] = maximum[q]
    for j in range(some):
        row = exponents[j]
        for q in range(LANES):
            highest[q] = larger(row[q], highest[q])
    for q in range(LANES):
        if highest[q] > maximum[q]:
            total[q] *= 2.0 ** (maximum[q] - highest[q])
            maximum[q] = highest[q]
        elif highest[q] == -np.inf:  # no weight yet: any finite level does
            highest[q] = 0.0
    for j in range(some):
        row = exponents[j]
        for q in range(LANES):
            total[q] += exp2(row[q] - highest[q])


@jit
def exponent_sums(exponents, maximum, total):
    """Add 2^exponents, (points, queries), to totals (queries,) kept relative to 2^maximum.

    The number of queries is a multiple of `LANES`.
    """
    count = exponents.shape[0]
    for start in range(0, exponents.shape[1], LANES):
        end = start + LANES
        for first in range(0, count, _POINTS):
            some = min(_POINTS, count - first)
            part = exponents[first : first + some, start:end]
            _add(part, some, maximum[start:end], total[start:end])
