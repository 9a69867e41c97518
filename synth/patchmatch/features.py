"""What patches are compared by: pixels as 8-bit channels, texture and guide beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Features",
    "colour_channels",
    "colour_range",
    "extract",
    "guide_channels",
    "known_mean_gradient",
]

#: How much the mean gradient counts beside a colour channel. Without it, texture fills smooth.
TEXTURE_WEIGHT = 3.5


@dataclass(frozen=True)
class Features:
    """8-bit channels of one window.

    Attributes
    ----------
    channels : (rows, columns, k) uint8
        Voted channels first, then the guide's. Zero in the hole, but for the guide's.
    voted : int
        How many channels the hole's content has to be found for.
    colours : int
        How many of them are colours, without alpha and texture.
    """

    channels: NDArray[np.uint8]
    voted: int
    colours: int


def extract(
    image: NDArray[Any], unknown: NDArray[np.bool_], guide: NDArray[np.uint8] | None, reach: int
) -> Features:
    """Make the channels that patches are compared by.

    Parameters
    ----------
    image : (rows, columns[, channels])
        One window of the picture.
    unknown : (rows, columns) bool
        Pixels that must not matter: they come out as 0.
    guide : (rows, columns, k) uint8 or None
        Channels that are known everywhere.
    reach : int
        Half the side in pixels of the box that texture is measured over.
    """
    colour = colour_channels(image, unknown)
    texture = _texture_channels(colour, unknown, reach)
    voted = np.concatenate([colour, texture], axis=2)
    voted[unknown] = 0
    has_alpha = image.ndim == 3 and image.shape[2] == 4 and colour.shape[2] == 4
    colours = 3 if has_alpha else colour.shape[2]
    if guide is None:
        return Features(voted, voted.shape[2], colours)
    return Features(np.concatenate([voted, guide], axis=2), voted.shape[2], colours)


def colour_channels(image: NDArray[Any], unknown: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Scale to 8 bits; premultiply by alpha; drop channels that say nothing new.

    ``unknown`` (rows, columns) are pixels that must not matter.
    """
    planes = image[..., np.newaxis] if image.ndim == 2 else image
    alpha = None
    if planes.shape[2] == 4:
        alpha = _alpha_to_eight_bits(planes[..., 3:], unknown)
        # what colour a pixel of alpha 0 has says nothing, not even about the range of colours
        unknown = unknown | ~(planes[..., 3] > 0)
        planes = planes[..., :3]
    if planes.dtype != np.uint8:
        planes = _to_eight_bits(planes, unknown)
    if alpha is not None:
        colour = (planes.astype(np.uint16) * alpha + 127) // 255
        return np.concatenate([colour.astype(np.uint8), alpha], axis=2)
    if planes.shape[2] == 3:
        grey = (planes[..., 0] == planes[..., 1]) & (planes[..., 0] == planes[..., 2])
        if grey[~unknown].all():
            planes = planes[..., :1]
    return np.array(planes)


def _alpha_to_eight_bits(
    alpha: NDArray[Any], unknown: NDArray[np.bool_]
) -> NDArray[np.uint8] | None:
    """Map transparent to 0 and opaque to 255; None where all that is known is opaque.

    Opaque is the type's largest value, and of floats the largest that is known.
    """
    known = alpha[~unknown]
    opaque = float(known.max(initial=0))
    if alpha.dtype.kind == "u":
        opaque = float(np.iinfo(alpha.dtype).max)
    if opaque <= 0 or (known == opaque).all():
        return None
    if alpha.dtype == np.uint8:
        return np.array(alpha)
    share = np.clip(np.where(unknown[..., np.newaxis], 0, alpha) / opaque, 0, 1)
    return np.rint(share * 255).astype(np.uint8)


def colour_range(image: NDArray[Any], unknown: NDArray[np.bool_]) -> tuple[float, float]:
    """Which of the picture's values become 0 and 255."""
    if image.dtype == np.uint8:
        return 0.0, 255.0
    planes = image[..., np.newaxis] if image.ndim == 2 else image
    if planes.shape[2] == 4:
        unknown, planes = unknown | ~(planes[..., 3] > 0), planes[..., :3]
    return _range(planes, unknown)


