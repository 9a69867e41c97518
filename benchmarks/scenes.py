"""Walls and a floor in perspective, from what scikit-image ships: their truth is known."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.photographs import photograph

__all__ = ["floor", "walls"]

Image = NDArray[np.uint8]

#: Where the corners of the frontal picture come to lie, clockwise from the top left one, in
#: pixels of a view of 512×512. Everything in view is wall.
VIEWS = {
    "from the side": ((-200, -120), (712, -200), (712, 712), (-200, 630)),
    "from below": ((-30, -60), (542, -60), (842, 572), (-330, 572)),
    "turned by 25°": ((89, -202), (714, 89), (448, 783), (-271, 448)),
}
_FLOOR = ((-20, -10), (532, -10), (1012, 522), (-500, 522))


def walls(side: int = 512) -> dict[str, Image]:
    """Show scikit-image's brick wall as it is and in three perspectives, each (side, side, 3)."""
    wall = photograph("brick")
    seen = {f"brick {name}": _seen(wall, corners, side) for name, corners in VIEWS.items()}
    return {"brick from the front": photograph("brick", side), **seen}


def floor(side: int = 512) -> Image:
    """Show a floor of stone tiles in perspective under slowly changing light, (side, side, 3).

    Light and dark tiles are pieces of scikit-image's gravel with its contrast lowered, each piece
    another one and a little lighter or darker, with joints between them.
    """
    rng = np.random.default_rng(0)
    period, joint, across = 64, 4, 16
    whole = period * across
    stone = photograph("gravel")[..., 0].astype(np.float64)
    stone = (stone - stone.mean()) * 0.3
    tiles = np.full((whole, whole, 3), (92.0, 88.0, 84.0)) + rng.normal(0, 3, (whole, whole, 1))
    body = period - joint
    for row in range(across):
        for column in range(across):
            top, left = rng.integers(0, 512 - body, 2)
            colour = np.array((196.0, 184.0, 168.0) if (row + column) % 2 else (134.0, 118.0, 104))
            piece = stone[top : top + body, left : left + body, np.newaxis]
            y, x = row * period, column * period
            tiles[y : y + body, x : x + body] = colour + rng.normal(0, 4) + piece
    light = np.linspace(0.82, 1.12, whole)[:, np.newaxis, np.newaxis]
    return _seen(np.clip(np.rint(tiles * light), 0, 255).astype(np.uint8), _FLOOR, side)


def _seen(frontal: Image, corners: tuple[tuple[float, float], ...], side: int) -> Image:
    rows, columns = frontal.shape[:2]
    square = np.array(((0, 0), (columns, 0), (columns, rows), (0, rows)), np.float32)
    onto = np.array(corners, np.float32) * np.float32(side / 512)
    # what shrinks is sampled from pixels that were averaged as much, or far tiles would flicker
    detail = 2
    view = cv2.getPerspectiveTransform(square, onto * np.float32(detail))
    large = cv2.warpPerspective(
        frontal, view, (detail * side, detail * side), flags=cv2.INTER_CUBIC
    )
    return np.asarray(cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
