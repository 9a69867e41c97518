"""Chebyshev moments of points in boxes, and series in boxes at points: one or two dimensions.

Bands are runs of boxes. A band writes its own boxes' moments, or the values at its own boxes'
points, and nothing else, so bands may run at the same time; each sum has one order.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit

__all__ = ["BOXES", "box_moments", "box_values"]

#: Boxes of a band.
BOXES = 64


@jit
def _chebyshev(x, out):
    """Write T₀(x) … to ``out``."""
    out[0] = 1.0
    if out.size > 1:
        out[1] = x
    for k in range(2, out.size):
        out[k] = 2.0 * x * out[k - 1] - out[k - 2]


@jit
def box_moments(points, weights, starts, out, band):
    """Write Σ wⱼ Tₖ(xⱼ) Tₗ(yⱼ) over the points of each box.

    Parameters
    ----------
    points : (n, 2) float64
        In their box's own frame, −1 … 1, box by box; y is 0 in one dimension.
    weights : (n,) float64
    starts : (boxes + 1,) int64
    out : (boxes, p, p or 1) float64
    """
    first_powers = np.empty(out.shape[1])
    second_powers = np.empty(out.shape[2])
    for box in range(band * BOXES, min((band + 1) * BOXES, starts.size - 1)):
        moments = out[box]
        moments[:] = 0.0
        for j in range(starts[box], starts[box + 1]):
            _chebyshev(points[j, 0], first_powers)
            _chebyshev(points[j, 1], second_powers)
            for k in range(first_powers.size):
                value = weights[j] * first_powers[k]
                for m in range(second_powers.size):
                    moments[k, m] += value * second_powers[m]


@jit
def box_values(points, starts, series, out, band):
    """Write Σ series Tₖ(x) Tₗ(y) at the points of each box; shapes as for `box_moments`."""
    first_powers = np.empty(series.shape[1])
    second_powers = np.empty(series.shape[2])
    inner = np.empty(series.shape[2])
    for box in range(band * BOXES, min((band + 1) * BOXES, starts.size - 1)):
        coefficients = series[box]
        for j in range(starts[box], starts[box + 1]):
            _chebyshev(points[j, 0], first_powers)
            _chebyshev(points[j, 1], second_powers)
            inner[:] = 0.0
            for k in range(first_powers.size):
                row, power = coefficients[k], first_powers[k]
                for m in range(second_powers.size):  # side by side: no sum waits for another
                    inner[m] += power * row[m]
            value = 0.0
            for m in range(second_powers.size):
                value += inner[m] * second_powers[m]
            out[j] = value
