"""One column each: from its own density to normal scores, and back.

A marginal with distribution F and density f takes x to z = Φ⁻¹(F(x)), which is standard normal;
the slope of that map is f(x) / φ(z).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from synth.density.bandwidths import settle
from synth.rows import check_spread

__all__ = ["Histogram", "KernelMarginal", "Marginal", "Scores", "level_edges"]

#: z and log dz/dx, each (m,).
Scores = tuple[NDArray[np.float64], NDArray[np.float64]]
_HALF_LOG = 0.5 * math.log(2 * math.pi)
#: Values so close, in bandwidths, share a kernel at their mean: it is as if the bandwidth were a
#: thousandth smaller.
_CLOSE = 0.125
#: Numbers of a table of values by kernels (8 MiB).
_TABLE = 1 << 20
#: Below this probability the distribution is computed in logarithms.
_TAIL = 1e-3
_STEPS = 60


class Marginal(Protocol):
    """What `synth.Copula` needs of a column."""

    def scores(self, x: NDArray[np.float64]) -> Scores:
        """Return the normal scores of values, and the logarithm of the map's slope."""

    def values(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values that have these normal scores."""

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """Return what `of_arrays` makes it of again."""


class KernelMarginal:
    """A Gaussian kernel on each value, one for all that are within an eighth of a bandwidth.

    Parameters
    ----------
    x : (n,) ndarray
    weights : (n,) ndarray
    name : str
        For errors.
    """

    def __init__(self, x: NDArray[np.float64], weights: NDArray[np.float64], name: str) -> None:
        order = np.argsort(x, kind="stable")
        x, weights = x[order], weights[order]
        check_spread(x, name, "leave it out, or take 'levels'")
        spread = settle("scott", x[:, np.newaxis], weights, False, lambda _: 0.0)
        self.width = math.sqrt(float(spread[0, 0]))
        cells = np.floor((x - x[0]) / (_CLOSE * self.width))
        starts = np.flatnonzero(np.diff(cells, prepend=-1.0))
        total = np.add.reduceat(weights, starts)
        self.points = np.add.reduceat(weights * x, starts) / total
        self.weights = total / total.sum()

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """Return what `of_arrays` makes it of again."""
        return {"points": self.points, "weights": self.weights, "width": np.array(self.width)}

    @classmethod
    def of_arrays(cls, held: Mapping[str, NDArray[np.float64]]) -> KernelMarginal:
        """Make it of what `arrays` returned."""
        new = cls.__new__(cls)
        new.points, new.weights = held["points"], held["weights"]
        new.width = float(held["width"])
        return new

    def scores(self, x: NDArray[np.float64]) -> Scores:
        """Return normal scores, (m,), and log dz/dx, (m,): exact however far out."""
        found = [self._scores(part) for part in self._parts(x)]
        return np.concatenate([z for z, _ in found]), np.concatenate([s for _, s in found])

    def _parts(self, x: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        step = max(1, _TABLE // len(self.points))
        return [x[start : start + step] for start in range(0, max(len(x), 1), step)]

    def _scores(self, x: NDArray[np.float64]) -> Scores:
        from scipy.special import ndtr, ndtri

        t = (x[:, np.newaxis] - self.points) / self.width
        below = ndtr(t) @ self.weights
        with np.errstate(divide="ignore", invalid="ignore"):
            z = ndtri(below)
            log_density = np.log(np.exp(-0.5 * np.square(t)) @ self.weights)
        tail = (below < _TAIL) | (below > 1 - _TAIL)
        if tail.any():
            z[tail], log_density[tail] = self._far(t[tail])
        return z, log_density - math.log(self.width) + 0.5 * np.square(z)

    def _far(self, t: NDArray[np.float64]) -> Scores:
        from scipy.special import log_ndtr, logsumexp, ndtri_exp

        high = t.mean(axis=1) > 0
        log_weights = np.log(self.weights)
        beyond = logsumexp(log_ndtr(np.where(high[:, np.newaxis], -t, t)) + log_weights, axis=1)
        z = ndtri_exp(beyond)
        return np.where(high, -z, z), logsumexp(log_weights - 0.5 * np.square(t), axis=1)

    def values(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values that have these normal scores, by bisection."""
        reach = (np.abs(z).max(initial=0.0) + 1) * self.width
        low = np.full(len(z), self.points[0] - reach)
        high = np.full(len(z), self.points[-1] + reach)
        for _ in range(_STEPS):
            middle = (low + high) / 2
            above = self.scores(middle)[0] > z
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return np.asarray((low + high) / 2)


class Histogram:
    """Bins of constant density, with a little weight everywhere.

    Each bin counts half a row more than it has, and half a row lies beyond either end, where the
    density falls off exponentially over the width of the bin at that end: what a fit has not seen
    is unlikely, and not impossible.

    Parameters
    ----------
    edges : (b + 1,) ndarray
    counts : (b,) ndarray
        Weights of the rows in each bin.
    levels : (b,) ndarray, optional
        `values` gives these instead of places within the bins.
    """

    def __init__(
        self,
        edges: NDArray[np.float64],
        counts: NDArray[np.float64],
        levels: NDArray[np.float64] | None = None,
    ) -> None:
        self.edges, self.counts, self.levels = edges, counts, levels
        mass = np.concatenate([[0.5], counts + 0.5, [0.5]])
        mass /= mass.sum()
        self.mass = mass
        self.below = np.cumsum(mass)[:-1]
        self.above = np.cumsum(mass[::-1])[::-1][1:]
        self.widths = np.diff(edges)

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """Return what `of_arrays` makes it of again."""
        levels = {} if self.levels is None else {"levels": self.levels}
        return {"edges": self.edges, "counts": self.counts, **levels}

    @classmethod
    def of_arrays(cls, held: Mapping[str, NDArray[np.float64]]) -> Histogram:
        """Make it of what `arrays` returned."""
        return cls(held["edges"], held["counts"], held.get("levels"))

    def scores(self, x: NDArray[np.float64]) -> Scores:
        """Return normal scores, (m,), and log dz/dx, (m,)."""
        from scipy.special import ndtri, ndtri_exp

        bins = np.clip(np.searchsorted(self.edges, x, side="right") - 1, 0, len(self.widths) - 1)
        share = np.clip((x - self.edges[bins]) / self.widths[bins], 0, 1)
        below = self.below[bins] + share * self.mass[bins + 1]
        above = self.above[bins + 1] + (1 - share) * self.mass[bins + 1]
        z = np.where(below < above, ndtri(below), -ndtri(above))
        log_density = np.log(self.mass[bins + 1] / self.widths[bins])
        for out, apart, mass, width, sign in (
            (x < self.edges[0], self.edges[0] - x, self.mass[0], self.widths[0], 1),
            (x > self.edges[-1], x - self.edges[-1], self.mass[-1], self.widths[-1], -1),
        ):
            log_mass = math.log(mass) - apart[out] / width
            z[out] = sign * ndtri_exp(log_mass)
            log_density[out] = log_mass - math.log(width)
        return z, log_density + 0.5 * np.square(z) + _HALF_LOG

    def values(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values that have these normal scores."""
        from scipy.special import log_ndtr, ndtr

        # each half of the line from its own end, where the probabilities keep their digits
        low, high = ndtr(z), ndtr(-z)
        left = np.clip(np.searchsorted(self.below, low, side="right") - 1, 0, None)
        right = np.searchsorted(-self.above, -high, side="right") - 1
        bins = np.clip(np.where(z < 0, left, right), 0, len(self.widths) - 1)
        share = np.where(
            z < 0,
            (low - self.below[bins]) / self.mass[bins + 1],
            1 - (high - self.above[bins + 1]) / self.mass[bins + 1],
        )
        if self.levels is not None:
            return np.asarray(self.levels[bins])
        x = self.edges[bins] + np.clip(share, 0, 1) * self.widths[bins]
        under, over = low < self.mass[0], high < self.mass[-1]
        log_low, log_high = math.log(self.mass[0]), math.log(self.mass[-1])
        x[under] = self.edges[0] + self.widths[0] * (log_ndtr(z[under]) - log_low)
        x[over] = self.edges[-1] - self.widths[-1] * (log_ndtr(-z[over]) - log_high)
        return np.asarray(x)


def level_edges(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where the bins of levels (b,) meet: half-way, (b + 1,); a lone level gets 1."""
    if len(levels) == 1:
        half = max(0.5, 4 * float(np.spacing(abs(levels[0]))))
        return np.array([levels[0] - half, levels[0] + half])
    middle = (levels[1:] + levels[:-1]) / 2
    first, last = 2 * levels[0] - middle[0], 2 * levels[-1] - middle[-1]
    return np.concatenate([[first], middle, [last]])
