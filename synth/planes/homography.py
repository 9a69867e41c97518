"""Homographies: 3×3 matrices that act on (x, y, 1), column and row in pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["apply", "jacobian", "rectifying"]

Matrix = NDArray[np.float64]


def apply(homography: Matrix, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Map (n, 2) points (x, y)."""
    mapped = points @ homography[:, :2].T + homography[:, 2]
    return np.asarray(mapped[:, :2] / mapped[:, 2:])


def jacobian(homography: Matrix, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 2) derivative of the mapped point with respect to (x, y), at one point."""
    whole = homography @ np.array([at[0], at[1], 1.0])
    mapped = whole[:2] / whole[2]
    return np.asarray((homography[:2, :2] - np.outer(mapped, homography[2, :2])) / whole[2])


def rectifying(first: Matrix, second: Matrix, centre: NDArray[np.float64]) -> Matrix:
    """Return the homography that turns two vanishing points into the axes' directions.

    The one that lies more to the side becomes the rows' direction. At ``centre`` nothing is
    scaled along either axis, and nothing is mirrored (Hartley & Zisserman 2004, section 2.7).

    Parameters
    ----------
    first, second : (3,) float64
        Homogeneous vanishing points, in pixels.
    centre : (2,) float64
        x and y.
    """
    directions = [point[:2] - point[2] * centre for point in (first, second)]
    slopes = [abs(d[1]) / (np.hypot(*d) + 1e-300) for d in directions]
    sideways, upright = (first, second) if slopes[0] <= slopes[1] else (second, first)
    horizon = np.cross(sideways, upright)
    # the horizon moves to infinity, and the centre keeps its place in front of it
    value = horizon @ np.array([centre[0], centre[1], 1.0])
    projective = np.array([[1.0, 0, 0], [0, 1.0, 0], horizon / value])
    axes = []
    for point, axis in ((sideways, 0), (upright, 1)):
        direction = (projective @ point)[:2]
        direction = direction / np.linalg.norm(direction)
        axes.append(direction if direction[axis] >= 0 else -direction)
    affine = np.eye(3)
    affine[:2, :2] = np.linalg.inv(np.stack(axes, axis=1))
    homography = affine @ projective
    columns = np.linalg.norm(jacobian(homography, centre), axis=1)
    return np.asarray(np.diag([1 / columns[0], 1 / columns[1], 1.0]) @ homography)
