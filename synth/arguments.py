"""Single arguments: numbers, choices and flags, and what is said of anything else."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from synth.errors import InputError, InputTypeError

__all__ = [
    "check_choice",
    "check_flag",
    "check_float_type",
    "check_number",
    "check_verbs",
    "listed",
    "numbers_of",
    "shown",
]

_LONGEST = 80


def shown(value: Any) -> str:
    """Return how a message names what was given, however large that is."""
    if isinstance(value, np.ndarray) and value.size > 4:
        return f"an array of {value.dtype}, {value.shape}"
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({type(value).__name__})"


def check_number(
    value: Any,
    name: str,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    above: bool = False,
) -> float:
    """Return a finite number from ``low`` to ``high``, or above ``low``, as a float."""
    if low == -math.inf:
        needed = "a finite number"
    elif high < math.inf:
        needed = f"a number in {low:g} … {high:g}"
    else:
        needed = f"a finite number {'above' if above else 'from'} {low:g}"
        needed += "" if above else " on"
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise InputTypeError(f"{name} is {shown(value)}, but {needed} is needed")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or not low <= number <= high or (above and number == low):
        raise InputError(f"{name} is {shown(value)}, but {needed} is needed")
    return number


def check_choice(value: Any, name: str, choices: Iterable[str]) -> str:
    """Return one of several words."""
    words = tuple(choices)
    if isinstance(value, str) and value in words:
        return value
    kind = InputError if isinstance(value, str) else InputTypeError
    raise kind(f"{name} is {shown(value)}, but the choices are {', '.join(words)}")


def check_flag(value: Any, name: str) -> bool:
    """Return True or False."""
    if not isinstance(value, bool | np.bool_):
        raise InputTypeError(f"{name} is {shown(value)}, but True or False is needed")
    return bool(value)


def check_float_type(dtype: DTypeLike | None) -> DTypeLike | None:
    """Return ``dtype``, which is float32, float64 or None, as it is."""
    try:
        if dtype is None or np.dtype(dtype) in (np.float32, np.float64):
            return dtype
    except (TypeError, ValueError):
        pass
    raise InputError(f"dtype is {shown(dtype)}, but float32, float64 or None is needed")


def check_verbs(model: Any, name: str, verbs: Sequence[str], advice: str) -> None:
    """Raise `InputTypeError` where a model lacks one of these methods."""
    if isinstance(model, type):
        raise InputTypeError(
            f"{name} is the class {model.__name__}, but a model is needed: "
            f"call it, {model.__name__}(…)"
        )
    for verb in verbs:
        if not callable(getattr(model, verb, None)):
            raise InputTypeError(f"{name} is {shown(model)}, which has no {verb}(); {advice}")


def listed(values: Any, name: str, what: str) -> list[Any]:
    """Return a list of what can be gone through once, and is no text."""
    if not isinstance(values, str | bytes):
        try:
            return list(values)
        except TypeError:
            pass
    raise InputTypeError(f"{name} is {shown(values)}, but {what} are needed")


def numbers_of(values: ArrayLike, name: str) -> NDArray[Any]:
    """Return an array of real numbers, of the type it has.

    Raises
    ------
    InputTypeError
        Not numbers, or rows of different lengths.
    InputError
        Values that a mask hides.
    """
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise InputTypeError(f"{name} cannot be made an array of numbers: {error}") from None
    if array.dtype.kind not in "buif":
        mend = "; astype(float) it if they are numbers" if array.dtype.kind == "O" else ""
        what = shown(values) if array.ndim == 0 else f"of {array.dtype}"
        raise InputTypeError(f"{name} is {what}, but numbers are needed{mend}")
    if isinstance(values, np.ma.MaskedArray) and np.ma.getmaskarray(values).any():
        if array.dtype.kind == "f":
            return np.ma.filled(values, np.nan)
        return np.asarray(np.ma.filled(values.astype(np.float64), np.nan))
    return array
