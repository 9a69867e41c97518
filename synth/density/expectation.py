"""One pass over the data: how likely they are, and what the next mixture is fitted to.

Responsibilities exist for one block of rows at a time. Bands are runs of blocks whose number
depends on the shape of the problem only; their sums are added in order, so the result does not
depend on the threads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.density.gaussians import Frame, Moments, Parts, Shape
from synth.kernels._jit import Bands
from synth.kernels.cpu import mixture_bands as kernels

__all__ = ["Rows", "expect", "frozen", "joined", "reached"]

_LOG2E = math.log2(math.e)
#: Bytes of a block with its features: part of a core's second cache.
_BLOCK = 1 << 18
#: Columns from which sums over the rows with a share in a component are less work than over all.
_WIDE = 20
#: Log-densities may be off by so many nats before a component is computed about its own mean.
_SLACK = {np.dtype(np.float64): 1e-9, np.dtype(np.float32): 1e-2}
#: If they may be off by more, they do not even tell which rows are likely to be a component's.
_VAGUE = 0.3
#: Stands for −inf where products must not give NaN.
_NEVER = -1e30
#: Below it a log-density may come of a row so far off that its square is no number.
_FAR = -1e270
_KINDS = {"full": kernels.FULL, "diag": kernels.DIAGONAL, "tied": kernels.TIED}


@dataclass(frozen=True)
class Rows:
    """Rows of data: (n, d) float32 or float64, and weights (n,) or None for ones."""

    x: NDArray[Any]
    weights: NDArray[np.float64] | None = None

    @property
    def total(self) -> float:
        """The sum of the weights."""
        return float(len(self.x) if self.weights is None else self.weights.sum())


def frozen(rows: Rows) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return rows and weights, (0,) for ones, as kernels take them.

    They are marked as read-only, so that a kernel is not compiled once more for rows that are.
    """
    weights = np.empty(0) if rows.weights is None else rows.weights.view()
    x = rows.x.view()
    x.flags.writeable = weights.flags.writeable = False
    return x, weights


def _constants(parts: Parts, roots: NDArray[Any]) -> NDArray[np.float64]:
    """Return log wₖ − log |Lₖ| − d/2 log 2π, (K,), for roots (K, d, d) or (K, d)."""
    diagonal = roots if roots.ndim == 2 else np.diagonal(roots, axis1=1, axis2=2)
    width = parts.means.shape[1]
    logs = np.maximum(parts.log_weights, _NEVER)
    return np.asarray(logs - np.log(diagonal).sum(axis=1) - width / 2 * math.log(2 * math.pi))


