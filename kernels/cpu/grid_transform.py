"""Weights of points spread over the nodes of a grid in space, and values at points from its nodes.

Each point shares `NODES` nodes of each axis. A band of `spread` writes its own planes, each node
in the points' order; a band of `gather` writes its own points' values: bands may run at the same
time, and the result does not depend on the threads.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit
from .exponential import fused

__all__ = ["NODES", "PLANES", "POINTS", "gather", "spread"]

#: Nodes that a point shares along each axis; a multiple of 4.
NODES = 16
#: Planes of a band of `spread`.
PLANES = 8
#: Points of a band of `gather`.
POINTS = 256


@jit
def _shares(polynomials, frame, out):
    """Write the share of each node along each axis, by Horner's rule for all nodes at once."""
    # numbers that the compiler does not know keep it from unrolling what it should vectorise
    last, count = polynomials.shape[0] - 1, polynomials.shape[1]
    for axis in range(3):
        at, share = frame[axis], out[axis]
        for k in range(count):
            share[k] = polynomials[last, k]
        for power in range(last - 1, -1, -1):
            row = polynomials[power]
            for k in range(count):
                share[k] = fused(share[k], at, row[k])


@jit
def spread(cells, frames, weights, starts, polynomials, grid, band):
    """Add each point's weight, by its shares, to the nodes of `PLANES` planes.

    Parameters
    ----------
    cells : (n, 3) int64
        The first node of each point; in order of the first axis.
    frames : (n, 3) float64
        Where the point is in its cell, −1 … 1.
    weights : (n,) float64
    starts : (planes + 1,) int64
        Where the points begin whose first node is on a plane.
    polynomials : (degree + 1, NODES) float64
        The shares of the nodes as functions of the place, the constants first.
    grid : (planes, ., .) float64
    band : int
    """
    count = polynomials.shape[1]
    shares = np.empty((3, count))
    along = shares[2]
    first, last = band * PLANES, min((band + 1) * PLANES, grid.shape[0])
    for j in range(starts[max(0, first - NODES + 1)], starts[last]):
        x, y, z = cells[j]
        _shares(polynomials, frames[j], shares)
        for plane in range(max(x, first), min(x + NODES, last)):
            on_plane = weights[j] * shares[0, plane - x]
            for k in range(NODES):
                share, row = on_plane * shares[1, k], grid[plane, y + k][z : z + count]
                for m in range(count):
                    row[m] = fused(share, along[m], row[m])


@jit
def gather(cells, frames, polynomials, grid, out, band):
    """Write the nodes' sum by the shares of each point, (n,); the rest as for `spread`."""
    count = polynomials.shape[1]
    shares, inner = np.empty((3, count)), np.empty(count)
    for j in range(band * POINTS, min((band + 1) * POINTS, cells.shape[0])):
        x, y, z = cells[j]
        _shares(polynomials, frames[j], shares)
        for m in range(count):
            inner[m] = 0.0
        for i in range(NODES):
            plane, on_plane = grid[x + i], shares[0, i]
            for k in range(y, y + NODES, 4):  # four rows at once spare the sums' trips to memory
                a, b = on_plane * shares[1, k - y], on_plane * shares[1, k - y + 1]
                c, d = on_plane * shares[1, k - y + 2], on_plane * shares[1, k - y + 3]
                row_a, row_b = plane[k][z : z + count], plane[k + 1][z : z + count]
                row_c, row_d = plane[k + 2][z : z + count], plane[k + 3][z : z + count]
                for m in range(count):
                    pair = fused(a, row_a[m], b * row_b[m])
                    inner[m] += pair + fused(c, row_c[m], d * row_d[m])
        total = 0.0
        for m in range(count):
            total += inner[m] * shares[2, m]
        out[j] = total
