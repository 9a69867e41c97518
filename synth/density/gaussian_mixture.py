"""`synth.GaussianMixture`: a few Gaussians that share the data between them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from synth.arguments import check_choice, check_float_type, check_number, numbers_of
from synth.density.archive import Target, read, write
from synth.density.blas import workers
from synth.density.gaussian_algebra import conditional, drawn, log_densities, marginal
from synth.density.gaussians import Moments, Parts, total_covariance
from synth.density.maximization import Covariance, parameters, shape_of
from synth.density.mixture_fit import FitReport, Problem, fit_mixture, moments_of
from synth.density.mixture_rows import Summary, check_table, weighted
from synth.devices import Device, choose_device
from synth.errors import InputError
from synth.randomness import key_of
from synth.rows import (
    check_columns,
    check_count,
    check_known,
    check_rows,
    check_weights,
    child_seeds,
)

__all__ = ["GaussianMixture"]


class GaussianMixture:
    """K Gaussians with weights: p(x) = Σ wₖ N(x; μₖ, Σₖ), fitted by expectation-maximisation.

    Each pass takes responsibilities rᵢₖ = wₖ N(xᵢ; μₖ, Σₖ) / p(xᵢ), and then the weights, means
    and covariances of the rows by them (Dempster, Laird & Rubin 1977; Bishop 2006, section 9.2).

    Parameters
    ----------
    components : int
        K; more follow the data more closely, and need more of them.
    covariance : {"full", "tied", "diag", "spherical", "factor"}
        A matrix each; one for all; along the axes; one number each; or ``factors`` directions and
        one number for all others (mixtures of probabilistic PCA, Tipping & Bishop 1999).
    factors : int, optional
        For "factor": directions with a variance of their own, 1 to d − 1.
    init : "k-means++", (K, d) array_like or GaussianMixture
        Where to start: seeds drawn from whitened rows; means in the units of the data; or a
        mixture, from which the fit goes on (a warm start).
    max_iter : int
        At most so many passes over the data.
    tol : float
        The fit ends when a pass gains less than this, in nats per row; 0 goes on to the last bit.
    restarts : int
        From how many draws of k-means++ to start; the most likely mixture is kept.
    ridge : "auto" or float
        The least variance of a component in any direction, in squared units of the columns; a
        larger one is smoother. "auto" is a millionth of each column's variance; 0 leaves what
        float64 can tell from nothing, and where columns depend on one another its rounding shows.
    dtype : numpy.float32, numpy.float64 or None
        Of the products of a fit; None takes the data's. Sums, `log_prob` and all that is returned
        are float64. float32 is about twice as fast, and the likelihood good to five digits.
    seed : int
        Of k-means++.
    device : {"auto", "cpu", "cuda"}
        Where fits and densities are computed; there are kernels for the CPU only.

    Attributes
    ----------
    weights : (K,) ndarray
    means : (K, d) ndarray
    covariances : (K, d, d) ndarray; (d, d) for "tied"; (K, d) for "diag" and "spherical"
    report : FitReport or None
        The likelihood of each iteration, whether it converged, and components that collapsed.

    Notes
    -----
    A component that shrinks onto too few rows is given half of the heaviest one instead, with a
    warning, twice at most; after that the ridge alone holds it. Rows may have missing values,
    written as NaN: the likelihood is that of what is there, and nothing is filled in.
    The data are never copied as a whole, and no table of rows by components is made.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = np.concatenate([rng.normal(-2, 0.5, (300, 2)), rng.normal(2, 1, (100, 2))])
    >>> model = GaussianMixture(2).fit(x)
    >>> np.sort(model.weights).round(2)
    array([0.25, 0.75])
    >>> model.given({0: -2.0}).mean().round(1)
    array([-2.])
    """

    def __init__(
        self,
        components: int = 8,
        *,
        covariance: Covariance = "full",
        factors: int | None = None,
        init: Literal["k-means++"] | ArrayLike | GaussianMixture = "k-means++",
        max_iter: int = 200,
        tol: float = 1e-6,
        restarts: int = 1,
        ridge: Literal["auto"] | float = "auto",
        dtype: DTypeLike | None = None,
        seed: int = 0,
        device: Device = "auto",
    ) -> None:
        check_choice(covariance, "covariance", get_args(Covariance))
        if (factors is None) == (covariance == "factor"):
            raise InputError(
                f"covariance is {covariance!r} and factors {factors!r}, but factors goes with "
                "covariance='factor', and only with it"
            )
        if isinstance(init, str) and init != "k-means++":
            raise InputError(f"init is {init!r}, not 'k-means++', means or a GaussianMixture")
        if not isinstance(init, str | GaussianMixture):
            check_rows(init, "init")
        if isinstance(ridge, str):
            check_choice(ridge, "ridge, if it is no number,", ["auto"])
        else:
            check_number(ridge, "ridge", 0)
        key_of(seed)
        choose_device(device)
        self.components = check_count(components, "components", 1)
        self.covariance, self.init, self.ridge = covariance, init, ridge
        self.factors = 0 if factors is None else check_count(factors, "factors", 1)
        self.max_iter = check_count(max_iter, "max_iter", 1)
        self.tol = check_number(tol, "tol", 0)
        self.restarts = check_count(restarts, "restarts", 1)
        self.dtype, self.seed, self.device = check_float_type(dtype), seed, device
        self.report: FitReport | None = None
        self._held: Parts | None = None
        self._steps = 0

    @classmethod
    def of(
        cls,
        weights: ArrayLike,
        means: ArrayLike,
        covariances: ArrayLike,
        *,
        covariance: Covariance = "full",
    ) -> GaussianMixture:
        """Make a mixture of known Gaussians.

        Parameters
        ----------
        weights : (K,) array_like
            In any scale.
        means : (K, d) array_like
        covariances : (K, d, d) array_like; (d, d) for "tied"; (K, d) for "diag"
        covariance : {"full", "tied", "diag"}

        Examples
        --------
        >>> GaussianMixture.of([1, 1], [[0.0], [4.0]], [[[1.0]], [[1.0]]]).mean()
        array([2.])
        """
        rows = check_rows(means, "means")
        spread = numbers_of(covariances, "covariances").astype(np.float64)
        count, width = rows.shape
        share = check_weights(weights, count)
        shapes = {"full": (count, width, width), "tied": (width, width), "diag": (count, width)}
        check_choice(covariance, "covariance", shapes)
        if spread.shape != shapes[covariance] or not np.isfinite(spread).all():
            raise InputError(
                f"covariances have shape {spread.shape}, but finite numbers of shape "
                f"{shapes[covariance]} are needed"
            )
        if spread.ndim == 3 and not np.allclose(spread, spread.mT, rtol=1e-9, atol=0):
            raise InputError("covariances must be symmetric")
        values = spread if covariance == "diag" else np.linalg.eigvalsh(spread)
        if values.min() <= 0:
            raise InputError("covariances must be positive definite")
        model = cls(count, covariance=covariance)
        with np.errstate(divide="ignore"):
            model._held = Parts(np.log(share / share.sum()), rows, spread, covariance)  # type: ignore[arg-type]
        return model

    @property
    def _parts(self) -> Parts:
        if self._held is None:
            raise InputError("the model has no components yet; call fit(x) first")
        return self._held

    @property
    def weights(self) -> NDArray[np.float64]:
        """The weights, (K,), which add up to 1."""
        return np.asarray(np.exp(self._parts.log_weights))

    @property
    def means(self) -> NDArray[np.float64]:
        """The components' means, (K, d)."""
        return self._parts.means

    @property
    def covariances(self) -> NDArray[np.float64]:
        """The components' covariances, in the shape of their kind."""
        return self._parts.covariances

    @property
    def _width(self) -> int:
        return int(self._parts.means.shape[1])

    def fit(self, x: ArrayLike, weights: ArrayLike | None = None) -> GaussianMixture:
        """Fit the mixture to rows; returns the same object.

        Parameters
        ----------
        x : (n, d) array_like, or (n,) for one column
            NaN stands for a missing value.
        weights : (n,) array_like, optional
            How often each row counts.

        Raises
        ------
        InputError
            No rows, fewer rows than components, infinity, a constant column without a ridge, a
            start of another shape.

        Warns
        -----
        UserWarning
            Components collapsed and were put elsewhere.
        """
        problem = self._problem(check_table(x, "x"), weights)
        start = self._start(problem.rows.x.shape[1])
        seeds = [self.seed]
        if start is None and self.restarts > 1:
            seeds += child_seeds(self.seed, self.restarts - 1)
        self._held, self.report = fit_mixture(
            problem, self.components, start, seeds, self.max_iter, self.tol
        )
        self._steps = 0
        return self

    def _problem(self, table: NDArray[np.float64], weights: ArrayLike | None) -> Problem:
        rows = weighted(table, weights)
        if self.factors >= table.shape[1] and self.covariance == "factor":
            raise InputError(
                f"factors is {self.factors}, but there are {table.shape[1]} columns; take fewer"
            )
        dtype = np.dtype(table.dtype if self.dtype is None else self.dtype)
        problem = Problem(rows, self.covariance, self.factors, self.ridge, dtype)
        if len(rows.x) < self.components:
            raise InputError(
                f"components is {self.components}, but there are {len(rows.x)} rows with weight; "
                "take fewer components"
            )
        return problem

    def _start(self, width: int) -> Parts | NDArray[np.float64] | None:
        if isinstance(self.init, str):
            return None
        start: Parts | NDArray[np.float64]
        if isinstance(self.init, GaussianMixture):
            start = self.init._parts
            found: tuple[int, ...] = start.means.shape
        else:
            start = check_rows(self.init, "init", width)
            found = start.shape
        if found != (self.components, width):
            raise InputError(
                f"init has {found[0]} means of {found[1]} columns, but {self.components} of "
                f"{width} are needed"
            )
        return start

    def partial_fit(self, x: ArrayLike, weights: ArrayLike | None = None) -> GaussianMixture:
        """Take one step towards a batch of rows; returns the same object.

        Stepwise expectation-maximisation (Cappé & Moulines 2009): the moments move to the
        batch's by (t + 2)^−0.7 at step t, so that old batches fade and the mixture settles. The
        first batch is fitted as by `fit`; it should hold several rows for each component.
        """
        if self._held is None:
            return self.fit(x, weights)
        table = check_table(x, "x", self._width)
        rows = weighted(table, weights)
        dtype = np.dtype(table.dtype if self.dtype is None else self.dtype)
        about = Summary(*total_covariance(self._parts))
        anchor = Problem(rows, self.covariance, self.factors, self.ridge, dtype, about)
        before = anchor.enter(self._parts)
        with workers() as run:
            _, moments = anchor.expect(run, before)
        share = (self._steps + 2) ** -0.7
        blend: Moments = moments_of(before).scaled(1 - share)
        blend = blend.plus(moments.scaled(share / rows.total))
        self._held = anchor.frame.leave(anchor.maximize(blend)[0])
        self._steps += 1
        return self

    def log_prob(self, q: ArrayLike) -> NDArray[np.float64]:
        """Return log p(q) of each row, (m,), in nats; of what is there where values are NaN.

        −∞ where it is below −1e270: some 1e135 standard deviations away.
        """
        return self._joined(q, None)

    def responsibilities(self, q: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each component for each row, (m, K)."""
        queries = check_table(q, "q", self._width)
        shares = np.empty((len(queries), len(self.weights)))
        self._joined(queries, shares)
        return shares

    def _joined(self, q: ArrayLike, shares: NDArray[np.float64] | None) -> NDArray[np.float64]:
        return log_densities(self._parts, check_table(q, "q", self._width), shares)

    def predict(self, q: ArrayLike) -> NDArray[np.intp]:
        """Return the most probable component of each row, (m,)."""
        return np.asarray(self.responsibilities(q).argmax(axis=1))

    def score(self, q: ArrayLike) -> float:
        """Return the mean of `log_prob`: the higher on held-out rows, the better the model."""
        return float(self.log_prob(q).mean())

    def aic(self, x: ArrayLike) -> float:
        """Return Akaike's (1974), 2 p − 2 log p(x) for p free parameters: smaller is better."""
        return 2 * self.free_parameters - 2 * float(self.log_prob(x).sum())

    def bic(self, x: ArrayLike) -> float:
        """Return Schwarz's criterion (1978), p log n − 2 log p(x): smaller is better."""
        logs = self.log_prob(x)
        return self.free_parameters * math.log(len(logs)) - 2 * float(logs.sum())

    @property
    def free_parameters(self) -> int:
        """How many numbers the fit was free to choose, the p of `aic` and `bic`."""
        return parameters(self.covariance, len(self.weights), self._width, self.factors)

    def sample(self, n: int, *, seed: int = 0) -> NDArray[np.float64]:
        """Draw n rows, (n, d)."""
        return drawn(self._parts, check_count(n), seed)

    def mean(self) -> NDArray[np.float64]:
        """Return the expectation, (d,)."""
        return np.asarray(self.weights @ self.means)

    def marginal(self, columns: int | list[int]) -> GaussianMixture:
        """Return the mixture of some columns alone, in their order."""
        return self._part(marginal(self._parts, check_columns(columns, self._width)))

    def given(self, values: Mapping[int, float]) -> GaussianMixture:
        """Return the mixture of the other columns where some are known.

        Each component counts by its density at the known values, and its mean moves along its
        own regression: Gaussian mixture regression (Ghahramani & Jordan 1994), with all answers.

        Parameters
        ----------
        values : mapping of column to value
        """
        known, value, _ = check_known(values, self._width)
        return self._part(conditional(self._parts, known, value))

    @staticmethod
    def _part(parts: Parts) -> GaussianMixture:
        model = GaussianMixture(len(parts.means), covariance=parts.shape)
        model._held = parts
        return model

    def save(
        self,
        path: Target,
        *,
        columns: Sequence[str] | None = None,
        overwrite: bool = False,
    ) -> None:
        """Write the model, and names of its columns, as NumPy's npz; `load` reads it."""
        parts = self._parts
        write(
            path,
            "gaussian mixture",
            overwrite,
            columns,
            self._width,
            log_weights=parts.log_weights,
            means=parts.means,
            covariances=parts.covariances,
            covariance=np.array(self.covariance),
            factors=np.array(self.factors),
            ridge=np.array(np.nan if self.ridge == "auto" else self.ridge),
            steps=np.array(self._steps),
            dtype=np.array("" if self.dtype is None else np.dtype(self.dtype).name),
            limits=np.array([self.tol, self.max_iter, self.restarts]),
            seed=np.array(self.seed, np.uint64),
        )

    @classmethod
    def load(cls, path: Target) -> GaussianMixture:
        """Read what `save` wrote; `partial_fit` goes on where it was, `fit` starts afresh."""
        held = read(path, "gaussian mixture")
        kind: Covariance = str(held["covariance"])  # type: ignore[assignment]
        ridge = float(held["ridge"])
        tol, max_iter, restarts = held.get("limits", np.array([1e-6, 200, 1]))
        model = cls(
            len(held["means"]),
            covariance=kind,
            factors=int(held["factors"]) or None,
            ridge="auto" if math.isnan(ridge) else ridge,
            max_iter=int(max_iter),
            tol=float(tol),
            restarts=int(restarts),
            dtype=str(held.get("dtype", "")) or None,
            seed=int(held.get("seed", 0)),
        )
        shape = shape_of(kind)
        model._held = Parts(held["log_weights"], held["means"], held["covariances"], shape)
        model._steps = int(held["steps"])
        return model
