"""Filling on planes: matched as seen frontally, sampled from the picture itself.

Huang et al. 2014 ("Image completion using planar structure guidance"), each plane with a part of
the window to itself: what is regular on the plane is regular after rectification, where copies
are translations, and the perspective comes back with the positions, never with the pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.patchmatch.em import Solution
from synth.patchmatch.frontal import Frontal
from synth.patchmatch.regions import Window, holes_within
from synth.patchmatch.request import PlanePart, Request
from synth.patchmatch.window import fill_window, match_window, render, with_sources
from synth.planes.find import planes_at

__all__ = ["fill_part", "planes_of"]

Clock = Callable[[str], AbstractContextManager[None]]
Tick = Callable[[str, float], None]

#: A hole's widest part, in pixels, from which on a plane is looked for: narrower ones are settled
#: by what is beside them, and a plane costs sharpness.
_WIDE = 72


def fill_part(
    request: Request, part: Window, lane: int, out: NDArray[Any], clock: Clock, tick: Tick
) -> Solution:
    """Fill the holes in ``part``, on their planes where there are, and write them to ``out``."""
    frontals: list[Frontal] = []
    if request.planes is not None:
        with clock("plane"):
            view = with_sources(request, part)
            for plane in planes_of(request, part, view):
                frontal = Frontal(request, part, view, plane.homography, plane.region)
                if frontal.usable:
                    frontals.append(frontal)
    wanted = int(np.count_nonzero(request.hole[part]))
    left = wanted - sum(len(frontal.pixels) for frontal in frontals)
    steps = len(frontals) + (left > 0)

    def step(number: int) -> Tick:
        return lambda stage, fraction: tick(stage, (number + fraction) / steps)

    found = []
    if left:
        found.append(fill_window(request, part, lane, out, clock, step(0)))
    for number, frontal in enumerate(frontals, len(found)):
        found.append(_fill_frontal(frontal, lane, out, clock, step(number)))
    return found[0] if len(found) == 1 else _together(found, request.hole.shape)


def planes_of(request: Request, part: Window, view: Window) -> tuple[PlanePart, ...]:
    """Return the planes of the holes in ``part``, from ``view``'s own (x, y, 1).

    Those that were given, or those that are clear; a region is of ``view``, None being all of it.
    """
    corner = np.array([[1, 0, view[1].start], [0, 1, view[0].start], [0, 0, 1.0]])
    hole = holes_within(request.hole, part, view)
    if isinstance(request.planes, tuple):
        given = [
            PlanePart(one.homography @ corner, None if one.region is None else one.region[view])
            for one in request.planes
        ]
    else:
        import cv2

        radius = float(cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_C, 3).max())
        if 2 * radius < _WIDE:
            return ()
        found = planes_at(request.image[view], ~request.hole[view], hole, clear=True)
        given = [
            PlanePart(one.homography, one.region if len(found) > 1 else None)
            for one in found
            if one.clear
        ]
    return tuple(one for one in given if one.region is None or (hole & one.region).any())


def _fill_frontal(
    frontal: Frontal, lane: int, out: NDArray[Any], clock: Clock, tick: Tick
) -> Solution:
    everything = tuple(slice(0, side) for side in frontal.request.hole.shape)
    match = match_window(frontal.request, everything, lane, clock, tick)  # type: ignore[arg-type]
    with clock("blend"):
        tick("blend", 0.97)
        copies = frontal.copies(match)
        light = match.solution.change
        if light is not None:
            light = light.taken(copies.number)
        local = Solution(frontal.pixels, copies.nearest, match.solution.energy, light)
        image, view = frontal.whole.image[frontal.view], frontal.view
        filled = render(image, frontal.hole, frontal.unknown, local, copies)
        corner = np.array([view[0].start, view[1].start], np.int32)
        pixels, sources = frontal.pixels + corner, copies.nearest + corner
        out[pixels[:, 0], pixels[:, 1]] = filled
    return Solution(pixels, sources, match.solution.energy)


def _together(found: Sequence[Solution], shape: tuple[int, ...]) -> Solution:
    """One solution of several; where two have a pixel, the later one wrote it."""
    last = np.full(shape, -1, np.int32)
    for number, solution in enumerate(found):
        last[solution.pixels[:, 0], solution.pixels[:, 1]] = number
    kept = [
        last[solution.pixels[:, 0], solution.pixels[:, 1]] == number
        for number, solution in enumerate(found)
    ]
    pixels, sources = (
        np.concatenate([side[keep] for side, keep in zip(sides, kept, strict=True)])
        for sides in ([s.pixels for s in found], [s.sources for s in found])
    )
    widest = max(found, key=lambda solution: len(solution.pixels))
    return Solution(pixels, sources, widest.energy)
