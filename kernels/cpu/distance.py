"""The sum of squared differences of two patches, the innermost loop of everything here.

A patch is ``rows`` runs of ``width`` = patch × channels consecutive elements. On 8-bit images the
target is expanded to int16 beforehand and a run is read 32 elements at a time: LLVM turns
"widen, subtract, multiply, add neighbours" into one multiply-add instruction on every CPU that
has one (x86 ``pmaddwd``, AArch64 ``smlal``). Floats are read 16 at a time. Buffers must therefore
have `PADDING` readable elements behind their end; what is read there is masked away.
"""

from __future__ import annotations

import llvmlite.ir as ir
import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload, register_jitable

__all__ = ["PADDING", "data_of", "element", "known_distance", "patch_distance", "set_element"]

#: Elements that must be readable behind the last one of a buffer.
PADDING = 64

_LANES = 32
_REAL_LANES = 16
#: Rows between two looks at whether the sum is too large already; twice that in large patches.
_ROWS_AT_ONCE = 4
_N = types.int64
_FLOAT = ir.FloatType()
_I8, _I16, _I32, _I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))


def constant_vector(element, values):
    return ir.Constant(ir.VectorType(element, len(values)), list(values))


def _load(builder, pointer, element, lanes=_LANES):
    vector = ir.VectorType(element, lanes)
    value = builder.load(builder.bitcast(pointer, vector.as_pointer()))
    value.align = 1
    return value


def _squares(builder, difference):
    """<32 x i16> → <32 x i32>."""
    wide = builder.sext(difference, ir.VectorType(_I32, _LANES))
    return builder.mul(wide, wide)


def _horizontal_sum(builder, vector):
    name = f"llvm.vector.reduce.add.v{vector.type.count}i32"
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(_I32, [vector.type]), name
    )
    return builder.call(function, [vector])


def _row(builder, a, b, keep, known=None):
    """Squared differences of 32 elements at ``a`` (int16) and ``b`` (uint8) where ``keep``."""
    wide = ir.VectorType(_I16, _LANES)
    difference = builder.sub(_load(builder, a, _I16), builder.zext(_load(builder, b, _I8), wide))
    difference = builder.and_(difference, keep)
    if known is not None:
        difference = builder.and_(difference, _load(builder, known, _I16))
    return _squares(builder, difference)


def pointer_to(context, builder, kind, array, offset):
    if isinstance(kind, types.Array):
        array = context.make_array(kind)(context, builder, array).data
    return builder.gep(array, [offset])


@intrinsic
def data_of(_, array):
    """Return a bare pointer to an array's elements, which stands for it in `patch_distance`.

    Numba counts references to an array in every helper that it is handed to, with locked
    instructions that cost more than a distance does; it does not for a pointer. The array must
    be kept alive.
    """

    def generate(context, builder, signature, arguments):
        return context.make_array(signature.args[0])(context, builder, arguments[0]).data

    return types.CPointer(array.dtype)(array), generate


@intrinsic
def element(_, array, index):
    """``array[index]`` of an array or a pointer, without bounds or wraparound."""

    def generate(context, builder, signature, arguments):
        return builder.load(pointer_to(context, builder, signature.args[0], *arguments))

    return array.dtype(array, _N), generate


@intrinsic
def set_element(_, array, index, value):
    """``array[index] = value`` of an array or a pointer, without bounds or wraparound."""

    def generate(context, builder, signature, arguments):
        array, index, value = arguments
        builder.store(value, pointer_to(context, builder, signature.args[0], array, index))
        return context.get_dummy_value()

    return types.void(array, _N, array.dtype), generate


def _keep_table(builder, element=_I16, lanes=_LANES):
    """A pointer to as many −1 as lanes, then 0: loading at lanes − n keeps the first n lanes."""
    array = ir.Constant(ir.ArrayType(element, 2 * lanes), [-1] * lanes + [0] * lanes)
    variable = cgutils.global_constant(builder.module, "keep_lanes", array)
    return builder.bitcast(variable, element.as_pointer())


