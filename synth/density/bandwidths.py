"""How wide the kernels are: rules that follow the scale of the data."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synth.arguments import numbers_of, shown
from synth.errors import InputError
from synth.rows import FAR, check_spread

__all__ = ["Rule", "covariance_of", "improved_sheather_jones", "settle"]

Rule = Literal["scott", "silverman", "isj", "loo"]
RULES = ("scott", "silverman", "isj", "loo")


def settle(
    bandwidth: Rule | ArrayLike,
    x: NDArray[np.float64],
    weights: NDArray[np.float64],
    aligned: bool,
    left_out: Callable[[NDArray[np.float64]], float],
) -> NDArray[np.float64]:
    """Return the covariance of the kernel, (d, d).

    Parameters
    ----------
    bandwidth : rule, number, (d,) or (d, d)
        Standard deviations, or the covariance itself.
    x : (n, d), weights : (n,)
    aligned : bool
        Whether a rule must keep to the axes, as bounds and periods need it.
    left_out : callable
        The leave-one-out log-likelihood of a covariance, for "loo".
    """
    count, width = x.shape
    if isinstance(bandwidth, str):
        if bandwidth not in RULES:
            raise InputError(
                f"bandwidth is {shown(bandwidth)}, but the rules are {', '.join(RULES)}"
            )
        if count < 2:
            raise InputError(
                f"the rule {bandwidth!r} needs at least 2 rows, but there is {count}; "
                "give the bandwidth as a number"
            )
        if bandwidth == "isj":
            found = [
                improved_sheather_jones(x[:, k], weights, f"column {k}") for k in range(width)
            ]
            return np.diag(np.square(found))
        covariance = covariance_of(x, weights)
        if aligned:
            covariance = np.diag(np.diag(covariance))
        effective = weights.sum() ** 2 / np.square(weights).sum()
        if bandwidth == "silverman":
            return np.asarray(covariance * (effective * (width + 2) / 4) ** (-2 / (width + 4)))
        scott = covariance * effective ** (-2 / (width + 4))
        return scott if bandwidth == "scott" else _left_out(scott, left_out)
    value = numbers_of(bandwidth, "bandwidth")
    if value.dtype == bool or not np.isfinite(value).all():
        raise InputError(f"bandwidth is {shown(bandwidth)}, but finite numbers are needed")
    value = value.astype(np.float64)
    if value.ndim == 2:
        return _checked(value, width)
    if value.shape not in ((), (width,)):
        raise InputError(
            f"bandwidth has shape {value.shape}, but one number, ({width},) or ({width}, {width}) "
            "is needed"
        )
    if (value <= 0).any():
        raise InputError(
            f"bandwidth is {shown(bandwidth)}, but it must be above 0; for 0, synth.Empirical"
        )
    if not (value.min() > 1 / FAR and value.max() < FAR):
        raise InputError(
            f"bandwidth is {shown(bandwidth)}, but it must lie in {1 / FAR:g} … {FAR:g}; give the "
            "columns in another unit"
        )
    return np.diag(np.broadcast_to(np.square(value), (width,)))


def _checked(value: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    if value.shape != (width, width) or not np.allclose(value, value.T):
        raise InputError(
            f"bandwidth has shape {value.shape}, but a covariance must be symmetric and "
            f"({width}, {width})"
        )
    if np.linalg.eigvalsh(value)[0] <= 0:
        raise InputError("bandwidth is a covariance that is not positive definite")
    return value


def covariance_of(x: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted covariance; an error names the column that makes it singular."""
    center = np.average(x, axis=0, weights=weights)
    apart = x - center
    share = weights / weights.sum()
    unbiased = float((share * (1 - share)).sum())
    if unbiased < 1e-9:
        raise InputError(
            "one row has all the weight, so the scale of the data is unknown; give the bandwidth "
            "as numbers"
        )
    covariance = (apart * share[:, np.newaxis]).T @ apart / unbiased
    size = np.diag(covariance)
    flat = np.flatnonzero(size <= 1e-24 * np.maximum(np.square(center), 1e-300))
    if len(flat):
        mend = "leave it out, or give the bandwidth as numbers"
        check_spread(x[:, flat[0]], f"column {flat[0]}", mend, always=True)
    scale = np.sqrt(size)
    values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    if values[0] < 1e-12:
        column = int(np.abs(vectors[:, 0]).argmax())
        raise InputError(
            f"column {column} is a combination of others, so the covariance is singular; leave "
            "it out, or give one bandwidth a column"
        )
    return np.asarray(covariance)


