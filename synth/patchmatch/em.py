"""Expectation-maximisation over patches, coarse to fine (Wexler et al. 2007, Barnes et al. 2009).

E step: every patch that touches the hole looks for its nearest known patch. M step: every hole
pixel becomes the weighted mean of what the patches over it propose. From one level to the next
the field is carried over, never the pixels: those are voted again from the finer source.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.kernels._jit import Bands
from synth.kernels.cpu import patchmatch
from synth.kernels.cpu.distance import PADDING
from synth.kernels.cpu.onion import peel_search
from synth.kernels.cpu.vote import pick_best, vote
from synth.patchmatch.pyramid import Level, allowed_patches
from synth.randomness import Purpose

__all__ = ["Effort", "Solution", "solve"]

#: The largest cost, so that a penalty of FORBIDDEN is never accepted.
_LIMIT = np.int32(patchmatch.FORBIDDEN)

#: Votes lose this factor for each pixel that a patch's centre lies inside the hole
#: (Wexler et al. 2007, section 3.2: what is near the border is known better).
BORDER_DECAY = 2.5

#: The onion peel tries every source where there are at most this many pairs of query and source.
_PEEL_PAIRS = 300_000


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
    """

    pixels: NDArray[np.int32]
    sources: NDArray[np.int32]
    energy: tuple[tuple[int, float], ...]


@dataclass
class _Stage:
    """Buffers of one level. ``target`` is ``source`` with the hole's current content in it."""

    patch: int
    voted: int
    target: NDArray[np.int16]
    source: NDArray[np.uint8]
    shape: tuple[int, int, int]
    hole: NDArray[np.bool_]
    pixels: NDArray[np.int32]
    query: NDArray[np.uint8]
    queries: NDArray[np.int32]
    penalty: NDArray[np.int32]
    choices: NDArray[np.int32]
    decay: NDArray[np.float32]
    field: NDArray[np.int32]
    cost: NDArray[np.int32]
    bounds: NDArray[np.int64] = field(repr=False)

    @property
    def content(self) -> NDArray[np.int16]:
        """The target as (rows, columns, channels)."""
        rows, columns, channels = self.shape
        return self.target[: rows * columns * channels].reshape(self.shape)


def _split(count: NDArray[Any], bands: int) -> NDArray[np.int64]:
    """Bounds of bands of whole rows with about the same number of queries in each."""
    total = np.concatenate([[0], np.cumsum(count)])
    wanted = total[-1] * np.arange(bands + 1) / bands
    bounds = np.searchsorted(total, wanted, side="left").astype(np.int64)
    bounds[0], bounds[-1] = 0, len(count)
    return np.maximum.accumulate(bounds)


