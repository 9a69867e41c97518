"""Gaussian mixtures about a component's own mean, for the rows in which it matters.

A product θ φ(z) loses the digits by which its terms exceed their sum, for a narrow component far
from the middle of the frame; z − μ does not. And where a row has a share in few components, the
sums over those rows alone are less work than a product over all.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit
from .tiles import PARTS, TALL, VECTOR, add_products, multiply

__all__ = ["add_sums", "aligned", "centred_scores", "clear", "up"]

LOG2E = 1.4426950408889634
#: How far below the likeliest component, in powers of 2, a score does not matter.
MARGIN = 120.0
#: Shares of a row up to this one are left out.
LEAST = 2.0**-64
#: Rows of a component that are worked on at once.
GATHERED = 512


@jit
def up(count, step):
    """Round up to a multiple."""
    return (count + step - 1) // step * step


@jit
def aligned(rows, columns, like):
    """Return room of the type of an array, of which no register's load straddles a cache line."""
    count = rows * columns
    held = np.empty(count + 64 // like.itemsize, like.dtype)
    skip = (-held.ctypes.data % 64) // like.itemsize
    return held[skip : skip + count].reshape(rows, columns)


@jit
def clear(row, start):
    """Set what is left of a row from ``start`` on to 0."""
    for i in range(start, len(row)):
        row[i] = 0


@jit
def _gather(z, mean, picks, out):
    """Write columns of z less the mean, and zeros beyond them."""
    count = len(picks)
    for a in range(z.shape[0]):
        row, to, middle = z[a], out[a], mean[a]
        for j in range(count):
            to[j] = row[picks[j]] - middle
        clear(to, count)


@jit
def centred_scores(z, scores, means, inverse, constants, narrow, vague, full):
    """Compute the scores of narrow components again, about their own means, where they matter.

    Parameters
    ----------
    z : (d, m) float
    scores : (K, m) float, corrected
    means : (K, d) float64
    inverse : (K, d up to a multiple of `TALL`, d) or (K, 1, d) float64
        L⁻¹, or the inverse standard deviations along the axes.
    constants : (K,) float64
        Scores at the means.
    narrow : (k,) int64
        The components.
    vague : (K,) bool
        Those whose scores are too far off to tell where they matter: computed everywhere.
    full : bool
        Whether ``inverse`` holds matrices.
    """
    components, count = scores.shape
    width = z.shape[0]
    top = np.full(count, -np.inf)
    for k in range(components):
        if not vague[k]:
            row = scores[k]
            for i in range(count):
                top[i] = max(top[i], row[i])
    picks = np.empty(count, np.uint64)
    held, turned = np.empty(width * GATHERED), np.empty(up(width, TALL) * GATHERED)
    score = np.empty(GATHERED)
    for k in narrow:
        row, found = scores[k], 0
        for i in range(count):
            picks[found] = i
            found += vague[k] or row[i] >= top[i] - MARGIN
        for first in range(0, found, GATHERED):
            some = picks[first : min(found, first + GATHERED)]
            size = up(len(some), 2 * VECTOR // 8)
            apart = held[: width * size].reshape(width, size)
            _gather(z, means[k], some, apart)
            white = apart
            if full:
                white = turned[: up(width, TALL) * size].reshape(-1, size)
                multiply(inverse[k], apart, white, 0, True)
            else:
                for a in range(width):
                    axis, scale = white[a], inverse[k, 0, a]
                    for j in range(size):
                        axis[j] *= scale
            for j in range(size):
                score[j] = constants[k]
            for a in range(width):
                axis = white[a]
                for j in range(size):
                    score[j] -= 0.5 * LOG2E * axis[j] * axis[j]
            for j in range(len(some)):
                i = some[j]
                row[i] = score[j]
                top[i] = max(top[i], score[j])


@jit
def add_sums(z, shares, weights, mean, full, picks, sums):
    """Add shares · φ(z − μ) of one component to sums (D,), over the rows that have a share in it.

    Parameters
    ----------
    z : (d, m) float
    shares : (m,) float
    weights : (m,) float64
        Of the rows.
    mean : (d,) float64
    full : bool
        Whether φ has all products of two, or squares only.
    picks : (m,) uint64
        Overwritten.
    sums : (D,) float64
    """
    width, found = z.shape[0], 0
    for i in range(len(shares)):
        picks[found] = i
        found += shares[i] > LEAST * weights[i]
    if found == 0:
        return
    lanes, most = VECTOR // z.itemsize, min(found, GATHERED)
    tall, wide = up(width + 1, TALL), up(width + 1, PARTS)
    left = aligned(tall, up(most, lanes), z).reshape(-1)
    right = aligned(wide, up(most, lanes), z).reshape(-1)
    products = np.zeros((tall, wide) if full else (1, 1))
    last = len(sums) - 1 - width
    for first in range(0, found, GATHERED):
        some = picks[first : min(found, first + GATHERED)]
        count, size = len(some), up(len(some), lanes)
        h = left[: tall * size].reshape(tall, size)
        g = right[: wide * size].reshape(wide, size)
        _gather(z, mean, some, g)
        share, ones = h[width], g[width]
        for j in range(count):
            share[j] = shares[some[j]]
            ones[j] = 1
        clear(share, count)
        clear(ones, count)
        clear(left[: tall * size], (width + 1) * size)
        clear(right[: wide * size], (width + 1) * size)
        for a in range(width):
            plain, times = g[a], h[a]
            for j in range(size):
                times[j] = plain[j] * share[j]
        if full:
            add_products(h, g, products, True)
            continue
        for a in range(width):
            plain, times = g[a], h[a]
            square, linear = 0.0, 0.0
            for j in range(count):
                linear += np.float64(times[j])
                square += np.float64(times[j]) * plain[j]
            sums[a] += square
            sums[last + a] += linear
        for j in range(count):
            sums[last + width] += share[j]
    if full:
        at = 0
        for a in range(width):
            row = products[a]
            for b in range(width - a):
                sums[at + b] += row[a + b]
            at += width - a
        for a in range(width + 1):
            sums[last + a] += products[a, width]
