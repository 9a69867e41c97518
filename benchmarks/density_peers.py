"""Densities of synth and of its peers behind one call each; peers are imported inside the call."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Method

__all__ = ["kernel_methods", "mixture_methods"]

#: Passes over the data of every mixture.
ITERATIONS = 10
#: Least variance, or what scikit-learn adds to the diagonal.
RIDGE = 1e-6


def kernel_methods() -> list[Method]:
    """List what evaluates a Gaussian kernel density."""
    made = [
        Method(
            f"synth-{threads}t",
            f"{__name__}:synth_kernel",
            distributions=("numba",),
            threads=threads,
            compiles=True,
        )
        for threads in (1, 2)
    ]
    made.append(
        Method(
            "scipy",
            f"{__name__}:scipy_kernel",
            distributions=("scipy",),
            note="gaussian_kde.logpdf in parts of 1000 queries, which bound its memory",
        )
    )
    made += [
        Method(
            f"scikit-learn-{name}",
            f"{__name__}:scikit_kernel",
            {"rtol": rtol},
            ("scikit-learn",),
            ("scikit-learn",),
            note=f"KernelDensity with rtol={rtol:g}",
        )
        for name, rtol in (("exact", 0.0), ("1e-4", 1e-4))
    ]
    return made


def mixture_methods() -> list[Method]:
    """List what fits a Gaussian mixture."""
    made = []
    for threads in (1, 2):
        for kind in ("float64", "float32"):
            made.append(
                Method(
                    f"synth-{kind}-{threads}t",
                    f"{__name__}:synth_mixture",
                    {"dtype": kind},
                    distributions=("numba",),
                    threads=threads,
                    compiles=True,
                )
            )
            made.append(
                Method(
                    f"scikit-learn-{kind}-{threads}t",
                    f"{__name__}:scikit_mixture",
                    {"dtype": kind},
                    requirements=("scikit-learn",),
                    distributions=("scikit-learn",),
                    threads=threads,
                )
            )
    return sorted(made, key=lambda method: method.name, reverse=True)


def synth_kernel(
    x: NDArray[Any], q: NDArray[Any], bandwidth: NDArray[Any], *, seed: int
) -> NDArray[Any]:
    """Give log p(q) by synth."""
    import synth

    return synth.KernelDensity(float(bandwidth)).fit(x).log_prob(q)


def scipy_kernel(
    x: NDArray[Any], q: NDArray[Any], bandwidth: NDArray[Any], *, seed: int
) -> NDArray[Any]:
    """Give log p(q) by SciPy; its bandwidth is a factor of the data's covariance, which is 1."""
    from scipy.stats import gaussian_kde

    model = gaussian_kde(x.T, float(bandwidth))
    return np.concatenate([model.logpdf(q[i : i + 1000].T) for i in range(0, len(q), 1000)])


def scikit_kernel(
    x: NDArray[Any], q: NDArray[Any], bandwidth: NDArray[Any], *, rtol: float, seed: int
) -> NDArray[Any]:
    """Give log p(q) by scikit-learn."""
    from sklearn.neighbors import KernelDensity

    found = KernelDensity(bandwidth=float(bandwidth), rtol=rtol).fit(x).score_samples(q)
    return np.asarray(found)


def synth_mixture(x: NDArray[Any], means: NDArray[Any], *, dtype: str, seed: int) -> NDArray[Any]:
    """Give weights, means and covariances after `ITERATIONS` by synth, in one row."""
    import synth

    count = len(means)
    start = synth.GaussianMixture.of(np.ones(count), means, np.stack([np.cov(x.T)] * count))
    model = synth.GaussianMixture(
        count, init=start, max_iter=ITERATIONS, tol=0, ridge=RIDGE, dtype=dtype
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model.fit(x.astype(dtype, copy=False))
    return np.concatenate([model.weights, model.means.ravel(), model.covariances.ravel()])


def scikit_mixture(x: NDArray[Any], means: NDArray[Any], *, dtype: str, seed: int) -> NDArray[Any]:
    """Give weights, means and covariances after `ITERATIONS` by scikit-learn, in one row."""
    from sklearn.mixture import GaussianMixture

    count = len(means)
    precision = np.linalg.inv(np.cov(x.T)).astype(dtype)
    model = GaussianMixture(
        count,
        weights_init=np.full(count, 1 / count, dtype),
        means_init=means.astype(dtype),
        precisions_init=np.stack([precision] * count),
        init_params="random_from_data",
        max_iter=ITERATIONS,
        tol=0,
        reg_covar=RIDGE,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(x.astype(dtype, copy=False))
    found = [model.weights_, model.means_.ravel(), model.covariances_.ravel()]
    return np.concatenate([part.astype(np.float64) for part in found])
