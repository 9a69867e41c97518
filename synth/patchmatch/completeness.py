"""The other direction of the match: everything around the hole should appear in it.

Simakov et al. 2008 ("Summarizing visual data using bidirectional similarity"), section 3.1. An
E step that only looks for the nearest known patch is free to use one flat patch for everything;
votes from the known patches for the place in the hole they fit best speak against that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth.kernels._jit import Bands
from synth.kernels.cpu import patchmatch
from synth.kernels.cpu.vote import vote_back
from synth.patchmatch.stage import LIMIT, Stage, band_bounds
from synth.randomness import Purpose

__all__ = ["Completeness"]

_SWEEPS = 2
_RADII = np.array([64, 32, 16, 8, 4, 2, 1], np.int64)


class Completeness:
    """The field from the known patches of one level to the patches over its hole."""

    def __init__(self, stage: Stage, key: tuple[int, int], lane: int, bands: Bands) -> None:
        self._stage = stage
        self._key = key
        self._lane = lane
        self._bands = bands
        # copies that were turned or scaled (beyond the target) need not appear in the hole
        rows, columns = stage.query.shape
        self._target = stage.target.copy()
        self._query = (stage.penalty[:rows, :columns] == 0).astype(np.uint8)
        self._penalty = np.where(stage.query > 0, np.int32(0), LIMIT)
        self._choices = np.flatnonzero(stage.query).astype(np.int32)
        self._bounds = band_bounds(self._query.sum(axis=1, dtype=np.int64), 2048)
        self._field = np.full_like(stage.field, -1)
        self._cost = np.zeros_like(stage.cost)
        self._sweeps = 0

    def votes(
        self, sigma2: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Search once more and return the sums that `vote` starts from.

        Parameters
        ----------
        sigma2 : (h, w) float32
            The scale of costs around each patch of the hole.
        """
        stage = self._stage
        rows, columns, channels = stage.shape
        self._search()
        row, column = self._field[..., 0], self._field[..., 1]
        weight = np.exp(-self._cost / (2 * sigma2[row, column])) * stage.decay[row, column]
        # As a whole the known patches have as many votes as the patches over the hole.
        weight *= len(stage.queries) / max(1, int(np.count_nonzero(self._query)))
        weight = np.where(self._query > 0, weight, 0).astype(np.float32)
        total = np.zeros((rows, columns * channels), np.float32)
        norm = np.zeros((rows, columns), np.float32)
        vote_back(
            stage.source, stage.source_width, channels, stage.patch, self._field, weight, total,
            norm,
        )  # fmt: skip
        return total, norm

    def _search(self) -> None:
        stage = self._stage
        _, columns, channels = stage.shape
        count = len(self._bounds) - 1
        content = stage.target.astype(np.uint8)
        purposes = [
            int(purpose) + (self._lane << 8)
            for purpose in (Purpose.BACK_INITIALIZE, Purpose.BACK_SEARCH)
        ]
        self._bands(
            patchmatch.initialize, count, self._target, columns, content, columns, channels,
            stage.patch, self._field, self._cost, self._query, self._penalty, self._choices,
            *self._penalty.shape, *self._key, purposes[0], LIMIT, self._bounds,
        )  # fmt: skip
        for _ in range(_SWEEPS):
            forward = self._sweeps % 2 == 0
            edge = patchmatch.edge_rows(self._field, self._bounds, forward)
            self._bands(
                patchmatch.sweep, count, self._target, columns, content, columns, channels,
                stage.patch, self._field, self._cost, self._query, self._penalty,
                *self._penalty.shape, edge, _RADII, *self._key, self._sweeps, purposes[1],
                forward, self._bounds,
            )  # fmt: skip
            self._sweeps += 1
