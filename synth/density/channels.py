"""Pictures as planes that noise and contrast can be told apart in, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["channel_basis", "cosines", "full_range", "picture", "planes"]


def cosines(size: int) -> NDArray[np.float64]:
    """Return the orthonormal cosine basis (DCT-II) of ``size`` values, one vector a row."""
    at = (np.arange(size) + 0.5) * np.pi / size
    rows = np.cos(np.arange(size)[:, np.newaxis] * at) * np.sqrt(2 / size)
    rows[0] /= np.sqrt(2)
    return np.asarray(rows)


def channel_basis(channels: int) -> NDArray[np.float64]:
    """Return what turns channels into planes, (channels, channels): their mean, then contrasts.

    The contrasts are orthonormal and orthogonal to the mean; of red, green and blue they are
    (1, 0, −1) / √2 and (1, −2, 1) / √6. White noise of σ in the channels is white noise of
    σ / √channels in the mean and of σ in each contrast, independent of each other.
    """
    rows = cosines(channels)
    rows[0] = 1 / channels
    return rows


def full_range(dtype: np.dtype[Any]) -> float:
    """Return what counts as 1: the largest value of integers, 1 of floats."""
    return 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)


def planes(image: NDArray[Any]) -> NDArray[np.float32]:
    """Take a picture apart, (channels, height, width); values are shares of the full range."""
    pixels = image.astype(np.float64) / full_range(image.dtype)
    if image.ndim == 2:
        return pixels[np.newaxis].astype(np.float32)
    turned = np.tensordot(channel_basis(image.shape[2]), pixels, (1, 2))
    return np.ascontiguousarray(turned, np.float32)


def picture(parts: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    """Put planes together again, in the shape and dtype of the picture they are of."""
    whole = parts[0].astype(np.float64)
    if like.ndim == 3:
        back = np.linalg.inv(channel_basis(like.shape[2]))
        whole = np.tensordot(back, parts.astype(np.float64), (1, 0)).transpose(1, 2, 0)
    top = full_range(like.dtype)
    if like.dtype.kind != "f":
        whole = np.clip(np.rint(whole * top), 0, top)
    return np.ascontiguousarray(whole, like.dtype)
