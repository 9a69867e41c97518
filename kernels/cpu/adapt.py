"""PatchMatch between patches that may differ in brightness and contrast, within bounds.

Image Melding (Darabi et al. 2012, section 3.1) gives each patch the gain and bias that bring its
mean and deviation to the other's. Here a source patch s with the mean μ becomes
gain × (s − μ) + μ + shift before it is compared with t: the gain is the ratio of the patches'
deviations and the shift the difference of their means, both as far as they are allowed. What that
costs needs no other sum over pixels than the plain distance: it is gain × distance + constant,
the constant known from means and variances alone.

The conventions are those of `patchmatch`, with the same reason why it is race-free. Beside them:
    ``target_stats``/``source_stats``: (h, w, channels + 1) float32, for each patch the mean of
    each channel, then patch² × the sum of the channels' variances.
    ``colours``: the first so many channels may be shifted.
    ``joint``: 1 = all by the same, 0 = each by its own.
    ``bounds_of_change``: (3,) float64: the largest gain, the largest shift, and what a shift costs
    beside what it saves.
"""

from __future__ import annotations

import math

import numpy as np
from numba.extending import register_jitable

from .._jit import jit
from .distance import data_of, patch_distance
from .patchmatch import FORBIDDEN, asked_range, near
from .philox import below, philox4x32

__all__ = ["changes", "initialize", "pick_best", "sweep", "vote"]

#: Variance that is noise: without it, patches of next to none would have any gain.
_NOISE = 9.0


@register_jitable(error_model="numpy")
def _shift(there, here, channel, colours, joint, most):
    """How much is added to one channel's mean."""
    if channel >= colours:
        return 0.0
    difference = np.float64(there[channel]) - np.float64(here[channel])
    if joint > 0:
        difference = 0.0
        for other in range(colours):
            difference += np.float64(there[other]) - np.float64(here[other])
        difference /= colours
    return min(max(difference, -most), most)


@register_jitable(error_model="numpy")
def _gain(there, here, channels, area, most):
    noise = _NOISE * area * channels
    ratio = (np.float64(there[channels]) + noise) / (np.float64(here[channels]) + noise)
    return min(max(math.sqrt(ratio), 1 / most), most)


@register_jitable(error_model="numpy")
def _terms(there, here, channels, area, colours, joint, bounds_of_change):
    """Gain, and the constant beside gain × distance, of a source patch and a target patch."""
    gain = _gain(there, here, channels, area, bounds_of_change[0])
    apart, left, moved = 0.0, 0.0, 0.0
    for channel in range(channels):
        difference = np.float64(there[channel]) - np.float64(here[channel])
        shift = _shift(there, here, channel, colours, joint, bounds_of_change[1])
        apart += difference * difference
        left += (difference - shift) * (difference - shift)
        moved += shift * shift
    constant = np.float64(here[channels]) * (gain * gain - gain)
    constant += np.float64(there[channels]) * (1 - gain)
    constant += area * (left - gain * apart + bounds_of_change[2] * moved)
    return gain, constant


@register_jitable(error_model="numpy")
def _compare(
    target, target_at, target_step, source, source_step, channels, patch, penalty,
    there, source_stats, colours, joint, bounds_of_change, row, column, best_row, best_column,
    best,
):  # fmt: skip
    extra = penalty[row, column]
    if extra >= best or extra >= FORBIDDEN:
        return best_row, best_column, best
    gain, constant = _terms(
        there, source_stats[row, column], channels, patch * patch, colours, joint,
        bounds_of_change,
    )  # fmt: skip
    limit = (best - extra - constant) / gain
    if limit <= 0:
        return best_row, best_column, best
    distance = patch_distance(
        target, target_at, target_step, source, row * source_step + column * channels,
        source_step, patch * channels, patch, np.int32(min(math.ceil(limit), FORBIDDEN)),
    )  # fmt: skip
    total = np.int32(min(max(0.0, np.rint(gain * distance + constant)), FORBIDDEN)) + extra
    if total < best:
        return row, column, total
    return best_row, best_column, best


