"""The fast Gauss transform on boxes, with a guaranteed relative error.

Points are gathered into boxes of a few bandwidths; each box is summed up by its moments in
Chebyshev polynomials; a matrix product for each distance of boxes turns moments into series, and
each query sums up its box's series (Greengard & Strain 1991, with the separable kernel applied one
axis at a time). The error is bounded by what lies nearby, so in the tails, where the density
itself is small, some queries cannot be promised: the caller redoes those directly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.density.blas import workers
from synth.kernels._jit import Bands
from synth.kernels.cpu import gauss_transform as kernels

__all__ = ["box_log_sums"]

#: Distance beyond which exp(−½ · 9²) = 3e-18 is left out.
_CUT = 9
#: Sides of boxes by the number of columns. Larger boxes have fewer neighbours, but longer series:
#: these took the least time of 1, 2, 3 and 4 (the products of all boxes against p^d a point).
_SIDES = {1: 1, 2: 3}
#: At most so many numbers in a grid of moments (128 MiB); beyond, there is no transform.
_LARGEST = 1 << 24
#: Rounding, relative to the weight nearby: terms and steps that add up, in machine epsilons.
_ROUNDING = 64 * np.finfo(np.float64).eps


@dataclass(frozen=True)
class _Boxed:
    """Points by box: their order, each in its box's frame, and where each box starts."""

    order: NDArray[np.intp]
    frame: NDArray[np.float64]
    starts: NDArray[np.int64]
    places: NDArray[np.int64]


