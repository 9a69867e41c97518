"""Content-aware fill: p(hole | surroundings), looked up in the surroundings.

Wexler, Shechtman & Irani 2007 ("Space-time completion of video"), made fast by PatchMatch
(Barnes et al. 2009), with the texture features of Newson et al. 2014.
"""

from __future__ import annotations

import operator
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from synth.devices import Device, choose_device
from synth.errors import InputError, InputTypeError
from synth.images import MAX_CHANNELS, check_finite, check_image, check_mask
from synth.patchmatch.em import Effort
from synth.patchmatch.regions import bounding_window, windows
from synth.patchmatch.window import Request, fill_window
from synth.progress import Callback, report
from synth.randomness import key_of

__all__ = ["FillDetails", "Quality", "extend", "fill", "fill_details"]

Quality = Literal["draft", "normal", "best"]

_EFFORTS: dict[str, Effort] = {
    "draft": Effort(coarse_rounds=6, fine_rounds=2, sweeps=1, peel_samples=12),
    "normal": Effort(coarse_rounds=40, fine_rounds=8, sweeps=1, peel_samples=32),
    "best": Effort(coarse_rounds=50, fine_rounds=20, sweeps=3, peel_samples=48),
}


@dataclass(frozen=True)
class FillDetails:
    """A filled picture and how it came about.

    Attributes
    ----------
    image : ndarray
        The filled picture, of the input's shape and dtype.
    pixels : (n, 2) int32
        Row and column of each filled pixel, in reading order.
    sources : (n, 2) int32
        Row and column of the known pixel that each was copied from. A smooth correction hides
        the hole's border, so the colours differ a little.
    energy : tuple of (int, float)
        Level (0 = full resolution) and mean squared difference, in 8-bit steps, between the
        patches over the hole and what they were matched to; coarsest first.
    seconds : dict of str to float
        Wall time by stage.
    """

    image: NDArray[Any] = field(repr=False)
    pixels: NDArray[np.int32] = field(repr=False)
    sources: NDArray[np.int32] = field(repr=False)
    energy: tuple[tuple[int, float], ...]
    seconds: dict[str, float]

    @property
    def source_map(self) -> NDArray[np.int32]:
        """(rows, columns, 2) int32: where each filled pixel came from, −1 where nothing was."""
        result = np.full((*self.image.shape[:2], 2), -1, np.int32)
        result[self.pixels[:, 0], self.pixels[:, 1]] = self.sources
        return result


