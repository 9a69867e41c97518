"""The Gaussians of a mixture, the frame they are computed in, and the sums they are fitted to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Frame", "Moments", "Parts", "Shape", "frame_of", "total_covariance"]

#: What `Parts.covariances` is: (K, d, d), (d, d) or (K, d).
Shape = Literal["full", "tied", "diag"]
#: Smallest share of a column's variance that a frame tells apart, for columns that almost agree.
_LEAST = 1e-10


@dataclass(frozen=True)
class Parts:
    """K Gaussians in d dimensions.

    Attributes
    ----------
    log_weights : (K,) ndarray
        −inf for a component without weight.
    means : (K, d) ndarray
    covariances : (K, d, d), (d, d) or (K, d) ndarray
    shape : {"full", "tied", "diag"}
    """

    log_weights: NDArray[np.float64]
    means: NDArray[np.float64]
    covariances: NDArray[np.float64]
    shape: Shape

    def full(self) -> NDArray[np.float64]:
        """Return every covariance as a matrix, (K, d, d)."""
        if self.shape == "full":
            return self.covariances
        if self.shape == "tied":
            return np.broadcast_to(self.covariances, (len(self.means), *self.covariances.shape))
        return np.asarray(self.covariances[:, :, np.newaxis] * np.eye(self.means.shape[1]))


@dataclass(frozen=True)
class Frame:
    """Coordinates z = W (x − center) in which the data have about unit size.

    Attributes
    ----------
    center : (d,) ndarray
    inward : (d, d) or (d,) ndarray
        W, a lower triangle; one axis for a diagonal matrix.
    outward : (d, d) or (d,) ndarray
        Its inverse.
    """

    center: NDArray[np.float64]
    inward: NDArray[np.float64]
    outward: NDArray[np.float64]

    @property
    def log_size(self) -> float:
        """Return log |W⁻¹|: what a log-density in the frame has too much."""
        diagonal = self.outward if self.outward.ndim == 1 else np.diag(self.outward)
        return float(np.log(diagonal).sum())

    def columns(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        """Take rows (m, d) into the frame, as columns (d, m)."""
        apart = np.subtract(rows.T, self.center[:, np.newaxis], dtype=np.float64, order="C")
        if self.inward.ndim == 1:
            return np.asarray(np.multiply(apart, self.inward[:, np.newaxis], out=apart))
        return np.asarray(self.inward @ apart)

    def enter(self, parts: Parts) -> Parts:
        """Take Gaussians into the frame."""
        return Parts(
            parts.log_weights,
            np.ascontiguousarray(self.columns(parts.means).T),
            _turned(self.inward, parts.covariances, parts.shape),
            parts.shape,
        )

    def leave(self, parts: Parts) -> Parts:
        """Take Gaussians of the frame back to the units of the data."""
        if self.outward.ndim == 1:
            means = parts.means * self.outward
        else:
            means = parts.means @ self.outward.T
        covariances = _turned(self.outward, parts.covariances, parts.shape)
        return Parts(parts.log_weights, means + self.center, covariances, parts.shape)


def _turned(
    matrix: NDArray[np.float64], covariances: NDArray[np.float64], shape: Shape
) -> NDArray[np.float64]:
    if shape == "diag":
        return np.asarray(covariances * np.square(matrix))
    if matrix.ndim == 1:
        return np.asarray(covariances * np.outer(matrix, matrix))
    turned = matrix @ covariances @ matrix.T
    return np.asarray((turned + np.swapaxes(turned, -1, -2)) / 2)


def frame_of(center: NDArray[np.float64], covariance: NDArray[np.float64], kind: str) -> Frame:
    """Choose the frame for data of this mean and covariance.

    Parameters
    ----------
    center : (d,)
    covariance : (d, d), or (d,) where only variances are known
    kind : str
        "full" and "tied" are the same in any coordinates, so the data are whitened; "diag" allows
        a scale for each column; for all others one scale must do.
    """
    variances = covariance if covariance.ndim == 1 else np.diag(covariance)
    variances = np.maximum(variances, 1e-300)
    if kind in ("full", "tied") and covariance.ndim == 2:
        scale = np.sqrt(variances)
        correlation = covariance / np.outer(scale, scale)
        root = np.linalg.cholesky(correlation + _LEAST * len(scale) * np.eye(len(scale)))
        outward = scale[:, np.newaxis] * root
        return Frame(center, np.tril(np.linalg.inv(outward)), outward)
    if kind in ("full", "tied", "diag"):
        return Frame(center, 1 / np.sqrt(variances), np.sqrt(variances))
    size = math.sqrt(variances.mean())
    return Frame(center, np.full(len(center), 1 / size), np.full(len(center), size))


@dataclass(frozen=True)
class Moments:
    """Weighted sums over rows, by component.

    Attributes
    ----------
    count : (K,) ndarray
        Sums of the responsibilities, times the rows' weights.
    mean : (K, d) ndarray
    spread : (K, d, d), (d, d) or (K, d) ndarray
        Covariance about the mean; of all components together for "tied".
    shape : {"full", "tied", "diag"}
    """

    count: NDArray[np.float64]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    shape: Shape

    def scaled(self, factor: float) -> Moments:
        """Count every row ``factor`` times."""
        return Moments(self.count * factor, self.mean, self.spread, self.shape)

    def plus(self, other: Moments) -> Moments:
        """Return the moments of both sets of rows."""
        count = self.count + other.count
        share = (other.count / np.maximum(count, 1e-300))[:, np.newaxis]
        apart = other.mean - self.mean
        mean = self.mean + share * apart
        between = share * (1 - share)
        if self.shape == "tied":
            mass = count[:, np.newaxis] * between * apart
            total = self.count.sum() * self.spread + other.count.sum() * other.spread
            spread = (total + mass.T @ apart) / count.sum()
        elif self.shape == "diag":
            spread = (1 - share) * self.spread + share * other.spread + between * apart**2
        else:
            part, outer = share[:, :, np.newaxis], apart[:, :, np.newaxis] * apart[:, np.newaxis]
            spread = (1 - part) * self.spread + part * other.spread
            spread += between[:, :, np.newaxis] * outer
        return Moments(count, mean, np.asarray(spread), self.shape)


def total_covariance(parts: Parts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean (d,) and covariance (d, d) of the whole mixture, or (d,) of the variances."""
    weights = np.exp(parts.log_weights)
    mean = weights @ parts.means
    apart = parts.means - mean
    if parts.shape == "diag":
        return mean, weights @ (parts.covariances + apart**2)
    within = parts.covariances
    if parts.shape == "full":
        within = np.tensordot(weights, parts.covariances, 1)
    return mean, within + (apart * weights[:, np.newaxis]).T @ apart
