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

from .._jit import jit
from .distance import patch_distance
from .philox import below, philox4x32

__all__ = ["FORBIDDEN", "edge_rows", "initialize", "sweep"]

#: A penalty that no patch survives; twice it still fits an int32.
FORBIDDEN = 1 << 30


@jit
def _improve(
    target, target_at, target_step, source, source_step, channels, patch, penalty, row, column,
    best_row, best_column, best,
):  # fmt: skip
    """Compare one candidate with the best so far; the candidate must lie inside the source."""
    extra = best * 0
    if penalty.size > 0:
        extra = penalty[row, column]
        if extra >= best:
            return best_row, best_column, best
    distance = patch_distance(
        target, target_at, target_step, source, row * source_step + column * channels,
        source_step, patch * channels, patch, best - extra,
    )  # fmt: skip
    total = distance + extra
    if total < best:
        return row, column, total
    return best_row, best_column, best


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
            row, column, total = _improve(
                target, y * target_step + x * channels, target_step, source, source_step,
                channels, patch, penalty, row, column, row, column, limit,
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
    the other candidates of neighbouring pixels overlap in the CPU's pipeline.
    """
    rows, columns = cost.shape
    target_step = target_width * channels
    source_step = source_width * channels
    step = 1 if forward else -1
    first, last = bounds[band], bounds[band + 1]
    for index in range(last - first):
        y = first + index if forward else last - 1 - index
        above = y - step
        has_above = 0 <= above < rows
        for x in range(columns):
            if query.size > 0 and query[y, x] == 0:
                continue
            best_row = np.int64(field[y, x, 0])
            best_column = np.int64(field[y, x, 1])
            best = cost[y, x]
            target_at = y * target_step + x * channels
            if has_above:
                if index == 0:
                    row = np.int64(edge[band, x, 0])
                    column = np.int64(edge[band, x, 1])
                else:
                    row = np.int64(field[above, x, 0])
                    column = np.int64(field[above, x, 1])
                known = row >= 0
                row += step
                if known and 0 <= row < source_rows and (row != best_row or column != best_column):
                    best_row, best_column, best = _improve(
                        target, target_at, target_step, source, source_step, channels, patch,
                        penalty, row, column, best_row, best_column, best,
                    )  # fmt: skip
            word2 = np.uint32(0)
            word3 = np.uint32(0)
            for number in range(radii.size):
                if number % 2 == 0:
                    word0, word1, word2, word3 = philox4x32(
                        y * columns + x, iteration, number, purpose, key0, key1
                    )
                else:
                    word0, word1 = word2, word3
                radius = radii[number]
                low_row = max(best_row - radius, 0)
                low_column = max(best_column - radius, 0)
                row = low_row + below(word0, min(best_row + radius + 1, source_rows) - low_row)
                column = low_column + below(
                    word1, min(best_column + radius + 1, source_columns) - low_column
                )
                best_row, best_column, best = _improve(
                    target, target_at, target_step, source, source_step, channels, patch,
                    penalty, row, column, best_row, best_column, best,
                )  # fmt: skip
            field[y, x, 0] = best_row
            field[y, x, 1] = best_column
            cost[y, x] = best
        for number in range(1, columns):
            x = number if forward else columns - 1 - number
            if query.size > 0 and query[y, x] == 0:
                continue
            row = np.int64(field[y, x - step, 0])
            column = np.int64(field[y, x - step, 1]) + step
            best_row = np.int64(field[y, x, 0])
            best_column = np.int64(field[y, x, 1])
            if row < 0 or not 0 <= column < source_columns:
                continue
            if row == best_row and column == best_column:
                continue
            best_row, best_column, best = _improve(
                target, y * target_step + x * channels, target_step, source, source_step,
                channels, patch, penalty, row, column, best_row, best_column, cost[y, x],
            )  # fmt: skip
            field[y, x, 0] = best_row
            field[y, x, 1] = best_column
            cost[y, x] = best
