"""What Gaussians allow in closed form: parts, what follows from values, densities, samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.density.blas import workers
from synth.density.expectation import Rows, joined
from synth.density.gaussians import Parts, frame_of, total_covariance
from synth.density.missing import has_gaps, log_prob_missing
from synth.rows import COMPONENTS, NOISE, normals, uniforms

__all__ = ["conditional", "drawn", "log_densities", "marginal"]


def marginal(parts: Parts, keep: list[int]) -> Parts:
    """Return the mixture of some columns."""
    spread = parts.covariances[..., keep]
    if parts.shape != "diag":
        spread = parts.covariances[..., keep, :][..., keep]
    means = np.ascontiguousarray(parts.means[:, keep])
    return Parts(parts.log_weights, means, np.ascontiguousarray(spread), parts.shape)


def conditional(parts: Parts, known: list[int], values: NDArray[np.float64]) -> Parts:
    """Return the mixture of the other columns where those known, (k,), have these values."""
    keep = [k for k in range(parts.means.shape[1]) if k not in known]
    below, rest = marginal(parts, known), marginal(parts, keep)
    full = below.full()
    apart = values - below.means
    solved = np.linalg.solve(full, apart[:, :, np.newaxis])
    log_weights = parts.log_weights - 0.5 * (apart * solved[:, :, 0]).sum(axis=1)
    log_weights = log_weights - 0.5 * np.linalg.slogdet(full)[1]
    log_weights = log_weights - np.logaddexp.reduce(log_weights)
    if parts.shape == "diag":
        return Parts(log_weights, rest.means, rest.covariances, "diag")
    across = parts.covariances[..., keep, :][..., known]
    means = rest.means + (across @ solved)[:, :, 0]
    lost = across @ np.linalg.solve(below.covariances, np.swapaxes(across, -1, -2))
    spread = rest.covariances - (lost + np.swapaxes(lost, -1, -2)) / 2
    return Parts(log_weights, means, spread, parts.shape)


def drawn(parts: Parts, count: int, seed: int) -> NDArray[np.float64]:
    """Draw rows, (count, d): a component, and noise of its covariance."""
    edges = np.cumsum(np.exp(parts.log_weights))
    picks = np.searchsorted(edges / edges[-1], uniforms(seed, COMPONENTS)(count), side="right")
    rows = normals(uniforms(seed, NOISE), count, parts.means.shape[1])
    if parts.shape == "diag":
        return np.asarray(parts.means[picks] + rows * np.sqrt(parts.covariances[picks]))
    for k, covariance in enumerate(parts.full()):
        own = picks == k
        rows[own] = rows[own] @ np.linalg.cholesky(covariance).T + parts.means[k]
    return rows


def log_densities(
    parts: Parts, queries: NDArray[Any], shares: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Return log p of each row, (m,), and write each component's share to ``shares``, (m, K).

    NaN stands for a missing value: the density is that of the others.
    """
    if has_gaps(Rows(queries)):
        return log_prob_missing(queries, parts, shares)
    kind = "diag" if parts.shape == "diag" else "full"
    frame = frame_of(*total_covariance(parts), kind)
    with workers() as run:
        return joined(run, Rows(queries), frame, frame.enter(parts), shares)
