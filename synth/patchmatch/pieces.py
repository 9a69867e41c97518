"""Holes that are filled group by group, where copies of all their surroundings are too many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth.patchmatch.copies import CROWDED, fits
from synth.patchmatch.regions import Window, surroundings
from synth.patchmatch.variation import Variation

__all__ = ["pieces"]


def pieces(
    hole: NDArray[np.bool_], variation: Variation, patch: int
) -> list[tuple[Window, NDArray[np.bool_]]]:
    """Cut the holes of a window into groups whose surroundings have room for their copies.

    A hole is never cut: one that is too large is a group of its own.

    Parameters
    ----------
    hole : (rows, columns) bool
        At least one pixel of it True.
    variation : Variation
    patch : int
        Side of a patch in pixels: holes closer than twice that are one hole.

    Returns
    -------
    list of (window, (rows, columns) bool)
        For each group its surroundings and its pixels, all of them disjoint and ``hole`` together.

    Examples
    --------
    >>> hole = np.zeros((900, 900), bool)
    >>> hole[50:60, 50:60] = hole[850:860, 850:860] = True
    >>> [int(mask.sum()) for _, mask in pieces(hole, Variation(rotate=(-20, 20)), 7)]
    [200]
    >>> widest = Variation((-180, 180), (0.5, 2), True)
    >>> [int(mask.sum()) for _, mask in pieces(hole, widest, 7)]
    [100, 100]
    """
    import cv2
    from scipy import ndimage

    everything = slice(0, hole.shape[0]), slice(0, hole.shape[1])
    if fits(variation, hole.shape, patch):
        return [(everything, hole)]
    joined = cv2.dilate(hole.astype(np.uint8), np.ones((2 * patch + 1, 2 * patch + 1), np.uint8))
    labels, _ = ndimage.label(joined)
    labels[~hole] = 0
    boxes = ndimage.find_objects(labels)
    found = []

    def split(numbers: NDArray[np.intp]) -> None:
        own = [boxes[number] for number in numbers]
        near = surroundings(own, hole.shape, CROWDED)
        shape = (near[0].stop - near[0].start, near[1].stop - near[1].start)
        if len(own) == 1 or fits(variation, shape, patch):
            found.append((surroundings(own, hole.shape), np.isin(labels, numbers + 1)))
            return
        middles = np.array([[side.start + side.stop for side in box] for box in own])
        axis = int(np.argmax(np.ptp(middles, axis=0)))
        order = np.argsort(middles[:, axis], kind="stable")
        half = len(own) // 2
        split(numbers[order[:half]])
        split(numbers[order[half:]])

    split(np.arange(len(boxes)))
    return found
