"""What the measures ask of the images they are given."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError, InputTypeError
from synth.images import check_finite, check_image

__all__ = ["check_alike", "check_pair", "check_same", "size", "with_channels"]


def with_channels(image: NDArray[Any], name: str) -> NDArray[Any]:
    """Return ``image`` as (H, W, C)."""
    image = np.asarray(image)
    if image.ndim not in (2, 3):
        raise InputError(f"{name} has the shape {image.shape}, but (H, W) or (H, W, C) is needed")
    return image[..., np.newaxis] if image.ndim == 2 else image


def check_pair(
    a: NDArray[Any], b: NDArray[Any], names: tuple[str, str] = ("a", "b")
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two images of any sizes and equal channels and type as (H, W, C) float64."""
    first, second = check_image(a, name=names[0]), check_image(b, name=names[1])
    check_alike(first, second, names)
    first, second = with_channels(first, names[0]), with_channels(second, names[1])
    return first.astype(np.float64), second.astype(np.float64)


def check_alike(
    first: NDArray[Any], second: NDArray[Any], names: tuple[str, str] = ("a", "b")
) -> None:
    """Raise unless two images are of one type, finite, and have the same channels."""
    if first.dtype != second.dtype:
        raise InputTypeError(
            f"{names[0]} is {first.dtype} but {names[1]} is {second.dtype}, whose values have "
            "other ranges; convert one of them so that equal colours have equal values"
        )
    check_finite(first, name=names[0])
    check_finite(second, name=names[1])
    first, second = with_channels(first, names[0]), with_channels(second, names[1])
    if first.shape[2] != second.shape[2]:
        raise InputError(
            f"{names[0]} has {first.shape[2]} channels and {names[1]} has {second.shape[2]}; "
            "convert one of them first"
        )


def check_same(a: NDArray[Any], b: NDArray[Any], mask: NDArray[np.bool_]) -> None:
    """Raise unless two images and a mask fit each other."""
    if a.shape != b.shape:
        raise InputError(
            f"the images have the shapes {a.shape} and {b.shape}; both must be the same size "
            "and have the same channels"
        )
    if mask.dtype != np.bool_:
        raise InputError(
            f"mask is an array of {mask.dtype}, but bool is needed (True in the hole); "
            "pass mask > 127 for an 8-bit mask"
        )
    if mask.shape != a.shape[:2]:
        raise InputError(
            f"mask is {size(mask)} but the image is {size(a)}; both must be the same size"
        )
    if not mask.any():
        raise InputError("mask is False everywhere, so there is no hole to measure")


def size(image: NDArray[Any]) -> str:
    """Say how large an image is, for messages."""
    return "×".join(str(side) for side in image.shape[:2])
