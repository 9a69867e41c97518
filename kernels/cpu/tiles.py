"""Products of matrices too small for BLAS, in tiles that stay in registers.

Columns are rows of data and lie side by side in vector registers. `multiply` runs over what the
two factors have in common in its innermost loop, `add_products` over the columns; neither packs
its factors first, as BLAS does, which costs as much as a product with few rows.
"""

from __future__ import annotations

import llvmlite.binding as llvm
import llvmlite.ir as ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .._jit import jit

__all__ = ["PARTS", "TALL", "VECTOR", "add_products", "multiply", "squares_and_products"]

#: Rows of the left factor in a tile, and of the right one in a tile of `add_products`.
TALL, PARTS = 4, 3
#: Bytes side by side in a register: with fewer of them, AVX2's 16 hold a tile.
VECTOR = 64 if llvm.get_host_cpu_features().get("avx512f") else 32
_INDEX = ir.IntType(64)


def _vector(kind):
    """Return the type of a vector register of numbers of this kind, and its lanes."""
    number = ir.FloatType() if kind == types.float32 else ir.DoubleType()
    lanes = VECTOR // (kind.bitwidth // 8)
    return ir.VectorType(number, lanes), lanes


def _fma(builder, vector, *arguments):
    name = f"llvm.fma.v{vector.count}f{32 if vector.element == ir.FloatType() else 64}"
    signature = ir.FunctionType(vector, [vector] * 3)
    function = cgutils.get_or_insert_function(builder.module, signature, name)
    return builder.call(function, arguments)


def _at(builder, data, index, vector):
    """Return a pointer to a vector from this element on."""
    return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())


def _load(builder, data, index, vector):
    value = builder.load(_at(builder, data, index, vector))
    value.align = 4  # as arrays are aligned to their elements only
    return value


def _store(builder, value, data, index, vector):
    builder.store(value, _at(builder, data, index, vector)).align = 4


def _splat(builder, value, vector):
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, _INDEX(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), zeros)


def _matrix(context, builder, kind, value):
    """Return the data pointer and the numbers of rows and columns of a C-contiguous matrix."""
    array = context.make_array(kind)(context, builder, value)
    return array.data, *cgutils.unpack_tuple(builder, array.shape)


@intrinsic
def _multiply(_, left, right, out, k, i, to, terms):
    """Write rows k … k + `TALL` − 1 of left · right, two registers of columns from i on.

    They go to the columns of ``out`` from ``to`` on; only the first ``terms`` are added up.
    """

    def generate(context, builder, signature, arguments):
        vector, lanes = _vector(left.dtype)
        a, _, common = _matrix(context, builder, left, arguments[0])
        b, _, columns = _matrix(context, builder, right, arguments[1])
        c, _, stride = _matrix(context, builder, out, arguments[2])
        k, i, to, terms = arguments[3:]
        nothing = ir.Constant(vector, [0.0] * lanes)
        sums = [[cgutils.alloca_once_value(builder, nothing) for _ in (0, 1)] for _ in range(TALL)]
        rows = [builder.mul(builder.add(k, _INDEX(j)), common) for j in range(TALL)]
        places = [builder.add(i, _INDEX(part * lanes)) for part in (0, 1)]
        with cgutils.for_range(builder, terms) as loop:
            q = loop.index
            start = builder.mul(q, columns)
            seen = [_load(builder, b, builder.add(start, place), vector) for place in places]
            for j in range(TALL):
                factor = builder.load(builder.gep(a, [builder.add(rows[j], q)]))
                factor = _splat(builder, factor, vector)
                for part in (0, 1):
                    held = builder.load(sums[j][part])
                    builder.store(_fma(builder, vector, factor, seen[part], held), sums[j][part])
        for j in range(TALL):
            start = builder.add(builder.mul(builder.add(k, _INDEX(j)), stride), to)
            for part in (0, 1):
                place = builder.add(start, _INDEX(part * lanes))
                _store(builder, builder.load(sums[j][part]), c, place, vector)
        return context.get_dummy_value()

    indices = (types.int64,) * 4
    return types.void(left, right, out, *indices), generate