def _range(planes: NDArray[Any], unknown: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the range that holds 99.8 % of the known values."""
    known = planes[~unknown].astype(np.float64)
    low, high = np.quantile(known, (0.001, 0.999), method="nearest") if known.size else (0, 0)
    if low == high and known.size:
        low, high = known.min(), known.max()
    return low, high


def _to_eight_bits(planes: NDArray[Any], unknown: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Map the range that holds 99.8 % of the known values to 0 … 255, alike in all channels."""
    low, high = _range(planes, unknown)
    if low == high:
        return np.zeros(planes.shape, np.uint8)
    scaled = np.where(unknown[..., np.newaxis], low, planes).astype(np.float64)
    np.clip(scaled, low, high, out=scaled)
    # to −1 … 1 first: high − low may be more than a float can hold, or its inverse may be
    largest = max(abs(low), abs(high))
    scaled /= largest
    scaled -= low / largest
    scaled *= 255 / (high / largest - low / largest)
    return np.rint(scaled, out=scaled).astype(np.uint8)


def known_mean_gradient(
    luminance: NDArray[np.float32], unknown: NDArray[np.bool_], axis: int, reach: int
) -> NDArray[np.float32]:
    """Mean |central difference| along ``axis`` over the known part of a (2 reach + 1)² box."""
    import cv2

    known = ~unknown
    ahead, behind, middle = [slice(None)] * 2, [slice(None)] * 2, [slice(None)] * 2
    ahead[axis], behind[axis], middle[axis] = slice(2, None), slice(None, -2), slice(1, -1)
    slope = np.zeros(luminance.shape, np.float32)
    usable = np.zeros(luminance.shape, np.float32)
    both = known[tuple(ahead)] & known[tuple(behind)]
    usable[tuple(middle)] = both
    difference = luminance[tuple(ahead)] - luminance[tuple(behind)]
    slope[tuple(middle)] = np.where(both, np.abs(difference) / 2, 0)
    box = (2 * reach + 1, 2 * reach + 1)
    total = cv2.blur(slope, box)
    share = cv2.blur(usable, box)
    return np.asarray(total / np.maximum(share, np.float32(1e-3)))


def _texture_channels(
    colour: NDArray[np.uint8], unknown: NDArray[np.bool_], reach: int
) -> NDArray[np.uint8]:
    """Mean absolute gradients tell textures of one colour apart (Newson et al. 2014, eq. 7)."""
    luminance = colour.mean(axis=2, dtype=np.float32)
    weight = TEXTURE_WEIGHT * math.sqrt(colour.shape[2])
    texture = np.empty((*luminance.shape, 2), np.uint8)
    for number, axis in enumerate((1, 0)):
        mean = known_mean_gradient(luminance, unknown, axis, reach)
        texture[..., number] = np.rint(np.minimum(mean * weight, 255))
    return texture


def guide_channels(guide: NDArray[Any], colours: int) -> NDArray[np.uint8]:
    """Turn a guide into 8-bit channels.

    Parameters
    ----------
    guide : (rows, columns[, k])
        Floats are a feature map, scaled by the range of all its values. Integers and booleans
        with up to 256 different values are labels: the bits of each label's number become
        channels of 0 and 255, so that different labels are always far apart. Integers with more
        values are a feature map, as floats are.
    colours : int
        Channels of the picture. Each bit of a label comes once for each of them, up to four
        times: two labels then differ by no less than black and white, and a strong edge between
        two textures cannot outweigh them.
    """
    planes = guide[..., np.newaxis] if guide.ndim == 2 else guide
    if planes.dtype.kind in "biu" and planes.shape[2] <= 4:
        labels, number = np.unique(
            planes.reshape(-1, planes.shape[2]), axis=0, return_inverse=True
        )
        if len(labels) <= 256:
            bits = max(1, math.ceil(math.log2(len(labels))))
            number = number.reshape(planes.shape[:2])
            planes = np.stack([((number >> bit) & 1) * 255 for bit in range(bits)], axis=2)
            return np.repeat(planes.astype(np.uint8), min(colours, 4), axis=2)
    return _to_eight_bits(planes, np.zeros(planes.shape[:2], np.bool_))
