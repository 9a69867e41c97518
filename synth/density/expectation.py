"""One pass over the data: how likely they are, and what the next mixture is fitted to.

Responsibilities exist for one block of rows at a time. Bands are runs of blocks whose number
depends on the shape of the problem only; their sums are added in order, so the result does not
depend on the threads.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.density.gaussians import Frame, Moments, Parts, Shape
from synth.kernels._jit import Bands, threads
from synth.kernels.cpu import mixture as kernels

__all__ = ["Evaluator", "Rows", "expect", "joined", "workers"]

_LOG2E = math.log2(math.e)
#: Bytes of a block's features: half of a core's second cache.
_BLOCK = 1 << 20
#: Bytes that the sums of all bands may take.
_SUMS = 1 << 23
#: Log-densities may be off by so many nats before a component is computed about its own mean.
_SLACK = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-2}
#: If they may be off by more, they do not even tell which rows are likely to be a component's.
_VAGUE = 0.3
#: How far below the likeliest component, in powers of 2, a score does not matter.
_MARGIN = 120.0
#: Stands for −inf where products must not give NaN.
_NEVER = -1e30


@dataclass(frozen=True)
class Rows:
    """Rows of data: (n, d) float32 or float64, and weights (n,) or None for ones."""

    x: NDArray[Any]
    weights: NDArray[np.float64] | None = None

    @property
    def total(self) -> float:
        """The sum of the weights."""
        return float(len(self.x) if self.weights is None else self.weights.sum())


@contextmanager
def workers() -> Iterator[Bands]:
    """Open threads, and keep BLAS from opening its own in each of them."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"), threads() as run:
        yield run


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
        self.means = parts.means
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
                self.level = np.ascontiguousarray(inverse[0], dtype)
                quadratic = np.empty((components, 0))
        self.constants = constants * _LOG2E
        turned = inverse[:, np.newaxis] if self.shape == "diag" else np.swapaxes(inverse, 1, 2)
        self.transposed = np.ascontiguousarray(turned)
        middle = constants - 0.5 * (linear * parts.means).sum(axis=1)
        theta = np.hstack([quadratic, linear, middle[:, np.newaxis]]) * _LOG2E
        theta[self.vague] = 0.0  # which may not even be finite
        self.theta = np.ascontiguousarray(theta, dtype)


class Evaluator:
    """Scores of one block after the other, in buffers that are used again."""

    def __init__(self, rows: Rows, frame: Frame, table: _Table) -> None:
        self.rows, self.frame, self.table = rows, frame, table
        components, features = table.theta.shape
        size = table.dtype.itemsize
        columns = _BLOCK // (size * (features + components)) // kernels.LANES
        # an odd number of lanes: rows of a power of two of bytes share their places in the cache
        most = -(-len(rows.x) // kernels.LANES)
        self.step = (min(max(columns, 2), 128, most) | 1) * kernels.LANES
        self.z = np.zeros((rows.x.shape[1], self.step), table.dtype)
        self.phi = np.empty((features, self.step), table.dtype)
        self.scores = np.empty((components, self.step), table.dtype)
        self.product = np.empty((components, features), table.dtype)
        self.level, self.weights = np.zeros(self.step), np.zeros(self.step)
        self.logs = np.empty(self.step)

    def at(self, block: int) -> int:
        """Compute shares and logs of a block of rows; returns how many there are.

        The columns beyond them, which keep the block's shape, have no weight.
        """
        table, start = self.table, block * self.step
        rows = self.rows.x[start : start + self.step]
        count = len(rows)
        self.z[:, :count] = self.frame.columns(rows)
        self.z[:, count:] = 0
        given = self.rows.weights
        self.weights[:count] = 1 if given is None else given[start : start + count]
        self.weights[count:] = 0
        if table.shape == "full":
            kernels.features(self.z, self.phi)
        elif table.shape == "diag":
            kernels.squares(self.z, self.phi)
        else:
            self.phi[:-1], self.phi[-1] = self.z, 1
        if table.level is not None:
            white = table.level @ self.z
            self.level[:] = np.einsum("dm,dm->m", white, white) * (-0.5 * _LOG2E)
        np.matmul(table.theta, self.phi, out=self.scores)
        if len(table.narrow):
            kernels.centred_scores(
                self.z,
                self.scores,
                table.means,
                table.transposed,
                table.constants,
                table.narrow,
                table.vague,
                _MARGIN,
            )
        share = kernels.shares if table.dtype == np.float64 else kernels.shares_single
        share(self.scores, self.level, self.weights, self.logs)
        return count

    def add_to(self, sums: NDArray[np.float64]) -> float:
        """Add the block's R φᵀ to sums (K, D); returns its weighted log2-likelihood."""
        table = self.table
        if len(table.narrow):
            full = table.shape == "full"
            kernels.centred_sums(
                self.z, self.scores, table.means, full, 1e-25 * self.weights, table.narrow, sums
            )
        sums += np.matmul(self.scores, self.phi.T, out=self.product)
        return float(self.logs @ self.weights)


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
    blocks = -(-len(rows.x) // Evaluator(rows, frame, table).step)
    bands = min(blocks, max(8, min(64, _SUMS // (8 * table.theta.size))))

    def band(number: int) -> tuple[float, NDArray[np.float64]]:
        evaluator, sums, total = Evaluator(rows, frame, table), np.zeros(table.theta.shape), 0.0
        for block in range(number * blocks // bands, (number + 1) * blocks // bands):
            evaluator.at(block)
            total += evaluator.add_to(sums)
        return total, sums

    found = run(band, bands)
    sums = found[0][1]
    for _, more in found[1:]:
        sums += more
    return sum(total for total, _ in found) / _LOG2E - frame.log_size * rows.total, _moments(
        sums, table, parts.shape, second
    )


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
    shift[table.narrow] = table.means[table.narrow]
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
    step = Evaluator(rows, frame, table).step
    blocks = -(-len(out) // step)
    bands = min(blocks, 64)

    def band(number: int) -> None:  # writes its own rows only
        evaluator = Evaluator(rows, frame, table)
        for block in range(number * blocks // bands, (number + 1) * blocks // bands):
            count = evaluator.at(block)
            own = slice(block * step, block * step + count)
            out[own] = evaluator.logs[:count] / _LOG2E - frame.log_size
            if shares is not None:
                shares[own] = evaluator.scores[:, :count].T

    run(band, bands)
    return out
