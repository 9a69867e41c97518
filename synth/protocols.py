"""What the models of this library promise one another: typing Protocols that need NumPy only."""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray

__all__ = ["Density", "NextSymbol"]


class Density(Protocol):
    """A distribution over rows of numbers that can be drawn from and asked."""

    def log_prob(self, q: Any) -> NDArray[Any]:
        """Return log p of each row, (n,), in nats."""

    def sample(self, n: int, *, seed: int = 0) -> NDArray[Any]:
        """Return n rows, (n, d)."""


class NextSymbol(Protocol):
    """The mapping of an autoregressive model: what may come next, given what is known.

    Symbols are 0 … S − 1: grey levels, letters, words. The graph of dependencies is designed
    apart from it (`synth.DependencyGraph`), and any mapping sits on any graph: looked up, counted
    or learned.
    """

    def next_log_probs(self, values: Any, known: Any, at: Any) -> NDArray[Any]:
        """Return log p of each symbol at some places.

        Parameters
        ----------
        values : (rows, columns) int64
            What is known so far.
        known : (rows, columns) bool
            True = known; other values mean nothing. Only those in the graph's window around a
            place may be looked at, else the order is not what it says.
        at : (n, 2) int64
            Rows and columns.

        Returns
        -------
        (n, S) ndarray
        """
