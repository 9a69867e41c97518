"""From where each pixel is copied to the picture at its own precision, without visible joins."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.kernels.cpu.membrane import relax

__all__ = ["copied"]

#: Mismatch, as a share of the range, beyond which a step between two copies is structure …
_STRUCTURE = 6 / 255
#: … but where both pictures are smooth, it is light up to this.
_LIGHT = 45 / 255
_SMOOTH = 4 / 255
_SCREENING = 0.01
_OVERRELAXATION = 1.5
_ITERATIONS = 40


def copied(
    image: NDArray[Any], sources: NDArray[np.int32], fixed: NDArray[np.bool_]
) -> NDArray[Any]:
    """Copy every pixel from its source and level the steps between copies from different places.

    Parameters
    ----------
    image : (rows', columns'[, channels])
    sources : (rows, columns, 2) int32
        Rows and columns of ``image``.
    fixed : (rows, columns) bool
        Pixels that are copied as they are.

    Returns
    -------
    (rows, columns[, channels]), of the image's dtype
    """
    result = image[sources[..., 0], sources[..., 1]]
    planes = image if image.ndim == 3 else image[..., np.newaxis]
    colours = planes[..., :3] if planes.shape[2] == 4 else planes
    low, high = float(colours.min()), float(colours.max())
    half = high / 2 - low / 2
    if not half > 0:
        return result
    # halves first, so that the range of floats is not left
    share = ((colours.astype(np.float64) / 2 - low / 2) / half).astype(np.float32)
    wanted = np.zeros((*sources.shape[:2], colours.shape[2]), np.float32)
    for step in ((1, 0), (0, 1)):
        _between(wanted, share, sources, step)
    pixels = np.argwhere(~fixed).astype(np.int32)
    values = np.zeros_like(wanted)
    relax(
        values, wanted[~fixed], pixels, ~fixed, fixed, np.float32(_SCREENING),
        np.float32(_OVERRELAXATION), _ITERATIONS,
    )  # fmt: skip
    out = result.reshape(*sources.shape[:2], -1)
    free = ~fixed
    base = out[free, : colours.shape[2]].astype(np.float64)
    with np.errstate(over="ignore"):  # what is more than a float can hold is cut to the range
        levelled = np.clip(base + values[free].astype(np.float64) * half * 2, low, high)
    if image.dtype.kind == "u":
        levelled = np.rint(levelled)
    out[free, : colours.shape[2]] = levelled.astype(image.dtype)
    return out.reshape(result.shape)


def _between(
    wanted: NDArray[np.float32],
    share: NDArray[np.float32],
    sources: NDArray[np.int32],
    step: tuple[int, int],
) -> None:
    """Add how much the step from each pixel to the next should change, to both of them."""
    rows, columns = sources.shape[:2]
    one = (slice(0, rows - step[0]), slice(0, columns - step[1]))
    two = (slice(step[0], rows), slice(step[1], columns))
    first, second = sources[one], sources[two]
    ahead, back = first + np.array(step), second - np.array(step)
    apart = (second != ahead).any(axis=2)
    apart &= (ahead < share.shape[:2]).all(axis=2) & (back >= 0).all(axis=2)
    here, next_to = share[tuple(first[apart].T)], share[tuple(second[apart].T)]
    expected, before = share[tuple(ahead[apart].T)], share[tuple(back[apart].T)]
    error = ((next_to - expected) + (before - here)) / 2
    rough = np.maximum(np.abs(expected - here).max(axis=1), np.abs(next_to - before).max(axis=1))
    limit = np.where(rough < _SMOOTH, _LIGHT, _STRUCTURE)
    size = np.sqrt(np.square(error).mean(axis=1)) / (2 * limit)
    error *= np.square(np.clip(1 - np.square(size), 0, 1))[:, np.newaxis].astype(np.float32)
    wanted[one][apart] += error
    wanted[two][apart] -= error
