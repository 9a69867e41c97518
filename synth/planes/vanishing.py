"""Vanishing points by RANSAC (Fischler & Bolles 1981) over line elements."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth.planes.edges import Edges

__all__ = ["TOLERANCE", "misses", "vanishing_points"]

#: An edge belongs to a vanishing point that it misses by at most this angle, in degrees.
TOLERANCE = 2.5
_HYPOTHESES = 600
#: So many edges choose between the hypotheses; all of them refine the best.
_VOTERS = 600
#: A vanishing point lies outside the picture, in units of half the longer side.
_NEAREST = 1.3
_FEWEST = 50


def vanishing_points(
    edges: Edges, *, most: int = 2, least: float = 0.0, seed: int = 0
) -> list[tuple[NDArray[np.float64], float]]:
    """Find vanishing points one after another, the one with most edges first.

    Parameters
    ----------
    edges : Edges
    most : int
        So many at most; each is looked for in the edges that those before it leave over.
    least : float
        Stop where three points could not have this share together, if none is above the last.
    seed : int
        Of the pairs of edges that are tried.

    Returns
    -------
    list of ((3,) float64, float)
        Homogeneous point in the units of ``edges``, of length 1, and its share of the weight of
        all edges. A point at infinity has a third coordinate of 0.
    """
    rng = np.random.Generator(np.random.Philox(key=seed))
    lines, weights = edges.lines, edges.weights
    left = np.ones(len(lines), np.bool_)
    found: list[tuple[NDArray[np.float64], float]] = []
    for _ in range(most):
        candidates = np.flatnonzero(left)
        if len(candidates) < _FEWEST:
            break
        pairs = rng.choice(candidates, (_HYPOTHESES, 2))
        points = np.cross(lines[pairs[:, 0]], lines[pairs[:, 1]])
        length = np.linalg.norm(points, axis=1)
        points = points[length > 1e-9] / length[length > 1e-9, None]
        away = np.hypot(points[:, 0], points[:, 1]) > _NEAREST * np.abs(points[:, 2])
        points = points[away]
        if not len(points):
            break
        some = candidates[:: max(1, len(candidates) // _VOTERS)]
        support = _support(points, edges.of(some))
        best = _refine(points[int(np.argmax(support))], edges, left)
        angle = misses(best, edges)
        share = float(weights[left & (angle < TOLERANCE)].sum() / weights.sum())
        found.append((best, share))
        three = sorted([share for _, share in found] + 2 * [share], reverse=True)[:3]
        if sum(three) < least:
            break
        left &= angle > 3 * TOLERANCE
    return found


def _support(points: NDArray[np.float64], edges: Edges) -> NDArray[np.float64]:
    """Weight of the edges that point at each of ``points``; float32 and no angles, for speed."""
    x, y = (edges.points[:, axis].astype(np.float32) for axis in (0, 1))
    across, down = (edges.normals[:, axis].astype(np.float32) for axis in (0, 1))
    u, v, w = (points[:, axis, None].astype(np.float32) for axis in (0, 1, 2))
    dx, dy = u - w * x, v - w * y
    sine2 = (across * dx + down * dy) ** 2
    close = sine2 < np.float32(np.sin(np.deg2rad(TOLERANCE)) ** 2) * (dx * dx + dy * dy)
    return np.asarray(close @ edges.weights)


def misses(point: NDArray[np.float64], edges: Edges) -> NDArray[np.float64]:
    """Angle, in degrees, between each edge and the direction to ``point``."""
    towards = point[:2] - point[2] * edges.points
    length = np.hypot(towards[:, 0], towards[:, 1]) + 1e-12
    sine = np.abs((edges.normals * towards).sum(axis=1)) / length
    return np.asarray(np.degrees(np.arcsin(np.minimum(sine, 1))))


def _refine(
    point: NDArray[np.float64], edges: Edges, left: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Fit the point to its edges by least squares of the angles, the outliers leaving twice."""
    lines = edges.lines
    for tolerance in (TOLERANCE, TOLERANCE, TOLERANCE / 1.5, TOLERANCE / 1.5):
        inside = left & (misses(point, edges) < tolerance)
        if np.count_nonzero(inside) < 3:
            break
        towards = point[:2] - point[2] * edges.points[inside]
        reach = np.maximum(np.hypot(towards[:, 0], towards[:, 1]), 0.1)
        rows = lines[inside] * (edges.weights[inside] / reach)[:, None]
        point = np.asarray(np.linalg.svd(rows, full_matrices=False)[2][2], np.float64)
    return point
