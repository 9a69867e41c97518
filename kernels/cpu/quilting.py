"""Image quilting (Efros & Freeman 2001): what a block costs at its borders, and where it is cut.

Race-free: a band scores only its own rows of ``cost``. What it leaves out as too dear depends on
the bands, which depend on the exemplar alone, so the result is the same for any number of threads.
"""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from .._jit import jit
from .distance import data_of, patch_distance
from .patchmatch import FORBIDDEN

__all__ = ["block_costs", "cut"]


@jit
def block_costs(
    window, source, source_width, channels, borders, guide_window, guide, guides, block, penalty,
    least, tolerance, cheapest, stride, cost, bounds, band,
):  # fmt: skip
    """Compare a block's borders with every block of the source.

    Parameters
    ----------
    window, source : flat int16, flat uint8
        What the output has at the block's place (block × block), and the source.
    borders : (n, 4) int64
        Rectangles of the block that are compared, apart from each other: row, column, rows,
        columns.
    guide_window, guide, guides : flat int16, flat uint8, int
        Channels that are compared over the whole block, and how many.
    penalty : (rows, columns) int32
        Added to each block's cost, `FORBIDDEN` = never use.
    least, tolerance : int64, float64
        Costs above (1 + tolerance) × max(cheapest, least) need not be exact: `FORBIDDEN` then.
    cheapest : int64
        A cost that is known to occur, `FORBIDDEN` = none: what is dearer is given up earlier.
    stride : int
        Only every so many rows of a band, and columns, are scored.
    cost : (rows, columns) int32, written
    bounds : (bands + 1,) rows of ``cost``
    """
    window_data, source_data = data_of(window), data_of(source)
    guide_window_data, guide_data = data_of(guide_window), data_of(guide)
    window_step, source_step = block * channels, source_width * channels
    best = np.int64(cheapest)
    room = (1 + tolerance) * max(best, least) + 1
    limit = np.int32(min(room, np.float64(FORBIDDEN)))
    for row in range(bounds[band], bounds[band + 1], stride):
        for column in range(0, cost.shape[1], stride):
            total = penalty[np.uint64(row), np.uint64(column)]
            for number in range(borders.shape[0]):
                if total >= limit:
                    break
                down, across = borders[number, 0], borders[number, 1]
                total += patch_distance(
                    window_data, down * window_step + across * channels, window_step, source_data,
                    (row + down) * source_step + (column + across) * channels, source_step,
                    borders[number, 3] * channels, borders[number, 2], np.int32(limit - total),
                )  # fmt: skip
            if guides > 0 and total < limit:
                total += patch_distance(
                    guide_window_data, 0, block * guides, guide_data,
                    (row * source_width + column) * guides, source_width * guides,
                    block * guides, block, np.int32(limit - total),
                )  # fmt: skip
            if total >= limit:
                cost[np.uint64(row), np.uint64(column)] = FORBIDDEN
                continue
            cost[np.uint64(row), np.uint64(column)] = total
            if total < best:
                best = np.int64(total)
                room = (1 + tolerance) * max(best, least) + 1
                limit = np.int32(min(room, np.float64(FORBIDDEN)))


@register_jitable
def _path(error, lengthwise, start, width, flipped, path):
    """Find the cheapest path along a strip of ``error``: one place across for each step along.

    ``lengthwise`` False = the strip runs across the rows. ``flipped`` = places count from the
    far side, so that 0 is always on the side of what is there.
    """
    side = error.shape[0]
    total = np.empty((side, width), np.int64)
    for along in range(side):
        for place in range(width):
            across = start + (width - 1 - place if flipped else place)
            here = np.int64(error[along, across] if lengthwise else error[across, along])
            if along > 0:
                low, high = max(place - 1, 0), min(place + 1, width - 1)
                least = total[along - 1, low]
                for other in range(low + 1, high + 1):
                    least = min(least, total[along - 1, other])
                here += least
            total[along, place] = here
    place = np.argmin(total[side - 1])
    for along in range(side - 1, -1, -1):
        path[along] = place
        if along > 0:
            low, high = max(place - 1, 0), min(place + 1, width - 1)
            place = low
            for other in range(low + 1, high + 1):
                if total[along - 1, other] < total[along - 1, place]:
                    place = other


@jit
def cut(error, left, top, right, bottom, new):
    """Mark the pixels of a block that replace what is there.

    The minimum-error boundary cuts of Efros & Freeman 2001, section 2.1, found by dynamic
    programming, one for each side on which the block overlaps what is there.

    Parameters
    ----------
    error : (block, block) int32
        Squared difference between the block and what is there.
    left, top, right, bottom : int
        Pixels of overlap at each side, 0 = none.
    new : (block, block) bool, written
    """
    side = error.shape[0]
    new[:] = True
    path = np.empty(side, np.int64)
    for number, width in enumerate((left, top, right, bottom)):
        if width == 0:
            continue
        lengthwise = number % 2 == 0
        far = number >= 2
        _path(error, lengthwise, side - width if far else 0, width, far, path)
        for along in range(side):
            for place in range(path[along]):
                across = side - 1 - place if far else place
                if lengthwise:
                    new[along, across] = False
                else:
                    new[across, along] = False
