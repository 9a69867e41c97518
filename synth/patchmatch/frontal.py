"""A window of a picture as seen frontally: what is to be filled there, and the way back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.patchmatch.pyramid import allowed_patches
from synth.patchmatch.regions import Window, holes_within
from synth.patchmatch.request import Request
from synth.patchmatch.resample import sample, warp
from synth.patchmatch.window import Match, usable_pixels
from synth.planes.homography import apply, jacobian

__all__ = ["Frontal"]

#: Patches on the plane are larger: they need not bend.
_LARGER_PATCH = 4
#: The rectified window has at most so many times the window's pixels.
_MOST_PIXELS = 4
#: Width of the ring round the hole whose brightness sources must have, in pixels …
_LEAST_RING = 12
#: … and by how many standard deviations of the picture they may leave its range.
_SHADE = 0.25
#: Light that varies by this share of the picture's range, over lengths of half the hole's, is
#: evened out between copies. Elsewhere that takes twice as long for nothing.
_UNEVEN = 0.075
#: Cubic interpolation looks so far.
_FOOTPRINT = 2


class Frontal:
    """A window seen frontally: the request there, and the way back.

    Parameters
    ----------
    request, part, view
        The holes in ``part`` are filled, copying from ``view``.
    homography : (3, 3) float64
        From ``view``'s (x, y, 1) to the plane.
    region : (rows, columns) bool, optional
        Where in ``view`` the plane is; only that is filled and copied. What lies beyond is made
        up for a little way, so that nothing there has to be fitted.

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
        self,
        request: Request,
        part: Window,
        view: Window,
        homography: NDArray[np.float64],
        region: NDArray[np.bool_] | None = None,
    ) -> None:
        import cv2

        self.whole, self.view = request, view
        unknown = request.hole[view]
        hole = holes_within(request.hole, part, view)
        known = usable_pixels(request, view)
        self.unknown = unknown
        patch = min(request.patch + _LARGER_PATCH, 31)
        if region is not None:
            hole &= region
            known &= region
            self.unknown = unknown | ~region
        self.hole, self.known = hole, known
        self.pixels = np.argwhere(hole).astype(np.int32)
        self.homography, size = _placed(homography, hole, region, patch)
        self.usable = size is not None
        if size is None:
            return
        # cubic footprints must not reach into what is unknown
        reach = np.ones((2 * _FOOTPRINT + 1, 2 * _FOOTPRINT + 1), np.uint8)
        clean = cv2.erode(known.astype(np.uint8), reach).astype(np.float32)
        front = _in_front(self.homography, unknown.shape)
        allowed = warp(clean * front, self.homography, size, "linear") > 0.999
        covers = cv2.dilate(hole.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.float32)
        to_fill = warp(covers * front, self.homography, size, "linear") > 0
        if region is not None:
            there = warp(region.astype(np.float32) * front, self.homography, size, "linear") > 0
            beyond = cv2.dilate(to_fill.astype(np.uint8), np.ones((2 * patch + 1,) * 2, np.uint8))
            to_fill |= (beyond > 0) & ~there
        image = request.image[view]
        filled = np.where(unknown if image.ndim == 2 else unknown[..., None], 0, image)
        pixels = warp(filled, self.homography, size, "cubic")
        guide = None
        if request.guide is not None:
            labels = request.guide[view]
            kind = np.float64 if labels.dtype.kind in "biu" else labels.dtype
            warped = warp(labels.astype(kind), self.homography, size, "nearest")
            guide = warped.astype(labels.dtype)
        light = _Light(pixels, to_fill, allowed)
        allowed &= light.similar()
        adapt = request.adapt
        if adapt == "none" and light.uneven():
            adapt = "brightness"
        self.request = replace(
            request, image=pixels, hole=to_fill, source=allowed & ~to_fill, guide=guide,
            patch=patch, planes=None, adapt=adapt,
        )  # fmt: skip
        usable = allowed_patches(self.request.source, patch)  # type: ignore[arg-type]
        self.usable = bool(np.count_nonzero(usable) >= 256)

    def copies(self, match: Match) -> Copies:
        """Tell where each hole pixel of the window comes from."""
        rows, columns = self.request.hole.shape
        solution = match.solution
        found = np.full((rows, columns), -1, np.int32)
        found[solution.pixels[:, 0], solution.pixels[:, 1]] = np.arange(len(solution.pixels))
        origins, turn = match.ground.origins(solution.sources)
        place = apply(self.homography, self.pixels[:, ::-1].astype(np.float64))
        nearest = np.rint(place).astype(np.int64)
        nearest = np.clip(nearest, 0, [columns - 1, rows - 1])
        number = found[nearest[:, 1], nearest[:, 0]]
        copied, turn = origins[number, ::-1], turn[number]
        # what nothing was found for stays where it is: the known pixel next to it will do
        lost = number < 0
        copied[lost], turn[lost] = nearest[lost], np.eye(2)
        return Copies(self, nearest, number, copied, turn)


