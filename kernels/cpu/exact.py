"""Exact nearest neighbours of every patch, by comparing all of them.

One shift between the images at a time, all patches at that shift at once: squared differences of
pixels, sums down the columns that are carried from row to row, then sums along the row. A pair
of patches costs some additions instead of a comparison of all of their pixels.
"""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from .._jit import jit
from .distance import data_of, element, set_element

__all__ = ["exact_rows"]


@register_jitable(forceinline=True, error_model="numpy")
def _row_differences(target, target_at, source, source_at, length, planes, stride, other, out, at):
    """Squared differences of two rows of planar pixels, summed over the planes."""
    for plane in range(planes):
        first, second = target_at + plane * stride, source_at + plane * other
        for x in range(length):
            difference = element(target, first + x) - element(source, second + x)
            square = difference * difference
            set_element(out, at + x, square if plane == 0 else element(out, at + x) + square)


@register_jitable(forceinline=True, error_model="numpy")
def _add(sums, sums_at, values, values_at, count):
    for x in range(count):
        total = element(sums, sums_at + x) + element(values, values_at + x)
        set_element(sums, sums_at + x, total)


@register_jitable(forceinline=True, error_model="numpy")
def _subtract(sums, sums_at, values, values_at, count):
    for x in range(count):
        total = element(sums, sums_at + x) - element(values, values_at + x)
        set_element(sums, sums_at + x, total)


@register_jitable(forceinline=True, error_model="numpy")
def _copy(to, to_at, values, values_at, count):
    for x in range(count):
        set_element(to, to_at + x, element(values, values_at + x))


@register_jitable(forceinline=True, error_model="numpy")
def _box(values, values_at, spare_at, out, size, count):
    """Sums of ``size`` neighbours, by doubling: sums of 1, 2, 4, … in turn, in two places.

    In place, a sum would overlap what it is made of, and could not be taken many at a time.
    """
    done, span = 0, 1
    while True:
        if size & span:
            if done == 0:
                _copy(out, 0, values, values_at, count)
            else:
                _add(out, 0, values, values_at + done, count)
            done += span
        if 2 * span > size:
            return
        for x in range(count + size - 2 * span):
            total = element(values, values_at + x) + element(values, values_at + span + x)
            set_element(values, spare_at + x, total)
        values_at, spare_at = spare_at, values_at
        span *= 2


@jit
def exact_rows(
    target, target_shape, source, source_shape, patch, penalty, wanted, carry, positions,
    distances, apart, first_shift, last_shift, bounds, band,
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
    apart : int64
        Sources less than this far away in both rows and columns are left out; 0 leaves out none.
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
    total = np.empty(width, distances.dtype)
    # the last rows of differences, then their sums down the columns, then sums to be widened
    scratch = np.empty((patch + 3) * pixels, distances.dtype)
    column, sums = patch * pixels, (patch + 1) * pixels
    ring, out = data_of(scratch), data_of(total)
    pixel, like = data_of(target), data_of(source)
    found_at, best = data_of(distances), (k - 1) * distances.shape[1] * distances.shape[2]
    # Shifts go up row by row and column by column, so for each patch the numbers of its
    # sources go up as well, and a strict comparison keeps the smallest of equal ones.
    for down in range(max(first_shift, 1 - bottom), min(last_shift, rows - top)):
        first_row, last_row = max(top, -down), min(bottom, rows - down)
        for across in range(-(right - 1), columns - left):
            if abs(down) < apart and abs(across) < apart:
                continue
            first, last = max(left, -across), min(right, columns - across)
            count = last - first
            length = count + patch - 1
            scratch[column:sums] = 0
            for row in range(first_row, last_row + patch - 1):
                slot = row % patch * pixels
                y = row - patch + 1
                if carry and y > first_row:
                    _subtract(ring, column, ring, slot, length)
                _row_differences(
                    pixel, row * target_columns + first, like,
                    (row + down) * source_columns + first + across, length, planes,
                    target_rows * target_columns, source_rows * source_columns, ring, slot,
                )  # fmt: skip
                if carry:
                    _add(ring, column, ring, slot, length)
                if y < first_row or wanted[y, 1] <= wanted[y, 0]:
                    continue
                _copy(ring, sums, ring, column if carry else 0, length)
                if not carry:
                    for step in range(1, patch):
                        _add(ring, sums, ring, step * pixels, length)
                _box(ring, sums, sums + pixels, out, patch, count)
                if penalty.size > 0:
                    _add(out, 0, data_of(penalty), (y + down) * columns + first + across, count)
                worst = best + y * distances.shape[2] + first
                found = False
                for x in range(count):
                    found |= element(out, x) < element(found_at, worst + x)
                if found:
                    number = (y + down) * columns + first + across
                    for x in range(count):
                        if total[x] < element(found_at, worst + x):
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
