"""The measures of a filled hole, each defined once.

No single one judges a fill: PSNR, SSIM and the sliced Wasserstein distance all reward blur in
wide holes, sharpness is blind to what it sees, and none of them knows a straight line from a
broken one. Read them together, and look at the picture.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError

__all__ = ["psnr", "seam_ratio", "sharpness_ratio", "sliced_wasserstein", "ssim"]

_BLOCK = 1 << 14  # patches projected at a time: 19 MB of 7×7×3 in float64


def sliced_wasserstein(
    a: NDArray[Any],
    b: NDArray[Any],
    *,
    patch: int = 7,
    directions: int = 128,
    seed: int = 0,
    mask: NDArray[np.bool_] | None = None,
) -> float:
    r"""Measure how far the patches of two images differ as distributions.

    Every ``patch``×``patch``×C window that lies inside the image, and whose centre is in ``mask``,
    is a point in ``patch``²·C dimensions. Both clouds of points are projected on the same random
    unit vectors :math:`\theta_k`, and the projections of a cloud are sorted:

    .. math:: \mathrm{SWD} = \Big(\frac1K \sum_k \frac1n \sum_i
              \big(u^{(k)}_{(i)} - v^{(k)}_{(i)}\big)^2\Big)^{1/2}

    Where a patch stands plays no part, so a texture may be right without being the same. A copy
    of the truth scores 0, and a plain copy of the exemplar scores well: read it with a measure of
    copying.

    Parameters
    ----------
    a, b : (H, W) or (H, W, C) array
        The two images, with equal channels. Without ``mask`` they may differ in size: the
        quantiles of the smaller cloud are then repeated.
    patch : int, odd
        Side of the windows in pixels; larger windows see larger structure.
    directions : int
        Number of unit vectors K; more of them lower the spread between seeds.
    seed : int
        Seed of the unit vectors.
    mask : (H, W) bool array, optional
        Where the patches are centred, in both images; they see past its border. None takes all.

    Returns
    -------
    float
        0 for equal distributions, no upper limit, in the unit of the pixels (0-255 for uint8).

    Raises
    ------
    InputError
        If shapes do not match, ``patch`` is even or larger than an image, or the mask holds no
        pixel that is ``patch // 2`` away from the image's border.

    References
    ----------
    Rabin, Peyré, Delon, Bernot, "Wasserstein barycenter and its application to texture mixing",
    SSVM 2011 (equation 10, the order p = 2).

    Examples
    --------
    >>> flat = np.full((16, 16, 3), 100, np.uint8)
    >>> sliced_wasserstein(flat, flat)
    0.0
    """
    a, b = _with_channels(a, "a"), _with_channels(b, "b")
    if a.shape[2] != b.shape[2]:
        raise InputError(
            f"a has {a.shape[2]} channels and b has {b.shape[2]}; convert one of them first"
        )
    if mask is not None:
        _check_same(a, b, mask)
    if patch < 1 or patch % 2 == 0:
        raise InputError(f"patch is {patch}, but an odd side of at least 1 pixel is needed")
    if directions < 1:
        raise InputError(f"directions is {directions}, but at least 1 is needed")
    vectors = np.random.default_rng(seed).standard_normal((patch * patch * a.shape[2], directions))
    vectors /= np.linalg.norm(vectors, axis=0)
    u = _sorted_projections(a, patch, mask, vectors)
    v = _sorted_projections(b, patch, mask, vectors)
    if len(u) != len(v):
        # Step quantile functions of both, read at the midpoints of the finer one's steps.
        level = (np.arange(max(len(u), len(v))) + 0.5) / max(len(u), len(v))
        u, v = (w[(level * len(w)).astype(np.intp)] for w in (u, v))
    return float(np.sqrt(np.mean(np.square(u - v, dtype=np.float64))))


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
    filled, truth = _with_channels(filled, "filled"), _with_channels(truth, "truth")
    _check_same(filled, truth, mask)
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
    filled, truth = _with_channels(filled, "filled"), _with_channels(truth, "truth")
    _check_same(filled, truth, mask)
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
    filled, truth = _with_channels(filled, "filled"), _with_channels(truth, "truth")
    _check_same(filled, truth, mask)
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
    filled, truth = _with_channels(filled, "filled"), _with_channels(truth, "truth")
    _check_same(filled, truth, mask)
    if min(mask.shape) < 7:
        raise InputError(
            f"the image is {_size(mask)}, but SSIM needs a window of 7×7; use a larger image"
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


def _sorted_projections(
    image: NDArray[Any],
    patch: int,
    mask: NDArray[np.bool_] | None,
    vectors: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the projections of the patches of ``image`` on ``vectors``, each column sorted."""
    height, width, channels = image.shape
    if min(height, width) < patch:
        raise InputError(
            f"the image is {height}×{width}, smaller than one {patch}×{patch} patch; "
            "use a larger image or a smaller patch"
        )
    half = patch // 2
    inner = np.ones((height, width), bool) if mask is None else mask
    inner = inner[half : height - half, half : width - half]
    rows, columns = np.nonzero(inner)
    if rows.size == 0:
        raise InputError(
            f"no pixel of the mask is {half} pixels away from the image's border, as the centre "
            f"of a {patch}×{patch} patch must be; use a smaller patch or another mask"
        )
    windows = np.lib.stride_tricks.sliding_window_view(image, (patch, patch), axis=(0, 1))
    projections = np.empty((rows.size, vectors.shape[1]))
    for start in range(0, rows.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        flat = windows[rows[block], columns[block]].reshape(-1, channels * patch * patch)
        projections[block] = flat.astype(np.float64) @ vectors
    projections.sort(axis=0)
    return projections


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


def _with_channels(image: NDArray[Any], name: str) -> NDArray[Any]:
    image = np.asarray(image)
    if image.ndim not in (2, 3):
        raise InputError(f"{name} has the shape {image.shape}, but (H, W) or (H, W, C) is needed")
    return image[..., np.newaxis] if image.ndim == 2 else image


def _check_same(a: NDArray[Any], b: NDArray[Any], mask: NDArray[np.bool_]) -> None:
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
            f"mask is {_size(mask)} but the image is {_size(a)}; both must be the same size"
        )
    if not mask.any():
        raise InputError("mask is False everywhere, so there is no hole to measure")


def _data_range(image: NDArray[Any], given: float | None) -> float:
    if given is not None:
        return given
    dtype = np.asarray(image).dtype
    return float(np.iinfo(dtype).max) if np.issubdtype(dtype, np.integer) else 1.0


def _size(image: NDArray[Any]) -> str:
    return "×".join(str(side) for side in image.shape[:2])
