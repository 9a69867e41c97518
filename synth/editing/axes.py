"""Where rows and columns go when a picture is resized and some of them must keep their size.

Edges are the places of the n + 1 borders between n rows (or columns), rising from 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["between", "coarser", "new_edges", "offsets", "places"]

Edges = NDArray[np.float64]

#: Rows are not squeezed to less than this while others can give.
_LEAST = 0.25


def new_edges(
    kept: NDArray[np.bool_], length: int, give: NDArray[np.float64] | None = None
) -> Edges:
    """Return where the edges of all rows go so that they end at ``length``.

    Parameters
    ----------
    kept : (n,) bool
        Rows that stay one pixel wide.
    length : int
    give : (n,) float64, optional
        How much the others give, relative to each other, above 0; all alike by default. None
        shrinks to less than a quarter while there are others.

    Examples
    --------
    >>> import numpy as np
    >>> new_edges(np.array([False, True, True, False]), 3)
    array([0. , 0.5, 1.5, 2.5, 3. ])
    """
    free = ~kept
    give = np.where(free, 1.0 if give is None else give, 0.0)
    width = np.ones(len(kept))
    change = float(length - len(kept))
    if free.any():
        room = length - int(np.count_nonzero(kept))
        least = min(_LEAST, room / int(np.count_nonzero(free)))
        while abs(change) > 1e-9 and give.any():
            width[free] += change * give[free] / give.sum()
            give[width < least] = 0
            width[free] = np.maximum(width[free], least)
            change = length - float(width.sum())
    edges = np.concatenate([[0.0], np.cumsum(width)])
    edges[-1] = length
    return np.asarray(np.minimum(edges, length), np.float64)


def coarser(edges: Edges, level: int, length: int) -> Edges:
    """Return the edges at a resolution that is halved ``level`` times, ending at ``length``."""
    some = edges[: (len(edges) - 1 >> level << level) + 1 : 1 << level]
    return np.asarray(some * (length / some[-1]), np.float64)


def between(edges: Edges, length: int) -> Edges:
    """Return edges part of the way from no change to ``edges``, ending at ``length``."""
    count = len(edges) - 1
    still = np.arange(count + 1, dtype=np.float64)
    whole = edges[-1] - count
    share = (length - count) / whole if whole else 1.0
    part = still + share * (edges - still)
    return np.asarray(part * (length / part[-1]), np.float64)


def places(before: Edges, after: Edges) -> NDArray[np.float64]:
    """Return for each pixel of the size ``after`` where its middle lay at the size ``before``.

    In pixels, 0 being the middle of the first.
    """
    count = round(float(after[-1]))
    return np.asarray(np.interp(np.arange(count) + 0.5, after, before) - 0.5, np.float64)


def offsets(kept: NDArray[np.bool_], edges: Edges) -> NDArray[np.int32]:
    """Return how far each kept row moves, in whole pixels; those that touch move together."""
    begins = kept & ~np.concatenate([[False], kept[:-1]])
    run = np.cumsum(begins)[kept] - 1
    steps = np.zeros(len(kept), np.int32)
    if len(run):
        own = (edges[:-1] - np.arange(len(kept)))[kept]
        mean = np.bincount(run, own) / np.bincount(run)
        steps[kept] = np.rint(mean).astype(np.int32)[run]
    return steps
