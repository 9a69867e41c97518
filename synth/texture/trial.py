"""Which method suits an exemplar: both make a little of it, and the worst places decide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth.patchmatch.nnf import nnf
from synth.patchmatch.pyramid import allowed_patches
from synth.texture.atlas import Atlas, halve

__all__ = ["badness"]

#: Halvings and the side of the patches that are looked at there: fine seams and broken layout.
_LOOKS = ((0, 7), (2, 9))
#: The share of patches that are worse than what is told.
_WORST = 0.05


def badness(atlas: Atlas, sources: NDArray[np.int32]) -> list[float]:
    """Tell how far the worst patches of a texture are from all of the exemplar's.

    Parameters
    ----------
    atlas : Atlas
    sources : (rows, columns, 2) int32
        The texture, as source pixels.

    Returns
    -------
    list of float
        At full resolution and, where that leaves enough, at a quarter of it: the root mean square
        difference, in 8-bit steps, that 5 % of the texture's patches exceed.
    """
    found = []
    shape = sources.shape[0], sources.shape[1]
    made = Atlas(
        atlas.channels[sources[..., 0], sources[..., 1]],
        np.zeros((*shape, 0), np.uint8),
        np.ones(shape, np.bool_),
        shape,
    )
    done = 0
    for halvings, patch in _LOOKS:
        for _ in range(halvings - done):
            atlas, made = halve(atlas), halve(made)
        done = halvings
        if min(*atlas.smallest, *made.smallest) < 2 * patch:
            break
        if not allowed_patches(atlas.inside, patch).any():
            break
        field = nnf(
            made.channels, atlas.channels, patch=patch, quality="accurate",
            source_mask=~atlas.inside,
        )  # fmt: skip
        square = np.quantile(field.distance, 1 - _WORST) / (patch**2 * made.channels.shape[2])
        found.append(float(np.sqrt(square)))
    return found
