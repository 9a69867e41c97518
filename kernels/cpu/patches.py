"""Patches of a plane as columns of a table, and back: the sum of what they say of each pixel."""

from __future__ import annotations

from .._jit import jit

__all__ = ["gather", "scatter"]


@jit
def gather(plane, rows, columns, out):
    """Copy the patches whose top-left corners are given, one a column.

    Parameters
    ----------
    plane : (h, w) float
    rows, columns : (m,) int64
    out : (side * side, m) float, written
        Pixels of a patch in row-major order.
    """
    side = int(out.shape[0] ** 0.5 + 0.5)
    for a in range(side):
        for b in range(side):
            to = out[a * side + b]
            for i in range(rows.shape[0]):
                to[i] = plane[rows[i] + a, columns[i] + b]


@jit
def scatter(patches, rows, columns, first, sums):
    """Add patches, (side * side, m), to the pixels they cover.

    Parameters
    ----------
    patches : (side * side, m) float
    rows, columns : (m,) int64
    first : int
        The row of the plane that ``sums`` starts with.
    sums : (k, w) float64, added to
    """
    side = int(patches.shape[0] ** 0.5 + 0.5)
    for a in range(side):
        for b in range(side):
            own = patches[a * side + b]
            for i in range(rows.shape[0]):
                sums[rows[i] - first + a, columns[i] + b] += own[i]
