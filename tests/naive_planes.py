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
