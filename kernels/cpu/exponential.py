"""2 to the power of t, written so that LLVM computes it for a whole vector register at once.

libm's ``exp`` is a call for each number. Here ``t + 1.5 · 2⁵²`` rounds t and leaves its whole part
in the low bits, a polynomial of degree 11 gives 2 to the rest, and the whole part goes straight
into the exponent's bits. The relative error is below 4e-16 for −1021 <= t <= 1023.
"""

from __future__ import annotations

import llvmlite.ir as ir
from numba import types
from numba.extending import intrinsic, register_jitable

__all__ = ["exp2", "fused", "larger", "log2"]

_I64 = ir.IntType(64)
_ROUND = 6755399441055744.0
_LEAST = -1021.0
# the bits of √½ and of 1.5 · 2⁵²
_ROOT_BITS, _ROUND_BITS = 0x3FE6A09E667F3BCD, 0x4338000000000000
_TWICE_LOG2E = 2.8853900817779268
# Chebyshev fit of 2^r on [−½, ½], made with 40 digits; the highest power first
_C11, _C10, _C9 = 4.4558179083360645e-10, 7.074194297288521e-09, 1.0178057087733941e-07
_C8, _C7, _C6 = 1.3215432535912375e-06, 1.5252733841556773e-05, 0.00015403530463724353
_C5, _C4, _C3 = 0.001333355814640647, 0.009618129107587256, 0.055504108664821625
_C2, _C1, _C0 = 0.24022650695910158, 0.6931471805599453, 1.0


@intrinsic
def fused(_, x, y, z):
    """X · y + z with one rounding; all of one type, float32 or float64."""

    def generate(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return x(x, x, x), generate


@intrinsic
def larger(_, x, y):
    """The larger of two of one type, by one instruction: where x is NaN it is y."""

    def generate(context, builder, signature, arguments):
        x, y = arguments
        return builder.select(builder.fcmp_ordered(">", x, y), x, y)

    return x(x, x), generate


@intrinsic
def _scaled(_, p, z):
    """P · 2ⁿ where z carries n in its low bits."""

    def generate(context, builder, signature, arguments):
        p, z = arguments
        exponent = builder.shl(builder.bitcast(z, _I64), ir.Constant(_I64, 52))
        return builder.bitcast(builder.add(builder.bitcast(p, _I64), exponent), ir.DoubleType())

    return types.float64(types.float64, types.float64), generate


@register_jitable(forceinline=True)
def exp2(t):
    """2 to the power of t; below −1021 it stays at 2 to the power of −1021."""
    t = larger(t, _LEAST)
    z = t + _ROUND
    r = t - (z - _ROUND)
    p = fused(_C11, r, _C10)
    p = fused(p, r, _C9)
    p = fused(p, r, _C8)
    p = fused(p, r, _C7)
    p = fused(p, r, _C6)
    p = fused(p, r, _C5)
    p = fused(p, r, _C4)
    p = fused(p, r, _C3)
    p = fused(p, r, _C2)
    p = fused(p, r, _C1)
    p = fused(p, r, _C0)
    return _scaled(p, z)


@intrinsic
def _halves(_, x):
    """Return n as a float, and m, for x = m · 2ⁿ with √½ <= m < √2; x is positive and normal."""

    def generate(context, builder, signature, arguments):
        bits = builder.bitcast(arguments[0], _I64)
        above = builder.sub(bits, ir.Constant(_I64, _ROOT_BITS))
        whole = builder.and_(above, ir.Constant(_I64, -(1 << 52)))
        least = builder.bitcast(builder.sub(bits, whole), ir.DoubleType())
        # added to the bits of 1.5 · 2⁵², a whole number is a float without a conversion
        count = builder.ashr(above, ir.Constant(_I64, 52))
        magic = builder.add(count, ir.Constant(_I64, _ROUND_BITS))
        number = builder.fsub(
            builder.bitcast(magic, ir.DoubleType()), ir.Constant(ir.DoubleType(), _ROUND)
        )
        return context.make_tuple(builder, signature.return_type, (number, least))

    return types.UniTuple(types.float64, 2)(types.float64), generate


@register_jitable(forceinline=True)
def log2(x):
    """The logarithm to base 2 of a positive normal number, to 2e-16 of it or of 1.

    With s = (m − 1) / (m + 1) it is n + 2 / log 2 · (s + s³ / 3 + s⁵ / 5 + …), |s| < 0.1716.
    """
    number, m = _halves(x)
    s = (m - 1.0) / (m + 1.0)
    t = s * s
    p = fused(1 / 21, t, 1 / 19)
    p = fused(p, t, 1 / 17)
    p = fused(p, t, 1 / 15)
    p = fused(p, t, 1 / 13)
    p = fused(p, t, 1 / 11)
    p = fused(p, t, 1 / 9)
    p = fused(p, t, 1 / 7)
    p = fused(p, t, 1 / 5)
    p = fused(p, t, 1 / 3)
    p = fused(p, t, 1.0)
    return fused(_TWICE_LOG2E * s, p, number)
