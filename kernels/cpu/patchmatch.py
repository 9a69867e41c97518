"""PatchMatch (Barnes et al. 2009): random start, propagation, random search.

Conventions of every kernel here
    ``target``/``source``: flat buffers (see `distance`), ``*_width`` pixels a row.
    ``field``: (h, w, 2) int32, row and column of the source patch's top-left corner, −1 = none.
    ``cost``: (h, w) int32 or float32, distance plus penalty.
    ``query``: (h, w) uint8, 0 = leave alone; an empty array asks for every patch.
    ``penalty``: (source rows, source columns) added to a distance, `FORBIDDEN` = never use; an
    empty array means none. Its shape is the grid of source patches in any case.
    ``bounds``: band ``b`` owns rows ``bounds[b] <= y < bounds[b + 1]``.

Race-free: a band writes only its own rows of ``field`` and ``cost``, and reads the neighbouring
band through ``edge``, a copy taken before the sweep. Bands depend on the input alone, so the
result is the same for any number of threads.
"""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from .._jit import jit
from .distance import data_of, element, patch_distance
from .philox import below, philox4x32, philox_row

__all__ = ["FORBIDDEN", "asked_range", "edge_rows", "initialize", "near", "sweep"]

#: A penalty that no patch survives; twice it still fits an int32.
FORBIDDEN = 1 << 30


@register_jitable(forceinline=True, error_model="numpy")
def _compare(
    target, target_at, target_step, source, source_step, channels, patch, penalty, penalty_step,
    row, column, best_row, best_column, best,
):  # fmt: skip
    """Compare one candidate with the best so far; the candidate must lie inside the source.

    ``target``, ``source`` and ``penalty`` are pointers; ``penalty_step`` 0 = there is none.
    """
    extra = best * 0
    if penalty_step > 0:
        extra = element(penalty, row * penalty_step + column)
        if extra >= best or extra >= FORBIDDEN:
            return best_row, best_column, best
    distance = patch_distance(
        target, target_at, target_step, source, row * source_step + column * channels,
        source_step, patch * channels, patch, best - extra,
    )  # fmt: skip
    total = distance + extra
    if total < best:
        return row, column, total
    return best_row, best_column, best


@register_jitable(forceinline=True, error_model="numpy")
def near(word, radius, row, column, rows, columns):
    """Draw a place at most ``radius`` from another: 16 bits for its row, 16 for its column.

    In a window of more than 65536 rows or columns some places are therefore never drawn at that
    radius.
    """
    low_row, low_column = max(row - radius, 0), max(column - radius, 0)
    height = min(row + radius + 1, rows) - low_row
    width = min(column + radius + 1, columns) - low_column
    bits = np.uint64(word)
    down = ((bits >> np.uint64(16)) * np.uint64(height)) >> np.uint64(16)
    across = ((bits & np.uint64(0xFFFF)) * np.uint64(width)) >> np.uint64(16)
    return low_row + np.int64(down), low_column + np.int64(across)


@register_jitable(forceinline=True, error_model="numpy")
def asked_range(query, y, columns):
    """Return the first column of row ``y`` that is asked for, and the last + 1."""
    if query.size == 0:
        return 0, columns
    left, right = 0, columns
    while left < right and query[np.uint64(y), np.uint64(left)] == 0:
        left += 1
    while right > left and query[np.uint64(y), np.uint64(right - 1)] == 0:
        right -= 1
    return left, right


@jit
def initialize(
    target, target_width, source, source_width, channels, patch, field, cost, query, penalty,
    choices, source_rows, source_columns, key0, key1, purpose, limit, bounds, band,
):  # fmt: skip
    """Score the field that is there and draw a random source where there is none.

    ``choices`` lists the allowed sources as row × source_columns + column; empty = all are.
    ``limit`` is the largest value a cost can have, of the cost's own type.
    """
    columns = field.shape[1]
    target_data, source_data, penalty_data = data_of(target), data_of(source), data_of(penalty)
    penalty_step = source_columns if penalty.size > 0 else 0
    target_step = target_width * channels
    source_step = source_width * channels
    count = choices.size if choices.size > 0 else source_rows * source_columns
    for y in range(bounds[band], bounds[band + 1]):
        for x in range(columns):
            if query.size > 0 and query[y, x] == 0:
                continue
            row = np.int64(field[y, x, 0])
            column = np.int64(field[y, x, 1])
            if row < 0 or (penalty.size > 0 and penalty[row, column] >= FORBIDDEN):
                word, _, _, _ = philox4x32(y * columns + x, 0, 0, purpose, key0, key1)
                choice = below(word, count)
                if choices.size > 0:
                    choice = np.int64(choices[choice])
                row = choice // source_columns
                column = choice - row * source_columns
            row, column, total = _compare(
                target_data, y * target_step + x * channels, target_step, source_data, source_step,
                channels, patch, penalty_data, penalty_step, row, column, row, column, limit,
            )  # fmt: skip
            field[y, x, 0] = row
            field[y, x, 1] = column
            cost[y, x] = total


