"""The shapes of kernels: how high, how wide, what is left when columns go or are known.

All are round in the metric of the kernel's covariance H: k(r) of r² = uᵀ H⁻¹ u, and all have that
covariance, so one bandwidth means the same width for each.

Kernels on a ball, (1 − r²/R²)ᵖ with R² = d + 2 + 2p (Pearson's type II), hold together: a
marginal over d' columns has the power p + (d − d') / 2 and the same R, and a conditional has the
power p and a smaller ball. The top hat is p = 0, Epanechnikov's kernel p = 1, and the Gaussian the
limit. The exponential and the triangle have marginals of another shape.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from synth.arguments import check_choice
from synth.errors import InputError

__all__ = ["Kernel", "Shape", "shape_of"]

Kernel = Literal["gaussian", "epanechnikov", "tophat", "triangular", "exponential"]


def shape_of(kernel: Kernel, width: int, power: float | None = None) -> Shape:
    """Return the shape of a kernel over ``width`` columns, if it has no other power."""
    check_choice(kernel, "kernel", get_args(Kernel))
    if power is None:
        power = 1.0 if kernel == "epanechnikov" else 0.0
    return Shape(kernel, width, power)


@dataclass(frozen=True)
class Shape:
    """One kernel over so many columns.

    Attributes
    ----------
    kernel : str
    width : int
        d, the columns.
    power : float
        p, of kernels on a ball; 0 for others.
    """

    kernel: Kernel
    width: int
    power: float = 0.0

    @property
    def ball(self) -> bool:
        """Whether it is (1 − r²/R²)ᵖ."""
        return self.kernel in ("epanechnikov", "tophat")

    @property
    def compact(self) -> bool:
        """Whether it is 0 from a radius on."""
        return self.ball or self.kernel == "triangular"

    @property
    def scale(self) -> float:
        """Where a compact kernel ends, or how far an exponential falls by e; in bandwidths."""
        d = self.width
        if self.ball:
            return math.sqrt(d + 2 + 2 * self.power)
        if self.kernel == "triangular":
            return math.sqrt((d + 2) * (d + 3) / (d + 1))
        return 1 / math.sqrt(d + 1) if self.kernel == "exponential" else 1.0

    @property
    def reach(self) -> float:
        """How many bandwidths away a kernel is below 1e-17 of its height."""
        if self.compact:
            return self.scale
        return 40.0 * self.scale if self.kernel == "exponential" else 9.0

    @property
    def log_volume(self) -> float:
        """The log of the integral of k(|u|) over all u."""
        d = self.width
        sphere = math.log(2) + d / 2 * math.log(math.pi) - math.lgamma(d / 2)
        whole = sphere + d * math.log(self.scale)
        if self.ball:
            return whole - math.log(2) + _log_beta(d / 2, self.power + 1)
        if self.kernel == "triangular":
            return whole - math.log(d * (d + 1))
        if self.kernel == "exponential":
            return whole + math.lgamma(d)
        return d / 2 * math.log(2 * math.pi)

    def log_heights(self, squares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log k(r) of r², 0 at the middle, −∞ beyond a compact kernel's end."""
        if self.kernel == "gaussian":
            return -0.5 * squares
        if self.kernel == "exponential":
            return -np.sqrt(squares) / self.scale
        left = 1 - squares / self.scale**2
        if self.kernel == "triangular":
            left = left / (1 + np.sqrt(squares) / self.scale)
        power = 1.0 if self.kernel == "triangular" else self.power
        with np.errstate(divide="ignore"):
            logs = power * np.log(np.maximum(left, 1e-300))
        return np.asarray(np.where(left >= 0, logs, -np.inf))

    def radii(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the radius inside which so much of a kernel lies; not for Gaussians."""
        from scipy.special import betaincinv, gammaincinv

        d = self.width
        if self.kernel == "exponential":
            return np.asarray(gammaincinv(d, probability) * self.scale)
        if self.kernel == "triangular":
            return np.asarray(betaincinv(d, 2, probability) * self.scale)
        return np.asarray(np.sqrt(betaincinv(d / 2, self.power + 1, probability)) * self.scale)

    def cumulative(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share of a kernel over one column that lies below t bandwidths."""
        from scipy.special import betainc, ndtr

        if self.kernel == "gaussian":
            return np.asarray(ndtr(t))
        far = np.abs(t) / self.scale
        if self.kernel == "exponential":
            beyond = 0.5 * np.exp(-far)
        elif self.kernel == "triangular":
            beyond = 0.5 * np.square(np.maximum(1 - far, 0))
        else:
            beyond = 0.5 * betainc(self.power + 1, 0.5, np.maximum(1 - np.square(far), 0))
        return np.asarray(np.where(t < 0, beyond, 1 - beyond))

    def marginal(self, width: int) -> Shape:
        """Return what is left over ``width`` of the columns."""
        if self.kernel == "gaussian" or width == self.width:
            return replace(self, width=width)
        self._closed("marginal")
        return replace(self, width=width, power=self.power + (self.width - width) / 2)

    def given(self, known: int) -> Shape:
        """Return the shape where so many columns are known; each kernel has its own ball."""
        self._closed("given")
        return replace(self, width=self.width - known)

    def _closed(self, verb: str) -> None:
        if self.kernel != "gaussian" and not self.ball:
            raise InputError(
                f"{verb} is not to be had with kernel={self.kernel!r}, of which another shape "
                "would be left; take 'gaussian', 'epanechnikov' or 'tophat'"
            )


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
