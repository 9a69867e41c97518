"""How likely each row is to the others' kernels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth.density.shapes import shape_of
from synth.density.sums import Way, kernel_log_sums

__all__ = ["left_out"]


def left_out(
    rows: NDArray[np.float64], weights: NDArray[np.float64], covariance: NDArray[np.float64]
) -> float:
    """Return Σ wᵢ log p₋ᵢ(xᵢ) / Σ wᵢ for Gaussian kernels, up to a constant of the data."""
    from scipy.linalg import solve_triangular

    shares = weights / weights.sum()
    root = np.linalg.cholesky(covariance)
    white = np.ascontiguousarray(solve_triangular(root, rows.T, lower=True).T)
    log_shares = np.log(shares)
    whole = np.exp(
        kernel_log_sums(
            white, log_shares, white, None, shape_of("gaussian", white.shape[1]), Way()
        )
    )
    others = whole - shares  # a kernel's own height is its weight
    logs = np.log(np.maximum(others, 1e-300))
    for i in np.flatnonzero(others < 1e-4 * shares):  # where the difference has lost its digits
        terms = log_shares - 0.5 * np.square(white - white[i]).sum(axis=1)
        terms[i] = -np.inf
        logs[i] = np.logaddexp.reduce(terms)
    return float(shares @ (logs - np.log1p(-shares)) - np.log(np.diag(root)).sum())
