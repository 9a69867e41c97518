"""How long work tells where it stands, and how it is stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from synth.arguments import shown
from synth.errors import InputTypeError

__all__ = ["Callback", "Progress", "report"]


@dataclass(frozen=True)
class Progress:
    """One report from a long call.

    Attributes
    ----------
    stage : str
        What is being done, for people: ``"level 2 of 4"``.
    fraction : float
        How much of the whole call is done, 0 to 1; it never goes down.
    """

    stage: str
    fraction: float


#: Called with a `Progress` now and then. Whatever it raises stops the work and reaches the caller.
Callback = Callable[[Progress], None]


def report(callback: Callback | None, stage: str, fraction: float) -> None:
    """Call ``callback`` if there is one."""
    if callback is not None:
        if not callable(callback):
            raise InputTypeError(
                f"callback is {shown(callback)}, but a function of a Progress is needed"
            )
        callback(Progress(stage, min(1.0, max(0.0, fraction))))
