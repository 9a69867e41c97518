"""The k nearest sources of every patch (Barnes et al. 2010, "The generalized PatchMatch").

Conventions are those of `patchmatch`, with one axis more: ``field`` is (h, w, k, 2), ``cost``
(h, w, k), each patch's matches sorted by cost and no source twice. The paper keeps a heap; for
the few matches that are asked for, a sorted list is as fast, and looking for duplicates reads
all of it anyway. Race-free for the reason given there.
"""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from .._jit import jit
from .distance import data_of, element, patch_distance, set_element
from .patchmatch import FORBIDDEN, near
from .philox import below, philox4x32

__all__ = ["edge_rows_k", "initialize_k", "sweep_k"]


@register_jitable(forceinline=True, error_model="numpy")
def _offer(
    target, target_at, target_step, source, source_step, channels, patch, penalty, penalty_step,
    row, column, field, cost, at, k,
):  # fmt: skip
    """Put one candidate into the list at ``at`` if it is near enough and not there yet.

    All arrays are pointers; ``at`` counts matches.
    """
    if penalty_step > 0 and element(penalty, row * penalty_step + column) >= FORBIDDEN:
        return
    for place in range(at, at + k):
        if element(field, 2 * place) == row and element(field, 2 * place + 1) == column:
            return
    worst = element(cost, at + k - 1)
    distance = patch_distance(
        target, target_at, target_step, source, row * source_step + column * channels,
        source_step, patch * channels, patch, worst,
    )  # fmt: skip
    if distance >= worst:
        return
    place = at + k - 1
    while place > at and element(cost, place - 1) > distance:
        set_element(cost, place, element(cost, place - 1))
        set_element(field, 2 * place, element(field, 2 * place - 2))
        set_element(field, 2 * place + 1, element(field, 2 * place - 1))
        place -= 1
    set_element(cost, place, distance)
    set_element(field, 2 * place, row)
    set_element(field, 2 * place + 1, column)


@jit
def initialize_k(
    target, target_width, source, source_width, channels, patch, given, field, cost, query,
    penalty, choices, source_rows, source_columns, key0, key1, purpose, bounds, band,
):  # fmt: skip
    """Fill the lists with the sources in ``given`` (h, w, n, 2) and random ones.

    ``field`` is −1 and ``cost`` the largest value there is, everywhere. ``choices`` lists the
    allowed sources as row × source_columns + column, at least k of them; empty = all are.
    """
    columns, k = field.shape[1], field.shape[2]
    target_data, source_data, penalty_data = data_of(target), data_of(source), data_of(penalty)
    field_data, cost_data = data_of(field), data_of(cost)
    penalty_step = source_columns if penalty.size > 0 else 0
    target_step = target_width * channels
    source_step = source_width * channels
    count = choices.size if choices.size > 0 else source_rows * source_columns
    for y in range(bounds[band], bounds[band + 1]):
        for x in range(columns):
            if query.size > 0 and query[y, x] == 0:
                continue
            target_at = y * target_step + x * channels
            at = (y * columns + x) * k
            for number in range(given.shape[2]):
                if given[y, x, number, 0] >= 0:
                    _offer(
                        target_data, target_at, target_step, source_data, source_step, channels,
                        patch, penalty_data, penalty_step, np.int64(given[y, x, number, 0]),
                        np.int64(given[y, x, number, 1]), field_data, cost_data, at, k,
                    )  # fmt: skip
            draw = 0
            while field[y, x, k - 1, 0] < 0:
                word, _, _, _ = philox4x32(y * columns + x, 0, draw, purpose, key0, key1)
                # random until half a dozen draws a place have failed, then one after the other
                choice = below(word, count) if draw < 6 * k else (draw - 6 * k) % count
                draw += 1
                if choices.size > 0:
                    choice = np.int64(choices[choice])
                row = choice // source_columns
                _offer(
                    target_data, target_at, target_step, source_data, source_step, channels,
                    patch, penalty_data, penalty_step, row, choice - row * source_columns,
                    field_data, cost_data, at, k,
                )  # fmt: skip


@jit
def edge_rows_k(field, bounds, forward):
    """Copy the row that each band's first row will look at: (bands, columns, k, 2)."""
    bands = bounds.size - 1
    rows = field.shape[0]
    edge = np.empty((bands, *field.shape[1:]), np.int32)
    for band in range(bands):
        row = bounds[band] - 1 if forward else bounds[band + 1]
        edge[band] = field[min(max(row, 0), rows - 1)]
    return edge


@jit
def sweep_k(
    target, target_width, source, source_width, channels, patch, field, cost, query, penalty,
    source_rows, source_columns, edge, radii, key0, key1, iteration, purpose, forward, bounds,
    band,
):  # fmt: skip
    """One iteration over one band: all matches of both neighbours, then a random search around
    every match of the patch itself.
    """
    rows, columns, k = cost.shape
    target_data, source_data, penalty_data = data_of(target), data_of(source), data_of(penalty)
    field_data, cost_data = data_of(field), data_of(cost)
    penalty_step = source_columns if penalty.size > 0 else 0
    target_step = target_width * channels
    source_step = source_width * channels
    step = 1 if forward else -1
    first, last = bounds[band], bounds[band + 1]
    centres = np.empty((k, 2), np.int64)
    for index in range(last - first):
        y = first + index if forward else last - 1 - index
        above = y - step
        for position in range(columns):
            x = position if forward else columns - 1 - position
            if query.size > 0 and query[y, x] == 0:
                continue
            target_at = y * target_step + x * channels
            at = (y * columns + x) * k
            for place in range(k):
                if 0 <= above < rows:
                    if index == 0:
                        row = np.int64(edge[band, x, place, 0])
                        column = np.int64(edge[band, x, place, 1])
                    else:
                        row = np.int64(field[above, x, place, 0])
                        column = np.int64(field[above, x, place, 1])
                    if row >= 0 and 0 <= row + step < source_rows:
                        _offer(
                            target_data, target_at, target_step, source_data, source_step,
                            channels, patch, penalty_data, penalty_step, row + step, column,
                            field_data, cost_data, at, k,
                        )  # fmt: skip
                if position > 0:
                    row = np.int64(field[y, x - step, place, 0])
                    column = np.int64(field[y, x - step, place, 1])
                    if row >= 0 and 0 <= column + step < source_columns:
                        _offer(
                            target_data, target_at, target_step, source_data, source_step,
                            channels, patch, penalty_data, penalty_step, row, column + step,
                            field_data, cost_data, at, k,
                        )  # fmt: skip
            for place in range(k):  # the list changes while its entries are searched around
                centres[place, 0] = field[y, x, place, 0]
                centres[place, 1] = field[y, x, place, 1]
            for place in range(k):
                word0 = word1 = word2 = word3 = np.uint32(0)
                for draw in range(radii.size):
                    if draw & 3 == 0:
                        word0, word1, word2, word3 = philox4x32(
                            y * columns + x, iteration, place * radii.size + draw, purpose, key0,
                            key1,
                        )  # fmt: skip
                    row, column = near(
                        word0, radii[draw], centres[place, 0], centres[place, 1], source_rows,
                        source_columns,
                    )  # fmt: skip
                    word0, word1, word2 = word1, word2, word3
                    _offer(
                        target_data, target_at, target_step, source_data, source_step, channels,
                        patch, penalty_data, penalty_step, row, column, field_data,
                        cost_data, at, k,
                    )  # fmt: skip
