"""A request for a texture, answered pixel by pixel by Efros & Leung's model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.progress import Callback
from synth.texture.efros_leung import EfrosLeung
from synth.texture.exemplars import Levels
from synth.texture.request import Request
from synth.texture.sample import Sample

__all__ = ["grow_texture"]

_WINDOW = 11
#: The paper's tolerance, 0.1, is a variation of one half.
_EPS = 0.2


def grow_texture(request: Request, callback: Callback | None) -> Sample:
    """Grow what was asked for; several layers are one picture of many channels to the model."""
    side = request.patch or min(_WINDOW, *request.smallest)
    model = EfrosLeung(window=side - 1 + side % 2, eps=_EPS * request.variation)
    exemplars = [_stack(request.layers, list(one)) for one in zip(*request.layers, strict=True)]
    guided = request.guide is not None
    model.fit(*exemplars, mask=request.masks, guide=list(request.guides) if guided else None)
    begun = None if request.known is None else _stack(request.layers, request.known)
    return model.sample(
        request.shape,
        init=begun,
        known=None if request.unknown is None else ~request.unknown,
        guide=request.guide,
        periodic=request.tile,
        seed=request.key[0] | request.key[1] << 32,
        callback=callback,
    )


def _stack(
    layers: Sequence[Sequence[NDArray[Any]]], pictures: Sequence[NDArray[Any]]
) -> NDArray[Any]:
    """Put the layers of one surface into channels that count alike."""
    if len(layers) == 1:
        return pictures[0]
    planes = [Levels.of(own)(one) for own, one in zip(layers, pictures, strict=True)]
    return np.ascontiguousarray(np.moveaxis(np.concatenate(planes), 0, -1))
