"""A balanced kd-tree over projected patches, with leaves that are searched eight lanes at once.

The tree has no nodes with pointers. It covers leaves 0 … n−1; a node that covers leaves
``first <= leaf < last`` splits before leaf ``middle = (first + last) // 2``, and since no two
nodes split at the same place, ``splits[middle]`` is where its dimension and threshold are kept.
Every leaf holds `LANES` patches, the last one repeats its own to fill up.
"""

from __future__ import annotations

import llvmlite.ir as ir
import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .._jit import jit
from .distance import constant_vector, pointer_to
from .project import TERMS

__all__ = ["LANES", "LEAF", "build_below", "build_top", "descend", "nearest_in_leaf"]

#: Patches in a leaf.
LANES = 8
#: 16-bit numbers in a leaf: pairs of terms of `LANES` patches beside each other.
LEAF = LANES * TERMS

_LANE_BITS = LANES.bit_length() - 1
_LOW = np.int64(0xFFFFFFFF)
#: Patches looked at to choose the dimension of a split.
_SAMPLES = 48
_I16, _I32, _I64 = (ir.IntType(bits) for bits in (16, 32, 64))


def _load(builder, pointer, kind):
    value = builder.load(builder.bitcast(pointer, kind.as_pointer()))
    value.align = 2
    return value


def _shuffle(builder, vector, lanes):
    undefined = ir.Constant(vector.type, ir.Undefined)
    return builder.shuffle_vector(vector, undefined, constant_vector(_I32, lanes))


@intrinsic
def nearest_in_leaf(_, queries, query_at, leaves, leaf_at):
    """The squared distance of a leaf's nearest projection × `LANES`, plus its lane.

    Squares are taken of all 16-bit lanes first and neighbours added then, which LLVM turns into
    one multiply-add instruction wherever there is one.
    """

    def generate(context, builder, signature, arguments):
        queries, query_at, leaves, leaf_at = arguments
        query = pointer_to(context, builder, signature.args[0], queries, query_at)
        leaf = pointer_to(context, builder, signature.args[2], leaves, leaf_at)
        lanes = ir.VectorType(_I32, LANES)
        pairs = ir.VectorType(_I16, 2 * LANES)
        total = None
        for pair in range(TERMS // 2):
            term = _load(builder, builder.gep(query, [ir.Constant(_I64, 2 * pair)]), _I32)
            wanted = builder.insert_element(
                ir.Constant(lanes, ir.Undefined), term, ir.Constant(_I32, 0)
            )
            wanted = builder.bitcast(_shuffle(builder, wanted, [0] * LANES), pairs)
            place = ir.Constant(_I64, 2 * LANES * pair)
            difference = builder.sub(wanted, _load(builder, builder.gep(leaf, [place]), pairs))
            wide = builder.sext(difference, ir.VectorType(_I32, 2 * LANES))
            square = builder.mul(wide, wide)
            both = builder.add(
                _shuffle(builder, square, range(0, 2 * LANES, 2)),
                _shuffle(builder, square, range(1, 2 * LANES, 2)),
            )
            total = both if total is None else builder.add(total, both)
        packed = builder.or_(
            builder.shl(total, constant_vector(_I32, [_LANE_BITS] * LANES)),
            constant_vector(_I32, range(LANES)),
        )
        smallest = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(_I32, [lanes]),
            f"llvm.vector.reduce.umin.v{LANES}i32",
        )
        return builder.zext(builder.call(smallest, [packed]), _I64)

    return types.int64(queries, types.int64, leaves, types.int64), generate


@jit
def _select(keys, low, high, rank):
    """Reorder ``keys[low:high]`` so that no key before ``rank`` is larger than one from it on."""
    high -= 1
    while low < high:
        first, middle, last = keys[low], keys[(low + high) >> 1], keys[high]
        pivot = max(min(first, middle), min(max(first, middle), last))
        i, j = low, high
        while i <= j:
            while keys[np.uint64(i)] < pivot:
                i += 1
            while keys[np.uint64(j)] > pivot:
                j -= 1
            if i <= j:
                keys[np.uint64(i)], keys[np.uint64(j)] = keys[np.uint64(j)], keys[np.uint64(i)]
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            return


