"""Sums of Gaussians and exponentials in float32: `kernel_sums` with twice the lanes.

Within a run of 64 points terms are added up in float32, the runs in float64.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit
from .exponential_single import exp2_single, fused_single, larger_single

__all__ = ["LANES", "QUERIES", "exponent_sums", "log_sums"]

#: Queries side by side.
LANES = 128
#: Queries of a band.
QUERIES = 256
_POINTS = 64
_ZERO = np.float32(0.0)
_LOWEST = np.float32(-np.inf)


@jit
def log_sums(points, scales, offsets, queries, root, out, band):
    """Write log2 Σⱼ 2^(offsetⱼ − scaleⱼ |queryᵢ − pointⱼ|²); float32, but for ``out`` (float64).

    The shapes and ``root`` are those of `kernel_sums.log_sums`.
    """
    count, width = points.shape
    exponents = np.empty((_POINTS, LANES), np.float32)
    maximum = np.empty(LANES, np.float32)
    total = np.empty(LANES)
    query = np.zeros((width, LANES), np.float32)
    end = min((band + 1) * QUERIES, queries.shape[1])
    for start in range(band * QUERIES, end, LANES):
        # a number that the compiler does not know keeps it from unrolling what it should vectorise
        lanes = min(LANES, end - start)
        for k in range(width):
            for q in range(lanes):
                query[k, q] = queries[k, start + q]
        for q in range(lanes):
            maximum[q] = _LOWEST
            total[q] = 0.0
        for first in range(0, count, _POINTS):
            some = min(_POINTS, count - first)
            for j in range(some):
                row = exponents[j]
                for q in range(lanes):
                    row[q] = _ZERO
                for k in range(width):
                    coordinate = points[first + j, k]
                    of = query[k]
                    for q in range(lanes):
                        apart = of[q] - coordinate
                        row[q] = fused_single(apart, apart, row[q])
                if root:
                    for q in range(lanes):
                        row[q] = np.sqrt(row[q])
                scale = -scales[first + j]
                offset = offsets[first + j]
                for q in range(lanes):
                    row[q] = fused_single(row[q], scale, offset)
            _add(exponents, 0, some, 0, lanes, maximum, total)
        for q in range(lanes):
            out[start + q] = maximum[q] + np.log2(total[q])


@jit
def _add(exponents, first, some, start, lanes, maximum, total):
    """Add 2^exponents of ``some`` points and ``lanes`` queries to totals relative to 2^maximum."""
    highest = np.empty(LANES, np.float32)
    part = np.empty(LANES, np.float32)
    for q in range(lanes):
        highest[q] = maximum[start + q]
        part[q] = _ZERO
    for j in range(some):
        for q in range(lanes):
            highest[q] = larger_single(exponents[first + j, start + q], highest[q])
    for q in range(lanes):
        if highest[q] > maximum[start + q]:
            total[start + q] *= 2.0 ** np.float64(maximum[start + q] - highest[q])
            maximum[start + q] = highest[q]
        elif highest[q] == _LOWEST:  # no weight yet: any finite level does
            highest[q] = _ZERO
    for j in range(some):
        for q in range(lanes):
            part[q] += exp2_single(exponents[first + j, start + q] - highest[q])
    for q in range(lanes):
        total[start + q] += part[q]


@jit
def exponent_sums(exponents, maximum, total):
    """Add 2^exponents, (points, queries) float32, to totals (queries,) relative to 2^maximum."""
    count, queries = exponents.shape
    for start in range(0, queries, LANES):
        lanes = min(LANES, queries - start)
        for first in range(0, count, _POINTS):
            some = min(_POINTS, count - first)
            _add(exponents, first, some, start, lanes, maximum, total)
