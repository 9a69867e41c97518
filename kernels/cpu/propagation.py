"""Propagation-assisted kd-tree search (He & Sun 2012).

What is a near patch's match, shifted by one, is in a leaf that is worth searching. Each patch
looks into its own leaf, into those of its neighbours' shifted matches, and compares the shifted
matches themselves. A leaf's nearest projection is compared in full only if its projected
distance, which is a lower bound, is below the best so far.

Fields, costs, queries, bands and edges are those of `patchmatch`.
"""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from .._jit import jit
from .distance import data_of, element, patch_distance
from .kdtree import LANES, LEAF, nearest_in_leaf
from .patchmatch import asked_range, near
from .philox import philox_row
from .project import TERMS

__all__ = ["tree_sweep"]


@register_jitable(forceinline=True, error_model="numpy")
def _compare(
    target, target_at, target_step, source, source_step, channels, patch, row, column,
    best_row, best_column, best,
):  # fmt: skip
    """Compare one candidate with the best so far."""
    distance = patch_distance(
        target, target_at, target_step, source, row * source_step + column * channels,
        source_step, patch * channels, patch, best,
    )  # fmt: skip
    if distance < best:
        return row, column, distance
    return best_row, best_column, best


@register_jitable(forceinline=True, error_model="numpy")
def _search_leaf(
    target, target_at, target_step, source, source_step, channels, patch, queries, query_at,
    leaves, members, leaf, scale, best_row, best_column, best,
):  # fmt: skip
    """Compare the patch of a leaf whose projection is nearest, if it can be better at all."""
    packed = nearest_in_leaf(queries, query_at, leaves, leaf * LEAF)
    if np.float32(packed // LANES) * scale >= best:
        return best_row, best_column, best
    place = element(members, leaf * LANES + (packed & (LANES - 1)))
    row = place >> np.int64(32)
    column = place & np.int64(0xFFFFFFFF)
    if row == best_row and column == best_column:
        return best_row, best_column, best
    return _compare(
        target, target_at, target_step, source, source_step, channels, patch, row, column,
        best_row, best_column, best,
    )  # fmt: skip


@jit
def tree_sweep(
    target, target_width, source, source_width, channels, patch, field, cost, query, queries,
    leaves, members, leaf_of, own, scale, source_rows, source_columns, edge, radii, key0, key1,
    iteration, purpose, forward, bounds, band,
):  # fmt: skip
    """One pass over one band: own leaf, from above (or below), random search, along the row.

    Parameters
    ----------
    queries : (rows × columns × TERMS,) int16
        The target's projections.
    leaves, members, leaf_of
        From `kdtree.build_below`; ``leaf_of`` −1 = a source that must not be used.
    own : (rows, columns) int32
        Each patch's own leaf, from `kdtree.descend`; an empty array skips that search.
    scale : float32
        A projected distance × ``scale`` is a lower bound of the distance.
    """
    rows, columns = cost.shape
    target_data, source_data, queries_data = data_of(target), data_of(source), data_of(queries)
    leaves_data, members_data, leaf_data = data_of(leaves), data_of(members), data_of(leaf_of)
    target_step = target_width * channels
    source_step = source_width * channels
    step = 1 if forward else -1
    first, last = bounds[band], bounds[band + 1]
    words = np.empty(((radii.size + 3) // 4 * 4, columns), np.uint32)
    for index in range(last - first):
        y = first + index if forward else last - 1 - index
        above = y - step
        has_above = 0 <= above < rows
        previous = edge[band] if index == 0 else field[max(0, min(above, rows - 1))]
        here = field[y]
        costs = cost[y]
        left, right = asked_range(query, y, columns)
        for group in range(words.shape[0] // 4):
            philox_row(
                words[4 * group : 4 * group + 4], left, right, y * columns, iteration, group,
                purpose, key0, key1,
            )  # fmt: skip
        for number in range(left, right):
            x = np.uint64(number)
            if query.size > 0 and query[np.uint64(y), x] == 0:
                continue
            best_row, best_column = np.int64(here[x, 0]), np.int64(here[x, 1])
            best = costs[x]
            target_at = y * target_step + number * channels
            query_at = (y * columns + number) * TERMS
            if own.size > 0:
                best_row, best_column, best = _search_leaf(
                    target_data, target_at, target_step, source_data, source_step, channels,
                    patch, queries_data, query_at, leaves_data, members_data,
                    np.int64(own[np.uint64(y), x]), scale, best_row, best_column, best,
                )  # fmt: skip
            if has_above:
                row = np.int64(previous[x, 0])
                column = np.int64(previous[x, 1])
                known = row >= 0
                row += step
                leaf = np.int64(-1)
                if known and 0 <= row < source_rows:
                    leaf = np.int64(element(leaf_data, row * source_columns + column))
                if leaf >= 0:
                    if row != best_row or column != best_column:
                        best_row, best_column, best = _compare(
                            target_data, target_at, target_step, source_data, source_step,
                            channels, patch, row, column, best_row, best_column, best,
                        )  # fmt: skip
                    best_row, best_column, best = _search_leaf(
                        target_data, target_at, target_step, source_data, source_step, channels,
                        patch, queries_data, query_at, leaves_data, members_data, leaf, scale,
                        best_row, best_column, best,
                    )  # fmt: skip
            centre_row, centre_column = best_row, best_column
            for draw in range(np.uint64(radii.size)):
                row, column = near(
                    words[draw, x], radii[draw], centre_row, centre_column, source_rows,
                    source_columns,
                )  # fmt: skip
                if element(leaf_data, row * source_columns + column) >= 0:
                    best_row, best_column, best = _compare(
                        target_data, target_at, target_step, source_data, source_step, channels,
                        patch, row, column, best_row, best_column, best,
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
            best_row, best_column = np.int64(here[x, 0]), np.int64(here[x, 1])
            if query.size > 0 and query[np.uint64(y), x] == 0:
                row, column = best_row, best_column
                continue
            column += step
            leaf = np.int64(-1)
            if row >= 0 and 0 <= column < source_columns:
                leaf = np.int64(element(leaf_data, row * source_columns + column))
            if leaf >= 0:
                target_at = y * target_step + number * channels
                best = costs[x]
                if row != best_row or column != best_column:
                    best_row, best_column, best = _compare(
                        target_data, target_at, target_step, source_data, source_step, channels,
                        patch, row, column, best_row, best_column, best,
                    )  # fmt: skip
                best_row, best_column, best = _search_leaf(
                    target_data, target_at, target_step, source_data, source_step, channels,
                    patch, queries_data, (y * columns + number) * TERMS, leaves_data,
                    members_data, leaf, scale, best_row, best_column, best,
                )  # fmt: skip
                here[x, 0] = best_row
                here[x, 1] = best_column
                costs[x] = best
            row, column = best_row, best_column
