"""Pictures of any number of channels, resampled by OpenCV."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["sample", "warp"]


def warp(
    values: NDArray[Any],
    homography: NDArray[np.float64],
    size: tuple[int, int],
    how: Literal["nearest", "linear", "cubic"],
) -> NDArray[Any]:
    """Resample; what lies beyond the picture is 0.

    Parameters
    ----------
    values : (rows, columns[, channels])
    homography : (3, 3) float64
        From ``values``' (x, y, 1) to the result's.
    size : (int, int)
        Columns and rows of the result.
    how : {"nearest", "linear", "cubic"}

    Examples
    --------
    >>> warp(np.array([[1, 2, 3]]).astype(np.uint8), np.diag([-1.0, 1, 1]), (1, 1), "cubic")
    array([[1]], dtype=uint8)
    """
    import cv2

    flags = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}
    wide = values.astype(np.float64) if values.dtype.kind == "f" else values
    unit = 1.0
    if values.dtype.kind == "f":
        # OpenCV computes in single precision here and there
        largest = float(np.abs(wide).max(initial=0.0))
        if largest > 0 and not 1e-30 < largest < 1e30:
            unit = largest
            wide = wide / unit
    # channel by channel, because OpenCV takes only some numbers of channels
    planes = [wide] if wide.ndim == 2 else list(np.moveaxis(wide, 2, 0))
    warped = [
        cv2.warpPerspective(np.ascontiguousarray(plane), homography, size, flags=flags[how])
        for plane in planes
    ]
    stacked = warped[0] if values.ndim == 2 else np.stack(warped, axis=2)
    if unit != 1:
        most = float(np.finfo(values.dtype).max)
        with np.errstate(over="ignore"):  # cubics overshoot
            stacked = np.clip(stacked * unit, -most, most)
    return np.ascontiguousarray(stacked.astype(values.dtype))


def sample(
    image: NDArray[Any],
    known: NDArray[np.bool_],
    exact: NDArray[np.float64],
    nearest: NDArray[np.int32],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Interpolate at ``exact`` (x, y) by Catmull-Rom cubics (Keys 1981).

    Returns (n, channels) float64, and where all of the sixteen pixels are known; elsewhere the
    pixel at ``nearest`` (row, column) stands for them.
    """
    planes = image[..., np.newaxis] if image.ndim == 2 else image
    base = np.floor(exact).astype(np.int64)
    share = exact - base
    weights = _cubic(share)
    total = np.zeros((len(exact), planes.shape[2]))
    whole = np.ones(len(exact), np.bool_)
    rows, columns = known.shape
    for i in range(4):
        for j in range(4):
            # beyond the picture's border lies the border's own pixel
            y = np.clip(base[:, 1] + i - 1, 0, rows - 1)
            x = np.clip(base[:, 0] + j - 1, 0, columns - 1)
            weight = weights[i][:, 1] * weights[j][:, 0]
            whole &= known[y, x] | (weight == 0)
            values = np.where(known[y, x, None], planes[y, x], 0)
            total += weight[:, None] * values
    fallback = planes[nearest[:, 0], nearest[:, 1]]
    return np.where(whole[:, None], total, fallback).astype(np.float64), whole


def _cubic(share: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Weights of the four neighbours."""
    t, t2, t3 = share, share**2, share**3
    return [
        (-t + 2 * t2 - t3) / 2,
        (2 - 5 * t2 + 3 * t3) / 2,
        (t + 4 * t2 - 3 * t3) / 2,
        (t3 - t2) / 2,
    ]
