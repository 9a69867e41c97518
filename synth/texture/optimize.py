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
#: A layout at twice the resolution has to fit so much better, in squared differences.
_CLEARLY = 0.85
#: The random search of all but the first level: largest radius, and by what they shrink.
_NEAR = (16, 4)


@dataclass(frozen=True)
class Effort:
    """How much work is done.

    Attributes
    ----------
    coarse_rounds, fine_rounds : int
        At the coarsest and at the finest level; geometric between them.
    sweeps : int
        Of PatchMatch in a round.
    layouts : int
        Layouts tried at each of the two coarsest levels; 0 = one at the coarsest only.
    """

    coarse_rounds: int
    fine_rounds: int
    sweeps: int
    layouts: int


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
    run = _Run(_pyramid(atlas, target, patch), patch, tile, variation, effort, key, bands, tick)
    top = len(run.pyramid) - 1
    level, reached = run.begin(top, 0), top
    if top > 0 and effort.layouts > 0:
        # a layout at twice the resolution keeps thin and regular structures, one at the coarsest
        # is right at more scales: the one whose patches fit better is gone on with
        level, reached = run.follow(level, top - 1), top - 1
        rivals = [(run.begin(top - 1, draw), _CLEARLY) for draw in range(effort.layouts)]
        for draw in range(1, effort.layouts):
            rivals.append((run.follow(run.begin(top, draw), top - 1), 1.0))
        misfit = level.misfit()
        for rival, needed in rivals:
            if rival.misfit() < misfit * needed:
                level, misfit = rival, rival.misfit() / needed
    for number in range(reached - 1, -1, -1):
        level = run.follow(level, number)
    level.search(_radii(*_NEAR), 1, run.counts[0] + 1)
    return level.best()


class _Run:
    """What all levels of one output share."""

    def __init__(
        self, pyramid: list[tuple[Atlas, Target]], patch: int, tile: bool, variation: float,
        effort: Effort, key: tuple[int, int], bands: Bands, tick: Callable[[str, float], None],
    ) -> None:  # fmt: skip
        self.pyramid, self.patch, self.tile, self.variation = pyramid, patch, tile, variation
        self.effort, self.key, self.bands, self.tick = effort, key, bands, tick
        top = len(pyramid) - 1
        ratio = effort.coarse_rounds / effort.fine_rounds
        self.counts = [
            round(effort.fine_rounds * ratio ** (n / max(top, 1))) for n in range(top + 1)
        ]
        # a level has a quarter of the pixels of the next finer one
        work = [count * 0.25**number for number, count in enumerate(self.counts)]
        self.work = work + work[max(top - 1, 0) :] * max(0, 2 * effort.layouts - 1)
        self.done = 0.0

    def begin(self, number: int, draw: int) -> Level:
        """Lay a level out by quilting, and let its patches settle; ``draw`` is its own chance."""
        atlas, target = self.pyramid[number]
        level = Level(atlas, target, self.patch, self.tile, self.key, self.bands)
        block = block_side(atlas, target.shape, self.tile, _LAYOUT_SHARE)
        self.tick("layout", self.done / sum(self.work))
        level.start(
            quilt(
                atlas, target.guide, target.shape, block=block, tile=self.tile,
                variation=self.variation, key=self.key, bands=self.bands, draw=draw,
                tick=lambda _: self.tick("layout", self.done / sum(self.work)),
            )
        )  # fmt: skip
        self._settle(level, number, _radii(max(level.allowed.shape), 2))
        return level

    def follow(self, coarse: Level, number: int) -> Level:
        """Go on at twice the resolution."""
        atlas, target = self.pyramid[number]
        level = Level(atlas, target, self.patch, self.tile, self.key, self.bands)
        level.descend(coarse)
        self._settle(level, number, _radii(*_NEAR))
        return level

    def _settle(self, level: Level, number: int, radii: NDArray[np.int64]) -> None:
        level.vote()
        whole, part = sum(self.work), self.counts[number] * 0.25**number
        for one in range(self.counts[number]):
            share = part * one / self.counts[number]
            self.tick(f"{level.target.shape[0]} rows", (self.done + share) / whole)
            found = level.content.copy()
            level.search(radii, self.effort.sweeps, one)
            if self.variation > 0:
                level.share(self.variation * SHARE_COST)
            level.vote()
            if np.abs(level.content - found).mean() < _SETTLED:
                break
        self.done += part
