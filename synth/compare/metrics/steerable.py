"""Statistics of a texture over a complex steerable pyramid, after Portilla and Simoncelli."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.compare.metrics.checks import check_pair
from synth.compare.metrics.spectrum import periodic_component
from synth.errors import InputError

__all__ = [
    "SteerableStatistics",
    "steerable_distance",
    "steerable_pyramid",
    "steerable_statistics",
]

#: Shifts of the magnitudes' autocorrelation, in pixels of their scale.
_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0), (2, 2), (2, -2))
#: Contrast this far below the stronger image's is not told from none.
_FLOOR = 1e-4
#: Variation this far below the pixels' values is rounding, and has no shape to measure.
_ROUNDING = 1e-9


def steerable_pyramid(
    image: NDArray[Any], *, scales: int = 4, orientations: int = 4
) -> tuple[NDArray[np.float64], list[NDArray[np.complex128]], NDArray[np.float64]]:
    r"""Split an image into octaves and orientations, each band with a phase.

    With :math:`r` and :math:`\theta` the polar coordinates of the frequency, :math:`r = \pi` at
    half a cycle a pixel, a band is the product of a radial and an angular filter,

    .. math:: B_{s,k} = L(r)\, \cdots L(2^{s-1} r)\; H(2^s r)\; G_k(\theta), \quad
              H(r) = \cos\big(\tfrac\pi2 \log_2 \tfrac{2r}\pi\big)
              \text{ on } \tfrac\pi4 < r < \tfrac\pi2, \quad L^2 + H^2 = 1,

    :math:`G_k = 2 \alpha_K \cos^{K-1}(\theta - \pi k/K)` on the half plane around its direction
    and 0 on the other, so that its response is analytic: its real part is the oriented band-pass
    image, its magnitude the local contrast in that direction. No band is decimated: all have the
    image's size, and the image is taken as periodic.

    Parameters
    ----------
    image : (H, W) array
    scales, orientations : int
        Octaves s from the finest, at least 1, and directions k, at least 2.

    Returns
    -------
    high : (H, W) float64
        What is finer than all bands.
    bands : list of (orientations, H, W) complex128
        One array a scale, finest first. First direction: change along the rows (vertical edges).
    low : (H, W) float64
        What is coarser. Sums of squares: high + real parts of all bands + low = image.

    References
    ----------
    Portilla, Simoncelli, "A parametric texture model based on joint statistics of complex wavelet
    coefficients", IJCV 40(1), 2000, section 1.2 (filters); Simoncelli, Freeman, "The steerable
    pyramid", ICIP 1995.

    Examples
    --------
    >>> waves = np.sin(np.arange(32) * np.pi / 4) * np.ones((32, 1))
    >>> _, bands, _ = steerable_pyramid(waves, scales=2, orientations=2)
    >>> [[round(float(np.abs(band).mean()), 3) for band in scale] for scale in bands]
    [[0.0, 0.0], [1.0, 0.0]]
    """
    from scipy.fft import fft2, fftfreq, ifft2

    spectrum = fft2(np.asarray(image, np.float64))
    down, across = fftfreq(spectrum.shape[0])[:, None], fftfreq(spectrum.shape[1])[None]
    radius = 2 * np.pi * np.hypot(down, across)
    angle = np.arctan2(down, across)
    octave = np.log2(np.maximum(radius, 1e-12) / np.pi)
    gain = 2 ** (orientations - 1) * math.factorial(orientations - 1)
    gain /= math.sqrt(orientations * math.factorial(2 * (orientations - 1)))
    directions = []
    for k in range(orientations):
        turn = np.angle(np.exp(1j * (angle - np.pi * k / orientations)))
        lobe = np.where(np.abs(turn) < np.pi / 2 - 1e-9, np.cos(turn), 0.0)
        directions.append(2 * gain * lobe ** (orientations - 1))
    low_pass, high_pass = _halves(octave)
    high = ifft2(spectrum * high_pass).real
    bands = []
    for scale in range(1, scales + 1):
        spectrum = spectrum * low_pass
        low_pass, high_pass = _halves(octave + scale)
        bands.append(np.stack([ifft2(spectrum * high_pass * along) for along in directions]))
    return high, bands, ifft2(spectrum * low_pass).real


def _halves(octave: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cut at the octave from −1 to 0: what lies below, what lies above."""
    turn = np.pi / 2 * np.clip(octave + 1, 0, 1)
    return np.cos(turn), np.sin(turn)


