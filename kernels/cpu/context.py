"""What an output pixel knows of its surroundings, and which exemplar pixels have seen the same.

A *tap* is one known value of a pixel's window: where it lies in the exemplar relative to the
centre, how much it counts, and the value. The distance of a candidate is the weighted mean of the
squared differences over the taps. Candidates are looked at `LANES` side by side, and the taps in
order of falling weight, so that most candidates drop out after a few taps.

The pruning is done in float32 with a margin wider than its rounding errors; what is left is
decided by `tap_distance` in float64, whose order of operations is that of the plain formula.
"""

from __future__ import annotations

import llvmlite.ir as ir
import numpy as np
from numba import types
from numba.extending import intrinsic, register_jitable

from .._jit import jit
from .distance import data_of, element
from .places import inside

__all__ = ["FAR", "LANES", "gather_taps", "is_barred", "tap_distance", "within_limit"]

#: Candidates side by side: four vector registers of floats on AVX2.
LANES = 32
#: The penalty of a place that is no candidate.
FAR = np.float32(1e30)
#: Taps between two looks at which candidates are left.
_GROUP = 8
#: How much of the limit float32 may be off: 1e-4 at most for 1600 taps.
_MARGIN = np.float32(1.001)
_TINY = np.float32(1e-6)

_FLOAT = ir.FloatType()
_I32, _I64 = ir.IntType(32), ir.IntType(64)
_VECTOR = ir.VectorType(_FLOAT, LANES)


def _spread(builder, scalar):
    """Put one number in every lane."""
    one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), scalar, ir.Constant(_I32, 0))
    lanes = ir.Constant(ir.VectorType(_I32, LANES), [0] * LANES)
    return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), lanes)


def _lanes_at(builder, pointer, index):
    place = builder.bitcast(builder.gep(pointer, [index]), _VECTOR.as_pointer())
    value = builder.load(place)
    value.align = 4
    return place, value


def _make_add_taps(masked):
    """Make ``add(sums, atlas[, valid], at, offsets, weights, values, first, last, limit)``.

    It adds taps ``first`` … ``last`` − 1 to the sums of `LANES` candidates from ``at`` on and
    returns a bit for each, 1 where its sum is at most ``limit``.
    """

    def generate(context, builder, signature, arguments):
        if masked:
            sums, atlas, valid, at, offsets, weights, values, first, last, limit = arguments
        else:
            sums, atlas, at, offsets, weights, values, first, last, limit = arguments
        place, start = _lanes_at(builder, sums, ir.Constant(_I64, 0))
        before = builder.block
        loop = builder.append_basic_block("taps")
        after = builder.append_basic_block("done")
        builder.branch(loop)
        builder.position_at_end(loop)
        tap, total = builder.phi(_I64), builder.phi(_VECTOR)
        tap.add_incoming(first, before)
        total.add_incoming(start, before)
        candidate = builder.add(at, builder.load(builder.gep(offsets, [tap])))
        _, pixels = _lanes_at(builder, atlas, candidate)
        apart = builder.fsub(pixels, _spread(builder, builder.load(builder.gep(values, [tap]))))
        weight = _spread(builder, builder.load(builder.gep(weights, [tap])))
        if masked:
            weight = builder.fmul(weight, _lanes_at(builder, valid, candidate)[1])
        square = builder.fmul(builder.fmul(weight, apart), apart, flags=("contract",))
        added = builder.fadd(square, total, flags=("contract",))
        following = builder.add(tap, ir.Constant(_I64, 1))
        tap.add_incoming(following, loop)
        total.add_incoming(added, loop)
        builder.cbranch(builder.icmp_signed("<", following, last), loop, after)
        builder.position_at_end(after)
        builder.store(added, place).align = 4
        left = builder.fcmp_ordered("<=", added, _spread(builder, limit))
        return builder.bitcast(left, _I32)

    return generate


_REAL, _WHOLE = types.CPointer(types.float32), types.int64
_TAPS = (_WHOLE, types.CPointer(_WHOLE), _REAL, _REAL, _WHOLE, _WHOLE, types.float32)


@intrinsic
def _add_taps(_, sums, atlas, at, offsets, weights, values, first, last, limit):
    """As `_make_add_taps` says."""
    return types.uint32(_REAL, _REAL, *_TAPS), _make_add_taps(masked=False)


@intrinsic
def _add_valid_taps(_, sums, atlas, valid, at, offsets, weights, values, first, last, limit):
    """As `_make_add_taps` says; taps count ``valid`` times their weight."""
    return types.uint32(_REAL, _REAL, _REAL, *_TAPS), _make_add_taps(masked=True)


