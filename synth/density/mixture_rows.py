"""The rows a mixture is fitted to: checked and summed up in blocks, without a copy of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synth.density.expectation import Rows
from synth.errors import InputError, InputTypeError
from synth.rows import check_weights

__all__ = ["Summary", "check_table", "summary", "weighted"]

_BLOCK = 1 << 14


def check_table(x: ArrayLike, name: str, columns: int | None = None) -> NDArray[Any]:
    """Return rows (n, d) as they are if they are float32 or float64; NaN stands for missing.

    Raises
    ------
    InputTypeError
        Not numbers.
    InputError
        More than two axes, no rows, another width, infinity, a row with no value at all.
    """
    rows = np.asarray(x)
    if rows.dtype.kind not in "buif":
        raise InputTypeError(f"{name} is of {rows.dtype}, but numbers are needed")
    if rows.ndim == 1:
        rows = rows[:, np.newaxis] if columns in (None, 1) else rows[np.newaxis]
    if rows.ndim != 2 or 0 in rows.shape:
        raise InputError(f"{name} has shape {np.shape(x)}, but rows are needed: (n, d), n, d >= 1")
    if columns is not None and rows.shape[1] != columns:
        raise InputError(f"{name} has {rows.shape[1]} columns, but the model has {columns}")
    kind = np.float32 if rows.dtype == np.float32 else np.float64
    rows = np.ascontiguousarray(rows, kind)
    for start in range(0, len(rows), _BLOCK):
        part = rows[start : start + _BLOCK]
        if np.isfinite(part).all():
            continue
        for bad, what, mend in (
            (np.isinf(part).any(axis=1), "infinity", "leave such rows out, or write NaN instead"),
            (np.isnan(part).all(axis=1), "no value at all", "leave such rows out"),
        ):
            if bad.any():
                raise InputError(f"{name} has {what} in row {start + int(bad.argmax())}; {mend}")
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


def summary(rows: Rows) -> Summary:
    """Sum rows up, in two passes."""
    width = rows.x.shape[1]
    count, mean = np.zeros(width), np.zeros(width)
    for x, weights, there in _blocks(rows):
        count += weights @ there
        mean += weights @ x
    if not count.all():
        raise InputError(f"column {int((count == 0).argmax())} has no value at all; leave it out")
    mean /= count
    complete = True
    square, cross = np.zeros(width), np.zeros((width, width))
    for x, weights, there in _blocks(rows):
        apart = np.where(there, x - mean, 0.0)
        complete &= bool(there.all())
        if complete:
            cross += (apart * weights[:, np.newaxis]).T @ apart
        square += weights @ np.square(apart)
    return Summary(mean, cross / count[0] if complete else square / count)


def _blocks(rows: Rows) -> Any:
    """Yield values with 0 for missing ones, weights, and what is there."""
    for start in range(0, len(rows.x), _BLOCK):
        x = rows.x[start : start + _BLOCK].astype(np.float64)
        there = ~np.isnan(x)
        own = slice(start, start + len(x))
        weights = np.ones(len(x)) if rows.weights is None else rows.weights[own]
        yield np.where(there, x, 0.0), weights, there
