"""A plane's grid over its picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["draw_grid"]

#: Lines nearer to each other than this, in pixels, are left out: they are at the horizon.
_CROWDED = 4


def draw_grid(
    picture: NDArray[np.uint8],
    homography: NDArray[np.float64],
    region: NDArray[np.bool_],
    spacing: float,
    colour: tuple[int, int, int],
) -> None:
    """Draw a grid, in place, where a plane's region is.

    Parameters
    ----------
    picture : (rows, columns, 3) uint8
    homography : (3, 3) float64
        From the picture's (x, y, 1) to the plane.
    region : (rows, columns) bool
    spacing : float
        Between two lines, in the plane's units.
    colour : (int, int, int)
    """
    y, x = (side.astype(np.float64) for side in np.nonzero(region))
    depth = homography[2, 0] * x + homography[2, 1] * y + homography[2, 2]
    depth[np.abs(depth) < 1e-9] = 1e-9
    ink = np.zeros(len(x))
    for row in homography[:2]:
        value = (row[0] * x + row[1] * y + row[2]) / depth
        slope = np.hypot(row[0] - value * homography[2, 0], row[1] - value * homography[2, 1])
        slope /= np.abs(depth)  # units of the plane a pixel
        aside = np.abs(value - spacing * np.rint(value / spacing)) / np.maximum(slope, 1e-12)
        line = np.clip(1.2 - aside, 0, 1)
        line[slope * _CROWDED > spacing] = 0
        np.maximum(ink, line, out=ink)
    at = region.nonzero()
    mixed = picture[at] * (1 - ink[:, None]) + np.array(colour, np.float64) * ink[:, None]
    picture[at] = np.rint(mixed).astype(np.uint8)
