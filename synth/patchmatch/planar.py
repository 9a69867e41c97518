"""Filling on a plane: matched as seen frontally, sampled from the picture itself.

Huang et al. 2014 ("Image completion using planar structure guidance"), with one plane for the
whole window: what is regular on the plane is regular after rectification, where copies are
translations, and the perspective comes back with the positions, never with the pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.patchmatch.em import Solution
from synth.patchmatch.pyramid import allowed_patches
from synth.patchmatch.regions import Window
from synth.patchmatch.request import Request
from synth.patchmatch.resample import warp
from synth.patchmatch.window import (
    Match,
    fill_window,
    match_window,
    render,
    usable_pixels,
    with_sources,
)
from synth.planes.find import centre_of, plane_at
from synth.planes.homography import apply, jacobian

__all__ = ["fill_part", "plane_of"]

Clock = Callable[[str], AbstractContextManager[None]]
Tick = Callable[[str, float], None]

#: A hole's widest part, in pixels, from which on a plane is looked for: narrower ones are settled
#: by what is beside them, and a plane costs sharpness.
_WIDE = 72
#: Patches on the plane are larger: they need not bend.
_LARGER_PATCH = 4
#: The rectified window has at most so many times the window's pixels.
_MOST_PIXELS = 4
#: Width of the ring round the hole whose brightness sources must have, in pixels …
_LEAST_RING = 12
#: … and by how many standard deviations of the picture they may leave its range.
_SHADE = 0.25
#: Cubic interpolation looks so far.
_FOOTPRINT = 2


def fill_part(
    request: Request, part: Window, lane: int, out: NDArray[Any], clock: Clock, tick: Tick
) -> Solution:
    """Fill the holes in ``part``, on their plane where there is one, and write them to ``out``."""
    if request.planes is not None:
        with clock("plane"):
            view = with_sources(request, part)
            homography = plane_of(request, part, view)
            frontal = None if homography is None else _Frontal(request, part, view, homography)
        if frontal is not None and frontal.usable:
            return _fill_frontal(frontal, lane, out, clock, tick)
    return fill_window(request, part, lane, out, clock, tick)


def plane_of(request: Request, part: Window, view: Window) -> NDArray[np.float64] | None:
    """Return the homography of ``view``'s own (x, y, 1); None where there is no clear plane."""
    corner = np.array([[1, 0, view[1].start], [0, 1, view[0].start], [0, 0, 1.0]])
    if isinstance(request.planes, np.ndarray):
        return np.asarray(request.planes @ corner)
    import cv2

    hole = np.zeros_like(request.hole[view])
    inner = tuple(
        slice(a.start - b.start, a.stop - b.start) for a, b in zip(part, view, strict=True)
    )
    hole[inner] = request.hole[part]
    radius = float(cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_C, 3).max())
    if 2 * radius < _WIDE:
        return None
    image = request.image[view]
    plane = plane_at(image, ~request.hole[view], centre_of(hole), clear=True)
    return plane.homography if plane is not None and plane.clear else None


