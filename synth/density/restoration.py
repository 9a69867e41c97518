"""Half-quadratic splitting: patches and picture take turns until they agree."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.density.blas import workers
from synth.density.patches import Corners, Expert, Spectra, basis, mean_answer
from synth.progress import Callback, report
from synth.rows import PATCH_SHIFTS, uniforms

__all__ = ["denoised", "filled"]

#: β in units of 1/σ²: the schedule of Zoran & Weiss.
_BETAS = (1, 4, 8, 16, 32)
#: Steps of a fill, from the contrast of the prior's patches down to this share of it.
_STEPS, _END = 48, 0.01


def denoised(
    planes: NDArray[np.float32],
    models: Sequence[Spectra],
    side: int,
    noise: float,
    stride: int,
    seed: int,
    callback: Callback | None,
) -> NDArray[np.float32]:
    """Return planes (channels, h, w) without noise of this deviation in the channels."""
    draw = uniforms(seed, PATCH_SHIFTS)
    steps = len(planes) * len(_BETAS)
    inward, out = basis(side), np.empty_like(planes)
    with workers() as run:
        for number, noisy in enumerate(planes):
            variance = noise**2 / len(planes) if number == 0 else noise**2
            now = noisy
            for step, beta in enumerate(_BETAS):
                report(callback, "denoise", (number * len(_BETAS) + step) / steps)
                corners = Corners.grid(noisy.shape, side, stride, _shift(draw, stride))
                expert = Expert(models[number], variance / beta)
                sums, counts = mean_answer(run, now, corners, expert, inward)
                sums /= counts
                now = ((noisy + beta * sums) / (1 + beta)).astype(np.float32)
            out[number] = now
    return out


def filled(
    planes: NDArray[np.float32],
    hole: NDArray[np.bool_],
    models: Sequence[Spectra],
    side: int,
    stride: int,
    seed: int,
    callback: Callback | None,
) -> NDArray[Any]:
    """Return planes (channels, h, w) with another hole (h, w); they bring its start along."""
    draw, inward, out = uniforms(seed, PATCH_SHIFTS), basis(side), planes.copy()
    with workers() as run:
        for number, now in enumerate(out):
            model = models[number]
            whole = float(np.exp(model.log_weights) @ model.values.mean(axis=1))
            for step, share in enumerate(np.geomspace(1, _END, _STEPS)):
                report(callback, "fill", (number + step / _STEPS) / len(out))
                shift = _shift(draw, stride)
                corners = Corners.grid(hole.shape, side, stride, shift).touching(hole, side)
                expert = Expert(model, whole * math.pow(share, 2))
                sums, counts = mean_answer(run, now, corners, expert, inward)
                now[hole] = sums[hole] / counts[hole]
    return out


def _shift(draw: Callable[[int], NDArray[np.float64]], stride: int) -> tuple[int, int]:
    down, right = draw(2) * stride
    return int(down), int(right)
