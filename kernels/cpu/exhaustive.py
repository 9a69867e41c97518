"""Every allowed source against every query: for the coarsest levels, where that is cheap.

Race-free: a band writes only the entries of its own queries.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit
from .patchmatch import _improve

__all__ = ["search_all"]


@jit
def search_all(
    target, target_width, source, source_width, channels, patch, field, cost, queries, penalty,
    choices, source_columns, bounds, band,
):  # fmt: skip
    """Replace the field of each query (n, 2) by its best source; the field must be scored."""
    target_step = target_width * channels
    source_step = source_width * channels
    for number in range(bounds[band], bounds[band + 1]):
        y = np.int64(queries[number, 0])
        x = np.int64(queries[number, 1])
        best_row = np.int64(field[y, x, 0])
        best_column = np.int64(field[y, x, 1])
        best = cost[y, x]
        for index in range(choices.size):
            row = np.int64(choices[index]) // source_columns
            column = np.int64(choices[index]) - row * source_columns
            best_row, best_column, best = _improve(
                target, y * target_step + x * channels, target_step, source, source_step,
                channels, patch, penalty, row, column, best_row, best_column, best,
            )  # fmt: skip
        field[y, x, 0] = best_row
        field[y, x, 1] = best_column
        cost[y, x] = best
