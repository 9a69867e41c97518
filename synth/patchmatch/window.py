"""One window of a fill, from the caller's pixels to the caller's pixels."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError
from synth.kernels._jit import threads
from synth.patchmatch.copies import Ground, with_copies
from synth.patchmatch.details import mean_energy
from synth.patchmatch.em import Solution, solve
from synth.patchmatch.features import colour_range, extract, guide_channels
from synth.patchmatch.membrane import Sampled, membrane
from synth.patchmatch.pieces import pieces
from synth.patchmatch.pyramid import Level, allowed_patches, build, depth
from synth.patchmatch.regions import Window, bounding_window, holes_within, inside
from synth.patchmatch.request import Request

__all__ = ["Match", "fill_window", "match_window", "render", "usable_pixels", "with_sources"]


def fill_window(
    request: Request,
    part: Window,
    lane: int,
    out: NDArray[Any],
    clock: Callable[[str], AbstractContextManager[None]],
    tick: Callable[[str, float], None],
) -> Solution:
    """Fill the holes in ``part`` and write them to ``out``; positions are the picture's."""
    if not request.variation:
        return _fill_piece(request, part, None, lane, out, clock, tick)
    groups = pieces(request.hole[part], request.variation, request.patch)
    if len(groups) == 1:
        return _fill_piece(request, part, None, lane, out, clock, tick)
    counts = [int(np.count_nonzero(mask)) for _, mask in groups]
    done = 0
    solutions = []
    for (view, mask), count in zip(groups, counts, strict=True):

        def share(stage: str, fraction: float, done: int = done, count: int = count) -> None:
            tick(stage, (done + fraction * count) / sum(counts))

        rows, columns = (
            slice(outer.start + inner.start, outer.start + inner.stop)
            for outer, inner in zip(part, view, strict=True)
        )
        piece = (rows, columns)
        solutions.append(_fill_piece(request, piece, mask[view], lane, out, clock, share))
        done += count
    return Solution(
        np.concatenate([one.pixels for one in solutions]),
        np.concatenate([one.sources for one in solutions]),
        mean_energy([one.energy for one in solutions], counts),
    )


def _fill_piece(
    request: Request,
    part: Window,
    wanted: NDArray[np.bool_] | None,
    lane: int,
    out: NDArray[Any],
    clock: Callable[[str], AbstractContextManager[None]],
    tick: Callable[[str, float], None],
) -> Solution:
    """Fill the holes in ``part``, or those of them that are ``wanted``."""
    match = match_window(request, part, lane, clock, tick, wanted)
    with clock("blend"):
        tick("blend", 0.97)
        solution = match.solution
        filled = render(match.ground.image, match.hole, match.ground.unknown, solution)
        corner = np.array([match.view[0].start, match.view[1].start], np.int32)
        pixels, sources = solution.pixels + corner, match.origins() + corner
        out[pixels[:, 0], pixels[:, 1]] = filled
    return Solution(pixels, sources, solution.energy)


@dataclass(frozen=True)
class Match:
    """Where the hole pixels of a window come from.

    Attributes
    ----------
    view : Window
        The window that was looked at.
    hole : (rows, columns) bool
        The pixels of it that were filled.
    ground : Ground
        What they are copied from: the window, and copies beside it.
    solution : Solution
        In positions of the ground.
    """

    view: Window
    hole: NDArray[np.bool_]
    ground: Ground
    solution: Solution

    def origins(self) -> NDArray[np.int32]:
        """For each pixel of the solution the nearest pixel of the window that it is made of."""
        if not self.ground.copies:
            return self.solution.sources
        exact, _ = self.ground.origins(self.solution.sources)
        return np.rint(exact).astype(np.int32)


