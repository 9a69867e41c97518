"""Densities of synth and of its peers behind one call each; peers are imported inside the call."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Method

__all__ = ["CHECKED", "kernel_methods", "mixture_methods"]

#: Queries whose exact answer is worked out, half of them in the tails; every method answers these.
CHECKED = 200

#: Passes over the data of every mixture.
ITERATIONS = 10
#: Least variance, or what scikit-learn adds to the diagonal.
RIDGE = 1e-6
#: Points of KDEpy's grid along each column, by the number of columns.
GRID = {1: 2**14, 2: 2**10}
#: Queries and rows in one tile of PyTorch's: 4 MB of distances.
TILE = (256, 2048)


def kernel_methods() -> list[Method]:
    """List what evaluates a Gaussian kernel density.

    The slow ones answer only the first queries, as many as make ``pairs`` of a row and a query.
    """
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
            {"pairs": 2e8},
            distributions=("scipy",),
            note="gaussian_kde.logpdf in parts of 1000 queries, which bound its memory",
        )
    )
    made += [
        Method(
            f"scikit-learn-{name}",
            f"{__name__}:scikit_kernel",
            {"rtol": rtol, "pairs": 1e8},
            ("scikit-learn",),
            ("scikit-learn",),
            note=f"KernelDensity with rtol={rtol:g}",
        )
        for name, rtol in (("exact", 0.0), ("1e-4", 1e-4))
    ]
    made += [
        _peer(
            "kdepy-fft",
            {},
            ("KDEpy",),
            note="FFTKDE on "
            + " and ".join(f"{points} points" for points in GRID.values())
            + " a column (for one and for two), cubic or linear interpolation of the density",
        ),
        _peer(
            "kdepy-naive",
            {"pairs": 1e9},
            ("KDEpy",),
            note="NaiveKDE, KDEpy's direct sum; it loops over the rows, so the proportion "
            "overstates its seconds for all where queries have one column",
        ),
        _peer("kern-kde-2t", {"pairs": 5e8}, ("kern-kde",)),
        _peer(
            "kern-kde-approx-2t",
            {"pairs": 5e8},
            ("kern-kde",),
            note="ApproximateKernelDensity: kernels end four bandwidths out; for one column",
        ),
        _peer("statsmodels", {"pairs": 1e8}, ("statsmodels",), note="KDEMultivariate.pdf"),
        *(
            _peer(
                f"torch-{threads}t",
                {"pairs": 5e8},
                ("torch==2.13.0", "numpy"),
                note=f"float64, products by addmm, logsumexp in tiles of {TILE[0]} queries × "
                f"{TILE[1]} rows",
            )
            for threads in (1, 2)
        ),
        _peer(
            "pykeops-2t",
            {"pairs": 5e8},
            ("pykeops",),
            note="LazyTensor.logsumexp in float64",
        ),
    ]
    return made


def _peer(
    name: str, options: dict[str, Any], requirements: tuple[str, ...], **rest: Any
) -> Method:
    """Describe one kernel density whose adapter is called as it is."""
    plain = name.removesuffix("-1t").removesuffix("-2t")
    return Method(
        name,
        f"{__name__}:{plain.replace('-', '_')}",
        options,
        requirements,
        (requirements[0].partition("==")[0],),
        threads=2 if name.endswith("-2t") else 1,
        **rest,
    )


def mixture_methods() -> list[Method]:
    """List what fits a Gaussian mixture."""
    made = []
    for kind in ("float64", "float32"):
        for threads in (1, 2):
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
    made += [
        Method(
            f"gmmx-float32-{threads}t",
            f"{__name__}:gmmx_mixture",
            requirements=("gmmx",),
            distributions=("gmmx", "jax"),
            threads=threads,
            warm_up="inputs",
            timeout=120,
            note="takes no float64; warmed up with the whole problem, as JAX compiles for every "
            "shape; stopped after 120 s, as XLA's threads can wait for each other for ever",
        )
        for threads in (1, 2)
    ]
    return sorted(made, key=lambda method: method.name, reverse=True)


def _first(x: NDArray[Any], q: NDArray[Any], pairs: float) -> NDArray[Any]:
    """Give the first queries, as many as make ``pairs`` with the rows, and never too few."""
    return q[: max(CHECKED, int(pairs / len(x)))]


def _log(density: NDArray[Any]) -> NDArray[Any]:
    """Give the logarithm; a density of nothing, or less, is minus infinity."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.maximum(density, 0)))


