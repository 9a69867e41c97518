"""One name for float32 and float64, so that a kernel is written once and compiled for both."""

from __future__ import annotations

from numba import types
from numba.extending import overload

from .exponential import exp2
from .exponential_single import exp2_single

__all__ = ["two_to"]


def two_to(t):
    """2 to the power of t: `exp2` or `exp2_single`, by the type of t."""
    raise NotImplementedError("for kernels only")


@overload(two_to, jit_options={"forceinline": True})
def _two_to(t):
    if t == types.float32:
        return lambda t: exp2_single(t)
    if t == types.float64:
        return lambda t: exp2(t)
    return None
