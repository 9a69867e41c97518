"""What of a texture is not in its exemplar, and what of the exemplar is not in the texture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError
from synth.patchmatch.field import NearestNeighborField
from synth.patchmatch.leave_one_out import leave_one_out
from synth.patchmatch.nnf import Quality, nnf
from synth.progress import Callback

__all__ = ["Coverage", "coverage", "coverage_of_fields"]


@dataclass(frozen=True)
class Coverage:
    """What `coverage` returns.

    Attributes
    ----------
    garbage : float
        Share of the output's patches that are like nothing in the exemplar, 0 to 1.
    recall : float
        Share of the exemplar's patches that have their like in the output, 0 to 1.
    threshold : float
        Up to this distance patches are alike: root of the mean squared difference of their
        pixels, in the unit of the pixels.
    """

    garbage: float
    recall: float
    threshold: float


def coverage(
    output: NDArray[Any],
    exemplar: NDArray[Any],
    *,
    patch: int = 7,
    percentile: float = 99.0,
    quality: Quality = "exact",
    seed: int = 0,
    callback: Callback | None = None,
) -> Coverage:
    r"""Measure garbage and recall of a texture.

    The exemplar sets the scale: of each of its patches e the distance :math:`\ell(e)` to the
    nearest other one that does not overlap it is taken, and ``percentile`` of them lie within the
    threshold t. With :math:`d(x, A)` the distance of a patch to the nearest patch of A,

    .. math:: \mathrm{garbage} = P_{o \in \mathrm{output}}\big(d(o, \mathrm{exemplar}) > t\big),
              \qquad
              \mathrm{recall} = P_{e \in \mathrm{exemplar}}\big(d(e, \mathrm{output}) \le t\big)

    An image made of the exemplar's patches has no garbage however they are put together, so a
    copy is perfect here; another real crop of the texture has about 1 % of garbage where the
    percentile is 99, more if the texture changes across it. Both are lenient where the texture
    is noise-like or half smooth: t comes from its busiest patches, and one smooth patch of the
    output then recalls every smooth patch of the exemplar. A lower ``percentile`` is stricter.

    Parameters
    ----------
    output, exemplar : (H, W) or (H, W, C) array
        Of the same type and channels; sizes may differ. The exemplar's longer side must be at
        least ``3 * patch - 1``.
    patch : int
        Side of the patches in pixels.
    percentile : float
        0 to 100; larger calls fewer patches garbage and more recalled.
    quality : str
        Of the searches between the two images, see `synth.nnf`; within the exemplar it is always
        exact. What is not exact is never nearer, so it gives more garbage and less recall.
    seed : int
        Of the searches, where they are not exact.
    callback : callable, optional
        Called with `synth.progress.Progress` between steps; what it raises stops the work.

    Returns
    -------
    Coverage

    Raises
    ------
    InputError, InputTypeError
        The images cannot be compared, or ``percentile`` is out of range.

    Examples
    --------
    >>> noise = np.random.default_rng(0).integers(100, 156, (32, 32), np.uint8)
    >>> itself = coverage(noise, noise)
    >>> itself.garbage, itself.recall
    (0.0, 1.0)
    >>> black = np.zeros_like(noise)
    >>> beside = coverage(black, noise)
    >>> beside.garbage, beside.recall
    (1.0, 0.0)
    """
    if not 0 <= percentile <= 100:
        raise InputError(f"percentile is {percentile:g}, but it must lie in 0 … 100")
    there = nnf(output, exemplar, patch=patch, quality=quality, seed=seed, callback=callback)
    back = nnf(exemplar, output, patch=patch, quality=quality, seed=seed, callback=callback)
    own = leave_one_out(exemplar, patch=patch, callback=callback)
    channels = 1 if np.ndim(exemplar) == 2 else np.shape(exemplar)[2]
    return coverage_of_fields(there, back, own, channels=channels, percentile=percentile)


def coverage_of_fields(
    there: NearestNeighborField,
    back: NearestNeighborField,
    own: NearestNeighborField,
    *,
    channels: int,
    percentile: float = 99.0,
) -> Coverage:
    """Do as `coverage`, where the three fields are at hand already.

    Parameters
    ----------
    there, back : NearestNeighborField
        ``synth.nnf(output, exemplar)`` and ``synth.nnf(exemplar, output)``.
    own : NearestNeighborField
        ``leave_one_out(exemplar)``.
    channels : int
        Of the images.
    percentile : float
        As in `coverage`.
    """
    limit = float(np.percentile(own.distance, percentile, method="higher"))
    return Coverage(
        garbage=float((there.distance > limit).mean()),
        recall=float((back.distance <= limit).mean()),
        threshold=float(np.sqrt(limit / (own.patch**2 * channels))),
    )
