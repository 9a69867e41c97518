"""How threads inside a kernel wait for one another.

Each band publishes how many steps it has done; a band goes on when all have done as many. Waiting
is for as long as a step may take to end, then the kernel returns, so that a thread that has no
core to itself can give it up in Python.
"""

from __future__ import annotations

from numba import types
from numba.extending import intrinsic

from .._jit import jit
from .distance import pointer_to

__all__ = ["STRIDE", "all_have_done", "publish"]

#: Elements from band to band of the progress array: a cache line, which is the unit of sharing.
STRIDE = 8
#: Looks at the others before a band gives up; some tens of microseconds.
_PATIENCE = 20_000


@intrinsic
def _load_acquire(_, array, index):
    """``array[index]``, and everything that was written before it was stored."""

    def generate(context, builder, signature, arguments):
        place = pointer_to(context, builder, signature.args[0], *arguments)
        return builder.load_atomic(place, "acquire", 8)

    return types.int64(array, types.int64), generate


@intrinsic
def _store_release(_, array, index, value):
    """``array[index] = value``, after everything that was written before."""

    def generate(context, builder, signature, arguments):
        array, index, value = arguments
        place = pointer_to(context, builder, signature.args[0], array, index)
        builder.store_atomic(value, place, "release", 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64), generate


@jit
def publish(progress, band, steps):
    """Say that a band has done so many steps."""
    _store_release(progress, band * STRIDE, steps)


@jit
def all_have_done(progress, bands, steps):
    """Wait until every band has done so many steps; False if that takes too long."""
    for band in range(bands):
        patience = _PATIENCE
        while _load_acquire(progress, band * STRIDE) < steps:
            patience -= 1
            if patience == 0:
                return False
    return True