@jit
def edge_rows(field, bounds, forward):
    """Copy the row that each band's first row will look at: (bands, columns, 2)."""
    bands = bounds.size - 1
    rows = field.shape[0]
    edge = np.empty((bands, field.shape[1], 2), np.int32)
    for band in range(bands):
        row = bounds[band] - 1 if forward else bounds[band + 1]
        edge[band] = field[min(max(row, 0), rows - 1)]
    return edge


@jit
def sweep(
    target, target_width, source, source_width, channels, patch, field, cost, query, penalty,
    source_rows, source_columns, edge, radii, key0, key1, iteration, purpose, forward, bounds,
    band,
):  # fmt: skip
    """One iteration over one band: propagation from above (or below), random search, propagation
    along the row.

    The pass along the row comes last because each of its steps waits for the one before, while
    the other candidates of neighbouring pixels overlap in the CPU's pipeline. Indices are made
    unsigned before they are used: Numba tests signed ones for counting from the end.
    """
    rows, columns = cost.shape
    target_data, source_data, penalty_data = data_of(target), data_of(source), data_of(penalty)
    penalty_step = source_columns if penalty.size > 0 else 0
    target_step = target_width * channels
    source_step = source_width * channels
    step = 1 if forward else -1
    first, last = bounds[band], bounds[band + 1]
    words = np.empty((4, columns), np.uint32)
    for index in range(last - first):
        y = first + index if forward else last - 1 - index
        above = y - step
        has_above = 0 <= above < rows
        previous = edge[band] if index == 0 else field[max(0, min(above, rows - 1))]
        here = field[y]
        costs = cost[y]
        left, right = asked_range(query, y, columns)
        for number in range(left, right):
            x = np.uint64(number)
            if query.size > 0 and query[np.uint64(y), x] == 0:
                continue
            best_row = np.int64(here[x, 0])
            best_column = np.int64(here[x, 1])
            best = costs[x]
            target_at = y * target_step + number * channels
            if has_above:
                row = np.int64(previous[x, 0])
                column = np.int64(previous[x, 1])
                known = row >= 0
                row += step
                if known and 0 <= row < source_rows and (row != best_row or column != best_column):
                    best_row, best_column, best = _compare(
                        target_data, target_at, target_step, source_data, source_step, channels,
                        patch, penalty_data, penalty_step, row, column, best_row, best_column,
                        best,
                    )  # fmt: skip
            here[x, 0] = best_row
            here[x, 1] = best_column
            costs[x] = best
        for draw in range(0, radii.size, 4):
            philox_row(words, left, right, y * columns, iteration, draw, purpose, key0, key1)
            for number in range(left, right):
                x = np.uint64(number)
                if query.size > 0 and query[np.uint64(y), x] == 0:
                    continue
                centre_row = best_row = np.int64(here[x, 0])
                centre_column = best_column = np.int64(here[x, 1])
                best = costs[x]
                for word in range(np.uint64(min(radii.size - draw, 4))):
                    row, column = near(
                        words[word, x], radii[np.uint64(draw) + word], centre_row, centre_column,
                        source_rows, source_columns,
                    )  # fmt: skip
                    best_row, best_column, best = _compare(
                        target_data, y * target_step + number * channels, target_step,
                        source_data, source_step, channels, patch, penalty_data, penalty_step,
                        row, column, best_row, best_column, best,
                    )  # fmt: skip
                here[x, 0] = best_row
                here[x, 1] = best_column
                costs[x] = best
        row = column = np.int64(-1)
        beside = left - 1 if forward else right
        if 0 <= beside < columns:
            row = np.int64(here[np.uint64(beside), 0])
            column = np.int64(here[np.uint64(beside), 1])
        for position in range(right - left):
            number = left + position if forward else right - 1 - position
            x = np.uint64(number)
            if query.size > 0 and query[np.uint64(y), x] == 0:
                row = np.int64(here[x, 0])
                column = np.int64(here[x, 1])
                continue
            best_row = np.int64(here[x, 0])
            best_column = np.int64(here[x, 1])
            column += step
            if (
                row >= 0
                and 0 <= column < source_columns
                and (row != best_row or column != best_column)
            ):
                found_row, found_column, best = _compare(
                    target_data, y * target_step + number * channels, target_step, source_data,
                    source_step, channels, patch, penalty_data, penalty_step, row, column,
                    best_row, best_column, costs[x],
                )  # fmt: skip
                here[x, 0] = best_row = found_row
                here[x, 1] = best_column = found_column
                costs[x] = best
            row, column = best_row, best_column
