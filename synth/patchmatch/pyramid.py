"""The levels of a fill, from the window's own resolution down to where the hole is patch-sized."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Level", "allowed_patches", "build", "depth", "is_thin", "is_wide"]

#: A hole of more area than so many squares of its own width is long and thin.
_THIN = 8


@dataclass(frozen=True)
class Level:
    """One resolution of a window.

    Attributes
    ----------
    features : (rows, columns, channels) uint8
    hole : (up to rows, up to columns) bool
        Pixels to be filled. Where it is smaller than the features, it is their top left part, and
        what lies beyond is there to be copied only.
    allowed : (rows, columns) bool
        Pixels that may be copied.
    """

    features: NDArray[np.uint8]
    hole: NDArray[np.bool_]
    allowed: NDArray[np.bool_]


def depth(hole: NDArray[np.bool_], patch: int) -> int:
    """How many times to halve: until the hole's widest part is one to four patches wide.

    Only one to two where one halving does. A patch as wide as the hole shows more than fits into
    it, and of what lies near the hole little is left to be copied whole; in thin holes such as
    strokes it is all border, and what is settled there blurs the texture between.
    """
    levels = _halvings(hole, patch)
    return levels - 1 if levels > 1 else levels


def is_thin(hole: NDArray[np.bool_]) -> bool:
    """Whether a hole is long and thin, as strokes are."""
    return bool(np.count_nonzero(hole) > _THIN * _width(hole) ** 2)


def is_wide(hole: NDArray[np.bool_], patch: int) -> bool:
    """Whether a hole is at least four patches wide, or eight where it is long and thin."""
    return _halvings(hole, patch) > (2 if is_thin(hole) else 1)


def _halvings(hole: NDArray[np.bool_], patch: int) -> int:
    """How many times to halve until the hole's widest part is about a patch wide."""
    return max(0, math.floor(math.log2(max(1.0, _width(hole) / patch))))


def _width(hole: NDArray[np.bool_]) -> float:
    """Width of the hole's widest part in pixels."""
    import cv2

    # Nothing is known beyond the window's border: a strip along it counts with its full width.
    return 2 * float(cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_C, 3).max())


def allowed_patches(allowed: NDArray[np.bool_], patch: int) -> NDArray[np.bool_]:
    """Tell which patches lie in ``allowed``.

    The result is (rows − patch + 1, columns − patch + 1), a patch standing at its top-left corner.
    """
    import cv2

    rows, columns = allowed.shape
    if rows < patch or columns < patch:
        return np.zeros((max(0, rows - patch + 1), max(0, columns - patch + 1)), np.bool_)
    kernel = np.ones((patch, patch), np.uint8)
    full = cv2.erode(allowed.astype(np.uint8), kernel, anchor=(0, 0))
    return full[: rows - patch + 1, : columns - patch + 1] > 0


def _halve(level: Level) -> Level:
    rows, columns = (side // 2 for side in level.allowed.shape)
    total = np.full((rows, columns, level.features.shape[2]), 2, np.uint16)
    allowed = np.ones((rows, columns), np.bool_)
    for quarter in _quarters(level.allowed.shape):
        total += level.features[quarter]
        allowed &= level.allowed[quarter]
    hole = np.zeros([side // 2 for side in level.hole.shape], np.bool_)
    for quarter in _quarters(level.hole.shape):
        hole |= level.hole[quarter]
    return Level((total >> 2).astype(np.uint8), hole, allowed)


def _quarters(shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
    """Select each of the four pixels that become one; a last odd row or column is left out."""
    rows, columns = (side // 2 * 2 for side in shape)
    return [(slice(y, rows, 2), slice(x, columns, 2)) for y in (0, 1) for x in (0, 1)]


def build(finest: Level, levels: int, patch: int) -> list[Level]:
    """Halve ``levels`` times, finest first; stop before a level runs out of patches to copy."""
    pyramid = [finest]
    for _ in range(levels):
        coarser = _halve(pyramid[-1])
        if np.count_nonzero(allowed_patches(coarser.allowed, patch)) < 4 * patch:
            break
        pyramid.append(coarser)
    return pyramid