def fill(
    image: NDArray[Any],
    mask: NDArray[Any],
    *,
    patch: int = 7,
    quality: Quality = "normal",
    source: NDArray[Any] | None = None,
    guide: NDArray[Any] | None = None,
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
    patch : int
        Side of the patches that are compared, in pixels, 3 to 31. Larger ones keep larger
        structures whole, and cost more.
    quality : {"draft", "normal", "best"}
        How many rounds of search and vote each level gets: about a third, one and three times
        the work of "normal".
    source : (rows, columns), optional
        True = may be copied from. Everything outside the mask by default.
    guide : (rows, columns[, k]), optional
        Labels (integers) or features (floats) known everywhere, inside the hole as well, that a
        copied patch must match too. Labels weigh as much as the colours do, features as one
        colour channel each.
    seed : int
        0 to 2**64 − 1. Another seed is another answer; the same seed gives the same bytes.
    device : {"auto", "cpu", "cuda"}
        Where to run.
    callback : callable, optional
        Called with `synth.progress.Progress`. Whatever it raises stops the work.

    Returns
    -------
    ndarray
        A new array of the same shape and dtype, equal to ``image`` bit for bit outside the mask.

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
    return fill_details(
        image,
        mask,
        patch=patch,
        quality=quality,
        source=source,
        guide=guide,
        seed=seed,
        device=device,
        callback=callback,
    ).image


def fill_details(
    image: NDArray[Any],
    mask: NDArray[Any],
    *,
    patch: int = 7,
    quality: Quality = "normal",
    source: NDArray[Any] | None = None,
    guide: NDArray[Any] | None = None,
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
        request = _request(image, hole, patch, quality, source, guide, seed)
        parts = windows(hole, patch)
    out = image.copy()
    if not parts:
        warnings.warn(
            "the mask is empty, so there is nothing to fill and the image is returned as it is; "
            "True (white) marks what is to be filled",
            UserWarning,
            stacklevel=_stack_level(),
        )
    shares = [int(np.count_nonzero(hole[part])) for part in parts]
    whole = max(1, sum(shares))
    done = 0
    results = []
    for lane, (part, share) in enumerate(zip(parts, shares, strict=True)):
        start = done / whole

        def tick(stage: str, fraction: float, start: float = start, share: int = share) -> None:
            report(callback, stage, start + fraction * share / whole)

        results.append(fill_window(request, part, lane, out, clock, tick))
        done += share
    report(callback, "done", 1.0)
    pixels = [result.pixels for result in results] or [np.zeros((0, 2), np.int32)]
    sources = [result.sources for result in results] or [np.zeros((0, 2), np.int32)]
    every = np.concatenate(pixels)
    order = np.lexsort((every[:, 1], every[:, 0]))
    energy = _mean_energy([result.energy for result in results], shares)
    return FillDetails(
        out, every[order], np.concatenate(sources)[order], energy, dict(clock.seconds)
    )


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
    _check_patch(patch, image.shape)
    top, right, bottom, left = _check_margins(margins)
    if not any((top, right, bottom, left)):
        return image.copy()
    around = ((top, bottom), (left, right))
    larger = np.pad(image, around + ((0, 0),) * (image.ndim - 2))
    mask = np.pad(np.zeros(image.shape[:2], np.bool_), around, constant_values=True)
    return fill(
        larger, mask, patch=patch, quality=quality, seed=seed, device=device, callback=callback
    )


def _request(
    image: NDArray[Any],
    hole: NDArray[np.bool_],
    patch: int,
    quality: str,
    source: NDArray[Any] | None,
    guide: NDArray[Any] | None,
    seed: int,
) -> Request:
    """Check everything before any work is done."""
    if quality not in get_args(Quality):
        choices = ", ".join(repr(q) for q in get_args(Quality))
        raise InputError(f"quality is {quality!r}, but one of {choices} is needed")
    patch = _check_patch(patch, image.shape)
    if bounding_window(hole) is not None and hole.all():
        raise InputError(
            "the mask covers the whole image, so nothing is left to copy from; "
            "True (white) marks what is to be filled: is the mask inverted?"
        )
    check_finite(image, hole)
    if source is not None:
        source = check_mask(source, image.shape, name="source")
        if not (source & ~hole).any():
            raise InputError(
                "source allows no pixel outside the mask; True (white) in it marks what may be "
                "copied from"
            )
    if guide is not None:
        guide = _check_guide(guide, image.shape)
    return Request(image, hole, source, guide, patch, _EFFORTS[quality], key_of(seed))


def _check_patch(patch: Any, shape: tuple[int, ...]) -> int:
    try:
        side = operator.index(patch)
    except TypeError:
        raise InputTypeError(
            f"patch is {patch!r}, but a whole number from 3 to 31 (pixels) is needed, such as 7"
        ) from None
    if not 3 <= side <= 31:
        raise InputError(f"patch is {patch!r}, but a whole number from 3 to 31 (pixels) is needed")
    smaller = min(shape[:2])
    if smaller < side:
        raise InputError(
            f"image is {shape[0]}×{shape[1]}, smaller than a patch of {side}×{side}; "
            "pass a larger image" + (f" or patch={smaller}" if smaller >= 3 else "")
        )
    return side


def _check_margins(margins: Any) -> list[int]:
    needed = (
        f"margins is {margins!r}, but four whole numbers of at least 0 are needed: "
        "(top, right, bottom, left) in pixels"
    )
    try:
        sides = [operator.index(margin) for margin in margins]
    except TypeError:
        raise InputTypeError(needed) from None
    if len(sides) != 4 or min(sides) < 0:
        raise InputError(needed)
    return sides


def _check_guide(guide: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    # labels may be of any whole type; anything else is judged as a picture is
    if not (isinstance(guide, np.ndarray) and guide.dtype.kind in "biu"):
        guide = check_image(guide, name="guide")
        check_finite(guide, name="guide")
    size = "×".join(map(str, guide.shape)) or "a single number"
    if guide.ndim not in (2, 3) or guide.shape[:2] != shape[:2]:
        raise InputError(
            f"guide is {size} but the image is {shape[0]}×{shape[1]}; pass one label or one row "
            "of features for each pixel of the image"
        )
    if guide.ndim == 3 and not 1 <= guide.shape[2] <= MAX_CHANNELS:
        raise InputError(
            f"guide is {size}, but 1 to {MAX_CHANNELS} channels are needed; keep some of them"
        )
    return np.asarray(guide)


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


def _mean_energy(
    energies: list[tuple[tuple[int, float], ...]], shares: list[int]
) -> tuple[tuple[int, float], ...]:
    """Average over windows, each weighing as many pixels as it filled."""
    sums: dict[int, tuple[float, int]] = {}
    for energy, share in zip(energies, shares, strict=True):
        for level, value in energy:
            total, weight = sums.get(level, (0.0, 0))
            sums[level] = total + value * share, weight + share
    return tuple((level, sums[level][0] / sums[level][1]) for level in sorted(sums, reverse=True))


def _stack_level() -> int:
    """Point a warning at the first caller outside this package."""
    level = 1
    frame = sys._getframe(1)
    # "synth." with its dot: the caller's own module may be called synthesis
    while frame is not None and f"{frame.f_globals.get('__name__')}.".startswith("synth."):
        frame = frame.f_back  # type: ignore[assignment]
        level += 1
    return level
