"""Fake holes: a hole's shape, cut where the picture is known, so that a fill can be judged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth.patchmatch.regions import bounding_window

__all__ = ["fake_holes", "scales_of"]

#: A place is looked for on a grid of at most so many steps a side.
_STEPS = 128
#: A fake hole may lose so much of the shape to the picture's border and to what is unknown.
_LOST = 0.25
#: Where the hole fits equally well, the nearest place is taken: this is what being as far away as
#: the window is long costs, as a share of the shape.
_FAR = 0.3


def scales_of(hole: NDArray[np.bool_], patch: int) -> list[float]:
    """Sizes in which the hole's shape may be tried, the true one first.

    Where a hole is so wide that nothing like it fits beside it, a smaller one has to do. Thin
    ones are never made thinner than a patch.
    """
    import cv2

    radius = float(cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_C, 3).max())
    return [scale for scale in (1.0, 0.71, 0.5, 0.35) if scale == 1.0 or radius * scale > patch]


def fake_holes(
    hole: NDArray[np.bool_], free: NDArray[np.bool_], scale: float, gap: int, most: int
) -> list[NDArray[np.bool_]]:
    """Cut ``hole``'s shape out where ``free``, as near to the hole as can be.

    Parameters
    ----------
    hole, free : (rows, columns) bool
        The hole, and where its likes may lie.
    scale : float
        Their size beside the hole's.
    gap : int
        Pixels between two of them, and between one and what is not free.
    most : int
        At most so many.

    Returns
    -------
    list of (rows, columns) bool
        None of them overlap.

    Examples
    --------
    >>> hole = np.zeros((60, 90), bool)
    >>> hole[20:40, 20:40] = True
    >>> [int(fake.sum()) for fake in fake_holes(hole, ~hole, 1.0, 4, 2)]
    [400, 384]
    """
    import cv2

    box = bounding_window(hole)
    if box is None:
        return []
    shape = hole[box].astype(np.uint8)
    if scale != 1.0:
        size = tuple(max(1, round(side * scale)) for side in shape.shape[::-1])
        small = cv2.resize(shape.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        shape = (small >= 0.5).astype(np.uint8)
    square = np.ones((2 * gap + 1, 2 * gap + 1), np.uint8)
    room = np.asarray(cv2.erode(free.astype(np.uint8), square, borderValue=1), np.uint8)
    middle = np.array([(side.start + side.stop) / 2 for side in box])
    found = []
    for number in range(most):
        mirrored = np.ascontiguousarray(shape[:, ::-1] if number % 2 else shape)
        place = _best_place(mirrored, room, middle)
        if place is None:
            break
        fake = _stamp(mirrored, place, room)
        found.append(fake.astype(np.bool_))
        room[cv2.dilate(fake, square) > 0] = 0
    return found


def _best_place(
    shape: NDArray[np.uint8], room: NDArray[np.uint8], middle: NDArray[np.float64]
) -> tuple[int, int] | None:
    """Where (top, left, both may be negative) most of the shape lies in the room, near by."""
    import cv2

    step = max(1, -(-max(room.shape) // _STEPS))
    size = (max(1, shape.shape[1] // step), max(1, shape.shape[0] // step))
    small = cv2.resize(shape.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    rows, columns = (max(1, side // step) for side in room.shape)
    ground = cv2.resize(room.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    reach = [max(1, round(side * _LOST)) for side in small.shape]
    padded = np.pad(ground, [(side, side) for side in reach])
    if any(a < b for a, b in zip(padded.shape, small.shape, strict=True)):
        return None
    share = cv2.matchTemplate(padded, small, cv2.TM_CCORR) / max(float(small.sum()), 1e-6)
    top = (np.arange(share.shape[0]) - reach[0]) * step
    left = (np.arange(share.shape[1]) - reach[1]) * step
    y = top[:, np.newaxis] + shape.shape[0] / 2 - middle[0]
    x = left[np.newaxis] + shape.shape[1] / 2 - middle[1]
    # rounded, so that the last bits of the transform inside do not decide between equal places
    merit = np.round(share - _FAR * np.hypot(y, x) / max(room.shape), 4)
    merit[share < 1 - _LOST] = -np.inf
    best = int(np.argmax(merit))
    if not np.isfinite(merit.flat[best]):
        return None
    return int(top[best // share.shape[1]]), int(left[best % share.shape[1]])


def _stamp(
    shape: NDArray[np.uint8], place: tuple[int, int], room: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    stamped = np.zeros_like(room)
    top, left = place
    rows = slice(max(0, top), min(room.shape[0], top + shape.shape[0]))
    columns = slice(max(0, left), min(room.shape[1], left + shape.shape[1]))
    stamped[rows, columns] = shape[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]
    return np.asarray(stamped & room)
