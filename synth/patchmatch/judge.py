"""How far a fill is from the truth, as one number: for choosing between fills of one hole."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.patchmatch.regions import bounding_window

__all__ = ["loss"]

#: What counts as much as 1 dB of PSNR: so much SSIM, …
_SSIM = 0.05
#: … and so much of the logarithms of three ratios: of the patches' distance, …
_PATCHES = 0.2
#: … of the mean gradient inside and of the mean step across the border.
_SHARP = _SEAM = 0.1

_MARGIN = 12
_SIDE = 7
_DIRECTIONS = 16
_MOST_PATCHES = 1500
#: Products of so many patches are too small for a BLAS to wake its threads for: these took longer
#: than the work, and the number of threads is not the BLAS's to choose here.
_BLOCK = 32
#: Distances and steps below these, in 8-bit steps, are not seen.
_INVISIBLE = 0.5


def loss(
    filled: NDArray[Any],
    truth: NDArray[Any],
    hole: NDArray[np.bool_],
    span: tuple[float, float],
) -> float:
    """Add up what five measures say, in decibels of PSNR; lower is better, and none is 0.

    PSNR and SSIM prefer blur, the sliced Wasserstein distance of patches does not see where
    anything is, the mean gradient sees blur and noise, the step across the border sees seams:
    each is blind where another sees.

    Parameters
    ----------
    filled, truth : (rows, columns[, channels])
    hole : (rows, columns) bool
    span : (float, float)
        What is black and what is white.

    Examples
    --------
    >>> truth = np.tile(np.array([0, 90, 180, 250], np.uint8), (24, 6))
    >>> hole = np.zeros(truth.shape, bool)
    >>> hole[8:16, 8:16] = True
    >>> better, worse = truth.copy(), truth.copy()
    >>> better[10, 10], worse[hole] = 100, 0
    >>> loss(better, truth, hole, (0, 255)) < loss(worse, truth, hole, (0, 255))
    True
    """
    box = bounding_window(hole)
    if box is None:
        return 0.0
    view = tuple(slice(max(0, side.start - _MARGIN), side.stop + _MARGIN) for side in box)
    inside = hole[view]
    ours, real = _in_bytes(filled[view], span), _in_bytes(truth[view], span)
    error = float(np.square(ours[inside] - real[inside]).mean())
    total = 10 * np.log10(error + _INVISIBLE**2)
    total -= _similarity(ours, real, inside) / _SSIM
    total += np.log(_patch_distance(ours, real, inside) + _INVISIBLE) / _PATCHES
    within = (inside[1:] & inside[:-1], inside[:, 1:] & inside[:, :-1])
    across = (inside[1:] ^ inside[:-1], inside[:, 1:] ^ inside[:, :-1])
    for pairs, unit in ((within, _SHARP), (across, _SEAM)):
        ratio = (_steps(ours, pairs) + _INVISIBLE) / (_steps(real, pairs) + _INVISIBLE)
        total += abs(np.log(ratio)) / unit
    return float(total)


def _in_bytes(image: NDArray[Any], span: tuple[float, float]) -> NDArray[np.float32]:
    """Scale to 0 … 255; (rows, columns, 1 to 4), the mean where there are more channels."""
    planes = image[..., np.newaxis] if image.ndim == 2 else image
    low, high = span
    # halves: the difference of two floats may be more than a float can hold
    half = np.clip(planes.astype(np.float64), low, high) / 2 - low / 2
    scaled = half * (255 / ((high / 2 - low / 2) or 1.0))
    if scaled.shape[2] > 4:
        scaled = scaled.mean(axis=2, keepdims=True)
    return np.ascontiguousarray(scaled, np.float32)


def _similarity(
    ours: NDArray[np.float32], real: NDArray[np.float32], inside: NDArray[np.bool_]
) -> float:
    """Structural similarity of the greys in a 7×7 box (Wang et al. 2004), mean over the hole."""
    import cv2

    def blurred(image: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.blur(image, (_SIDE, _SIDE)))

    ours, real = ours.mean(axis=2), real.mean(axis=2)
    first, second = blurred(ours), blurred(real)
    variances = blurred(ours**2) - first**2 + blurred(real**2) - second**2
    covariance = blurred(ours * real) - first * second
    small, smaller = np.float32((0.01 * 255) ** 2), np.float32((0.03 * 255) ** 2)
    ssim = (2 * first * second + small) * (2 * covariance + smaller)
    ssim /= (first**2 + second**2 + small) * (variances + smaller)
    return float(ssim[inside].mean(dtype=np.float64))


def _patch_distance(
    ours: NDArray[np.float32], real: NDArray[np.float32], inside: NDArray[np.bool_]
) -> float:
    """Sliced Wasserstein distance of the 7×7 patches centred in the hole (Rabin et al. 2011).

    Of very many patches an even selection stands for all.
    """
    places = np.argwhere(inside)
    places = places[:: max(1, len(places) // _MOST_PATCHES)]
    # always the same directions: this is a measure, not a draw
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((ours.shape[2] * _SIDE**2, _DIRECTIONS), np.float32)
    directions /= np.sqrt(np.square(directions).sum(axis=0))
    sides = []
    for image in (ours, real):
        half = _SIDE // 2
        padded = np.pad(image, ((half, half), (half, half), (0, 0)), mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (_SIDE, _SIDE), axis=(0, 1))
        seen = np.empty((len(places), _DIRECTIONS), np.float32)
        for start in range(0, len(places), _BLOCK):
            y, x = places[start : start + _BLOCK].T
            np.matmul(
                windows[y, x].reshape(len(y), -1), directions, out=seen[start : start + _BLOCK]
            )
        sides.append(np.sort(seen, axis=0))
    return float(np.sqrt(np.square(sides[0] - sides[1]).mean(dtype=np.float64)))


def _steps(image: NDArray[np.float32], pairs: tuple[NDArray[np.bool_], ...]) -> float:
    """Mean absolute difference of neighbours."""
    steps = [np.abs(np.diff(image, axis=axis))[pairs[axis]] for axis in (0, 1)]
    every = np.concatenate(steps)
    return float(every.mean(dtype=np.float64)) if every.size else 0.0
