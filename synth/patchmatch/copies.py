"""Turned, scaled and mirrored copies of what may be copied, laid out beside it.

Generalized PatchMatch (Barnes et al. 2010) and Image Melding (Darabi et al. 2012) search over the
rotation, scale and reflection of each patch. Here the known pixels are resampled once for each of
a few of them, as more to copy from: then one search over positions is a search over all of them.
A pixel of such a copy is the picture itself, interpolated once at the place that it comes from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.patchmatch.regions import Window, bounding_window
from synth.patchmatch.resample import warp
from synth.patchmatch.variation import Variation

__all__ = ["CROWDED", "Copy", "Ground", "fits", "with_copies"]

#: The window and its copies together have at most so many pixels: beyond, steps between copies
#: become larger by a factor, up to a limit, then copies are made of what is near to the hole, and
#: at last of the half, quarter and so on of that in which most is known.
_MOST_PIXELS = 1 << 24
#: Steps become larger as well where they would be more than so many times the window: in a tiny
#: one the finest steps tell apart what is not there.
_MOST_TIMES = 256
_COARSER = 1.25
_COARSEST = 3.0
_LEAST_MARGIN = 32
#: Where holes are filled a few at a time their surroundings overlap: copies are made of so many
#: pixels round them, with the largest steps, so that all of them together are not far more work.
CROWDED = 48
#: Cubic interpolation looks so many pixels far.
_FOOTPRINT = 2


@dataclass(frozen=True)
class Copy:
    """Where a copy lies, and what of.

    Attributes
    ----------
    box : Window
        Its rows and columns of the ground.
    back : (2, 3) float64
        From the ground's (x, y, 1) to the window's (x, y).
    """

    box: Window
    back: NDArray[np.float64]


@dataclass(frozen=True)
class Ground:
    """What is copied from: a window at the top left, and its copies below it.

    Attributes
    ----------
    image : (rows, columns[, channels])
    unknown : (rows, columns) bool
        Pixels whose value means nothing.
    guide : (rows, columns[, k]) or None
    copies : tuple of Copy
    """

    image: NDArray[Any]
    unknown: NDArray[np.bool_]
    guide: NDArray[Any] | None
    copies: tuple[Copy, ...] = ()

    def origins(
        self, sources: NDArray[np.int32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where in the window pixels of the ground, (n, 2), come from.

        Returns
        -------
        exact : (n, 2) float64
            Row and column.
        turn : (n, 2, 2) float64
            What becomes, in the window, of a step (x, y) on the ground.
        """
        exact = sources.astype(np.float64)
        turn = np.tile(np.eye(2), (len(sources), 1, 1))
        y, x = sources[:, 0], sources[:, 1]
        for copy in self.copies:
            rows, columns = copy.box
            inside = (
                (y >= rows.start) & (y < rows.stop) & (x >= columns.start) & (x < columns.stop)
            )
            place = sources[inside][:, ::-1] @ copy.back[:, :2].T + copy.back[:, 2]
            exact[inside] = place[:, ::-1]
            turn[inside] = copy.back[:, :2]
        return exact, turn


