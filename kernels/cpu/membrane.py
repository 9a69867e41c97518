"""Relaxation of a (screened) Poisson equation over the pixels of a hole.

Race-free because it is sequential.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit

__all__ = ["relax"]


@jit
def relax(values, wanted, pixels, inside, fixed, screening, overrelaxation, iterations):
    """Solve (neighbours + screening) u − Σ u of neighbours = wanted over ``pixels``, in place.

    Successive over-relaxation in reading order, alternating directions.

    Parameters
    ----------
    values : (rows, columns, channels) float32
        Start and result; given where ``fixed``.
    wanted : (n, channels) float32
        For each pixel the sum of the differences it should have to its neighbours.
    pixels : (n, 2) int32, the unknowns in reading order
    inside, fixed : (rows, columns) bool
        Neighbours that count: other unknowns, and pixels whose value is given.
    screening : float32
        Pulls towards 0; influence falls off over 1/√screening pixels.
    """
    rows, columns, channels = values.shape
    count = pixels.shape[0]
    for iteration in range(iterations):
        for number in range(count):
            index = number if iteration % 2 == 0 else count - 1 - number
            y = np.int64(pixels[index, 0])
            x = np.int64(pixels[index, 1])
            up = y > 0 and (inside[y - 1, x] or fixed[y - 1, x])
            down = y + 1 < rows and (inside[y + 1, x] or fixed[y + 1, x])
            left = x > 0 and (inside[y, x - 1] or fixed[y, x - 1])
            right = x + 1 < columns and (inside[y, x + 1] or fixed[y, x + 1])
            neighbours = np.float32(up) + np.float32(down) + np.float32(left) + np.float32(right)
            share = np.float32(1) / (neighbours + screening)
            for channel in range(channels):
                total = wanted[index, channel]
                if up:
                    total += values[y - 1, x, channel]
                if down:
                    total += values[y + 1, x, channel]
                if left:
                    total += values[y, x - 1, channel]
                if right:
                    total += values[y, x + 1, channel]
                old = values[y, x, channel]
                values[y, x, channel] = old + overrelaxation * (total * share - old)
