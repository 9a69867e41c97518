"""Log-sums of Gaussians and exponentials, every point at every query: exact wherever they lie."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.density.blas import workers
from synth.kernels._jit import threads
from synth.kernels.cpu import kernel_sums

__all__ = ["batches", "direct_log_sums", "responsibilities"]

_LOG2E = float(np.log2(np.e))
#: From so many columns on, exponents come out of matrix products.
_WIDE = 16
#: Points of a matrix product: with 256 queries its result (256 KiB) stays in the second cache.
_POINTS = 128
#: Numbers of a table of queries by points, where one is needed (32 MiB).
_BATCH = 1 << 22


def direct_log_sums(
    points: NDArray[np.float64],
    log_weights: NDArray[np.float64],
    queries: NDArray[np.float64],
    precision: NDArray[np.float64] | None = None,
    *,
    length: float | None = None,
    single: bool = False,
    rtol: float = 1e-9,
) -> NDArray[np.float64]:
    """Return log Σⱼ wⱼ exp(−½ aⱼ |qᵢ − xⱼ|²), (m,).

    Parameters
    ----------
    points : (n, d)
        In units of the bandwidth.
    log_weights : (n,)
    queries : (m, d)
    precision : (n,), optional
        aⱼ, 1 if not given: Abramson's local bandwidths, inverse and squared.
    length : float, optional
        Sum up exp(−√aⱼ |qᵢ − xⱼ| / length) instead.
    single : bool
        In float32.
    rtol : float
        Relative error of a sum in float64 from which on squares by products are too coarse.

    Notes
    -----
    The largest exponent of each query is kept apart (log-sum-exp, online), so nothing underflows.

    From 16 columns on |q − x|² is |q|² − 2qx + |x|², which rounds off eps |q|² where q lies near
    some x far from the middle. Bands of queries of which that may be more than ``rtol`` are done
    again by differences.
    """
    dtype = np.float32 if single else np.float64
    out = np.empty(len(queries))
    center = points.mean(axis=0)  # keeps the numbers small, in which digits cancel
    points, queries = (points - center).astype(dtype), (queries - center).astype(dtype)
    scales = np.full(len(points), (0.5 if length is None else 1 / length) * _LOG2E)
    if precision is not None:
        scales = scales * (precision if length is None else np.sqrt(precision))
    offsets = log_weights * _LOG2E
    bands = -(-len(queries) // kernel_sums.QUERIES)
    if points.shape[1] < _WIDE or length is not None:
        _by_differences(points, scales, offsets, queries, length is not None, out)
    else:
        squares = np.einsum("nd,nd->n", points, points, dtype=np.float64)
        left = np.empty((len(points), points.shape[1] + 2), dtype)
        np.multiply(points, 2 * scales[:, np.newaxis], out=left[:, :-2], casting="same_kind")
        left[:, -2] = -scales
        left[:, -1] = offsets - scales * squares
        with workers() as run:
            run(_product_band, bands, left, queries, out)
        if not single:
            coarse = _coarse(float(scales.max()), queries, out, rtol)
            if len(coarse):
                again = np.empty(len(coarse))
                _by_differences(points, scales, offsets, queries[coarse], False, again)
                out[coarse] = again
    return out / _LOG2E


def _by_differences(
    points: NDArray[Any],
    scales: NDArray[np.float64],
    offsets: NDArray[np.float64],
    queries: NDArray[Any],
    root: bool,
    out: NDArray[np.float64],
) -> None:
    """Write log2 Σⱼ 2^(offsetⱼ − scaleⱼ |qᵢ − xⱼ|²)."""
    dtype, bands = points.dtype, -(-len(queries) // kernel_sums.QUERIES)
    points, columns = np.ascontiguousarray(points), np.ascontiguousarray(queries.T)
    each = (scales.astype(dtype), offsets.astype(dtype))
    with threads() as run:
        run(kernel_sums.log_sums, bands, points, *each, columns, root, out)


def _coarse(
    scale: float, queries: NDArray[np.float64], logs: NDArray[np.float64], rtol: float
) -> NDArray[np.intp]:
    """Return the queries whose sums by products may be off by more than rtol.

    What counts lies at |q − x|² ≤ |log| / scale, so |x|² is no more than about |q|² and that. Logs
    themselves are rounded off by eps |log|, which no other way mends.
    """
    eps = float(np.finfo(np.float64).eps)
    error = 4 * eps * scale * np.einsum("nd,nd->n", queries, queries)
    return np.flatnonzero(error > np.maximum(rtol, 16 * eps * np.abs(logs)))


def _product_band(
    left: NDArray[Any],
    queries: NDArray[Any],
    out: NDArray[np.float64],
    band: int,
) -> None:
    """`log_sums` for one band of queries by products [2ax, −a, b − a|x|²] · [q, |q|², 1]."""
    own = queries[band * kernel_sums.QUERIES : (band + 1) * kernel_sums.QUERIES]
    right = np.empty((left.shape[1], len(own)), left.dtype)
    right[:-2] = own.T
    right[-2] = np.einsum("nd,nd->n", own, own)
    right[-1] = 1.0
    maximum, total = np.full(len(own), -np.inf, left.dtype), np.zeros(len(own))
    exponents = np.empty((_POINTS, len(own)), left.dtype)
    for first in range(0, len(left), _POINTS):
        rows = left[first : first + _POINTS]
        np.matmul(rows, right, out=exponents[: len(rows)])
        kernel_sums.exponent_sums(exponents[: len(rows)], maximum, total)
    start = band * kernel_sums.QUERIES
    out[start : start + len(own)] = maximum + np.log2(total)


def batches(queries: int, points: int) -> list[slice]:
    """Cut queries so that a table of each part by all points stays small."""
    step = max(1, _BATCH // points)
    return [slice(start, start + step) for start in range(0, queries, step)]


def responsibilities(
    points: NDArray[np.float64],
    log_weights: NDArray[np.float64],
    queries: NDArray[np.float64],
    precision: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the share that each kernel has in the density at each query, (m, n)."""
    from scipy.spatial.distance import cdist

    terms = log_weights - 0.5 * precision * cdist(queries, points, "sqeuclidean")
    terms -= terms.max(axis=1, keepdims=True)
    np.exp(terms, out=terms)
    terms /= terms.sum(axis=1, keepdims=True)
    return np.asarray(terms)