@jit
def initialize(
    target_stats, source_stats, colours, joint, bounds_of_change, target, target_width, source,
    source_width, channels, patch, field, cost, query, penalty, choices, source_rows,
    source_columns, key0, key1, purpose, limit, bounds, band,
):  # fmt: skip
    """Score the field that is there and draw a random source where there is none."""
    columns = field.shape[1]
    target_data, source_data = data_of(target), data_of(source)
    for y in range(bounds[band], bounds[band + 1]):
        for x in range(columns):
            if query[y, x] == 0:
                continue
            row = np.int64(field[y, x, 0])
            column = np.int64(field[y, x, 1])
            if row < 0 or penalty[row, column] >= FORBIDDEN:
                word, _, _, _ = philox4x32(y * columns + x, 0, 0, purpose, key0, key1)
                choice = np.int64(choices[below(word, choices.size)])
                row = choice // source_columns
                column = choice - row * source_columns
            row, column, total = _compare(
                target_data, (y * target_width + x) * channels, target_width * channels,
                source_data, source_width * channels, channels, patch, penalty,
                target_stats[y, x], source_stats, colours, joint, bounds_of_change, row, column,
                row, column, limit,
            )  # fmt: skip
            field[y, x, 0] = row
            field[y, x, 1] = column
            cost[y, x] = total


@jit
def sweep(
    target_stats, source_stats, colours, joint, bounds_of_change, target, target_width, source,
    source_width, channels, patch, field, cost, query, penalty, source_rows, source_columns, edge,
    radii, key0, key1, iteration, purpose, forward, bounds, band,
):  # fmt: skip
    """One iteration over one band: propagation from both sides, then random search."""
    rows, columns = cost.shape
    target_data, source_data = data_of(target), data_of(source)
    step = 1 if forward else -1
    first, last = bounds[band], bounds[band + 1]
    for index in range(last - first):
        y = first + index if forward else last - 1 - index
        above = y - step
        left, right = asked_range(query, y, columns)
        for position in range(right - left):
            x = left + position if forward else right - 1 - position
            if query[y, x] == 0:
                continue
            best_row, best_column = np.int64(field[y, x, 0]), np.int64(field[y, x, 1])
            best = cost[y, x]
            for candidate in range(2 + radii.size):
                row = column = np.int64(-1)
                if candidate == 0:
                    if 0 <= above < rows:
                        beside = edge[band, x] if index == 0 else field[above, x]
                        row, column = np.int64(beside[0]), np.int64(beside[1])
                        if row >= 0:
                            row += step
                elif candidate == 1:
                    if 0 <= x - step < columns:
                        row = np.int64(field[y, x - step, 0])
                        column = np.int64(field[y, x - step, 1]) + step
                else:
                    draw = candidate - 2
                    word, _, _, _ = philox4x32(
                        y * columns + x, iteration, draw, purpose, key0, key1
                    )
                    row, column = near(
                        word, radii[draw], best_row, best_column, source_rows,
                        source_columns,
                    )  # fmt: skip
                if not (0 <= row < source_rows and 0 <= column < source_columns):
                    continue
                if row == best_row and column == best_column:
                    continue
                best_row, best_column, best = _compare(
                    target_data, (y * target_width + x) * channels, target_width * channels,
                    source_data, source_width * channels, channels, patch, penalty,
                    target_stats[y, x], source_stats, colours, joint, bounds_of_change, row,
                    column, best_row, best_column, best,
                )  # fmt: skip
            field[y, x, 0] = best_row
            field[y, x, 1] = best_column
            cost[y, x] = best