def _make_rows(masked):
    """Make ``rows(a, a_at, a_step, b, b_at, b_step[, known], width, first, last) -> int32``.

    The sum over rows ``first <= row < last`` of patches that start at ``a_at`` and ``b_at``.
    """

    def generate(context, builder, signature, arguments):
        if masked:
            a, a_at, a_step, b, b_at, b_step, known, width, first, last = arguments
        else:
            a, a_at, a_step, b, b_at, b_step, width, first, last = arguments
        accumulator_type = ir.VectorType(_I32, _LANES)
        accumulator = cgutils.alloca_once_value(
            builder, ir.Constant(accumulator_type, [0] * _LANES)
        )
        builder.store(ir.Constant(accumulator_type, [0] * _LANES), accumulator)
        lanes = ir.Constant(_I64, _LANES)
        table = _keep_table(builder)
        a_pointer = pointer_to(context, builder, signature.args[0], a, a_at)
        b_pointer = pointer_to(context, builder, signature.args[3], b, b_at)
        known_pointer = (
            pointer_to(context, builder, signature.args[6], known, a_at) if masked else None
        )
        with cgutils.for_range_slice(builder, first, last, ir.Constant(_I64, 1)) as (row, _):
            a_row = builder.mul(row, a_step)
            b_row = builder.mul(row, b_step)
            zero = ir.Constant(_I64, 0)
            with cgutils.for_range_slice(builder, zero, width, lanes) as (column, _):
                left = builder.sub(width, column)
                short = builder.icmp_signed("<", left, lanes)
                left = builder.select(short, left, lanes)
                keep = _load(builder, builder.gep(table, [builder.sub(lanes, left)]), _I16)
                a_place = builder.add(a_row, column)
                squares = _row(
                    builder,
                    builder.gep(a_pointer, [a_place]),
                    builder.gep(b_pointer, [builder.add(b_row, column)]),
                    keep,
                    builder.gep(known_pointer, [a_place]) if masked else None,
                )
                builder.store(builder.add(builder.load(accumulator), squares), accumulator)
        return _horizontal_sum(builder, builder.load(accumulator))

    return generate


def _real_row(builder, a, b, keep):
    """Squared differences of 16 floats at ``a`` and ``b`` where ``keep``, NaN elsewhere or not."""
    floats = ir.VectorType(_FLOAT, _REAL_LANES)
    difference = builder.fsub(
        *(_load(builder, pointer, _FLOAT, _REAL_LANES) for pointer in (a, b))
    )
    bits = builder.and_(builder.bitcast(difference, keep.type), keep)
    difference = builder.bitcast(bits, floats)
    return builder.fmul(difference, difference, flags=("contract",))


def _make_real_rows(context, builder, signature, arguments):
    """As `_make_rows` without a mask, for floats."""
    a, a_at, a_step, b, b_at, b_step, width, first, last = arguments
    floats = ir.VectorType(_FLOAT, _REAL_LANES)
    nothing = ir.Constant(floats, [0.0] * _REAL_LANES)
    accumulator = cgutils.alloca_once_value(builder, nothing)
    builder.store(nothing, accumulator)
    lanes = ir.Constant(_I64, _REAL_LANES)
    table = _keep_table(builder, _I32, _REAL_LANES)
    a_pointer = pointer_to(context, builder, signature.args[0], a, a_at)
    b_pointer = pointer_to(context, builder, signature.args[3], b, b_at)
    with cgutils.for_range_slice(builder, first, last, ir.Constant(_I64, 1)) as (row, _):
        a_row = builder.gep(a_pointer, [builder.mul(row, a_step)])
        b_row = builder.gep(b_pointer, [builder.mul(row, b_step)])
        zero = ir.Constant(_I64, 0)
        with cgutils.for_range_slice(builder, zero, width, lanes) as (column, _):
            left = builder.sub(width, column)
            left = builder.select(builder.icmp_signed("<", left, lanes), left, lanes)
            keep = _load(
                builder, builder.gep(table, [builder.sub(lanes, left)]), _I32, _REAL_LANES
            )
            squares = _real_row(
                builder, builder.gep(a_row, [column]), builder.gep(b_row, [column]), keep
            )
            total = builder.fadd(builder.load(accumulator), squares, flags=("contract",))
            builder.store(total, accumulator)
    reduce = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(_FLOAT, [_FLOAT, floats]),
        f"llvm.vector.reduce.fadd.v{_REAL_LANES}f32",
    )
    return builder.call(
        reduce, [ir.Constant(_FLOAT, 0.0), builder.load(accumulator)], fastmath=("reassoc",)
    )


def _make_narrow(context, builder, signature, arguments):
    """As `_make_rows` without a mask, where one load holds a row."""
    a, a_at, a_step, b, b_at, b_step, width, first, last = arguments
    lanes = ir.Constant(_I64, _LANES)
    nothing = ir.Constant(ir.VectorType(_I32, _LANES), [0] * _LANES)
    accumulator = cgutils.alloca_once_value(builder, nothing)
    builder.store(nothing, accumulator)
    keep = _load(builder, builder.gep(_keep_table(builder), [builder.sub(lanes, width)]), _I16)
    a_pointer = pointer_to(context, builder, signature.args[0], a, a_at)
    b_pointer = pointer_to(context, builder, signature.args[3], b, b_at)
    with cgutils.for_range_slice(builder, first, last, ir.Constant(_I64, 1)) as (row, _):
        squares = _row(
            builder,
            builder.gep(a_pointer, [builder.mul(row, a_step)]),
            builder.gep(b_pointer, [builder.mul(row, b_step)]),
            keep,
        )
        builder.store(builder.add(builder.load(accumulator), squares), accumulator)
    return _horizontal_sum(builder, builder.load(accumulator))


