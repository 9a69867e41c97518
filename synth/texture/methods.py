"""Which method makes a texture, and how each is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError
from synth.kernels._jit import Bands, threads
from synth.patchmatch.pyramid import allowed_patches
from synth.progress import Callback, report
from synth.texture.atlas import Atlas, lay_out, sheet
from synth.texture.level import Target
from synth.texture.optimize import Effort, optimize
from synth.texture.pixelwise import grow_texture
from synth.texture.quilting import block_side, quilt
from synth.texture.request import Request
from synth.texture.trial import badness

__all__ = ["Made", "run"]

_EFFORTS = {
    "draft": Effort(coarse_rounds=8, fine_rounds=2, sweeps=1, layouts=0),
    "normal": Effort(coarse_rounds=20, fine_rounds=5, sweeps=1, layouts=1),
    "best": Effort(coarse_rounds=30, fine_rounds=10, sweeps=2, layouts=3),
}
_PATCH = 7
#: Side of the small texture that methods are compared on.
_TRIAL = 192
#: Patchmatch is more varied for about the same faults, so quilting has to be clearly better.
_CLEARLY = 0.95


@dataclass(frozen=True)
class Made:
    """A source map, the method that made it, and why that one.

    ``order`` and ``candidates`` are those of `synth.Sample`, where pixels were drawn one by one.
    """

    source_map: NDArray[np.int32]
    method: str
    why: str
    order: NDArray[np.int32] | None = None
    candidates: NDArray[np.int32] | None = None


def run(request: Request, callback: Callback | None) -> Made:
    """Make what was asked for."""
    if request.method == "efros-leung":
        grown = grow_texture(request, callback)
        source = grown.source if request.several else np.ascontiguousarray(grown.source[..., 1:])
        return Made(source, request.method, "it was asked for", grown.order, grown.candidates)
    atlas, known = lay_out(
        request.layers, request.guides, request.masks, request.known, request.unknown
    )
    _check(request, atlas)
    with threads() as bands:
        report(callback, "comparing methods", 0.0)
        name, why = _choose(request, atlas, bands)

        def tick(stage: str, fraction: float) -> None:
            report(callback, stage, 0.02 + 0.96 * fraction)

        sources = _make(name, request, atlas, known, bands, tick)
    return Made(_map(request, sources), name, why)


def _check(request: Request, atlas: Atlas) -> None:
    if request.method == "quilting" and request.known is not None:
        raise InputError(
            "method is 'quilting', which cannot go on from known pixels; pass "
            "method='patchmatch', or leave known out"
        )
    side = request.patch or 3
    if not allowed_patches(atlas.inside, side).any():
        raise InputError(
            f"exemplar_mask leaves no patch of {side}×{side} pixels to copy from; mask less"
            + (", or pass a smaller patch" if side > 3 else "")
        )


def _choose(request: Request, atlas: Atlas, bands: Bands) -> tuple[str, str]:
    if request.method != "auto":
        return request.method, "it was asked for"
    if request.known is not None:
        return "patchmatch", "it goes on from known pixels"
    if request.guide is not None:
        return "patchmatch", "it follows the guide at all scales"
    trial = replace(
        request, tile=False, patch=None, key=(0, 0),
        shape=(min(request.shape[0], _TRIAL), min(request.shape[1], _TRIAL)),
    )  # fmt: skip
    bad = {
        name: badness(atlas, _make(name, trial, atlas, None, bands, lambda *_: None))
        for name in ("patchmatch", "quilting")
    }
    if not bad["patchmatch"]:
        return "quilting", "the exemplar or the texture is too small for several scales"
    # + 1: both are good where they differ from the exemplar by a grey level or two
    ratios = [
        (ours + 1) / (theirs + 1)
        for ours, theirs in zip(bad["quilting"], bad["patchmatch"], strict=True)
    ]
    ratio = float(np.exp(np.mean(np.log(ratios))))
    name = "quilting" if ratio < _CLEARLY else "patchmatch"
    told = f"in a small trial the worst places by quilting were {ratio:.2f} times as bad"
    return name, told + " as by patchmatch"


def _patch_side(atlas: Atlas, shape: tuple[int, int]) -> int:
    side = min(_PATCH, *shape)
    while side > 3 and not allowed_patches(atlas.inside, side).any():
        side -= 1
    return side


def _make(
    name: str, request: Request, atlas: Atlas, known: NDArray[np.uint8] | None, bands: Bands,
    tick: Callable[[str, float], None],
) -> NDArray[np.int32]:  # fmt: skip
    """Return the source pixel on the atlas of every pixel of the output."""
    if name == "quilting":
        return quilt(
            atlas, request.guide, request.shape,
            block=request.patch or block_side(atlas, request.shape, request.tile),
            tile=request.tile, variation=request.variation, key=request.key, bands=bands,
            tick=lambda fraction: tick("quilting", fraction),
        )  # fmt: skip
    return optimize(
        atlas, Target(request.shape, request.guide, known, request.unknown),
        patch=request.patch or _patch_side(atlas, request.shape), tile=request.tile,
        variation=request.variation, effort=_EFFORTS[request.quality], key=request.key,
        bands=bands, tick=tick,
    )  # fmt: skip


def _map(request: Request, sources: NDArray[np.int32]) -> NDArray[np.int32]:
    """Turn places on the atlas into places in exemplars."""
    if not request.several:
        return sources
    tops, _ = sheet([one.shape[:2] for one in request.layers[0]])
    number = np.searchsorted(tops, sources[..., 0], side="right").astype(np.int32) - 1
    row = sources[..., 0] - np.array(tops, np.int32)[np.maximum(number, 0)]
    result = np.stack([number, row, sources[..., 1]], axis=-1)
    result[sources[..., 0] < 0] = -1
    return np.ascontiguousarray(result, np.int32)
