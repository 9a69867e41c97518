"""What the models of this library promise one another: typing Protocols that need NumPy only."""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray

__all__ = ["Density"]


class Density(Protocol):
    """A distribution over rows of numbers that can be drawn from and asked."""

    def log_prob(self, q: Any) -> NDArray[Any]:
        """Return log p of each row, (n,), in nats."""

    def sample(self, n: int, *, seed: int = 0) -> NDArray[Any]:
        """Return n rows, (n, d)."""
