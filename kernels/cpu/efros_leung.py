"""Efros & Leung's texture model (ICCV 1999): a pixel given its surroundings, by looking it up.

`sample_levels` grows pixels, `score_band` asks how probable given ones are, `support_at` gives the
candidates of one, `least_distances` tells how like one another the exemplar's own windows are.

Race-free: pixels of one level of the dependency graph lie outside one another's windows, so each
reads pixels of earlier levels only and writes its own; bands of scored rows read no result but
their own.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit
from .barrier import all_have_done, publish
from .context import tap_distance, within_limit
from .philox import philox4x32
from .places import inside
from .support import draw, log_share, make_scratch, shifted_sources, support

__all__ = ["least_distances", "sample_levels", "score_band", "support_at"]


@jit
def _copied_run(sources, rank, own, run, y, x, place, stride, periodic):
    """The longest run of copied pixels that ``place`` would continue at (y, x)."""
    rows, columns = sources.shape
    longest = 0
    for dy in range(-1, 2):
        for dx in range(-1, 2):
            row, column = inside(y + dy, rows, periodic), inside(x + dx, columns, periodic)
            if row < 0 or column < 0:
                continue
            source = sources[row, column]
            if rank[row, column] < own and source >= 0 and source - dy * stride - dx == place:
                longest = max(longest, run[row, column])
    return longest


@jit
def sample_levels(
    exemplars, canvas, rank, sources, run, candidates, least, log_q, window, rule, longest, key0,
    key1, purpose, pixels, starts, progress, level, end, bands, band,
):  # fmt: skip
    """Grow every ``bands``-th pixel of levels ``level`` … ``end`` − 1.

    Parameters
    ----------
    exemplars, window, rule
        See `support`.
    canvas : (channels, rows, columns) float32
        What is known; the values that are found are written.
    rank : (rows, columns) int32
        The order; −1 = known from the start.
    sources : (rows, columns) int64
        Places in the exemplars, −1 where not known; those found are written.
    run : (rows, columns) int32
        Written: of how many pixels, side by side, a pixel continues a copy.
    candidates, least, log_q : (rows, columns)
        Written: how many candidates there were, the least distance, and the logarithm of the
        probability of the value that was drawn.
    longest : int
        A copy is not continued beyond so many pixels; 0 = no limit.
    pixels : (n, 2) int64
        By level.
    starts : (levels + 1,) int64
        Where in ``pixels`` each level begins.
    progress : int64 array
        The levels that each band has done; see `publish`.

    Returns
    -------
    int
        The level that it stopped before: ``end``, or that for which it would have had to wait.
    """
    channels, _, columns = canvas.shape
    scratch = make_scratch(exemplars, window, channels)
    stride, periodic = exemplars.stride, window.periodic
    while level < end:
        if not all_have_done(progress, bands, level):
            break
        for index in range(starts[level] + band, starts[level + 1], bands):
            y, x = pixels[index, 0], pixels[index, 1]
            own = rank[y, x]
            nears, bars = shifted_sources(
                sources, rank, own, run, longest, y, x, 0, stride, periodic, scratch.nearby,
                scratch.barred,
            )  # fmt: skip
            some, closest = support(
                exemplars, canvas, rank, window, rule, y, x, scratch, nears, bars, -1, 0
            )
            word0, word1, _, _ = philox4x32(y * columns + x, 0, 0, purpose, key0, key1)
            place = scratch.found[draw(scratch.log_weights, some, word0, word1)]
            for c in range(channels):
                canvas[c, y, x] = exemplars.atlas[c * exemplars.plane + place]
            run[y, x] = 1 + _copied_run(sources, rank, own, run, y, x, place, stride, periodic)
            sources[y, x] = place
            candidates[y, x] = some
            least[y, x] = closest
            log_q[y, x] = log_share(exemplars, channels, scratch, some, place)
        level += 1
        publish(progress, band, level)
    return level


@jit
def score_band(
    exemplars, canvas, rank, window, rule, scale, normalizer, floor, uniform, home, leave_out,
    wanted, nearest, out, bounds, band,
):  # fmt: skip
    """Write log p of each pixel of some rows given those of smaller rank, in nats.

    Parameters
    ----------
    exemplars, canvas, rank, window, rule
        See `support`.
    scale : float
        Of the Laplace kernel around a candidate's value; 0 = that value only.
    normalizer : 1-D float64
        For each element of the atlas the logarithm of what its kernel adds up to.
    floor, uniform : float
        The share of a uniform distribution, and its log-probability.
    home : (rows, columns) int64
        Where each pixel lies in the exemplars itself; −1 = nowhere.
    leave_out : int
        Candidates less than this many rows and columns from home are left out.
    wanted : (rows, columns) bool
        What to score.
    nearest : (rows, columns) int64
        Scratch of −1.
    bounds : int64 array
        Band ``b`` writes rows ``bounds[b] <= y < bounds[b + 1]`` only.
    """
    channels, _, columns = canvas.shape
    scratch = make_scratch(exemplars, window, channels)
    run = np.zeros((1, 1), np.int32)
    top = bounds[band]
    for y in range(top, bounds[band + 1]):
        for x in range(columns):
            if not wanted[y, x]:
                continue
            nears, _ = shifted_sources(
                nearest, rank, rank[y, x], run, 0, y, x, top, exemplars.stride, False,
                scratch.nearby, scratch.barred,
            )  # fmt: skip
            some, closest = support(
                exemplars, canvas, rank, window, rule, y, x, scratch, nears, 0, home[y, x],
                leave_out,
            )  # fmt: skip
            inside = True
            for c in range(channels):
                inside &= 0.0 <= canvas[c, y, x] <= 255.0
            total, mass, highest = 0.0, 0.0, -np.inf  # mass is in units of e^highest
            for index in range(some):
                place = scratch.found[index]
                level = scratch.log_weights[index]
                total += np.exp(level)
                for c in range(channels):
                    element = c * exemplars.plane + place
                    value = np.float64(exemplars.atlas[element])
                    apart = abs(np.float64(canvas[c, y, x]) - value)
                    if scale > 0.0:
                        level -= apart / scale + normalizer[element]
                    elif apart > 0.0:
                        level = -np.inf
                if level > highest:
                    mass *= np.exp(highest - level)
                    highest = level
                if level > -np.inf:
                    mass += np.exp(level - highest)
                if scratch.distances[index] == closest:
                    nearest[y, x] = place
            found = -np.inf
            if mass > 0.0:
                found = np.log((1.0 - floor) * mass / total) + highest
            if floor > 0.0 and inside:
                found = np.logaddexp(found, np.log(floor) + uniform)
            out[y, x] = found if inside else -np.inf


@jit
def support_at(exemplars, canvas, rank, window, rule, y, x):
    """Return the candidates of pixel (y, x), their distances and log-weights (not normalised)."""
    scratch = make_scratch(exemplars, window, canvas.shape[0])
    some, _ = support(exemplars, canvas, rank, window, rule, y, x, scratch, 0, 0, -1, 0)
    found, distances = scratch.found[:some].copy(), scratch.distances[:some].copy()
    return found, distances, scratch.log_weights[:some].copy()


@jit
def least_distances(exemplars, places, offsets, weights, leave_out):
    """Return how far the windows around some places are from the nearest that is not theirs.

    Windows that begin less than ``leave_out`` rows and columns away are left out; infinite where
    there is no other.
    """
    atlas, valid, plane = exemplars.atlas, exemplars.valid, exemplars.plane
    channels = atlas.size // plane
    most = offsets.shape[0] * channels
    taps, tap_weight = np.empty(most, np.int64), np.empty(most)
    tap_value, tap_share = np.empty(most, np.float32), np.empty(most, np.float32)
    found = np.empty(exemplars.allowed.size, np.int64)
    near = np.empty(exemplars.allowed.size, np.float32)
    nothing = np.empty(1, np.int64)
    out = np.empty(places.size)
    for index in range(places.size):
        count, total = 0, 0.0
        for k in range(1, offsets.shape[0]):  # not the centre
            for c in range(channels):
                taps[count] = c * plane + offsets[k, 0] * exemplars.stride + offsets[k, 1]
                element = places[index] + taps[count]
                if valid.size > 0 and valid[element] == 0:
                    continue
                tap_weight[count] = weights[k]
                tap_value[count] = atlas[element]
                total += weights[k]
                count += 1
        for tap in range(count):
            tap_share[tap] = np.float32(tap_weight[tap] / total)
        hits = within_limit(
            atlas, valid, exemplars.penalty, exemplars.blocks, taps, tap_weight, tap_value,
            tap_share, count, np.float32(np.inf), np.float32(1.0), np.float32(0.0), nothing, 0,
            places[index], leave_out, exemplars.stride, found, near,
        )  # fmt: skip
        out[index] = np.inf
        for hit in range(hits):
            out[index] = min(
                out[index],
                tap_distance(atlas, valid, found[hit], taps, tap_weight, tap_value, count),
            )
    return out
