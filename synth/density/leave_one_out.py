"""How likely each row is to the others' kernels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth.density.edges import Edges
from synth.density.shapes import shape_of
from synth.density.smoothing import middle_of
from synth.density.sums import Summands, Way, kernel_log_sums

__all__ = ["left_out"]


def left_out(
    rows: NDArray[np.float64],
    weights: NDArray[np.float64],
    covariance: NDArray[np.float64],
    edges: Edges,
) -> float:
    """Return Σ wᵢ log p₋ᵢ(xᵢ) / Σ wᵢ for Gaussian kernels, up to a constant of the data.

    Kernels are mirrored at bounds and go round in periods; of a row all its images are left out.
    """
    from scipy.linalg import solve_triangular

    shares = weights / weights.sum()
    log_shares = np.log(shares)
    root = np.linalg.cholesky(covariance)
    shape = shape_of("gaussian", rows.shape[1])
    places = list(edges.images(shape.reach * np.sqrt(np.diag(covariance))))
    center = middle_of(rows)

    def white(moved: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.ascontiguousarray(solve_triangular(root, (moved - center).T, lower=True).T)

    points = white(rows)
    kernels = Summands(points, log_shares, None, shape)
    whole, own = np.zeros(len(rows)), np.zeros(len(rows))
    for sign, shift in places:
        image = white(sign * rows + shift)
        whole += np.exp(kernel_log_sums(kernels, image, Way()))
        own += shares * np.exp(-0.5 * np.square(image - points).sum(axis=1))
    others = whole - own
    logs = np.log(np.maximum(others, 1e-300))
    for i in np.flatnonzero(others < 1e-4 * own):  # where the difference has lost its digits
        logs[i] = -np.inf
        for sign, shift in places:
            image = white((sign * rows[i] + shift)[np.newaxis])
            terms = log_shares - 0.5 * np.square(points - image).sum(axis=1)
            terms[i] = -np.inf
            logs[i] = np.logaddexp(logs[i], np.logaddexp.reduce(terms))
    return float(shares @ (logs - np.log1p(-shares)) - np.log(np.diag(root)).sum())
