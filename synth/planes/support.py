"""How much the edges round about speak for each plane (Huang et al. 2014, section 4.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from synth.planes.edges import Edges, frame
from synth.planes.vanishing import TOLERANCE, misses

__all__ = ["supports"]

#: Cells along the longer side, …
_GRID = 64
#: … how far an edge's word carries, in half longer sides, …
_CARRIES = 0.15
#: … and the word for no plane at all, beside 1 for edges of both directions everywhere.
_NO_PLANE = 0.02


def supports(
    edges: Edges,
    pairs: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
    known: NDArray[np.bool_],
) -> list[NDArray[np.float32]]:
    """Return a map for each pair of vanishing points, 0 to 1, together at most 1.

    The density of the edges that point at the one, times that of those that point at the other:
    a plane is where its two directions are, not where one of them is.

    Parameters
    ----------
    edges : Edges
    pairs : sequence of ((3,) float64, (3,) float64)
        In the units of ``edges``.
    known : (rows, columns) bool
        Where the edges were looked for; elsewhere a map says what is so round about.
    """
    import cv2

    rows, columns = known.shape
    scale, centre = frame(known.shape)
    cell = 2 * scale / _GRID
    grid = (max(1, round(rows / cell)), max(1, round(columns / cell)))
    place = edges.points * scale + np.array(centre)
    row = (place[:, 1] * grid[0] / rows).astype(int).clip(0, grid[0] - 1)
    column = (place[:, 0] * grid[1] / columns).astype(int).clip(0, grid[1] - 1)
    even = max(float(edges.weights.sum()), 1e-12) / (grid[0] * grid[1])
    seen = cv2.resize(known.astype(np.float32), grid[::-1], interpolation=cv2.INTER_AREA)
    seen = np.maximum(cv2.GaussianBlur(seen, (0, 0), _CARRIES * _GRID / 2), np.float32(1e-9))
    words = []
    for pair in pairs:
        product = np.ones(grid, np.float32)
        for point in pair:
            pointing = misses(point, edges) < TOLERANCE
            density = np.zeros(grid, np.float32)
            np.add.at(density, (row[pointing], column[pointing]), edges.weights[pointing] / even)
            product *= cv2.GaussianBlur(density, (0, 0), _CARRIES * _GRID / 2) / seen
        words.append(product)
    whole = np.sum(words, axis=0) + np.float32(_NO_PLANE)
    return [
        np.asarray(cv2.resize(word / whole, (columns, rows), interpolation=cv2.INTER_LINEAR))
        for word in words
    ]
