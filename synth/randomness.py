"""Seeds and counters: where every random number of the library comes from.

A random word is a pure function of ``(seed, position, iteration, step, purpose)`` through
Philox4x32-10, so results depend neither on the number of threads nor on the order of the work.
"""

from __future__ import annotations

import operator
from enum import IntEnum

from synth.arguments import shown
from synth.errors import InputError, InputTypeError

__all__ = ["Purpose", "key_of"]


class Purpose(IntEnum):
    """The last counter word: two uses of one position never share their bits.

    0 to 255, because a fill puts the number of its region above. By package: 0 fields and fills,
    16 planes and choices, 32 editing, 48 Efros-Leung, 64 texture, 80 densities,
    96 Bayes' rule.
    """

    INITIALIZE = 0
    RANDOM_SEARCH = 1
    SAMPLE = 2
    EDIT_INITIALIZE = 32
    EDIT_SEARCH = 33
    EDIT_BACK_INITIALIZE = 34
    EDIT_BACK_SEARCH = 35


def key_of(seed: int) -> tuple[int, int]:
    """Split ``seed`` into the two 32-bit words of a Philox key.

    Parameters
    ----------
    seed : int
        0 to 2**64 − 1.

    Raises
    ------
    InputTypeError
        ``seed`` is not a whole number.
    InputError
        ``seed`` is out of range.

    Examples
    --------
    >>> key_of(2**32 + 5)
    (5, 1)
    """
    try:
        value = operator.index(seed)
    except TypeError:
        raise InputTypeError(
            f"seed is {shown(seed)} ({type(seed).__name__}), but a whole number is needed, "
            "such as 0"
        ) from None
    if not 0 <= value < 2**64:
        raise InputError(f"seed is {value}, but it must lie in 0 … 2**64 − 1")
    return value & 0xFFFFFFFF, value >> 32
