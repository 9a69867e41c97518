"""Gaussian sums in three columns over a grid, with a guaranteed relative error.

Each row spreads its weight over the 16³ nodes around it; the grid is smoothed, one axis after the
other; each query gathers from the 16³ nodes around it. That is the nonuniform Fourier way to fast
Gauss transforms (Greengard & Lee 2004) without a Fourier transform: what is smoothed with is
fitted such that spreading, smoothing and gathering together are the Gaussian (`design`), and every
number in it is positive. So errors stay where they are made, and rounding is relative to the sum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from synth.density.blas import one_blas_thread
from synth.kernels._jit import Bands, threads
from synth.kernels.cpu import grid_transform as kernels
from synth.kernels.cpu.grid_transform import NODES

__all__ = ["Box", "design", "grid_log_sums"]

#: Between nodes, in bandwidths; a short binary fraction, so that nodes' places are exact.
_SPACING = 11 / 32
#: Nodes to either side that smoothing reaches.
_REACH = 18
#: The shares are exp(_STEEP (√(1 − u²) − 1)), by polynomials of this degree (Barnett 2019).
_STEEP, _DEGREE = 35.2, 10
#: At most so many nodes (128 MiB); beyond, there is no transform.
_LARGEST = 1 << 24
#: Shares of the rows at either end of each axis that may lie outside, from the least on.
_OUTLIERS = 1e-5, 1e-4, 1e-3
#: Nodes along an axis that one product of matrices smooths, and numbers that it is done for.
_BLOCK, _NUMBERS = 32, 1 << 18
#: A query among evenly scattered rows sees so much of the weight that its bound counts.
_SEEN = 1.3e-3
#: Rows that are sorted into cells at once.
_PART = 1 << 17
#: Cells along a side of the blocks that weights nearby are counted in.
_COARSE = 4
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Design:
    """How shares and smoothing make a Gaussian.

    Attributes
    ----------
    polynomials : (degree + 1, NODES) ndarray
        The share of each node for a point at −1 … 1 in its cell, the constants first.
    taps : (_REACH + 1,) ndarray
        What a node passes on to those 0, 1, … further.
    error : float
        The largest difference from exp(−½ (q − x)²), for one column.
    """

    polynomials: NDArray[np.float64]
    taps: NDArray[np.float64]
    error: float


@cache
def design() -> Design:
    """Fit the taps by least squares, and bound the error they leave."""
    nodes = np.cos((np.arange(_DEGREE + 1) + 0.5) * np.pi / (_DEGREE + 1))
    cells = (nodes[:, np.newaxis] + 1) / 2 + NODES / 2 - 1 - np.arange(NODES)
    shares = np.exp(_STEEP * (np.sqrt(np.maximum(0, 1 - (2 * cells / NODES) ** 2)) - 1))
    fitted = chebyshev.chebfit(nodes, shares, _DEGREE)
    polynomials = np.stack([chebyshev.cheb2poly(column) for column in fitted.T], axis=1)
    table, wanted = _pairs(polynomials, _DEGREE + 2)
    scale = np.linalg.norm(table, axis=0)
    taps = np.linalg.lstsq(table / scale, wanted, rcond=_EPS)[0] / scale
    # In a pair of cells the difference is a polynomial of degree 10 in either place, up to 1e-15
    # of the Gaussian: between m Chebyshev points it is at most 1 / cos(π 10 / 2m) of the largest
    # at them (Ehlich & Zeller 1964), once for each place.
    points = 4 * _DEGREE
    table, wanted = _pairs(polynomials, points)
    between = 1 / math.cos(math.pi * _DEGREE / (2 * points)) ** 2
    return Design(polynomials, taps, between * float(np.abs(table @ taps - wanted).max()) + 1e-15)


def _pairs(
    polynomials: NDArray[np.float64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what each tap adds for pairs of places, and the Gaussian for them.

    The places are ``count`` Chebyshev points of a cell, against those of the cells 0, 1, … further
    as far as anything arrives.
    """
    places = np.cos((np.arange(count) + 0.5) * np.pi / count)
    shares = np.polynomial.polynomial.polyval(places, polynomials)  # (NODES, count)
    both = np.zeros((2 * NODES - 1, count, count))
    for k in range(NODES):
        for m in range(NODES):
            both[k - m + NODES - 1] += np.multiply.outer(shares[k], shares[m])
    away = np.arange(_REACH + NODES)
    table = np.zeros((_REACH + 1, len(away), count, count))
    for distance in away:
        for between in range(1 - NODES, NODES):
            tap = abs(distance + between)
            if tap <= _REACH:
                table[tap, distance] += both[between + NODES - 1]
    apart = away[:, np.newaxis, np.newaxis] + (places[:, np.newaxis] - places) / 2
    return table.reshape(_REACH + 1, -1).T, np.exp(-0.5 * (_SPACING * apart) ** 2).ravel()


