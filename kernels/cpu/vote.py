"""From a field back to pixels: the weighted mean of the covering patches, or the best of them.

Race-free: a band writes only its own rows of the output, and adds to each in the same order
whatever the number of threads. Sums are plain IEEE float32 (no fastmath), so bytes are the same
on every CPU.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit

__all__ = ["NO_SUMS", "pick_best", "vote", "vote_back"]

#: No votes back, for `vote`.
NO_SUMS = (np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32))


@jit
def vote(
    source, source_width, channels, patch, field, weight, back_total, back_norm, wanted, voted,
    out, bounds, band,
):  # fmt: skip
    """Set pixels to the weighted mean of what the patches over them propose.

    Wexler et al. 2007, equation 3. Patches add to the pixels they cover, a run at a time, rather
    than pixels asking 49 patches each: that way the inner loop is contiguous.

    Parameters
    ----------
    source : flat array of interleaved channels
    field : (h, w, 2) int32
    weight : (h, w) float32, 0 = no vote
    wanted : (rows, columns) bool
        Pixels to be set; reset to False once they are, so what stays True got no vote.
    voted : int
        The first so many channels are set.
    out : (rows, columns, channels), rounded if of an integer type
    bounds : (bands + 1,) rows of ``out``
    """
    first, last = bounds[band], bounds[band + 1]
    columns = wanted.shape[1]
    total = np.zeros((last - first, columns * channels), np.float32)
    norm = np.zeros((last - first, columns), np.float32)
    if back_norm.size > 0:
        total[:] = back_total[first:last]
        norm[:] = back_norm[first:last]
    width = patch * channels
    source_step = source_width * channels
    for y in range(max(first - patch + 1, 0), min(last, weight.shape[0])):
        low = max(first - y, 0)
        high = min(last - y, patch)
        for x in range(weight.shape[1]):
            w = weight[y, x]
            if w <= 0:
                continue
            at = np.int64(field[y, x, 0]) * source_step + np.int64(field[y, x, 1]) * channels
            left = x * channels
            for dy in range(low, high):
                run = source[at + dy * source_step : at + dy * source_step + width]
                place = total[y + dy - first, left : left + width]
                for i in range(width):
                    place[i] += w * np.float32(run[i])
                share = norm[y + dy - first, x : x + patch]
                for i in range(patch):
                    share[i] += w
    for y in range(first, last):
        for x in range(columns):
            share_of_all = norm[y - first, x]
            if wanted[y, x] and share_of_all > 0:
                wanted[y, x] = False
                for channel in range(voted):
                    mean = total[y - first, x * channels + channel] / share_of_all
                    out[y, x, channel] = np.int16(np.rint(mean))


@jit
def vote_back(source, source_width, channels, patch, field, weight, total, norm):
    """Add weight × source patch to the patch of the hole that it found nearest (completeness).

    Simakov et al. 2008, section 3.1. ``field`` and ``weight`` are over source patches; the sums
    ``total`` (rows, columns × channels) and ``norm`` (rows, columns) go on to `vote`. Sequential:
    many source patches may find the same patch of the hole.
    """
    width = patch * channels
    source_step = source_width * channels
    for y in range(weight.shape[0]):
        for x in range(weight.shape[1]):
            w = weight[y, x]
            if w <= 0:
                continue
            row = np.int64(field[y, x, 0])
            column = np.int64(field[y, x, 1])
            at = y * source_step + x * channels
            left = column * channels
            for dy in range(patch):
                run = source[at + dy * source_step : at + dy * source_step + width]
                place = total[row + dy, left : left + width]
                for i in range(width):
                    place[i] += w * np.float32(run[i])
                share = norm[row + dy, column : column + patch]
                for i in range(patch):
                    share[i] += w


@jit
def pick_best(field, cost, query, patch, pixels, picked, bounds, band):
    """For each pixel (n, 2) take the source pixel from the covering patch of least cost.

    ``picked`` (n, 2) int32 gets row and column, −1 where no queried patch covers the pixel. Ties
    go to the patch that comes first in reading order.
    """
    rows, columns = cost.shape
    for number in range(bounds[band], bounds[band + 1]):
        y = np.int64(pixels[number, 0])
        x = np.int64(pixels[number, 1])
        best_y, best_x = np.int64(-1), np.int64(-1)
        best = cost[0, 0]
        for py in range(max(y - patch + 1, 0), min(y + 1, rows)):
            for px in range(max(x - patch + 1, 0), min(x + 1, columns)):
                if query[py, px] != 0 and (best_y < 0 or cost[py, px] < best):
                    best_y, best_x, best = py, px, cost[py, px]
        if best_y < 0:
            picked[number, 0] = -1
            picked[number, 1] = -1
        else:
            picked[number, 0] = field[best_y, best_x, 0] + (y - best_y)
            picked[number, 1] = field[best_y, best_x, 1] + (x - best_x)
