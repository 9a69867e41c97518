"""Gaussian mixtures by products of matrices: what stands between the two products.

With φ(x) = (x_a x_b for a <= b, x, 1) the log-densities of all components are one product θ φ, and
the sums that the next step needs are another, R φᵀ. Columns are rows of data, so that neighbours
in memory go through the same steps and fill vector registers.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit
from .either import two_to
from .exponential import larger, log2
from .tiles import squares_and_products

__all__ = ["LANES", "features", "linear", "shares", "squares"]

#: Columns side by side; the number of columns is a multiple.
LANES = 32


@jit
def features(z, start, out):
    """Write z_a z_b for a <= b, then z, then 1, for columns of z.

    Parameters
    ----------
    z : (d, start + m or more) float
    start : int
        The first column.
    out : ((d + 1)(d + 2) / 2 or more, m) float
        m is a multiple of `LANES`.
    """
    linear(z, start, out, squares_and_products(z, start, out))


@jit
def squares(z, start, out):
    """Write z_a², then z, then 1, for columns of z: what `features` is along the axes."""
    width, count = z.shape[0], out.shape[1]
    for a in range(width):
        first, square = z[a, start : start + count], out[a]
        for i in range(count):
            square[i] = first[i] * first[i]
    linear(z, start, out, width)


@jit
def linear(z, start, out, row):
    """Write z, then 1, for columns of z, from a row of ``out`` on."""
    width, count = z.shape[0], out.shape[1]
    for a in range(width):
        first, to = z[a, start : start + count], out[row + a]
        for i in range(count):
            to[i] = first[i]
    for i in range(count):
        out[row + width, i] = 1


@jit
def shares(scores, level, weights, logs):
    """Turn scores t into weight · 2ᵗ / Σ 2ᵗ in place, and write level + log2 Σ 2ᵗ.

    Parameters
    ----------
    scores : (K, m) float
        m is a multiple of `LANES`.
    level, weights : (m,) float64
    logs : (m,) float64, written
    """
    components, count = scores.shape
    maximum, total = np.empty(LANES, scores.dtype), np.empty(LANES, scores.dtype)
    for start in range(0, count, LANES):
        first = scores[0, start : start + LANES]
        for q in range(LANES):
            maximum[q] = first[q]
            total[q] = 0
        for k in range(1, components):
            row = scores[k, start : start + LANES]
            for q in range(LANES):
                maximum[q] = larger(row[q], maximum[q])
        for k in range(components):
            row = scores[k, start : start + LANES]
            for q in range(LANES):
                value = two_to(row[q] - maximum[q])
                row[q] = value
                total[q] += value
        own, above = weights[start : start + LANES], level[start : start + LANES]
        to = logs[start : start + LANES]
        for q in range(LANES):
            to[q] = above[q] + maximum[q] + log2(np.float64(total[q]))
        for q in range(LANES):
            total[q] = own[q] / total[q]
        for k in range(components):
            row = scores[k, start : start + LANES]
            for q in range(LANES):
                row[q] *= total[q]