class _Frontal:
    """A window seen frontally: the request there, and the way back.

    Attributes
    ----------
    request : Request
        The rectified picture, its hole and what may be copied.
    homography : (3, 3) float64
        From the window's (x, y, 1) to the rectified picture's.
    usable : bool
        Whether the hole and enough to copy are in it.
    """

    def __init__(
        self, request: Request, part: Window, view: Window, homography: NDArray[np.float64]
    ) -> None:
        import cv2

        self.whole, self.view = request, view
        unknown = request.hole[view]
        hole = np.zeros_like(unknown)
        hole[
            part[0].start - view[0].start : part[0].stop - view[0].start,
            part[1].start - view[1].start : part[1].stop - view[1].start,
        ] = request.hole[part]
        self.hole = hole
        self.pixels = np.argwhere(hole).astype(np.int32)
        self.homography, size = _placed(homography, hole)
        self.usable = size is not None
        if size is None:
            return
        known = usable_pixels(request, view)
        # cubic footprints must not reach into what is unknown
        reach = np.ones((2 * _FOOTPRINT + 1, 2 * _FOOTPRINT + 1), np.uint8)
        clean = cv2.erode(known.astype(np.uint8), reach).astype(np.float32)
        front = _in_front(self.homography, unknown.shape)
        allowed = warp(clean * front, self.homography, size, "linear") > 0.999
        covers = cv2.dilate(hole.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.float32)
        to_fill = warp(covers * front, self.homography, size, "linear") > 0
        image = request.image[view]
        filled = np.where(unknown if image.ndim == 2 else unknown[..., None], 0, image)
        pixels = warp(filled, self.homography, size, "cubic")
        guide = None
        if request.guide is not None:
            labels = request.guide[view]
            kind = np.float64 if labels.dtype.kind in "biu" else labels.dtype
            warped = warp(labels.astype(kind), self.homography, size, "nearest")
            guide = warped.astype(labels.dtype)
        patch = min(request.patch + _LARGER_PATCH, 31)
        self._like_the_surroundings(pixels, to_fill, allowed)
        self.request = replace(
            request, image=pixels, hole=to_fill, source=allowed & ~to_fill, guide=guide,
            patch=patch, planes=None,
        )  # fmt: skip
        usable = allowed_patches(self.request.source, patch)  # type: ignore[arg-type]
        self.usable = bool(np.count_nonzero(usable) >= 256)

    def _like_the_surroundings(
        self, pixels: NDArray[Any], hole: NDArray[np.bool_], allowed: NDArray[np.bool_]
    ) -> None:
        """Take from ``allowed`` what is much brighter or darker, at large, than round the hole.

        Regular things repeat far away, where a lamp or a shadow may lie on them.
        """
        import cv2

        grey = pixels if pixels.ndim == 2 else pixels[..., :3].mean(axis=2)
        grey = grey.astype(np.float64)
        grey[~allowed] = 0
        reach = max(2 * _LEAST_RING, round(np.sqrt(np.count_nonzero(hole)) / 4)) | 1
        weight = cv2.blur(allowed.astype(np.float64), (reach, reach))
        mean = cv2.blur(grey, (reach, reach)) / np.maximum(weight, 1e-6)
        side = 2 * _LEAST_RING + 1
        near = cv2.dilate(hole.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
        ring = near & allowed
        if not ring.any():
            return
        low, high = np.quantile(mean[ring], (0.02, 0.98))
        spread = _SHADE * float(grey[allowed].std())
        similar = allowed & (mean >= low - spread) & (mean <= high + spread)
        if np.count_nonzero(similar) >= 2 * np.count_nonzero(hole):
            allowed &= similar

    def sources(
        self, match: Match
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int32]]:
        """Where each hole pixel of the window comes from, (n, 2) as (x, y), and where none is.

        Also the number of the frontal pixel that says so.
        """
        rows, columns = self.request.hole.shape
        solution = match.solution
        found = np.full((rows, columns), -1, np.int32)
        found[solution.pixels[:, 0], solution.pixels[:, 1]] = np.arange(len(solution.pixels))
        place = apply(self.homography, self.pixels[:, ::-1].astype(np.float64))
        nearest = np.rint(place).astype(np.int64)
        nearest = np.clip(nearest, 0, [columns - 1, rows - 1])
        number = found[nearest[:, 1], nearest[:, 0]]
        copied, turn = match.ground.origins(solution.sources)
        aside = np.einsum("nij,nj->ni", turn[number], place - nearest)
        moved = copied[number, ::-1] + aside
        return (
            apply(np.asarray(np.linalg.inv(self.homography), np.float64), moved),
            number < 0,
            number,
        )


def _in_front(homography: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float32]:
    """1 where a pixel lies on the hole's side of the horizon, 0 beyond it."""
    row, column = np.ogrid[: shape[0], : shape[1]]
    depth = homography[2, 0] * column + homography[2, 1] * row + homography[2, 2]
    return np.asarray(depth > 1e-3, np.float32)


def _placed(
    homography: NDArray[np.float64], hole: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], tuple[int, int] | None]:
    """Shift and scale so that the window lands at 0, 0 with the hole at its own size.

    Returns the homography and the size (columns, rows); None where the plane is seen from so far
    aside that it would be too large.
    """
    y, x = np.nonzero(hole)
    centre = np.array([x.mean(), y.mean()])
    depth = homography[2] @ np.array([*centre, 1.0])
    homography = homography / depth
    area = np.sqrt(abs(np.linalg.det(jacobian(homography, centre))))
    homography = np.diag([1 / area, 1 / area, 1.0]) @ homography
    rows, columns = hole.shape
    border = np.concatenate(
        [
            np.stack([np.linspace(0, columns - 1, 65), np.full(65, edge)], axis=1)
            for edge in (0.0, rows - 1.0)
        ]
        + [
            np.stack([np.full(65, edge), np.linspace(0, rows - 1, 65)], axis=1)
            for edge in (0.0, columns - 1.0)
        ]
    )
    border = border[border @ homography[2, :2] + homography[2, 2] > 0.1]
    inside = np.stack([x, y], axis=1).astype(np.float64)
    if (inside @ homography[2, :2] + homography[2, 2] <= 0.1).any():
        return homography, None  # the horizon is too near to the hole
    mapped = apply(homography, inside)
    all_mapped = np.concatenate([apply(homography, border), mapped])
    extent = np.ptp(mapped, axis=0).max()
    low = np.maximum(all_mapped.min(axis=0), mapped.min(axis=0) - 4 * extent)
    high = np.minimum(all_mapped.max(axis=0), mapped.max(axis=0) + 4 * extent)
    size = np.ceil(high - low).astype(int) + 1
    if size[0] * size[1] > _MOST_PIXELS * hole.size:
        return homography, None
    # whole pixels, so that a plane seen frontally is not resampled
    low = np.floor(low)
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1.0]])
    return shift @ homography, (int(size[0]) + 1, int(size[1]) + 1)


