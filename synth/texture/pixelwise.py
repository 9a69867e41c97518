"""A request for a texture, answered pixel by pixel by Efros & Leung's model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from synth.errors import InputError
from synth.patchmatch.features import guide_channels
from synth.patchmatch.request import Request as FillRequest
from synth.progress import Callback
from synth.texture.efros_leung import EfrosLeung
from synth.texture.exemplars import Levels
from synth.texture.request import Request
from synth.texture.sample import Sample

__all__ = ["fill_by_pixels", "grow_texture"]

_WINDOW = 11
#: The paper's tolerance, 0.1, is a variation of one half.
_EPS = 0.2


def grow_texture(request: Request, callback: Callback | None) -> Sample:
    """Grow what was asked for; several layers are one picture of many channels to the model."""
    side = request.patch or min(_WINDOW, *request.smallest)
    model = EfrosLeung(window=side - 1 + side % 2, eps=_EPS * request.variation)
    layers = [
        [_without(one, mask) for one, mask in zip(layer, request.masks, strict=True)]
        for layer in request.layers
    ]
    exemplars = [_stack(layers, list(one)) for one in zip(*layers, strict=True)]
    _check_room(
        [
            np.ones(one.shape[:2], np.bool_) if mask is None else ~mask
            for one, mask in zip(exemplars, request.masks, strict=True)
        ],
        model.window,
    )
    guided = request.guide is not None
    model.fit(*exemplars, mask=request.masks, guide=list(request.guides) if guided else None)
    begun = None if request.known is None else _stack(layers, request.known)
    return model.sample(
        request.shape,
        init=begun,
        known=None if request.unknown is None else ~request.unknown,
        guide=request.guide,
        periodic=request.tile,
        seed=request.key[0] | request.key[1] << 32,
        callback=callback,
    )


def fill_by_pixels(request: FillRequest, callback: Callback | None) -> Sample:
    """Grow what is missing of a picture from the rest of it, from the hole's border inwards."""
    hole, image = request.hole, request.image
    missing = hole if request.source is None else hole | ~request.source
    guide = request.guide
    if guide is not None:
        planes = guide[..., np.newaxis] if guide.ndim == 2 else guide
        guide = guide_channels(planes, 1 if image.ndim == 2 else image.shape[2])
    side = request.patch - 1 + request.patch % 2
    _check_room([~missing], side)
    model = EfrosLeung(side).fit(image, mask=missing, guide=guide)
    return model.sample(
        (hole.shape[0], hole.shape[1]),
        init=image,
        known=~hole,
        guide=guide,
        seed=request.key[0] | request.key[1] << 32,
        callback=callback,
    )


def _check_room(usable: Sequence[NDArray[np.bool_]], side: int) -> None:
    """Refuse where no whole window may be looked up."""
    for one in usable:
        if ndimage.minimum_filter(one, side, mode="constant", cval=0).any():
            return
    raise InputError(
        f"no {side}×{side} pixels in a square may be copied from, so there is nothing to look "
        "up; pass a smaller patch, or allow more of the picture"
    )


def _without(image: NDArray[Any], mask: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Leave no trace of masked pixels."""
    if mask is None or not mask.any() or mask.all():
        return image
    cleared = image.copy()
    cleared[mask] = image[~mask][0]
    return cleared


def _stack(
    layers: Sequence[Sequence[NDArray[Any]]], pictures: Sequence[NDArray[Any]]
) -> NDArray[Any]:
    """Put the layers of one surface into channels that count alike."""
    if len(layers) == 1:
        return pictures[0]
    planes = [Levels.of(own)(one) for own, one in zip(layers, pictures, strict=True)]
    return np.ascontiguousarray(np.moveaxis(np.concatenate(planes), 0, -1))
