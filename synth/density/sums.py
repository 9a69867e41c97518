"""Which way the kernels at each query are added up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.density.compact import compact_log_sums
from synth.density.direct import direct_log_sums
from synth.density.gauss_transform import box_log_sums
from synth.density.shapes import Shape
from synth.errors import InputError

__all__ = ["Way", "kernel_log_sums"]

#: From so many pairs on, boxes are quicker than direct sums.
_MANY = 2_000_000


@dataclass(frozen=True)
class Way:
    """How kernels are added up.

    Attributes
    ----------
    method : {"auto", "direct", "boxes"}
    rtol : float
        The relative error that boxes may make.
    single : bool
        Whether direct sums of kernels of one width are in float32.
    """

    method: str = "auto"
    rtol: float = 1e-9
    single: bool = False


def kernel_log_sums(
    points: NDArray[np.float64],
    log_weights: NDArray[np.float64],
    queries: NDArray[np.float64],
    precision: NDArray[np.float64] | None,
    shape: Shape,
    way: Way,
) -> NDArray[np.float64]:
    """Return log Σⱼ wⱼ aⱼ^(d/2) k(√aⱼ |qᵢ − xⱼ|), (m,).

    Parameters
    ----------
    points : (n, d), queries : (m, d)
        In units of the bandwidth.
    log_weights : (n,)
    precision : (n,) or None
        aⱼ, 1 if None.
    shape : Shape
        k.
    way : Way
    """
    width = points.shape[1]
    if precision is not None:
        log_weights = log_weights + width / 2 * np.log(precision)
    possible = width <= 2 and precision is None and shape.kernel == "gaussian"
    if way.method == "boxes" and not possible:
        raise InputError(
            "method is 'boxes', which is for one or two columns and Gaussian kernels of one "
            "width; use 'auto'"
        )
    if shape.compact:
        cut = way.method != "direct"
        return compact_log_sums(points, log_weights, queries, precision, shape, cut)
    length = shape.scale if shape.kernel == "exponential" else None
    single = way.single and precision is None  # precisions far apart need more digits
    many = len(points) * len(queries) >= _MANY
    if possible and (way.method == "boxes" or (way.method == "auto" and many)):
        found = box_log_sums(points, np.exp(log_weights), queries, way.rtol)
        if found is not None:
            sums, promised = found
            if not promised.all():
                rest = queries[~promised]
                sums[~promised] = direct_log_sums(points, log_weights, rest, single=single)
            return sums
    return direct_log_sums(points, log_weights, queries, precision, length=length, single=single)
