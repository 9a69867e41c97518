"""The measures of a filled hole, each defined once.

No single one judges a fill: PSNR, SSIM and the sliced Wasserstein distance all reward blur in
wide holes, sharpness is blind to what it sees, and none of them knows a straight line from a
broken one. Read them together, and look at the picture.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.compare.metrics.checks import check_same, size, with_channels
from synth.errors import InputError

__all__ = ["psnr", "seam_ratio", "sharpness_ratio", "ssim"]


def sharpness_ratio(filled: NDArray[Any], truth: NDArray[Any], mask: NDArray[np.bool_]) -> float:
    """Compare the mean gradient inside the hole with the truth's: below 1 is blur, above is noise.

    The gradient is the absolute difference of two horizontal or vertical neighbours that both lie
    in the hole, averaged over all such pairs and channels.

    Parameters
    ----------
    filled, truth : (H, W) or (H, W, C) array
        The filled image and what was really there.
    mask : (H, W) bool array
        True in the hole.

    Returns
    -------
    float
        1 is right. Infinity if the truth is flat and the fill is not; 1 if both are flat.

    Raises
    ------
    InputError
        If shapes do not match or no two neighbours lie in the hole.
    """
    filled, truth = with_channels(filled, "filled"), with_channels(truth, "truth")
    check_same(filled, truth, mask)
    inside = (mask[1:] & mask[:-1], mask[:, 1:] & mask[:, :-1])
    return _ratio_of_steps(filled, truth, inside, "two neighbouring pixels inside the hole")


def seam_ratio(filled: NDArray[Any], truth: NDArray[Any], mask: NDArray[np.bool_]) -> float:
    """Compare the mean step across the hole's border with the truth's: above 1 is a visible seam.

    The step is the absolute difference of two horizontal or vertical neighbours of which exactly
    one lies in the hole, averaged over all such pairs and channels.

    Parameters
    ----------
    filled, truth : (H, W) or (H, W, C) array
        The filled image and what was really there.
    mask : (H, W) bool array
        True in the hole.

    Returns
    -------
    float
        1 is right, less is a border smoother than the photograph. Infinity if the truth is flat
        there and the fill is not; 1 if both are flat.

    Raises
    ------
    InputError
        If shapes do not match or the hole has no border inside the image.
    """
    filled, truth = with_channels(filled, "filled"), with_channels(truth, "truth")
    check_same(filled, truth, mask)
    across = (mask[1:] ^ mask[:-1], mask[:, 1:] ^ mask[:, :-1])
    return _ratio_of_steps(filled, truth, across, "a known pixel beside the hole")


def psnr(
    filled: NDArray[Any],
    truth: NDArray[Any],
    mask: NDArray[np.bool_],
    *,
    data_range: float | None = None,
) -> float:
    """Peak signal-to-noise ratio over the hole's pixels alone, in decibels.

    Parameters
    ----------
    filled, truth : (H, W) or (H, W, C) array
        The filled image and what was really there.
    mask : (H, W) bool array
        True in the hole.
    data_range : float, optional
        White minus black. None takes 255 or 65535 for uint8 or uint16, and 1 for floats.

    Returns
    -------
    float
        Higher is closer; infinity for equal pixels.

    Raises
    ------
    InputError
        If shapes do not match or the hole is empty.
    """
    from skimage.metrics import peak_signal_noise_ratio

    span = _data_range(truth, data_range)
    filled, truth = with_channels(filled, "filled"), with_channels(truth, "truth")
    check_same(filled, truth, mask)
    if np.array_equal(filled[mask], truth[mask]):
        return float("inf")
    ratio = peak_signal_noise_ratio(truth[mask], filled[mask], data_range=span)  # type: ignore[no-untyped-call]
    return float(ratio)


def ssim(
    filled: NDArray[Any],
    truth: NDArray[Any],
    mask: NDArray[np.bool_],
    *,
    data_range: float | None = None,
) -> float:
    """Structural similarity, averaged over the windows centred in the hole.

    scikit-image's 7×7 uniform window on each channel; windows near the hole's border see known
    pixels too, on both sides of the comparison.

    Parameters
    ----------
    filled, truth : (H, W) or (H, W, C) array, at least 7×7
        The filled image and what was really there.
    mask : (H, W) bool array
        True in the hole.
    data_range : float, optional
        White minus black. None takes 255 or 65535 for uint8 or uint16, and 1 for floats.

    Returns
    -------
    float
        −1 to 1; 1 for equal pixels.

    Raises
    ------
    InputError
        If shapes do not match, the hole is empty or the image is smaller than 7×7.
    """
    from skimage.metrics import structural_similarity

    span = _data_range(truth, data_range)
    filled, truth = with_channels(filled, "filled"), with_channels(truth, "truth")
    check_same(filled, truth, mask)
    if min(mask.shape) < 7:
        raise InputError(
            f"the image is {size(mask)}, but SSIM needs a window of 7×7; use a larger image"
        )
    # Far from the hole the map is not needed: a window centred in the hole reaches 3 pixels out,
    # and 7 keep scikit-image's handling of the image border away from it.
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    box = tuple(slice(max(0, int(where[0]) - 7), int(where[-1]) + 8) for where in (rows, columns))
    _, similarity = structural_similarity(  # type: ignore[no-untyped-call]
        truth[box].astype(np.float64),
        filled[box].astype(np.float64),
        data_range=span,
        channel_axis=2,
        full=True,
    )
    return float(similarity[mask[box]].mean())


def _ratio_of_steps(
    filled: NDArray[Any],
    truth: NDArray[Any],
    pairs: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    needed: str,
) -> float:
    """Divide the mean absolute step over ``pairs`` (vertical, horizontal) by the truth's."""
    if not any(chosen.any() for chosen in pairs):
        raise InputError(f"the mask has nothing to measure: {needed} is needed")

    def total(image: NDArray[Any]) -> float:
        values = image.astype(np.float64)
        return sum(float(np.abs(np.diff(values, axis=axis))[pairs[axis]].sum()) for axis in (0, 1))

    ours, real = total(filled), total(truth)
    if real == 0.0:
        return 1.0 if ours == 0.0 else float("inf")
    return ours / real


def _data_range(image: NDArray[Any], given: float | None) -> float:
    if given is not None:
        return given
    dtype = np.asarray(image).dtype
    return float(np.iinfo(dtype).max) if np.issubdtype(dtype, np.integer) else 1.0
