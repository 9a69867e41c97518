"""The buffers that one level of a fill works on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError
from synth.kernels.cpu.distance import PADDING
from synth.kernels.cpu.patchmatch import FORBIDDEN
from synth.patchmatch.pyramid import Level, allowed_patches

__all__ = ["LIMIT", "Stage", "band_bounds", "check_costs", "make_stage"]

#: The largest cost, so that a penalty of FORBIDDEN is never accepted.
LIMIT = np.int32(FORBIDDEN)

#: Votes lose this factor for each pixel that a patch's centre lies inside the hole: what is near
#: the border is known better (Wexler et al. 2007, section 3.2).
BORDER_DECAY = 2.5
#: … but no further in than this: there, all sides meet as equals. Without the limit, what grew in
#: from two sides never gives way where it meets, and a step in tone is left.
DECAY_REACH = 6

#: A turned or scaled copy must be nearer by so much, as the mean square of an element's difference
#: in 8-bit steps: it is interpolated, so softer than the picture, and soft patches match easily.
_HANDICAP = 12

_MOST_CHOICES = 1 << 17


@dataclass
class Stage:
    """One level: what is known, what is sought and what has been found so far.

    Attributes
    ----------
    patch, voted : int
        Side of a patch; how many channels have to be found in the hole.
    shape : (rows, columns, channels)
        Of the target.
    source, target : flat uint8, flat int16
        The level's features with a zero hole, and their part round the hole, at the top left,
        with the hole's current content.
    source_width : int
        Columns of the source.
    hole, pixels : (rows, columns) bool, (n, 2) int32
    query, queries : (h, w) uint8, (m, 2) int32
        Patches, by top-left corner, that touch the hole.
    penalty, choices : (h, w) int32, (k,) int32
        `FORBIDDEN` where a patch must not be copied, and a little beyond the target, where there
        are turned and scaled copies; flat positions of those that may, to draw
        from: all of them, or an even selection where they are very many.
    decay : (h, w) float32
        How much a patch's vote counts for lying inside the hole.
    field, cost : (h, w, 2) int32, (h, w) int32
        Each query's source patch and its squared distance.
    bounds : (bands + 1,) int64
        Rows of each band.
    """

    patch: int
    voted: int
    shape: tuple[int, int, int]
    source: NDArray[np.uint8]
    source_width: int
    target: NDArray[np.int16]
    hole: NDArray[np.bool_]
    pixels: NDArray[np.int32]
    query: NDArray[np.uint8]
    queries: NDArray[np.int32]
    penalty: NDArray[np.int32]
    choices: NDArray[np.int32]
    decay: NDArray[np.float32]
    field: NDArray[np.int32]
    cost: NDArray[np.int32]
    bounds: NDArray[np.int64]

    @property
    def content(self) -> NDArray[np.int16]:
        """The target as (rows, columns, channels), a view."""
        rows, columns, channels = self.shape
        return self.target[: rows * columns * channels].reshape(self.shape)


def band_bounds(count: NDArray[Any], per_band: int) -> NDArray[np.int64]:
    """Cut rows into 1 to 16 bands with about as many items in each; ``count`` is per row.

    The bounds depend on the counts alone, never on the number of threads.
    """
    total = np.concatenate([[0], np.cumsum(count)])
    bands = int(np.clip(total[-1] // per_band, 1, 16))
    wanted = total[-1] * np.arange(bands + 1) / bands
    bounds: NDArray[np.int64] = np.searchsorted(total, wanted).astype(np.int64)
    bounds[0], bounds[-1] = 0, len(count)
    return bounds


def _choices(allowed: NDArray[np.bool_]) -> NDArray[np.int32]:
    flat = allowed.ravel()
    step = max(1, flat.size // _MOST_CHOICES)
    chosen = np.flatnonzero(flat[::step]) * step
    if not len(chosen):
        chosen = np.flatnonzero(flat)
    return chosen.astype(np.int32)


def check_costs(channels: int, patch: int) -> None:
    """Refuse patches so large that a squared distance could reach `LIMIT`."""
    most = (int(LIMIT) - 1) // 255**2
    if patch**2 * channels > most:
        raise InputError(
            f"patch is {patch} and patches are compared by {channels} channels (the image's, two "
            f"of texture, the guide's), whose squared distances would overflow; "
            f"pass patch={math.isqrt(most // channels)} or smaller"
        )


def make_stage(level: Level, voted: int, patch: int) -> Stage:
    """Lay out the buffers of ``level`` with nothing found yet."""
    import cv2

    check_costs(level.features.shape[2], patch)
    source = np.zeros(level.features.size + PADDING, np.uint8)
    source[: level.features.size] = level.features.ravel()
    rows, columns = level.hole.shape
    channels = level.features.shape[2]
    target = source.astype(np.int16)
    if level.hole.shape != level.allowed.shape:
        target = np.zeros(rows * columns * channels + PADDING, np.int16)
        target[:-PADDING] = level.features[:rows, :columns].ravel()
    allowed = allowed_patches(level.allowed, patch)
    penalty = np.where(allowed, np.int32(0), LIMIT)
    query = (~allowed_patches(~level.hole, patch)).astype(np.uint8)
    depth = cv2.distanceTransform(level.hole.astype(np.uint8), cv2.DIST_L2, 3)
    half = patch // 2
    depth = depth[half : half + query.shape[0], half : half + query.shape[1]]
    # in place: at the finest level it is as large as the window
    decay = np.ascontiguousarray(np.minimum(depth, np.float32(DECAY_REACH)))
    np.power(np.float32(1 / BORDER_DECAY), decay, out=decay)
    del depth
    if penalty.shape != query.shape:
        copies = allowed.copy()
        copies[: query.shape[0], : query.shape[1]] = False
        penalty[copies] = _HANDICAP * patch**2 * channels
    return Stage(
        patch=patch,
        voted=voted,
        shape=(rows, columns, channels),
        source=source,
        source_width=level.features.shape[1],
        target=target,
        hole=level.hole,
        pixels=np.argwhere(level.hole).astype(np.int32),
        query=query,
        queries=np.argwhere(query).astype(np.int32),
        penalty=penalty,
        choices=_choices(allowed),
        decay=decay,
        field=np.full((*query.shape, 2), -1, np.int32),
        cost=np.zeros(query.shape, np.int32),
        bounds=band_bounds(query.sum(axis=1, dtype=np.int64), 2048),
    )