def synth_kernel(
    x: NDArray[Any], q: NDArray[Any], bandwidth: NDArray[Any], *, seed: int
) -> NDArray[Any]:
    """Give log p(q) by synth."""
    import synth

    return synth.KernelDensity(float(bandwidth)).fit(x).log_prob(q)


def scipy_kernel(
    x: NDArray[Any], q: NDArray[Any], bandwidth: NDArray[Any], *, pairs: float, seed: int
) -> NDArray[Any]:
    """Give log p(q) by SciPy; its bandwidth is a factor of the data's covariance, which is 1."""
    from scipy.stats import gaussian_kde

    q = _first(x, q, pairs)
    model = gaussian_kde(x.T, float(bandwidth))
    return np.concatenate([model.logpdf(q[i : i + 1000].T) for i in range(0, len(q), 1000)])


def scikit_kernel(
    x: NDArray[Any],
    q: NDArray[Any],
    bandwidth: NDArray[Any],
    *,
    rtol: float,
    pairs: float,
    seed: int,
) -> NDArray[Any]:
    """Give log p(q) by scikit-learn."""
    from sklearn.neighbors import KernelDensity

    model = KernelDensity(bandwidth=float(bandwidth), rtol=rtol).fit(x)
    return np.asarray(model.score_samples(_first(x, q, pairs)))


def kdepy_fft(
    x: NDArray[Any], q: NDArray[Any], bandwidth: NDArray[Any], *, seed: int
) -> NDArray[Any]:
    """Give log p(q) by KDEpy's fast mode: a convolution on a grid, interpolated."""
    from KDEpy import FFTKDE
    from scipy.interpolate import RegularGridInterpolator

    width = x.shape[1]
    if width not in GRID:
        raise ValueError(f"a grid over {width} columns has too many points")
    grid, density = FFTKDE(bw=float(bandwidth)).fit(x).evaluate((GRID[width],) * width)
    axes = [np.unique(column) for column in grid.reshape(len(density), width).T]
    between = RegularGridInterpolator(
        axes,
        density.reshape((GRID[width],) * width),
        method="cubic" if width == 1 else "linear",
        bounds_error=False,
        fill_value=0,
    )
    return _log(between(q))


def kdepy_naive(
    x: NDArray[Any], q: NDArray[Any], bandwidth: NDArray[Any], *, pairs: float, seed: int
) -> NDArray[Any]:
    """Give log p(q) by KDEpy's direct sum."""
    from KDEpy import NaiveKDE

    return _log(NaiveKDE(bw=float(bandwidth)).fit(x).evaluate(_first(x, q, pairs)))


def kern_kde(
    x: NDArray[Any], q: NDArray[Any], bandwidth: NDArray[Any], *, pairs: float, seed: int
) -> NDArray[Any]:
    """Give log p(q) by kern-kde; one column has a class of its own."""
    import kern

    q = _first(x, q, pairs)
    if x.shape[1] == 1:
        model = kern.KernelDensity(float(bandwidth)).fit(x[:, 0])
        return np.asarray(model.score_samples(q[:, 0]))
    model = kern.MultivariateKernelDensity(float(bandwidth)).fit(x)
    return np.asarray(model.score_samples(q))


