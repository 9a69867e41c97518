"""Kernels of one covariance on the rows of data, in a space that may have edges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from synth.density.blas import one_blas_thread
from synth.density.edges import Edges
from synth.density.shapes import Shape
from synth.density.sums import Summands, Way, kernel_log_sums

__all__ = ["Smoothing", "middle_of"]

#: So many rows tell where the middle is.
_SOME = 1000


def middle_of(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return about the median of each column, (d,), which one far row does not move."""
    return np.asarray(np.median(rows[:: -(-len(rows) // _SOME)], axis=0))


@dataclass(frozen=True)
class Smoothing:
    """What a kernel density is evaluated from.

    Attributes
    ----------
    points : (n, d) ndarray
    log_weights : (n,) ndarray
        Their exponentials add up to 1.
    covariance : (d, d) ndarray
    precision : (n,) ndarray or None
        How much narrower than the covariance each kernel is, as a variance; 1 if None.
    shape : Shape
    edges : Edges
    """

    points: NDArray[np.float64]
    log_weights: NDArray[np.float64]
    covariance: NDArray[np.float64]
    precision: NDArray[np.float64] | None
    shape: Shape
    edges: Edges

    @cached_property
    def root(self) -> NDArray[np.float64]:
        """The lower Cholesky factor of the covariance, (d, d)."""
        return np.asarray(np.linalg.cholesky(self.covariance))

    @cached_property
    def kernels(self) -> Summands:
        """The kernels in units of the bandwidth."""
        return Summands(self.whiten(self.points), self.log_weights, self.precision, self.shape)

    @cached_property
    def center(self) -> NDArray[np.float64]:
        """The median of some rows, (d,): taken away first, or a constant would eat digits."""
        return middle_of(self.points)

    def whiten(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return rows from the center on, in units of the bandwidth."""
        from scipy.linalg import solve_triangular

        widths, rows = np.diag(self.root), rows - self.center
        if np.array_equal(self.root, np.diag(widths)):
            return rows / widths
        with one_blas_thread():
            return np.ascontiguousarray(solve_triangular(self.root, rows.T, lower=True).T)

    def log_prob(self, queries: NDArray[np.float64], way: Way) -> NDArray[np.float64]:
        """Return the log-density at each row, (m,)."""
        total = np.full(len(queries), -np.inf)
        inside = self.edges.inside(queries)
        for sign, shift in self.edges.images(self._reach()):
            image = self.whiten(sign * inside + shift)
            total = np.logaddexp(total, kernel_log_sums(self.kernels, image, way))
        total[self.edges.outside(queries)] = -np.inf
        return np.asarray(total - np.log(np.diag(self.root)).sum() - self.shape.log_volume)

    def moved(self, picks: NDArray[np.intp], noise: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return some of the points, each moved by noise in units of its kernel."""
        noise = noise @ self.root.T
        if self.precision is not None:
            noise /= np.sqrt(self.precision[picks])[:, np.newaxis]
        return self.edges.inside(self.points[picks] + noise)

    def line(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return points, bandwidths and weights of the first column, (n,) each."""
        widths = np.full(len(self.points), math.sqrt(self.covariance[0, 0]))
        if self.precision is not None:
            widths = widths / np.sqrt(self.precision)
        return self.points[:, 0], widths, np.exp(self.log_weights)

    def squares(self, place: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Return r² of each image of one place from each kernel; none beyond the bounds."""
        if self.edges.outside(place[np.newaxis])[0]:
            return []
        found = []
        for sign, shift in self.edges.images(self._reach()):
            image = self.whiten((sign * place + shift)[np.newaxis])
            found.append(np.square(self.kernels.points - image).sum(axis=1))
        return found

    def _reach(self) -> NDArray[np.float64]:
        """Return how far the widest kernel goes along each column, (d,)."""
        widths = np.sqrt(np.diag(self.covariance))
        if self.precision is not None:
            widths = widths / math.sqrt(self.precision.min())
        return np.asarray(widths * self.shape.reach)
