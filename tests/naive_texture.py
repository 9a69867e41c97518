"""The obvious slow twins of texture synthesis."""

from __future__ import annotations

import itertools

import numpy as np


def block_costs(window, source, compared, guide_window, guide):
    """Compare a block with every block of the source where ``compared``, guides everywhere."""
    side = len(window)
    rows, columns = source.shape[0] - side + 1, source.shape[1] - side + 1
    cost = np.empty((rows, columns), np.int64)
    for y, x in np.ndindex(rows, columns):
        apart = source[y : y + side, x : x + side].astype(int) - window
        led = guide[y : y + side, x : x + side].astype(int) - guide_window
        cost[y, x] = (apart[compared] ** 2).sum() + (led**2).sum()
    return cost


def cheapest_path(error):
    """Try every path down a strip that moves at most one column a row; give its cost."""
    rows, columns = error.shape
    paths = itertools.product(range(columns), repeat=rows)
    smooth = (p for p in paths if all(abs(a - b) <= 1 for a, b in itertools.pairwise(p)))
    return min(sum(int(error[row, at]) for row, at in enumerate(path)) for path in smooth)
