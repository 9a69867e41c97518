"""Gaussian mixtures by products of matrices: what stands between the two products.

With φ(x) = (x_a x_b for a <= b, x, 1) the log-densities of all components are one product θ φ, and
the sums that the next step needs are another, R φᵀ. Columns are rows of data, so that neighbours
in memory go through the same steps and fill vector registers.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit
from .exponential import exp2, larger
from .exponential_single import exp2_single, larger_single

__all__ = [
    "LANES",
    "centred_scores",
    "centred_sums",
    "features",
    "shares",
    "shares_single",
    "squares",
]

#: Columns side by side; the number of columns is a multiple.
LANES = 32
LOG2E = 1.4426950408889634
#: Axes between two looks at whether a component still matters.
AXES = 16


@jit
def features(z, out):
    """Write z_a z_b for a <= b, then z, then 1, for each column of z.

    Parameters
    ----------
    z : (d, m) float
    out : ((d + 1)(d + 2) / 2, m) float
    """
    width, count = z.shape
    row = 0
    for a in range(width):
        first = z[a]
        for b in range(a, width):
            second, to = z[b], out[row]
            for i in range(count):
                to[i] = first[i] * second[i]
            row += 1
    for a in range(width):
        first, to = z[a], out[row + a]
        for i in range(count):
            to[i] = first[i]
    for i in range(count):
        out[row + width, i] = 1


@jit
def squares(z, out):
    """Write z_a², then z, then 1, for each column of z: what `features` is along the axes."""
    width, count = z.shape
    for a in range(width):
        first, square, to = z[a], out[a], out[width + a]
        for i in range(count):
            square[i] = first[i] * first[i]
            to[i] = first[i]
    for i in range(count):
        out[2 * width, i] = 1


@jit
def shares(scores, level, weights, logs):
    """Turn scores t into weight · 2ᵗ / Σ 2ᵗ in place, and write level + log2 Σ 2ᵗ.

    Parameters
    ----------
    scores : (K, m) float64
        m is a multiple of `LANES`.
    level, weights : (m,) float64
    logs : (m,) float64, written
    """
    components, count = scores.shape
    maximum, total = np.empty(LANES), np.empty(LANES)
    for start in range(0, count, LANES):
        first = scores[0, start : start + LANES]
        for q in range(LANES):
            maximum[q] = first[q]
            total[q] = 0.0
        for k in range(1, components):
            row = scores[k, start : start + LANES]
            for q in range(LANES):
                maximum[q] = larger(row[q], maximum[q])
        for k in range(components):
            row = scores[k, start : start + LANES]
            for q in range(LANES):
                value = exp2(row[q] - maximum[q])
                row[q] = value
                total[q] += value
        for q in range(LANES):
            logs[start + q] = level[start + q] + maximum[q] + np.log2(total[q])
            total[q] = weights[start + q] / total[q]
        for k in range(components):
            row = scores[k, start : start + LANES]
            for q in range(LANES):
                row[q] *= total[q]


@jit
def shares_single(scores, level, weights, logs):
    """As `shares`, for scores in float32."""
    components, count = scores.shape
    maximum, total = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    for start in range(0, count, LANES):
        first = scores[0, start : start + LANES]
        for q in range(LANES):
            maximum[q] = first[q]
            total[q] = 0
        for k in range(1, components):
            row = scores[k, start : start + LANES]
            for q in range(LANES):
                maximum[q] = larger_single(row[q], maximum[q])
        for k in range(components):
            row = scores[k, start : start + LANES]
            for q in range(LANES):
                value = exp2_single(row[q] - maximum[q])
                row[q] = value
                total[q] += value
        for q in range(LANES):
            logs[start + q] = level[start + q] + maximum[q] + np.log2(np.float64(total[q]))
            total[q] = np.float32(weights[start + q]) / total[q]
        for k in range(components):
            row = scores[k, start : start + LANES]
            for q in range(LANES):
                row[q] *= total[q]


@jit
def centred_scores(z, scores, means, inverse, constants, narrow, vague, margin):
    """Compute the scores of narrow components again, about their own means, where they matter.

    Parameters
    ----------
    z : (d, m) float
    scores : (K, m) float, corrected
    means : (K, d) float64
    inverse : (K, d, d) or (K, 1, d) float64
        Transposes of L⁻¹, or the inverse standard deviations along the axes.
    constants : (K,) float64
        Scores at the means.
    narrow : (k,) int64
        The components.
    vague : (K,) bool
        Those whose scores are too far off to tell where they matter: computed everywhere.
    margin : float
        How far below the best component a score does not matter.
    """
    components, count = scores.shape
    width = z.shape[0]
    top = np.full(count, -np.inf)
    for k in range(components):
        if not vague[k]:
            row = scores[k]
            for i in range(count):
                top[i] = max(top[i], row[i])
    apart, white = np.empty(width), np.empty(width)
    full = inverse.shape[1] == width and width > 1
    for k in narrow:
        for i in range(count):
            if not vague[k] and scores[k, i] < top[i] - margin:
                continue
            score = constants[k]
            for start in range(0, width, AXES):
                end = min(start + AXES, width)
                for a in range(start, end):
                    apart[a] = z[a, i] - means[k, a]
                    white[a] = 0.0 if full else apart[a] * inverse[k, 0, a]
                if full:
                    for b in range(end):
                        column, value = inverse[k, b], apart[b]
                        for a in range(start, end):
                            white[a] += column[a] * value
                for a in range(start, end):
                    score -= 0.5 * LOG2E * white[a] * white[a]
                if score < top[i] - margin:  # it only goes down
                    break
            scores[k, i] = score
            top[i] = max(top[i], score)


@jit
def centred_sums(z, shares, means, full, least, narrow, sums):
    """Add shares · φ(z − μ) of narrow components to sums (K, D), and set those shares to 0.

    Shares up to ``least``, (m,), are left out. See `centred_scores` for the others.
    """
    count, width = z.shape[1], z.shape[0]
    apart = np.empty(width)
    for k in narrow:
        row, own = sums[k], shares[k]
        last = row.shape[0] - 1
        for i in range(count):
            share = np.float64(own[i])
            own[i] = 0
            if share <= least[i]:
                continue
            for a in range(width):
                apart[a] = z[a, i] - means[k, a]
                row[last - width + a] += share * apart[a]
            row[last] += share
            at = 0
            for a in range(width):
                value = share * apart[a]
                if full:
                    part = row[at : at + width - a]
                    for b in range(width - a):
                        part[b] += value * apart[a + b]
                    at += width - a
                else:
                    row[a] += value * apart[a]