@dataclass(frozen=True)
class Box:
    """A box around rows, or around most of them, cut into cells.

    Attributes
    ----------
    low, high : (3,) ndarray
        In bandwidths; ``low`` is a node.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def around(cls, points: NDArray[np.float64]) -> Box:
        """Return the box around rows, (n, 3), in bandwidths; outliers are left out if need be."""
        box = cls._between(points.min(axis=0), points.max(axis=0))
        for share in _OUTLIERS:
            if not box.fits:
                box = cls._between(*np.quantile(points, [share, 1 - share], axis=0))
        return box

    @classmethod
    def _between(cls, low: NDArray[np.float64], high: NDArray[np.float64]) -> Box:
        return cls(np.floor(low / _SPACING) * _SPACING, high)

    @cached_property
    def nodes(self) -> float:
        """How many nodes are needed."""
        with np.errstate(over="ignore"):
            return float(np.prod(np.floor((self.high - self.low) / _SPACING) + NODES))

    @property
    def fits(self) -> bool:
        """Whether they are few enough."""
        return self.nodes <= _LARGEST

    @cached_property
    def cells(self) -> NDArray[np.int64]:
        """How many there are along each axis, (3,)."""
        return np.floor((self.high - self.low) / _SPACING).astype(np.int64) + 1

    def depths(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far inside points are, (m,); below 0 outside."""
        return np.asarray(np.minimum(points - self.low, self.high - points).min(axis=1))

    def place(self, points: NDArray[np.float64]) -> _Placed:
        """Sort points that are inside into cells."""
        shifted = points - self.low
        cells = np.minimum((shifted / _SPACING).astype(np.int64), self.cells - 1)
        order = np.argsort(np.ravel_multi_index(tuple(cells.T), tuple(self.cells)), kind="stable")
        cells, shifted = cells[order], shifted[order]
        return _Placed(order, cells, 2 * (shifted - cells * _SPACING) / _SPACING - 1)


@dataclass(frozen=True)
class _Placed:
    """Points by cell: their order, cells, and the places in those, −1 … 1."""

    order: NDArray[np.intp]
    cells: NDArray[np.int64]
    frames: NDArray[np.float64]


