"""Planes that a caller gives: one, or several, each with its part of the picture."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError
from synth.images import check_mask
from synth.patchmatch.request import PlanePart, check_homography
from synth.planes.find import centre_of, plane_at

__all__ = ["check_planes"]


def check_planes(
    planes: Any, image: NDArray[Any], hole: NDArray[np.bool_]
) -> Literal["auto"] | tuple[PlanePart, ...] | None:
    """Return what ``planes`` of `synth.fill` asks for; None where there is no plane to fill on."""
    if planes is None or (isinstance(planes, str) and planes == "auto"):
        return planes  # type: ignore[return-value]
    pairs = isinstance(planes, list | tuple) and all(
        isinstance(one, list | tuple) and len(one) == 2 for one in planes
    )
    if not pairs or not planes:
        return (PlanePart(check_homography(planes, hole)),)
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
        name = f"planes[{number}][0]"
        found.append(PlanePart(check_homography(homography, own, name=name), where))
    return tuple(found) or None