class Copies:
    """Where the pixels of a frontal window's hole come from, exactly.

    Attributes
    ----------
    exact : (n, 2) float64
        x and y in the window.
    nearest : (n, 2) int32
        Row and column of the nearest known pixel.
    number : (n,) int32
        Of the frontal pixel that says so; −1 where none does.
    colours : (n, channels) float64
        What is there.
    """

    def __init__(
        self,
        frontal: Frontal,
        middle: NDArray[np.int64],
        number: NDArray[np.int32],
        copied: NDArray[np.float64],
        turn: NDArray[np.float64],
    ) -> None:
        self._image, self._known = frontal.whole.image[frontal.view], frontal.known
        self._pixels, self._homography = frontal.pixels, frontal.homography
        self._back = np.asarray(np.linalg.inv(frontal.homography), np.float64)
        self._middle, self._copied, self._turn = middle, copied, turn
        self.number = number
        every = np.arange(len(number))
        self.exact = self._at(every, np.zeros(2, np.int32))
        self.nearest, self._strayed = _nearest_known(self.exact, self._known, number < 0)
        self.exact[self._strayed] = self.nearest[self._strayed, ::-1]
        self.colours, _ = sample(self._image, self._known, self.exact, self.nearest)

    def _at(self, number: NDArray[np.int64], step: NDArray[np.int32]) -> NDArray[np.float64]:
        place = (self._pixels[number] + step)[:, ::-1].astype(np.float64)
        aside = apply(self._homography, place) - self._middle[number]
        moved = self._copied[number] + np.einsum("nij,nj->ni", self._turn[number], aside)
        return apply(self._back, moved)

    def beside(
        self, number: NDArray[np.int64], step: NDArray[np.int32]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return what lies beside some pixels at their sources, and where that is known."""
        exact = self._at(number, step)
        colours, whole = sample(self._image, self._known, exact, self.nearest[number])
        return colours, whole & ~self._strayed[number]


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


class _Light:
    """How bright a frontal picture is at large.

    Regular things repeat far away, where a lamp or a shadow may lie on them.
    """

    def __init__(
        self, pixels: NDArray[Any], hole: NDArray[np.bool_], allowed: NDArray[np.bool_]
    ) -> None:
        if pixels.dtype.kind == "f":
            pixels = pixels.astype(np.float64)
            largest = float(np.abs(pixels).max(initial=0.0))
            if largest > 0 and not 1e-30 < largest < 1e30:  # their squares are to be numbers
                pixels /= largest
        grey = pixels if pixels.ndim == 2 else pixels[..., :3].mean(axis=2)
        self._grey = np.where(allowed, grey, 0).astype(np.float64)
        self._hole, self._allowed = hole, allowed
        self._reach = max(2 * _LEAST_RING, round(np.sqrt(np.count_nonzero(hole)) / 4))

    def _mean(self, reach: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean over what is known in a box, and the share of it that is."""
        import cv2

        side = (reach | 1, reach | 1)
        share = np.asarray(cv2.blur(self._allowed.astype(np.float64), side), np.float64)
        return np.asarray(cv2.blur(self._grey, side) / np.maximum(share, 1e-6)), share

    def similar(self) -> NDArray[np.bool_]:
        """Where it is about as bright as round the hole; everywhere, where that is too little."""
        import cv2

        mean, _ = self._mean(self._reach)
        side = 2 * _LEAST_RING + 1
        near = cv2.dilate(self._hole.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
        ring = near & self._allowed
        if not ring.any():
            return self._allowed
        low, high = np.quantile(mean[ring], (0.02, 0.98))
        spread = _SHADE * float(self._grey[self._allowed].std())
        similar = self._allowed & (mean >= low - spread) & (mean <= high + spread)
        enough = np.count_nonzero(similar) >= 2 * np.count_nonzero(self._hole)
        return similar if enough else self._allowed

    def uneven(self) -> bool:
        """Whether copies will have to be made brighter or darker to fit."""
        mean, share = self._mean(2 * self._reach)
        inside = self._allowed & (share > 0.5)
        if not inside.any():
            return False
        low, high = np.quantile(mean[inside], (0.1, 0.9))
        return bool(high - low > _UNEVEN * np.ptp(self._grey[self._allowed]))


def _in_front(homography: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float32]:
    """1 where a pixel lies on the hole's side of the horizon, 0 beyond it."""
    row, column = np.ogrid[: shape[0], : shape[1]]
    depth = homography[2, 0] * column + homography[2, 1] * row + homography[2, 2]
    return np.asarray(depth > 1e-3, np.float32)


def _placed(
    homography: NDArray[np.float64],
    hole: NDArray[np.bool_],
    region: NDArray[np.bool_] | None,
    margin: int,
) -> tuple[NDArray[np.float64], tuple[int, int] | None]:
    """Shift and scale so that the window lands at 0, 0 with the hole at its own size.

    Of a region, what lies in it does, with a margin for what is made up beyond.

    Returns the homography and the size (columns, rows); None where the plane is seen from so far
    aside that it would be too large.
    """
    y, x = np.nonzero(hole)
    centre = np.array([x.mean(), y.mean()])
    depth = homography[2] @ np.array([*centre, 1.0])
    homography = homography / depth
    area = np.sqrt(abs(np.linalg.det(jacobian(homography, centre))))
    homography = np.diag([1 / area, 1 / area, 1.0]) @ homography
    border = _rim(np.ones_like(hole) if region is None else region)
    border = border[border @ homography[2, :2] + homography[2, 2] > 0.1]
    inside = np.stack([x, y], axis=1).astype(np.float64)
    if (inside @ homography[2, :2] + homography[2, 2] <= 0.1).any():
        return homography, None  # the horizon is too near to the hole
    mapped = apply(homography, inside)
    all_mapped = np.concatenate([apply(homography, border), mapped])
    extent = np.ptp(mapped, axis=0).max()
    low = np.maximum(all_mapped.min(axis=0), mapped.min(axis=0) - 4 * extent)
    high = np.minimum(all_mapped.max(axis=0), mapped.max(axis=0) + 4 * extent)
    if region is not None:
        low, high = low - margin, high + margin
    size = np.ceil(high - low).astype(int) + 1
    if size[0] * size[1] > _MOST_PIXELS * hole.size:
        return homography, None
    # whole pixels, so that a plane seen frontally is not resampled
    low = np.floor(low)
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1.0]])
    return shift @ homography, (int(size[0]) + 1, int(size[1]) + 1)


def _rim(region: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n, 2) x and y of the pixels at a region's border."""
    import cv2

    inner = cv2.erode(
        region.astype(np.uint8), np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT,
        borderValue=0,
    )  # fmt: skip
    y, x = np.nonzero(region & (inner == 0))
    return np.stack([x, y], axis=1).astype(np.float64)
