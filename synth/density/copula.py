"""`synth.Copula`: each column through its own density, and what holds them together."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synth.arguments import check_choice, check_verbs, listed
from synth.density.archive import Held, Target, packed, read, unpacked, write
from synth.density.gaussian_mixture import GaussianMixture
from synth.density.marginals import Histogram, KernelMarginal, Marginal, level_edges
from synth.errors import InputError
from synth.randomness import key_of
from synth.rows import (
    SPREAD,
    check_columns,
    check_count,
    check_known,
    check_rows,
    check_spread,
    check_weights,
    uniforms,
)

__all__ = ["Copula"]

Kind = Literal["kernel", "histogram", "levels"]


class Copula:
    """Marginals composed with a density of their normal scores.

    Column j has a density fⱼ and distribution Fⱼ of its own; zⱼ = Φ⁻¹(Fⱼ(xⱼ)) is standard normal,
    whatever the column's shape, and the core density holds the columns together:
    log p(x) = log p_core(z) + Σⱼ log fⱼ(xⱼ) − log φ(zⱼ) (Sklar 1959; with one Gaussian as the core
    this is the Gaussian copula, or nonparanormal, of Liu, Lafferty & Wasserman 2009).

    Parameters
    ----------
    marginals : {"kernel", "histogram", "levels"}, or a sequence of them, one a column
        "kernel" is smooth (Scott's bandwidth); "histogram" has 2 ∛n bins of equal width;
        "levels" is for columns of few different values: each value fills the space half-way to
        its neighbours evenly, `fit` spreads the rows over it, `sample` gives the values
        themselves, and `log_prob` is the density of the spread column.
    core : density, optional
        Unfitted, with ``fit``, ``log_prob`` and ``sample``; `fit` works on a copy. A tied
        `GaussianMixture` of 8 if not given.
    seed : int
        Of the spreading of levels.

    Attributes
    ----------
    core : density
        Of the normal scores, after `fit`.
    columns : list
        The marginals, after `fit`: each with ``scores(x)`` and ``values(z)``.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(1000, 1)) + rng.normal(size=(1000, 2)) * 0.3
    >>> x = np.exp(2 * z)                      # heavy tails, above 0
    >>> model = Copula("kernel").fit(np.log(x))
    >>> skewed = Copula("histogram").fit(x[:800])
    >>> plain = GaussianMixture(8, covariance="tied").fit(x[:800])
    >>> bool(skewed.score(x[800:]) > plain.score(x[800:]))
    True
    >>> skewed.given({0: 1.0}).sample(2).shape
    (2, 1)
    """

    def __init__(
        self,
        marginals: Kind | Sequence[Kind] = "kernel",
        *,
        core: Any = None,
        seed: int = 0,
    ) -> None:
        if isinstance(marginals, str):
            kinds = [marginals]
        else:
            kinds = listed(marginals, "marginals", "a kind, or one a column,")
        for kind in kinds:
            check_choice(kind, "one of marginals", get_args(Kind))
        core = GaussianMixture(8, covariance="tied") if core is None else core
        check_verbs(core, "core", ("fit", "log_prob", "sample"), "take a synth.GaussianMixture")
        key_of(seed)
        self.marginals: Kind | list[Kind] = marginals if isinstance(marginals, str) else kinds
        self.core, self.seed = core, seed
        self.columns: list[Marginal] = []

    def fit(self, x: ArrayLike, weights: ArrayLike | None = None) -> Copula:
        """Fit the marginals, and the core to the normal scores; returns the same object.

        Parameters
        ----------
        x : (n, d) array_like, or (n,) for one column
        weights : (n,) array_like, optional
            How often each row counts.

        Raises
        ------
        InputError
            NaN, no rows, another number of marginals than columns, a constant column that is not
            of "levels", and what the core raises.
        """
        rows = check_rows(x, "x")
        count, width = rows.shape
        kinds = [self.marginals] * width if isinstance(self.marginals, str) else self.marginals
        if len(kinds) != width:
            raise InputError(f"there are {len(kinds)} marginals for {width} columns")
        given = np.ones(count) if weights is None else check_weights(weights, count)
        rows, given = rows[given > 0], given[given > 0]
        spread = uniforms(self.seed, SPREAD)
        columns: list[Marginal] = []
        scores = np.empty_like(rows)
        for k, kind in enumerate(kinds):
            marginal, places = _fitted(kind, rows[:, k], given, spread, f"column {k}")
            scores[:, k] = marginal.scores(places)[0]
            columns.append(marginal)
        extra = {} if weights is None else {"weights": given}
        self.core = copy.deepcopy(self.core).fit(scores, **extra)
        self.columns = columns
        return self

    def _width(self) -> int:
        if not self.columns:
            raise InputError("the model has no columns yet; call fit(x) first")
        return len(self.columns)

    def scores(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the normal scores of rows, (m, d): what the core sees."""
        return self._scores(check_rows(x, "x", self._width()))[0]

    def _scores(
        self, rows: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        z, slope = np.empty_like(rows), np.zeros(len(rows))
        for k, marginal in enumerate(self.columns):
            z[:, k], own = marginal.scores(rows[:, k])
            slope += own
        return z, slope

    def log_prob(self, q: ArrayLike) -> NDArray[np.float64]:
        """Return log p(q) of each row, (m,), in nats."""
        z, slope = self._scores(check_rows(q, "q", self._width()))
        return np.asarray(self.core.log_prob(z) + slope)

    def score(self, q: ArrayLike) -> float:
        """Return the mean of `log_prob`: the higher on held-out rows, the better the model."""
        return float(self.log_prob(q).mean())

    def sample(self, n: int, *, seed: int = 0) -> NDArray[np.float64]:
        """Draw n rows, (n, d)."""
        count, width = check_count(n), self._width()
        z = self.core.sample(count, seed=seed)
        rows = np.empty((count, width))
        for k, marginal in enumerate(self.columns):
            rows[:, k] = marginal.values(z[:, k])
        return rows

    def marginal(self, columns: int | list[int]) -> Copula:
        """Return the density of some columns alone, in their order; the core must have it too."""
        keep = check_columns(columns, self._width())
        return self._part(keep, self.core.marginal(keep))

    def given(self, values: Mapping[int, float]) -> Copula:
        """Return the density of the other columns where some are known.

        Parameters
        ----------
        values : mapping of column to value
            A level stands for the middle of its space.
        """
        known, value, keep = check_known(values, self._width())
        scores = {
            k: float(self.columns[k].scores(np.array([own]))[0][0])
            for k, own in zip(known, value, strict=True)
        }
        return self._part(keep, self.core.given(scores))

    def _part(self, keep: list[int], core: Any) -> Copula:
        kinds = self.marginals
        part = Copula(
            kinds if isinstance(kinds, str) else [kinds[k] for k in keep],
            core=core,
            seed=self.seed,
        )
        part.columns = [self.columns[k] for k in keep]
        return part

    def save(
        self,
        path: Target,
        *,
        columns: Sequence[str] | None = None,
        overwrite: bool = False,
    ) -> None:
        """Write the model, and names of its columns, as NumPy's npz; `load` reads it.

        The core must be a model of synth.
        """
        width = self._width()
        held: dict[str, NDArray[Any]] = {"core": packed(self.core, "core")}
        for k, marginal in enumerate(self.columns):
            held |= {f"{k}_{name}": array for name, array in marginal.arrays().items()}
        lone = isinstance(self.marginals, str)
        held["marginals"] = np.array([self.marginals] if lone else self.marginals, np.str_)
        held["lone"], held["seed"] = np.array(lone), np.array(self.seed, np.uint64)
        write(path, "copula", overwrite, columns, width, **held)

    @classmethod
    def load(cls, path: Target) -> Copula:
        """Read what `save` wrote."""
        held = read(path, "copula")
        kinds: Any = [str(kind) for kind in held["marginals"]]
        lone = bool(held["lone"])
        core = unpacked(held["core"])
        model = cls(kinds[0] if lone else kinds, core=core, seed=int(held["seed"]))
        parts: dict[str, dict[str, NDArray[Any]]] = {}
        for name, array in held.items():
            number, _, own = name.partition("_")
            if number.isdecimal():
                parts.setdefault(number, {})[own] = array
        for k in range(len(parts)):
            part = Held(held.name, parts[str(k)])
            of_arrays = (KernelMarginal if "points" in part else Histogram).of_arrays
            model.columns.append(of_arrays(part))
        return model


def _fitted(
    kind: Kind, x: NDArray[np.float64], weights: NDArray[np.float64], spread: Any, name: str
) -> tuple[Marginal, NDArray[np.float64]]:
    """Return a marginal, and where the rows lie in it."""
    if kind == "kernel":
        return KernelMarginal(x, weights, name), x
    if kind == "levels":
        levels, owner = np.unique(x, return_inverse=True)
        edges = level_edges(levels)
        places = edges[owner] + spread(len(x)) * np.diff(edges)[owner]
        return Histogram(edges, np.bincount(owner, weights).astype(np.float64), levels), places
    check_spread(x, name, "leave it out, or take 'levels'")
    edges = np.linspace(x.min(), x.max(), int(np.ceil(2 * weights.sum() ** (1 / 3))) + 1)
    return Histogram(edges, np.histogram(x, edges, weights=weights)[0]), x
