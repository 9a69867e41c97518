"""Where space ends, or begins again: bounds by reflection, periods by wrapping."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from synth.arguments import numbers_of, shown
from synth.errors import InputError, InputTypeError
from synth.rows import is_whole

__all__ = ["Edges", "check_edges"]


#: Images of a kernel beyond which bounds and periods are refused.
_MOST_IMAGES = 20_000


@dataclass(frozen=True)
class Edges:
    """Bounds and periods of columns.

    The density in the bounded space is the sum of the unbounded one over the images of a query:
    mirrored at each bound (Silverman 1986, section 2.10), or moved by whole periods.
    """

    bounds: dict[int, tuple[float, float]] = field(default_factory=dict)
    period: dict[int, tuple[float, float]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.bounds or self.period)

    def of(self, columns: list[int]) -> Edges:
        """Return those of some columns, which are numbered anew."""
        own = (
            {new: pairs[old] for new, old in enumerate(columns) if old in pairs}
            for pairs in (self.bounds, self.period)
        )
        return Edges(*own)

    def outside(self, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which rows lie beyond a bound."""
        beyond = np.zeros(len(rows), bool)
        for column, (low, high) in self.bounds.items():
            beyond |= (rows[:, column] < low) | (rows[:, column] > high)
        return beyond

    def inside(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mirror and wrap rows into the space."""
        rows = rows.copy()
        for column, (low, high) in self.period.items():
            rows[:, column] = low + np.mod(rows[:, column] - low, high - low)
        for column, (low, high) in self.bounds.items():
            values = rows[:, column]
            if np.isinf(high):
                values = low + np.abs(values - low)
            elif np.isinf(low):
                values = high - np.abs(high - values)
            else:
                around = np.mod(values - low, 2 * (high - low))
                values = low + np.minimum(around, 2 * (high - low) - around)
            rows[:, column] = np.clip(values, low, high)
        return rows

    def unwrapped(
        self, rows: NDArray[np.float64], weights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Move rows by whole periods to where they are nearest to their circular mean.

        So that their spread is that of the angles, wherever the cut lies.
        """
        rows = rows.copy()
        for column, (low, high) in self.period.items():
            angle = 2 * np.pi * (rows[:, column] - low) / (high - low)
            mean = np.arctan2(weights @ np.sin(angle), weights @ np.cos(angle))
            away = np.mod(angle - mean + np.pi, 2 * np.pi) - np.pi
            rows[:, column] = low + (high - low) * (mean + away) / (2 * np.pi)
        return rows

    def images(
        self, reach: NDArray[np.float64]
    ) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Give sign and shift, (d,) each, so that ``sign · q + shift`` are the images of q.

        Those farther away than ``reach``, (d,), add nothing and are left out.
        """
        options = [self._column(column, far) for column, far in enumerate(reach)]
        count = math.prod(map(len, options))
        if count > _MOST_IMAGES:
            wide = max(range(len(options)), key=lambda column: len(options[column]))
            raise InputError(
                f"the bandwidth is so wide against the bounds or period of column {wide} that "
                f"each kernel has {count} images, and {_MOST_IMAGES} are the limit; take a "
                "narrower bandwidth, or leave the column out: it is as good as uniform"
            )
        for choice in itertools.product(*options):
            sign, shift = zip(*choice, strict=True)
            yield np.array(sign), np.array(shift)

    def _column(self, column: int, reach: float) -> list[tuple[float, float]]:
        if column in self.period:
            low, high = self.period[column]
            times = int(np.ceil(reach / (high - low))) + 1
            return [(1.0, k * (high - low)) for k in range(-times, times + 1)]
        if column not in self.bounds:
            return [(1.0, 0.0)]
        low, high = self.bounds[column]
        if np.isinf(high):
            return [(1.0, 0.0), (-1.0, 2 * low)]
        if np.isinf(low):
            return [(1.0, 0.0), (-1.0, 2 * high)]
        step = 2 * (high - low)
        times = int(np.ceil(reach / step)) + 1
        moves = [k * step for k in range(-times, times + 1)]
        return [(1.0, move) for move in moves] + [(-1.0, 2 * low + move) for move in moves]


def check_edges(
    bounds: Mapping[int, tuple[float, float]] | None,
    period: Mapping[int, tuple[float, float]] | None,
    rows: NDArray[np.float64],
) -> Edges:
    """Return them checked against the rows; those of a period are wrapped elsewhere."""
    found: list[dict[int, tuple[float, float]]] = []
    for name, given in (("bounds", bounds), ("period", period)):
        own = {}
        if not isinstance(given, Mapping | None):
            needed = "{column: (low, high), …} is needed"
            raise InputTypeError(f"{name} is {shown(given)}, but {needed}")
        for column, pair in (given or {}).items():
            if not is_whole(column) or not 0 <= column < rows.shape[1]:
                raise InputError(
                    f"{name} are for column {shown(column)}, but there are {rows.shape[1]}"
                )
            ends = numbers_of(pair, f"{name} of column {column}").astype(np.float64)
            finite = np.isfinite(ends)
            if (
                ends.shape != (2,)
                or not ends[0] < ends[1]
                or not (finite.all() if name == "period" else finite.any())
            ):
                raise InputError(
                    f"{name} of column {column} are {shown(pair)}, but (low, high) with low < "
                    "high is needed, of which one may be infinite for bounds"
                )
            own[int(column)] = (float(ends[0]), float(ends[1]))
        found.append(own)
    both = set(found[0]) & set(found[1])
    if both:
        raise InputError(f"column {min(both)} has bounds and a period; it can have one of them")
    edges = Edges(*found)
    beyond = edges.outside(rows)
    if beyond.any():
        raise InputError(
            f"{beyond.sum()} rows lie outside the bounds, the first is row {beyond.argmax()}"
        )
    return edges
