"""Where a mixture starts: k-means++ on whitened rows, or means that are given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth.density.expectation import Rows
from synth.density.gaussians import Frame, Moments, Shape
from synth.rows import START_MEANS, START_ROWS, uniforms

__all__ = ["clustered", "sampled"]

#: Rows for each component, and at least, that a start looks at.
_EACH, _LEAST = 128, 2048
_ROUNDS = 12


def sampled(
    rows: Rows, frame: Frame, components: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return some rows in the frame, (m, d), and their weights: all rows if there are few.

    A row is taken as often as its weight says, so weights are repetition here as well.
    """
    size = max(_EACH * components, _LEAST)
    weights = np.ones(len(rows.x)) if rows.weights is None else rows.weights
    if len(rows.x) <= size:
        return np.ascontiguousarray(frame.columns(rows.x).T), weights
    edges = np.cumsum(weights)
    draw = uniforms(seed, START_ROWS)(size)
    picks = np.sort(np.searchsorted(edges / edges[-1], draw, side="right"))
    return np.ascontiguousarray(frame.columns(rows.x[picks]).T), np.ones(size)


def clustered(
    z: NDArray[np.float64],
    weights: NDArray[np.float64],
    components: int,
    shape: Shape,
    seed: int,
    means: NDArray[np.float64] | None = None,
) -> Moments:
    """Return the moments of clusters of rows (m, d).

    Seeds are drawn by Arthur & Vassilvitskii's k-means++ (2007), each the best of a few for what
    it leaves, then moved to their clusters' means. ``means`` (K, d) are taken as they are.
    """
    if means is None:
        means = _seeds(z, weights, components, seed)
        for _ in range(_ROUNDS):
            before = means
            means = _sums(z, weights, _nearest(z, means), means)[1]
            if np.array_equal(before, means):
                break
        owner = _nearest(z, means)
        count, means = _sums(z, weights, owner, means)
    else:
        owner = _nearest(z, means)
        count = _sums(z, weights, owner, means)[0]
    return Moments(count, means, _spread(z, weights, owner, means, shape), shape)


def _distances(z: NDArray[np.float64], means: NDArray[np.float64]) -> NDArray[np.float64]:
    squares = np.square(z).sum(axis=1)[:, np.newaxis] + np.square(means).sum(axis=1)
    return np.asarray(np.maximum(squares - 2 * z @ means.T, 0))


def _seeds(
    z: NDArray[np.float64], weights: NDArray[np.float64], components: int, seed: int
) -> NDArray[np.float64]:
    draw = uniforms(seed, START_MEANS)
    tries = 2 + int(np.log(components))
    edges = np.cumsum(weights)
    first = int(np.searchsorted(edges / edges[-1], draw(1)[0], side="right"))
    chosen, left = [first], _distances(z, z[first : first + 1])[:, 0]
    while len(chosen) < components:
        edges = np.cumsum(weights * left)
        if edges[-1] <= 0:  # fewer different rows than components
            edges = np.cumsum(weights)
        picks = np.searchsorted(edges / edges[-1], draw(tries), side="right")
        after = np.minimum(left[:, np.newaxis], _distances(z, z[picks]))
        best = int((weights @ after).argmin())
        chosen.append(int(picks[best]))
        left = after[:, best]
    return z[chosen]


def _nearest(z: NDArray[np.float64], means: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.concatenate(
        [_distances(z[i : i + 2048], means).argmin(axis=1) for i in range(0, len(z), 2048)]
    )


def _sums(
    z: NDArray[np.float64],
    weights: NDArray[np.float64],
    owner: NDArray[np.intp],
    means: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each cluster's weight and mean; an empty one stays where it is."""
    count: NDArray[np.float64] = np.bincount(owner, weights, len(means)).astype(np.float64)
    moved = np.stack([np.bincount(owner, weights * column, len(means)) for column in z.T], axis=1)
    held = np.maximum(count, 1e-300)[:, np.newaxis]
    return count, np.where(count[:, np.newaxis] > 0, moved / held, means)


def _spread(
    z: NDArray[np.float64],
    weights: NDArray[np.float64],
    owner: NDArray[np.intp],
    means: NDArray[np.float64],
    shape: Shape,
) -> NDArray[np.float64]:
    """Return the clusters' covariances; those of few rows lean on what all have in common."""
    width = z.shape[1]
    apart = z - means[owner]
    within = (apart * weights[:, np.newaxis]).T @ apart / weights.sum()
    if shape == "tied":
        return np.asarray(within)
    count = np.bincount(owner, weights, len(means))[:, np.newaxis]
    lean = width + 1.0  # rows' worth of the common covariance, so that none starts singular
    if shape == "diag":
        own = np.stack([np.bincount(owner, weights * c**2, len(means)) for c in apart.T], axis=1)
        return np.asarray((own + lean * np.diag(within)) / (count + lean))
    spread = np.empty((len(means), width, width))
    for k in range(len(means)):
        mine = owner == k
        spread[k] = (apart[mine] * weights[mine, np.newaxis]).T @ apart[mine]
        spread[k] = (spread[k] + lean * within) / (count[k, 0] + lean)
    return spread
