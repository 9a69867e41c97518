"""What compiles every kernel of editing, on tiny pictures."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from synth.editing.move import move
from synth.editing.reshuffle import reshuffle
from synth.editing.retarget import retarget

if TYPE_CHECKING:
    from synth.compilation import Work

__all__ = ["works"]


def works() -> list[Work]:
    """List calls that between them use every kernel of the package."""
    picture = np.random.default_rng(0).integers(0, 256, (64, 72, 3), np.uint8)
    thing = np.zeros(picture.shape[:2], np.bool_)
    thing[20:36, 12:30] = True
    return [
        ("move", partial(move, picture, thing, (4, 24))),
        ("retarget", partial(retarget, picture, (64, 60), quality="draft")),
        ("reshuffle", partial(reshuffle, picture, [(thing, (4, 24))], quality="draft")),
    ]
