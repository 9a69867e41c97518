"""Which parts of a picture a fill has to look at: windows around holes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Window", "bounding_window", "holes_within", "inside", "surroundings", "windows"]

#: A window: rows, then columns of the image.
Window = tuple[slice, slice]

#: Surroundings in hole sizes that a fill copies from, and at least how many pixels.
_SURROUNDINGS = 1.5
_LEAST_MARGIN = 96

#: Windows are compared on a grid of this many pixels.
_CELL = 16


def bounding_window(mask: NDArray[np.bool_]) -> Window | None:
    """Return the smallest window that holds every True, None where there is none."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(rows):
        return None
    columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def inside(part: Window, view: Window) -> Window:
    """Return ``part``'s rows and columns of ``view``, which holds it."""
    rows, columns = (
        slice(a.start - b.start, a.stop - b.start) for a, b in zip(part, view, strict=True)
    )
    return rows, columns


def holes_within(hole: NDArray[np.bool_], part: Window, view: Window) -> NDArray[np.bool_]:
    """Return ``view`` of a picture's ``hole``, but only what lies in ``part`` of the picture.

    The others get their own window.
    """
    own = np.zeros_like(hole[view])
    own[inside(part, view)] = hole[part]
    return own


def _grow(window: Window, margin: int, shape: tuple[int, int]) -> Window:
    rows, columns = (
        slice(max(0, side.start - margin), min(length, side.stop + margin))
        for side, length in zip(window, shape, strict=True)
    )
    return rows, columns


def surroundings(holes: list[Window], shape: tuple[int, ...], margin: int | None = None) -> Window:
    """Return the window that holes are filled from, of all of them together.

    Parameters
    ----------
    holes : list of Window
        The bounding window of each.
    shape : (int, int)
        Rows and columns of the picture.
    margin : int, optional
        How many pixels round them; by default what the largest of them needs.
    """
    around = [
        (min(hole[axis].start for hole in holes), max(hole[axis].stop for hole in holes))
        for axis in (0, 1)
    ]
    return _grow(
        (slice(*around[0]), slice(*around[1])),
        max(_margin(hole) for hole in holes) if margin is None else margin,
        (shape[0], shape[1]),
    )


def _margin(hole: Window) -> int:
    """How far round a hole it is copied from, in pixels."""
    longest: int = max(side.stop - side.start for side in hole)
    return max(_LEAST_MARGIN, round(_SURROUNDINGS * longest))


def windows(mask: NDArray[np.bool_], patch: int) -> list[Window]:
    """Cut a picture into windows that can be filled one by one.

    Each hole gets a window of its surroundings; windows that overlap become one. So the work
    follows the holes and not the picture, and what a hole copies lies near it.

    Parameters
    ----------
    mask : (rows, columns) bool
        True = to be filled.
    patch : int
        Side of a patch in pixels: holes closer than twice that are one hole.
    """
    import cv2
    from scipy import ndimage

    outer = bounding_window(mask)
    if outer is None:
        return []
    inner = mask[outer].astype(np.uint8)
    joined = cv2.dilate(inner, np.ones((2 * patch + 1, 2 * patch + 1), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(joined)
    grid = np.zeros([-(-side // _CELL) for side in mask.shape], np.bool_)
    for number in range(1, count):
        left, top, width, height = (int(v) for v in stats[number, :4])
        hole = (
            slice(outer[0].start + top, outer[0].start + top + height),
            slice(outer[1].start + left, outer[1].start + left + width),
        )
        rows, columns = _grow(hole, _margin(hole), mask.shape)
        grid[
            rows.start // _CELL : -(-rows.stop // _CELL),
            columns.start // _CELL : -(-columns.stop // _CELL),
        ] = True
    labels, _ = ndimage.label(grid, structure=np.ones((3, 3), np.bool_))
    return _separate(
        [
            (
                slice(rows.start * _CELL, min(rows.stop * _CELL, mask.shape[0])),
                slice(columns.start * _CELL, min(columns.stop * _CELL, mask.shape[1])),
            )
            for rows, columns in ndimage.find_objects(labels)
        ]
    )


def _separate(boxes: list[Window]) -> list[Window]:
    """Join boxes until no two overlap, so that each hole pixel belongs to one of them."""
    merged: list[Window] = []
    for box in boxes:
        current = box
        while True:
            hit = next((other for other in merged if _overlap(current, other)), None)
            if hit is None:
                break
            merged.remove(hit)
            rows, columns = (
                slice(min(a.start, b.start), max(a.stop, b.stop))
                for a, b in zip(current, hit, strict=True)
            )
            current = rows, columns
        merged.append(current)
    return sorted(merged, key=lambda w: (w[0].start, w[1].start))


def _overlap(a: Window, b: Window) -> bool:
    return all(p.start < q.stop and q.start < p.stop for p, q in zip(a, b, strict=True))
