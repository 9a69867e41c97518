"""Copies that are made brighter or darker, of more or less contrast, patch by patch.

As in Image Melding (Darabi et al. 2012, section 3.1), but with the bounds narrow: what differs by
more is another thing, not the same in another light.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from synth.kernels._jit import Bands
from synth.kernels.cpu import adapt as kernels
from synth.kernels.cpu.distance import PADDING
from synth.patchmatch.stage import Stage, band_bounds

__all__ = ["Adapt", "Adaptation", "Change"]

Adapt = Literal["none", "brightness", "color"]

#: The largest gain (and one over the smallest), …
_GAIN = 1.25
#: … the largest shift of a patch's mean, in 8-bit steps, …
_SHIFT = 24.0
#: … and what a shift costs beside what it saves, so that noise is not a reason for one.
_COST = 0.05


@dataclass(frozen=True)
class Change:
    """What becomes of copied colours: colour × scale + offset.

    Attributes
    ----------
    scale : (n,) float32
    offset : (n, 1 or channels) float32 or float64
        In 8-bit steps, or in the picture's own units.
    """

    scale: NDArray[np.float32]
    offset: NDArray[np.floating[Any]]

    def __getitem__(self, number: NDArray[Any]) -> Change:
        return Change(self.scale[number], self.offset[number])

    def taken(self, number: NDArray[np.int32]) -> Change:
        """Return that of each of ``number``; −1 is none, which changes nothing."""
        taken, none = self[number], number < 0
        taken.scale[none], taken.offset[none] = 1, 0
        return taken

    def __call__(self, colours: NDArray[np.float64]) -> NDArray[np.float64]:
        """Change (n, channels) colours."""
        return colours * self.scale[:, np.newaxis] + self.offset

    def in_units(self, low: float, high: float) -> Change:
        """Turn 8-bit steps into a picture's units, 0 and 255 being ``low`` and ``high`` there."""
        scale = self.scale[:, np.newaxis].astype(np.float64)
        offset = self.offset * ((high / 255) - (low / 255)) + low * (1 - scale)
        return Change(self.scale, offset)


class Adaptation:
    """How the patches over one level's hole change what they copy.

    Attributes
    ----------
    scale : (h, w) float32
    offset : (h, w, voted) float32
        For each query, what makes its source like it.
    """

    def __init__(self, stage: Stage, mode: Adapt, colours: int, bands: Bands) -> None:
        self._stage = stage
        self._bands = bands
        rows = (len(stage.source) - PADDING) // (stage.source_width * stage.shape[2])
        source = stage.source[:-PADDING].reshape(rows, stage.source_width, stage.shape[2])
        self._source = _statistics(source, stage.patch)
        self._how = (colours, int(mode == "brightness"), np.array([_GAIN, _SHIFT, _COST]))
        self.scale = np.ones(stage.cost.shape, np.float32)
        self.offset = np.zeros((*stage.cost.shape, stage.voted), np.float32)

    def reset(self) -> None:
        """Copy everything as it is."""
        self.scale[:] = 1
        self.offset[:] = 0

    def of(self, rows: slice) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the changes of some rows of queries."""
        return self.scale[rows], self.offset[rows]

    def look(self) -> tuple[Any, ...]:
        """Return what the kernels need to know of both sides, the hole's current content here."""
        content = np.clip(self._stage.content, 0, 255).astype(np.uint8)
        return (_statistics(content, self._stage.patch), self._source, *self._how)

    def settle(self, known: tuple[Any, ...]) -> None:
        """Make the changes those of the field as it is; ``known`` is what `look` returned."""
        stage = self._stage
        bounds = band_bounds(stage.query.sum(axis=1, dtype=np.int64), 2048)
        self._bands(
            kernels.changes, len(bounds) - 1, *known, stage.patch, stage.field, stage.query,
            self.scale, self.offset, bounds,
        )  # fmt: skip

    def pick(self) -> tuple[NDArray[np.int32], Change]:
        """For each pixel the source in the best patch over it, and how it changes."""
        stage = self._stage
        count = len(stage.pixels)
        picked = np.empty_like(stage.pixels)
        change = Change(np.empty(count, np.float32), np.empty((count, self._how[0]), np.float32))
        bounds = np.linspace(0, count, 9).astype(np.int64)
        self._bands(
            kernels.pick_best, 8, self.scale, self.offset, stage.field, stage.cost, stage.query,
            stage.patch, stage.pixels, picked, change.scale, change.offset, bounds,
        )  # fmt: skip
        return picked, change


def _statistics(channels: NDArray[np.uint8], patch: int) -> NDArray[np.float32]:
    """Each patch's means, and patch² × the sum of the channels' variances.

    Parameters
    ----------
    channels : (rows, columns, k) uint8
    patch : int

    Returns
    -------
    (rows − patch + 1, columns − patch + 1, k + 1) float32
    """
    import cv2

    rows, columns = (max(0, side - patch + 1) for side in channels.shape[:2])
    result = np.zeros((rows, columns, channels.shape[2] + 1), np.float32)
    side = (patch, patch)
    for number in range(channels.shape[2]):
        plane = np.ascontiguousarray(channels[..., number])
        # sums of integers, so exact in a double
        sums = [
            np.asarray(box(plane, cv2.CV_64F, side, anchor=(0, 0), normalize=False), np.float64)
            for box in (cv2.boxFilter, cv2.sqrBoxFilter)
        ]
        total, squares = (one[:rows, :columns] for one in sums)
        result[..., number] = total / patch**2
        result[..., -1] += squares - total**2 / patch**2
    return result