def _unrolled(rows, first):
    """Make the same sum for a fixed number of rows that fit one load each."""

    def generate(context, builder, signature, arguments):
        a, a_at, a_step, b, b_at, b_step, width = arguments
        lanes = ir.Constant(_I64, _LANES)
        keep = _load(builder, builder.gep(_keep_table(builder), [builder.sub(lanes, width)]), _I16)
        a_pointer = pointer_to(context, builder, signature.args[0], a, a_at)
        b_pointer = pointer_to(context, builder, signature.args[3], b, b_at)
        total = None
        for row in range(first, first + rows):
            number = ir.Constant(_I64, row)
            squares = _row(
                builder,
                builder.gep(a_pointer, [builder.mul(number, a_step)]),
                builder.gep(b_pointer, [builder.mul(number, b_step)]),
                keep,
            )
            total = squares if total is None else builder.add(total, squares)
        return _horizontal_sum(builder, total)

    return generate


@intrinsic
def _rows(_, a, a_at, a_step, b, b_at, b_step, width, first, last):
    return types.int32(a, _N, _N, b, _N, _N, _N, _N, _N), _make_rows(masked=False)


@intrinsic
def _real_rows(_, a, a_at, a_step, b, b_at, b_step, width, first, last):
    return types.float32(a, _N, _N, b, _N, _N, _N, _N, _N), _make_real_rows


@intrinsic
def _rows_known(_, a, a_at, a_step, b, b_at, b_step, known, width, first, last):
    return types.int32(a, _N, _N, b, _N, _N, known, _N, _N, _N), _make_rows(masked=True)


@intrinsic
def _rows_0_to_3(_, a, a_at, a_step, b, b_at, b_step, width):
    return types.int32(a, _N, _N, b, _N, _N, _N), _unrolled(3, 0)


@intrinsic
def _rows_3_to_7(_, a, a_at, a_step, b, b_at, b_step, width):
    return types.int32(a, _N, _N, b, _N, _N, _N), _unrolled(4, 3)


@intrinsic
def _narrow_rows(_, a, a_at, a_step, b, b_at, b_step, width, first, last):
    return types.int32(a, _N, _N, b, _N, _N, _N, _N, _N), _make_narrow


def patch_distance(a, a_at, a_step, b, b_at, b_step, width, rows, limit):
    """Sum of squared differences of two patches; at least ``limit`` if it would exceed it.

    Parameters
    ----------
    a, b : 1-D arrays, or pointers from `data_of`
        Target (int16 or float32) and source (uint8 or float32) with interleaved channels.
    a_at, b_at : int64
        Index of each patch's first element.
    a_step, b_step : int64
        Elements from one image row to the next.
    width, rows : int64
        Elements in one row of a patch, and how many rows.
    limit : int32 or float32
        Rows are skipped once the sum has reached it.
    """
    raise NotImplementedError("called from compiled code only")


@overload(
    patch_distance, jit_options={"error_model": "numpy", "fastmath": True, "forceinline": True}
)
def _patch_distance(a, a_at, a_step, b, b_at, b_step, width, rows, limit):
    if isinstance(a.dtype, types.Integer):

        def integer(a, a_at, a_step, b, b_at, b_step, width, rows, limit):
            if rows == 7 and width <= _LANES:
                total = _rows_0_to_3(a, a_at, a_step, b, b_at, b_step, width)
                if total >= limit:
                    return total
                return np.int32(total + _rows_3_to_7(a, a_at, a_step, b, b_at, b_step, width))
            if width <= _LANES:
                half = rows >> 1
                total = _narrow_rows(a, a_at, a_step, b, b_at, b_step, width, 0, half)
                if total >= limit:
                    return total
                total += _narrow_rows(a, a_at, a_step, b, b_at, b_step, width, half, rows)
                return total
            total = np.int32(0)
            block = _ROWS_AT_ONCE if rows <= 2 * _ROWS_AT_ONCE else 2 * _ROWS_AT_ONCE
            for first in range(0, rows, block):
                last = min(first + block, rows)
                total += _rows(a, a_at, a_step, b, b_at, b_step, width, first, last)
                if total >= limit:
                    return total
            return total

        return integer

    def real(a, a_at, a_step, b, b_at, b_step, width, rows, limit):
        total = np.float32(0)
        for first in range(0, rows, _ROWS_AT_ONCE):
            last = min(first + _ROWS_AT_ONCE, rows)
            total += _real_rows(a, a_at, a_step, b, b_at, b_step, width, first, last)
            if total >= limit:
                return total
        return total

    return real


@register_jitable(forceinline=True, error_model="numpy")
def known_distance(a, a_at, a_step, b, b_at, b_step, known, width, rows):
    """Sum of squared differences over the elements where ``known`` (int16, −1 or 0) is −1."""
    return _rows_known(a, a_at, a_step, b, b_at, b_step, known, width, 0, rows)
