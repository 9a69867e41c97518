"""Hiding seams: a smooth correction where pixels from different places meet.

Poisson blending (Pérez et al. 2003) keeps the gradients of what was copied and spreads every
mismatch through the hole, which smears where edges do not meet. Here a mismatch that is too large
to be a change of light is left out, and a screened Poisson equation lets the rest fade.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from synth.kernels.cpu.membrane import relax
from synth.patchmatch.adaptation import Change
from synth.patchmatch.regions import bounding_window

__all__ = ["Sampled", "membrane"]

#: Mismatch at the hole's border, as a share of the picture's range, beyond which it is taken for
#: structure …
_BORDER_STRUCTURE = 45 / 255
#: … and inside the hole, where it must not soften texture …
_INNER_STRUCTURE = 6 / 255
#: … unless neighbours differ by less than this, so that there is none.
_SMOOTH = 4 / 255
#: 1/√screening = 10 pixels of reach.
_SCREENING = 0.01
_OVERRELAXATION = 1.5
_ITERATIONS = 40


class Sampled(Protocol):
    """Copies from between pixels."""

    colours: NDArray[np.float64]

    def beside(
        self, number: NDArray[np.int64], step: NDArray[np.int32]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return what lies beside some pixels at their sources, and where that is known."""


def membrane(
    image: NDArray[Any],
    hole: NDArray[np.bool_],
    unknown: NDArray[np.bool_],
    pixels: NDArray[np.int32],
    sources: NDArray[np.int32],
    limits: tuple[float, float],
    *,
    sampled: Sampled | None = None,
    light: Change | None = None,
) -> NDArray[np.float64]:
    """Return what to add to each copied pixel so that seams disappear.

    Parameters
    ----------
    image : (rows, columns, channels)
    hole, unknown : (rows, columns) bool
        Pixels that were filled, and pixels whose value means nothing (the hole and more).
    pixels, sources : (n, 2) int32
        The hole's pixels in reading order and where each was copied from.
    limits : (float, float)
        The least and the largest known value.
    sampled : Sampled, optional
        What was copied from between pixels. Then seams between what was copied from different
        places are left as they are.
    light : Change, optional
        How each copied pixel was adapted, in the image's units.

    Returns
    -------
    (n, channels) float64
        In units of the range of values, so −1 … 1.
    """
    outer = bounding_window(hole)
    assert outer is not None
    top, left = (max(0, side.start - 1) for side in outer)
    bottom, right = (
        min(length, side.stop + 1) for side, length in zip(outer, hole.shape, strict=True)
    )
    box = (slice(top, bottom), slice(left, right))
    local = pixels - np.array([top, left], np.int32)
    half_range = limits[1] / 2 - limits[0] / 2
    values, fixed = _at_border(
        image, hole, unknown, pixels, sources, half_range, box, light, sampled
    )
    if sampled is None:
        wanted = _between_copies(image, unknown, pixels, sources, half_range, light)
    else:
        wanted = np.zeros((len(pixels), image.shape[2]), np.float32)
    relax(
        values, wanted, local, np.ascontiguousarray(hole[box]), fixed, np.float32(_SCREENING),
        np.float32(_OVERRELAXATION), _ITERATIONS,
    )  # fmt: skip
    return np.asarray(values[local[:, 0], local[:, 1]], np.float64)


