"""The dependency graph of an order: which earlier pixels lie in the window of each.

Sequential: a pixel's level needs those of the pixels before it.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit
from .places import inside

__all__ = ["count_smaller", "earlier_pixels", "graph_levels"]


@jit
def graph_levels(sequence, rank, half_rows, half_columns, periodic):
    """Return for each pixel the length of the longest chain of pixels that it waits for.

    Parameters
    ----------
    sequence : (n, 2) int64
        Pixels in their order.
    rank : (rows, columns) int32
        Place in the sequence; −1 = known from the start.
    half_rows, half_columns : int
        How far the window reaches.
    periodic : bool
        The window goes on at the opposite edge.

    Returns
    -------
    (rows, columns) int32
        −1 = known from the start.
    """
    rows, columns = rank.shape
    level = np.full((rows, columns), -1, np.int32)
    for index in range(sequence.shape[0]):
        y, x = sequence[index, 0], sequence[index, 1]
        highest = np.int32(-1)
        for dy in range(-half_rows, half_rows + 1):
            row = inside(y + dy, rows, periodic)
            if row < 0:
                continue
            for dx in range(-half_columns, half_columns + 1):
                column = inside(x + dx, columns, periodic)
                if column < 0:
                    continue
                if rank[row, column] < index:
                    highest = max(highest, level[row, column])
        level[y, x] = highest + 1
    return level


@jit
def earlier_pixels(rank, half_rows, half_columns, periodic, start, earlier):
    """Write the row-major numbers of the pixels that each pixel looks at.

    ``start`` (rows · columns + 1,) int64 is filled with where each pixel's list begins in
    ``earlier``; known pixels have empty ones. With an ``earlier`` of no elements the lists are
    measured only. In a window that meets itself round the edge a pixel is listed once.
    """
    rows, columns = rank.shape
    count = 0
    seen = np.full(rank.size, -1, np.int64)
    for y in range(rows):
        for x in range(columns):
            own = y * columns + x
            start[own] = count
            if rank[y, x] < 0:
                continue
            for dy in range(-half_rows, half_rows + 1):
                row = inside(y + dy, rows, periodic)
                if row < 0:
                    continue
                for dx in range(-half_columns, half_columns + 1):
                    column = inside(x + dx, columns, periodic)
                    if column < 0:
                        continue
                    place = row * columns + column
                    if rank[row, column] < rank[y, x] and seen[place] != own:
                        seen[place] = own
                        if earlier.size > 0:
                            earlier[count] = place
                        count += 1
    start[rows * columns] = count


@jit
def count_smaller(values, half_rows, half_columns, periodic):
    """Return how many values of its window are smaller than each value."""
    rows, columns = values.shape
    out = np.zeros((rows, columns), np.int32)
    for y in range(rows):
        for x in range(columns):
            for dy in range(-half_rows, half_rows + 1):
                row = inside(y + dy, rows, periodic)
                if row < 0:
                    continue
                for dx in range(-half_columns, half_columns + 1):
                    column = inside(x + dx, columns, periodic)
                    if column < 0:
                        continue
                    if values[row, column] < values[y, x]:
                        out[y, x] += 1
    return out
