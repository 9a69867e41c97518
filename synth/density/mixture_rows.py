"""The rows a mixture is fitted to: checked and summed up in blocks, without a copy of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synth.density.expectation import Rows, frozen
from synth.errors import InputError
from synth.kernels._jit import Bands
from synth.kernels.cpu.mixture_bands import moments_band
from synth.rows import FAR, check_size, check_weights, shaped

__all__ = ["Summary", "check_table", "summary", "weighted"]

_BLOCK = 1 << 14
#: Rows that are summed up at once.
_STEP = 32 * 17


def check_table(x: ArrayLike, name: str, columns: int | None = None) -> NDArray[Any]:
    """Return rows (n, d) as they are if they are float32 or float64; NaN stands for missing.

    Raises
    ------
    InputTypeError
        Not numbers.
    InputError
        More than two axes, no rows, another width, infinity or beyond ±1e150, a row with no
        value at all.
    """
    rows = shaped(x, name, columns)
    kind = np.float32 if rows.dtype == np.float32 else np.float64
    rows = np.ascontiguousarray(rows, kind)
    for start in range(0, len(rows), _BLOCK):
        part = rows[start : start + _BLOCK]
        if float(np.abs(part).max()) <= FAR:  # no NaN and no infinity either
            continue
        for bad, what, mend in (
            (np.isinf(part).any(axis=1), "infinity", "leave such rows out, or write NaN instead"),
            (np.isnan(part).all(axis=1), "no value at all", "leave such rows out"),
        ):
            if bad.any():
                raise InputError(f"{name} has {what} in row {start + int(bad.argmax())}; {mend}")
        check_size(part, name, start)
    return rows


def weighted(rows: NDArray[Any], weights: ArrayLike | None) -> Rows:
    """Return rows with their weights, without those of weight 0."""
    if weights is None:
        return Rows(rows)
    given = check_weights(weights, len(rows))
    if given.all():
        return Rows(rows, given)
    return Rows(rows[given > 0], given[given > 0])


@dataclass(frozen=True)
class Summary:
    """Mean (d,) and covariance of rows: (d, d), or variances (d,) where values are missing."""

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]

    @property
    def variances(self) -> NDArray[np.float64]:
        """The variance of each column, (d,)."""
        return self.covariance if self.covariance.ndim == 1 else np.diag(self.covariance)


def summary(run: Bands, rows: Rows, gaps: bool) -> Summary:
    """Sum rows up; ``gaps`` tells whether values are missing."""
    return _observed(rows) if gaps else _complete(run, rows)


def _complete(run: Bands, rows: Rows) -> Summary:
    """Sum up in one pass, about the mean of a few rows: near enough to lose no digits."""
    count, width = rows.x.shape
    middle = rows.x[:: -(-count // 1000)].astype(np.float64).mean(axis=0)
    x, weights = frozen(rows)
    bands = min(-(-count // _STEP), 32)
    blocks = -(-count // _STEP)
    edges = [min(number * blocks // bands * _STEP, count) for number in range(bands + 1)]

    def band(number: int) -> NDArray[np.float64]:
        sums = np.zeros((width + 1) * (width + 2) // 2)
        first, last = edges[number : number + 2]
        moments_band(x, weights, first, last, middle, _STEP, sums)
        return sums

    sums = sum(run.ordered(band, bands), np.zeros((width + 1) * (width + 2) // 2))
    sums /= sums[-1]
    mean = sums[-1 - width : -1]
    cross = np.empty((width, width))
    first, other = np.triu_indices(width)
    cross[first, other] = cross[other, first] = sums[: -1 - width]
    return Summary(middle + mean, cross - np.outer(mean, mean))


def _observed(rows: Rows) -> Summary:
    """Sum up what is there, in two passes."""
    width = rows.x.shape[1]
    count, mean = np.zeros(width), np.zeros(width)
    for x, weights, there in _blocks(rows):
        count += weights @ there
        mean += weights @ x
    if not count.all():
        raise InputError(f"column {int((count == 0).argmax())} has no value at all; leave it out")
    mean /= count
    square = np.zeros(width)
    for x, weights, there in _blocks(rows):
        square += weights @ np.square(np.where(there, x - mean, 0.0))
    return Summary(mean, square / count)


def _blocks(rows: Rows) -> Any:
    """Yield values with 0 for missing ones, weights, and what is there."""
    for start in range(0, len(rows.x), _BLOCK):
        x = rows.x[start : start + _BLOCK].astype(np.float64)
        there = ~np.isnan(x)
        own = slice(start, start + len(x))
        weights = np.ones(len(x)) if rows.weights is None else rows.weights[own]
        yield np.where(there, x, 0.0), weights, there