def with_copies(
    window: Ground,
    allowed: NDArray[np.bool_],
    hole: NDArray[np.bool_],
    variation: Variation,
    patch: int,
    *,
    crowded: bool = False,
) -> tuple[Ground, NDArray[np.bool_]]:
    """Lay out copies below a window.

    Parameters
    ----------
    window : Ground
        Without copies.
    allowed, hole : (rows, columns) bool
        What may be copied, and what is to be filled.
    variation : Variation
    patch : int
        Side of a patch in pixels.
    crowded : bool
        Whether there are other windows like this one beside it.

    Returns
    -------
    ground : Ground
    allowed : (rows, columns) bool
        Of the whole ground.
    """
    matrices, region = _within_means(variation, allowed, hole, patch, crowded)
    if not matrices:
        return window, allowed
    placed = [_placed(matrix, region) for matrix in matrices]
    forth = [homography for homography, _ in placed]
    boxes, (rows, columns) = _laid_out([size for _, size in placed], hole.shape)
    ground = Ground(
        _padded(window.image, rows, columns),
        _padded(window.unknown, rows, columns, True),
        None if window.guide is None else _padded(window.guide, rows, columns),
        tuple(
            Copy(box, _back(homography, box, region))
            for box, homography in zip(boxes, forth, strict=True)
        ),
    )
    allowed = _padded(allowed, rows, columns)
    known, usable = ~window.unknown[region], allowed[region]
    image = window.image[region]
    image = np.where(known if image.ndim == 2 else known[..., np.newaxis], image, 0)
    limits = image[known].min(axis=0), image[known].max(axis=0)
    for matrix, homography, box in zip(matrices, forth, boxes, strict=True):
        size = box[1].stop - box[1].start, box[0].stop - box[0].start
        smooth, reach = _prepared(image, matrix)
        ground.image[box] = np.clip(warp(smooth, homography, size, "cubic"), *limits)
        ground.unknown[box] = ~_covered(known, reach, homography, size)
        allowed[box] = _covered(usable, reach, homography, size)
        if ground.guide is not None and window.guide is not None:
            ground.guide[box] = _nearest(window.guide[region], homography, size)
    return ground, allowed


def fits(variation: Variation, shape: tuple[int, int], patch: int) -> bool:
    """Tell whether all of a window of that shape has room for its copies."""
    matrices = variation.matrices(patch, _COARSEST)
    return _pixels(matrices, (slice(0, shape[0]), slice(0, shape[1])), shape) <= _MOST_PIXELS


def _pixels(matrices: list[NDArray[np.float64]], region: Window, window: tuple[int, ...]) -> int:
    """How large the ground is for copies of ``region``."""
    sizes = [_placed(matrix, region)[1] for matrix in matrices]
    _, (rows, columns) = _laid_out(sizes, window)
    return rows * columns


def _within_means(
    variation: Variation,
    allowed: NDArray[np.bool_],
    hole: NDArray[np.bool_],
    patch: int,
    crowded: bool,
) -> tuple[list[NDArray[np.float64]], Window]:
    """Choose the copies and the part of the window that they are made of."""
    coarser = _COARSEST if crowded else 1.0
    region = bounding_window(allowed)
    around = bounding_window(hole)
    assert region is not None
    assert around is not None
    margin = max(hole.shape)
    if crowded and not _is_narrow(_near(region, around, CROWDED), patch):
        margin = CROWDED
        region = _near(region, around, margin)
    while True:
        matrices = variation.matrices(patch, coarser)
        most = _MOST_PIXELS
        if coarser < _COARSEST:
            most = min(most, _MOST_TIMES * hole.size)
        if _pixels(matrices, region, hole.shape) <= most:
            return matrices, region
        if coarser < _COARSEST:
            coarser *= _COARSER
            continue
        margin = round(margin / _COARSER)
        nearer = _near(region, around, margin)
        if margin < _LEAST_MARGIN or _is_narrow(nearer, patch):
            nearer = _fuller_half(region, allowed)
            if _is_narrow(nearer, patch):
                return [], region
        region = nearer


def _near(region: Window, around: Window, margin: int) -> Window:
    """What of a region is within ``margin`` of another."""
    rows, columns = (
        slice(max(a.start, b.start - margin), min(a.stop, b.stop + margin))
        for a, b in zip(region, around, strict=True)
    )
    return rows, columns


def _is_narrow(region: Window, patch: int) -> bool:
    return any(side.stop - side.start < patch for side in region)


def _fuller_half(region: Window, allowed: NDArray[np.bool_]) -> Window:
    """Cut a region across its longer side and keep what has more to copy."""
    rows, columns = region
    if rows.stop - rows.start >= columns.stop - columns.start:
        cut = (rows.start + rows.stop) // 2
        halves = [(slice(rows.start, cut), columns), (slice(cut, rows.stop), columns)]
    else:
        cut = (columns.start + columns.stop) // 2
        halves = [(rows, slice(columns.start, cut)), (rows, slice(cut, columns.stop))]
    return max(halves, key=lambda half: int(np.count_nonzero(allowed[half])))


