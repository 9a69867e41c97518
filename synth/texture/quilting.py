"""Image quilting: blocks of the exemplar, chosen to agree where they overlap, cut where they do.

Efros & Freeman 2001 ("Image quilting for texture synthesis and transfer", SIGGRAPH).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from synth.kernels._jit import Bands
from synth.kernels.cpu.distance import PADDING
from synth.kernels.cpu.patchmatch import FORBIDDEN
from synth.kernels.cpu.philox import below, philox4x32
from synth.kernels.cpu.quilting import block_costs, cut
from synth.patchmatch.pyramid import allowed_patches
from synth.patchmatch.stage import band_bounds
from synth.texture.atlas import Atlas

__all__ = ["block_side", "places", "quilt"]

#: The last counter word (`synth.randomness.Purpose` has the list of packages).
BLOCK = 64
#: Blocks that there should be to choose from.
_FEW = 16
#: Overlap of two blocks as a share of their side.
_OVERLAP = 4
#: Mean squared difference, in 8-bit steps, below which two overlaps count as equally good.
_EQUAL = 4
#: A block within so many pixels of the one that goes on where its neighbour ends is a copy.
_COPY_RADIUS = 3
#: One in so many rows and columns of sources is compared first.
_FIRST = 4
#: Blocks between two whose sources must not be the same.
_APART = 2


def block_side(atlas: Atlas, shape: tuple[int, int], tile: bool, share: int = 5) -> int:
    """Choose the side of a block: the ``share``-th part of the exemplar's, 8 to 64 pixels.

    Less in small outputs, and until there are a few to choose from.
    """
    room = min(shape) * 2 // 3 if tile else min(shape)
    side = max(1, min(max(8, min(atlas.smallest) // share), 64, room))
    while side > 3 and np.count_nonzero(allowed_patches(atlas.inside, side)) < _FEW:
        side -= 1
    return side


def places(length: int, block: int, overlap: int, tile: bool) -> NDArray[np.int64]:
    """Return where blocks begin along one side, evenly spread, overlapping at least ``overlap``.

    With ``tile`` the last overlaps the first across the border.

    Examples
    --------
    >>> places(64, 32, 8, False).tolist(), places(64, 32, 8, True).tolist()
    ([0, 16, 32], [0, 21, 42])
    """
    step = max(1, block - overlap)
    if tile:
        count = max(2, math.ceil(length / step))
        return np.arange(count, dtype=np.int64) * length // count
    if length <= block:
        return np.zeros(1, np.int64)
    count = math.ceil((length - block) / step) + 1
    return np.arange(count, dtype=np.int64) * (length - block) // (count - 1)


def quilt(
    atlas: Atlas,
    guide: NDArray[np.uint8] | None,
    shape: tuple[int, int],
    *,
    block: int,
    tile: bool,
    variation: float,
    key: tuple[int, int],
    bands: Bands,
    tick: Callable[[float], None],
    draw: int = 0,
) -> NDArray[np.int32]:
    """Return the source pixel of every pixel of the output, (rows, columns, 2).

    Parameters
    ----------
    atlas : Atlas
    guide : (rows, columns, g) uint8, optional
        Compared with the atlas's over each whole block.
    shape : (rows, columns)
    block : int
        Side of a block, at most that of the smallest exemplar and of the output.
    tile : bool
        The output's opposite borders fit together.
    variation : float
        0 to 1. Blocks are drawn among those that cost up to 0.2 × variation more than the best;
        at 0 what goes on in the exemplar where a neighbour ends is allowed, too.
    key : (int, int)
        Philox key.
    draw : int
        Another number is another output of the same key.
    """
    quilter = _Quilter(atlas, guide, shape, block, tile, variation, key, bands, draw)
    for row in range(len(quilter.tops)):
        tick(row / len(quilter.tops))
        for column in range(len(quilter.lefts)):
            quilter.put(row, column)
    return quilter.origin


class _Quilter:
    """What all blocks of one output share, and the output so far."""

    def __init__(
        self, atlas: Atlas, guide: NDArray[np.uint8] | None, shape: tuple[int, int], block: int,
        tile: bool, variation: float, key: tuple[int, int], bands: Bands,
        draw: int,
    ) -> None:  # fmt: skip
        self.atlas, self.guide, self.block, self.tile = atlas, guide, block, tile
        self.variation, self.key, self.bands, self.draw = variation, key, bands, draw
        overlap = max(1, block // _OVERLAP)
        self.tops = places(shape[0], block, overlap, tile)
        self.lefts = places(shape[1], block, overlap, tile)
        self.shape = shape
        k = atlas.channels.shape[2]
        self.content = np.zeros((*shape, k), np.int16)
        self.origin = np.full((*shape, 2), -1, np.int32)
        self.chosen = np.full((len(self.tops), len(self.lefts), 2), -1, np.int64)
        self.source = _flat(atlas.channels, np.uint8)
        self.guides = 0 if guide is None else guide.shape[2]
        self.source_guide = _flat(atlas.guide, np.uint8)
        allowed = allowed_patches(atlas.inside, block)
        self.base = np.where(allowed, np.int32(0), np.int32(FORBIDDEN))
        self.bounds = band_bounds(allowed.sum(axis=1, dtype=np.int64), 1024)
        self.cost = np.empty(allowed.shape, np.int32)

    def _penalty(self, row: int, column: int) -> NDArray[np.int32]:
        """Forbid what would copy on, or repeat, a block nearby."""
        if self.variation == 0:
            return self.base
        penalty = self.base.copy()
        rows, columns = len(self.tops), len(self.lefts)
        for down in range(-_APART, _APART + 1):
            for across in range(-_APART, _APART + 1):
                y, x = row + down, column + across
                if self.tile:
                    y, x = y % rows, x % columns
                if not (0 <= y < rows and 0 <= x < columns) or self.chosen[y, x, 0] < 0:
                    continue
                there = self.chosen[y, x]
                step = (
                    self._apart(self.tops[row] - self.tops[y], self.shape[0]),
                    self._apart(self.lefts[column] - self.lefts[x], self.shape[1]),
                )
                self._forbid(penalty, there + step)
                self._forbid(penalty, there)
        # better a copy than nothing
        return penalty if (penalty < FORBIDDEN).any() else self.base

    def _apart(self, distance: int, length: int) -> int:
        return (distance + length // 2) % length - length // 2 if self.tile else distance

    @staticmethod
    def _forbid(penalty: NDArray[np.int32], centre: NDArray[np.int64]) -> None:
        low = np.maximum(centre - _COPY_RADIUS, 0)
        high = np.maximum(centre + _COPY_RADIUS + 1, 0)
        penalty[low[0] : high[0], low[1] : high[1]] = FORBIDDEN

    def _overlaps(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Pixels that a block shares with what is there: left, top, right, bottom."""

        def before(at: NDArray[np.int64], number: int) -> int:
            return int(at[number - 1] + self.block - at[number]) if number > 0 else 0

        def behind(at: NDArray[np.int64], number: int, length: int) -> int:
            wraps = self.tile and number == len(at) - 1
            return int(at[number] + self.block - length) if wraps else 0

        return (
            before(self.lefts, column),
            before(self.tops, row),
            behind(self.lefts, column, self.shape[1]),
            behind(self.tops, row, self.shape[0]),
        )

    def put(self, row: int, column: int) -> None:
        """Choose a block for one place, cut it and put it there."""
        block, atlas = self.block, self.atlas
        rows = (self.tops[row] + np.arange(block)) % self.shape[0]
        columns = (self.lefts[column] + np.arange(block)) % self.shape[1]
        place = np.ix_(rows, columns)
        window = self.content[place]
        overlaps = self._overlaps(row, column)
        borders = _borders(block, *overlaps)
        k = atlas.channels.shape[2]
        guide = np.zeros((block, block, 0), np.uint8) if self.guide is None else self.guide[place]
        elements = int((borders[:, 2] * borders[:, 3]).sum()) * k + block**2 * self.guides
        least = _EQUAL * elements
        tolerance = 0.2 * self.variation
        arguments = (
            _flat(window, np.int16), self.source, atlas.inside.shape[1], k, borders,
            _flat(guide, np.int16), self.source_guide, self.guides, block,
            self._penalty(row, column), least, tolerance,
        )  # fmt: skip
        # a few first, so that all others know when to stop
        block_costs(*arguments, FORBIDDEN, _FIRST, self.cost, self.bounds[[0, -1]], 0)
        cheapest = int(self.cost[::_FIRST, ::_FIRST].min())
        self.bands(
            block_costs, len(self.bounds) - 1, *arguments, cheapest, 1, self.cost, self.bounds
        )  # fmt: skip
        limit = (1 + tolerance) * max(int(self.cost.min()), least)
        candidates = np.flatnonzero(self.cost.ravel() <= min(limit, FORBIDDEN - 1))
        word = philox4x32(row * len(self.lefts) + column, self.draw, 0, BLOCK, *self.key)[0]
        picked = int(candidates[below(word, len(candidates))])
        source_row, source_column = divmod(picked, int(self.base.shape[1]))
        self.chosen[row, column] = source_row, source_column
        found = atlas.channels[
            source_row : source_row + block, source_column : source_column + block
        ]
        error = np.square(found.astype(np.int32) - window).sum(axis=2, dtype=np.int32)
        new = np.empty((block, block), np.bool_)
        cut(error, *overlaps, new)
        y, x = np.nonzero(new)
        self.content[rows[y], columns[x]] = found[y, x]
        self.origin[rows[y], columns[x], 0] = source_row + y
        self.origin[rows[y], columns[x], 1] = source_column + x


def _borders(block: int, left: int, top: int, right: int, bottom: int) -> NDArray[np.int64]:
    """Split a block's overlaps into rectangles that share no pixel: row, column, rows, columns."""
    top, left = min(top, block), min(left, block)
    bottom, right = min(bottom, block - top), min(right, block - left)
    between = block - top - bottom
    found = [
        (0, 0, top, block),
        (block - bottom, 0, bottom, block),
        (top, 0, between, left),
        (top, block - right, between, right),
    ]
    kept = [one for one in found if one[2] > 0 and one[3] > 0]
    return np.array(kept, np.int64).reshape(-1, 4)


def _flat(planes: NDArray[np.generic], kind: type[np.generic]) -> NDArray[np.generic]:
    buffer = np.zeros(planes.size + PADDING, kind)
    buffer[: planes.size] = planes.reshape(-1)
    return buffer
