"""The obvious twins of the fill on planes."""

from __future__ import annotations

import numpy as np


def sample(image, known, exact, nearest):
    """Catmull-Rom at each (x, y), one pixel at a time, borders repeated."""
    planes = image[..., None] if image.ndim == 2 else image
    rows, columns = known.shape
    found = np.zeros((len(exact), planes.shape[2]))
    for n, (x, y) in enumerate(exact):
        left, top = int(np.floor(x)), int(np.floor(y))
        total, whole = np.zeros(planes.shape[2]), True
        for i in range(-1, 3):
            for j in range(-1, 3):
                weight = cubic(y - top - i) * cubic(x - left - j)
                row, column = min(max(top + i, 0), rows - 1), min(max(left + j, 0), columns - 1)
                if weight != 0:
                    whole = whole and known[row, column]
                    total += weight * planes[row, column]
        found[n] = total if whole else planes[tuple(nearest[n])]
    return found


def cubic(distance):
    """Keys' kernel with a = −1/2 (Keys 1981, equation 15)."""
    d = abs(distance)
    if d < 1:
        return 1.5 * d**3 - 2.5 * d**2 + 1
    if d < 2:
        return -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2
    return 0.0


def parting(place, missed_shared, missed_low, missed_high, weights, tolerance=2.5):
    """Try a line between each edge and the next: the one with most weight on its own side."""
    speaks = []
    for n in range(len(place)):
        nearest = min(missed_low[n], missed_high[n])
        if missed_shared[n] < min(tolerance, nearest):
            speaks.append(0.0)
        elif missed_low[n] < tolerance and missed_high[n] > 2 * tolerance:
            speaks.append(weights[n])
        elif missed_high[n] < tolerance and missed_low[n] > 2 * tolerance:
            speaks.append(-weights[n])
        else:
            speaks.append(0.0)
    places = np.sort(place)
    best, where = -np.inf, None
    for line in (places[:-1] + places[1:]) / 2:
        score = sum(s if p < line else -s for p, s in zip(place, speaks, strict=True))
        if score > best:
            best, where = score, line
    return where
