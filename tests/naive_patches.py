"""The obvious slow twin of patch priors: one patch after the other, in float64."""

from __future__ import annotations

import numpy as np
from scipy.fft import dctn, idctn
from scipy.stats import multivariate_normal


def coefficients(patch):
    """Return the cosine coefficients of a patch but the first, which is its mean."""
    return dctn(patch, norm="ortho").ravel()[1:]


def clean_patch(patch, weights, covariances, variance):
    """Return the most probable patch for one with noise of this variance."""
    z, width = coefficients(patch), patch.size - 1
    noisy = [c + variance * np.eye(width) for c in covariances]
    scores = [
        np.log(w) + multivariate_normal(np.zeros(width), n).logpdf(z)
        for w, n in zip(weights, noisy, strict=True)
    ]
    k = int(np.argmax(scores))
    clean = covariances[k] @ np.linalg.solve(noisy[k], z)
    return idctn(np.r_[0, clean].reshape(patch.shape), norm="ortho") + patch.mean()


def mean_answer(plane, corners, side, weights, covariances, variance):
    """Return the sum over patches of what each says of a pixel, and how many say it."""
    sums, counts = np.zeros(plane.shape), np.zeros(plane.shape)
    for i, j in corners:
        at = np.s_[i : i + side, j : j + side]
        sums[at] += clean_patch(plane[at], weights, covariances, variance)
        counts[at] += 1
    return sums, counts


def denoise(plane, sigma, side, weights, covariances):
    """Return a grey picture without noise, all patches at each step."""
    rows, columns = (size - side + 1 for size in plane.shape)
    corners = [(i, j) for i in range(rows) for j in range(columns)]
    now = plane
    for beta in (1, 4, 8, 16, 32):
        sums, counts = mean_answer(now, corners, side, weights, covariances, sigma**2 / beta)
        now = (plane + beta * sums / counts) / (1 + beta)
    return now


def log_prob(plane, side, weights, covariances):
    """Return the mean log-density of patches without their mean."""
    rows, columns = (size - side + 1 for size in plane.shape)
    logs = []
    for i in range(rows):
        for j in range(columns):
            z = coefficients(plane[i : i + side, j : j + side])
            each = [
                w * multivariate_normal(np.zeros(len(z)), c).pdf(z)
                for w, c in zip(weights, covariances, strict=True)
            ]
            logs.append(np.log(sum(each)))
    return np.mean(logs)
