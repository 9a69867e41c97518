"""`synth.KernelDensity`: the data's delta functions, made smooth."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from synth.arguments import check_choice, check_flag, check_float_type, check_number, shown
from synth.density import bandwidths
from synth.density.bandwidths import Rule
from synth.density.conditioning import Kernels, condition, regress, shares
from synth.density.edges import Edges, check_edges
from synth.density.kernel_merge import check_alike
from synth.density.leave_one_out import left_out
from synth.density.one_dimension import cumulative, invert
from synth.density.shapes import Kernel, Shape, shape_of
from synth.density.slopes import clean, pulls
from synth.density.smoothing import Smoothing
from synth.density.sums import Method, Way
from synth.devices import Device, choose_device
from synth.errors import InputError, InputTypeError
from synth.rows import (
    COMPONENTS,
    FAR,
    NOISE,
    RADII,
    check_columns,
    check_count,
    check_known,
    check_rows,
    check_weights,
    normals,
    uniforms,
)

__all__ = ["KernelDensity"]


class KernelDensity:
    """A kernel on each row of data: p(q) = Σ wᵢ K(q − xᵢ) / Σ wᵢ, with K of covariance H.

    Parameters
    ----------
    bandwidth : rule, float, (d,) or (d, d) array_like
        "scott" and "silverman" scale the data's covariance (Scott 2015, section 6.3); "isj" finds
        each column's width from its own roughness (Botev 2010); "loo" maximises the leave-one-out
        likelihood, bounds and periods included, in 0.02 … 4 of Scott's: it warns at the
        lower end, where repeated data have no highest. Numbers are standard deviations, in the
        units of the columns; a matrix is the kernel's covariance. Larger is smoother. The rules
        are those for Gaussians.
    kernel : {"gaussian", "epanechnikov", "tophat", "triangular", "exponential"}
        Its shape, round in the metric of H. All have the covariance H: a top hat ends √(d + 2)
        bandwidths away, Epanechnikov's 1 − r² at √(d + 4), a triangle 1 − r at
        √((d + 2)(d + 3) / (d + 1)), and an exponential falls by e in 1 / √(d + 1).
    bounds : mapping of column to (low, high), optional
        Where a column ends; one side may be infinite. The kernels are mirrored there.
    period : mapping of column to (low, high), optional
        Columns that begin again at ``high``, such as angles.
    adaptive : bool
        Narrower kernels where the data are dense, wider where they are sparse (Abramson 1982).
    rtol : float
        Relative error of the density that "boxes" and "tree" may make, 1e-13 to 0.1. Larger is
        faster.
    method : {"auto", "direct", "boxes", "tree"}
        How kernels are added up. All are right everywhere, in the tails as well.

        "direct" adds up every kernel at every query, O(n m d), but passes over those below 2⁻⁸⁰
        of the largest. "boxes" is a fast Gauss transform for Gaussian kernels of one width, by
        series over one or two columns (Greengard & Strain 1991) and by shares of nodes over three
        (Greengard & Lee 2004): O(n + m) and a grid over the data, of at most 128 MiB; queries for
        which it cannot promise ``rtol``, in the tails, go to the tree. "tree" is a kd-tree
        with bounds on what is left out (Gray & Moore 2003): O(n log n) once for a model, then
        what lies within about √(2 log(n / rtol)) bandwidths of a query; a query beyond the data
        sees few rows. Kernels that end have nothing to leave out.

        "auto" takes boxes from 2e6 pairs on where it may, over three columns only where 32 of
        the queries show that a tree would take longer. Else it asks a tree for these 32, and goes
        on with it up to 15 columns where it looks at less than about half of the rows. Kernels
        that end always have a tree.
    dtype : numpy.float32, numpy.float64 or None
        Of direct sums; None is float64. float32 is faster, and `log_prob` is off by less than
        4e-6 · (1 + max(r, s)²): r is the distance from the nearest row, s that of the farthest
        row from the middle, in bandwidths. Adaptive kernels, kernels that end, boxes and trees
        stay float64.
    device : {"auto", "cpu", "cuda"}

    Attributes
    ----------
    points : (n, d) ndarray
        The data, without rows of no weight.
    weights : (n,) ndarray
        Adds up to 1.
    covariance : (d, d) ndarray
        Of the kernel.

    Notes
    -----
    Sums are kept relative to their largest term, so `log_prob` is right where every kernel
    underflows. As the bandwidth goes to 0 the density becomes `Empirical`.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(500, 2))
    >>> model = KernelDensity().fit(x)
    >>> model.log_prob([[0.0, 0.0], [300.0, 0.0]]).astype(int)
    array([     -1, -361178])
    >>> model.given({0: 1.0}).sample(3).shape
    (3, 1)
    """

    def __init__(
        self,
        bandwidth: Rule | ArrayLike = "scott",
        *,
        kernel: Kernel = "gaussian",
        bounds: Mapping[int, tuple[float, float]] | None = None,
        period: Mapping[int, tuple[float, float]] | None = None,
        adaptive: bool = False,
        rtol: float = 1e-9,
        method: Method = "auto",
        dtype: DTypeLike | None = None,
        device: Device = "auto",
    ) -> None:
        self._derived = False
        self._shape = shape_of(kernel, 1)
        check_float_type(dtype)
        check_choice(method, "method", get_args(Method))
        check_number(rtol, "rtol", 1e-13, 0.1)
        check_flag(adaptive, "adaptive")
        choose_device(device)
        self.bandwidth, self.bounds, self.period = bandwidth, bounds, period
        self.adaptive, self.rtol, self.method = bool(adaptive), rtol, method
        self.kernel, self.dtype = kernel, dtype
        self._edges = Edges()
        self._precision: NDArray[np.float64] | None = None
        self._width = 0

    def fit(self, x: ArrayLike, weights: ArrayLike | None = None) -> KernelDensity:
        """Put a kernel on each row; returns the same object.

        Parameters
        ----------
        x : (n, d) array_like, or (n,) for one column
        weights : (n,) array_like, optional
            How much each row counts; rules see (Σw)² / Σw² rows.

        Raises
        ------
        InputError
            NaN, no rows, a column of unknown scale, rows outside the bounds.
        """
        rows = check_rows(x, "x")
        given = np.ones(len(rows)) if weights is None else check_weights(weights, len(rows))
        edges = check_edges(self.bounds, self.period, rows)
        rows, given = edges.inside(rows)[given > 0], given[given > 0]
        line, aligned = edges.unwrapped(rows, given), bool(edges)
        covariance = bandwidths.settle(
            self.bandwidth, line, given, aligned, lambda c: left_out(rows, given, c, edges)
        )
        if edges and np.any(covariance != np.diag(np.diag(covariance))):
            raise InputError(
                "bounds and period need a kernel along the axes; give one bandwidth a column"
            )
        shape, logs = shape_of(self.kernel, rows.shape[1]), shares(np.log(given))
        smooth = Smoothing(rows, logs, covariance, None, shape, edges)
        if not np.abs(smooth.kernels.points).max() < FAR:
            raise InputError(
                f"x reaches out to {np.abs(rows).max():g}, too many bandwidths for their squares; "
                "take a wider bandwidth"
            )
        if self.adaptive:
            pilot = smooth.log_prob(rows, self._way())
            precision = np.exp(np.clip(pilot - np.exp(logs) @ pilot, -20, 20))
            smooth = replace(smooth, precision=precision)
        self._set(smooth, given)
        return self

    def _set(
        self, smooth: Smoothing, raw: NDArray[np.float64] | None = None, derived: bool = False
    ) -> None:
        """Take the whole of a model at once, so that what fails before leaves the old one."""
        self.points, self._log_weights = smooth.points, smooth.log_weights
        self.covariance, self._precision = smooth.covariance, smooth.precision
        self._width, self._shape = smooth.points.shape[1], smooth.shape
        self._edges, self._smoothing, self._derived = smooth.edges, smooth, derived
        self._raw = self.weights if raw is None else raw

    @property
    def weights(self) -> NDArray[np.float64]:
        """The weights, which add up to 1."""
        return np.asarray(np.exp(self._log_weights))

    def _fitted(self) -> int:
        if not self._width:
            raise InputError("the model has no rows yet; call fit(x) first")
        return self._width

    def update(self, x: ArrayLike, weights: ArrayLike | None = None) -> KernelDensity:
        """Add rows, as if they had been there at the fit; a rule finds its bandwidth again.

        Kernels that `given` cut take no more rows, nor do marginals of adaptive kernels or of
        kernels on a ball: update the whole density, and ask it again.
        """
        rows = check_rows(x, "x", self._fitted())
        self._whole()
        given = np.ones(len(rows)) if weights is None else check_weights(weights, len(rows))
        return self.fit(np.vstack([self.points, rows]), np.concatenate([self._raw, given]))

    def merge(self, other: KernelDensity) -> KernelDensity:
        """Add another density's rows, of kernels as these; the same as one fit of both."""
        if not isinstance(other, KernelDensity):
            raise InputTypeError(f"other is {shown(other)}, but a KernelDensity is needed")
        if other._fitted() != self._fitted():
            raise InputError(f"other has {other._width} columns, but this has {self._width}")
        other._whole()
        check_alike(self, other)
        return self.update(other.points, other._raw)

    def _whole(self) -> None:
        if self._derived:
            raise InputError(
                "these kernels are what given() or marginal() left of others, so no rows can be "
                "added to them; update the whole density and ask it again"
            )

    def log_prob(self, q: ArrayLike) -> NDArray[np.float64]:
        """Return log p(q) of each row, (m,), in nats; −∞ beyond the bounds."""
        queries = check_rows(q, "q", self._fitted())
        return self._smoothing.log_prob(queries, self._way())

    def score(self, q: ArrayLike) -> float:
        """Return the mean of `log_prob`: the higher on held-out rows, the better the model."""
        return float(self.log_prob(q).mean())

    def _way(self) -> Way:
        single = self.dtype is not None and np.dtype(self.dtype) == np.float32
        return Way(self.method, self.rtol, single)

    def sample(self, n: int, *, seed: int = 0) -> NDArray[np.float64]:
        """Draw n rows, (n, d): a row of the data, and noise of its kernel."""
        count, width = check_count(n), self._fitted()
        edges = np.cumsum(self.weights)
        picks = np.searchsorted(edges / edges[-1], uniforms(seed, COMPONENTS)(count), side="right")
        noise = normals(uniforms(seed, NOISE), count, width)
        if self.kernel != "gaussian":
            radii = self._shape.radii(uniforms(seed, RADII)(count))
            noise *= (radii / np.linalg.norm(noise, axis=1))[:, np.newaxis]
        return self._smoothing.moved(picks, noise)

    def mean(self) -> NDArray[np.float64]:
        """Return the expectation, (d,); without bounds and periods only."""
        self._fitted()
        self._plain("mean")
        return np.asarray(self.weights @ self.points)

    def cdf(self, q: ArrayLike) -> NDArray[np.float64]:
        """Return P(x <= q) of each q, (m,); one column only. A period is counted from its low."""
        queries = check_rows(q, "q", self._one("cdf"))[:, 0]
        return cumulative(queries, *self._smoothing.line(), self._shape, self._edges)

    def quantile(self, probability: ArrayLike) -> NDArray[np.float64]:
        """Return the x with P(x' <= x) of each probability in (0, 1); one column only."""
        self._one("quantile")
        return invert(probability, *self._smoothing.line(), self._shape, self._edges)

    def _one(self, verb: str) -> int:
        if self._fitted() != 1:
            raise InputError(
                f"{verb} is for one column, but there are {self._width}; take marginal(column)"
            )
        return 1

    def _plain(self, verb: str) -> None:
        if self._edges:
            raise InputError(f"{verb} is not to be had with bounds or a period; fit without them")

    def marginal(self, columns: int | list[int]) -> KernelDensity:
        """Return the density of some columns alone, in their order."""
        keep = check_columns(columns, self._fitted())
        shape = self._shape.marginal(len(keep))
        kernels = Kernels(self.points[:, keep], self._log_weights, self._precision)
        part = self._part(keep, kernels, self.covariance[np.ix_(keep, keep)], shape)
        plain = self._precision is None and self.kernel == "gaussian"
        part._raw, part._derived = self._raw, self._derived or not plain
        return part

    def given(self, values: Mapping[int, float]) -> KernelDensity:
        """Return the density of the other columns where some are known.

        Each kernel counts by its height at the known values, and moves as its own correlation
        says: with one bandwidth a column this is Nadaraya & Watson's weighting.

        Parameters
        ----------
        values : mapping of column to value
        """
        width = self._fitted()
        known, value, keep = check_known(values, width)
        shape = self._shape.given(len(known))
        points, rest = regress(self.points, self.covariance, keep, known, value)
        squares = self.marginal(known)._smoothing.squares(value)
        held = Kernels(points, self._log_weights, self._precision)
        found = condition(held, squares, len(known), self._shape) if squares else None
        if found is None or not len(found.points):
            raise InputError(
                f"no kernel reaches the known values {dict(values)}; they lie outside the bounds, "
                "or the bandwidth is too small"
            )
        part = self._part(keep, found, rest, shape)
        part._derived = True
        return part

    def _part(
        self, keep: list[int], kernels: Kernels, covariance: NDArray[np.float64], shape: Shape
    ) -> KernelDensity:
        edges = self._edges.of(keep)
        part = KernelDensity(
            covariance,
            kernel=self.kernel,
            bounds=edges.bounds,
            period=edges.period,
            rtol=self.rtol,
            method="auto" if self.method == "boxes" else self.method,
            dtype=self.dtype,
        )
        points, logs = np.ascontiguousarray(kernels.points), shares(kernels.log_weights)
        part._set(Smoothing(points, logs, covariance, kernels.precision, shape, edges))
        return part

    def gradient(self, q: ArrayLike) -> NDArray[np.float64]:
        """Return ∇ log p at each row, (m, d): the score function, towards the data.

        Where a tree adds up, it is off by ``rtol`` of the data's extent in bandwidths at most.
        """
        queries = check_rows(q, "q", self._fitted())
        self._plain("gradient")
        if self.kernel != "gaussian":
            raise InputError(f"gradient is for Gaussian kernels, but kernel is {self.kernel!r}")
        smooth = self._smoothing
        pull = pulls(smooth.kernels, smooth.whiten(queries), self._way())
        return np.asarray(np.linalg.solve(smooth.root.T, pull.T).T)

    def denoise(self, x: ArrayLike, sigma: float) -> NDArray[np.float64]:
        """Return E[clean | x] for rows with Gaussian noise of ``sigma``, (m, d).

        The closed form over the data themselves: Σ wᵢ N(x; xᵢ, σ²) xᵢ / Σ wᵢ N(x; xᵢ, σ²), which
        is what a diffusion model that had learned its training data perfectly would answer.
        """
        queries = check_rows(x, "x", self._fitted())
        check_number(sigma, "sigma", 0, above=True)
        center = self._smoothing.center
        rows = (self.points - center, self._log_weights, queries - center)
        return center + clean(*rows, sigma, self._way())

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        columns: Sequence[str] | None = None,
        overwrite: bool = False,
    ) -> None:
        """Write the model, and names of its columns, as NumPy's npz; `load` reads it."""
        from synth.density.archive import write

        write(
            path,
            "kernel density",
            overwrite,
            columns,
            self._fitted(),
            points=self.points,
            log_weights=self._log_weights,
            raw=self._raw,
            covariance=self.covariance,
            precision=np.ones(0) if self._precision is None else self._precision,
            bounds=np.array([(k, *v) for k, v in self._edges.bounds.items()]).reshape(-1, 3),
            period=np.array([(k, *v) for k, v in self._edges.period.items()]).reshape(-1, 3),
            rtol=np.array(self.rtol),
            kernel=np.array(self.kernel),
            power=np.array(self._shape.power),
            derived=np.array(self._derived),
            method=np.array(self.method),
            dtype=np.array("" if self.dtype is None else np.dtype(self.dtype).name),
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> KernelDensity:
        """Read what `save` wrote; the bandwidth is then the one that was found."""
        from synth.density.archive import read

        held = read(path, "kernel density")
        pairs = [{int(k): (a, b) for k, a, b in held[name]} for name in ("bounds", "period")]
        kernel: Kernel = str(held.get("kernel", "gaussian"))  # type: ignore[assignment]
        model = cls(
            held["covariance"],
            kernel=kernel,
            bounds=pairs[0],
            period=pairs[1],
            rtol=float(held["rtol"]),
            method=str(held.get("method", "auto")),  # type: ignore[arg-type]
            dtype=str(held.get("dtype", "")) or None,
        )
        points, covariance = held["points"], held["covariance"]
        power = float(held["power"]) if "power" in held else None
        shape = shape_of(kernel, points.shape[1], power)  # what is left of a kernel on a ball
        precision = held["precision"] if len(held["precision"]) else None
        smooth = Smoothing(
            points, held["log_weights"], covariance, precision, shape, Edges(*pairs)
        )
        model._set(smooth, held["raw"], bool(held.get("derived", False)))
        model.adaptive = precision is not None and not model._derived
        return model
