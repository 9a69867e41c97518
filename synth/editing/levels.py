"""The way from the coarsest summary to the finest, shared by resizing and rearranging."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from synth.editing.bidirectional import Pins, Summary, finer
from synth.errors import InputError
from synth.kernels._jit import Bands
from synth.patchmatch.features import colour_channels
from synth.patchmatch.pyramid import Level, build
from synth.patchmatch.request import Quality

__all__ = [
    "COARSE_RADII",
    "ROUNDS",
    "Rounds",
    "Run",
    "check_quality",
    "grid_of",
    "halved",
    "levels_of",
    "refine",
]

#: The coarsest level's shorter side has at least so many patches side by side. With fewer, small
#: things get lost; with more, large things are squeezed rather than kept whole.
_COARSEST = 5
#: Radii of the random search, in pixels: wide while the layout is open …
COARSE_RADII = np.array([32, 8, 2, 1], np.int64)
#: … and near in the two finest levels.
_FINE_RADII = np.array([8, 2, 1], np.int64)


@dataclass(frozen=True)
class Rounds:
    """How many rounds of search and vote.

    Attributes
    ----------
    step : int
        After each small change of size.
    coarsest : int
        When the coarsest level has its last size.
    finer : int
        At every other level.
    """

    step: int
    coarsest: int
    finer: int


ROUNDS = {"draft": Rounds(3, 6, 2), "normal": Rounds(6, 15, 4), "best": Rounds(12, 30, 8)}


@dataclass(frozen=True)
class Run:
    """What every level of one call needs.

    ``tick`` is told how many patches have been matched, before each round.
    """

    patch: int
    key: tuple[int, int]
    bands: Bands
    rounds: Rounds
    tick: Callable[[int], None]

    def summary(
        self,
        source: NDArray[np.uint8],
        content: NDArray[np.int16],
        forward: NDArray[np.int32],
        backward: NDArray[np.int32],
        pins: Pins,
    ) -> Summary:
        """Lay out a summary of ``source``."""
        return Summary(
            source, content, forward, backward, pins, patch=self.patch, key=self.key,
            bands=self.bands,
        )  # fmt: skip

    def improve(self, summary: Summary, count: int, radii: NDArray[np.int64], sweeps: int) -> None:
        """Search and vote ``count`` times."""
        for _ in range(count):
            self.tick(summary.forward[..., 0].size + summary.backward[..., 0].size)
            summary.improve(radii, sweeps)


def levels_of(image: NDArray[Any], shape: tuple[int, int], patch: int) -> list[NDArray[np.uint8]]:
    """Halve a picture, finest first, until it or its summary of ``shape`` has no room to move."""
    nothing = np.zeros(image.shape[:2], np.bool_)
    shorter = min(*image.shape[:2], *shape)
    depth = 0
    while shorter >> (depth + 1) >= _COARSEST * patch:
        depth += 1
    finest = Level(colour_channels(image, nothing), nothing, ~nothing)
    return [level.features for level in build(finest, depth, patch)]


def check_quality(quality: Any) -> Quality:
    """Return ``quality`` if it is one."""
    if quality not in get_args(Quality):
        choices = ", ".join(repr(q) for q in get_args(Quality))
        raise InputError(f"quality is {quality!r}, but one of {choices} is needed")
    return quality  # type: ignore[no-any-return]


def halved(mask: NDArray[np.bool_], level: int) -> NDArray[np.bool_]:
    """Halve a mask ``level`` times; True stays where all of the four pixels are True."""
    for _ in range(level):
        rows, columns = (side // 2 * 2 for side in mask.shape)
        mask = mask[:rows, :columns]
        mask = mask[::2, ::2] & mask[1::2, ::2] & mask[::2, 1::2] & mask[1::2, 1::2]
    return mask


def grid_of(shape: tuple[int, ...], patch: int) -> tuple[int, int]:
    """Rows and columns of patches in a picture."""
    return shape[0] - patch + 1, shape[1] - patch + 1


def refine(
    run: Run,
    summary: Summary,
    levels: list[NDArray[np.uint8]],
    shape: tuple[int, int],
    pins_at: Callable[[int], Pins],
) -> NDArray[np.int32]:
    """Go from the coarsest level's summary to the finest.

    Parameters
    ----------
    run : Run
    summary : Summary
        Of ``levels[-1]``.
    levels : list of (rows, columns, channels) uint8
        Finest first.
    shape : (int, int)
        Rows and columns of the finest summary.
    pins_at : callable
        Gives the pins of a level, 0 being the finest.

    Returns
    -------
    (rows, columns, 2) int32
        The place in the picture that each pixel is copied from.
    """
    for number in range(len(levels) - 2, -1, -1):
        source = levels[number]
        size = shape[0] >> number, shape[1] >> number
        grid, source_grid = grid_of(size, run.patch), grid_of(source.shape, run.patch)
        forward = finer(summary.forward, grid, source_grid)
        backward = finer(summary.backward, source_grid, grid)
        content = np.zeros((*size, source.shape[2]), np.int16)
        summary = run.summary(source, content, forward, backward, pins_at(number))
        summary.vote(searched=False)
        radii = _FINE_RADII if number < 2 else COARSE_RADII
        run.improve(summary, run.rounds.finer, radii, 1)
    summary.search(_FINE_RADII, 1)
    return summary.picked()