def match_window(
    request: Request,
    part: Window,
    lane: int,
    clock: Callable[[str], AbstractContextManager[None]],
    tick: Callable[[str, float], None],
    wanted: NDArray[np.bool_] | None = None,
) -> Match:
    """Find where the hole pixels in ``part`` come from, or those that are ``wanted``."""
    with clock("prepare"):
        view = with_sources(request, part)
        unknown = request.hole[view]
        hole = holes_within(request.hole, part, view)
        if wanted is not None:
            hole[inside(part, view)] &= wanted
        guide = None if request.guide is None else request.guide[view]
        ground = Ground(request.image[view], unknown, guide)
        allowed = usable_pixels(request, view)
        if request.variation:
            ground, allowed = with_copies(
                ground, allowed, hole, request.variation, request.patch,
                crowded=wanted is not None,
            )  # fmt: skip
        levels = max(0, depth(hole, request.patch) + request.depth_offset)
        colours = 1 if ground.image.ndim == 2 else ground.image.shape[2]
        bits = None if ground.guide is None else guide_channels(ground.guide, colours)
        features = extract(ground.image, ground.unknown, bits, 2**levels // 2 + 1)
        pyramid = build(Level(features.channels, hole, allowed), levels, request.patch)
        voted, hues = features.voted, features.colours
        del features, allowed  # the pyramid has them, and gives them up level by level
    with clock("search"), threads() as bands:
        solution = solve(
            pyramid, voted, patch=request.patch, effort=request.effort,
            key=request.key, lane=lane, bands=bands, tick=tick,
            mode=request.adapt, colours=hues,
        )  # fmt: skip
    return Match(view, hole, ground, solution)


def usable_pixels(request: Request, view: Window) -> NDArray[np.bool_]:
    """Tell which pixels of ``view`` may be copied."""
    allowed = ~request.hole[view]
    if request.source is not None:
        allowed &= request.source[view]
    if request.image.ndim == 3 and request.image.shape[2] == 4:
        allowed &= request.image[view][..., 3] > 0
    return allowed


def with_sources(request: Request, part: Window) -> Window:
    """Grow a window until there is enough to copy from, and to all of an explicit source."""
    shape = request.hole.shape
    if request.source is not None:
        explicit = bounding_window(request.source & ~request.hole)
        if explicit is not None:
            part = tuple(
                slice(min(a.start, b.start), max(a.stop, b.stop))
                for a, b in zip(part, explicit, strict=True)
            )  # type: ignore[assignment]
    while True:
        usable = np.count_nonzero(allowed_patches(usable_pixels(request, part), request.patch))
        whole = all(
            side.start == 0 and side.stop == length
            for side, length in zip(part, shape, strict=True)
        )
        if usable >= 256 or (whole and usable > 0):
            return part
        if whole:
            raise InputError(_nothing_to_copy(request))
        part = tuple(
            slice(
                max(0, side.start - (side.stop - side.start)),
                min(length, side.stop + (side.stop - side.start)),
            )
            for side, length in zip(part, shape, strict=True)
        )  # type: ignore[assignment]


def _nothing_to_copy(request: Request) -> str:
    mends = ["mask less"]
    if request.patch > 3:
        mends.append("pass a smaller patch")
    if request.source is not None:
        mends.append("allow more in source")
    if request.image.ndim == 3 and request.image.shape[2] == 4:
        mends.append("make more of the image visible: pixels of alpha 0 are never copied")
    side = f"{request.patch}×{request.patch}"
    return f"no full {side} patch of known pixels is left to copy from; {', or '.join(mends)}"


def render(
    image: NDArray[Any],
    hole: NDArray[np.bool_],
    unknown: NDArray[np.bool_],
    solution: Solution,
    sampled: Sampled | None = None,
) -> NDArray[Any]:
    """Copy from the sources at the picture's own precision and hide the seam.

    Parameters
    ----------
    image : (rows, columns[, channels])
    hole, unknown : (rows, columns) bool
        Pixels that are filled, and pixels whose value means nothing. Where the image is larger
        than the hole, the hole's is its top left part.
    solution : Solution
    sampled : Sampled, optional
        Colours from between the source pixels, where they come from there: these are shaded at
        the hole's border only, because between them nothing is a step of whole pixels.
    """
    y, x = solution.sources[:, 0], solution.sources[:, 1]
    copied = image[y, x]
    planes = image[..., np.newaxis] if image.ndim == 2 else image
    colours = planes
    if planes.shape[2] == 4:
        colours = planes[..., :3]
        unknown = unknown | ~(planes[..., 3] > 0)  # a colour under alpha 0 means nothing
    known = colours[~unknown]
    low, high = float(known.min()), float(known.max())
    if low / 2 == high / 2:  # equal, or so close to 0 that nothing lies between them
        return copied
    light = solution.change
    if light is not None:
        light = light.in_units(*colour_range(image, unknown))
    change = membrane(
        colours, hole, unknown, solution.pixels, solution.sources, (low, high),
        sampled=sampled, light=light,
    )  # fmt: skip
    base = colours[y, x] if sampled is None else sampled.colours[:, : colours.shape[2]]
    if light is not None:
        base = light(base.astype(np.float64))
    with np.errstate(over="ignore"):  # what is more than a float can hold is cut to the range
        corrected = np.clip(base + change * (high / 2 - low / 2) * 2, low, high)
    if image.dtype.kind == "u":
        corrected = np.rint(corrected)
    result = copied.reshape(len(y), -1).copy()
    result[:, : colours.shape[2]] = corrected.astype(image.dtype)
    return result.reshape(copied.shape)