@dataclass(frozen=True, eq=False)
class SteerableStatistics:
    """What `steerable_statistics` returns, for C channels, S scales and K orientations.

    Attributes
    ----------
    pixels : (C, 4) float64
        Mean, standard deviation, skewness and kurtosis (3 for a Gaussian) of each channel.
    contrast : (C, S·K + 2) float64
        Standard deviation of the high residual, of the real part of each band, of the low one.
    peakedness : (C, S·K) float64
        Kurtosis of the real part of each band: above 3 where edges are few and strong.
    between : (C, …) float64
        Correlations of magnitudes: orientations of one scale, then each with each of the next
        coarser scale.
    along : (C, S·K·8) float64
        Autocorrelations of magnitudes at 8 shifts of 1 and 2 pixels of their scale.
    colours : (C·(C − 1)/2,) float64
        Correlations of the channels' pixels.
    """

    pixels: NDArray[np.float64]
    contrast: NDArray[np.float64]
    peakedness: NDArray[np.float64]
    between: NDArray[np.float64]
    along: NDArray[np.float64]
    colours: NDArray[np.float64]


def steerable_statistics(
    image: NDArray[Any], *, scales: int = 4, orientations: int = 4
) -> SteerableStatistics:
    """Take the statistics of a texture that `steerable_distance` compares.

    They are Portilla and Simoncelli's marginal and magnitude statistics, taken over the whole
    `periodic_component`; their statistics of phase are left out.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array
    scales, orientations : int
        At least 1 and 2; the coarsest scale sees structure of about ``2**(scales + 1)`` pixels.
    """
    planes = np.moveaxis(np.atleast_3d(periodic_component(image)), 2, 0)
    channels = [_of_plane(plane, scales, orientations) for plane in planes]
    flat = planes.reshape(len(planes), -1)
    joint = _correlations(flat, flat, _ROUNDING * float(np.abs(flat).max()))
    pixels, contrast, peakedness, between, along = (
        np.stack(values) for values in zip(*channels, strict=True)
    )
    colours = joint[np.triu_indices(len(planes), 1)]
    return SteerableStatistics(pixels, contrast, peakedness, between, along, colours)


def _of_plane(
    plane: NDArray[np.float64], scales: int, orientations: int
) -> tuple[NDArray[np.float64], ...]:
    high, bands, low = steerable_pyramid(
        plane - plane.mean(), scales=scales, orientations=orientations
    )
    floor = _ROUNDING * float(np.abs(plane).max())
    pixels = [plane.mean(), plane.std(), _moment(plane, 3, floor), _moment(plane, 4, floor)]
    real = [band.real for scale in bands for band in scale]
    contrast = [high.std(), *(band.std() for band in real), low.std()]
    between, along = [], []
    upper = np.triu_indices(orientations, 1)
    finer = None
    for scale, band in enumerate(bands):
        magnitude = np.abs(band)
        flat = magnitude.reshape(orientations, -1)
        between.append(_correlations(flat, flat, floor)[upper])
        if finer is not None:
            between.append(_correlations(finer, flat, floor).ravel())
        finer = flat
        for shift in _SHIFTS:
            step = tuple(2**scale * pixels for pixels in shift)
            for one in magnitude:
                moved = np.roll(one, step, axis=(0, 1)).reshape(1, -1)
                along.append(_correlations(one.reshape(1, -1), moved, floor).ravel())
    return (
        np.array(pixels),
        np.array(contrast),
        np.array([_moment(band, 4, floor) for band in real]),
        np.concatenate(between),
        np.concatenate(along),
    )


def _moment(values: NDArray[np.float64], order: int, floor: float) -> float:
    """Return the standardised moment: that of a Gaussian, 0 or 3, where nothing varies."""
    centred = values - values.mean()
    deviation = centred.std()
    if deviation <= floor:
        return 0.0 if order == 3 else 3.0
    return float(np.mean((centred / deviation) ** order))


