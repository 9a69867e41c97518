"""Markov chains that end at p(y | x) p(x), and a way there from the prior by degrees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.rows import normals

__all__ = ["Chains", "Goal", "drawn_again", "effective_size", "spread_of", "tempered"]

Draw = Callable[[int], NDArray[np.float64]]
#: Steps of one size after the other, as shares of what fits one Gaussian: which scale the
#: posterior has is not known.
_SIZES = (1.0, 1 / 4, 1 / 16, 1 / 64)
#: Rows that go the way from the prior, at least; rounds at each degree; degrees at most.
_ROWS, _ROUNDS, _DEGREES = 1024, 8, 500


@dataclass(frozen=True)
class Goal:
    """What the chains go to.

    Attributes
    ----------
    log_likelihood : callable
        log p(y | x) of rows, (n,), up to a constant; −∞ where it is impossible.
    log_prior : callable or None
        log p(x), (n,).
    propose : callable
        Draws so many rows from the prior, others at each call.
    """

    log_likelihood: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    log_prior: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None
    propose: Callable[[int], NDArray[np.float64]]


class Chains:
    """One chain in each row; steps that are refused stay.

    Parameters
    ----------
    goal : Goal
    rows : (n, d) ndarray
        Where they start.
    """

    def __init__(self, goal: Goal, rows: NDArray[np.float64]) -> None:
        self.goal, self.rows = goal, rows.copy()
        self.likelihood = goal.log_likelihood(self.rows)
        self.prior = None if goal.log_prior is None else goal.log_prior(self.rows)
        self.taken = self.tried = 0

    def part(self, picks: NDArray[np.intp]) -> Chains:
        """Return chains that go on from some of these."""
        new = object.__new__(Chains)
        new.goal, new.rows, new.likelihood = self.goal, self.rows[picks], self.likelihood[picks]
        new.prior = None if self.prior is None else self.prior[picks]
        new.taken = new.tried = 0
        return new

    def walk(self, rounds: int, draw: Draw, spread: NDArray[np.float64], power: float) -> None:
        """Take steps towards p(y | x)^power p(x).

        Proposals from the prior (Hastings 1970), and where it has a density every other round a
        symmetric step (Metropolis 1953) along RᵀR of ``spread``, (d, d).
        """
        count, width = self.rows.shape
        for number in range(rounds):
            step = self.prior is not None and number % 2 == 1
            if step:
                size = 2.38 / np.sqrt(width) * _SIZES[number // 2 % len(_SIZES)]
                moved = self.rows + size * normals(draw, count, width) @ spread
            else:
                moved = self.goal.propose(count)
            likelihood = self.goal.log_likelihood(moved)
            prior = None if self.goal.log_prior is None else self.goal.log_prior(moved)
            with np.errstate(invalid="ignore"):  # −∞ − −∞ is decided below
                gain = power * (likelihood - self.likelihood)
                if step and prior is not None and self.prior is not None:
                    gain = gain + (prior - self.prior)
                    gain[np.isneginf(prior)] = -np.inf
            gain[np.isneginf(likelihood)] = -np.inf
            gain[np.isneginf(self.likelihood) & np.isneginf(likelihood)] = 0.0
            accept = draw(count) < np.exp(np.minimum(np.nan_to_num(gain, nan=-np.inf), 0.0))
            self.rows[accept], self.likelihood[accept] = moved[accept], likelihood[accept]
            if self.prior is not None and prior is not None:
                self.prior[accept] = prior[accept]
            self.taken += int(accept.sum())
            self.tried += count


def tempered(goal: Goal, pool: Chains, count: int, draw: Draw) -> Chains:
    """Lead rows from the prior to the posterior by degrees, p(y | x)^β p(x) with β from 0 to 1.

    Each degree is so much higher that half of the rows stay effective; they are drawn again by
    what they gain, and then take a few steps (Del Moral, Doucet & Jasra 2006, section 3.3.2, with
    the degrees of Jasra et al. 2011). So rows get where no candidate of the prior lies.

    Parameters
    ----------
    goal : Goal
        With the prior's density.
    pool : Chains
        At draws from the prior.
    count : int
        How many rows are wanted.
    draw : callable
        The next so many numbers of [0, 1).
    """
    power, size = 0.0, max(count, _ROWS)
    for _ in range(_DEGREES):
        rise, weights = _next(pool.likelihood, 1 - power)
        power += rise
        spread = spread_of(pool.rows, weights)
        pool = pool.part(drawn_again(weights, size, draw))
        if power >= 1:
            break
        pool.walk(_ROUNDS, draw, spread, power)
    return pool.part(np.arange(count))


def _next(logs: NDArray[np.float64], most: float) -> tuple[float, NDArray[np.float64]]:
    """Return how far to go, up to ``most``, and the weights of the rows there."""

    def weights(rise: float) -> NDArray[np.float64]:
        return np.asarray(np.exp(rise * (logs - logs.max())))

    enough = np.isfinite(logs).sum() / 2
    if effective_size(weights(most)) >= enough:
        return most, weights(most)
    low, high = 0.0, most
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if effective_size(weights(middle)) >= enough else (low, middle)
    return high, weights(high)


def effective_size(weights: NDArray[np.float64]) -> float:
    """Return how many independent draws weighted ones are worth, (Σw)² / Σw² (Kong 1992)."""
    return float(weights.sum() ** 2 / np.square(weights).sum())


def drawn_again(weights: NDArray[np.float64], count: int, draw: Draw) -> NDArray[np.intp]:
    """Draw indices in proportion to the weights, as evenly as can be (Kitagawa 1996), shuffled."""
    edges = np.cumsum(weights)
    edges /= edges[-1]
    offset, order = draw(1)[0], draw(count)
    picks = np.searchsorted(edges, (np.arange(count) + offset) / count, side="right")
    return np.asarray(np.minimum(picks, len(weights) - 1)[np.argsort(order, kind="stable")])


def spread_of(rows: NDArray[np.float64], weights: NDArray[Any]) -> NDArray[np.float64]:
    """Return R with RᵀR the covariance of weighted rows, or nearly that of all if it is flat."""
    whole = np.atleast_2d(np.cov(rows.T, ddof=0))
    covariance = np.atleast_2d(np.cov(rows.T, ddof=0, aweights=weights))
    ridge = 1e-6 * np.trace(whole) / len(whole) + 1e-300
    values, vectors = np.linalg.eigh(covariance + ridge * np.eye(len(whole)))
    return np.asarray(np.sqrt(np.maximum(values, 0))[:, np.newaxis] * vectors.T)
