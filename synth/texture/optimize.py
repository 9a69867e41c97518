"""Patch optimisation, coarse to fine: every patch of the output looks like one of the exemplar.

Kwatra et al. 2005 ("Texture optimization for example-based synthesis", SIGGRAPH), with the nearest
neighbours of PatchMatch at every level as in Granot et al. 2022 ("Drop the GAN"). What is used
more often than its share costs more (Kaspar et al. 2015, "Self tuning texture optimization"), so
that the output does not collapse onto a few patches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.kernels._jit import Bands
from synth.patchmatch.pyramid import allowed_patches
from synth.texture.atlas import Atlas, halve
from synth.texture.level import SHARE_COST, Level, Target
from synth.texture.quilting import block_side, quilt

__all__ = ["Effort", "optimize"]

#: The coarsest exemplar is at least so many patches wide …
_COARSEST = 5
#: … and the coarsest output so many pixels.
_SMALLEST_OUTPUT = 2
#: The blocks of the coarsest layout are the exemplar's side by this: structure before variety.
_LAYOUT_SHARE = 4
#: A level is settled when a round changes its channels by less than this on average, of 255.
_SETTLED = 0.15


@dataclass(frozen=True)
class Effort:
    """How much work each level gets: rounds at the coarsest and the finest, sweeps a round."""

    coarse_rounds: int
    fine_rounds: int
    sweeps: int


def _radii(largest: int, ratio: int) -> NDArray[np.int64]:
    radii = [max(1, largest)]
    while radii[-1] >= ratio:
        radii.append(radii[-1] // ratio)
    return np.array(radii, np.int64)


def _pyramid(atlas: Atlas, target: Target, patch: int) -> list[tuple[Atlas, Target]]:
    """Halve exemplars and output, finest first, while both are wide enough."""
    found = [(atlas, target)]
    while len(found) <= 6:
        coarser = halve(found[-1][0]), found[-1][1].halved()
        if np.count_nonzero(allowed_patches(coarser[0].inside, _COARSEST * patch)) == 0:
            break
        if min(coarser[1].shape) < _SMALLEST_OUTPUT * patch:
            break
        found.append(coarser)
    return found


def optimize(
    atlas: Atlas,
    target: Target,
    *,
    patch: int,
    tile: bool,
    variation: float,
    effort: Effort,
    key: tuple[int, int],
    bands: Bands,
    tick: Callable[[str, float], None],
) -> NDArray[np.int32]:
    """Return the source pixel of every pixel of the output, (rows, columns, 2), −1 = known.

    Parameters
    ----------
    atlas, target : Atlas, Target
    patch : int
        Side of a patch, the same at every level.
    tile : bool
        The output's opposite borders fit together.
    variation : float
        0 to 1: how evenly the exemplar is used.
    effort : Effort
    key : (int, int)
        Philox key.
    bands : Bands
    tick : callable
        Told what is done and how much of it, 0 to 1.
    """
    pyramid = _pyramid(atlas, target, patch)
    top = len(pyramid) - 1
    ratio = effort.coarse_rounds / effort.fine_rounds
    counts = [round(effort.fine_rounds * ratio ** (n / max(top, 1))) for n in range(top + 1)]
    work = np.array([count * 0.25**number for number, count in enumerate(counts)])
    previous: Level | None = None
    for number in range(top, -1, -1):
        level = Level(*pyramid.pop(), patch, tile, key, bands)
        here = f"level {top - number + 1} of {top + 1}"
        before, part = work[number + 1 :].sum() / work.sum(), work[number] / work.sum()
        if previous is None:
            level.start(_layout(level, atlas, top, tile, variation, key, bands))
            radii = _radii(max(level.allowed.shape), 2)
        else:
            level.descend(previous)
            radii = _radii(16, 4)
        level.vote()
        for one in range(counts[number]):
            tick(here, before + part * one / counts[number])
            found = level.content.copy()
            level.search(radii, effort.sweeps, one)
            if variation > 0:
                level.share(variation * SHARE_COST)
            level.vote()
            if np.abs(level.content - found).mean() < _SETTLED:
                break
        previous = level
    assert previous is not None
    previous.search(_radii(16, 4), 1, counts[0] + 1)
    return previous.best()


def _layout(
    level: Level, atlas: Atlas, top: int, tile: bool, variation: float, key: tuple[int, int],
    bands: Bands,
) -> NDArray[np.int32]:  # fmt: skip
    """Quilt the coarsest level: a layout that is right in the large."""
    for _ in range(top):
        atlas = halve(atlas)
    block = block_side(atlas, level.target.shape, tile, _LAYOUT_SHARE)
    return quilt(
        atlas, level.target.guide, level.target.shape, block=block, tile=tile,
        variation=variation, key=key, bands=bands, tick=lambda _: None,
    )  # fmt: skip
