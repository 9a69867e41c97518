"""The obvious twins of `synth.bayes`: one Gaussian by its formula, and QDA by its own."""

from __future__ import annotations

import numpy as np


class Gaussian:
    """A density with the verbs of the library, and nothing else."""

    def fit(self, x, weights=None):
        self.center = np.average(x, axis=0, weights=weights)
        self.covariance = np.atleast_2d(np.cov(x.T, aweights=weights, ddof=0))
        return self

    def log_prob(self, x):
        apart = x - self.center
        inside = (apart @ np.linalg.inv(self.covariance) * apart).sum(axis=1)
        return -0.5 * (inside + np.linalg.slogdet(2 * np.pi * self.covariance)[1])

    def sample(self, n, seed=0):
        rng = np.random.default_rng(seed)
        return rng.multivariate_normal(self.center, self.covariance, n)


def quadratic_discriminant(x, y, queries):
    """p(y | query) by Hastie, Tibshirani & Friedman 2009, equation 4.12, labels sorted."""
    scores = []
    for label in np.unique(y):
        own = x[y == label]
        covariance = np.cov(own.T, ddof=0)
        apart = queries - own.mean(axis=0)
        scores.append(
            -0.5 * np.log(np.linalg.det(covariance))
            - 0.5 * np.einsum("ni,ij,nj->n", apart, np.linalg.inv(covariance), apart)
            + np.log(np.mean(y == label))
        )
    odds = np.exp(np.stack(scores, axis=1))
    return odds / odds.sum(axis=1, keepdims=True)


def crps(members, outcome):
    """E|X − y| − ½ E|X − X′| over pairs of different members, one case."""
    count = len(members)
    pairs = sum(abs(a - b) for a in members for b in members) / (count * (count - 1))
    return sum(abs(a - outcome) for a in members) / count - pairs / 2