@jit
def changes(
    target_stats, source_stats, colours, joint, bounds_of_change, patch, field, query, scale,
    offset, bounds, band,
):  # fmt: skip
    """For each query what makes its source like it: source × ``scale`` + ``offset``.

    ``scale`` (h, w) float32; ``offset`` (h, w, voted) float32.
    """
    channels = target_stats.shape[2] - 1
    for y in range(bounds[band], bounds[band + 1]):
        for x in range(query.shape[1]):
            if query[y, x] == 0:
                continue
            there = target_stats[y, x]
            here = source_stats[field[y, x, 0], field[y, x, 1]]
            gain = _gain(there, here, channels, patch * patch, bounds_of_change[0])
            scale[y, x] = gain
            for channel in range(offset.shape[2]):
                shift = _shift(there, here, channel, colours, joint, bounds_of_change[1])
                offset[y, x, channel] = np.float64(here[channel]) * (1 - gain) + shift


@jit
def vote(
    scale, offset, source, source_width, channels, patch, field, weight, wanted, voted, out,
    bounds, band,
):  # fmt: skip
    """Set pixels to the weighted mean of what the patches over them propose, each changed.

    As `vote.vote`, without the sums of votes back, and with ``scale`` and ``offset``, which are
    those of `changes`.
    """
    first, last = bounds[band], bounds[band + 1]
    columns = wanted.shape[1]
    total = np.zeros((last - first, columns, channels), np.float32)
    norm = np.zeros((last - first, columns), np.float32)
    for y in range(max(first - patch + 1, 0), min(last, weight.shape[0])):
        for x in range(weight.shape[1]):
            w = weight[y, x]
            if w <= 0:
                continue
            for dy in range(max(first - y, 0), min(last - y, patch)):
                at = (np.int64(field[y, x, 0]) + dy) * source_width + np.int64(field[y, x, 1])
                for dx in range(patch):
                    norm[y + dy - first, x + dx] += w
                    for channel in range(voted):
                        value = np.float32(source[(at + dx) * channels + channel])
                        value = value * scale[y, x] + offset[y, x, channel]
                        total[y + dy - first, x + dx, channel] += w * value
    for y in range(first, last):
        for x in range(columns):
            share_of_all = norm[y - first, x]
            if wanted[y, x] and share_of_all > 0:
                wanted[y, x] = False
                for channel in range(voted):
                    mean = total[y - first, x, channel] / share_of_all
                    out[y, x, channel] = np.int16(min(max(np.rint(mean), 0), 255))


@jit
def pick_best(
    scale, offset, field, cost, query, patch, pixels, picked, picked_scale, picked_offset, bounds,
    band,
):  # fmt: skip
    """As `vote.pick_best`, with the change of each pixel as well.

    That is the mean over all the patches that propose the same source pixel, so that it goes
    smoothly over what is copied in one piece. ``picked_scale`` (n,), ``picked_offset``
    (n, colours) float32.
    """
    rows, columns = cost.shape
    for number in range(bounds[band], bounds[band + 1]):
        y = np.int64(pixels[number, 0])
        x = np.int64(pixels[number, 1])
        best_row, best_column = np.int64(-1), np.int64(-1)
        best = cost[0, 0]
        for py in range(max(y - patch + 1, 0), min(y + 1, rows)):
            for px in range(max(x - patch + 1, 0), min(x + 1, columns)):
                if query[py, px] != 0 and (best_row < 0 or cost[py, px] < best):
                    best = cost[py, px]
                    best_row = np.int64(field[py, px, 0]) + (y - py)
                    best_column = np.int64(field[py, px, 1]) + (x - px)
        picked[number, 0] = best_row
        picked[number, 1] = best_column
        picked_scale[number] = 0
        picked_offset[number] = 0
        count = 0
        for py in range(max(y - patch + 1, 0), min(y + 1, rows)):
            for px in range(max(x - patch + 1, 0), min(x + 1, columns)):
                if (
                    query[py, px] != 0
                    and field[py, px, 0] + (y - py) == best_row
                    and field[py, px, 1] + (x - px) == best_column
                ):
                    count += 1
                    picked_scale[number] += scale[py, px]
                    for channel in range(picked_offset.shape[1]):
                        picked_offset[number, channel] += offset[py, px, channel]
        if count > 0:
            picked_scale[number] /= count
            for channel in range(picked_offset.shape[1]):
                picked_offset[number, channel] /= count
