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
