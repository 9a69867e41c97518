"""The candidates of a pixel: which exemplar pixels have surroundings like its own, and weights.

Efros & Leung 1999, section 2: the set Ω of windows within 1 + ε of the nearest, and the softer
weightings that make of it a kernel estimate of the conditional distribution.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba.extending import register_jitable

from .._jit import jit
from .context import LANES, gather_taps, is_barred, tap_distance, within_limit
from .places import inside

__all__ = [
    "RELATIVE",
    "SOFT",
    "UNIFORM",
    "Exemplars",
    "Rule",
    "Scratch",
    "Window",
    "draw",
    "log_share",
    "make_scratch",
    "shifted_sources",
    "support",
]

#: Weightings of the candidates.
UNIFORM, SOFT, RELATIVE = 0, 1, 2
#: Candidates of less than e^−37 (2^−53) of the best one's weight change no float64 sum.
_NEGLIGIBLE = 37.0
#: How far away neighbours are whose sources, shifted, are tried first.
_REACH = 2


class Exemplars(NamedTuple):
    """What is looked up in; arrays as `within_limit` has them.

    ``allowed`` (n,) int64 are all candidates. With ``similar`` (n, k) int64, the places most like
    each candidate, only those of what the neighbours' sources suggest are looked at (Tong et al.
    2002, k-coherence); ``number`` (places,) int32 is then where a place stands in ``allowed``,
    −1 = nowhere. Shape (n, 0) looks at all candidates.
    """

    atlas: Any
    valid: Any
    penalty: Any
    blocks: Any
    allowed: Any
    plane: int
    stride: int
    similar: Any
    number: Any


class Window(NamedTuple):
    """What is seen of a picture; see `gather_taps`."""

    guide: Any
    offsets: Any
    weights: Any
    guide_weights: Any
    periodic: bool


class Rule(NamedTuple):
    """How distances become weights.

    `UNIFORM`: alike within 1 + ``width`` times the least distance. `SOFT`: exp(−d / width).
    `RELATIVE`: exp(−(d − least) / (width · max(least, 1))). ``top_k``: the nearest so many only,
    0 = all. ``top_p``: the fewest that have so much of the weight.
    """

    weighting: int
    width: float
    top_k: int
    top_p: float


class Scratch(NamedTuple):
    """Room for the taps and the candidates of one pixel at a time."""

    taps: Any
    tap_weight: Any
    tap_value: Any
    tap_share: Any
    found: Any
    near: Any
    distances: Any
    log_weights: Any
    nearby: Any
    barred: Any
    seen: Any


@jit
def make_scratch(exemplars, window, channels):
    """Make room for pictures of so many channels."""
    most = window.offsets.shape[0] * (channels + window.guide.shape[0])
    count = exemplars.allowed.size
    return Scratch(
        np.empty(most, np.int64),
        np.empty(most),
        np.empty(most, np.float32),
        np.empty(most, np.float32),
        np.empty(count, np.int64),
        np.empty(count, np.float32),
        np.empty(count),
        np.empty(count),
        np.empty((2 * _REACH + 1) ** 2, np.int64),
        np.empty(8, np.int64),
        np.zeros(count if exemplars.similar.shape[1] > 0 else 0, np.int32),
    )


@jit
def _log_weight(distance, least, rule):
    if rule.weighting == UNIFORM:
        return 0.0 if distance <= least * (1.0 + rule.width) else -np.inf
    if rule.weighting == SOFT:
        return -(distance - least) / rule.width
    return -(distance - least) / (rule.width * max(least, 1.0))


@jit
def _limits(rule):
    """How far candidates may be that count: (stretch, slack) of the least distance."""
    if rule.weighting == UNIFORM:
        return np.float32(1.0 + rule.width), np.float32(0.0)
    if rule.weighting == SOFT:
        return np.float32(1.0), np.float32(_NEGLIGIBLE * rule.width)
    slack = np.float32(_NEGLIGIBLE * rule.width)
    return np.float32(1.0) + slack, slack


@jit
def shifted_sources(
    sources, rank, own, run, longest, y, x, top, stride, periodic, nearby, barred
):  # fmt: skip
    """List where the sources of the neighbours would go on.

    Parameters
    ----------
    sources, rank, own
        Where pixels are from, −1 = nowhere; those of a rank below ``own`` are looked at.
    run, longest
        Sources that continue a copy of ``longest`` pixels or more are barred; 0 = none.
    top : int
        The first row that may be looked at.
    nearby, barred : int64
        Filled.

    Returns
    -------
    (int, int)
        How many are in ``nearby`` and in ``barred``.
    """
    rows, columns = sources.shape
    count, bars = 0, 0
    for dy in range(-_REACH, _REACH + 1):
        for dx in range(-_REACH, _REACH + 1):
            row, column = inside(y + dy, rows, periodic), inside(x + dx, columns, periodic)
            if row < top or column < 0:
                continue
            if rank[row, column] >= own or sources[row, column] < 0:
                continue
            place = sources[row, column] - dy * stride - dx
            if longest > 0 and max(abs(dy), abs(dx)) == 1 and run[row, column] >= longest:
                barred[bars] = place
                bars += 1
            known = False
            for index in range(count):
                known |= nearby[index] == place
            if not known:
                nearby[count] = place
                count += 1
    return count, bars


@register_jitable
def _usable(exemplars, place, scratch, bars, home, leave_out):
    inside = 0 <= place < exemplars.penalty.size - LANES and exemplars.penalty[place] == 0
    return inside and not is_barred(place, scratch.barred, bars, home, leave_out, exemplars.stride)


@jit
def _coherent(exemplars, scratch, nears, bars, home, leave_out, stamp):
    """Collect the places most like those that the neighbours suggest; returns how many."""
    hits = 0
    for index in range(nears):
        place = scratch.nearby[index]
        if not _usable(exemplars, place, scratch, 0, -1, 0):
            continue
        like = exemplars.similar[exemplars.number[place]]
        for other in range(like.size):
            number = exemplars.number[like[other]]
            if scratch.seen[number] == stamp:
                continue
            scratch.seen[number] = stamp
            if _usable(exemplars, like[other], scratch, bars, home, leave_out):
                scratch.found[hits] = like[other]
                hits += 1
    return hits


@jit
def support(
    exemplars, canvas, rank, window, rule, y, x, scratch, nears, bars, home, leave_out
):  # fmt: skip
    """Find the candidates of pixel (y, x), given the pixels of smaller rank.

    Parameters
    ----------
    canvas, rank
        See `gather_taps`.
    scratch : Scratch
        ``found``, ``distances`` and ``log_weights`` are filled, in an order that depends on
        nothing else. ``nearby`` and ``barred`` are read: places to try first, and places that
        are no candidates.
    nears, bars : int
        How many of those there are.
    home, leave_out
        See `is_barred`.

    Returns
    -------
    (int, float)
        How many candidates there are, and the least distance.
    """
    own = rank[y, x]
    count = gather_taps(
        canvas, rank, own, y, x, window.offsets, window.weights, window.guide,
        window.guide_weights, exemplars.plane, exemplars.stride, window.periodic, scratch.taps,
        scratch.tap_weight, scratch.tap_value, scratch.tap_share,
    )  # fmt: skip
    some, least = 0, 0.0
    if count > 0:
        some, least = _nearest(
            exemplars, rule, scratch, count, nears, bars, home, leave_out, own + 1
        )
    if some == 0:  # nothing is known, or masked exemplars have nothing to compare with it
        some, least = _every(exemplars, scratch, bars, home, leave_out), 0.0
    if some == 0 and bars > 0:  # few candidates, all of them barred: a longer copy then
        if count > 0:
            some, least = _nearest(exemplars, rule, scratch, count, 0, 0, home, leave_out, own + 1)
        if some == 0:
            some, least = _every(exemplars, scratch, 0, home, leave_out), 0.0
    return some, least


@jit
def _every(exemplars, scratch, bars, home, leave_out):
    """Take all candidates alike; returns how many."""
    some = 0
    for place in exemplars.allowed:
        if not is_barred(place, scratch.barred, bars, home, leave_out, exemplars.stride):
            scratch.found[some] = place
            scratch.distances[some] = 0.0
            scratch.log_weights[some] = 0.0
            some += 1
    return some


@jit
def _nearest(exemplars, rule, scratch, count, nears, bars, home, leave_out, stamp):
    atlas, valid = exemplars.atlas, exemplars.valid
    taps, tap_weight, tap_value = scratch.taps, scratch.tap_weight, scratch.tap_value
    found, distances, log_weights = scratch.found, scratch.distances, scratch.log_weights
    hits = 0
    if exemplars.similar.shape[1] > 0:
        hits = _coherent(exemplars, scratch, nears, bars, home, leave_out, stamp)
    if hits == 0:
        best = np.inf
        for index in range(nears):
            place = scratch.nearby[index]
            if _usable(exemplars, place, scratch, bars, home, leave_out):
                distance = tap_distance(atlas, valid, place, taps, tap_weight, tap_value, count)
                best = min(best, distance)
        stretch, slack = _limits(rule)
        hits = within_limit(
            atlas, valid, exemplars.penalty, exemplars.blocks, taps, tap_weight, tap_value,
            scratch.tap_share, count, np.float32(best), stretch, slack, scratch.barred, bars,
            home, leave_out, exemplars.stride, found, scratch.near,
        )  # fmt: skip
    least = np.inf
    for index in range(hits):
        distances[index] = tap_distance(
            atlas, valid, found[index], taps, tap_weight, tap_value, count
        )
        least = min(least, distances[index])
    kept = 0
    for index in range(hits):
        log_weight = _log_weight(distances[index], least, rule)
        if log_weight >= -_NEGLIGIBLE:
            found[kept] = found[index]
            distances[kept] = distances[index]
            log_weights[kept] = log_weight
            kept += 1
    if 0 < rule.top_k < kept or rule.top_p < 1.0:
        kept = _best_of(found, distances, log_weights, kept, rule)
    return kept, least


@jit
def _best_of(found, distances, log_weights, count, rule):
    """Keep the nearest ``top_k``, then the fewest that have ``top_p`` of the weight."""
    order = np.argsort(distances[:count], kind="mergesort")  # stable: ties as they stood
    keep = min(count, rule.top_k) if rule.top_k > 0 else count
    if rule.top_p < 1.0:
        total = 0.0
        for index in range(keep):
            total += np.exp(log_weights[order[index]])
        mass = 0.0
        for index in range(keep):
            mass += np.exp(log_weights[order[index]])
            if mass >= rule.top_p * total:
                keep = index + 1
                break
    chosen = np.sort(order[:keep])
    for index in range(keep):
        found[index] = found[chosen[index]]
        distances[index] = distances[chosen[index]]
        log_weights[index] = log_weights[chosen[index]]
    return keep


@jit
def draw(log_weights, count, word0, word1):
    """Pick a candidate by 53 random bits."""
    total = 0.0
    for index in range(count):
        total += np.exp(log_weights[index])
    high, low = np.uint64(word0), np.uint64(word1)
    bits = np.float64(((high << np.uint64(32)) | low) >> np.uint64(11))
    target = bits * 2.0**-53 * total
    so_far = 0.0
    for index in range(count):
        so_far += np.exp(log_weights[index])
        if target < so_far:
            return index
    return count - 1


@jit
def log_share(exemplars, channels, scratch, count, place):
    """Log of the probability that a candidate of the same value as ``place`` is drawn."""
    total, same = 0.0, 0.0
    for index in range(count):
        alike = True
        for c in range(channels):
            shift = c * exemplars.plane
            other = exemplars.atlas[shift + scratch.found[index]]
            alike &= other == exemplars.atlas[shift + place]
        weight = np.exp(scratch.log_weights[index])
        total += weight
        if alike:
            same += weight
    return np.log(same / total)
