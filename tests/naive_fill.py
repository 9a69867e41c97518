"""The obvious, slow twin of every step of a fill."""

from __future__ import annotations

from typing import Any

import naive
import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve

Array = np.ndarray[Any, Any]


def vote(
    source: Array, field: Array, weight: Array, patch: int, total: Array, norm: Array
) -> tuple[Array, Array]:
    """Rounded weighted mean of the patches over each pixel, and which pixels have none over them.

    ``total`` (rows, columns, channels) and ``norm`` (rows, columns), float32, are what there is
    already.
    """
    for y, x in np.ndindex(weight.shape):
        if weight[y, x] > 0:
            row, column = field[y, x]
            for dy, dx in np.ndindex(patch, patch):
                proposed = source[row + dy, column + dx].astype(np.float32)
                total[y + dy, x + dx] += weight[y, x] * proposed
                norm[y + dy, x + dx] += weight[y, x]
    return np.rint(total / np.where(norm > 0, norm, 1)[..., None]), norm == 0


def vote_back(source: Array, field: Array, weight: Array, patch: int) -> tuple[Array, Array]:
    """What each source patch adds to the place that it found, and the sum of its weights."""
    total = np.zeros(source.shape, np.float32)
    norm = np.zeros(source.shape[:2], np.float32)
    for y, x in np.ndindex(weight.shape):
        if weight[y, x] > 0:
            row, column = field[y, x]
            for dy, dx in np.ndindex(patch, patch):
                proposed = source[y + dy, x + dx].astype(np.float32)
                total[row + dy, column + dx] += weight[y, x] * proposed
                norm[row + dy, column + dx] += weight[y, x]
    return total, norm


def pick_best(field: Array, cost: Array, query: Array, patch: int, pixels: Array) -> Array:
    """The source pixel that the first of the cheapest patches over each pixel gives it."""
    picked = np.full((len(pixels), 2), -1)
    for number, (y, x) in enumerate(pixels):
        over = [
            (cost[py, px], py, px)
            for py, px in np.ndindex(cost.shape)
            if query[py, px] and 0 <= y - py < patch and 0 <= x - px < patch
        ]
        if over:
            _, py, px = min(over)  # of equal costs the first in reading order
            picked[number] = field[py, px] + (y - py, x - px)
    return picked


def nearest_known(
    target: Array,
    known: Array,
    source: Array,
    patch: int,
    allowed: Array,
    place: Any,
    trust: float,
) -> Array:
    """Cost of every source for the patch at ``place``; unknown elements count ``trust``."""
    y, x = place
    mine = naive.patches(target.astype(np.int64), patch)[y, x]
    sure = naive.patches(known.astype(np.int64), patch)[y, x]
    squares = (naive.patches(source, patch) - mine) ** 2
    certain = (squares * sure).sum(axis=-1)
    cost = certain + np.floor((squares * (1 - sure)).sum(axis=-1) * trust)
    return np.where(allowed, cost, np.inf)


def allowed_patches(allowed: Array, patch: int) -> Array:
    """Which patches, by their top-left corners, hold allowed pixels only."""
    return ~naive.touching(~allowed, patch)


def halve(features: Array, hole: Array, allowed: Array) -> tuple[Array, Array, Array]:
    """Four pixels to one: the rounded mean, hole where any is, allowed where all are."""
    rows, columns = hole.shape[0] // 2, hole.shape[1] // 2
    mean = np.zeros((rows, columns, features.shape[2]), np.uint8)
    any_hole, all_allowed = np.zeros((rows, columns), bool), np.zeros((rows, columns), bool)
    for y, x in np.ndindex(rows, columns):
        four = slice(2 * y, 2 * y + 2), slice(2 * x, 2 * x + 2)
        mean[y, x] = np.floor(features[four].reshape(4, -1).mean(axis=0) + 0.5)
        any_hole[y, x], all_allowed[y, x] = hole[four].any(), allowed[four].all()
    return mean, any_hole, all_allowed


