"""The obvious twins of moving, resizing and rearranging."""

from __future__ import annotations

from itertools import product

import numpy as np


def cut_cost(inner, ring, taken, difference, step, share):
    """What it costs to let the pixels ``taken`` of a ring go with the region inside."""
    cost = share * difference[taken].sum()
    rows, columns = ring.shape
    for y, x in np.ndindex(rows, columns):
        for other in ((y + 1, x), (y, x + 1)):
            if other[0] >= rows or other[1] >= columns or not (ring[y, x] or ring[other]):
                continue
            if (taken[y, x] or inner[y, x]) != (taken[other] or inner[other]):
                both = [difference[at] for at in ((y, x), other) if ring[at]]
                cost += step + (sum(both) if len(both) == 2 else 2 * both[0])
    return cost


def cheapest_cut(inner, ring, difference, step, share):
    """The least cost of all ways to cut the ring, one after the other."""
    places = np.argwhere(ring)
    best = np.inf
    for choice in product([False, True], repeat=len(places)):
        taken = np.zeros_like(ring)
        taken[tuple(places.T)] = choice
        best = min(best, cut_cost(inner, ring, taken, difference, step, share))
    return best


def vote(source, forward, weight, backward, share, patch, shape):
    """Simakov et al. 2008, equation 7: the mean of all that is proposed for each pixel."""
    total = np.zeros((*shape, source.shape[2]))
    norm = np.zeros(shape)
    for y, x in np.ndindex(weight.shape):
        row, column = forward[y, x]
        for dy, dx in np.ndindex(patch, patch):
            total[y + dy, x + dx] += weight[y, x] * source[row + dy, column + dx]
            norm[y + dy, x + dx] += weight[y, x]
    for y, x in np.ndindex(backward.shape[:2]):
        row, column = backward[y, x]
        for dy, dx in np.ndindex(patch, patch):
            total[row + dy, column + dx] += share * source[y + dy, x + dx]
            norm[row + dy, column + dx] += share
    return total / norm[..., None]
