"""Log-sums of kernels that end somewhere, over a grid of cells as wide as they reach."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth.density.shapes import Shape
from synth.kernels._jit import threads
from synth.kernels.cpu import compact_sums as kernels

__all__ = ["compact_log_sums"]

#: Cells along an axis at most, so that three numbers of them fit in one of 64 bits.
_CELLS = 1 << 20
#: Axes that are cut into cells; along the others kernels are only told apart by their distance.
_AXES = 3


def compact_log_sums(
    points: NDArray[np.float64],
    log_weights: NDArray[np.float64],
    queries: NDArray[np.float64],
    precision: NDArray[np.float64] | None,
    shape: Shape,
    cut: bool = True,
) -> NDArray[np.float64]:
    """Return log Σⱼ wⱼ k(√aⱼ |qᵢ − xⱼ|), (m,); −∞ where no kernel reaches.

    Parameters
    ----------
    points : (n, d), queries : (m, d)
        In units of the bandwidth.
    log_weights : (n,)
    precision : (n,) or None
        aⱼ, 1 if None.
    shape : Shape
        Compact.
    cut : bool
        False looks at every pair.
    """
    scales = np.full(len(points), shape.scale**-2.0)
    if precision is not None:
        scales = scales * precision
    spread = np.ptp(points, axis=0)
    axes = np.sort(np.argsort(-spread, kind="stable")[:_AXES])
    side = max(float(scales.min() ** -0.5), float(spread.max()) / _CELLS)
    side *= 1 + 1e-9  # a kernel's end may be rounded
    sizes = np.ones(_AXES, np.int64)
    places = np.zeros((len(points), _AXES), np.int64)
    cells = np.zeros((len(queries), _AXES), np.int64)
    if cut:
        low = points[:, axes].min(axis=0)
        own = slice(_AXES - len(axes), None)
        places[:, own] = (points[:, axes] - low) // side
        sizes[own] = places[:, own].max(axis=0) + 1
        beyond = np.floor((queries[:, axes] - low) / side)
        cells[:, own] = np.clip(beyond, -2, sizes[own] + 1)
    keys = (places[:, 0] * sizes[1] + places[:, 1]) * sizes[2] + places[:, 2]
    order = np.argsort(keys, kind="stable")
    asked = np.lexsort((cells[:, 2], cells[:, 1], cells[:, 0]))  # neighbours share their points
    level = float(log_weights.max())
    weights = np.exp(log_weights - level)
    power = kernels.TRIANGLE if shape.kernel == "triangular" else shape.power
    sums, bands = np.empty(len(queries)), -(-len(queries) // kernels.QUERIES)
    args = (np.ascontiguousarray(points[order].T), scales[order], weights[order], keys[order])
    with threads() as run:
        run(kernels.compact_sums, bands, *args, queries[asked], cells[asked], sizes, power, sums)
    out = np.empty(len(queries))
    with np.errstate(divide="ignore"):
        out[asked] = np.log(sums) + level
    return out