def mean_gradient(luminance: Array, unknown: Array, axis: int, reach: int) -> Array:
    """Mean |central difference| over a box, where both pixels of a difference are known."""
    rows, columns = luminance.shape
    step = (1, 0) if axis == 0 else (0, 1)
    slope = np.full(luminance.shape, np.nan)
    for y, x in np.ndindex(rows, columns):
        ahead, behind = (y + step[0], x + step[1]), (y - step[0], x - step[1])
        inside = min(behind) >= 0 and ahead[0] < rows and ahead[1] < columns
        if inside and not unknown[ahead] and not unknown[behind]:
            slope[y, x] = abs(float(luminance[ahead]) - float(luminance[behind])) / 2
    padded = np.pad(slope, reach, mode="reflect")
    result = np.zeros(luminance.shape)
    for y, x in np.ndindex(rows, columns):
        box = padded[y : y + 2 * reach + 1, x : x + 2 * reach + 1]
        seen = box[np.isfinite(box)]
        result[y, x] = seen.mean() if len(seen) else 0
    return result


def descend(coarse_field: Array, coarse_query: Array, queries: Array, penalty: Array) -> Array:
    """Twice the coarse patch's source, plus where the fine patch stands within the coarse one."""
    field = np.full((*penalty.shape, 2), -1)
    for y, x in queries:
        cy, cx = (
            min(at // 2, count - 1) for at, count in zip((y, x), coarse_query.shape, strict=True)
        )
        if coarse_query[cy, cx]:
            row, column = 2 * coarse_field[cy, cx] + (y - 2 * cy, x - 2 * cx)
            if row < penalty.shape[0] and column < penalty.shape[1] and penalty[row, column] == 0:
                field[y, x] = row, column
    return field


def relaxed(values: Array, wanted: Array, pixels: Array, fixed: Array, screening: float) -> Array:
    """Solve (neighbours + screening) u − Σ u of neighbours = wanted, for one channel."""
    number = {(int(y), int(x)): index for index, (y, x) in enumerate(pixels)}
    matrix = sparse.lil_matrix((len(pixels), len(pixels)))
    right = wanted.astype(np.float64).copy()
    for (y, x), index in number.items():
        matrix[index, index] = screening
        for at in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            inside = 0 <= at[0] < values.shape[0] and 0 <= at[1] < values.shape[1]
            if at in number:
                matrix[index, number[at]] = -1
                matrix[index, index] += 1
            elif inside and fixed[at]:
                right[index] += values[at]
                matrix[index, index] += 1
    return np.atleast_1d(spsolve(matrix.tocsr(), right))


def adapted(there, here, colours, joint, most_gain, most_shift):
    """Change a source patch (p, p, channels) so that it is like a target patch, within bounds.

    Returns the changed patch and by how much each mean was shifted.
    """
    here, there = here.astype(float), there.astype(float)
    area, channels = here.shape[0] * here.shape[1], here.shape[2]
    noise = 9 * area * channels
    spreads = [area * one.var(axis=(0, 1)).sum() + noise for one in (there, here)]
    gain = min(max((spreads[0] / spreads[1]) ** 0.5, 1 / most_gain), most_gain)
    shift = (there - here).mean(axis=(0, 1))
    shift[colours:] = 0
    if joint:
        shift[:colours] = shift[:colours].mean()
    shift = np.clip(shift, -most_shift, most_shift)
    mean = here.mean(axis=(0, 1))
    return gain * (here - mean) + mean + shift, shift


def urgency(luminance: Array, unknown: Array, confidence: Array, pixel: Array, patch: int) -> Any:
    """Confidence × data of one pixel, and its confidence (Criminisi et al. 2004, equation 1)."""
    rows, columns = unknown.shape
    y, x = pixel
    if not unknown[y, x]:
        return -1, None
    known = np.pad(~unknown, 1, mode="edge")[y : y + 3, x : x + 3].astype(float)
    if not known.any():
        return -1, None
    sobel = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
    normal = np.array([(known * sobel).sum(), (known * sobel.T).sum()])
    half = patch // 2
    inside = [
        (row, column)
        for row in range(max(0, y - half), min(rows, y + half + 1))
        for column in range(max(0, x - half), min(columns, x + half + 1))
    ]
    sure = np.mean([confidence[place] for place in inside])
    slope = np.zeros(2)
    for row, column in inside:
        if 0 < row < rows - 1 and 0 < column < columns - 1:
            cross = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]
            if not any(unknown[row + dy, column + dx] for dy, dx in cross):
                here = np.array(
                    [
                        luminance[row + 1, column] - luminance[row - 1, column],
                        luminance[row, column + 1] - luminance[row, column - 1],
                    ]
                )
                if (here**2).sum() > (slope**2).sum():
                    slope = here
    length = np.hypot(*normal)
    into = abs(slope[0] * normal[1] - slope[1] * normal[0]) / length if length else 0
    return sure * into, sure
