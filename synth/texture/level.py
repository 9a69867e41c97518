"""One resolution of a texture that is being optimised: its buffers, and the steps on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.kernels._jit import Bands
from synth.kernels.cpu import patchmatch
from synth.kernels.cpu.distance import PADDING
from synth.kernels.cpu.vote import NO_SUMS, pick_best, vote
from synth.patchmatch.pyramid import allowed_patches
from synth.patchmatch.stage import LIMIT, band_bounds
from synth.texture.atlas import Atlas, halve_guide

__all__ = ["SHARE_COST", "Level", "Target"]

#: The last counter words (`synth.randomness.Purpose` has the list of packages).
INITIALIZE, SEARCH = 65, 66
#: How much a patch of twice its share costs more, in mean costs, for a variation of 1.
SHARE_COST = 2.0
#: … and no more than so many times that.
_MOST_SHARES = 4.0
#: Patches that are looked at to tell how well all fit.
_MISFIT_SAMPLES = 4096


@dataclass(frozen=True)
class Target:
    """The output at one resolution.

    Attributes
    ----------
    shape : (rows, columns)
    guide : (rows, columns, g) uint8 or None
    known : (rows, columns, k) uint8 or None
    unknown : (rows, columns) bool or None
        Where ``known`` says nothing.
    """

    shape: tuple[int, int]
    guide: NDArray[np.uint8] | None = None
    known: NDArray[np.uint8] | None = None
    unknown: NDArray[np.bool_] | None = None

    def halved(self) -> Target:
        """Return the same at half the resolution, odd sides rounded up."""
        shape = (-(-self.shape[0] // 2), -(-self.shape[1] // 2))
        guide = None if self.guide is None else halve_guide(self.guide)
        if self.known is None or self.unknown is None:
            return Target(shape, guide)
        odd = ((0, self.shape[0] % 2), (0, self.shape[1] % 2))
        unknown = np.pad(self.unknown, odd, "edge").reshape(shape[0], 2, shape[1], 2)
        return Target(shape, guide, halve_guide(self.known), np.asarray(unknown.any(axis=(1, 3))))


class Level:
    """The buffers of one resolution, and the steps that work on them."""

    def __init__(
        self, atlas: Atlas, target: Target, patch: int, tile: bool, key: tuple[int, int],
        bands: Bands,
    ) -> None:  # fmt: skip
        self.patch, self.tile, self.key, self.bands = patch, tile, key, bands
        self.target = target
        features = np.concatenate([atlas.channels, atlas.guide], axis=2)
        self.voted, self.channels = atlas.channels.shape[2], features.shape[2]
        self.source = np.zeros(features.size + PADDING, np.uint8)
        self.source[: features.size] = features.reshape(-1)
        self.source_width = features.shape[1]
        self.allowed = allowed_patches(atlas.inside, patch)
        self.base = np.where(self.allowed, np.int32(0), LIMIT)
        self.penalty = self.base
        self.choices = np.flatnonzero(self.allowed).astype(np.int64)
        # with tile, the first patch − 1 rows and columns follow once more behind the last
        self.wrap = patch - 1 if tile else 0
        rows, columns = target.shape
        self.extent = (rows + self.wrap, columns + self.wrap, self.channels)
        self.buffer = np.zeros(int(np.prod(self.extent)) + PADDING, np.int16)
        self.content = self.buffer[: int(np.prod(self.extent))].reshape(self.extent)
        self.unknown = np.ones(target.shape, np.bool_)
        if target.known is not None and target.unknown is not None:
            self.unknown = target.unknown
            self.content[:rows, :columns, : self.voted] = target.known
        if target.guide is not None:
            self.content[:rows, :columns, self.voted :] = target.guide
        self._wrap_content()
        h, w = self.extent[0] - patch + 1, self.extent[1] - patch + 1
        touched = np.pad(self.unknown, ((0, self.wrap),) * 2, "wrap")
        self.query = (~allowed_patches(~touched, patch)).astype(np.uint8)
        self.field = np.full((h, w, 2), -1, np.int32)
        self.cost = np.zeros((h, w), np.int32)
        self.distance = np.zeros((h, w), np.int32)
        self.due = self._due()
        self.bounds = band_bounds(self.query.sum(axis=1, dtype=np.int64), 2048)

    def _wrap_content(self) -> None:
        if self.tile:
            rows, columns = self.target.shape
            self.content[:, columns:] = self.content[:, : self.wrap]
            self.content[rows:] = self.content[: self.wrap]

    def search(self, radii: NDArray[np.int64], sweeps: int, number: int) -> None:
        """Score the field against the content, then sweep; ``number`` counts the calls."""
        count = len(self.bounds) - 1
        images = (
            self.buffer, self.extent[1], self.source, self.source_width, self.channels, self.patch
        )  # fmt: skip
        self.bands(
            patchmatch.initialize, count, *images, self.field, self.cost, self.query,
            self.penalty, self.choices, *self.penalty.shape, *self.key, INITIALIZE, LIMIT,
            self.bounds,
        )  # fmt: skip
        for sweep in range(number * sweeps, (number + 1) * sweeps):
            forward = sweep % 2 == 0
            edge = patchmatch.edge_rows(self.field, self.bounds, forward)
            self.bands(
                patchmatch.sweep, count, *images, self.field, self.cost, self.query,
                self.penalty, *self.penalty.shape, edge, radii, *self.key, sweep, SEARCH, forward,
                self.bounds,
            )  # fmt: skip
        # without what the use of a source costs
        at = np.maximum(self.field, 0)
        np.subtract(self.cost, self.penalty[at[..., 0], at[..., 1]], out=self.distance)
        self.distance *= self.query

    def share(self, strength: float) -> None:
        """Make sources that are used more than their share dearer."""
        import cv2

        asked = self.query > 0
        flat = self.field[asked].astype(np.int64) @ np.array([self.allowed.shape[1], 1])
        uses = np.bincount(flat, minlength=self.allowed.size).reshape(self.allowed.shape)
        # of the neighbourhood: next to an overused patch are others that show the same
        side = (2 * self.patch - 1,) * 2
        near = [
            np.asarray(cv2.boxFilter(plane, cv2.CV_32F, side, borderType=cv2.BORDER_CONSTANT))
            for plane in (uses.astype(np.float32), self.due)
        ]
        share = near[0] / np.maximum(near[1], np.float32(1e-3))
        extra = strength * self.misfit() * np.clip(share - 1, 0, _MOST_SHARES)
        self.penalty = np.where(self.allowed, np.minimum(extra, 1e8).astype(np.int32), LIMIT)

    def _due(self) -> NDArray[np.float32]:
        """Return how often each source patch would be used if all were used alike.

        With a guide: all that show about the same of it as the target does there.
        """
        half = self.patch // 2
        asked = self.query > 0
        if self.voted == self.channels:
            return self.allowed * np.float32(asked.sum() / self.allowed.sum())
        planes = self.source[:-PADDING].reshape(-1, self.source_width, self.channels)
        kinds = [
            (guide[half:, half:][:h, :w, self.voted :][chosen] >> 6).astype(np.uint8)
            for guide, chosen, (h, w) in (
                (self.content, asked, asked.shape),
                (planes, self.allowed, self.allowed.shape),
            )
        ]
        inverse = np.unique(np.concatenate(kinds), axis=0, return_inverse=True)[1]
        number = np.asarray(inverse, np.int64).reshape(-1)
        wanted, there = number[: len(kinds[0])], number[len(kinds[0]) :]
        most = int(number.max()) + 1
        each = np.bincount(wanted, minlength=most).astype(np.float32)
        each /= np.maximum(np.bincount(there, minlength=most), 1)
        due = np.zeros(self.allowed.shape, np.float32)
        due[self.allowed] = each[there]
        return due

    def misfit(self) -> float:
        """Return the mean squared distance of the patches without their guides'."""
        if self.voted == self.channels:
            return float(self.distance[self.query > 0].mean())
        y, x = np.nonzero(self.query)
        step = max(1, len(y) // _MISFIT_SAMPLES)
        y, x = y[::step], x[::step]
        planes = self.source[:-PADDING].reshape(-1, self.source_width, self.channels)
        row, column = self.field[y, x].T
        total = 0
        for down in range(self.patch):
            for across in range(self.patch):
                apart = planes[row + down, column + across, : self.voted].astype(np.int64)
                apart -= self.content[y + down, x + across, : self.voted]
                total += int(np.square(apart).sum())
        return total / len(y)

    def vote(self) -> None:
        """Set what is unknown to the weighted mean of what the patches over it propose.

        A vote weighs exp(−d / mean d round about), as in a fill (Wexler et al. 2007, equation 3).
        """
        import cv2

        distance = self.distance.astype(np.float32)
        side = (2 * self.patch - 1,) * 2
        around = np.asarray(cv2.boxFilter(distance, -1, side, borderType=cv2.BORDER_REFLECT))
        weight = np.exp(-distance / np.maximum(around, 1))
        np.maximum(weight, np.float32(1e-30), out=weight)
        weight *= self.query
        field, weight, wanted = self._around(self.field, weight)
        bounds = band_bounds(np.count_nonzero(wanted, axis=1), 2048)
        rows, columns = self.target.shape
        out = np.zeros((*wanted.shape, self.voted), np.int16) if self.tile else self.content
        self.bands(
            vote, len(bounds) - 1, self.source, self.source_width, self.channels, self.patch,
            field, weight, *NO_SUMS, wanted.copy(), self.voted, out, bounds,
        )  # fmt: skip
        if self.tile:
            core = out[self.wrap : self.wrap + rows, self.wrap : self.wrap + columns]
            self.content[:rows, :columns, : self.voted][self.unknown] = core[self.unknown]
            self._wrap_content()

    def _around(
        self, field: NDArray[np.int32], plane: NDArray[Any]
    ) -> tuple[NDArray[np.int32], NDArray[Any], NDArray[np.bool_]]:
        """Repeat patches across the border, so that every pixel has all of those over it."""
        if not self.tile:
            return field, plane, self.unknown
        before = ((self.wrap, 0), (self.wrap, 0))
        wanted = np.pad(self.unknown, ((self.wrap, self.wrap),) * 2)
        return (
            np.ascontiguousarray(np.pad(field, (*before, (0, 0)), "wrap")),
            np.ascontiguousarray(np.pad(plane, before, "wrap")),
            wanted,
        )

    def best(self) -> NDArray[np.int32]:
        """Return each pixel's source by the best patch over it, −1 where it is known."""
        field, cost, wanted = self._around(self.field, self.distance)
        query = self._around(self.field, self.query)[1]
        pixels = np.argwhere(wanted).astype(np.int32)
        picked = np.empty_like(pixels)
        bounds = np.linspace(0, len(pixels), 17).astype(np.int64)
        self.bands(
            pick_best, 16, field, cost, query, self.patch, pixels, picked, bounds
        )  # fmt: skip
        sources = np.full((*self.target.shape, 2), -1, np.int32)
        at = pixels - self.wrap
        sources[at[:, 0], at[:, 1]] = picked
        return sources

    def start(self, sources: NDArray[np.int32]) -> None:
        """Begin with patches around given source pixels, (rows, columns, 2)."""
        half = self.patch // 2
        h, w = self.field.shape[:2]
        rows = (np.arange(h) + half) % self.target.shape[0]
        columns = (np.arange(w) + half) % self.target.shape[1]
        self._take(sources[np.ix_(rows, columns)] - np.int32(half), np.ones((h, w), np.bool_))

    def descend(self, coarse: Level) -> None:
        """Begin with what the level above found."""
        h, w = self.field.shape[:2]
        y, x = np.arange(h), np.arange(w)
        cy = np.minimum(y >> 1, coarse.field.shape[0] - 1)
        cx = np.minimum(x >> 1, coarse.field.shape[1] - 1)
        found = 2 * coarse.field[np.ix_(cy, cx)]
        found[..., 0] += (y - 2 * cy)[:, None]
        found[..., 1] += (x - 2 * cx)[None]
        self._take(found, coarse.query[np.ix_(cy, cx)] > 0)

    def _take(self, field: NDArray[np.int32], usable: NDArray[np.bool_]) -> None:
        """Begin with a field, moved into the exemplar; what must not be used starts at random."""
        inside = np.clip(field, 0, np.array(self.allowed.shape, np.int32) - 1)
        usable = usable & self.allowed[inside[..., 0], inside[..., 1]] & (self.query > 0)
        self.field[:] = np.where(usable[..., None], inside, -1)