def box_log_sums(
    points: NDArray[np.float64],
    weights: NDArray[np.float64],
    queries: NDArray[np.float64],
    rtol: float,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]] | None:
    """Return log Σⱼ wⱼ exp(−½ |qᵢ − xⱼ|²), and for which queries rtol is promised.

    Parameters
    ----------
    points : (n, d), queries : (m, d)
        In units of the bandwidth, d is 1 or 2.
    weights : (n,)
    rtol : float
        The relative error of the sum.

    Returns
    -------
    (m,) and (m,) arrays, or None where the boxes would take too much memory
    """
    side = _SIDES[points.shape[1]]
    reach = -(-_CUT // side)
    low, high = points.min(axis=0), points.max(axis=0)
    near = ((queries >= low - _CUT) & (queries <= high + _CUT)).all(axis=1)
    order = _order(rtol, points.shape[1], side)
    points, queries = points / side, queries / side  # in sides of boxes from here on
    low, high = (low - _CUT) / side - 1e-9, (high + _CUT) / side + 1e-9
    cells = np.maximum(1, np.ceil(high - low))
    if not float(np.prod(cells)) * order ** points.shape[1] <= _LARGEST:
        return None
    size = cells.astype(np.int64)
    if points.shape[1] == 1:
        size = np.append(size, 1)
    sources, targets = _gather(points, low, size), _gather(queries[near], low, size)
    second = order if points.shape[1] == 2 else 1
    matrices = _matrices(order, side, reach)
    with workers() as run:
        grid = _moments(run, sources, weights, size, order, second)
        grid = _translate(run, grid, matrices)
        series = grid[targets.places // size[1], :, targets.places % size[1], :]
        values = np.empty(int(near.sum()))
        bands = -(-len(series) // kernels.BOXES)
        args = (targets.frame, targets.starts, np.ascontiguousarray(series), values)
        run(kernels.box_values, bands, *args)
    error = _error(order, points.shape[1], side)
    bound = _bound(sources, targets, weights, size, error, reach)
    sums, promised = np.zeros(len(queries)), np.zeros(len(queries), bool)
    inside = np.flatnonzero(near)
    sums[inside[targets.order]] = values
    promised[inside[targets.order]] = values * rtol >= bound * (1 + rtol)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(sums), promised


def _gather(points: NDArray[Any], low: NDArray[Any], size: NDArray[np.int64]) -> _Boxed:
    shifted = points - low
    cells = np.minimum(shifted.astype(np.int64), size[: points.shape[1]] - 1)
    frame = np.zeros((len(points), 2))
    frame[:, : points.shape[1]] = 2 * (shifted - cells) - 1
    place = cells[:, 0] * size[1] + (cells[:, 1] if points.shape[1] == 2 else 0)
    order = np.argsort(place, kind="stable")
    places, starts = np.unique(place[order], return_index=True)
    ends = np.append(starts, len(points)).astype(np.int64)
    return _Boxed(order, np.ascontiguousarray(frame[order]), ends, places)


def _moments(
    run: Bands,
    sources: _Boxed,
    weights: NDArray[Any],
    size: NDArray[np.int64],
    order: int,
    second: int,
) -> NDArray[np.float64]:
    moments = np.empty((len(sources.places), order, second))
    bands = -(-len(moments) // kernels.BOXES)
    args = (sources.frame, np.ascontiguousarray(weights[sources.order]), sources.starts, moments)
    run(kernels.box_moments, bands, *args)
    grid = np.zeros((size[0], order, size[1], second))
    grid[sources.places // size[1], :, sources.places % size[1], :] = moments
    return grid


def _translate(
    run: Bands, grid: NDArray[np.float64], matrices: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Turn moments (n₀, p, n₁, q) into series, one axis after the other."""
    shape, order = grid.shape, grid.shape[1]
    grid = _along(run, grid.reshape(shape[0], order, -1), matrices).reshape(shape)
    if shape[3] == 1:
        return grid
    turned = np.ascontiguousarray(grid.transpose(2, 3, 0, 1))
    turned = _along(run, turned.reshape(shape[2], order, -1), matrices).reshape(turned.shape)
    return np.ascontiguousarray(turned.transpose(2, 3, 0, 1))


def _along(
    run: Bands, grid: NDArray[np.float64], matrices: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Add up matrices[target − source] @ grid[source]; bands are runs of targets."""
    out = np.zeros_like(grid)
    count, step, reach = len(grid), 4, len(matrices) // 2

    def band(number: int) -> None:  # writes its own targets only
        for target in range(number * step, min((number + 1) * step, count)):
            first, last = max(0, target - reach), min(count, target + reach + 1)
            row = matrices[target - np.arange(first, last) + reach]
            flat = row.transpose(1, 0, 2).reshape(len(row[0]), -1)
            out[target] = flat @ grid[first:last].reshape(flat.shape[1], -1)

    run(band, -(-count // step))
    return out


def _matrices(order: int, side: int, reach: int) -> NDArray[np.float64]:
    """Return C exp(−½ side² (D + (tₖ − tₗ) / 2)²) Cᵀ for distances D = −reach … reach of boxes."""
    angles = (np.arange(order) + 0.5) * np.pi / order
    nodes = np.cos(angles)
    transform = 2 / order * np.cos(np.arange(order)[:, np.newaxis] * angles)
    transform[0] /= 2
    distance = np.arange(-reach, reach + 1)[:, np.newaxis, np.newaxis]
    apart = side * (distance + (nodes[:, np.newaxis] - nodes) / 2)
    return np.asarray(transform @ np.exp(-0.5 * apart**2) @ transform.T)


def _error(order: int, dimensions: int, side: int) -> float:
    """Bound the error of one unit weight, whose own value is at most 1.

    Interpolation at p Chebyshev nodes on half a side either way is off by at most
    2 (side/4)ᵖ / p! · max |g⁽ᵖ⁾|, and |g⁽ᵖ⁾| <= 1.09 √p! for the Gaussian (Cramér). It is done at
    the source and, amplified by the Lebesgue constant, at the query; along each axis.
    """
    once = 2.18 * (side / 4) ** order / math.sqrt(math.factorial(order))
    lebesgue = 2 / math.pi * math.log(order) + 1
    axis = once * (1 + lebesgue)
    return dimensions * axis * lebesgue ** (2 * (dimensions - 1)) + _ROUNDING


def _order(rtol: float, dimensions: int, side: int) -> int:
    """Return the order whose error is rtol where the density is 10⁻⁵ of its possible height."""
    for order in range(6, 40):
        if _error(order, dimensions, side) <= max(1e-5 * rtol, 2 * _ROUNDING):
            return order
    return 40


def _bound(
    sources: _Boxed,
    targets: _Boxed,
    weights: NDArray[np.float64],
    size: NDArray[np.int64],
    error: float,
    reach: int,
) -> NDArray[np.float64]:
    """Bound the error at each query: by the weight within reach, and by what was left out."""
    mass = np.zeros(tuple(size))
    places = np.repeat(sources.places, np.diff(sources.starts))
    np.add.at(mass.reshape(-1), places, weights[sources.order])
    near = _windows(_windows(mass, reach, 0), reach, 1)
    near = np.maximum(near, 0) + 1e-12 * mass.sum()  # the sums' own rounding
    whole = error * near + mass.sum() * math.exp(-0.5 * _CUT**2)
    counts = np.diff(targets.starts)
    return np.asarray(np.repeat(whole.reshape(-1)[targets.places], counts))


def _windows(values: NDArray[np.float64], reach: int, axis: int) -> NDArray[np.float64]:
    """Return sums over all within ``reach`` along an axis."""
    padding = [(0, 0), (0, 0)]
    padding[axis] = (reach + 1, reach)
    sums = np.cumsum(np.pad(values, padding), axis=axis)
    last = np.take(sums, np.arange(2 * reach + 1, sums.shape[axis]), axis=axis)
    return np.asarray(last - np.take(sums, np.arange(values.shape[axis]), axis=axis))