def _laid_out(
    sizes: list[tuple[int, int]], window: tuple[int, ...]
) -> tuple[list[Window], tuple[int, int]]:
    """Put boxes of ``sizes`` on shelves below the window; return them and the whole's size.

    Between any two is a line of what is unknown.
    """
    columns = max([window[1], *(size[1] for size in sizes)])
    top, left, height = window[0] + 1, 0, 0
    boxes = []
    for size in sizes:
        if left + size[1] > columns:
            top, left, height = top + height + 1, 0, 0
        boxes.append((slice(top, top + size[0]), slice(left, left + size[1])))
        left += size[1] + 1
        height = max(height, size[0])
    return boxes, (top + height, columns)


def _placed(
    matrix: NDArray[np.float64], region: Window
) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """Return the homography from the region's (x, y, 1) to its copy's, and rows and columns."""
    rows, columns = (side.stop - side.start for side in region)
    corners = np.array([[0, 0], [columns - 1, 0], [0, rows - 1], [columns - 1, rows - 1]])
    mapped = corners @ matrix.T
    # whole pixels, so that what is only mirrored or turned by a quarter is not resampled
    low = np.floor(mapped.min(axis=0) + 1e-9)
    extent = np.ceil(mapped.max(axis=0) - low - 1e-9).astype(int) + 1
    homography = np.eye(3)
    homography[:2, :2] = matrix
    homography[:2, 2] = -low
    return homography, (int(extent[1]), int(extent[0]))


def _back(homography: NDArray[np.float64], box: Window, region: Window) -> NDArray[np.float64]:
    back = np.linalg.inv(homography)
    corner = np.array([box[1].start, box[0].start])
    back[:2, 2] -= back[:2, :2] @ corner
    back[:2, 2] += (region[1].start, region[0].start)
    return np.asarray(back[:2], np.float64)


def _padded(values: NDArray[Any], rows: int, columns: int, filling: bool = False) -> NDArray[Any]:
    larger = np.full((rows, columns, *values.shape[2:]), filling, values.dtype)
    larger[: values.shape[0], : values.shape[1]] = values
    return larger


def _prepared(image: NDArray[Any], matrix: NDArray[np.float64]) -> tuple[NDArray[Any], int]:
    """Smooth what will be made smaller; return it and how far an interpolated pixel looks."""
    import cv2

    if np.array_equal(np.abs(matrix), np.eye(2)) or np.array_equal(
        np.abs(matrix), np.eye(2)[::-1]
    ):
        return image, 0
    scale = math.sqrt(abs(np.linalg.det(matrix)))
    if scale >= 1 - 1e-9:
        return image, _FOOTPRINT
    sigma = 0.5 * math.sqrt(1 / scale**2 - 1)
    radius = math.ceil(2 * sigma)
    planes = image[..., np.newaxis] if image.ndim == 2 else image
    smooth = [
        cv2.GaussianBlur(np.ascontiguousarray(plane), (2 * radius + 1,) * 2, sigma)
        for plane in np.moveaxis(planes, 2, 0)
    ]
    return np.stack(smooth, axis=2).reshape(image.shape), _FOOTPRINT + radius


def _covered(
    mask: NDArray[np.bool_], reach: int, homography: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.bool_]:
    """Tell where a copy is made of True alone."""
    import cv2

    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    whole = cv2.erode(mask.astype(np.uint8), square, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(warp(np.asarray(whole, np.uint8), homography, size, "nearest") > 0)


def _nearest(
    guide: NDArray[Any], homography: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[Any]:
    kind = np.float64 if guide.dtype.kind in "biu" else guide.dtype
    return warp(guide.astype(kind), homography, size, "nearest").astype(guide.dtype)
