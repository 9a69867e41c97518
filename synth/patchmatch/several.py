"""Filling on several planes of one picture, each for its part of the hole.

Huang et al. 2014 ("Image completion using planar structure guidance") with parts that are given.
Each plane fills the whole hole, from its own region alone, and of that its part is kept: across
the edge where two planes meet, neither has to fit what the other put there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError
from synth.images import check_mask
from synth.patchmatch.details import FillDetails
from synth.patchmatch.request import Request, check_homography
from synth.planes.find import centre_of, plane_at

__all__ = ["PlanePart", "check_parts", "fill_parts"]


@dataclass(frozen=True, eq=False)
class PlanePart:
    """A plane and where in the picture it is."""

    homography: NDArray[np.float64]
    region: NDArray[np.bool_]


def check_parts(
    planes: Any, image: NDArray[Any], hole: NDArray[np.bool_]
) -> tuple[PlanePart, ...] | None:
    """Return the parts of ``planes``, or None where it is no sequence of pairs."""
    if not isinstance(planes, list | tuple) or not planes:
        return None
    if not all(isinstance(one, list | tuple) and len(one) == 2 for one in planes):
        return None
    found = []
    taken = np.zeros(hole.shape, np.bool_)
    for number, (homography, region) in enumerate(planes):
        where = check_mask(region, hole.shape, name=f"planes[{number}][1]")
        if (where & taken & hole).any():
            raise InputError(
                f"the region of planes[{number}] overlaps an earlier one inside the hole; each "
                "pixel of the hole lies on one plane"
            )
        taken |= where
        own = hole & where
        if own.any() and not (where & ~hole).any():
            raise InputError(
                f"the region of planes[{number}] lies inside the hole, so there is nothing of "
                "that plane to copy from; make the region as large as the plane"
            )
        if isinstance(homography, str) and homography == "auto":
            if not own.any():
                continue
            plane = plane_at(image, where & ~hole, centre_of(own))
            if plane is None:
                raise InputError(
                    f"no plane is seen in the region of planes[{number}]: its edges have no two "
                    "directions in common; give a homography, or leave the region out"
                )
            homography = plane.homography
        found.append(PlanePart(check_homography(homography, own), where))
    return tuple(found)


def fill_parts(
    request: Request,
    parts: tuple[PlanePart, ...],
    fill: Callable[[Request, int], FillDetails],
) -> FillDetails:
    """Fill what lies on no plane, then each part on its own.

    Parameters
    ----------
    request : Request
    parts : tuple of PlanePart
    fill : callable
        Called with a request and the number of the step, 0 to len(parts).
    """
    hole = request.hole
    known = ~hole if request.source is None else request.source & ~hole
    aslant = [part for part in parts if not _on_one_side(part.homography, hole)]
    rest = hole & ~np.logical_or.reduce([part.region for part in parts])
    image, sources = request.image.copy(), np.full((*hole.shape, 2), -1, np.int32)
    if rest.any() or aslant or not hole.any():
        done = fill(replace(request, planes=None), 0)
        image, sources = done.image.copy(), done.source_map
    for number, part in enumerate(parts, 1):
        own = hole & part.region
        if not own.any():
            continue
        step = replace(request, source=known & part.region, planes=part.homography)
        if part in aslant:  # only a part of the hole can be seen frontally
            step = replace(step, image=image, hole=own)
        done = fill(step, number)
        image[own], sources[own] = done.image[own], done.source_map[own]
    pixels = np.argwhere(hole).astype(np.int32)
    return replace(done, image=image, pixels=pixels, sources=sources[hole])


def _on_one_side(homography: NDArray[np.float64], hole: NDArray[np.bool_]) -> bool:
    """Whether the plane's horizon leaves the hole whole."""
    y, x = np.nonzero(hole)
    depth = homography[2, 0] * x + homography[2, 1] * y + homography[2, 2]
    return bool(len(depth) == 0 or depth.min() * depth.max() > 0)
