"""What compiles every kernel of textures, on tiny pictures."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from synth.texture.synthesize import synthesize

if TYPE_CHECKING:
    from synth.compilation import Work

__all__ = ["works"]


def works() -> list[Work]:
    """List calls that between them use every kernel of the package."""
    exemplar = np.random.default_rng(0).integers(0, 256, (48, 40, 3), np.uint8)
    return [
        ("texture, quilting", partial(synthesize, exemplar, (64, 72), method="quilting")),
        ("texture, patchmatch", partial(synthesize, exemplar, (64, 72), method="patchmatch")),
    ]
