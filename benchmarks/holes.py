"""The shapes that are cut out: the same pixels on every machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["ellipse", "square", "strokes"]

Mask = NDArray[np.bool_]


def square(shape: tuple[int, int], side: int = 64) -> Mask:
    """Cut a square of ``side`` pixels out of the middle."""
    mask = np.zeros(shape, bool)
    top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
    mask[top : top + side, left : left + side] = True
    return mask


def ellipse(shape: tuple[int, int], fraction: float = 0.2) -> Mask:
    """Cut an upright ellipse, 4 wide to 3 high, out of the middle: ``fraction`` of the area."""
    row, column = np.ogrid[: shape[0], : shape[1]]
    vertical = np.sqrt(fraction * shape[0] * shape[1] / np.pi * 3 / 4)
    y = (row - (shape[0] - 1) / 2) / vertical
    x = (column - (shape[1] - 1) / 2) / (vertical * 4 / 3)
    return np.asarray(x * x + y * y <= 1)


def strokes(shape: tuple[int, int], fraction: float = 0.05, seed: int = 0) -> Mask:
    """Paint brush strokes until ``fraction`` of the area is covered.

    A stroke is up to six straight pieces of a brush 2.4 % of the shorter side wide (12 pixels of
    512); each piece turns by at most 70° from the one before.
    """
    rng = np.random.default_rng(seed)
    shorter = min(shape)
    radius = 0.012 * shorter
    mask = np.zeros(shape, bool)
    row, column = np.ogrid[: shape[0], : shape[1]]
    while True:
        at = rng.random(2) * shape
        heading = rng.random() * 2 * np.pi
        for _ in range(6):
            heading += (rng.random() - 0.5) * np.deg2rad(140)
            length = (0.05 + 0.1 * rng.random()) * shorter
            step = length * np.array([np.sin(heading), np.cos(heading)])
            # Distance of every pixel to the piece from ``at`` to ``at + step``.
            along = ((row - at[0]) * step[0] + (column - at[1]) * step[1]) / length**2
            along = np.clip(along, 0, 1)
            y, x = row - at[0] - along * step[0], column - at[1] - along * step[1]
            mask |= y * y + x * x <= radius**2
            at = at + step
            if mask.mean() >= fraction:
                return mask
