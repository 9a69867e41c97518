"""Mixtures of rows in which values are missing: exact over what is there.

Rows with the same values missing are a pattern. Within a pattern the observed values of a Gaussian
are Gaussian, and what is missing has a Gaussian around its regression on them (Ghahramani & Jordan
1994, section 2): its mean and its covariance go into the moments, not a value in its place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.density.expectation import Rows, reached
from synth.density.gaussians import Frame, Moments, Parts, Shape

__all__ = ["Pattern", "expect_missing", "has_gaps", "log_prob_missing", "patterns", "separated"]

_BLOCK = 4096


@dataclass(frozen=True)
class Pattern:
    """Rows that have values in the same columns.

    Attributes
    ----------
    columns : (o,) ndarray of int
        Those that are there.
    rows : (n,) ndarray of int
        Where the rows are in the table.
    x : (n, d) ndarray
    weights : (n,) ndarray
    """

    columns: NDArray[np.intp]
    rows: NDArray[np.intp]
    x: NDArray[Any]
    weights: NDArray[np.float64]


def has_gaps(rows: Rows) -> bool:
    """Return whether any value is missing."""
    step = 1 << 14
    return any(np.isnan(rows.x[i : i + step]).any() for i in range(0, len(rows.x), step))


def patterns(rows: Rows) -> list[Pattern]:
    """Sort rows by which of their values are there, the complete ones among them."""
    there = ~np.isnan(rows.x)
    kinds, owner = np.unique(there, axis=0, return_inverse=True)
    owner = owner.reshape(-1)
    weights = np.ones(len(rows.x)) if rows.weights is None else rows.weights
    found = []
    for number, kind in enumerate(kinds):
        for own in np.array_split(
            mine := np.flatnonzero(owner == number), -(-len(mine) // _BLOCK)
        ):
            found.append(Pattern(np.flatnonzero(kind), own, rows.x[own], weights[own]))
    return found


def separated(rows: Rows) -> tuple[Rows, list[Pattern]]:
    """Return the complete rows, and the others by pattern."""
    whole = ~np.isnan(rows.x).any(axis=1)
    weights = np.ones(len(rows.x)) if rows.weights is None else rows.weights
    return Rows(rows.x[whole], weights[whole]), patterns(Rows(rows.x[~whole], weights[~whole]))


def _scores(
    pattern: Pattern, frame: Frame, parts: Parts, full: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return log wₖ N(x; …) of the observed values, (K, n), and them in the frame, (o, n)."""
    own = pattern.columns
    z = (pattern.x[:, own].astype(np.float64) - frame.center[own]) * frame.inward[own]
    scores = np.empty((len(full), len(z)))
    for k, covariance in enumerate(full):
        root = np.linalg.cholesky(covariance[np.ix_(own, own)])
        white = np.linalg.solve(root, (z - parts.means[k, own]).T)
        with np.errstate(over="ignore"):
            scores[k] = parts.log_weights[k] - 0.5 * np.square(white).sum(axis=0)
        scores[k] -= np.log(np.diag(root)).sum()
    constant = len(own) / 2 * math.log(2 * math.pi) - np.log(frame.inward[own]).sum()
    return scores - constant, z.T


def _joined(scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the log-sums (n,) of scores (K, n), and each one's share."""
    scores = np.maximum(scores, -1e300)  # squares may be no numbers
    highest = scores.max(axis=0)
    shares = np.exp(scores - highest)
    total = shares.sum(axis=0)
    return highest + np.log(total), shares / total  # where a log of 1e200 absorbs that of K


def expect_missing(
    pattern: Pattern, frame: Frame, parts: Parts, shape: Shape
) -> tuple[float, Moments]:
    """Return Σ wᵢ log p(observed xᵢ), and the expected moments of whole rows.

    The frame is a diagonal one.
    """
    own, full = pattern.columns, parts.full()
    gone = np.setdiff1d(np.arange(parts.means.shape[1]), own)
    scores, z = _scores(pattern, frame, parts, full)
    logs, shares = _joined(scores)
    shares *= pattern.weights
    count = shares.sum(axis=1)
    mean = parts.means.copy()
    spread = np.zeros_like(full)
    for k, covariance in enumerate(full):
        # moments about the component's mean, carried from the observed columns to all by [I; G]
        apart = z - parts.means[k, own, np.newaxis]
        share = shares[k] / max(count[k], 1e-300)
        first = apart @ share
        second = (apart * share) @ apart.T - np.outer(first, first)
        carry = np.zeros((len(mean[k]), len(own)))
        carry[own, np.arange(len(own))] = 1
        across = covariance[np.ix_(gone, own)]
        carry[gone] = np.linalg.solve(covariance[np.ix_(own, own)], across.T).T
        mean[k] += carry @ first
        spread[k] = carry @ second @ carry.T
        spread[k][np.ix_(gone, gone)] += covariance[np.ix_(gone, gone)] - carry[gone] @ across.T
    held: NDArray[np.float64] = spread
    if shape == "tied":
        held = np.tensordot(count / count.sum(), spread, 1)
    elif shape == "diag":
        held = np.diagonal(spread, axis1=1, axis2=2).copy()
    return float(logs @ pattern.weights), Moments(count, mean, held, shape)


def log_prob_missing(
    rows: NDArray[Any], parts: Parts, shares: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return log p of what is there in each row, (n,); writes responsibilities (n, K)."""
    width = rows.shape[1]
    frame = Frame(np.zeros(width), np.ones(width), np.ones(width))
    out, full = np.empty(len(rows)), parts.full()
    for pattern in patterns(Rows(rows)):
        scores, _ = _scores(pattern, frame, parts, full)
        out[pattern.rows], own = _joined(scores)
        if shares is not None:
            shares[pattern.rows] = own.T
    return reached(out)
