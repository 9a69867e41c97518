"""The obvious twins of `synth.density`: float64 log-sum-exp over every pair."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp
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
