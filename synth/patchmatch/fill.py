"""Content-aware fill: p(hole | surroundings), looked up in the surroundings.

Wexler, Shechtman & Irani 2007 ("Space-time completion of video"), made fast by PatchMatch
(Barnes et al. 2009), with the texture features of Newson et al. 2014.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from synth.devices import Device, choose_device
from synth.errors import InputError
from synth.images import check_finite, check_image, check_mask
from synth.patchmatch.adaptation import Adapt
from synth.patchmatch.answers import candidates, draw, spread
from synth.patchmatch.details import FillDetails, mean_energy
from synth.patchmatch.planar import fill_part
from synth.patchmatch.regions import Window, windows
from synth.patchmatch.request import (
    Method,
    Quality,
    Request,
    check_margins,
    check_patch,
    check_samples,
    make_request,
)
from synth.patchmatch.selection import choose
from synth.patchmatch.several import check_planes
from synth.patchmatch.variation import check_variation
from synth.progress import Callback, Progress, report
from synth.randomness import key_of

#: Trials take about so many times as long as the fill itself.
_CHOICE = 1.0
#: what ``planes`` may be
PlanesArgument = Literal["auto"] | NDArray[Any] | Sequence[tuple[Any, NDArray[Any]]] | None

__all__ = ["FillDetails", "Quality", "extend", "fill", "fill_details"]


def fill(
    image: NDArray[Any],
    mask: NDArray[Any],
    *,
    method: Method = "patchmatch",
    patch: int = 7,
    quality: Quality = "normal",
    source: NDArray[Any] | None = None,
    guide: NDArray[Any] | None = None,
    planes: PlanesArgument = "auto",
    adapt: Adapt = "none",
    rotate: tuple[float, float] | None = None,
    scale: tuple[float, float] | None = None,
    mirror: bool = False,
    samples: int | None = None,
    seed: int = 0,
    device: Device = "auto",
    callback: Callback | None = None,
) -> NDArray[Any]:
    """Fill the masked part of a picture from the rest of it.

    Parameters
    ----------
    image : (rows, columns[, channels]) uint8, uint16, float32 or float64
        Four channels are RGBA: pixels of alpha 0 are never copied.
    mask : (rows, columns)
        True (white) = to be filled. The values of the image there do not matter.
    method : {"patchmatch", "efros-leung"}
        "patchmatch" fits all patches over the hole together, coarse to fine. "efros-leung" grows
        it pixel by pixel from its border inwards (Efros & Leung 1999, section 3; see
        `EfrosLeung`): for small holes in textures; ``quality``, ``planes``, ``adapt``,
        ``rotate``, ``scale`` and ``mirror`` are not for it.
    patch : int
        Side of the patches that are compared, in pixels, 3 to 31. Larger ones keep larger
        structures whole, and cost more.
    quality : {"draft", "normal", "best"}
        How many rounds of search and vote each level gets: about a third, one and three times
        the work of "normal". "best" also tries larger patches and, where a plane was found,
        doing without it: on fake holes of the same shape in the known surroundings, filled and
        compared with the truth.
    source : (rows, columns), optional
        True = may be copied from. Everything outside the mask by default.
    guide : (rows, columns[, k]), optional
        Labels (integers) or features (floats) known everywhere, inside the hole as well, that a
        copied patch must match too. Labels weigh as much as the colours do, features as one
        colour channel each.
    planes : "auto", None, (3, 3) array, or list of ((3, 3) array, (rows, columns) mask)
        The plane that the hole lies on: there the picture is matched as seen frontally, so that
        rows of bricks or tiles go on straight. "auto" looks for one behind wide holes, or for
        two that meet, each of which fills its part (`synth.find_planes`), and takes them where
        they are clear; a homography from the picture's (x, y, 1) is taken as it is. A list of
        (homography or "auto", region), each region True where a plane is seen, fills each part
        of the hole on its own, and what lies on none without; "auto" there is the plane that most
        of the region's edges lie along, even where it is not clear.
    adapt : {"none", "brightness", "color"}
        Whether copies may be made brighter or darker, of more or less contrast, to fit where they
        are copied to: "brightness" all channels alike, "color" each channel by its own. By at
        most 24 of 255 and a factor of 1.25. Takes two to three times as long. On a plane that
        is lit unevenly, "none" means "brightness".
    rotate : (float, float), optional
        Least and greatest rotation, in degrees counterclockwise, −180 to 180, that copies may
        have: (-20, 20) lets a round rim go on round, in about twice the time, three to four
        times that of many small holes. The picture as it is always counts as well. Wider ranges
        take more time, and memory for more copies: one of the hole's surroundings for about every
        10°, but about a gigabyte at most. Where they would be more, or where the picture is tiny,
        copies are fewer, then many holes are filled a few at a time, and copies are made of what
        is nearer.
    scale : (float, float), optional
        Least and greatest enlargement, 0.5 to 2, that copies may have, such as (0.8, 1.25).
        Enlarged copies are softer than the picture. Ranges multiply: with (-20, 20) degrees and
        mirrored copies as well, these take 10 to 20 times as long as a plain fill.
    mirror : bool
        Whether copies may be mirrored, left to right, as well, which is twice as many.
    samples : int, optional
        Return so many different answers, 1 to 64: a hole has many, and this draws from
        p(hole | surroundings). The first is the one without ``samples``; the others come from
        further seeds and sizes of patches, of twice as many candidates those that differ most
        and fit about as well. Takes 2 × samples − 1 times as long.
    seed : int
        0 to 2**64 − 1. Another seed is another answer; the same seed gives the same bytes.
    device : {"auto", "cpu", "cuda"}
        Where to run.
    callback : callable, optional
        Called with `synth.progress.Progress`. Whatever it raises stops the work.

    Returns
    -------
    ndarray
        A new array of the same shape and dtype, equal to ``image`` bit for bit outside the mask;
        with ``samples``, so many of them, stacked along a new first axis.

    Raises
    ------
    InputError
        The arguments do not fit together, or the mask leaves nothing to copy from.
    InputTypeError
        An argument is of the wrong kind.
    DeviceError
        ``device`` is not there.

    Examples
    --------
    >>> import numpy as np
    >>> stripes = np.tile(np.array([0, 0, 255, 255], np.uint8), (40, 10))
    >>> hole = np.zeros(stripes.shape, bool)
    >>> hole[15:25, 15:25] = True
    >>> bool((fill(stripes, hole) == stripes).all())
    True
    """
    details = fill_details(
        image,
        mask,
        method=method,
        patch=patch,
        quality=quality,
        source=source,
        guide=guide,
        planes=planes,
        adapt=adapt,
        rotate=rotate,
        scale=scale,
        mirror=mirror,
        samples=samples,
        seed=seed,
        device=device,
        callback=callback,
    )
    return details.image if details.samples is None else details.samples


def fill_details(
    image: NDArray[Any],
    mask: NDArray[Any],
    *,
    method: Method = "patchmatch",
    patch: int = 7,
    quality: Quality = "normal",
    source: NDArray[Any] | None = None,
    guide: NDArray[Any] | None = None,
    planes: PlanesArgument = "auto",
    adapt: Adapt = "none",
    rotate: tuple[float, float] | None = None,
    scale: tuple[float, float] | None = None,
    mirror: bool = False,
    samples: int | None = None,
    seed: int = 0,
    device: Device = "auto",
    callback: Callback | None = None,
) -> FillDetails:
    """Fill as `fill` does, and tell how: the source map, the energy by level, the seconds.

    The parameters and errors are those of `fill`.
    """
    clock = _Clock()
    with clock("check"):
        choose_device(device)
        image = check_image(image)
        hole = check_mask(mask, image.shape)
        on_planes = check_planes(planes, image, hole)
        if method == "efros-leung" and not (planes is None or isinstance(planes, str)):
            raise InputError("planes are for method='patchmatch'; leave them out, or take that")
        request = make_request(
            image, hole, patch, quality, source, guide, on_planes, seed, method,
            check_variation(rotate, scale, mirror), adapt,
        )  # fmt: skip
        count = None if samples is None else check_samples(samples)
        parts = windows(hole, request.patch)
    if not parts:
        warnings.warn(
            "the mask is empty, so there is nothing to fill and the image is returned as it is; "
            "True (white) marks what is to be filled",
            UserWarning,
            stacklevel=_stack_level(),
        )
    fills = 1 if count is None else candidates(count)
    choosing = quality == "best" and bool(parts) and method == "patchmatch"
    before = _CHOICE if choosing else 0.0  # in fills

    def one(request: Request, number: int) -> FillDetails:
        def part_of(progress: Progress) -> None:
            done = before + number + progress.fraction
            report(callback, progress.stage, done / (before + fills))

        if method == "efros-leung":
            return _grow(request, clock, part_of)
        return _fill(request, parts, clock, part_of)

    choice = None
    if choosing:

        def trying(stage: str, fraction: float) -> None:
            report(callback, stage, before * fraction / (before + fills))

        request, choice = choose(request, parts, clock, trying)
    first = replace(one(request, 0), chosen=choice)
    if count is not None:

        def again(number: int, step: int, side: int) -> FillDetails:
            side = min(side, min(image.shape[:2]))
            other = replace(request, key=key_of((int(seed) + step) % 2**64), patch=side)
            try:
                return one(other, number)
            except InputError:  # no room for larger patches
                return one(replace(other, patch=request.patch), number)

        stack = np.stack([answer.image for answer in draw(first, count, request.patch, again)])
        first = replace(first, samples=stack, spread=spread(stack), seconds=dict(clock.seconds))
    report(callback, "done", 1.0)
    return first


def _fill(request: Request, parts: list[Window], clock: _Clock, callback: Callback) -> FillDetails:
    """Fill all windows once."""
    hole = request.hole
    out = request.image.copy()
    shares = [int(np.count_nonzero(hole[part])) for part in parts]
    whole = max(1, sum(shares))
    done = 0
    results = []
    for lane, (part, share) in enumerate(zip(parts, shares, strict=True)):
        start = done / whole

        def tick(stage: str, fraction: float, start: float = start, share: int = share) -> None:
            report(callback, stage, start + fraction * share / whole)

        results.append(fill_part(request, part, lane, out, clock, tick))
        done += share
    pixels = [result.pixels for result in results] or [np.zeros((0, 2), np.int32)]
    sources = [result.sources for result in results] or [np.zeros((0, 2), np.int32)]
    every = np.concatenate(pixels)
    order = np.lexsort((every[:, 1], every[:, 0]))
    energy = mean_energy([result.energy for result in results], shares)
    return FillDetails(
        out, every[order], np.concatenate(sources)[order], energy, dict(clock.seconds)
    )


def _grow(request: Request, clock: _Clock, callback: Callback) -> FillDetails:
    """Fill pixel by pixel."""
    from synth.texture.pixelwise import fill_by_pixels

    with clock("growing"):
        sample = fill_by_pixels(request, callback)
    pixels = np.argwhere(request.hole).astype(np.int32)
    sources = np.ascontiguousarray(sample.source[request.hole][:, 1:])
    energy = ((0, float(sample.d_min[request.hole].mean())),) if len(pixels) else ()
    return FillDetails(sample.image, pixels, sources, energy, dict(clock.seconds))


def extend(
    image: NDArray[Any],
    margins: tuple[int, int, int, int],
    *,
    patch: int = 7,
    quality: Quality = "normal",
    seed: int = 0,
    device: Device = "auto",
    callback: Callback | None = None,
) -> NDArray[Any]:
    """Continue a picture beyond its borders.

    Parameters
    ----------
    image : (rows, columns[, channels])
        As for `fill`.
    margins : (top, right, bottom, left)
        Pixels to add on each side, as in CSS.

    Returns
    -------
    ndarray
        (top + rows + bottom, left + columns + right[, channels]), the input in its middle bit for
        bit. The other parameters and the errors are those of `fill`.

    Examples
    --------
    >>> import numpy as np
    >>> extend(np.zeros((20, 30), np.uint8), (0, 5, 10, 0)).shape
    (30, 35)
    """
    image = check_image(image)
    # here rather than in `fill`, whose messages would speak of the larger picture
    check_finite(image)
    check_patch(patch, image.shape)
    top, right, bottom, left = check_margins(margins)
    if not any((top, right, bottom, left)):
        return image.copy()
    around = ((top, bottom), (left, right))
    larger = np.pad(image, around + ((0, 0),) * (image.ndim - 2))
    mask = np.pad(np.zeros(image.shape[:2], np.bool_), around, constant_values=True)
    return fill(
        larger, mask, patch=patch, quality=quality, seed=seed, device=device, callback=callback
    )


class _Clock:
    """Adds up wall seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


def _stack_level() -> int:
    """Point a warning at the first caller outside this package."""
    level = 1
    frame = sys._getframe(1)
    # "synth." with its dot: the caller's own module may be called synthesis
    while frame is not None and f"{frame.f_globals.get('__name__')}.".startswith("synth."):
        frame = frame.f_back  # type: ignore[assignment]
        level += 1
    return level
