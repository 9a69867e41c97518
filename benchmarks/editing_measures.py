"""What is lost when a picture is resized or rearranged: patches, objects, straight lines."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import synth

__all__ = ["bidirectional", "border_ratio", "lines_kept", "object_change"]

Image = NDArray[np.uint8]


def bidirectional(image: Image, result: Image) -> dict[str, float]:
    """Measure both halves of the bidirectional similarity (Simakov et al. 2008, equation 1).

    Of two scales, the full one and half of it, as the root mean squared difference of nearest 7×7
    patches in grey levels. *Complete* compares each patch of the picture with its like in the
    result: what is missing; *coherent* each patch of the result with its like in the picture: what
    was never there.
    """
    found = {}
    for name, step in (("1", 1), ("2", 2)):
        ours, real = (
            cv2.resize(one, (one.shape[1] // step, one.shape[0] // step),
                       interpolation=cv2.INTER_AREA)
            for one in (result, image)
        )  # fmt: skip
        for key, target, source in (("complete", real, ours), ("coherent", ours, real)):
            field = synth.nnf(np.asarray(target), np.asarray(source), quality="fast")
            found[key + name] = float(np.sqrt(field.distance.mean() / (49 * image.shape[2])))
    return found


def object_change(image: Image, result: Image, thing: NDArray[np.bool_]) -> float:
    """Find an object in the result, wherever it resembles itself most, and compare.

    Returns the root mean squared difference of its pixels in grey levels; not a number where the
    result is too small to hold its bounding box.
    """
    rows, columns = (np.flatnonzero(thing.any(axis=axis)) for axis in (1, 0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    piece, inside = image[box], thing[box]
    if any(a < b for a, b in zip(result.shape, piece.shape, strict=True)):
        return float("nan")
    mask = np.repeat(inside[..., np.newaxis], image.shape[2], axis=2).astype(np.float32)
    apart = cv2.matchTemplate(
        result.astype(np.float32), piece.astype(np.float32), cv2.TM_SQDIFF, mask=mask
    )
    # the sums are made by Fourier transforms: the place is right, its value is worked out again
    top, left = np.unravel_index(int(np.argmin(apart)), apart.shape)
    there = result[top : top + piece.shape[0], left : left + piece.shape[1]]
    difference = there[inside].astype(np.float64) - piece[inside]
    return float(np.sqrt(np.square(difference).mean()))


def lines_kept(
    image: Image, result: Image, lines: NDArray[np.float64], *, patch: int = 9, reach: int = 6
) -> float:
    """Find the share of points on straight lines that are on straight lines in the result.

    Patches along each line are looked for in the rows round their own, for a resize of columns
    only; those that lie within 2 pixels of the one line that most of them agree on are kept.
    """
    half, total, kept = patch // 2, 0, 0
    padded = cv2.copyMakeBorder(result, half, half, half, half, cv2.BORDER_REPLICATE)
    for ends in lines:
        length = float(np.abs(ends[1] - ends[0]).max())
        steps = np.linspace(0, 1, int(length / 6) + 1)[:, np.newaxis]
        points = np.rint(ends[0] + steps * (ends[1] - ends[0])).astype(int)
        limits = np.array(image.shape[:2]) - half
        points = points[((points >= half) & (points < limits)).all(axis=1)]
        places = []
        for row, column in points.tolist():
            piece = image[row - half : row + half + 1, column - half : column + half + 1]
            first = max(0, row - reach)
            strip = padded[first : row + reach + 2 * half + 1]
            apart = cv2.matchTemplate(strip, piece, cv2.TM_SQDIFF)
            y, x = np.unravel_index(int(np.argmin(apart)), apart.shape)
            places.append((first + int(y), int(x)))
        total += len(places)
        kept += _on_one_line(np.array(places, float).reshape(-1, 2))
    return kept / total if total else float("nan")


def border_ratio(
    image: Image, thing: NDArray[np.bool_], result: Image, placed: NDArray[np.bool_]
) -> float:
    """Compare the mean step across a moved object's outline with what it was: 1 is no halo."""

    def mean(picture: Image, mask: NDArray[np.bool_]) -> float:
        steps: list[NDArray[Any]] = []
        for axis, across in ((0, mask[1:] ^ mask[:-1]), (1, mask[:, 1:] ^ mask[:, :-1])):
            change = np.abs(np.diff(picture.astype(np.float64), axis=axis)).mean(axis=2)
            steps.append(change[across])
        return float(np.concatenate(steps).mean())

    return mean(result, placed) / max(mean(image, thing), 1e-9)


def _on_one_line(places: NDArray[np.float64]) -> int:
    best = min(1, len(places))
    for first, second in combinations(places, 2):
        along = second - first
        length = np.hypot(*along)
        if length < 12:
            continue
        off = np.abs((places - first) @ np.array([-along[1], along[0]])) / length
        best = max(best, int(np.count_nonzero(off <= 2)))
    return best
