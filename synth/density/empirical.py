"""The data themselves as a distribution: what a kernel density becomes as its kernels shrink."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synth.density.archive import Target, read, write
from synth.errors import InputError
from synth.rows import COMPONENTS, check_count, check_rows, check_weights, uniforms

__all__ = ["Empirical"]


class Empirical:
    """p(x) = Σ wᵢ δ(x − xᵢ): draws training rows, and gives nothing else any probability.

    `log_prob` is the logarithm of a row's probability (its share of the weights), not of a
    density: there is none. Off the data it is −∞.

    Examples
    --------
    >>> model = Empirical().fit([[1.0], [2.0], [2.0], [5.0]])
    >>> [round(float(value), 3) for value in model.log_prob([[2.0], [3.0]])]
    [-0.693, -inf]
    """

    def fit(self, x: ArrayLike, weights: ArrayLike | None = None) -> Empirical:
        """Keep the rows, (n, d), and their weights, (n,); returns the same object."""
        rows = check_rows(x, "x")
        given = np.ones(len(rows)) if weights is None else check_weights(weights, len(rows))
        self.points, inverse = np.unique(rows, axis=0, return_inverse=True)
        self.shares = np.bincount(inverse.ravel(), given) / given.sum()
        return self

    def log_prob(self, q: ArrayLike) -> NDArray[np.float64]:
        """Return the log probability of each row, (n,), −∞ off the data."""
        self._fitted()
        known = {
            row.tobytes(): share for row, share in zip(self.points + 0.0, self.shares, strict=True)
        }
        rows = check_rows(q, "q", self.points.shape[1]) + 0.0  # −0 is 0
        with np.errstate(divide="ignore"):
            return np.log([known.get(row.tobytes(), 0.0) for row in rows])

    def sample(self, n: int, *, seed: int = 0) -> NDArray[np.float64]:
        """Draw n of the rows, with replacement, (n, d)."""
        self._fitted()
        edges = np.cumsum(self.shares)
        draws = uniforms(seed, COMPONENTS)(check_count(n))
        return self.points[np.searchsorted(edges / edges[-1], draws, side="right")]

    def save(
        self,
        path: Target,
        *,
        columns: Sequence[str] | None = None,
        overwrite: bool = False,
    ) -> None:
        """Write the rows, and names of their columns, as NumPy's npz; `load` reads it."""
        self._fitted()
        held = {"points": self.points, "shares": self.shares}
        write(path, "empirical", overwrite, columns, self.points.shape[1], **held)

    @classmethod
    def load(cls, path: Target) -> Empirical:
        """Read what `save` wrote."""
        held, model = read(path, "empirical"), cls()
        model.points, model.shares = held["points"], held["shares"]
        return model

    def _fitted(self) -> None:
        if not hasattr(self, "points"):
            raise InputError("the model has no rows yet; call fit(x) first")
