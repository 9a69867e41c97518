"""A classifier and a prior: together a generator."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from synth.arguments import check_choice, check_verbs, numbers_of, shown
from synth.bayes.chains import Chains, Goal, drawn_again, effective_size, spread_of, tempered
from synth.errors import InputError, InputTypeError
from synth.rows import (
    METROPOLIS,
    RESAMPLE,
    Sampler,
    check_count,
    check_rows,
    child_seeds,
    uniforms,
)

__all__ = ["PosteriorSample", "PosteriorSampler"]

#: Candidates for each row by default.
_CANDIDATES = 16
#: Rounds of the Markov chains.
_ROUNDS = 200
_BATCH = 1 << 16
#: Effective candidates below which chains do not start from them, if there is another way;
#: below which their answer is doubted; and below which it is none.
_STARVED, _TRUSTED, _LONE = 50, 10, 2


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
    tempered : bool
        Whether the chains were led from the prior to the posterior by degrees, which makes them
        independent of ``effective_size``.
    distinct : int
        Different rows among ``rows``.
    """

    rows: NDArray[Any]
    effective_size: float
    method: Literal["importance", "metropolis"]
    acceptance: float | None
    tempered: bool
    distinct: int


class PosteriorSampler:
    """Generate from a classifier: p(x | y) ∝ p(y | x) p(x).

    A classifier says which of given things are y; only a prior says which things there are. Two
    priors, two answers.

    Parameters
    ----------
    prior : model
        With ``sample(n, seed=...) -> (n, d)``: a density, or any generator. Where it has
        ``log_prob`` too, the chains get beyond what it draws.
    classifier : model or callable
        ``predict_log_proba(x)`` or ``predict_proba(x)``, (n, K), with the labels in ``classes_``;
        or a function ``classifier(x, label) -> (n,)`` of p(label | x), in any scale.

    Notes
    -----
    Importance resampling (Rubin 1987): candidates from the prior, weighted by p(y | x), are drawn
    again by their weights. Where few candidates carry all the weight, n Markov chains go on
    (Metropolis 1953; Hastings 1970): proposals from the prior are taken with probability
    min(1, p(y | x′) / p(y | x)); small symmetric steps with
    min(1, p(y | x′) p(x′) / p(y | x) p(x)).

    Where hardly any candidate counts, the chains start from rows that were led from p(x) to
    p(y | x) p(x) by degrees, p(y | x)^β p(x) (Del Moral, Doucet & Jasra 2006): right far outside
    of what the prior draws, as long as the way there is not cut off by p(y | x) = 0. It needs
    the prior's ``log_prob``; a prior without it cannot be asked for what it never makes, and that
    is an error.

    How much of the answer falls to modes that lie far apart, across which no chain steps, is left
    to the rows that were led there, n or 1024 of them, of which half are lost at each degree:
    shares of two such modes have come out .2 off, and no warning says so. Several seeds tell.

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
        check_verbs(prior, "prior", ["sample"], "take a model that samples, such as a density")
        if isinstance(classifier, type) or not (
            callable(classifier)
            or callable(getattr(classifier, "predict_proba", None))
            or callable(getattr(classifier, "predict_log_proba", None))
        ):
            raise InputTypeError(
                f"classifier is {shown(classifier)}, but a model with predict_proba(x), or a "
                "function of (x, label), is needed"
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
            No candidate has any probability of being ``label``; nearly all of the weight is one
            candidate's, and the prior has no ``log_prob`` to go on with ("auto" only); or the
            classifier's answer is no probability.

        Warns
        -----
        UserWarning
            The rows may be far from what was asked for.
        """
        count = check_count(n, least=1)
        check_choice(method, "method", ("auto", "importance", "metropolis"))
        many = max(_CANDIDATES * count, 4096)
        if candidates is not None:
            many = check_count(candidates, "candidates", least=count)
        first, later = child_seeds(seed, 2)
        goal = self._goal(label, later)
        pool = Chains(goal, self._candidates(many, first))
        if np.isneginf(pool.likelihood).all():
            raise InputError(
                f"none of {many} draws from the prior has any probability of being {label!r}; "
                "take another prior, or more candidates"
            )
        weights = np.exp(pool.likelihood - pool.likelihood.max())
        effective = effective_size(weights)
        chains = pool.part(drawn_again(weights, count, uniforms(seed, RESAMPLE)))
        kind: Literal["importance", "metropolis"] = "importance"
        acceptance, led = None, False
        if method == "metropolis" or (method == "auto" and effective < count):
            kind, draw, spread = "metropolis", uniforms(seed, METROPOLIS), None
            led = effective < _STARVED and goal.log_prior is not None
            if led:
                chains = tempered(goal, pool, count, draw)
                if len(chains.rows) > 1:
                    spread = spread_of(chains.rows, np.ones(count))
            if spread is None:
                spread = spread_of(pool.rows, weights)
            chains.walk(_ROUNDS, draw, spread, 1.0)
            acceptance = chains.taken / chains.tried
        distinct = len(np.unique(chains.rows, axis=0))
        found = PosteriorSample(chains.rows, effective, kind, acceptance, led, distinct)
        _check_trust(found, method, len(pool.rows))
        return found

    def _candidates(self, count: int, seed: int) -> NDArray[np.float64]:
        rows = check_rows(self.prior.sample(count, seed=seed), "the prior's sample")
        if len(rows) != count:
            raise InputError(f"the prior gave {len(rows)} rows, but {count} were asked for")
        return rows

    def _goal(self, label: Hashable, seed: int) -> Goal:
        seeds = iter(child_seeds(seed, 1 << 14))
        log_prob: Callable[[Any], Any] | None = getattr(self.prior, "log_prob", None)

        def log_prior(rows: NDArray[np.float64]) -> NDArray[np.float64]:
            assert log_prob is not None
            return np.asarray(log_prob(rows), np.float64)

        return Goal(
            lambda rows: self._log_likelihood(rows, label),
            log_prior if callable(log_prob) else None,
            lambda count: self._candidates(count, next(seeds)),
        )

    def _log_likelihood(self, rows: NDArray[np.float64], label: Hashable) -> NDArray[np.float64]:
        parts = [
            self._part_of(rows[start : start + _BATCH], label)
            for start in range(0, len(rows), _BATCH)
        ]
        return np.concatenate(parts)

    def _part_of(self, rows: NDArray[np.float64], label: Hashable) -> NDArray[np.float64]:
        model, logs = self.classifier, hasattr(self.classifier, "predict_log_proba")
        if logs or hasattr(model, "predict_proba"):
            labels = list(np.asarray(model.classes_).tolist())
            if not isinstance(label, Hashable) or label not in labels:
                raise InputError(f"label is {shown(label)}, but the classifier's are {labels}")
            table = model.predict_log_proba(rows) if logs else model.predict_proba(rows)
            values = np.asarray(table, np.float64)[:, labels.index(label)]
        else:
            answer = numbers_of(model(rows, label), "the classifier's answer")
            values = answer.astype(np.float64)
        if not logs:
            with np.errstate(divide="ignore", invalid="ignore"):  # of negative ones, NaN
                values = np.log(values)
        if values.shape != (len(rows),) or not (values < np.inf).all():
            raise InputError(
                f"the classifier gave {values.shape} values for {len(rows)} rows, or some that "
                "are negative, NaN or infinite; probabilities of the label are needed"
            )
        return np.asarray(values)


def _check_trust(found: PosteriorSample, method: str, candidates: int) -> None:
    """Tell of rows that need not be what was asked for, or refuse them."""
    count, acceptance = len(found.rows), found.acceptance
    worth = f"{candidates} candidates from the prior are worth {found.effective_size:.1f} draws"
    if acceptance is None:
        doubtful = found.effective_size < _TRUSTED and found.distinct < count / 2
    else:  # how often each chain moved
        doubtful = (found.tempered or found.effective_size < _TRUSTED) and (
            acceptance * _ROUNDS < 2
        )
    if doubtful and method == "auto" and not found.tempered and found.effective_size < _LONE:
        raise InputError(
            f"{worth} of what was asked for: too few to tell what it looks like. Give a prior "
            "that makes it more often, one with log_prob, or more candidates"
        )
    if doubtful:
        warnings.warn(
            f"{worth} of what was asked for, and only {found.distinct} of {count} rows differ: "
            "they may be far from it. Give a prior that makes it more often, or one with "
            "log_prob, or more candidates",
            UserWarning,
            stacklevel=3,
        )
