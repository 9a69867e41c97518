"""Rows of numbers, and the random numbers of the models of them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synth.arguments import check_number, listed, numbers_of, shown
from synth.errors import InputError, InputTypeError
from synth.randomness import key_of

__all__ = [
    "FAR",
    "Sampler",
    "check_columns",
    "check_count",
    "check_known",
    "check_rows",
    "check_size",
    "check_spread",
    "check_weights",
    "child_seeds",
    "is_whole",
    "normals",
    "shaped",
    "uniforms",
]

#: The last counter words of densities and of Bayes' rule (`synth.randomness.Purpose` has those of
#: the kernels).
COMPONENTS, NOISE, RADII = 80, 81, 82
LABELS, CHILDREN, RESAMPLE, METROPOLIS = 96, 97, 98, 99
START_ROWS, START_MEANS, HELD_OUT, SPREAD = 100, 101, 102, 103
PATCH_SHIFTS, PATCH_CORNERS = 104, 105  # and 106: the corners in contrasts
#: The square of a larger number, or of what it is divided by, may be none any more.
FAR = 1e150
_COUNTLESS = 1 << 48


class Sampler(Protocol):
    """Anything that draws rows: a density of this library, or a deep model behind an adapter."""

    def sample(self, n: int, *, seed: int = 0) -> NDArray[Any]:
        """Return n rows, (n, d)."""


def shaped(x: ArrayLike, name: str, columns: int | None = None) -> NDArray[Any]:
    """Return ``x`` as (n, d) rows of the type it has; one column may come as (n,).

    One row may come as (d,) where the number of columns is known, and is not 1.

    Raises
    ------
    InputTypeError
        Not numbers.
    InputError
        More than two axes, no rows, or another width.
    """
    given = numbers_of(x, name)
    rows = given
    if rows.ndim == 1:
        rows = rows[:, np.newaxis] if columns in (None, 1) else rows[np.newaxis]
    if rows.ndim != 2 or 0 in rows.shape:
        raise InputError(f"{name} has shape {given.shape}, but rows are needed: (n, d), n, d >= 1")
    if columns is not None and rows.shape[1] != columns:
        raise InputError(f"{name} has {rows.shape[1]} columns, but the model has {columns}")
    return rows


def check_rows(x: ArrayLike, name: str, columns: int | None = None) -> NDArray[np.float64]:
    """Return ``x`` as (n, d) float64 rows; one column may come as (n,).

    Raises
    ------
    InputTypeError
        Not numbers.
    InputError
        More than two axes, no rows, another width, NaN, infinity, or beyond ±1e150.
    """
    rows = np.ascontiguousarray(shaped(x, name, columns), np.float64)
    bad = ~np.isfinite(rows).all(axis=1)
    if bad.any():
        raise InputError(
            f"{name} has NaN or infinity in {bad.sum()} rows, the first is row {bad.argmax()}; "
            "leave them out or fill them in"
        )
    check_size(rows, name)
    return rows


def check_size(rows: NDArray[Any], name: str, first: int = 0) -> None:
    """Raise `InputError` for numbers whose squares are none; NaN may be there."""
    far = np.abs(rows) > np.float64(FAR)  # which float32 has not
    if far.any():
        row, column = np.argwhere(far)[0]
        raise InputError(
            f"{name} has {rows[row, column]:g} in row {first + row}, column {column}, but numbers "
            f"up to {FAR:g} can be worked with; divide the column by something"
        )


def check_spread(x: NDArray[np.float64], name: str, mend: str, *, always: bool = False) -> None:
    """Raise `InputError` for a column whose scale cannot be told, and what to do: ``mend``."""
    low, high = float(x.min()), float(x.max())
    if not always and high - low > max(1e-12 * max(abs(low), abs(high)), 1 / FAR):
        return
    told = f"is constant ({low:g})"
    if high > low:
        told = f"spreads by {high - low:g} only, from {low:g} on: too little to tell its scale"
    raise InputError(f"{name} {told}; {mend}")


def check_count(n: int, name: str = "n", least: int = 0) -> int:
    """Return ``n`` as an int, at least ``least``."""
    try:
        if isinstance(n, bool | np.bool_):
            raise TypeError
        count = operator.index(n)
    except TypeError:
        raise InputTypeError(f"{name} is {shown(n)}, but a whole number is needed") from None
    if count < least:
        raise InputError(f"{name} is {count}, but it must be at least {least}")
    if count >= _COUNTLESS:
        raise InputError(f"{name} is {shown(count)}, more than any memory holds")
    return count


def _stream(seed: int, purpose: int) -> np.random.Philox:
    low, high = key_of(seed)
    return np.random.Philox(key=low | high << 32, counter=[0, 0, 0, purpose])


def child_seeds(seed: int, count: int) -> list[int]:
    """Return ``count`` seeds that depend on ``seed`` alone."""
    return [int(word) for word in np.atleast_1d(_stream(seed, CHILDREN).random_raw(count))]


def uniforms(seed: int, purpose: int) -> Callable[[int], NDArray[np.float64]]:
    """Return a function that gives the next so many numbers of [0, 1)."""
    random = np.random.Generator(_stream(seed, purpose)).random

    def draw(count: int) -> NDArray[np.float64]:
        try:
            return random(count)
        except MemoryError as error:
            raise InputError(
                f"{count} random numbers are more than memory holds; take fewer rows"
            ) from error

    return draw


def normals(draw: Callable[[int], NDArray[np.float64]], n: int, d: int) -> NDArray[np.float64]:
    """Turn uniform numbers into (n, d) normal ones (Box & Muller 1958)."""
    first, second = draw(n * d), draw(n * d)
    radius = np.sqrt(-2 * np.log1p(-first))
    return np.asarray((radius * np.cos(2 * np.pi * second)).reshape(n, d))


def check_weights(values: ArrayLike, count: int, name: str = "weights") -> NDArray[np.float64]:
    """Return ``count`` finite weights, none of them negative, not all 0."""
    weights = numbers_of(values, name).astype(np.float64)
    if weights.shape != (count,):
        raise InputError(f"{name} has shape {weights.shape}, but ({count},) is needed")
    wrong = ~np.isfinite(weights) | (weights < 0)
    if wrong.any() or weights.sum() <= 0:
        first = int(wrong.argmax())
        told = f"{name}[{first}] is {weights[first]:g}" if wrong.any() else f"all {name} are 0"
        raise InputError(f"{told}, but {name} must be finite, not negative and not all 0")
    if not 1e-100 < weights.max() < 1e100:
        raise InputError(
            f"the largest of {name} is {weights.max():g}, but it must lie in 1e-100 … 1e100; "
            "divide them by it"
        )
    return weights


def check_columns(columns: Any, width: int) -> list[int]:
    """Return different column numbers of 0 … width − 1 as a list; one may come by itself."""
    needed = f"different columns of 0 … {width - 1}"
    found = [columns] if is_whole(columns) else listed(columns, "columns", needed)
    if not found or not all(is_whole(k) and 0 <= k < width for k in found):
        raise InputError(f"columns are {shown(found)}, but {needed} are needed")
    if len(set(found)) < len(found):
        raise InputError(f"columns are {shown(found)}, but {needed} are needed")
    return [int(k) for k in found]


def is_whole(value: Any) -> bool:
    """Tell whether it is a whole number, and not True or False."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def check_known(
    values: Mapping[int, float], width: int
) -> tuple[list[int], NDArray[np.float64], list[int]]:
    """Return which columns are known, their values, (k,), and which are open: at least one."""
    if not isinstance(values, Mapping):
        raise InputTypeError(
            f"values is {shown(values)}, but {{column: value, …}} is needed, such as {{0: 1.5}}"
        )
    known = check_columns(list(values), width)
    numbers = [check_number(values[k], f"values[{k}]") for k in known]
    value = check_rows([numbers], "values")[0]
    rest = [k for k in range(width) if k not in known]
    if not rest:
        raise InputError(f"all {width} columns are given; leave at least one open")
    return known, value, rest
