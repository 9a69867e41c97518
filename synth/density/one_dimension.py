"""Distribution functions of kernel densities over one column."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synth.arguments import numbers_of, shown
from synth.density.edges import Edges
from synth.density.shapes import Shape
from synth.errors import InputError

__all__ = ["cumulative", "invert"]

_BATCH = 1 << 22
#: How often a bracket may grow, each time twice as much: to 1e10 widths.
_STEPS = 30


def cumulative(
    q: NDArray[np.float64],
    points: NDArray[np.float64],
    widths: NDArray[np.float64],
    weights: NDArray[np.float64],
    shape: Shape,
    edges: Edges,
) -> NDArray[np.float64]:
    """Return P(x <= q): sums of the kernels' own, over every image of the space."""
    low, high = -np.inf, np.inf
    for pairs in (edges.bounds, edges.period):
        low, high = pairs.get(0, (low, high))
    clipped = np.clip(q, low, high)
    total = np.zeros(len(q))
    for sign, shift in edges.images(np.array([widths.max() * shape.reach])):
        part = _unbounded(sign[0] * clipped + shift[0], points, widths, weights, shape)
        if np.isfinite(low):
            start = np.array([sign[0] * low + shift[0]])
            part = part - _unbounded(start, points, widths, weights, shape)
        elif sign[0] < 0:
            part = part - 1.0
        total += sign[0] * part
    return np.clip(total, 0, 1)


def _unbounded(
    q: NDArray[np.float64],
    points: NDArray[np.float64],
    widths: NDArray[np.float64],
    weights: NDArray[np.float64],
    shape: Shape,
) -> NDArray[np.float64]:
    out = np.empty(len(q))
    step = max(1, _BATCH // len(points))
    for start in range(0, len(q), step):
        part = q[start : start + step, np.newaxis]
        out[start : start + step] = shape.cumulative((part - points) / widths) @ weights
    return out


def invert(
    probability: ArrayLike,
    points: NDArray[np.float64],
    widths: NDArray[np.float64],
    weights: NDArray[np.float64],
    shape: Shape,
    edges: Edges,
) -> NDArray[np.float64]:
    """Return the quantiles, by halving the interval until no number lies between its ends."""
    wanted = np.atleast_1d(numbers_of(probability, "probability").astype(np.float64))
    if wanted.ndim != 1 or not ((wanted > 0) & (wanted < 1)).all():
        raise InputError(
            f"probability is {shown(probability)}, but numbers between 0 and 1 are needed"
        )

    def below_at(q: NDArray[np.float64]) -> NDArray[np.bool_]:
        return cumulative(q, points, widths, weights, shape, edges) < wanted

    least, most = edges.period.get(0, edges.bounds.get(0, (-np.inf, np.inf)))
    low, high = np.full(len(wanted), points.min()), np.full(len(wanted), points.max())
    if 0 in edges.period:  # kernels that cross the cut are at the other end
        low[:], high[:] = least, most
    reach = 9 * widths.max()
    for _ in range(_STEPS):  # an exponential's tail is long
        short, far = ~below_at(low) & (low > least), below_at(high) & (high < most)
        if not (short | far).any():
            break
        low = np.where(short, np.maximum(low - reach, least), low)
        high = np.where(far, np.minimum(high + reach, most), high)
        reach *= 2
    for _ in range(100):
        middle = low + (high - low) / 2
        below = below_at(middle)
        if ((middle == low) | (middle == high)).all():
            break
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return high