def _total(builder, vector):
    """Return the sum over the lanes of a register, half by half, as float64."""
    while (lanes := vector.type.count) > 1:
        half = ir.VectorType(ir.IntType(32), lanes // 2)
        low = builder.shuffle_vector(vector, vector, ir.Constant(half, [*range(lanes // 2)]))
        high = builder.shuffle_vector(
            vector, vector, ir.Constant(half, [*range(lanes // 2, lanes)])
        )
        vector = builder.fadd(low, high)
    one = builder.extract_element(vector, _INDEX(0))
    return builder.fpext(one, ir.DoubleType()) if one.type == ir.FloatType() else one


@intrinsic
def _add_products(_, left, right, sums, k, q):
    """Add left[k + j] · right[q + l] to sums[k + j, q + l], for a tile of j and l."""

    def generate(context, builder, signature, arguments):
        vector, lanes = _vector(left.dtype)
        a, _, columns = _matrix(context, builder, left, arguments[0])
        b, _, _ = _matrix(context, builder, right, arguments[1])
        c, _, width = _matrix(context, builder, sums, arguments[2])
        k, q = arguments[3:]
        nothing = ir.Constant(vector, [0.0] * lanes)
        tile = [(j, part) for j in range(TALL) for part in range(PARTS)]
        held = {place: cgutils.alloca_once_value(builder, nothing) for place in tile}
        tall = [builder.mul(builder.add(k, _INDEX(j)), columns) for j in range(TALL)]
        wide = [builder.mul(builder.add(q, _INDEX(part)), columns) for part in range(PARTS)]
        for place in tile:  # set here, as an alloca's first value is set once a function
            builder.store(nothing, held[place])
        with cgutils.for_range_slice(builder, _INDEX(0), columns, _INDEX(lanes), _INDEX) as (i, _):
            seen = [_load(builder, b, builder.add(start, i), vector) for start in wide]
            for j in range(TALL):
                factor = _load(builder, a, builder.add(tall[j], i), vector)
                for part in range(PARTS):
                    slot = held[j, part]
                    more = _fma(builder, vector, factor, seen[part], builder.load(slot))
                    builder.store(more, slot)
        for j, part in tile:
            row = builder.mul(builder.add(k, _INDEX(j)), width)
            place = builder.gep(c, [builder.add(builder.add(row, q), _INDEX(part))])
            more = _total(builder, builder.load(held[j, part]))
            builder.store(builder.fadd(builder.load(place), more), place)
        return context.get_dummy_value()

    return types.void(left, right, sums, types.int64, types.int64), generate


@intrinsic
def _outer(_, z, a, at, out, row, i):
    """Write z[a] · z[b] for b from a on to rows of ``out`` from ``row`` on, two registers each.

    Columns of ``z`` are taken from ``at`` + ``i`` on, and written from ``i`` on.
    """

    def generate(context, builder, signature, arguments):
        vector, lanes = _vector(z.dtype)
        rows, width, stride = _matrix(context, builder, z, arguments[0])
        to, _, columns = _matrix(context, builder, out, arguments[3])
        a, at, row, i = arguments[1], arguments[2], arguments[4], arguments[5]
        for part in (0, 1):
            here = builder.add(i, _INDEX(part * lanes))
            there = builder.add(at, here)
            own = _load(builder, rows, builder.add(builder.mul(a, stride), there), vector)
            with cgutils.for_range(builder, builder.sub(width, a)) as loop:
                b = builder.add(a, loop.index)
                other = _load(builder, rows, builder.add(builder.mul(b, stride), there), vector)
                place = builder.mul(builder.add(row, loop.index), columns)
                product = builder.fmul(own, other)
                _store(builder, product, to, builder.add(place, here), vector)
        return context.get_dummy_value()

    indices = (types.int64,) * 2
    return types.void(z, *indices, out, *indices), generate


@jit
def multiply(left, right, out, at, lower):
    """Write left · right to the columns of ``out`` from ``at`` on.

    Parameters
    ----------
    left : (K, D) float
        K is a multiple of `TALL`.
    right : (D, m) float
        Of the same type; a row has a multiple of 2 · `VECTOR` bytes.
    out : (K, at + m or more) float, written
    at : int
    lower : bool
        Whether ``left`` is 0 above its diagonal.
    """
    common = left.shape[1]
    step = 2 * VECTOR // right.itemsize
    for i in range(0, right.shape[1], step):
        for k in range(0, left.shape[0], TALL):
            terms = min(common, k + TALL) if lower else common
            _multiply(left, right, out, k, i, at + i, terms)


@jit
def add_products(left, right, sums, upper):
    """Add left · rightᵀ to sums.

    Parameters
    ----------
    left : (K, m) float
        K is a multiple of `TALL`; a row has a multiple of `VECTOR` bytes.
    right : (D, m) float
        D is a multiple of `PARTS`.
    sums : (K, D) float64
    upper : bool
        Whether what is below the diagonal is not needed.
    """
    for k in range(0, left.shape[0], TALL):
        first = k // PARTS * PARTS if upper else 0
        for q in range(first, right.shape[0], PARTS):
            _add_products(left, right, sums, k, q)


@jit
def squares_and_products(z, at, out):
    """Write z_a z_b for a <= b, for columns of z from ``at`` on; returns how many rows they are.

    Parameters
    ----------
    z : (d, at + m or more) float
    at : int
    out : (d (d + 1) / 2 or more, m) float
        Of the same type; a row has a multiple of 2 · `VECTOR` bytes.
    """
    width = z.shape[0]
    for i in range(0, out.shape[1], 2 * VECTOR // out.itemsize):
        row = 0
        for a in range(width):
            _outer(z, a, at, out, row, i)
            row += width - a
    return width * (width + 1) // 2
