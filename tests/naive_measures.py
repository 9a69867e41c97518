"""The obvious, slow twins of the texture measures."""

from __future__ import annotations

from typing import Any

import naive
import numpy as np

Array = np.ndarray[Any, Any]


def leave_one_out(image: Array, patch: int) -> tuple[Array, Array]:
    """Nearest patch that shares no pixel, of equal ones the first: positions, distance."""
    vectors = naive.patches(image, patch)
    h, w, _ = vectors.shape
    positions, distance = np.zeros((h, w, 2), int), np.zeros((h, w), vectors.dtype)
    for y in range(h):
        for x in range(w):
            table = ((vectors - vectors[y, x]) ** 2).sum(axis=-1).astype(float)
            for v in range(h):
                for u in range(w):
                    if abs(v - y) < patch and abs(u - x) < patch:
                        table[v, u] = np.inf
            positions[y, x] = np.unravel_index(table.argmin(), table.shape)
            distance[y, x] = table.min()
    return positions, distance


def regions(joined: Any, h: int, w: int) -> list[int]:
    """Sizes of the regions that ``joined(p, q)`` makes of neighbouring places, by flooding."""
    seen, sizes = np.zeros((h, w), bool), []
    for start in np.ndindex(h, w):
        if seen[start]:
            continue
        seen[start], size, waiting = True, 0, [start]
        while waiting:
            y, x = waiting.pop()
            size += 1
            for near in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
                inside = 0 <= near[0] < h and 0 <= near[1] < w
                if inside and not seen[near] and joined((y, x), near):
                    seen[near] = True
                    waiting.append(near)
        sizes.append(size)
    return sizes


def copying(output: Array, exemplar: Array, patch: int) -> tuple[float, float, float]:
    """Coherence, mean and largest region, from every pair of patches."""
    mine, theirs = naive.patches(output, patch), naive.patches(exemplar, patch)
    positions = naive.exact(output, exemplar, patch)[0][:, :, 0]
    h, w = positions.shape[:2]

    def serves(p: tuple[int, int], q: tuple[int, int]) -> bool:
        """Whether p's own nearest patch is no nearer than the one that q's shift gives it."""
        there = positions[q] - q + p
        if (there < 0).any() or (there >= theirs.shape[:2]).any():
            return False
        own, other = (((mine[p] - theirs[tuple(at)]) ** 2).sum() for at in (positions[p], there))
        return bool(other <= own)

    def joined(p: tuple[int, int], q: tuple[int, int]) -> bool:
        return serves(p, q) or serves(q, p)

    pairs = [((y, x), (y + 1, x)) for y in range(h - 1) for x in range(w)]
    pairs += [((y, x), (y, x + 1)) for y in range(h) for x in range(w - 1)]
    sizes = np.array(regions(joined, h, w))
    area = theirs.shape[0] * theirs.shape[1]
    coherence = float(np.mean([joined(p, q) for p, q in pairs]))
    return coherence, float((sizes**2).sum() / sizes.sum() / area), float(sizes.max() / area)


def radial_spectrum(image: Array, rings: int) -> Array:
    """Mean power of each ring, frequency by frequency, of an image taken as periodic."""
    rows, columns = image.shape
    power = np.abs(np.fft.fft2(image)) ** 2 / (rows * columns)
    members: list[list[float]] = [[] for _ in range(rings)]
    for v in range(rows):
        for u in range(columns):
            down, across = (min(v, rows - v) / rows, min(u, columns - u) / columns)
            frequency = float(np.hypot(down, across))
            if frequency == 0:
                continue
            ring = 0
            while ring < rings - 1 and frequency > (ring + 1) / (2 * rings) + 1e-12:
                ring += 1
            members[ring].append(power[v, u])
    return np.array([np.mean(values) for values in members])