def _at_border(
    image: NDArray[Any],
    hole: NDArray[np.bool_],
    unknown: NDArray[np.bool_],
    pixels: NDArray[np.int32],
    sources: NDArray[np.int32],
    half_range: float,
    box: tuple[slice, slice],
    light: Change | None,
    sampled: Sampled | None,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Known pixels beside the hole, minus what lies beside the copied pixels at their sources.

    Returns the mean mismatch over the copied neighbours of each known pixel in ``box``, and where
    there is one.
    """
    shape = hole[box].shape
    total = np.zeros((*shape, image.shape[2]), np.float32)
    weight = np.zeros(shape, np.float32)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            step = np.array([dy, dx], np.int32)
            use = _known(pixels + step, unknown)
            if sampled is None:
                use[use] = _known(sources[use] + step, unknown)
                copied = _seen(image, sources[use] + step, light, use)
            else:
                copied, there = sampled.beside(np.flatnonzero(use), step)
                use[use] = there
                copied = copied[there, : image.shape[2]]
                copied = copied if light is None else light[use](copied)
            place = pixels[use] + step
            error = _difference(_seen(image, place), copied, half_range)
            share = _tukey(error, _BORDER_STRUCTURE)
            at = place[:, 0] - box[0].start, place[:, 1] - box[1].start
            np.add.at(total, at, error * share[:, np.newaxis])
            np.add.at(weight, at, share + np.float32(1e-3))
    fixed = weight > 0
    total[fixed] /= weight[fixed][:, np.newaxis]
    return total, fixed


def _between_copies(
    image: NDArray[Any],
    unknown: NDArray[np.bool_],
    pixels: NDArray[np.int32],
    sources: NDArray[np.int32],
    half_range: float,
    light: Change | None = None,
) -> NDArray[np.float32]:
    """Sum over the four neighbours of how much the step to each should change, (n, channels).

    A copied pixel expects beside it what lies beside its source; two that come from different
    places share the mismatch.
    """
    number = np.full(unknown.shape, -1, np.int32)
    number[pixels[:, 0], pixels[:, 1]] = np.arange(len(pixels), dtype=np.int32)
    wanted = np.zeros((len(pixels), image.shape[2]), np.float32)
    for step in np.array([[1, 0], [0, 1]], np.int32):
        beside = pixels + step
        first = np.flatnonzero((beside < unknown.shape).all(axis=1))
        second = number[beside[first, 0], beside[first, 1]]
        apart = (second >= 0) & (sources[second] != sources[first] + step).any(axis=1)
        first, second = first[apart], second[apart]
        ahead, back = sources[first] + step, sources[second] - step
        use = _known(ahead, unknown) & _known(back, unknown)
        first, second, ahead, back = first[use], second[use], ahead[use], back[use]
        here, there = (_seen(image, sources[side], light, side) for side in (first, second))
        after, before = _seen(image, ahead, light, first), _seen(image, back, light, second)
        error = _difference(there, after, half_range)
        error += _difference(before, here, half_range)
        error *= np.float32(0.5)
        steps = _difference(after, here, half_range), _difference(there, before, half_range)
        # where both sources are smooth, a step between them is a crease that everybody sees
        rough = np.maximum(*(np.abs(expected).max(axis=1) for expected in steps))
        limit = np.where(rough < _SMOOTH, _BORDER_STRUCTURE, _INNER_STRUCTURE)
        error *= _tukey(error, limit)[:, np.newaxis]
        wanted[first] += error  # each pixel is first at most once a step, and second likewise
        wanted[second] -= error
    return wanted


def _tukey(
    error: NDArray[np.float32], structure: float | NDArray[np.float64]
) -> NDArray[np.float32]:
    """Tukey's biweight: 1 for no mismatch, 0 from twice ``structure`` on."""
    size = np.sqrt(np.square(error).mean(axis=1)) / (2 * structure)
    return np.asarray(np.square(np.clip(1 - np.square(size), 0, 1)), np.float32)


def _seen(
    image: NDArray[Any],
    at: NDArray[np.int32],
    light: Change | None = None,
    number: NDArray[Any] | None = None,
) -> NDArray[np.float64]:
    """Colours at some places, adapted as those of some pixels (``number``) are."""
    colours = image[at[:, 0], at[:, 1]].astype(np.float64)
    return colours if light is None or number is None else light[number](colours)


def _difference(
    a: NDArray[np.float64], b: NDArray[np.float64], half_range: float
) -> NDArray[np.float32]:
    """``a`` − ``b`` in units of the range; halves first, against overflow."""
    return np.asarray((a / 2 - b / 2) / half_range, np.float32)


def _known(places: NDArray[np.int32], unknown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    known = np.asarray(((places >= 0) & (places < unknown.shape)).all(axis=1))
    known[known] = ~unknown[places[known, 0], places[known, 1]]
    return known
