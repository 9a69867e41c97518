"""The obvious twins of `synth.density`: float64 log-sum-exp over every pair."""

from __future__ import annotations

import numpy as np
from scipy.integrate import quad
from scipy.special import gamma, logsumexp
from scipy.stats import multivariate_normal


def kernel_log_prob(points, weights, covariance, queries):
    """Log Σ wᵢ N(q; xᵢ, H), one query after the other."""
    normal = multivariate_normal(np.zeros(len(covariance)), covariance)
    return np.array(
        [
            logsumexp(np.atleast_1d(normal.logpdf(query - points)), b=weights / weights.sum())
            for query in queries
        ]
    )


PROFILES = {
    "tophat": lambda s: float(s <= 1),
    "epanechnikov": lambda s: max(1 - s * s, 0.0),
    "triangular": lambda s: max(1 - s, 0.0),
    "exponential": lambda s: np.exp(-s),
}


def shaped_prob(kernel, points, weights, covariance, queries):
    """Σ wᵢ K(q − xᵢ), its scale and height found by integrating over the radius."""
    profile, d = PROFILES[kernel], len(covariance)
    end = np.inf if kernel == "exponential" else 1
    mass = quad(lambda s: s ** (d - 1) * profile(s), 0, end)[0]
    square = quad(lambda s: s ** (d + 1) * profile(s), 0, end)[0]
    scale = np.sqrt(d * mass / square)  # then the variance along each axis is 1
    sphere = 2 * np.pi ** (d / 2) / gamma(d / 2)
    height = 1 / (sphere * scale**d * mass * np.sqrt(np.linalg.det(covariance)))
    inverse = np.linalg.inv(covariance)
    share = weights / weights.sum()
    return np.array(
        [
            sum(
                w * height * profile(np.sqrt((q - x) @ inverse @ (q - x)) / scale)
                for w, x in zip(share, points, strict=True)
            )
            for q in queries
        ]
    )


def local_log_sums(kernel, scale, points, weights, precision, queries):
    """Log Σ wᵢ aᵢ^(d/2) k(√aᵢ |q − xᵢ|) of kernels whose own widths differ, pair by pair."""
    found = []
    for query in queries:
        squares = np.square(query - points).sum(axis=1) * precision
        with np.errstate(divide="ignore"):
            if kernel == "gaussian":
                heights = -0.5 * squares
            elif kernel == "exponential":
                heights = -np.sqrt(squares) / scale
            else:
                heights = np.log([PROFILES[kernel](r) for r in np.sqrt(squares) / scale])
        terms = np.log(weights) + points.shape[1] / 2 * np.log(precision) + heights
        highest = terms.max()
        with np.errstate(invalid="ignore"):
            total = highest + np.log(np.exp(terms - highest).sum())
        found.append(-np.inf if highest == -np.inf else total)
    return np.array(found)
