"""What a fill tells about itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FillCandidate", "FillChoice", "FillDetails", "mean_energy"]


@dataclass(frozen=True)
class FillCandidate:
    """One way to fill a hole, and how well it filled fake ones.

    Attributes
    ----------
    patch : int
        Side of the patches, in pixels.
    depth : int
        Levels of the pyramid more (or fewer, −1) than the hole's width asks for.
    plane : bool
        Whether it fills on the plane that was found.
    losses : tuple of float
        For each fake hole, how far the fill was from the truth, in decibels of PSNR and what
        counts as much (`synth.patchmatch.judge.loss`): only differences mean something.
    """

    patch: int
    depth: int
    plane: bool
    losses: tuple[float, ...]

    @property
    def loss(self) -> float:
        """The mean over the fake holes; lower is better."""
        return sum(self.losses) / max(1, len(self.losses))


@dataclass(frozen=True)
class FillChoice:
    """What ``quality="best"`` chose for a hole, and why.

    Attributes
    ----------
    candidates : tuple of FillCandidate
        What was tried; the first is what the call asked for.
    number : int
        The candidate that was chosen.
    reason : str
        Why, for people.
    fakes : (rows, columns) bool
        Where the fake holes were.
    """

    candidates: tuple[FillCandidate, ...]
    number: int
    reason: str
    fakes: NDArray[np.bool_] = field(repr=False)

    @property
    def chosen(self) -> FillCandidate:
        """The candidate that was chosen."""
        return self.candidates[self.number]


@dataclass(frozen=True)
class FillDetails:
    """A filled picture and how it came about.

    Attributes
    ----------
    image : ndarray
        The filled picture, of the input's shape and dtype.
    pixels : (n, 2) int32
        Row and column of each filled pixel, in reading order.
    sources : (n, 2) int32
        Row and column of the known pixel that each was copied from. A smooth correction hides
        the hole's border, so the colours differ a little. Of copies that are turned or scaled
        (and of planes), the pixel nearest to the place that was interpolated.
    energy : tuple of (int, float)
        Level (0 = full resolution) and mean squared difference, in 8-bit steps, between the
        patches over the hole and what they were matched to, and for turned or scaled copies a
        little more; coarsest first.
    seconds : dict of str to float
        Wall time by stage.
    samples : (n, rows, columns[, channels]) or None
        With ``samples=n``: this picture first, then other answers to the same hole.
    spread : (rows, columns) float32 or None
        Standard deviation over the samples, the mean over the channels, in the picture's units:
        where the answers disagree. 0 outside the hole.
    chosen : FillChoice or None
        With ``quality="best"``: what the fake holes said.
    """

    image: NDArray[Any] = field(repr=False)
    pixels: NDArray[np.int32] = field(repr=False)
    sources: NDArray[np.int32] = field(repr=False)
    energy: tuple[tuple[int, float], ...]
    seconds: dict[str, float]
    samples: NDArray[Any] | None = field(default=None, repr=False)
    spread: NDArray[np.float32] | None = field(default=None, repr=False)
    chosen: FillChoice | None = None

    @property
    def source_map(self) -> NDArray[np.int32]:
        """(rows, columns, 2) int32: where each filled pixel came from, −1 where nothing was."""
        result = np.full((*self.image.shape[:2], 2), -1, np.int32)
        result[self.pixels[:, 0], self.pixels[:, 1]] = self.sources
        return result


def mean_energy(
    energies: list[tuple[tuple[int, float], ...]], shares: list[int]
) -> tuple[tuple[int, float], ...]:
    """Average over windows, each weighing as many pixels as it filled."""
    sums: dict[int, tuple[float, int]] = {}
    for energy, share in zip(energies, shares, strict=True):
        for level, value in energy:
            total, weight = sums.get(level, (0.0, 0))
            sums[level] = total + value * share, weight + share
    return tuple((level, sums[level][0] / sums[level][1]) for level in sorted(sums, reverse=True))