def kern_kde_approx(
    x: NDArray[Any], q: NDArray[Any], bandwidth: NDArray[Any], *, pairs: float, seed: int
) -> NDArray[Any]:
    """Give log p(q) by kern-kde's approximation."""
    import kern

    if x.shape[1] > 1:
        raise ValueError("kern-kde approximates one column only")
    model = kern.ApproximateKernelDensity(float(bandwidth)).fit(x[:, 0])
    return np.asarray(model.score_samples(_first(x, q, pairs)[:, 0]))


def statsmodels(
    x: NDArray[Any], q: NDArray[Any], bandwidth: NDArray[Any], *, pairs: float, seed: int
) -> NDArray[Any]:
    """Give log p(q) by statsmodels."""
    from statsmodels.nonparametric.kernel_density import KDEMultivariate

    width = x.shape[1]
    model = KDEMultivariate(x, "c" * width, [float(bandwidth)] * width)
    return _log(model.pdf(_first(x, q, pairs)))


def torch(
    x: NDArray[Any], q: NDArray[Any], bandwidth: NDArray[Any], *, pairs: float, seed: int
) -> NDArray[Any]:
    """Give log p(q) by PyTorch, tile by tile, which bounds its memory."""
    import torch

    rows = torch.from_numpy(x / bandwidth)
    queries = torch.from_numpy(_first(x, q, pairs) / bandwidth)
    sizes = rows.square().sum(dim=1).mul(-0.5)
    found = []
    for part in queries.split(TILE[0]):
        tiles = [
            torch.logsumexp(torch.addmm(size, part, tile.T), dim=1)
            for tile, size in zip(rows.split(TILE[1]), sizes.split(TILE[1]), strict=True)
        ]
        sums = torch.logsumexp(torch.stack(tiles), dim=0)
        found.append(sums - part.square().sum(dim=1).mul(0.5))
    return np.asarray(torch.cat(found).numpy()) - _constant(x, bandwidth)


def pykeops(
    x: NDArray[Any], q: NDArray[Any], bandwidth: NDArray[Any], *, pairs: float, seed: int
) -> NDArray[Any]:
    """Give log p(q) by KeOps, which writes C++ for each number of columns and compiles it."""
    from pykeops.numpy import LazyTensor

    queries = LazyTensor((_first(x, q, pairs) / bandwidth)[:, None, :])
    rows = LazyTensor((x / bandwidth)[None, :, :])
    exponent = -((queries - rows) ** 2).sum(-1) / 2
    return np.asarray(exponent.logsumexp(axis=1)).ravel() - _constant(x, bandwidth)


def _constant(x: NDArray[Any], bandwidth: NDArray[Any]) -> float:
    """Give the logarithm of what a sum of exponentials is to be divided by."""
    count, width = x.shape
    return float(np.log(count) + width * np.log(bandwidth * np.sqrt(2 * np.pi)))


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


def gmmx_mixture(x: NDArray[Any], means: NDArray[Any], *, seed: int) -> NDArray[Any]:
    """Give weights, means and covariances after `ITERATIONS` by gmmx, in one row."""
    if hasattr(os, "sched_setaffinity"):  # XLA has no setting for it: a thread a core it may use
        threads = int(os.environ["OMP_NUM_THREADS"])
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    import jax
    from gmmx import EMFitter, GaussianMixtureModelJax

    count = len(means)
    start = GaussianMixtureModelJax.from_squeezed(
        means=means.astype(np.float32),
        covariances=np.stack([np.cov(x.T)] * count).astype(np.float32),
        weights=np.full(count, 1 / count, np.float32),
    )
    fitter = EMFitter(max_iter=ITERATIONS, tol=0, reg_covar=RIDGE)
    model = fitter.fit(jax.numpy.asarray(x.astype(np.float32)), start).gmm
    found = [
        model.weights_numpy,
        model.means_numpy.ravel(),
        model.covariances.values_numpy.ravel(),
    ]
    return np.concatenate([part.astype(np.float64) for part in found])