def _left_out(
    scott: NDArray[np.float64], score: Callable[[NDArray[np.float64]], float]
) -> NDArray[np.float64]:
    """Scale Scott's covariance to the highest leave-one-out likelihood (Duin 1976).

    Where rows repeat there is none: it grows without end as the kernels narrow.
    """
    from scipy.optimize import minimize_scalar

    def loss(log_scale: float) -> float:
        return -score(scott * math.exp(2 * log_scale))

    grid = np.linspace(math.log(0.02), math.log(4), 12)
    losses = [loss(at) for at in grid]
    best = int(np.argmin(losses))
    around = (grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)])
    found: Any = minimize_scalar(loss, bounds=around, method="bounded", options={"xatol": 1e-3})
    if found.x < grid[0] + 0.01:
        warnings.warn(
            "the leave-one-out likelihood is highest at the narrowest bandwidth that was tried, "
            f"{math.exp(found.x):.2g} of Scott's: the data repeat, or are far more clustered than "
            "one Gaussian; check it, or take 'isj' or a number",
            UserWarning,
            stacklevel=4,
        )
    return scott * math.exp(2 * found.x)


def improved_sheather_jones(
    x: NDArray[np.float64], weights: NDArray[np.float64], name: str
) -> float:
    """Return the plug-in bandwidth of Botev, Grotowski & Kroese 2010, section 5, for one column.

    Unlike Scott's and Silverman's rules it does not take the data for one Gaussian: several
    separate peaks stay apart.
    """
    from scipy.fft import dct
    from scipy.optimize import brentq

    check_spread(x, name, "leave it out, or give a bandwidth")
    low, high = x.min(), x.max()
    margin = (high - low) / 2
    low, width = low - margin, (high - low) + 2 * margin
    cells = 1 << 12
    places = np.minimum(((x - low) / width * cells).astype(np.int64), cells - 1)
    share = np.bincount(places, weights, cells) / weights.sum()
    squares = np.arange(1, cells, dtype=np.float64) ** 2
    energy = (dct(share)[1:] / 2) ** 2
    different = len(np.unique(x))
    count = min(different, weights.sum() ** 2 / np.square(weights).sum())

    def roughness(order: int, time: float) -> float:
        terms = squares**order * energy * np.exp(-squares * np.pi**2 * time)
        return float(2 * np.pi ** (2 * order) * terms.sum())

    def apart(time: float) -> float:
        rough = roughness(7, time)
        for order in range(6, 1, -1):
            odd = float(np.prod(np.arange(1, 2 * order, 2))) / math.sqrt(2 * math.pi)
            if rough <= 0:  # too few different values to tell
                return math.nan
            factor = (1 + 0.5 ** (order + 0.5)) / 3
            rough = roughness(order, (2 * factor * odd / (count * rough)) ** (2 / (3 + 2 * order)))
        return time - float((2 * count * math.sqrt(math.pi) * max(rough, 1e-300)) ** -0.4)

    steps = np.geomspace(1e-9, 0.1, 60)
    values = [apart(step) for step in steps]
    for before, after, one, other in zip(
        steps[:-1], steps[1:], values[:-1], values[1:], strict=True
    ):
        if one < 0 <= other:
            return float(math.sqrt(brentq(apart, before, after)) * width)
    raise InputError(
        f"{name}: the improved Sheather-Jones rule has no solution for these {len(x)} rows; "
        "use 'silverman' or 'loo'"
    )
