"""Hiding the seam: a smooth correction that fades from the hole's border inwards.

Full Poisson blending (Pérez et al. 2003) spreads every mismatch through the hole and smears where
edges do not meet. Here mismatches that are too large to be a change of light are left out, the
rest is smoothed along the border, and a screened Laplace equation lets it fade.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.kernels.cpu.membrane import relax
from synth.patchmatch.regions import bounding_window

__all__ = ["membrane"]

#: Mismatch, as a share of the picture's range, beyond which it is taken for structure.
_STRUCTURE = 30 / 255
#: 1/√screening = 10 pixels of reach.
_SCREENING = 0.01
#: Pixels that mismatches are smoothed over, along the border.
_SMOOTHING = 0.4
#: Pixels around the hole that take part.
_APRON = 8


def membrane(
    image: NDArray[Any],
    hole: NDArray[np.bool_],
    unknown: NDArray[np.bool_],
    pixels: NDArray[np.int32],
    sources: NDArray[np.int32],
    limits: tuple[float, float],
) -> NDArray[np.float64]:
    """Return what to add to each copied pixel so that the border of the hole disappears.

    Parameters
    ----------
    image : (rows, columns, channels)
    hole, unknown : (rows, columns) bool
        Pixels that were filled, and pixels whose value means nothing (the hole and more).
    pixels, sources : (n, 2) int32
        The hole's pixels in reading order and where each was copied from.
    limits : (float, float)
        The least and the largest known value.

    Returns
    -------
    (n, channels) float64
        In units of the range of values, so −1 … 1.
    """
    import cv2

    outer = bounding_window(hole)
    assert outer is not None
    top, left = (max(0, side.start - _APRON) for side in outer)
    box = (
        slice(top, min(hole.shape[0], outer[0].stop + _APRON)),
        slice(left, min(hole.shape[1], outer[1].stop + _APRON)),
    )
    inside = hole[box]
    local = pixels - np.array([top, left], np.int32)
    total = np.zeros((*inside.shape, image.shape[2]), np.float32)
    weight = np.zeros(inside.shape, np.float32)
    for place, error, share in _mismatches(image, inside, unknown, pixels, sources, limits):
        at = place[:, 0] - top, place[:, 1] - left
        np.add.at(total, at, error * share[:, np.newaxis])
        np.add.at(weight, at, share + np.float32(1e-3))
    fixed = weight > 0
    if not fixed.any():
        return np.zeros((len(pixels), image.shape[2]))
    values: NDArray[Any] = cv2.GaussianBlur(total, (0, 0), _SMOOTHING).reshape(total.shape)
    norm = cv2.GaussianBlur(weight, (0, 0), _SMOOTHING) + np.float32(1e-6)
    values /= norm[..., np.newaxis]
    values[~fixed] = 0
    relax(values, local, inside, fixed, np.float32(_SCREENING), np.float32(1.5), 40)
    return np.asarray(values[local[:, 0], local[:, 1]], np.float64)


def _mismatches(
    image: NDArray[Any],
    inside: NDArray[np.bool_],
    unknown: NDArray[np.bool_],
    pixels: NDArray[np.int32],
    sources: NDArray[np.int32],
    limits: tuple[float, float],
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]]:
    """Known pixels beside the hole, minus what lies beside the copied pixel at its source."""
    import cv2

    low, high = limits
    rows, columns = unknown.shape
    ring = np.ones((3, 3), np.uint8)
    core = cv2.erode(inside.astype(np.uint8), ring, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    outermost = core[inside] == 0
    pixels, sources = pixels[outermost], sources[outermost]
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            place = pixels + np.array([dy, dx], np.int32)
            origin = sources + np.array([dy, dx], np.int32)
            usable = np.ones(len(pixels), np.bool_)
            for at in (place, origin):
                usable &= (at >= 0).all(axis=1) & (at < (rows, columns)).all(axis=1)
            place, origin = place[usable], origin[usable]
            known = ~(unknown[place[:, 0], place[:, 1]] | unknown[origin[:, 0], origin[:, 1]])
            place, origin = place[known], origin[known]
            # halves first: the range may be all of what a float can hold
            wanted = image[place[:, 0], place[:, 1]] / 2 - image[origin[:, 0], origin[:, 1]] / 2
            error = (wanted / (high / 2 - low / 2)).astype(np.float32)
            size = np.sqrt(np.square(error).mean(axis=1)) / np.float32(2 * _STRUCTURE)
            # Tukey's biweight: nothing is left of a mismatch of twice the limit
            yield place, error, np.square(np.clip(1 - np.square(size), 0, 1))
