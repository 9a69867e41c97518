"""Expectation-maximisation over patches, coarse to fine (Wexler et al. 2007, Barnes et al. 2009).

E step: every patch that touches the hole looks for its nearest known patch. M step: every hole
pixel becomes the weighted mean of what the patches over it propose. From one level to the next
the field is carried over, never the pixels: those are voted again from the finer source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.kernels._jit import Bands
from synth.kernels.cpu import adapt, patchmatch
from synth.kernels.cpu.vote import NO_SUMS, pick_best, vote
from synth.patchmatch.adaptation import Adapt, Adaptation, Change
from synth.patchmatch.peel import Draws, guess, peel
from synth.patchmatch.pyramid import Level, is_thin
from synth.patchmatch.stage import LIMIT, Stage, band_bounds, make_stage
from synth.randomness import Purpose

__all__ = ["Effort", "Solution", "solve"]

#: How much an unknown element's smooth guess counts beside a known element in the peel …
_GUESS_TRUST = 0.3
#: … from this level on, and coarser.
_GUESS_LEVEL = 2
#: Wide holes are peeled anew at so many levels below the coarsest, …
_PEELED_AGAIN = 2
#: … where what the coarser level found counts so much beside a known element. Little: a thin
#: line, and where exactly it runs, is seen for the first time on the finer level.
_COARSE_TRUST = 0.1
#: A level is settled when a round changes its channels by less than this on average, of 255.
_SETTLED = 0.15


@dataclass(frozen=True)
class Effort:
    """How much work each level gets.

    Attributes
    ----------
    coarse_rounds, fine_rounds : int
        EM rounds at the coarsest and at the finest level; geometric between them.
    sweeps : int
        PatchMatch sweeps per E step.
    peel_samples : int
        Random candidates per query in the onion peel, where the level is too large to try all.
    """

    coarse_rounds: int
    fine_rounds: int
    sweeps: int
    peel_samples: int


@dataclass(frozen=True)
class Solution:
    """Where each hole pixel of the finest level comes from.

    Attributes
    ----------
    pixels, sources : (n, 2) int32
        Row and column of hole pixels and of the known pixel that each is copied from.
    energy : tuple of (int, float)
        Level and mean squared difference per patch element after its last round.
    change : Change or None
        How what is copied is adapted, in 8-bit steps.
    """

    pixels: NDArray[np.int32]
    sources: NDArray[np.int32]
    energy: tuple[tuple[int, float], ...]
    change: Change | None = None


class _Solver:
    """The steps of one region; holds what all of them need."""

    def __init__(self, key: tuple[int, int], lane: int, effort: Effort, bands: Bands) -> None:
        self.key = key
        self.lane = lane
        self.effort = effort
        self.bands = bands
        self.iteration = 0
        #: of the current level, where copies are to be adapted
        self.adaptation: Adaptation | None = None

    def _purpose(self, purpose: Purpose) -> int:
        return int(purpose) + (self.lane << 8)

    def search(self, stage: Stage, radii: NDArray[np.int64]) -> None:
        """E step: score the field against the current content, then sweep."""
        _, columns, channels = stage.shape
        count = len(stage.bounds) - 1
        adaptation = self.adaptation
        kernels: Any = patchmatch if adaptation is None else adapt
        known = () if adaptation is None else adaptation.look()
        self.bands(
            kernels.initialize, count, *known, stage.target, columns, stage.source,
            stage.source_width, channels, stage.patch, stage.field, stage.cost, stage.query,
            stage.penalty, stage.choices, *stage.penalty.shape, *self.key,
            self._purpose(Purpose.INITIALIZE), LIMIT, stage.bounds,
        )  # fmt: skip
        for _ in range(self.effort.sweeps):
            forward = self.iteration % 2 == 0
            edge = patchmatch.edge_rows(stage.field, stage.bounds, forward)
            self.bands(
                kernels.sweep, count, *known, stage.target, columns, stage.source,
                stage.source_width, channels, stage.patch, stage.field, stage.cost, stage.query,
                stage.penalty, *stage.penalty.shape, edge, radii, *self.key, self.iteration,
                self._purpose(Purpose.RANDOM_SEARCH), forward, stage.bounds,
            )  # fmt: skip
            self.iteration += 1
        if adaptation is not None:
            adaptation.settle(known)

    def vote(
        self,
        stage: Stage,
        active: NDArray[np.uint8],
        wanted: NDArray[np.bool_],
        rows: tuple[int, int] | None = None,
    ) -> None:
        """M step: set the ``wanted`` pixels from the ``active`` patches.

        Both may be given for some rows of the target only, and for the patches that lie in them.

        A vote weighs decay × exp(−d / 2σ²) (Wexler et al. 2007, equation 3), σ² being half the
        mean cost of the patches round about.
        """
        top, bottom = rows or (0, stage.shape[0])
        inside, patches = slice(top, bottom), slice(top, bottom - stage.patch + 1)
        cost = np.multiply(stage.cost[patches], active, dtype=np.float32)
        sigma2 = _local_mean(cost, active, 2 * stage.patch - 1)
        sigma2 *= 0.5
        # in place: at the finest level each of these is as large as the window
        weight = np.divide(cost, sigma2, out=cost)
        weight *= -0.5
        np.exp(weight, out=weight)
        weight *= stage.decay[patches]
        # never 0, so that a patch far worse than its neighbours still fills what it alone covers
        np.maximum(weight, np.float32(1e-30), out=weight)
        weight *= active
        del sigma2  # as large as the window, and done with
        left = wanted.copy()
        bounds = band_bounds(np.count_nonzero(wanted, axis=1), 2048)
        kernel: Any = vote
        change: tuple[NDArray[np.float32], ...] = ()
        sums: tuple[NDArray[np.float32], ...] = NO_SUMS
        if self.adaptation is not None:
            kernel, change, sums = adapt.vote, self.adaptation.of(patches), ()
        self.bands(
            kernel, len(bounds) - 1, *change, stage.source, stage.source_width, stage.shape[2],
            stage.patch, stage.field[patches], weight, *sums, left, stage.voted,
            stage.content[inside], bounds,
        )  # fmt: skip
        if left.any():
            everywhere = np.zeros_like(stage.hole)
            everywhere[inside] = left
            _borrow(stage, everywhere)

    def peel(self, stage: Stage, level: int, *, again: bool = False) -> None:
        """Onion-peel start, or another peel (``again``) of what came from the coarser level."""
        trust = _COARSE_TRUST
        if not again:
            # in narrow holes the known part of a patch says enough
            trust = _GUESS_TRUST if level >= _GUESS_LEVEL else 0.0
            if trust > 0:
                guess(stage)
        if self.adaptation is not None:
            self.adaptation.reset()

        def settle(
            active: NDArray[np.uint8], layer: NDArray[np.bool_], rows: tuple[int, int]
        ) -> None:
            self.vote(stage, active, layer, rows=rows)

        draws = Draws(
            self.key, self._purpose(Purpose.SAMPLE), self.iteration, self.effort.peel_samples
        )
        self.iteration += peel(
            stage, settle, draws, wide=_peels_carefully(stage, level), trust=trust
        )

    def descend(self, coarse: Stage, fine: Stage, before: Adaptation | None = None) -> None:
        """Carry the field over to the finer level and vote from the finer source.

        ``before`` is the coarser level's adaptation.
        """
        y, x = fine.queries[:, 0], fine.queries[:, 1]
        cy = np.minimum(y >> 1, coarse.cost.shape[0] - 1)
        cx = np.minimum(x >> 1, coarse.cost.shape[1] - 1)
        row = 2 * coarse.field[cy, cx, 0] + (y - 2 * cy)
        column = 2 * coarse.field[cy, cx, 1] + (x - 2 * cx)
        source_rows, source_columns = fine.penalty.shape
        good = (coarse.query[cy, cx] > 0) & (row < source_rows) & (column < source_columns)
        good[good] = fine.penalty[row[good], column[good]] < LIMIT
        y, x, cy, cx = y[good], x[good], cy[good], cx[good]
        fine.field[y, x, 0] = row[good]
        fine.field[y, x, 1] = column[good]
        fine.cost[y, x] = coarse.cost[cy, cx]
        if self.adaptation is not None and before is not None:
            self.adaptation.scale[y, x] = before.scale[cy, cx]
            self.adaptation.offset[y, x] = before.offset[cy, cx]
        active = np.zeros_like(fine.query)
        active[y, x] = 1
        self.vote(fine, active, fine.hole)

    def rounds(
        self,
        stage: Stage,
        count: int,
        radii: NDArray[np.int64],
        tick: Callable[[float], None],
    ) -> float:
        """Alternate E and M steps; return the mean squared difference per element."""
        found = stage.content[stage.hole]
        for number in range(count):
            tick(number / count)
            before = found
            self.search(stage, radii)
            self.vote(stage, stage.query, stage.hole)
            found = stage.content[stage.hole]
            if np.abs(found - before).mean() < _SETTLED:
                break
        cost = stage.cost[stage.query > 0].mean(dtype=np.float64)
        return float(cost) / (stage.patch**2 * stage.shape[2])

    def finish(
        self, stage: Stage, radii: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], Change | None]:
        """The last E step, then each pixel from the best patch over it."""
        self.search(stage, radii)
        if self.adaptation is not None:
            return self.adaptation.pick()
        picked = np.empty_like(stage.pixels)
        bounds = np.linspace(0, len(stage.pixels), 9).astype(np.int64)
        self.bands(
            pick_best, 8, stage.field, stage.cost, stage.query, stage.patch, stage.pixels,
            picked, bounds,
        )  # fmt: skip
        return picked, None


def _peels_carefully(stage: Stage, level: int) -> bool:
    """Tell whether a level is peeled along its edges: not the finest, and no thin hole."""
    return level > 0 and not is_thin(stage.hole)


def _local_mean(
    cost: NDArray[np.float32], active: NDArray[np.uint8], side: int
) -> NDArray[np.float32]:
    """Mean cost of the active patches in a box around each patch, at least 1."""
    import cv2

    def boxed(plane: NDArray[Any], kind: int) -> NDArray[Any]:
        sides = (side, side)
        border = cv2.BORDER_CONSTANT
        return np.asarray(cv2.boxFilter(plane, kind, sides, normalize=False, borderType=border))

    total: NDArray[np.float32] = boxed(cost, cv2.CV_32F)
    count = boxed(active, cv2.CV_16U)
    np.maximum(count, 1, out=count)
    np.divide(total, count, out=total)
    return np.maximum(total, np.float32(1), out=total)


def _borrow(stage: Stage, pixels: NDArray[np.bool_]) -> None:
    """Give pixels that no patch voted for the content of the nearest known pixel."""
    from scipy import ndimage

    nearest = ndimage.distance_transform_edt(
        pixels | stage.hole, return_distances=False, return_indices=True
    )
    content = stage.content[..., : stage.voted]
    content[pixels] = content[nearest[0][pixels], nearest[1][pixels]]


def _radii(largest: int, ratio: int) -> NDArray[np.int64]:
    """Radii of the random search: ``largest``, then ever smaller by ``ratio``, down to 1."""
    radii = [max(1, largest)]
    while radii[-1] >= ratio:
        radii.append(radii[-1] // ratio)
    return np.array(radii, np.int64)


def _rounds(effort: Effort, number: int, top: int) -> int:
    """EM rounds of a level: geometric from the finest, 0, to the coarsest, ``top``."""
    share = number / top if top else 0
    return round(effort.fine_rounds * (effort.coarse_rounds / effort.fine_rounds) ** share)


def solve(
    pyramid: list[Level],
    voted: int,
    *,
    patch: int,
    effort: Effort,
    key: tuple[int, int],
    lane: int,
    bands: Bands,
    tick: Callable[[str, float], None],
    mode: Adapt = "none",
    colours: int = 0,
) -> Solution:
    """Fill the hole of ``pyramid[0]``.

    Parameters
    ----------
    pyramid : list of Level
        Finest first; emptied on the way, because its memory is wanted.
    voted : int
        Channels that have to be found in the hole; those after them are given.
    patch : int
        Side of a patch in pixels, the same at every level.
    effort : Effort
    key, lane : (int, int), int
        Philox key, and a number that tells this region's random numbers from another's.
    bands : Bands
        Runs kernels on this call's threads.
    tick : callable
        Told what is done and how much of it, 0 to 1, before each round.
    mode, colours : str, int
        How copies are adapted to their surroundings, and how many channels are colours then.
    """
    solver = _Solver(key, lane, effort, bands)
    top = len(pyramid) - 1
    counts = [_rounds(effort, number, top) for number in range(top + 1)]
    # each level has a quarter of the pixels of the one below it
    work = np.array([count * 0.25**number for number, count in enumerate(counts)])
    energy = []
    previous: Stage | None = None
    for number in range(top, -1, -1):
        before, share = work[number + 1 :].sum() / work.sum(), work[number] / work.sum()

        def step(
            fraction: float, number: int = number, before: float = before, share: float = share
        ) -> None:
            tick(f"level {top - number + 1} of {top + 1}", 0.95 * (before + fraction * share))

        step(0.0)
        stage = make_stage(pyramid.pop(), voted, patch)
        coarser = solver.adaptation
        if mode != "none":
            solver.adaptation = Adaptation(stage, mode, colours, bands)
        if previous is None:
            solver.peel(stage, number)
            radii = _radii(max(stage.penalty.shape), 2)
        else:
            solver.descend(previous, stage, coarser)
            previous = None  # its memory is wanted for this level
            radii = _radii(32, 4)
            if top - number <= _PEELED_AGAIN and _peels_carefully(stage, number):
                solver.peel(stage, number, again=True)
        mean = solver.rounds(stage, counts[number], radii, step)
        energy.append((number, mean))
        previous = stage
    assert previous is not None
    sources, change = solver.finish(previous, _radii(8, 4))
    return Solution(previous.pixels, sources, tuple(energy), change)
