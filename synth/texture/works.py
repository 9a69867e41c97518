"""What compiles every kernel of textures, on tiny pictures."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from synth.texture.efros_leung import EfrosLeung
from synth.texture.synthesize import synthesize

if TYPE_CHECKING:
    from synth.compilation import Work

__all__ = ["works"]


def works() -> list[Work]:
    """List calls that between them use every kernel of the package."""
    exemplar = np.random.default_rng(0).integers(0, 256, (48, 40, 3), np.uint8)
    grey = exemplar[..., 0]
    model = EfrosLeung(5).fit(grey)
    soft = EfrosLeung(5, weighting="softmax").fit(grey)

    def ask() -> None:
        model.conditional(grey, np.ones(grey.shape, np.bool_), [[9, 9]])
        model.sample((12, 12)).dependency_graph()

    return [
        ("Efros-Leung, sampling", ask),
        ("Efros-Leung, scoring", partial(soft.log_prob, grey[:12, :12])),
        ("texture, quilting", partial(synthesize, exemplar, (64, 72), method="quilting")),
        ("texture, patchmatch", partial(synthesize, exemplar, (64, 72), method="patchmatch")),
    ]
