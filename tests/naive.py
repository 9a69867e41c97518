"""The obvious, slow twin of every algorithm: what the fast ones are held against."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Array = np.ndarray[Any, Any]


def patches(image: Array, patch: int) -> Array:
    """Every patch of an image as a vector: (h, w, length) float64 or int64."""
    if image.ndim == 2:
        image = image[:, :, None]
    kind = np.float64 if image.dtype.kind == "f" else np.int64
    windows = sliding_window_view(image.astype(kind), (patch, patch), axis=(0, 1))
    h, w = windows.shape[:2]
    return np.ascontiguousarray(np.moveaxis(windows, 2, -1)).reshape(h, w, -1)


def distances(target: Array, source: Array, patch: int, positions: Array) -> Array:
    """Sum of squared differences of each target patch and the one it is matched to."""
    mine, theirs = patches(target, patch), patches(source, patch)
    matched = theirs[positions[..., 0], positions[..., 1]]
    if positions.ndim == 4:
        mine = mine[:, :, None]
    return ((mine - matched) ** 2).sum(axis=-1)


def touching(mask: Array, patch: int) -> Array:
    """Which patches touch a True pixel."""
    return sliding_window_view(mask, (patch, patch)).any(axis=(2, 3))


def exact(
    target: Array, source: Array, patch: int, k: int = 1, source_mask: Array | None = None
) -> tuple[Array, Array]:
    """The k nearest sources, of equal ones the first: positions (h, w, k, 2), distance."""
    mine, theirs = patches(target, patch), patches(source, patch)
    h, w, length = mine.shape
    table = ((mine.reshape(-1, 1, length) - theirs.reshape(1, -1, length)) ** 2).sum(axis=-1)
    key = table.astype(np.float64)
    if source_mask is not None:
        key[:, touching(source_mask, patch).ravel()] = np.inf
    order = np.argsort(key, axis=1, kind="stable")[:, :k]
    positions = np.stack(np.divmod(order, theirs.shape[1]), axis=-1)
    nearest = np.take_along_axis(table, order, axis=1)
    return positions.reshape(h, w, k, 2), nearest.reshape(h, w, k)


def philox(counter: tuple[int, ...], key: tuple[int, int]) -> tuple[int, ...]:
    """Philox4x32-10 in Python's integers, straight from section 4.3 of Salmon et al. 2011."""
    (c0, c1, c2, c3), (k0, k1) = counter, key
    for _ in range(10):
        product0, product1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (
            (product1 >> 32) ^ c1 ^ k0,
            product1 & 0xFFFFFFFF,
            (product0 >> 32) ^ c3 ^ k1,
            product0 & 0xFFFFFFFF,
        )
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def near(word: int, radius: int, place: tuple[int, int], size: tuple[int, int]) -> tuple[int, ...]:
    """A place at most ``radius`` away: high half of the word for the row, low for the column."""
    out = []
    for half, centre, count in zip((word >> 16, word & 0xFFFF), place, size, strict=True):
        low, high = max(centre - radius, 0), min(centre + radius + 1, count)
        out.append(low + (half * (high - low) >> 16))
    return tuple(out)


def patchmatch(
    target: Array,
    source: Array,
    patch: int,
    radii: list[list[int]],
    bands: list[int],
    seed: int,
) -> tuple[Array, Array]:
    """PatchMatch (Barnes 2009) as `kernels/cpu/patchmatch.py` orders its steps."""
    mine, theirs = patches(target, patch), patches(source, patch)
    (h, w), (rows, columns) = mine.shape[:2], theirs.shape[:2]
    field = np.empty((h, w, 2), int)
    cost = np.empty((h, w), mine.dtype)

    def distance(y: int, x: int, row: int, column: int) -> Any:
        return ((mine[y, x] - theirs[row, column]) ** 2).sum()

    def offer(y: int, x: int, row: int, column: int) -> None:
        if 0 <= row < rows and 0 <= column < columns and distance(y, x, row, column) < cost[y, x]:
            field[y, x], cost[y, x] = (row, column), distance(y, x, row, column)

    for y, x in np.ndindex(h, w):
        word = philox((y * w + x, 0, 0, 0), (seed, 0))[0]
        field[y, x] = divmod(word * rows * columns >> 32, columns)
        cost[y, x] = distance(y, x, *field[y, x])
    for iteration, around in enumerate(radii):
        step = 1 if iteration % 2 == 0 else -1
        before = field.copy()  # what a band sees of its neighbours
        for top, bottom in pairwise(bands):
            for y in range(top, bottom)[::step]:
                above = y - step
                if 0 <= above < h:
                    seen = field if top <= above < bottom else before
                    for x in range(w):
                        offer(y, x, seen[above, x, 0] + step, seen[above, x, 1])
                for group in range(0, len(around), 4):
                    for x in range(w):
                        words = philox((y * w + x, iteration, group, 1), (seed, 0))
                        centre = tuple(field[y, x])
                        for word, radius in zip(words, around[group : group + 4], strict=False):
                            offer(y, x, *near(word, radius, centre, (rows, columns)))
                for x in range(w)[::step]:
                    if 0 <= x - step < w:
                        offer(y, x, field[y, x - step, 0], field[y, x - step, 1] + step)
    return field, cost


def vote(field: Array, source: Array, patch: int) -> Array:
    """The mean of what every patch's match says about the pixels it covers."""
    h, w = field.shape[:2]
    total = np.zeros((h + patch - 1, w + patch - 1, *source.shape[2:]), np.float64)
    votes = np.zeros((h + patch - 1, w + patch - 1), int)
    for y, x in np.ndindex(h, w):
        row, column = field[y, x]
        if row >= 0:
            total[y : y + patch, x : x + patch] += source[
                row : row + patch, column : column + patch
            ]
            votes[y : y + patch, x : x + patch] += 1
    mean = total / np.maximum(votes, 1).reshape(votes.shape + (1,) * (source.ndim - 2))
    return np.floor(mean + 0.5) if source.dtype.kind == "u" else mean
