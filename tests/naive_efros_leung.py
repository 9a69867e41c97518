"""Efros & Leung's algorithm as the paper has it: every window, every pixel, one after another."""

from __future__ import annotations

import numpy as np
from synth.kernels.cpu.philox import philox4x32

from synth.randomness import key_of


def window_places(window, sigma):
    """Places of the window by their distance from the centre, which comes first, and weights."""
    half = window // 2
    places = [(y, x) for y in range(-half, half + 1) for x in range(-half, half + 1)]
    places.sort(key=lambda place: (place[0] ** 2 + place[1] ** 2, place))
    return places, [np.exp(-(y * y + x * x) / (2.0 * sigma**2)) for y, x in places]


def naive_support(
    exemplar, image, earlier, y, x, window, sigma, rule, *,
    periodic=False, usable=None, borders="inside", guide=None, barred=(),
):  # fmt: skip
    """Return the candidates of pixel (y, x), their distances and unnormalised weights.

    ``exemplar`` and ``image`` are float64 levels with channels last, ``earlier`` is True where
    the image is known, ``rule`` is (name, width), ``guide`` is (exemplar's, image's, weight).
    """
    half = window // 2
    rows, columns, channels = exemplar.shape
    usable = np.ones((rows, columns), bool) if usable is None else usable
    total = np.zeros((rows, columns))
    weight_there = np.zeros((rows, columns))
    weight_sum = 0.0
    for (dy, dx), weight in zip(*window_places(window, sigma), strict=True):
        row, column = y + dy, x + dx
        if periodic:
            row, column = row % image.shape[0], column % image.shape[1]
        elif not (0 <= row < image.shape[0] and 0 <= column < image.shape[1]):
            continue
        parts = []
        if earlier[row, column] and (dy, dx) != (0, 0):
            parts += [(exemplar[..., c], image[row, column, c], weight) for c in range(channels)]
        if guide is not None:
            theirs, ours, share = guide
            for c in range(theirs.shape[2]):
                parts.append((theirs[..., c], ours[row, column, c], share * weight))
        for plane, value, share in parts:
            moved = np.full((rows, columns), np.nan)
            top, bottom = max(0, -dy), min(rows, rows - dy)
            left, right = max(0, -dx), min(columns, columns - dx)
            inner = plane[top + dy : bottom + dy, left + dx : right + dx]
            there = usable[top + dy : bottom + dy, left + dx : right + dx]
            moved[top:bottom, left:right] = np.where(there, inner, np.nan)
            seen = ~np.isnan(moved)
            apart = moved - value
            total[seen] += share * (apart[seen] * apart[seen])
            weight_there[seen] += share
            weight_sum += share
    allowed = usable.copy()
    if borders == "inside":
        for p, q in np.ndindex(rows, columns):
            block = usable[max(0, p - half) : p + half + 1, max(0, q - half) : q + half + 1]
            allowed[p, q] = block.size == window**2 and block.all()
    for place in barred:
        allowed[place] = False
    if weight_sum == 0:
        places = np.argwhere(allowed)
        return places, np.zeros(len(places)), np.ones(len(places))
    allowed &= 2 * weight_there >= weight_sum
    places = np.argwhere(allowed)
    distances = total[allowed] / weight_there[allowed]
    least = distances.min()
    name, width = rule
    if name == "uniform_eps":
        weights = (distances <= least * (1 + width)).astype(float)
    elif name == "softmax":
        weights = np.exp(-(distances - least) / width)
    else:
        weights = np.exp(-(distances - least) / (width * max(least, 1.0)))
    weights[weights < np.exp(-37.0)] = 0
    kept = weights > 0
    return places[kept], distances[kept], weights[kept]


def naive_draw(weights, y, x, columns, seed):
    """Pick by the same random words as the library."""
    word0, word1, _, _ = philox4x32(y * columns + x, 0, 0, 48, *key_of(seed))
    uniform = ((int(word0) << 32 | int(word1)) >> 11) * 2.0**-53
    sums = np.cumsum(weights)
    return min(int(np.searchsorted(sums, uniform * sums[-1], side="right")), len(weights) - 1)


def naive_sample(exemplar, rank, known, window, sigma, rule, seed, **options):
    """Grow an image in the order of ``rank``; ``known`` holds levels where rank is −1."""
    image = known.astype(np.float64).copy()
    source = np.full((*rank.shape, 2), -1)
    for number in range(rank.max() + 1):
        y, x = np.argwhere(rank == number)[0]
        places, _, weights = naive_support(
            exemplar, image, rank < number, y, x, window, sigma, rule, **options
        )
        source[y, x] = places[naive_draw(weights, y, x, rank.shape[1], seed)]
        image[y, x] = exemplar[tuple(source[y, x])]
    return image, source


def naive_log_prob(values, weights, value, scale, floor, count=256):
    """Log of a mixture of discrete Laplace kernels on 0 … count − 1 and a uniform."""
    levels = np.arange(count)
    mass = 0.0
    for own, weight in zip(values, weights, strict=True):
        probability = weight
        for center, wanted in zip(own, value, strict=True):
            kernel = np.exp(-abs(levels - center) / scale)
            probability *= kernel[int(wanted)] / kernel.sum()
        mass += probability
    return np.log((1 - floor) * mass / sum(weights) + floor / count ** len(value))
