"""The onion peel: a hole filled layer by layer, each matched by what is known so far."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.kernels.cpu.membrane import relax
from synth.kernels.cpu.onion import peel_search
from synth.patchmatch.order import Edges, outermost
from synth.patchmatch.stage import LIMIT, Stage

__all__ = ["Draws", "guess", "peel"]

#: Every source is tried where there are at most this many pairs of query and source.
_PAIRS = 300_000
#: Wide holes get so many times the random candidates: they need few peels, and what is not found
#: there is missing in the layout.
_WIDE_SAMPLES = 4
#: … and patches that were matched before get this many: what was found when less was known is
#: mostly still right.
_AGAIN = 8
_GUESS_ITERATIONS = 100

#: Called with patches (h, w) that may vote, pixels (rows, columns) that are to be set, and the
#: first and last row + 1 of the target that it is about.
Vote = Callable[[NDArray[np.uint8], NDArray[np.bool_], tuple[int, int]], None]


@dataclass(frozen=True)
class Draws:
    """Random numbers of one level's peel.

    Attributes
    ----------
    key, purpose : (int, int), int
        Of the generator.
    first : int
        The first search's number; those after it count on.
    count : int
        Random candidates per query, where the level is too large to try all.
    """

    key: tuple[int, int]
    purpose: int
    first: int
    count: int


def peel(stage: Stage, vote: Vote, draws: Draws, *, wide: bool, trust: float) -> int:
    """Fill the hole from its border inwards; return how many searches it took.

    Parameters
    ----------
    stage : Stage
        What its field holds already is tried as well.
    vote : callable
        Sets the pixels of a layer from the patches over it.
    draws : Draws
    wide : bool
        Continue the strong edges that run into the hole first (`Edges`), and look longer.
    trust : float
        How much what the hole holds now counts in a patch, beside what is known or was filled. A
        little keeps out of the middle of a hole what fits its rim only; 0 looks at what is known
        alone.
    """
    import cv2

    _, columns, channels = stage.shape
    patch, half = stage.patch, stage.patch // 2
    height, width = stage.query.shape
    unknown = stage.hole.copy()
    known = np.full(stage.target.shape, -1, np.int16)
    known_view = known[: stage.hole.size * channels].reshape(stage.shape)
    known_view[unknown, : stage.voted] = 0
    few = len(stage.queries) * len(stage.choices) <= _PAIRS
    # where there are copies, the more there is to copy the more is tried
    more = math.ceil(math.sqrt(stage.penalty.size / stage.query.size))
    samples = 0 if few else draws.count * more * (_WIDE_SAMPLES if wide else 1)
    square = np.ones((patch, patch), np.uint8)
    edges = Edges(stage) if wide else None
    searches = 0
    while unknown.any():
        layer = outermost(unknown) if edges is None else edges.next_layer(unknown)
        # only the rows that the layer's patches can reach: a layer is a small part of the level
        rows = np.flatnonzero(layer.any(axis=1))
        top, bottom = max(0, rows[0] - patch + 1), min(len(layer), rows[-1] + patch)
        strip, queries = slice(top, bottom), slice(top, bottom - patch + 1)
        # the patches over the layer whose own centre is not deeper in the hole
        over = np.asarray(cv2.dilate(layer[strip].astype(np.uint8), square), np.uint8)
        over[unknown[strip] & ~layer[strip]] = 0
        centres = over[half : half + bottom - top - patch + 1, half : half + width]
        active = centres & stage.query[queries]
        missing = cv2.boxFilter(
            unknown[strip].astype(np.float32), -1, (patch, patch), anchor=(0, 0),
            borderType=cv2.BORDER_CONSTANT,
        )  # fmt: skip
        scale = np.zeros((height, width), np.float32)
        known_share = 1 - missing[: len(active), :width]
        scale[queries] = 1 / np.maximum(known_share, np.float32(1 / patch**2))
        asked = [(active > 0, samples)]
        if edges is not None:
            found = stage.field[queries, :, 0] >= 0
            asked = [((active > 0) & ~found, samples), ((active > 0) & found, _AGAIN)]
        for some, count in asked:
            places = np.argwhere(some).astype(np.int32)
            places[:, 0] += top
            peel_search(
                stage.target, columns, known, stage.source, stage.source_width, channels, patch,
                stage.field, stage.cost, scale, places, stage.penalty, stage.choices,
                stage.penalty.shape[1], count, *draws.key, draws.first + searches, draws.purpose,
                LIMIT, trust,
            )  # fmt: skip
            searches += 1
        vote(active, layer[strip], (top, bottom))
        unknown[strip] &= ~layer[strip]
        known_view[strip][layer[strip]] = -1
    return searches


def guess(stage: Stage) -> None:
    """Fill the content smoothly from the hole's border (Laplace's equation)."""
    _, _, channels = stage.shape
    content = stage.content
    values = content.astype(np.float32)
    values[stage.hole] = values[~stage.hole].mean(axis=0)
    nothing = np.zeros((len(stage.pixels), channels), np.float32)
    relax(
        values, nothing, stage.pixels, stage.hole, ~stage.hole, np.float32(0), np.float32(1.7),
        _GUESS_ITERATIONS,
    )  # fmt: skip
    voted = slice(0, stage.voted)
    content[stage.hole, voted] = np.rint(values[stage.hole, voted]).astype(np.int16)
