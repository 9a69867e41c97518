"""Efros & Leung's texture model (ICCV 1999): a pixel given its surroundings, by looking it up.

The steps of the paper's section 2, in its order: the known part of the window (`gather_taps`),
the exemplar windows that are like it (`within_limit`, then exactly), and the centre pixel of one
of them. `sample_level` grows pixels; `score_band` asks how probable given ones are.

Race-free: pixels of one level of the dependency graph lie outside one another's windows, so each
reads pixels of earlier levels only and writes its own; bands of scored rows read no result but
their own.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit
from .context import LANES, gather_taps, is_barred, tap_distance, within_limit
from .philox import philox4x32

__all__ = [
    "RELATIVE",
    "SOFT",
    "UNIFORM",
    "least_distances",
    "sample_level",
    "score_band",
    "support_at",
]

#: Weightings of the candidates.
UNIFORM, SOFT, RELATIVE = 0, 1, 2
#: Candidates of less than e^−37 (2^−53) of the best one's weight change no float64 sum.
_NEGLIGIBLE = 37.0
#: How far away neighbours are whose sources, shifted, are tried first.
_REACH = 2


@jit
def _reach(weighting, width):
    """How the limit follows from the least distance: (stretch, slack)."""
    if weighting == UNIFORM:
        return 1.0 + width, 0.0
    if weighting == SOFT:
        return 1.0, _NEGLIGIBLE * width
    return 1.0 + _NEGLIGIBLE * width, _NEGLIGIBLE * width


@jit
def _log_weight(distance, least, weighting, width):
    if weighting == UNIFORM:
        return 0.0 if distance <= least * (1.0 + width) else -np.inf
    if weighting == SOFT:
        return -(distance - least) / width
    return -(distance - least) / (width * max(least, 1.0))


@jit
def _shifted_sources(sources, rank, own, run, longest, y, x, top, stride, periodic, near, barred):
    """List where the neighbours' sources would go on, and which of them must not be.

    Returns how many there are of each, and the longest run of copied pixels that would be
    continued, by place, is in ``run``.
    """
    rows, columns = sources.shape
    count, bars = 0, 0
    for dy in range(-_REACH, _REACH + 1):
        for dx in range(-_REACH, _REACH + 1):
            row, column = y + dy, x + dx
            if periodic:
                row, column = row % rows, column % columns
            elif row < top or row >= rows or column < 0 or column >= columns:
                continue
            if rank[row, column] >= own or sources[row, column] < 0:
                continue
            place = sources[row, column] - dy * stride - dx
            if longest > 0 and max(abs(dy), abs(dx)) == 1 and run[row, column] >= longest:
                barred[bars] = place
                bars += 1
            known = False
            for index in range(count):
                known |= near[index] == place
            if not known:
                near[count] = place
                count += 1
    return count, bars


@jit
def _support(
    atlas, valid, penalty, blocks, allowed, taps, tap_weight, tap_value, tap_share, count,
    weighting, width, nearby, nears, barred, bars, home, leave_out, stride, found, near,
    distances, log_weights, top_k, top_p,
):  # fmt: skip
    """Write the candidates of a pixel, in the order of the exemplar, with distances and weights.

    Returns how many there are and the least distance.
    """
    if count == 0:
        some = 0
        for index in range(allowed.size):
            if not is_barred(allowed[index], barred, bars, home, leave_out, stride):
                found[some] = allowed[index]
                distances[some] = 0.0
                log_weights[some] = 0.0
                some += 1
        return some, 0.0
    stretch, slack = _reach(weighting, width)
    best = np.inf
    for index in range(nears):
        place = nearby[index]
        if place < 0 or place >= penalty.size - LANES or penalty[place] > 0:
            continue
        if not is_barred(place, barred, bars, home, leave_out, stride):
            best = min(best, tap_distance(atlas, valid, place, taps, tap_weight, tap_value, count))
    hits = within_limit(
        atlas, valid, penalty, blocks, taps, tap_weight, tap_value, tap_share, count,
        np.float32(best), np.float32(stretch), np.float32(slack), barred, bars, home,
        leave_out, stride, found, near,
    )  # fmt: skip
    least = np.inf
    for index in range(hits):
        distances[index] = tap_distance(
            atlas, valid, found[index], taps, tap_weight, tap_value, count
        )
        least = min(least, distances[index])
    kept = 0
    for index in range(hits):
        log_weight = _log_weight(distances[index], least, weighting, width)
        if log_weight >= -_NEGLIGIBLE:
            found[kept] = found[index]
            distances[kept] = distances[index]
            log_weights[kept] = log_weight
            kept += 1
    if 0 < top_k < kept or top_p < 1.0:
        kept = _best_of(found, distances, log_weights, kept, top_k, top_p)
    return kept, least


@jit
def _best_of(found, distances, log_weights, count, top_k, top_p):
    """Keep the nearest ``top_k`` (0 = all), then the fewest that have ``top_p`` of the weight."""
    order = np.argsort(distances[:count], kind="mergesort")  # stable: ties by place
    keep = min(count, top_k) if top_k > 0 else count
    if top_p < 1.0:
        total = 0.0
        for index in range(keep):
            total += np.exp(log_weights[order[index]])
        mass = 0.0
        for index in range(keep):
            mass += np.exp(log_weights[order[index]])
            if mass >= top_p * total:
                keep = index + 1
                break
    chosen = np.sort(order[:keep])
    for index in range(keep):
        found[index] = found[chosen[index]]
        distances[index] = distances[chosen[index]]
        log_weights[index] = log_weights[chosen[index]]
    return keep


@jit
def _draw(log_weights, count, word0, word1):
    """Pick a candidate by 53 random bits."""
    total = 0.0
    for index in range(count):
        total += np.exp(log_weights[index])
    high, low = np.uint64(word0), np.uint64(word1)
    bits = np.float64(((high << np.uint64(32)) | low) >> np.uint64(11))
    target = bits * 2.0**-53 * total
    sum_so_far = 0.0
    for index in range(count):
        sum_so_far += np.exp(log_weights[index])
        if target < sum_so_far:
            return index, total
    return count - 1, total


@jit
def _same_value(atlas, plane, channels, first, second):
    same = True
    for c in range(channels):
        same &= atlas[c * plane + first] == atlas[c * plane + second]
    return same


@jit
def sample_level(
    atlas, valid, penalty, blocks, allowed, plane, stride, canvas, rank, sources, run,
    candidates, least, log_q, guide, offsets, weights, guide_weights, periodic, weighting,
    width, top_k, top_p, longest, key0, key1, purpose, pixels, bands, band,
):  # fmt: skip
    """Grow every ``bands``-th of some pixels of one level.

    Parameters
    ----------
    atlas, valid, penalty, blocks, plane, stride
        The exemplars; see `within_limit` and `gather_taps`.
    allowed : (n,) int64
        Every candidate.
    canvas, rank, guide, offsets, weights, guide_weights, periodic
        See `gather_taps`; the values found are written to ``canvas``.
    sources : (rows, columns) int64
        Places in the exemplars, −1 where not known; those found are written.
    run : (rows, columns) int32
        Written: of how many pixels, side by side, a pixel continues a copy.
    candidates, least, log_q : (rows, columns)
        Written: how many candidates there were, the least distance, and the logarithm of the
        probability of the value that was drawn.
    weighting : int
        `UNIFORM`: all within 1 + ``width`` times the least distance. `SOFT`: exp(−d / width).
        `RELATIVE`: exp(−(d − least) / (width · max(least, 1))).
    top_k, top_p : int, float
        Nearest candidates only: so many (0 = all), the fewest with so much of the weight.
    longest : int
        A copy is not continued beyond so many pixels; 0 = no limit.
    pixels : (n, 2) int64
    """
    most = offsets.shape[0] * (canvas.shape[0] + guide.shape[0])
    taps, tap_weight = np.empty(most, np.int64), np.empty(most)
    tap_value, tap_share = np.empty(most, np.float32), np.empty(most, np.float32)
    found, near = np.empty(allowed.size, np.int64), np.empty(allowed.size, np.float32)
    distances, log_weights = np.empty(allowed.size), np.empty(allowed.size)
    nearby, barred = np.empty(25, np.int64), np.empty(8, np.int64)
    channels, rows, columns = canvas.shape
    for index in range(band, pixels.shape[0], bands):
        y, x = pixels[index, 0], pixels[index, 1]
        own = rank[y, x]
        count = gather_taps(
            canvas, rank, own, y, x, offsets, weights, guide, guide_weights, plane, stride,
            periodic, taps, tap_weight, tap_value, tap_share,
        )  # fmt: skip
        nears, bars = _shifted_sources(
            sources, rank, own, run, longest, y, x, 0, stride, periodic, nearby, barred
        )
        some, closest = _support(
            atlas, valid, penalty, blocks, allowed, taps, tap_weight, tap_value, tap_share, count,
            weighting, width, nearby, nears, barred, bars, -1, 0, stride, found, near, distances,
            log_weights, top_k, top_p,
        )  # fmt: skip
        if some == 0:  # masked exemplars: no candidate has enough to compare
            some, closest = _support(
                atlas, valid, penalty, blocks, allowed, taps, tap_weight, tap_value, tap_share, 0,
                weighting, width, nearby, 0, barred, 0, -1, 0, stride, found, near, distances,
                log_weights, top_k, top_p,
            )  # fmt: skip
        word0, word1, _, _ = philox4x32(y * columns + x, 0, 0, purpose, key0, key1)
        pick, total = _draw(log_weights, some, word0, word1)
        place = found[pick]
        same = 0.0
        for other in range(some):
            if _same_value(atlas, plane, channels, found[other], place):
                same += np.exp(log_weights[other])
        for c in range(channels):
            canvas[c, y, x] = atlas[c * plane + place]
        longest_run = 0
        for dy in range(-1, 2):
            for dx in range(-1, 2):
                row, column = y + dy, x + dx
                if periodic:
                    row, column = row % rows, column % columns
                elif row < 0 or row >= rows or column < 0 or column >= columns:
                    continue
                if (
                    rank[row, column] < own
                    and sources[row, column] >= 0
                    and sources[row, column] - dy * stride - dx == place
                ):
                    longest_run = max(longest_run, run[row, column])
        sources[y, x] = place
        run[y, x] = longest_run + 1
        candidates[y, x] = some
        least[y, x] = closest
        log_q[y, x] = np.log(same / total)


@jit
def score_band(
    atlas, valid, penalty, blocks, allowed, plane, stride, canvas, rank, guide, offsets, weights,
    guide_weights, periodic, weighting, width, top_k, top_p, scale, normalizer, floor,
    uniform, home, leave_out, wanted, nearest, out, bounds, band,
):  # fmt: skip
    """Write log p of each pixel of some rows given those of smaller rank, in nats.

    Parameters
    ----------
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

    Other parameters are those of `sample_level`.
    """
    most = offsets.shape[0] * (canvas.shape[0] + guide.shape[0])
    taps, tap_weight = np.empty(most, np.int64), np.empty(most)
    tap_value, tap_share = np.empty(most, np.float32), np.empty(most, np.float32)
    found, near = np.empty(allowed.size, np.int64), np.empty(allowed.size, np.float32)
    distances, log_weights = np.empty(allowed.size), np.empty(allowed.size)
    nearby = np.empty(25, np.int64)
    nothing = np.empty(1, np.int64)
    run = np.zeros((1, 1), np.int32)
    channels, _, columns = canvas.shape
    top, bottom = bounds[band], bounds[band + 1]
    for y in range(top, bottom):
        for x in range(columns):
            if not wanted[y, x]:
                continue
            own = rank[y, x]
            count = gather_taps(
                canvas, rank, own, y, x, offsets, weights, guide, guide_weights, plane, stride,
                periodic, taps, tap_weight, tap_value, tap_share,
            )  # fmt: skip
            nears, _ = _shifted_sources(
                nearest, rank, own, run, 0, y, x, top, stride, False, nearby, nothing
            )
            some, closest = _support(
                atlas, valid, penalty, blocks, allowed, taps, tap_weight, tap_value, tap_share,
                count, weighting, width, nearby, nears, nothing, 0, home[y, x], leave_out, stride,
                found, near, distances, log_weights, top_k, top_p,
            )  # fmt: skip
            total, mass = 0.0, 0.0
            for index in range(some):
                total += np.exp(log_weights[index])
                level = log_weights[index]
                for c in range(channels):
                    element = c * plane + found[index]
                    apart = abs(np.float64(canvas[c, y, x]) - np.float64(atlas[element]))
                    if scale > 0.0:
                        level -= apart / scale + normalizer[element]
                    elif apart > 0.0:
                        level = -np.inf
                mass += np.exp(level)
                if distances[index] == closest:
                    nearest[y, x] = found[index]
            mass = mass / total if some > 0 else 0.0
            out[y, x] = np.log((1.0 - floor) * mass + floor * np.exp(uniform))


@jit
def support_at(
    atlas, valid, penalty, blocks, allowed, plane, stride, canvas, rank, guide, offsets, weights,
    guide_weights, periodic, weighting, width, top_k, top_p, y, x,
):  # fmt: skip
    """Return the candidates of pixel (y, x), their distances and log-weights (not normalised)."""
    most = offsets.shape[0] * (canvas.shape[0] + guide.shape[0])
    taps, tap_weight = np.empty(most, np.int64), np.empty(most)
    tap_value, tap_share = np.empty(most, np.float32), np.empty(most, np.float32)
    found, near = np.empty(allowed.size, np.int64), np.empty(allowed.size, np.float32)
    distances, log_weights = np.empty(allowed.size), np.empty(allowed.size)
    nothing = np.empty(1, np.int64)
    count = gather_taps(
        canvas, rank, rank[y, x], y, x, offsets, weights, guide, guide_weights, plane, stride,
        periodic, taps, tap_weight, tap_value, tap_share,
    )  # fmt: skip
    some, _ = _support(
        atlas, valid, penalty, blocks, allowed, taps, tap_weight, tap_value, tap_share, count,
        weighting, width, nothing, 0, nothing, 0, -1, 0, stride, found, near, distances,
        log_weights, top_k, top_p,
    )  # fmt: skip
    return found[:some].copy(), distances[:some].copy(), log_weights[:some].copy()


@jit
def least_distances(
    atlas, valid, penalty, blocks, allowed, plane, stride, places, offsets, weights, leave_out
):  # fmt: skip
    """Return how far the windows around some places are from the nearest that is not theirs.

    Windows that begin less than ``leave_out`` rows and columns away are left out; infinite where
    there is no other.
    """
    channels = atlas.size // plane
    most = offsets.shape[0] * channels
    taps, tap_weight = np.empty(most, np.int64), np.empty(most)
    tap_value, tap_share = np.empty(most, np.float32), np.empty(most, np.float32)
    found, near = np.empty(allowed.size, np.int64), np.empty(allowed.size, np.float32)
    nothing = np.empty(1, np.int64)
    out = np.empty(places.size)
    for index in range(places.size):
        count, total = 0, 0.0
        for k in range(1, offsets.shape[0]):  # not the centre
            for c in range(channels):
                taps[count] = c * plane + offsets[k, 0] * stride + offsets[k, 1]
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
            atlas, valid, penalty, blocks, taps, tap_weight, tap_value, tap_share, count,
            np.float32(np.inf), np.float32(1.0), np.float32(0.0), nothing, 0, places[index],
            leave_out, stride, found, near,
        )  # fmt: skip
        out[index] = np.inf
        for hit in range(hits):
            out[index] = min(
                out[index],
                tap_distance(atlas, valid, found[hit], taps, tap_weight, tap_value, count),
            )
    return out
