"""Bidirectional similarity: a picture whose patches are all in another one, and the reverse.

Simakov et al. 2008 ("Summarizing visual data using bidirectional similarity"). Coherence: every
patch of the summary has its like in the picture. Completeness: every patch of the picture has its
like in the summary. Both fields are searched by PatchMatch (Barnes et al. 2009, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.editing.lines import Line, straightened
from synth.kernels._jit import Bands
from synth.kernels.cpu import patchmatch
from synth.kernels.cpu.distance import PADDING
from synth.kernels.cpu.vote import pick_best, vote, vote_back
from synth.patchmatch.pyramid import allowed_patches
from synth.patchmatch.stage import LIMIT, band_bounds
from synth.randomness import Purpose

__all__ = ["Pins", "Summary", "finer"]

_NO_PENALTY = np.zeros((0, 0), np.int32)
_ANY_CHOICE = np.zeros(0, np.int32)
_EVERY = np.zeros((0, 0), np.uint8)

#: A vote weighs exp(−d / 2σ²), σ² being so many times the mean cost round about.
_SIGMA2 = 0.5
#: Patches on a line that stays straight have so many votes.
_LINE_WEIGHT = 10


@dataclass(frozen=True)
class Pins:
    """Pixels of the picture that have a given place in the summary.

    Attributes
    ----------
    sources, targets : (n, 2) int32
        Rows and columns in the picture and in the summary; no place of the summary twice.
    lines : tuple of (2, 2) float64
        Ends of lines in the picture that stay straight.
    told : (rows', columns') bool, optional
        Pixels of the picture that are told where to go: they need not appear anywhere else, and
        are not copied to anywhere else.
    """

    sources: NDArray[np.int32]
    targets: NDArray[np.int32]
    told: NDArray[np.bool_] | None = None
    lines: tuple[Line, ...] = ()


@dataclass
class _Search:
    """One direction: where patches of one picture have their like in another."""

    field: NDArray[np.int32]
    cost: NDArray[np.int32]
    bounds: NDArray[np.int64]
    purposes: tuple[Purpose, Purpose]
    sweeps: int = 0


def _search(field: NDArray[np.int32], purposes: tuple[Purpose, Purpose]) -> _Search:
    rows, columns = field.shape[:2]
    bounds = band_bounds(np.full(rows, columns), 2048)
    return _Search(field, np.zeros((rows, columns), np.int32), bounds, purposes)


def _flat(planes: NDArray[Any], kind: type[Any]) -> NDArray[Any]:
    buffer = np.zeros(planes.size + PADDING, kind)
    buffer[: planes.size] = planes.ravel()
    return buffer


class Summary:
    """One level: a picture, a summary of it, and the fields both ways.

    Parameters
    ----------
    source : (rows', columns', channels) uint8
        The picture.
    content : (rows, columns, channels) int16
        The summary to begin with.
    forward : (h, w, 2) int32
        Where each patch of the summary has its like in the picture, −1 to draw it at random.
    backward : (h', w', 2) int32
        Where each patch of the picture has its like in the summary.
    pins : Pins
        What must not change.
    patch : int
    key : (int, int)
        Philox key.
    bands : Bands
        Runs kernels on this call's threads.
    """

    def __init__(
        self,
        source: NDArray[np.uint8],
        content: NDArray[np.int16],
        forward: NDArray[np.int32],
        backward: NDArray[np.int32],
        pins: Pins,
        *,
        patch: int,
        key: tuple[int, int],
        bands: Bands,
    ) -> None:
        self.patch = patch
        self._key, self._bands = key, bands
        self._source_shape, self._shape = source.shape, content.shape
        self._source = _flat(source, np.uint8)
        self._source_wide = _flat(source, np.int16)
        self._content = _flat(content, np.int16)
        self._forward = _search(forward, (Purpose.EDIT_INITIALIZE, Purpose.EDIT_SEARCH))
        self._backward = _search(
            backward, (Purpose.EDIT_BACK_INITIALIZE, Purpose.EDIT_BACK_SEARCH)
        )
        self._wanted = np.ones(content.shape[:2], np.bool_)
        self._line_share = np.float32(_LINE_WEIGHT / max(1, backward[..., 0].size))
        self._penalty, self._choices = _NO_PENALTY, _ANY_CHOICE
        self._share = np.full(backward.shape[:2], 1 / max(1, backward[..., 0].size), np.float32)
        if pins.told is not None:
            free = allowed_patches(~pins.told, patch)
            count = int(np.count_nonzero(free))
            self._share = np.where(free, np.float32(1 / max(1, count)), np.float32(0))
            if count:
                self._penalty = np.where(free, np.int32(0), LIMIT)
                self._choices = np.flatnonzero(free).astype(np.int32)
        self._lines = list(pins.lines)
        self._held = np.zeros(backward.shape[:2], np.bool_)
        self._pin(source, pins)
        # patches with something in them that may change
        self._free = ~allowed_patches(~self._wanted, patch)

    def _pin(self, source: NDArray[np.uint8], pins: Pins) -> None:
        to, there = (tuple(at.T) for at in (pins.targets, pins.sources))
        self._wanted[to] = False
        self.content[to] = source[there]
        half = self.patch // 2
        pairs = (
            (self.forward, pins.targets, pins.sources),
            (self.backward, pins.sources, pins.targets),
        )
        grids = (self.backward.shape[:2], self.forward.shape[:2])
        held = []
        for (field, own, other), grid in zip(pairs, grids, strict=True):
            # a patch goes with the pixel in its middle
            inside = ((own >= half) & (own - half < field.shape[:2])).all(axis=1)
            inside &= ((other >= half) & (other - half < grid)).all(axis=1)
            held.append(tuple(own[inside].T - half))
            field[held[-1]] = other[inside] - half
        self._held[held[1]] = True

    @property
    def content(self) -> NDArray[np.int16]:
        """The summary as found so far, a view."""
        size = self._shape[0] * self._shape[1] * self._shape[2]
        return self._content[:size].reshape(self._shape)

    @property
    def forward(self) -> NDArray[np.int32]:
        """Where each patch of the summary has its like in the picture."""
        return self._forward.field

    @property
    def backward(self) -> NDArray[np.int32]:
        """Where each patch of the picture has its like in the summary."""
        return self._backward.field

    def improve(self, radii: NDArray[np.int64], sweeps: int) -> None:
        """One round: search both fields for the present content, then vote on it anew."""
        self.search(radii, sweeps)
        width, there = self._shape[1], self._source_shape[1]
        content = self._content.astype(np.uint8)
        images = (self._source_wide, there, content, width)
        self._sweep(
            self._backward, images, self.forward.shape[:2], _NO_PENALTY, _ANY_CHOICE, radii, sweeps
        )
        if self._lines:
            self._straighten()
        self.vote()

    def _straighten(self) -> None:
        on_lines = straightened(
            self.backward, self._lines, self.patch, (self.forward.shape[0], self.forward.shape[1]),
            held=self._held,
        )  # fmt: skip
        self._share[on_lines] = self._line_share

    def distance(self) -> float:
        """Return the bidirectional distance, equation 1 of the paper, after `improve`."""
        coherence = float(self._forward.cost[self._free].mean()) if self._free.any() else 0.0
        return coherence + float((self._backward.cost * self._share.astype(np.float64)).sum())

    def search(self, radii: NDArray[np.int64], sweeps: int) -> None:
        """Search the field from the summary to the picture alone."""
        images = (self._content, self._shape[1], self._source, self._source_shape[1])
        self._sweep(
            self._forward, images, self.backward.shape[:2], self._penalty, self._choices, radii,
            sweeps,
        )  # fmt: skip

    def _sweep(
        self,
        search: _Search,
        images: tuple[object, ...],
        grid: tuple[int, ...],
        penalty: NDArray[np.int32],
        choices: NDArray[np.int32],
        radii: NDArray[np.int64],
        sweeps: int,
    ) -> None:
        count = len(search.bounds) - 1
        images = (*images, self._shape[2], self.patch)
        start, draw = (int(purpose) for purpose in search.purposes)
        self._bands(
            patchmatch.initialize, count, *images, search.field, search.cost, _EVERY, penalty,
            choices, *grid, *self._key, start, LIMIT, search.bounds,
        )  # fmt: skip
        for _ in range(sweeps):
            ahead = search.sweeps % 2 == 0
            edge = patchmatch.edge_rows(search.field, search.bounds, ahead)
            self._bands(
                patchmatch.sweep, count, *images, search.field, search.cost, _EVERY, penalty,
                *grid, edge, radii, *self._key, search.sweeps, draw, ahead, search.bounds,
            )  # fmt: skip
            search.sweeps += 1

    def vote(self, *, searched: bool = True) -> None:
        """Set the summary to what the patches of both directions propose.

        Simakov et al. 2008, section 3.2: either direction has one vote as a whole. ``searched``
        tells that the costs are known, so that poor matches may count less.
        """
        rows, columns, channels = self._shape
        weight = np.ones(self._forward.cost.shape, np.float32)
        if searched:
            import cv2

            cost = self._forward.cost.astype(np.float32)
            side = 2 * self.patch - 1
            np.exp(cost / (-2 * _SIGMA2 * np.maximum(cv2.blur(cost, (side, side)), 1)), out=weight)
        weight /= np.float32(weight.sum(dtype=np.float64))
        total = np.zeros((rows, columns * channels), np.float32)
        norm = np.zeros((rows, columns), np.float32)
        vote_back(
            self._source, self._source_shape[1], channels, self.patch, self.backward,
            self._share, total, norm,
        )  # fmt: skip
        bounds = band_bounds(np.full(rows, columns), 2048)
        self._bands(
            vote, len(bounds) - 1, self._source, self._source_shape[1], channels, self.patch,
            self.forward, weight, total, norm, self._wanted.copy(), channels, self.content,
            bounds,
        )  # fmt: skip

    def picked(self) -> NDArray[np.int32]:
        """Take each pixel from the best patch over it: (rows, columns, 2) places in the picture.

        Call `search` before.
        """
        rows, columns, _ = self._shape
        pixels = np.argwhere(np.ones((rows, columns), np.bool_)).astype(np.int32)
        found = np.empty_like(pixels)
        bounds = np.linspace(0, len(pixels), 17).astype(np.int64)
        every = np.ones(self._forward.cost.shape, np.uint8)
        self._bands(
            pick_best, 16, self.forward, self._forward.cost, every, self.patch, pixels, found,
            bounds,
        )  # fmt: skip
        return np.ascontiguousarray(found).reshape(rows, columns, 2)


def finer(
    field: NDArray[np.int32], grid: tuple[int, int], other: tuple[int, int]
) -> NDArray[np.int32]:
    """Carry a field over to twice the resolution.

    Parameters
    ----------
    field : (h, w, 2) int32
    grid, other : (int, int)
        Rows and columns of patches there, of the field's own picture and of the one it points to.
    """
    y, x = np.indices(grid, np.int32)
    cy, cx = np.minimum(y >> 1, field.shape[0] - 1), np.minimum(x >> 1, field.shape[1] - 1)
    found = 2 * field[cy, cx] + np.stack([y - 2 * cy, x - 2 * cx], axis=-1)
    return np.ascontiguousarray(np.minimum(found, np.array(other) - 1).astype(np.int32))
