"""Pictures of any number of channels, resampled by OpenCV."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["warp"]


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
