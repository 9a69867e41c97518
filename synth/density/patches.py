"""Planes as patches, and what a mixture says of them: the steps all uses of a prior share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.density.channels import cosines
from synth.density.gaussians import Parts
from synth.kernels._jit import Bands
from synth.kernels.cpu import mixture_bands, patches

__all__ = [
    "Corners",
    "Expert",
    "Spectra",
    "basis",
    "coordinates",
    "mean_answer",
]

#: Patches of a block: its tables stay small, and most components get more than a few of them.
_BLOCK = 4096
#: Above this ratio of largest to smallest variance the scores are computed in float64.
_STEEP = 1e7


def basis(side: int) -> NDArray[np.float32]:
    """Return orthonormal coordinates of patches without their mean, (side² − 1, side²)."""
    whole = np.kron(cosines(side), cosines(side))
    return np.ascontiguousarray(whole[1:], np.float32)


@dataclass(frozen=True)
class Corners:
    """Top-left corners of patches: rows and columns, (n,) int64, in row-major order."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]

    @classmethod
    def grid(
        cls, shape: Sequence[int], side: int, stride: int = 1, shift: tuple[int, int] = (0, 0)
    ) -> Corners:
        """Return every stride-th patch each way, from the shift, and those along the edges."""
        lines = []
        for size, first in zip(shape, shift, strict=True):
            last = size - side
            lines.append(np.unique(np.r_[0, np.arange(first % stride, last + 1, stride), last]))
        rows, columns = np.meshgrid(*lines, indexing="ij")
        return cls(rows.ravel().astype(np.int64), columns.ravel().astype(np.int64))

    def touching(self, mask: NDArray[np.bool_], side: int) -> Corners:
        """Return those of patches with at least one pixel of the mask."""
        below = np.pad(mask.astype(np.int64), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
        inside = below[side:, side:] - below[:-side, side:]
        inside += below[:-side, :-side] - below[side:, :-side]
        own = inside[self.rows, self.columns] > 0
        return Corners(self.rows[own], self.columns[own])

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, start: int, end: int) -> Corners:
        """Return the corners start … end − 1."""
        return Corners(self.rows[start:end], self.columns[start:end])


def coordinates(
    plane: NDArray[np.float32], corners: Corners, inward: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return patches without their means, (d, n), in orthonormal coordinates, and the means."""
    table = np.empty((inward.shape[1], len(corners)), np.float32)
    patches.gather(plane, corners.rows, corners.columns, table)
    return inward @ table, table.mean(axis=0)


@dataclass(frozen=True)
class Spectra:
    """K Gaussians around 0 by the variances along their own axes.

    Attributes
    ----------
    log_weights : (K,) ndarray
    values : (K, d) ndarray
        Variances, rising.
    vectors : (K, d, d) ndarray
        The axes, one a column.
    """

    log_weights: NDArray[np.float64]
    values: NDArray[np.float64]
    vectors: NDArray[np.float64]

    @classmethod
    def of(cls, parts: Parts) -> Spectra:
        """Take the covariances of Gaussians apart; their means are taken for 0."""
        values, vectors = np.linalg.eigh(parts.covariances)
        return cls(parts.log_weights, values, vectors)


class Expert:
    """The most probable clean patch for a noisy one: one component's Wiener filter.

    With white noise of variance s the components are N(0, Cₖ + s I). The likeliest one is taken,
    and the answer is Cₖ (Cₖ + s I)⁻¹ z (Zoran & Weiss 2011, section 3.4).

    Parameters
    ----------
    spectra : Spectra
    variance : float
        s, of the noise.
    """

    def __init__(self, spectra: Spectra, variance: float) -> None:
        width = spectra.values.shape[1]
        values, vectors = spectra.values + variance, spectra.vectors
        inverse = (vectors / values[:, np.newaxis]) @ np.swapaxes(vectors, 1, 2)
        steep = values[:, -1].max() / values[:, 0].min() > _STEEP
        self.dtype: np.dtype[Any] = np.dtype(np.float64 if steep else np.float32)
        upper = np.triu_indices(width)
        quadratic = -0.5 * inverse[:, upper[0], upper[1]]
        quadratic[:, upper[0] != upper[1]] *= 2
        rows = -(-len(values) // mixture_bands.TALL) * mixture_bands.TALL
        theta = np.zeros((rows, quadratic.shape[1] + width + 1))
        theta[: len(values), : quadratic.shape[1]] = quadratic
        theta[: len(values), -1] = spectra.log_weights - 0.5 * np.log(values).sum(axis=1)
        self.theta = np.ascontiguousarray(theta, self.dtype)
        self.filters = (np.eye(width) - variance * inverse).astype(np.float32)

    def choose(self, z: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the likeliest component of each column of z (d, m), (m,)."""
        best = np.empty(z.shape[1], np.int64)
        mixture_bands.likeliest(z, self.theta, len(self.filters), best)
        return best

    def __call__(self, z: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the most probable clean columns, (d, m)."""
        best = self.choose(z)
        order = np.argsort(best, kind="stable")
        first = np.searchsorted(best[order], np.arange(len(self.filters) + 1))
        out = np.empty_like(z)
        for k in np.flatnonzero(np.diff(first)):
            mine = order[first[k] : first[k + 1]]
            out[:, mine] = self.filters[k] @ z[:, mine]
        return out


def mean_answer(
    run: Bands,
    plane: NDArray[np.float32],
    corners: Corners,
    expert: Expert,
    inward: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sum over patches of what each says of a pixel, (h, w), and how many say it.

    Parameters
    ----------
    run : Bands
        From `synth.density.expectation.workers`.
    plane : (h, w) float32
    corners : Corners
    expert : Expert
    inward : (d, side²) float32
        From `basis`.
    """
    side = round(inward.shape[1] ** 0.5)
    blocks = -(-len(corners) // _BLOCK)
    bands = min(blocks, 32)
    sums, counts = np.zeros(plane.shape), np.zeros(plane.shape)

    def band(number: int) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
        start = number * blocks // bands * _BLOCK
        mine = corners.part(start, (number + 1) * blocks // bands * _BLOCK)
        first, end = int(mine.rows[0]), int(mine.rows[-1]) + side
        own, times = np.zeros((2, end - first, plane.shape[1]))
        for at in range(0, len(mine), _BLOCK):
            block = mine.part(at, at + _BLOCK)
            z, level = coordinates(plane, block, inward)
            clean = inward.T @ expert(z)
            clean += level
            patches.scatter(clean, block.rows, block.columns, first, own)
            clean.fill(1)
            patches.scatter(clean, block.rows, block.columns, first, times)
        return first, own, times

    for first, own, times in run(band, bands):  # in order, whichever thread was first
        sums[first : first + len(own)] += own
        counts[first : first + len(own)] += times
    return sums, counts