def _fill_frontal(
    frontal: _Frontal, lane: int, out: NDArray[Any], clock: Clock, tick: Tick
) -> Solution:
    everything = tuple(slice(0, side) for side in frontal.request.hole.shape)
    match = match_window(frontal.request, everything, lane, clock, tick)  # type: ignore[arg-type]
    with clock("blend"):
        tick("blend", 0.97)
        request, view = frontal.whole, frontal.view
        unknown, image = request.hole[view], request.image[view]
        exact, lost, number = frontal.sources(match)
        light = match.solution.change
        if light is not None:
            light = light[number]
        known = usable_pixels(request, view)
        nearest, strayed = _nearest_known(exact, known, lost)
        exact[strayed] = nearest[strayed, ::-1]
        sampled = _sample(image, known, exact, nearest)
        local = Solution(frontal.pixels, nearest, match.solution.energy, light)
        filled = render(image, frontal.hole, unknown, local, sampled)
        corner = np.array([view[0].start, view[1].start], np.int32)
        pixels, sources = frontal.pixels + corner, nearest + corner
        out[pixels[:, 0], pixels[:, 1]] = filled
    return Solution(pixels, sources, match.solution.energy)


def _nearest_known(
    exact: NDArray[np.float64], known: NDArray[np.bool_], lost: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Round to pixels (row, column); where that is not a known one, take the nearest that is."""
    from scipy import ndimage

    bound = np.array(known.shape) - 1
    rounded = np.rint(exact[:, ::-1])
    nearest = np.clip(rounded, 0, bound).astype(np.int32)
    strayed = lost | (rounded != nearest).any(axis=1) | ~known[nearest[:, 0], nearest[:, 1]]
    if strayed.any():
        places = ndimage.distance_transform_edt(
            ~known, return_distances=False, return_indices=True
        )
        y, x = nearest[strayed, 0], nearest[strayed, 1]
        nearest[strayed] = np.stack([places[0][y, x], places[1][y, x]], axis=1)
    return nearest, strayed


def _sample(
    image: NDArray[Any],
    known: NDArray[np.bool_],
    exact: NDArray[np.float64],
    nearest: NDArray[np.int32],
) -> NDArray[np.float64]:
    """Interpolate at ``exact`` (x, y) by Catmull-Rom cubics; (n, channels) float64.

    Where the sixteen pixels are not all known, the nearest pixel stands for them.
    """
    planes = image[..., np.newaxis] if image.ndim == 2 else image
    base = np.floor(exact).astype(np.int64)
    share = exact - base
    weights = _cubic(share)
    total = np.zeros((len(exact), planes.shape[2]))
    whole = np.ones(len(exact), np.bool_)
    rows, columns = known.shape
    for i in range(4):
        for j in range(4):
            # beyond the picture's border lies the border's own pixel
            y = np.clip(base[:, 1] + i - 1, 0, rows - 1)
            x = np.clip(base[:, 0] + j - 1, 0, columns - 1)
            weight = weights[i][:, 1] * weights[j][:, 0]
            whole &= known[y, x] | (weight == 0)
            values = np.where(known[y, x, None], planes[y, x], 0)
            total += weight[:, None] * values
    fallback = planes[nearest[:, 0], nearest[:, 1]]
    return np.where(whole[:, None], total, fallback).astype(np.float64)


def _cubic(share: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Catmull-Rom weights of the four neighbours (Keys 1981)."""
    t, t2, t3 = share, share**2, share**3
    return [
        (-t + 2 * t2 - t3) / 2,
        (2 - 5 * t2 + 3 * t3) / 2,
        (t + 4 * t2 - 3 * t3) / 2,
        (t3 - t2) / 2,
    ]
