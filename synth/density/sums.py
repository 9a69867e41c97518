"""Which way the kernels at each query are added up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth.density.direct import direct_log_sums
from synth.density.gauss_transform import box_log_sums
from synth.errors import InputError

__all__ = ["kernel_log_sums"]

#: From so many pairs on, boxes are quicker than direct sums.
_MANY = 2_000_000


def kernel_log_sums(
    points: NDArray[np.float64],
    log_weights: NDArray[np.float64],
    queries: NDArray[np.float64],
    precision: NDArray[np.float64] | None,
    method: str,
    rtol: float,
) -> NDArray[np.float64]:
    """Return log Σⱼ wⱼ aⱼ^(d/2) exp(−½ aⱼ |qᵢ − xⱼ|²), (m,), with a relative error below rtol.

    Parameters
    ----------
    points : (n, d), queries : (m, d)
        In units of the bandwidth.
    log_weights : (n,)
    precision : (n,) or None
        aⱼ, 1 if None.
    method : {"auto", "direct", "boxes"}
    rtol : float
    """
    width = points.shape[1]
    if precision is not None:
        log_weights = log_weights + width / 2 * np.log(precision)
    possible = width <= 2 and precision is None
    if method == "boxes" and not possible:
        raise InputError(
            "method is 'boxes', which is for one or two columns and kernels of one width; "
            "use 'auto'"
        )
    many = len(points) * len(queries) >= _MANY
    if possible and (method == "boxes" or (method == "auto" and many)):
        found = box_log_sums(points, np.exp(log_weights), queries, rtol)
        if found is not None:
            sums, promised = found
            if not promised.all():
                sums[~promised] = direct_log_sums(points, log_weights, queries[~promised])
            return sums
    return direct_log_sums(points, log_weights, queries, precision)