class _Table:
    """What scores are computed from: θ for φ, and the components that need their own centre.

    θ φ(x) loses the digits by which its terms exceed their sum: for a narrow component far from
    the middle of the frame. Those are computed from L⁻¹(x − μ), and their sums are taken about μ.
    """

    def __init__(self, parts: Parts, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.shape = parts.shape
        self.means = np.array(parts.means, order="C")
        components, width = parts.means.shape
        self.level: NDArray[Any] | None = None
        if parts.shape == "diag":
            inverse = 1 / np.sqrt(parts.covariances)
            constants = _constants(parts, 1 / inverse)
            precision = np.square(inverse)
            linear = precision * parts.means
            sizes = (precision * (parts.means**2 + parts.covariances)).sum(axis=1)
            quadratic = -0.5 * precision
        else:
            roots = np.linalg.cholesky(parts.covariances).reshape(-1, width, width)
            inverse = np.linalg.inv(roots)
            constants = _constants(parts, roots)
            precision = np.swapaxes(inverse, 1, 2) @ inverse
            linear = (precision @ parts.means[:, :, np.newaxis])[:, :, 0]
            spread = parts.covariances.reshape(-1, width, width)
            size = np.sqrt(np.diagonal(spread, axis1=1, axis2=2))
            reach = np.abs(parts.means) + size
            sizes = ((np.abs(precision) @ reach[:, :, np.newaxis])[:, :, 0] * reach).sum(axis=1)
            upper = np.triu_indices(width)
            quadratic = -0.5 * precision[:, upper[0], upper[1]]
            quadratic[:, upper[0] != upper[1]] *= 2
        error = np.broadcast_to(sizes * float(np.finfo(dtype).eps), components)
        self.narrow = np.flatnonzero(error > _SLACK[dtype])
        self.vague = error > _VAGUE
        if parts.shape == "tied":
            if len(self.narrow):  # one covariance: all are narrow, or none
                self.shape, self.narrow = "full", np.arange(components)
                inverse = np.broadcast_to(inverse, (components, width, width))
                quadratic = np.broadcast_to(quadratic, (components, quadratic.shape[1]))
            else:
                self.level = np.ascontiguousarray(np.tril(inverse[0]), dtype)
                quadratic = np.empty((components, 0))
        self.constants = constants * _LOG2E
        self.inverse = np.empty((1, 1, 1))
        if len(self.narrow):
            self.inverse = _padded(inverse[:, np.newaxis] if self.shape == "diag" else inverse)
        middle = constants - 0.5 * (linear * parts.means).sum(axis=1)
        theta = np.hstack([quadratic, linear, middle[:, np.newaxis]]) * _LOG2E
        theta[self.vague] = 0.0  # which may not even be finite
        self.theta = np.ascontiguousarray(theta, dtype)

    def model(self, frame: Frame) -> kernels.Model:
        """Return what the kernels compute with."""
        inward = np.diag(frame.inward) if frame.inward.ndim == 1 else frame.inward
        return kernels.Model(
            _KINDS[self.shape],
            np.array(frame.center),
            _padded(inward),
            _padded(self.theta),
            _padded(np.empty((0, 0), self.dtype) if self.level is None else self.level),
            self.means,
            self.inverse,
            self.constants,
            self.narrow,
            self.vague,
        )

    def blocks(self, count: int) -> _Blocks:
        """Choose blocks of rows; they depend on the shape of the problem only."""
        width, size = self.means.shape[1], self.dtype.itemsize
        lanes = kernels.LANES
        if self.wide:
            fit, part = max(min(count // 16, 2048), 3 * lanes), 2 * kernels.VECTOR // size
        else:
            columns = sum(self.theta.shape) + 3 * width
            fit, part = max(min(_BLOCK // (size * columns), 544, count), lanes), 0
        # an odd number of lanes: rows of a power of two of bytes share their places in the cache
        step = (fit // lanes | 1) * lanes
        return _Blocks(step, part or step)

    @property
    def wide(self) -> bool:
        """Whether sums are over the rows that have a share, component by component."""
        return self.shape == "full" and self.means.shape[1] >= _WIDE

    @property
    def own(self) -> NDArray[np.intp]:
        """The components whose sums are about their own means."""
        return np.arange(len(self.means)) if self.wide else self.narrow


def _padded(matrix: NDArray[Any]) -> NDArray[Any]:
    """Add rows of zeros to matrices, as many as tiles need."""
    rows = matrix.shape[-2]
    more = -rows % kernels.TALL
    return np.pad(matrix, [(0, 0)] * (matrix.ndim - 2) + [(0, more), (0, 0)])


@dataclass(frozen=True)
class _Blocks:
    """Rows of a block, and those whose features are made at once."""

    step: int
    part: int

    def bands(self, count: int, most: int) -> list[tuple[int, int]]:
        """Return the rows at which bands begin and end."""
        blocks = -(-count // self.step)
        bands = min(blocks, most)
        edges = [min(number * blocks // bands * self.step, count) for number in range(bands + 1)]
        return list(pairwise(edges))


def expect(
    run: Bands,
    rows: Rows,
    frame: Frame,
    parts: Parts,
    dtype: np.dtype[Any],
    second: NDArray[np.float64] | None,
) -> tuple[float, Moments]:
    """Return Σ wᵢ log p(xᵢ) in nats, and the moments by component, in the frame.

    Parameters
    ----------
    run : Bands
        From `workers`.
    rows, frame : Rows, Frame
    parts : Parts
        In the frame.
    dtype : numpy.dtype
        Of the products: float32, where that tells likely rows from others, or float64.
    second : (d, d) ndarray
        Σ wᵢ zᵢ zᵢᵀ / Σ wᵢ in the frame; for "tied" only.
    """
    table = _Table(parts, dtype)
    if dtype == np.float32 and table.vague.any():
        table = _Table(parts, np.dtype(np.float64))
    model, blocks = table.model(frame), table.blocks(len(rows.x))
    bands = blocks.bands(len(rows.x), 32)
    x, weights = frozen(rows)

    def band(number: int) -> tuple[float, NDArray[np.float64]]:
        sums = np.zeros((len(parts.means), table.theta.shape[1]))
        first, last = bands[number]
        total = kernels.sum_band(
            x, weights, first, last, model, table.own, blocks.step, blocks.part, sums
        )
        return total, sums

    total, sums = 0.0, np.zeros((len(parts.means), table.theta.shape[1]))
    for more, own in run.ordered(band, len(bands)):
        total += more
        sums += own
    total = total / _LOG2E - frame.log_size * rows.total
    return total, _moments(sums, table, parts.shape, second)


def _moments(
    sums: NDArray[np.float64],
    table: _Table,
    shape: Shape,
    second: NDArray[np.float64] | None,
) -> Moments:
    components, width = table.means.shape
    count = sums[:, -1]
    sums = sums / np.maximum(count, 1e-300)[:, np.newaxis]
    mean = sums[:, -1 - width : -1]
    shift = np.zeros_like(mean)
    shift[table.own] = table.means[table.own]
    if table.shape == "tied":
        assert second is not None
        share = (count / count.sum())[:, np.newaxis]
        return Moments(count, mean, second - (share * mean).T @ mean, shape)
    if table.shape == "diag":
        return Moments(count, mean + shift, sums[:, :width] - mean**2, shape)
    spread = np.empty((components, width, width))
    first, other = np.triu_indices(width)
    spread[:, first, other] = spread[:, other, first] = sums[:, : -1 - width]
    spread -= mean[:, :, np.newaxis] * mean[:, np.newaxis]
    if shape == "tied":
        spread = np.tensordot(count / count.sum(), spread, 1)
    return Moments(count, mean + shift, spread, shape)


def joined(
    run: Bands,
    rows: Rows,
    frame: Frame,
    parts: Parts,
    shares: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return log p(x) of each row, (n,), and write the responsibilities (n, K) if asked for."""
    table = _Table(parts, np.dtype(np.float64))
    out = np.empty(len(rows.x))
    model, blocks = table.model(frame), table.blocks(len(rows.x))
    bands, x = blocks.bands(len(out), 64), frozen(rows)[0]
    wanted = np.empty((0, 0)) if shares is None else shares

    def band(number: int) -> None:  # writes its own rows only
        first, last = bands[number]
        kernels.answer_band(x, first, last, model, blocks.step, blocks.part, out, wanted)

    run(band, len(bands))
    return reached(out / _LOG2E - frame.log_size)


def reached(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Write −∞ for what is so low that its squares may have been no numbers."""
    logs[logs < _FAR] = -np.inf
    return logs