@jit
def gather_taps(
    canvas, rank, own, y, x, offsets, weights, guide, guide_weights, plane, stride, periodic,
    tap_offset, tap_weight, tap_value, tap_share,
):  # fmt: skip
    """Write the taps of pixel (y, x) and return how many there are.

    Parameters
    ----------
    canvas : (channels, rows, columns) float32
    rank : (rows, columns) int32
        When each pixel becomes known; −1 from the start.
    own : int
        Pixels of a smaller rank than this are known.
    offsets : (k, 2) int64
        (row, column), falling weight; the first is (0, 0), which counts for the guide only.
    weights, guide_weights : (k,) float64
    guide : (guides, rows, columns) float32
        Channels that are known everywhere; none has shape (0, rows, columns).
    plane, stride : int
        Elements from channel to channel, and from row to row, of the exemplar.
    periodic : bool
        The window goes on at the opposite edge.
    tap_offset, tap_weight, tap_value : int64, float64, float32
        Filled.
    tap_share : float32
        Filled with ``tap_weight`` over its sum.
    """
    channels, rows, columns = canvas.shape
    count = 0
    total = 0.0
    for k in range(offsets.shape[0]):
        row = inside(y + offsets[k, 0], rows, periodic)
        column = inside(x + offsets[k, 1], columns, periodic)
        if row < 0 or column < 0:
            continue
        shift = offsets[k, 0] * stride + offsets[k, 1]
        if rank[row, column] < own:
            for c in range(channels):
                tap_offset[count] = c * plane + shift
                tap_weight[count] = weights[k]
                tap_value[count] = canvas[c, row, column]
                total += weights[k]
                count += 1
        for c in range(guide.shape[0]):
            tap_offset[count] = (channels + c) * plane + shift
            tap_weight[count] = guide_weights[k]
            tap_value[count] = guide[c, row, column]
            total += guide_weights[k]
            count += 1
    for tap in range(count):
        tap_share[tap] = np.float32(tap_weight[tap] / total)
    return count


@jit
def tap_distance(atlas, valid, at, tap_offset, tap_weight, tap_value, count):
    """Weighted mean squared difference of a candidate from the taps, in float64.

    Where ``valid`` (as ``atlas``; empty = everywhere) is 0, the candidate has nothing to compare:
    such taps are left out. Infinite if they make up more than half of the weight.
    """
    total = 0.0
    weight = 0.0
    whole = 0.0
    for tap in range(count):
        apart = np.float64(atlas[at + tap_offset[tap]]) - np.float64(tap_value[tap])
        whole += tap_weight[tap]
        if valid.size > 0 and valid[at + tap_offset[tap]] == 0:
            continue
        total += tap_weight[tap] * (apart * apart)
        weight += tap_weight[tap]
    if 2.0 * weight < whole:
        return np.inf
    return total / weight


@register_jitable(forceinline=True)
def is_barred(place, barred, bars, home, leave_out, stride):
    """Whether a place is one of ``barred``, or within ``leave_out`` rows and columns of home."""
    for index in range(bars):
        if barred[index] == place:
            return True
    if leave_out == 0 or home < 0:
        return False
    row, column = home // stride, home % stride
    return abs(place // stride - row) < leave_out and abs(place % stride - column) < leave_out


@jit
def within_limit(
    atlas, valid, penalty, blocks, tap_offset, tap_weight, tap_value, tap_share, count,
    best, stretch, slack, barred, bars, home, leave_out, stride, found, near,
):  # fmt: skip
    """Find every candidate with d <= ``stretch`` · d_min + ``slack``, and some more.

    Parameters
    ----------
    atlas : 1-D float32
        Planes of the exemplars.
    valid : 1-D float32
        1 where ``atlas`` has a value, else 0; empty = it has one everywhere.
    penalty : 1-D float32
        0 at candidates, `FAR` elsewhere, with `LANES` elements behind the end.
    blocks : (blocks,) int64
        Where runs of `LANES` begin that between them hold each candidate once.
    best : float32
        At least the smallest distance, infinite if nothing is known of it.
    barred, bars, home, leave_out, stride
        What is no candidate for this pixel; see `is_barred`.
    found, near : int64, float32
        Filled with the candidates, in their order, and their distances as float32 has them.

    Returns
    -------
    int
        How many there are.
    """
    sums = np.empty(LANES, np.float32)
    limit = (best * stretch + slack) * _MARGIN + _TINY
    limit = min(limit, np.float32(0.5) * FAR)
    hits = 0
    lanes, pixels = data_of(sums), data_of(atlas)
    offset, share, value = data_of(tap_offset), data_of(tap_share), data_of(tap_value)
    level, mask = data_of(penalty), data_of(valid)
    for block in range(blocks.size):
        at = blocks[block]
        for lane in range(LANES):
            sums[lane] = element(level, at + lane)
        left = np.uint32(0xFFFFFFFF)
        first = 0
        while first < count and left != 0:
            last = min(first + _GROUP, count)
            if valid.size > 0:
                left = _add_valid_taps(
                    lanes, pixels, mask, at, offset, share, value, first, last, limit
                )
            else:
                left = _add_taps(lanes, pixels, at, offset, share, value, first, last, limit)
            first = last
        if left == 0:
            continue
        for lane in range(LANES):
            if not (left >> np.uint32(lane)) & np.uint32(1):
                continue
            distance = sums[lane]
            if distance >= FAR or is_barred(at + lane, barred, bars, home, leave_out, stride):
                continue
            if valid.size > 0:
                distance = np.float32(
                    tap_distance(atlas, valid, at + lane, tap_offset, tap_weight, tap_value, count)
                )
                if not distance <= limit:
                    continue
            found[hits] = at + lane
            near[hits] = distance
            hits += 1
            if distance < best:
                best = distance
                limit = (best * stretch + slack) * _MARGIN + _TINY
    kept = 0
    for index in range(hits):
        if near[index] <= limit:
            found[kept] = found[index]
            near[kept] = near[index]
            kept += 1
    return kept
