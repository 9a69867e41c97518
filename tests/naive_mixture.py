"""The obvious twin of `synth.GaussianMixture`: one component, or one row, at a time."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_normal


def mixture_scores(weights, means, covariances, queries):
    """Log wₖ N(q; μₖ, Σₖ), (m, K)."""
    return np.stack(
        [
            np.log(w) + np.atleast_1d(multivariate_normal(m, c).logpdf(queries))
            for w, m, c in zip(weights, means, covariances, strict=True)
        ],
        axis=1,
    )


def mixture_log_prob(weights, means, covariances, queries):
    return logsumexp(mixture_scores(weights, means, covariances, queries), axis=1)


def expectation_maximization(x, row_weights, weights, means, covariances, iterations, shape):
    """Return weights, means, covariances (K, d, d) and the mean log-likelihood of each pass."""
    trace = []
    for _ in range(iterations):
        scores = mixture_scores(weights, means, covariances, x)
        logs = logsumexp(scores, axis=1)
        trace.append(row_weights @ logs / row_weights.sum())
        share = np.exp(scores - logs[:, None]) * row_weights[:, None]
        weights = share.sum(axis=0) / row_weights.sum()
        means = share.T @ x / share.sum(axis=0)[:, None]
        covariances = np.stack(
            [np.cov(x.T, aweights=s, ddof=0).reshape(x.shape[1], -1) for s in share.T]
        )
        if shape == "tied":
            covariances[:] = np.tensordot(weights, covariances, 1)
        elif shape in ("diag", "spherical"):
            sizes = np.diagonal(covariances, axis1=1, axis2=2)
            if shape == "spherical":
                sizes = np.broadcast_to(sizes.mean(axis=1, keepdims=True), sizes.shape)
            covariances = sizes[:, :, None] * np.eye(x.shape[1])
    return weights, means, covariances, np.array(trace)


def expectation_maximization_missing(x, weights, means, covariances, iterations):
    """The same for full covariances, row by row over what is there (Ghahramani & Jordan 1994)."""
    trace = []
    components, width = means.shape
    for _ in range(iterations):
        total = 0.0
        count, first = np.zeros(components), np.zeros((components, width))
        second = np.zeros((components, width, width))
        for row in x:
            o, m = np.flatnonzero(~np.isnan(row)), np.flatnonzero(np.isnan(row))
            logs = [
                np.log(weights[k])
                + multivariate_normal(means[k, o], covariances[k][np.ix_(o, o)]).logpdf(row[o])
                for k in range(components)
            ]
            total += logsumexp(logs)
            share = np.exp(logs - logsumexp(logs))
            for k in range(components):
                gain = covariances[k][np.ix_(m, o)] @ np.linalg.inv(covariances[k][np.ix_(o, o)])
                filled = row.copy()
                filled[m] = means[k, m] + gain @ (row[o] - means[k, o])
                extra = np.zeros((width, width))
                extra[np.ix_(m, m)] = (
                    covariances[k][np.ix_(m, m)] - gain @ covariances[k][np.ix_(o, m)]
                )
                count[k] += share[k]
                first[k] += share[k] * filled
                second[k] += share[k] * (np.outer(filled, filled) + extra)
        trace.append(total / len(x))
        weights, means = count / count.sum(), first / count[:, None]
        covariances = second / count[:, None, None] - means[:, :, None] * means[:, None]
    return weights, means, covariances, np.array(trace)
