"""Power spectra: how much contrast a texture has at each fineness."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.compare.metrics.checks import check_pair
from synth.errors import InputError

__all__ = ["periodic_component", "power_spectrum_distance", "radial_spectrum"]

#: Power that far below the average of the stronger image is not told from none: 80 dB.
_FLOOR = 1e-8


def periodic_component(image: NDArray[Any]) -> NDArray[np.float64]:
    """Take away from an image what its opposite borders have not in common.

    The discrete Fourier transform sees an image as tiled, and the jumps at the borders of the
    tiles as a cross in its spectrum. Moisan's decomposition puts these jumps into a smooth image
    and leaves the rest, which goes on across the borders without a jump.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array

    Returns
    -------
    float64 array of the same shape
        With the same mean.

    References
    ----------
    Moisan, "Periodic plus smooth image decomposition", J. Math. Imaging Vision 39, 2011
    (equations 9-11).

    Examples
    --------
    >>> slope = np.add.outer(np.arange(32.0), np.zeros(32))
    >>> bool(periodic_component(slope).std() < 0.3 * slope.std())
    True
    """
    from scipy.fft import irfft2, rfft2

    pixels = np.asarray(image, np.float64)
    jumps = np.zeros_like(pixels)
    for axis in (0, 1):
        view, border = np.moveaxis(jumps, axis, 0), np.moveaxis(pixels, axis, 0)
        step = border[-1] - border[0]
        view[0] += step
        view[-1] -= step
    rows, columns = pixels.shape[:2]
    scale = (
        2 * np.cos(2 * np.pi * np.fft.fftfreq(rows))[:, None]
        + 2 * np.cos(2 * np.pi * np.fft.rfftfreq(columns))[None]
        - 4
    )
    scale[0, 0] = 1  # the jumps sum to 0, so whatever stands here
    spectrum = rfft2(jumps, axes=(0, 1)) / scale.reshape(*scale.shape, *(1,) * (pixels.ndim - 2))
    smooth = irfft2(spectrum, s=(rows, columns), axes=(0, 1))
    return pixels - np.asarray(smooth, np.float64)


def radial_spectrum(image: NDArray[Any], *, rings: int) -> NDArray[np.float64]:
    """Average the power of an image over rings of equal frequency.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array
    rings : int
        Rings of equal width between 0 and 1/2 cycle a pixel, at most half of the shorter side, so
        that none is empty. What lies beyond, in the corners of the spectrum, belongs to the last.

    Returns
    -------
    (rings, C) float64
        Mean of :math:`|F(\\omega)|^2/HW` over each ring of the periodic component, without the
        image's mean: white noise has its variance in every ring, whatever the image's size.
    """
    from scipy.fft import rfft2

    pixels = periodic_component(image)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    rows, columns, channels = pixels.shape
    power = np.abs(rfft2(pixels, axes=(0, 1))) ** 2 / (rows * columns)
    across = np.fft.rfftfreq(columns)
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None], across[None])
    # rings are closed above; the subtracted crumb keeps rounding from opening them
    ring = np.ceil(frequency * 2 * rings - 1e-9).astype(np.intp) - 1
    ring = np.clip(ring, 0, rings - 1).ravel()
    # half of the spectrum is stored: all columns but the first and the middle one stand for two
    weight = np.where((across == 0) | (across == 0.5), 1.0, 2.0)
    weight = np.broadcast_to(weight, frequency.shape).copy()
    weight[0, 0] = 0
    count = np.bincount(ring, weight.ravel(), rings)
    return np.stack(
        [
            np.bincount(ring, (weight * power[..., channel]).ravel(), rings) / count
            for channel in range(channels)
        ],
        axis=1,
    )


def power_spectrum_distance(a: NDArray[Any], b: NDArray[Any], *, rings: int = 32) -> float:
    r"""Compare how much contrast two textures have at each frequency.

    With :math:`P_a(k)` the mean power of ``a`` over the k-th ring of frequencies
    (`radial_spectrum`),

    .. math:: D = \Big(\frac1K\sum_k \big(10 \log_{10} P_a(k) - 10 \log_{10} P_b(k)\big)^2
              \Big)^{1/2}

    over all rings and channels. It sees blur and added noise and a wrong scale. It knows neither
    directions nor phases: an image of random phases with the same power scores 0.

    Parameters
    ----------
    a, b : (H, W) or (H, W, C) array
        Of the same type and channels; sizes may differ, both at least 4×4.
    rings : int
        Number K of rings, at least 1; at most half of the shortest side of both is used.

    Returns
    -------
    float
        In decibels: 0 for equal spectra, no upper limit. 3 is a factor of 2 in power.

    Raises
    ------
    InputError, InputTypeError
        The images cannot be compared, or ``rings`` is below 1.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=(64, 64))
    >>> round(power_spectrum_distance(noise, 2 * noise), 2)
    6.02
    """
    first, second = check_pair(a, b)
    if rings < 1:
        raise InputError(f"rings is {rings}, but at least 1 is needed")
    shortest = min(first.shape[:2] + second.shape[:2])
    if shortest < 4:
        raise InputError(
            f"the images are {first.shape[0]}×{first.shape[1]} and {second.shape[0]}×"
            f"{second.shape[1]}, but a spectrum needs sides of at least 4 pixels"
        )
    rings = min(rings, shortest // 2)
    power = [radial_spectrum(image, rings=rings) for image in (first, second)]
    largest = max(float(np.abs(image).max()) for image in (first, second))
    floor = max(_FLOOR * max(float(p.mean()) for p in power), (1e-9 * largest) ** 2)
    if floor == 0:
        return 0.0
    levels = [10 * np.log10(p + floor) for p in power]
    return float(np.sqrt(np.mean(np.square(levels[0] - levels[1]))))
