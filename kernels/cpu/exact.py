"""Exact nearest neighbours of every patch, by comparing all of them.

One shift between the images at a time, all patches at that shift at once: squared differences of
pixels, sums down the columns that are carried from row to row, then sums along the row. A pair
of patches costs some additions instead of a comparison of all of their pixels.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit

__all__ = ["exact_rows"]


@jit
def _row_differences(target, target_at, source, source_at, length, planes, stride, other, out):
    """Squared differences of two rows of planar pixels, summed over the planes."""
    for x in range(np.uint64(length)):
        out[x] = 0
    for plane in range(planes):
        first = np.uint64(target_at + plane * stride)
        second = np.uint64(source_at + plane * other)
        for x in range(np.uint64(length)):
            difference = target[first + x] - source[second + x]
            out[x] += difference * difference


@jit
def _add(sums, values, count):
    for x in range(np.uint64(count)):
        sums[x] += values[x]


@jit
def _subtract(sums, values, count):
    for x in range(np.uint64(count)):
        sums[x] -= values[x]


@jit
def _box(values, out, size, count):
    """Sums of ``size`` neighbours, by doubling: ``values`` holds sums of 1, 2, 4, … in turn."""
    for x in range(np.uint64(count)):
        out[x] = 0
    done, span = 0, 1
    while True:
        if size & span:
            _add(out, values[done:], count)
            done += span
        if 2 * span > size:
            return
        _add(values, values[span:], count + size - 2 * span)
        span *= 2


@jit
def exact_rows(
    target, target_shape, source, source_shape, patch, penalty, wanted, carry, positions,
    distances, first_shift, last_shift, bounds, band,
):  # fmt: skip
    """Compare the wanted patches of some rows with sources that many rows further down.

    Parameters
    ----------
    target, source : 1-D arrays, int32 or float32
        Planar pixels: channels × rows × columns.
    target_shape, source_shape : (int, int, int)
        Channels, rows and columns.
    patch : int64
    penalty : (source rows, source columns)
        Of patches; 0, or more than any distance for a source that must not be used; empty = none.
    wanted : (rows, 2) int64
        First and last + 1 column of the patches of each row that are asked for.
    carry : bool
        Carry the sums down the columns from row to row. Whole numbers only: floats would drift.
    positions : (k, rows, columns) int64
        Of patches; becomes the row-major numbers of the nearest sources, nearest first. Of equal
        distances the smaller number comes first. −1 = none.
    distances : (k, rows, columns)
        Filled with the largest value that a distance may have; becomes the distances.
    first_shift, last_shift : int64
        Row shifts ``first_shift <= shift < last_shift``, out of 1 − rows … source rows − 1; they
        must be gone through upwards, in as many calls as is convenient.
    bounds : int64 array
        Race-free: band ``b`` writes rows ``bounds[b] <= y < bounds[b + 1]`` only.
    """
    planes, target_rows, target_columns = target_shape
    _, source_rows, source_columns = source_shape
    rows, columns = source_rows - patch + 1, source_columns - patch + 1
    k = positions.shape[0]
    top, bottom = bounds[band], bounds[band + 1]
    left, right = target_columns, 0
    for y in range(top, bottom):
        if wanted[y, 1] > wanted[y, 0]:
            left, right = min(left, wanted[y, 0]), max(right, wanted[y, 1])
    if left >= right:
        return
    width = right - left
    pixels = width + patch - 1
    ring = np.empty((patch, pixels), distances.dtype)
    column = np.empty(pixels, distances.dtype)
    sums = np.empty(pixels, distances.dtype)
    total = np.empty(width, distances.dtype)
    # Shifts go up row by row and column by column, so for each patch the numbers of its
    # sources go up as well, and a strict comparison keeps the smallest of equal ones.
    for down in range(max(first_shift, 1 - bottom), min(last_shift, rows - top)):
        first_row, last_row = max(top, -down), min(bottom, rows - down)
        for across in range(-(right - 1), columns - left):
            first, last = max(left, -across), min(right, columns - across)
            count = last - first
            length = count + patch - 1
            column[:] = 0
            for row in range(first_row, last_row + patch - 1):
                slot = ring[row % patch]
                y = row - patch + 1
                if carry and y > first_row:
                    _subtract(column, slot, length)
                _row_differences(
                    target, row * target_columns + first, source,
                    (row + down) * source_columns + first + across, length, planes,
                    target_rows * target_columns, source_rows * source_columns, slot,
                )  # fmt: skip
                if carry:
                    _add(column, slot, length)
                if y < first_row or wanted[y, 1] <= wanted[y, 0]:
                    continue
                if carry:
                    sums[:] = column
                else:
                    sums[:] = 0
                    for step in range(patch):
                        _add(sums, ring[step], length)
                _box(sums, total, patch, count)
                if penalty.size > 0:
                    extra = penalty[y + down, first + across :]
                    _add(total, extra, count)
                worst = distances[k - 1, y, first:]
                found = False
                for x in range(np.uint64(count)):
                    found |= total[x] < worst[x]
                if found:
                    number = (y + down) * columns + first + across
                    for x in range(count):
                        if total[x] < worst[x]:
                            _insert(positions, distances, y, first + x, number + x, total[x])


@jit
def _insert(positions, distances, y, x, number, distance):
    """Put a source behind those that are at most as far, and drop the last."""
    place = positions.shape[0] - 1
    while place > 0 and distances[place - 1, y, x] > distance:
        distances[place, y, x] = distances[place - 1, y, x]
        positions[place, y, x] = positions[place - 1, y, x]
        place -= 1
    distances[place, y, x] = distance
    positions[place, y, x] = number
