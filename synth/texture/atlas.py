"""All exemplars on one sheet of 8-bit channels, which is what patches are compared by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.patchmatch.features import colour_channels

__all__ = ["Atlas", "halve", "halve_guide", "lay_out", "sheet"]

#: Exemplars begin on rows that this divides, so that up to six halvings never mix two of them.
_ALIGNED = 64


@dataclass(frozen=True)
class Atlas:
    """Exemplars one below the other, at least a row apart.

    Attributes
    ----------
    channels : (rows, columns, k) uint8
    guide : (rows, columns, g) uint8
        g = 0 where there is no guide.
    inside : (rows, columns) bool
        False between the exemplars and where they must not be copied.
    smallest : (int, int)
        Rows and columns that every exemplar has.
    """

    channels: NDArray[np.uint8]
    guide: NDArray[np.uint8]
    inside: NDArray[np.bool_]
    smallest: tuple[int, int]


def sheet(sizes: Sequence[tuple[int, int]]) -> tuple[list[int], tuple[int, int]]:
    """Return the first row of each exemplar, and rows and columns of the whole sheet.

    Examples
    --------
    >>> sheet([(100, 90), (30, 200)])
    ([0, 128], (158, 200))
    """
    tops: list[int] = []
    end = 0
    for rows, _ in sizes:
        top = -(-(end + 1) // _ALIGNED) * _ALIGNED if tops else 0
        tops.append(top)
        end = top + rows
    return tops, (end, max(columns for _, columns in sizes))


def lay_out(
    layers: Sequence[Sequence[NDArray[Any]]],
    guides: Sequence[NDArray[np.uint8]],
    masks: Sequence[NDArray[np.bool_] | None],
    known: Sequence[NDArray[Any]] | None = None,
    unknown: NDArray[np.bool_] | None = None,
) -> tuple[Atlas, NDArray[np.uint8] | None]:
    """Lay exemplars out, and turn what is known of the output into channels of the same kind.

    Parameters
    ----------
    layers : [layer][exemplar] → (rows, columns[, channels])
        The layers of one exemplar are of one size.
    guides : [exemplar] → (rows, columns, g) uint8
    masks : [exemplar] → (rows, columns) bool or None
        True = never copied.
    known : [layer] → (rows, columns[, channels]), optional
    unknown : (rows, columns) bool, optional
        Where ``known`` says nothing.
    """
    sizes = [guide.shape[:2] for guide in guides]
    tops, (rows, columns) = sheet(sizes)
    inside = np.zeros((rows, columns), np.bool_)
    guide = np.zeros((rows, columns, guides[0].shape[2]), np.uint8)
    for top, (height, width), one, mask in zip(tops, sizes, guides, masks, strict=True):
        inside[top : top + height, :width] = True if mask is None else ~mask
        guide[top : top + height, :width] = one
    planes, given = [], []
    for number, layer in enumerate(layers):
        canvas = np.zeros((rows, columns, *layer[0].shape[2:]), layer[0].dtype)
        for top, (height, width), one in zip(tops, sizes, layer, strict=True):
            canvas[top : top + height, :width] = one
        if known is None or unknown is None:
            planes.append(colour_channels(canvas, ~inside))
            continue
        # in one go, for one range of values and one choice of channels
        end = known[number].shape[1]
        both = np.zeros((rows + len(unknown), max(columns, end), *canvas.shape[2:]), canvas.dtype)
        matters = np.zeros(both.shape[:2], np.bool_)
        both[:rows, :columns], both[rows:, :end] = canvas, known[number]
        matters[:rows, :columns], matters[rows:, :end] = inside, ~unknown
        eight_bits = colour_channels(both, ~matters)
        planes.append(eight_bits[:rows, :columns])
        given.append(eight_bits[rows:, :end])
    channels = np.concatenate(planes, axis=2)
    channels[~inside] = 0
    smallest = min(size[0] for size in sizes), min(size[1] for size in sizes)
    atlas = Atlas(channels, guide, inside, smallest)
    return atlas, np.concatenate(given, axis=2) if given else None


def _mean(planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mean of 2×2 pixels; an odd last row or column stands for itself."""
    padded = np.pad(planes, ((0, planes.shape[0] % 2), (0, planes.shape[1] % 2), (0, 0)), "edge")
    total = np.full((padded.shape[0] // 2, padded.shape[1] // 2, planes.shape[2]), 2, np.uint16)
    for y in (0, 1):
        for x in (0, 1):
            total += padded[y::2, x::2]
    return (total >> 2).astype(np.uint8)


def halve(atlas: Atlas) -> Atlas:
    """Return the atlas at half the resolution; what does not fill 2×2 pixels is outside."""
    rows, columns = (side // 2 * 2 for side in atlas.inside.shape)
    inside = atlas.inside[:rows, :columns].reshape(rows // 2, 2, columns // 2, 2)
    return Atlas(
        _mean(atlas.channels[:rows, :columns]),
        _mean(atlas.guide[:rows, :columns]),
        np.ascontiguousarray(inside.all(axis=(1, 3))),
        (atlas.smallest[0] // 2, atlas.smallest[1] // 2),
    )


def halve_guide(guide: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a target's guide at half the resolution, odd sides rounded up."""
    return _mean(guide)