def _correlations(
    a: NDArray[np.float64], b: NDArray[np.float64], floor: float
) -> NDArray[np.float64]:
    """Correlate each row of ``a`` with each of ``b``; 0 where one does not vary."""
    unit = []
    for rows in (a, b):
        centred = rows - rows.mean(axis=1, keepdims=True)
        length = np.sqrt(np.square(centred).sum(axis=1, keepdims=True))
        varies = length > floor * np.sqrt(rows.shape[1])
        unit.append(np.where(varies, centred / np.where(varies, length, 1), 0.0))
    found: NDArray[np.float64] = unit[0] @ unit[1].T
    return found


def steerable_distance(
    a: NDArray[Any],
    b: NDArray[Any],
    *,
    scales: int = 4,
    orientations: int = 4,
) -> float:
    r"""Compare the joint statistics of two textures over a steerable pyramid.

    The mean of five means of absolute differences, of six for colours, each free of units:

    1. of the pixels' mean (over itself plus the average standard deviation, so 1 at most), of the
       logarithm of their standard deviation, of skewness, and of the logarithm of kurtosis;
    2. of the logarithms of the bands' standard deviations;
    3. of the logarithms of the bands' kurtosis;
    4. of the correlations of magnitudes between orientations and neighbouring scales;
    5. of the autocorrelations of magnitudes;
    6. of the correlations of pixels between channels.

    Logarithms are natural. 1 and 2 are what histogram and spectrum tell; random phase keeps 2 and
    fails 3 to 5, which know edges, and lines that go on.

    Parameters
    ----------
    a, b : (H, W) or (H, W, C) array
        Of the same type and channels; sizes may differ.
    scales, orientations : int
        At least 1 and 2. At most so many scales that the coarsest one's wavelength,
        ``2**(scales + 1)`` pixels, fits 4 times into the shortest side.

    Returns
    -------
    float
        0 for equal statistics, no upper limit.

    Raises
    ------
    InputError, InputTypeError
        The images cannot be compared, or are smaller than 16×16.

    References
    ----------
    Portilla, Simoncelli, IJCV 40(1), 2000, section 2 (the statistics). The distance is ours.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=(64, 64))
    >>> steerable_distance(noise, noise)
    0.0
    """
    first, second = check_pair(a, b)
    if scales < 1 or orientations < 2:
        raise InputError(
            f"scales is {scales} and orientations is {orientations}, but at least 1 and 2 are "
            "needed"
        )
    shortest = min(first.shape[:2] + second.shape[:2])
    if shortest < 16:
        raise InputError(
            f"the images are {first.shape[0]}×{first.shape[1]} and {second.shape[0]}×"
            f"{second.shape[1]}, but the coarsest band must fit 4 times into a side of at least "
            "16 pixels; use larger images"
        )
    scales = min(scales, int(math.log2(shortest)) - 3)
    one, two = (
        steerable_statistics(image, scales=scales, orientations=orientations)
        for image in (first, second)
    )
    deviation = (one.pixels[:, 1] + two.pixels[:, 1]) / 2
    largest = max(float(np.abs(image).max()) for image in (first, second))
    floor = max(
        _FLOOR * float(deviation.max()), _ROUNDING * largest, float(np.finfo(np.float64).tiny)
    )
    apart = np.abs(one.pixels[:, 0] - two.pixels[:, 0])
    mean = apart / np.maximum(deviation + apart, floor)
    skew = np.abs(one.pixels[:, 2] - two.pixels[:, 2])
    pixels = [mean, _logarithms(one.pixels[:, 1], two.pixels[:, 1], floor), skew]
    pixels.append(_logarithms(one.pixels[:, 3], two.pixels[:, 3]))
    groups = [
        np.concatenate(pixels),
        _logarithms(one.contrast, two.contrast, floor),
        _logarithms(one.peakedness, two.peakedness),
        np.abs(one.between - two.between),
        np.abs(one.along - two.along),
    ]
    if one.colours.size > 0:
        groups.append(np.abs(one.colours - two.colours))
    return float(np.mean([group.mean() for group in groups]))


def _logarithms(
    a: NDArray[np.float64], b: NDArray[np.float64], floor: float = 0.0
) -> NDArray[np.float64]:
    difference: NDArray[np.float64] = np.abs(np.log(a + floor) - np.log(b + floor))
    return difference