def grid_log_sums(
    points: NDArray[np.float64],
    weights: NDArray[np.float64],
    queries: NDArray[np.float64],
    rtol: float,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]] | None:
    """Return log Σⱼ wⱼ exp(−½ |qᵢ − xⱼ|²), and for which queries rtol is promised.

    Parameters
    ----------
    points : (n, 3), queries : (m, 3)
        In units of the bandwidth.
    weights : (n,)
    rtol : float
        The relative error of the sum.

    Returns
    -------
    (m,) and (m,) arrays, or None where the grid would be too large or rtol too small for it
    """
    box = Box.around(points)
    # of numbers, and of places in the box, where a Gaussian 16 bandwidths away is seen at most
    rounding = (64 + 32 * float((box.high - box.low).max())) * _EPS
    if not box.fits or max(rounding, 3 * design().error / _SEEN) >= rtol:
        return None
    own, depths = box.depths(points) >= 0, box.depths(queries)
    left = float(weights[~own].sum())  # none of it nearer to a query than the border
    sums, promised = np.zeros(len(queries)), np.zeros(len(queries), bool)
    with one_blas_thread(), threads() as run:
        grid, errors = _spread(run, box, points, weights, own)
        _smooth(run, grid)
        inside = np.flatnonzero(depths >= 0)
        for some in _parts(len(inside)):
            targets = box.place(queries[inside[some]])
            values = np.empty(len(targets.order))
            bands = -(-len(values) // kernels.POINTS)
            args = (targets.cells, targets.frames, design().polynomials, grid, values)
            run(kernels.gather, bands, *args)
            back = inside[some][targets.order]
            error = errors[tuple((targets.cells // _COARSE).T)] + rounding * values
            error += left * np.exp(-0.5 * depths[back] ** 2)
            sums[back], promised[back] = values, values * rtol >= error * (1 + rtol)
    with np.errstate(divide="ignore"):
        return np.log(sums), promised


def _parts(count: int) -> list[slice]:
    """Cut rows so that what is made of a part stays small beside the grid."""
    return [slice(first, first + _PART) for first in range(0, count, _PART)]


def _spread(
    run: Bands,
    box: Box,
    points: NDArray[np.float64],
    weights: NDArray[np.float64],
    own: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a grid with the weights, and a bound on the error for each block of cells."""
    grid = np.zeros(tuple(box.cells + NODES - 1))
    mass = np.zeros(tuple(-(-box.cells // _COARSE)))
    for some in _parts(len(points)):
        sources = box.place(points[some][own[some]])
        heights = weights[some][own[some]][sources.order]
        starts = np.searchsorted(sources.cells[:, 0], np.arange(len(grid) + 1))
        args = (sources.cells, sources.frames, heights, starts, design().polynomials, grid)
        run(kernels.spread, -(-len(grid) // kernels.PLANES), *args)
        places = np.ravel_multi_index(tuple((sources.cells // _COARSE).T), mass.shape)
        mass += np.bincount(places, heights, mass.size).reshape(mass.shape)
    return grid, _errors(mass)


def _smooth(run: Bands, grid: NDArray[np.float64]) -> None:
    """Pass on to the neighbours along each axis, in place."""
    away = np.abs(np.arange(_BLOCK)[:, np.newaxis] + _REACH - np.arange(_BLOCK + 2 * _REACH))
    block = np.append(design().taps, 0.0)[np.minimum(away, _REACH + 1)]
    flat = grid.reshape(len(grid), -1)
    width = max(16, _NUMBERS // len(grid))

    def plane(number: int) -> None:  # its own only
        if grid[number].any():
            between = np.empty_like(grid[number])
            _along(block, grid[number], between)
            _along(block, between.T, grid[number].T)

    def columns(number: int) -> None:  # its own only
        own = flat[:, number * width : (number + 1) * width]
        smooth = np.empty_like(own)
        _along(block, own, smooth)
        own[:] = smooth

    run(plane, len(grid))
    run(columns, -(-flat.shape[1] // width))


def _along(block: NDArray[Any], values: NDArray[Any], out: NDArray[Any]) -> None:
    """Multiply by the banded matrix whose every block is ``block``."""
    for first in range(0, len(values), _BLOCK):
        last = min(first + _BLOCK, len(values))
        low, high = max(0, first - _REACH), min(len(values), last + _REACH)
        own = block[: last - first, low - first + _REACH : high - first + _REACH]
        np.matmul(own, values[low:high], out=out[first:last])


def _errors(mass: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bound the error by the weights that arrive at a block of cells, and by all the others.

    In three columns a Gaussian is a product of three, each at most 1 and off by ``error``.
    """
    near, total, arrives = mass, float(mass.sum()), _REACH + NODES - 1
    for axis in range(3):
        near = _windows(near, -(-arrives // _COARSE), axis)
    error = design().error
    near = np.maximum(near, 0) + 1e-12 * total  # the sums' own rounding
    return np.asarray(
        3 * error * (1 + error) ** 2 * near + total * math.exp(-0.5 * (arrives * _SPACING) ** 2)
    )


def _windows(values: NDArray[np.float64], reach: int, axis: int) -> NDArray[np.float64]:
    """Return sums over all within ``reach`` along an axis."""
    padding = [(0, 0)] * values.ndim
    padding[axis] = (reach + 1, reach)
    sums = np.cumsum(np.pad(values, padding), axis=axis)
    last = np.take(sums, np.arange(2 * reach + 1, sums.shape[axis]), axis=axis)
    return np.asarray(last - np.take(sums, np.arange(values.shape[axis]), axis=axis))
