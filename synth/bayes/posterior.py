"""A classifier and a prior: together a generator."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError, InputTypeError
from synth.rows import (
    METROPOLIS,
    RESAMPLE,
    Sampler,
    check_count,
    check_rows,
    child_seeds,
    normals,
    uniforms,
)

__all__ = ["PosteriorSample", "PosteriorSampler"]

#: "auto" leaves importance resampling where it has fewer effective candidates than this share of
#: the rows that are wanted: below it most rows would be copies of one another.
_ENOUGH = 1.0
#: Candidates for each row by default.
_CANDIDATES = 16
#: Rounds of the Markov chains: one in two proposes from the prior, the others take a small step.
_ROUNDS = 200
_BATCH = 1 << 16
#: Effective candidates below which rows that repeat one another are told of.
_TRUSTED = 10


@dataclass(frozen=True)
class PosteriorSample:
    """Rows of p(x | y), and how far to trust them.

    Attributes
    ----------
    rows : (n, d) ndarray
    effective_size : float
        (Σw)² / Σw² of the candidates (Kong 1992): so many independent draws they are worth. Well
        above n is good; near 1, the prior hardly ever makes what the classifier asks for.
    method : "importance" or "metropolis"
        What made the rows.
    acceptance : float or None
        Share of proposals that the chains took; None for "importance".
    distinct : int
        Different rows among ``rows``.
    """

    rows: NDArray[Any]
    effective_size: float
    method: Literal["importance", "metropolis"]
    acceptance: float | None
    distinct: int


class PosteriorSampler:
    """Generate from a classifier: p(x | y) ∝ p(y | x) p(x).

    A classifier says which of given things are y; only a prior says which things there are. Two
    priors, two answers.

    Parameters
    ----------
    prior : model
        With ``sample(n, seed=...) -> (n, d)``: a density, or any generator. Where it has
        ``log_prob`` too, the Markov chains can also take small steps.
    classifier : model or callable
        ``predict_proba(x) -> (n, K)`` with the labels in ``classes_``; or a function
        ``classifier(x, label) -> (n,)`` of p(label | x), in any scale.

    Notes
    -----
    Importance resampling (Rubin 1987): candidates from the prior, weighted by p(y | x), are drawn
    again by their weights. Where few candidates carry all the weight, n Markov chains go on from
    there (Metropolis 1953; Hastings 1970): proposals from the prior are taken with probability
    min(1, p(y | x′) / p(y | x)); small symmetric steps, as wide as the weighted candidates, with
    min(1, p(y | x′) p(x′) / p(y | x) p(x)).

    Examples
    --------
    >>> import numpy as np
    >>> import synth
    >>> prior = synth.KernelDensity().fit(np.linspace(-3, 3, 200)[:, np.newaxis])
    >>> right = lambda x, label: 1 / (1 + np.exp(-4 * x[:, 0]))
    >>> drawn = synth.PosteriorSampler(prior, right).sample(100, label="right")
    >>> drawn.method, bool(drawn.rows.mean() > 1)
    ('importance', True)
    """

    def __init__(self, prior: Sampler, classifier: Any) -> None:
        if not callable(getattr(prior, "sample", None)):
            raise InputTypeError(f"prior is {prior!r}, but a model that samples is needed")
        if not callable(getattr(classifier, "predict_proba", None)) and not callable(classifier):
            raise InputTypeError(
                f"classifier is {classifier!r}, but predict_proba(x), or a function of "
                "(x, label), is needed"
            )
        self.prior = prior
        self.classifier = classifier

    def sample(
        self,
        n: int,
        *,
        label: Hashable,
        seed: int = 0,
        method: Literal["auto", "importance", "metropolis"] = "auto",
        candidates: int | None = None,
    ) -> PosteriorSample:
        """Draw n rows from p(x | label).

        Parameters
        ----------
        n : int
            At least 1.
        label : hashable
            One of the classifier's.
        seed : int
        method : {"auto", "importance", "metropolis"}
            "auto" resamples, and starts Markov chains where the effective size is below n.
        candidates : int, optional
            Draws from the prior, at least n; 16 n, and at least 4096, by default. More find
            rarer things, and take longer.

        Raises
        ------
        InputError
            No candidate has any probability of being ``label``, or the classifier's answer is not
            a probability.
        """
        count = check_count(n, least=1)
        if method not in ("auto", "importance", "metropolis"):
            raise InputError(f"method is {method!r}, not 'auto', 'importance' or 'metropolis'")
        many = max(_CANDIDATES * count, 4096)
        if candidates is not None:
            many = check_count(candidates, "candidates", least=count)
        seeds = child_seeds(seed, 2)
        pool = check_rows(self.prior.sample(many, seed=seeds[0]), "the prior's sample")
        weights = self._likelihood(pool, label)
        if weights.sum() <= 0:
            raise InputError(
                f"none of {many} draws from the prior has any probability of being {label!r}; "
                "take another prior, or more candidates"
            )
        weights /= weights.max()
        effective = float(weights.sum() ** 2 / np.square(weights).sum())
        rows = pool[_systematic(weights, count, uniforms(seed, RESAMPLE))]
        acceptance = None
        if method == "metropolis" or (method == "auto" and effective < _ENOUGH * count):
            rows, acceptance = self._chains(rows, pool, weights, label, seed, seeds[1])
        distinct = len(np.unique(rows, axis=0))
        if effective < _TRUSTED and distinct < count / 2:
            warnings.warn(
                f"{len(pool)} candidates from the prior are worth {effective:.1f} draws of what "
                f"was asked for, and only {distinct} of {count} rows differ: they may be far from "
                "it. Give a prior that makes it more often, or more candidates",
                UserWarning,
                stacklevel=2,
            )
        kind: Literal["importance", "metropolis"]
        kind = "importance" if acceptance is None else "metropolis"
        return PosteriorSample(rows, effective, kind, acceptance, distinct)

    def _likelihood(self, rows: NDArray[np.float64], label: Hashable) -> NDArray[np.float64]:
        parts = [
            self._likelihood_of(rows[start : start + _BATCH], label)
            for start in range(0, len(rows), _BATCH)
        ]
        values = np.concatenate(parts)
        if values.shape != (len(rows),) or not np.isfinite(values).all() or (values < 0).any():
            raise InputError(
                f"the classifier gave {values.shape} values for {len(rows)} rows, or some that "
                "are negative, NaN or infinite; probabilities of the label are needed"
            )
        return values

    def _likelihood_of(self, rows: NDArray[np.float64], label: Hashable) -> NDArray[np.float64]:
        if not hasattr(self.classifier, "predict_proba"):
            return np.array(self.classifier(rows, label), np.float64)
        labels = list(np.asarray(self.classifier.classes_).tolist())
        if label not in labels:
            raise InputError(f"label is {label!r}, but the classifier's are {labels}")
        table = np.asarray(self.classifier.predict_proba(rows), np.float64)
        return np.array(table[:, labels.index(label)])

    def _chains(
        self,
        rows: NDArray[np.float64],
        pool: NDArray[np.float64],
        weights: NDArray[np.float64],
        label: Hashable,
        seed: int,
        child: int,
    ) -> tuple[NDArray[np.float64], float]:
        """Run one chain from each row; steps that are refused stay."""
        log_prior: Callable[[Any], Any] | None = getattr(self.prior, "log_prob", None)
        draw = uniforms(seed, METROPOLIS)
        count, width = rows.shape
        state = rows.copy()
        likelihood = self._likelihood(state, label)
        density = log_prior(state) if log_prior else None
        spread = _spread(pool, weights)
        proposals = child_seeds(child, _ROUNDS)
        taken = tried = 0
        for number in range(_ROUNDS):
            step = log_prior is not None and number % 2 == 1
            if step:
                # sizes from fine to coarse: what scale the posterior has is not known
                size = 2.38 / np.sqrt(width) * 4.0 ** -(number // 2 % 4)
                moved = state + size * normals(draw, count, width) @ spread
            else:
                moved = check_rows(
                    self.prior.sample(count, seed=proposals[number]), "the prior's sample"
                )
            new = self._likelihood(moved, label)
            ratio = np.divide(new, likelihood, out=np.ones(count), where=likelihood > 0)
            new_density = log_prior(moved) if log_prior else None
            if step and density is not None and new_density is not None:
                with np.errstate(invalid="ignore"):  # −∞ − −∞ where the prior has no density
                    gain = np.exp(np.minimum(new_density - density, 700.0))
                ratio = ratio * np.nan_to_num(gain, nan=0.0)
            accept = draw(count) < ratio
            state[accept], likelihood[accept] = moved[accept], new[accept]
            if density is not None and new_density is not None:
                density[accept] = new_density[accept]
            taken += int(accept.sum())
            tried += count
        return state, taken / tried


def _systematic(
    weights: NDArray[np.float64], count: int, draw: Callable[[int], NDArray[np.float64]]
) -> NDArray[np.intp]:
    """Draw indices in proportion to the weights, as evenly as can be (Kitagawa 1996), shuffled."""
    edges = np.cumsum(weights)
    edges /= edges[-1]
    offset, order = draw(1)[0], draw(count)
    picks = np.searchsorted(edges, (np.arange(count) + offset) / count, side="right")
    return np.asarray(np.minimum(picks, len(weights) - 1)[np.argsort(order, kind="stable")])


def _spread(pool: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return R with RᵀR the covariance of the weighted candidates, or of all if that is flat."""
    covariance = np.atleast_2d(np.cov(pool.T, aweights=weights))
    whole = np.atleast_2d(np.cov(pool.T))
    ridge = 1e-6 * np.trace(whole) / len(whole) + 1e-300
    values, vectors = np.linalg.eigh(np.nan_to_num(covariance) + ridge * np.eye(len(whole)))
    return np.asarray(np.sqrt(np.maximum(values, 0))[:, np.newaxis] * vectors.T)
