"""Straight edges of a picture as line elements, from the structure tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Edges", "find_edges", "frame", "grey_of"]

#: Share of the pixels, those of the steepest gradients, that are looked at.
_STEEPEST = 0.15
#: Least coherence of the structure tensor, 1 being one single direction.
_COHERENT = 0.6
#: So far from the hole a gradient is the picture's own.
_MARGIN = 4
_MOST = 2000


@dataclass(frozen=True)
class Edges:
    """Points on edges and the lines through them.

    Attributes
    ----------
    points : (n, 2) float64
        x and y in units of half the longer side, from the picture's centre.
    normals : (n, 2) float64
        Unit vectors across the edges.
    weights : (n,) float64
        Square root of the gradient, so that a few hard edges do not outvote all others.
    """

    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    weights: NDArray[np.float64]

    @property
    def lines(self) -> NDArray[np.float64]:
        """(n, 3) homogeneous lines."""
        offset = -(self.normals * self.points).sum(axis=1, keepdims=True)
        return np.concatenate([self.normals, offset], axis=1)

    def of(self, which: NDArray[Any]) -> Edges:
        """Keep some of them."""
        return Edges(self.points[which], self.normals[which], self.weights[which])


def find_edges(image: NDArray[Any], known: NDArray[np.bool_]) -> Edges:
    """Find up to 2000 line elements, spread evenly over the edges of the ``known`` part.

    Parameters
    ----------
    image : (rows, columns[, channels])
    known : (rows, columns) bool
        Where the picture may be looked at.
    """
    import cv2

    grey: NDArray[Any] = grey_of(image, known)
    # a flat hole has one edge, its rim, which the margin leaves out
    grey = np.where(known, grey, grey[known].mean() if known.any() else np.float32(0))
    grey = cv2.GaussianBlur(grey, (0, 0), 1.2)
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    xx, xy, yy = (
        cv2.GaussianBlur(product, (0, 0), 3.0)
        for product in (across * across, across * down, down * down)
    )
    size = np.hypot(across, down)
    split = np.sqrt((xx - yy) ** 2 + 4 * xy**2)
    side = 2 * _MARGIN + 1
    inner = cv2.erode(known.astype(np.uint8), np.ones((side, side), np.uint8), borderValue=0) > 0
    if not inner.any():
        return Edges(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0))
    steep = np.quantile(size[inner][:: max(1, int(inner.sum()) // 20_000)], 1 - _STEEPEST)
    strong = inner & (size > max(float(steep), 1e-6)) & (split > _COHERENT * (xx + yy))
    y, x = np.nonzero(strong)
    if len(y) > _MOST:
        # even steps would beat against the picture's columns; golden steps do not
        order = np.argsort(np.arange(len(y)) * 0.6180339887498949 % 1.0, kind="stable")[:_MOST]
        y, x = y[order], x[order]
    angle = 0.5 * np.arctan2(2 * xy[y, x], xx[y, x] - yy[y, x]).astype(np.float64)
    scale, (cx, cy) = frame(known.shape)
    return Edges(
        np.stack([(x - cx) / scale, (y - cy) / scale], axis=1),
        np.stack([np.cos(angle), np.sin(angle)], axis=1),
        np.sqrt(size[y, x].astype(np.float64)),
    )


def grey_of(image: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Mean of the first three channels; of floats, 0 to 1 is the range of what is ``known``."""
    if image.dtype.kind == "f":
        image = _in_range(image, known)
    if image.ndim == 2:
        return image.astype(np.float32)
    # one channel after another: NumPy's own mean takes thrice as long
    channels = min(3, image.shape[2])
    total = image[..., 0].astype(np.float32)
    for channel in range(1, channels):
        total += image[..., channel]
    return total / np.float32(channels)


def _in_range(image: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Bring floats of any size to where single precision can square them; 0 where unknown."""
    seen = image[known] if image.ndim == 2 else image[known, :3]
    result = np.zeros((*known.shape, *seen.shape[1:]), np.float32)
    if seen.size:
        # halves first, so that the range of floats is not left
        low, high = float(seen.min()) / 2, float(seen.max()) / 2
        if high > low:
            result[known] = (seen.astype(np.float64) / 2 - low) / (high - low)
    return result


def frame(shape: tuple[int, ...]) -> tuple[float, tuple[float, float]]:
    """Return the unit of length in pixels and the centre (x, y) of a picture."""
    rows, columns = shape[:2]
    return max(rows, columns) / 2, ((columns - 1) / 2, (rows - 1) / 2)
