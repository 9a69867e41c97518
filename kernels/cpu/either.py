"""One name for float32 and float64, so that a kernel is written once and compiled for both."""

from __future__ import annotations

from numba import types
from numba.extending import intrinsic, overload

from .exponential import exp2
from .exponential_single import exp2_single

__all__ = ["fused_either", "larger_either", "two_to"]


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


@intrinsic
def fused_either(_, x, y, z):
    """X · y + z with one rounding; all of one type."""

    def generate(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return x(x, x, x), generate


@intrinsic
def larger_either(_, x, y):
    """The larger of two of one type, by one instruction: where x is NaN it is y."""

    def generate(context, builder, signature, arguments):
        x, y = arguments
        return builder.select(builder.fcmp_ordered(">", x, y), x, y)

    return x(x, x), generate