@jit
def _split(points, keys, spread, first, last, splits):
    """Split the node over leaves ``first <= leaf < last`` and return where."""
    low, high = first * LANES, min(last * LANES, keys.size)
    step = max(1, (high - low) // _SAMPLES)
    total = np.zeros(TERMS, np.float32)
    squares = np.zeros(TERMS, np.float32)
    count = np.float32(0)
    for i in range(low, high, step):
        index = np.uint64(keys[np.uint64(i)] & _LOW)
        count += np.float32(1)
        for term in range(np.uint64(TERMS)):
            value = np.float32(points[index, term])
            total[term] += value
            squares[term] += value * value
    widest, dimension = np.float32(-1), 0
    for term in range(TERMS):
        variance = (squares[term] - total[term] * total[term] / count) * spread[term]
        if variance > widest:
            widest, dimension = variance, term
    for i in range(low, high):
        index = keys[np.uint64(i)] & _LOW
        value = np.int64(points[np.uint64(index), np.uint64(dimension)])
        keys[np.uint64(i)] = (value << np.int64(32)) | index
    middle = (first + last) >> 1
    _select(keys, low, high, middle * LANES)
    splits[middle] = ((keys[middle * LANES] >> np.int64(32)) * TERMS) | dimension
    return middle


@jit
def build_top(points, keys, spread, levels, splits):
    """Split the first ``levels`` levels, of which the lower ones are independent of each other.

    Parameters
    ----------
    points : (n, TERMS) int16
    keys : (m,) int64
        Which points are in the tree, in the order of their index; becomes the order of the leaves.
    spread : (TERMS,) float32
        Factor on each term's variance when the dimension of a split is chosen.
    levels : int64
    splits : (leaves,) int32
        Where each split's threshold × `TERMS` + dimension is written.

    Returns
    -------
    (2**levels + 1,) int64
        The leaves at which the subtrees begin.
    """
    leaves = splits.size
    starts = np.array([0, leaves])
    for _ in range(levels):
        finer = np.empty(2 * starts.size - 1, np.int64)
        for node in range(starts.size - 1):
            first, last = starts[node], starts[node + 1]
            finer[2 * node] = first
            finer[2 * node + 1] = (
                _split(points, keys, spread, first, last, splits) if last - first > 1 else last
            )
        finer[-1] = leaves
        starts = finer
    return starts


@jit
def build_below(
    points, keys, spread, splits, columns, members, leaf_of, leaves, starts, band
):  # fmt: skip
    """Split subtree ``band`` down to its leaves and pack them.

    Depth first, so that a subtree's points stay in the cache. Race-free: a subtree owns the keys,
    splits and leaves between two of ``starts``, and the points they stand for.

    Parameters
    ----------
    points, keys, spread, splits
        See `build_top`.
    columns : int64
        Point ``i`` is the patch at row ``i // columns``, column ``i % columns``.
    members : (leaves × LANES,) int64
        Becomes the patch of each lane, row × 2**32 + column.
    leaf_of : (n,) int32
        Becomes the leaf of each point.
    leaves : (leaves × LEAF,) int16
        Becomes the packed projections.
    starts : int64 array
        From `build_top`.
    """
    stack = np.empty((64, 2), np.int64)
    stack[0, 0], stack[0, 1] = starts[band], starts[band + 1]
    depth = 1 if starts[band + 1] > starts[band] else 0
    while depth > 0:
        depth -= 1
        first, last = stack[depth]
        if last - first > 1:
            middle = _split(points, keys, spread, first, last, splits)
            stack[depth, 0], stack[depth, 1] = middle, last
            stack[depth + 1, 0], stack[depth + 1, 1] = first, middle
            depth += 2
            continue
        for lane in range(LANES):
            index = keys[min(first * LANES + lane, keys.size - 1)] & _LOW
            row = index // columns
            place = np.uint64(first * LANES + lane)
            members[place] = (row << np.int64(32)) | (index - row * columns)
            leaf_of[np.uint64(index)] = first
            place = np.uint64(first * LEAF + 2 * lane)
            for pair in range(np.uint64(TERMS // 2)):
                at = place + pair * np.uint64(2 * LANES)
                leaves[at] = points[np.uint64(index), np.uint64(2) * pair]
                leaves[at + np.uint64(1)] = points[
                    np.uint64(index), np.uint64(2) * pair + np.uint64(1)
                ]


@jit
def descend(queries, splits, found, bounds, band):
    """Write the leaf in whose cell each query lies.

    Parameters
    ----------
    queries : (rows, columns, TERMS) int16
    splits : (leaves,) int32
    found : (rows, columns) int32
    bounds : int64 array
        Race-free: band ``b`` writes rows ``bounds[b] <= y < bounds[b + 1]``.
    """
    for y in range(bounds[band], bounds[band + 1]):
        for x in range(np.uint64(queries.shape[1])):
            first, last = np.int64(0), np.int64(splits.size)
            while last - first > 1:
                middle = (first + last) >> 1
                split = np.int64(splits[np.uint64(middle)])
                term = np.uint64(split & (TERMS - 1))
                below = np.int64(queries[np.uint64(y), x, term]) < split // TERMS
                first, last = (first, middle) if below else (middle, last)
            found[np.uint64(y), x] = first
