"""How many components, and of which kind: fits side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from numpy.typing import ArrayLike

from synth.arguments import check_choice, listed
from synth.density.gaussian_mixture import GaussianMixture
from synth.density.maximization import Covariance
from synth.density.mixture_rows import check_table
from synth.errors import InputError
from synth.rows import HELD_OUT, uniforms

__all__ = ["MixtureSelection", "Trial", "select_mixture"]

Criterion = Literal["bic", "aic", "held-out"]
#: Share of the rows that "held-out" keeps from the fits.
_HELD = 0.2


@dataclass(frozen=True)
class Trial:
    """One fit.

    Attributes
    ----------
    components : int
    covariance : str
    value : float
        Of the criterion; smaller is better.
    log_likelihood : float
        Mean per row the fit saw, in nats.
    """

    components: int
    covariance: Covariance
    value: float
    log_likelihood: float


@dataclass(frozen=True)
class MixtureSelection:
    """The best mixture, and how the others did.

    Attributes
    ----------
    model : GaussianMixture
    trials : tuple of Trial
        In the order in which they were fitted.
    """

    model: GaussianMixture
    trials: tuple[Trial, ...]

    @property
    def best(self) -> Trial:
        """The trial of ``model``."""
        return min(self.trials, key=lambda trial: trial.value)


def select_mixture(
    x: ArrayLike,
    *,
    components: Iterable[int] = range(1, 9),
    covariances: Sequence[Covariance] = ("full", "tied", "diag", "spherical"),
    by: Criterion = "bic",
    seed: int = 0,
    **options: Any,
) -> MixtureSelection:
    """Fit mixtures of several sizes and kinds, and choose one.

    Parameters
    ----------
    x : (n, d) array_like
        NaN stands for a missing value.
    components : iterable of int
    covariances : sequence of {"full", "tied", "diag", "spherical", "factor"}
    by : {"bic", "aic", "held-out"}
        Schwarz's criterion, which finds how many clusters there are if there are Gaussian ones;
        Akaike's, which prefers larger mixtures; or −log p of a fifth of the rows, which the fits
        do not see: what counts for a density. The chosen one is then fitted to all rows.
    seed : int
        Of the fits, and of which rows are held out.
    **options
        For each `GaussianMixture`, such as ``restarts`` or ``ridge``.

    Returns
    -------
    MixtureSelection

    Raises
    ------
    InputError
        Nothing to choose from, another criterion, and what `GaussianMixture.fit` raises.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = np.concatenate([rng.normal(c, 0.3, (100, 2)) for c in (-2, 0, 2)])
    >>> select_mixture(x, components=range(1, 6), covariances=["spherical"]).best.components
    3
    """
    counts = listed(components, "components", "numbers, such as range(1, 9),")
    kinds = listed(covariances, "covariances", "kinds, such as ['full', 'diag'],")
    if not counts or not kinds:
        raise InputError("components and covariances must each have at least one choice")
    check_choice(by, "by", get_args(Criterion))
    rows = check_table(x, "x")
    seen = rows
    if by == "held-out":
        held = uniforms(seed, HELD_OUT)(len(rows)) < _HELD
        if held.all() or not held.any():
            raise InputError(f"x has {len(rows)} rows, too few to hold some out; use by='bic'")
        seen, asked = rows[~held], rows[held]
    trials: list[Trial] = []
    best: GaussianMixture | None = None
    for kind in kinds:
        for count in counts:
            model = GaussianMixture(count, covariance=kind, seed=seed, **options).fit(seen)
            likelihood = model.score(seen)
            if by == "held-out":
                value = -model.score(asked)
            else:
                total = 2 * len(seen) * likelihood
                value = model.free_parameters * (2 if by == "aic" else math.log(len(seen))) - total
            if not trials or value < min(trial.value for trial in trials):
                best = model
            trials.append(Trial(count, kind, float(value), likelihood))
    assert best is not None
    if by == "held-out":
        best.fit(rows)
    return MixtureSelection(best, tuple(trials))