def _stage(level: Level, voted: int, patch: int) -> _Stage:
    import cv2

    rows, columns, channels = level.features.shape
    source = np.zeros(level.features.size + PADDING, np.uint8)
    source[: level.features.size] = level.features.ravel()
    allowed = allowed_patches(level.allowed, patch)
    penalty = np.where(allowed, np.int32(0), np.int32(patchmatch.FORBIDDEN))
    untouched = allowed_patches(~level.hole, patch)
    query = (~untouched).astype(np.uint8)
    inside = cv2.distanceTransform(level.hole.astype(np.uint8), cv2.DIST_L2, 3)
    half = patch // 2
    centres = inside[half : half + query.shape[0], half : half + query.shape[1]]
    per_row = query.sum(axis=1, dtype=np.int64)
    bands = int(np.clip(per_row.sum() // 2048, 1, 16))
    return _Stage(
        patch=patch,
        voted=voted,
        target=source.astype(np.int16),
        source=source,
        shape=(rows, columns, channels),
        hole=level.hole,
        pixels=np.argwhere(level.hole).astype(np.int32),
        query=query,
        queries=np.argwhere(query).astype(np.int32),
        penalty=penalty,
        choices=np.flatnonzero(allowed).astype(np.int32),
        decay=np.power(np.float32(BORDER_DECAY), -np.minimum(centres, 200), dtype=np.float32),
        field=np.full((*query.shape, 2), -1, np.int32),
        cost=np.zeros(query.shape, np.int32),
        bounds=_split(per_row, bands),
    )


class _Solver:
    """The rounds of one region; holds what every step needs."""

    def __init__(self, key: tuple[int, int], lane: int, effort: Effort, bands: Bands) -> None:
        self.key = key
        self.lane = lane
        self.effort = effort
        self.bands = bands
        self.iteration = 0

    def _purpose(self, purpose: Purpose) -> int:
        return int(purpose) + (self.lane << 8)

    def score(self, stage: _Stage) -> None:
        """Measure the field against the current content; draw sources where there are none."""
        _, columns, channels = stage.shape
        self.bands(
            patchmatch.initialize, len(stage.bounds) - 1, stage.target, columns, stage.source,
            columns, channels, stage.patch, stage.field, stage.cost, stage.query, stage.penalty,
            stage.choices, *stage.penalty.shape, *self.key, self._purpose(Purpose.INITIALIZE),
            _LIMIT, stage.bounds,
        )  # fmt: skip

    def search(self, stage: _Stage, radii: NDArray[np.int64]) -> None:
        """E step."""
        _, columns, channels = stage.shape
        self.score(stage)
        for _ in range(self.effort.sweeps):
            forward = self.iteration % 2 == 0
            edge = patchmatch.edge_rows(stage.field, stage.bounds, forward)
            self.bands(
                patchmatch.sweep, len(stage.bounds) - 1, stage.target, columns, stage.source,
                columns, channels, stage.patch, stage.field, stage.cost, stage.query,
                stage.penalty, *stage.penalty.shape, edge, radii, *self.key, self.iteration,
                self._purpose(Purpose.RANDOM_SEARCH), forward, stage.bounds,
            )  # fmt: skip
            self.iteration += 1

    def weights(self, stage: _Stage, active: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Vote weights γ^(−depth) exp(−d / 2σ²), σ² the mean cost of the patches round about."""
        import cv2

        side = 2 * stage.patch - 1
        masked = np.where(active, stage.cost, 0).astype(np.float32)
        mean = cv2.boxFilter(masked, -1, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
        count = cv2.boxFilter(
            active, cv2.CV_32F, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT
        )
        sigma2 = np.maximum(mean / np.maximum(count, 1), np.float32(1))
        weight = stage.decay * np.exp(-masked / (2 * sigma2))
        return np.where(active, np.maximum(weight, np.float32(1e-30)), np.float32(0))

    def mean_vote(
        self, stage: _Stage, weight: NDArray[np.float32], wanted: NDArray[np.bool_]
    ) -> None:
        """M step: write the weighted means into the content where ``wanted``."""
        _, columns, channels = stage.shape
        left = wanted.copy()
        per_row = np.count_nonzero(wanted, axis=1)
        bounds = _split(per_row, int(np.clip(per_row.sum() // 2048, 1, 32)))
        self.bands(
            vote, len(bounds) - 1, stage.source, columns, channels, stage.patch, stage.field,
            weight, left, stage.voted, stage.content, bounds,
        )  # fmt: skip
        if left.any():
            self._borrow(stage, left)

    @staticmethod
    def _borrow(stage: _Stage, pixels: NDArray[np.bool_]) -> None:
        """Give pixels that no patch voted for the content of the nearest known pixel."""
        from scipy import ndimage

        nearest = ndimage.distance_transform_edt(
            pixels | stage.hole, return_distances=False, return_indices=True
        )
        content = stage.content[..., : stage.voted]
        content[pixels] = content[nearest[0][pixels], nearest[1][pixels]]

    def peel(self, stage: _Stage) -> None:
        """Onion-peel start: layer by layer inwards, each matched by what is known so far."""
        import cv2

        rows, columns, channels = stage.shape
        patch, half = stage.patch, stage.patch // 2
        unknown = stage.hole.copy()
        known = np.full(stage.target.shape, -1, np.int16)
        known_view = known[: rows * columns * channels].reshape(stage.shape)
        known_view[unknown, : stage.voted] = 0
        ring = np.ones((3, 3), np.uint8)
        exhaustive = len(stage.queries) * len(stage.choices) <= _PEEL_PAIRS
        samples = 0 if exhaustive else self.effort.peel_samples
        while unknown.any():
            rest = cv2.erode(
                unknown.astype(np.uint8), ring, borderType=cv2.BORDER_CONSTANT, borderValue=1
            )
            layer = unknown & (rest == 0)
            if not layer.any():
                layer = unknown
            # patches over the layer whose own centre is not deeper in the hole
            over = cv2.dilate(layer.astype(np.uint8), np.ones((patch, patch), np.uint8))
            over[unknown & ~layer] = 0
            active = np.zeros_like(stage.query)
            active[:] = over[half : half + active.shape[0], half : half + active.shape[1]]
            active &= stage.query
            share = 1 - cv2.boxFilter(
                unknown.astype(np.float32), -1, (patch, patch), normalize=True,
                anchor=(0, 0), borderType=cv2.BORDER_CONSTANT,
            )  # fmt: skip
            scale = 1 / np.maximum(share[: active.shape[0], : active.shape[1]], 1 / patch**2)
            peel_search(
                stage.target, columns, known, stage.source, columns, channels, patch,
                stage.field, stage.cost, scale.astype(np.float32),
                np.argwhere(active).astype(np.int32), stage.penalty, stage.choices,
                stage.penalty.shape[1], samples, *self.key, self.iteration,
                self._purpose(Purpose.SAMPLE), _LIMIT,
            )  # fmt: skip
            self.iteration += 1
            self.mean_vote(stage, self.weights(stage, active), layer)
            unknown &= ~layer
            known_view[layer] = -1

    def descend(self, coarse: _Stage, fine: _Stage) -> None:
        """Carry the field over to the finer level and vote from the finer source."""
        y, x = fine.queries[:, 0], fine.queries[:, 1]
        cy = np.minimum(y >> 1, coarse.cost.shape[0] - 1)
        cx = np.minimum(x >> 1, coarse.cost.shape[1] - 1)
        row = 2 * coarse.field[cy, cx, 0] + (y - 2 * cy)
        column = 2 * coarse.field[cy, cx, 1] + (x - 2 * cx)
        source_rows, source_columns = fine.penalty.shape
        good = (coarse.query[cy, cx] > 0) & (row < source_rows) & (column < source_columns)
        good[good] = fine.penalty[row[good], column[good]] == 0
        fine.field[y[good], x[good], 0] = row[good]
        fine.field[y[good], x[good], 1] = column[good]
        fine.cost[y[good], x[good]] = coarse.cost[cy[good], cx[good]]
        active = np.zeros_like(fine.query)
        active[y[good], x[good]] = 1
        self.mean_vote(fine, self.weights(fine, active), fine.hole)

    def rounds(self, stage: _Stage, count: int, radii: NDArray[np.int64]) -> float:
        """Alternate E and M steps; the mean squared difference per element at the end."""
        for _ in range(count):
            self.search(stage, radii)
            self.mean_vote(stage, self.weights(stage, stage.query), stage.hole)
        cost = stage.cost[stage.query > 0].mean(dtype=np.float64)
        return float(cost / (stage.patch**2 * stage.shape[2]))

    def finish(self, stage: _Stage, radii: NDArray[np.int64]) -> NDArray[np.int32]:
        """The last E step, then each pixel from the best patch over it."""
        self.search(stage, radii)
        picked = np.empty_like(stage.pixels)
        bounds = np.linspace(0, len(stage.pixels), 9).astype(np.int64)
        self.bands(
            pick_best, 8, stage.field, stage.cost, stage.query, stage.patch, stage.pixels,
            picked, bounds,
        )  # fmt: skip
        return picked


def _radii(largest: int, ratio: int) -> NDArray[np.int64]:
    radii = [max(1, largest)]
    while radii[-1] > 1:
        radii.append(radii[-1] // ratio)
    return np.array([r for r in radii if r >= 1], np.int64)


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
) -> Solution:
    """Fill the hole of ``pyramid[0]``.

    Parameters
    ----------
    pyramid : list of Level
        Finest first.
    voted : int
        Channels that have to be found in the hole; those after them are given.
    patch : int
        Side of a patch in pixels, the same at every level.
    key, lane : (int, int), int
        Philox key, and a number that tells this region's random numbers from another's.
    bands : Bands
        Runs kernels on this call's threads.
    tick : callable
        Told what is done and how much of it, 0 to 1.
    """
    solver = _Solver(key, lane, effort, bands)
    top = len(pyramid) - 1
    energy = []
    previous = None
    for number in range(top, -1, -1):
        tick(f"level {top - number + 1} of {top + 1}", 0.95 * 0.25**number if number < top else 0)
        stage = _stage(pyramid[number], voted, patch)
        if previous is None:
            solver.peel(stage)
        else:
            solver.descend(previous, stage)
        share = number / top if top else 0
        count = round(effort.fine_rounds * (effort.coarse_rounds / effort.fine_rounds) ** share)
        largest = max(stage.penalty.shape) if number == top else 32
        energy.append((number, solver.rounds(stage, count, _radii(largest, 4 if number != top else 2))))
        previous = stage
    assert previous is not None
    sources = solver.finish(previous, _radii(8, 4))
    return Solution(previous.pixels, sources, tuple(energy))
