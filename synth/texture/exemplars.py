"""Exemplars laid out for the kernels: all of them in one plane for each channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError
from synth.images import check_finite, check_image, check_mask

__all__ = ["Borders", "Exemplars", "Levels", "lay_out"]

Borders = Literal["inside", "masked"]
Pixels = NDArray[Any]


@dataclass(frozen=True)
class Levels:
    """How pixel values become grey levels of 0 to 255, the unit of every width."""

    low: float
    high: float
    step: float  #: between neighbouring values, in levels; 0 = real numbers

    @classmethod
    def of(cls, images: Sequence[Pixels]) -> Levels:
        """Integers by their type's range, floats by the range of the exemplars."""
        dtype = images[0].dtype
        if dtype.kind != "f":
            top = np.iinfo(dtype).max
            return cls(0.0, float(top), 255.0 / top)
        finite = np.concatenate([image[np.isfinite(image)] for image in images])
        low, high = (float(end(finite)) if len(finite) else 0.0 for end in (np.min, np.max))
        if not np.isfinite(high - low):
            raise InputError(
                f"the exemplar's values go from {low:g} to {high:g}, farther apart than a float "
                "can hold; divide all images by 2"
            )
        return cls(low, high if high > low else low + 1.0, 0.0)

    def __call__(self, image: Pixels) -> NDArray[np.float32]:
        """(rows, columns[, channels]) → (channels, rows, columns) levels."""
        planar = np.moveaxis(np.atleast_3d(image), -1, 0).astype(np.float64)
        scaled = (planar - self.low) * (255.0 / (self.high - self.low))
        return np.ascontiguousarray(scaled, np.float32)

    @property
    def nats(self) -> float:
        """What turns a log-density a level into one a unit of value; 0 for whole values."""
        return 0.0 if self.step else float(np.log(255.0 / (self.high - self.low)))


@dataclass(frozen=True)
class Exemplars:
    """One row of memory for the candidates of all exemplars.

    Exemplars stand below one another, ``half`` elements apart on every side, so that a window
    never reaches from one into another and a place is one number.
    """

    images: tuple[Pixels, ...]
    levels: Levels
    half: int
    stride: int
    plane: int
    tops: NDArray[np.int64]  #: the first row of each exemplar
    atlas: NDArray[np.float32]
    valid: NDArray[np.float32]  #: empty where candidates never reach what is not there
    penalty: NDArray[np.float32]
    blocks: NDArray[np.int64]
    allowed: NDArray[np.int64]

    @property
    def channels(self) -> int:
        """Of a pixel."""
        return self.images[0].shape[2] if self.images[0].ndim == 3 else 1

    def split(self, places: NDArray[np.int64]) -> NDArray[np.int32]:
        """Places → (…, 3) exemplar, row and column; −1 where a place is −1."""
        row, column = np.divmod(places, self.stride)
        number = np.searchsorted(self.tops, row, side="right") - 1
        found = np.stack([number, row - self.tops[number], column - self.half], axis=-1)
        found[places < 0] = -1
        return found.astype(np.int32)

    def places(self, shape: tuple[int, int]) -> NDArray[np.int64]:
        """The places of the first exemplar's pixels."""
        y, x = np.indices(shape)
        return np.asarray((y + self.tops[0]) * self.stride + x + self.half)

    def values(self, sources: NDArray[np.int32]) -> Pixels:
        """The pixels at (n, 3) exemplars, rows and columns, in the type they came in."""
        first = self.images[0]
        out = np.empty((len(sources), *first.shape[2:]), first.dtype)
        for number, image in enumerate(self.images):
            own = sources[:, 0] == number
            out[own] = image[sources[own, 1], sources[own, 2]]
        return out


def lay_out(
    images: Sequence[Any],
    masks: Sequence[Any | None],
    guides: Sequence[NDArray[np.float32] | None],
    half: int,
    borders: Borders,
) -> Exemplars:
    """Check exemplars and put them where the kernels look.

    Parameters
    ----------
    images : sequence of (rows, columns[, channels])
        At least one, of the same channels and type.
    masks : sequence of (rows, columns) or None
        True = not to be used.
    guides : sequence of (guides, rows, columns) or None
        Further planes, in levels.
    half : int
        How far a window reaches.
    borders : {"inside", "masked"}
        Candidates' windows lie inside and on usable pixels only; or whatever is missing is not
        compared.
    """
    from synth.kernels.cpu.context import FAR, LANES

    checked = _check(images)
    usable: list[NDArray[np.bool_]] = []
    for number, (image, mask) in enumerate(zip(checked, masks, strict=True)):
        bad = None if mask is None else check_mask(mask, image.shape)
        check_finite(image, bad, name=_name(number, len(checked)))
        usable.append(np.ones(image.shape[:2], np.bool_) if bad is None else ~bad)
    levels = Levels.of(
        [
            np.where(np.expand_dims(good, tuple(range(2, image.ndim))), image, np.nan)
            if image.dtype.kind == "f" and not good.all()
            else image
            for image, good in zip(checked, usable, strict=True)
        ]
    )
    window = 2 * half + 1
    planes = [_planes(levels, *one) for one in zip(checked, guides, usable, strict=True)]
    stride = max(image.shape[1] for image in checked) + 2 * half
    heights = [image.shape[0] + half for image in checked]
    tops = half + np.concatenate([[0], np.cumsum(heights)[:-1]]).astype(np.int64)
    rows = half + sum(heights)
    size = (rows, stride)
    shape = (len(planes[0]), *size)
    atlas, there = np.zeros(shape, np.float32), np.zeros(size, np.bool_)
    for top, good, pixels in zip(tops, usable, planes, strict=True):
        place = slice(top, top + good.shape[0]), slice(half, half + good.shape[1])
        atlas[:, place[0], place[1]] = pixels
        there[place] = good
    centers = _centers(there, half) if borders == "inside" else there
    allowed = np.flatnonzero(centers)
    if not len(allowed):
        _refuse(checked, masks, window)
    masked = borders == "masked"
    slack = np.zeros(LANES, np.float32)
    valid = np.broadcast_to(there, shape).astype(np.float32).ravel() if masked else slack[:0]
    return Exemplars(
        images=tuple(image.copy() for image in checked),  # the caller's may change
        levels=levels,
        half=half,
        stride=stride,
        plane=rows * stride,
        tops=tops,
        atlas=np.concatenate([atlas.ravel(), slack]),
        valid=np.concatenate([valid, slack]) if masked else valid,
        penalty=np.concatenate(
            [np.where(centers, 0, FAR).astype(np.float32).ravel(), slack + FAR]
        ),
        blocks=_cover(allowed, LANES),
        allowed=allowed,
    )


def _name(number: int, count: int) -> str:
    return "the exemplar" if count == 1 else f"exemplar {number + 1} of {count}"


def _check(images: Sequence[Any]) -> list[Pixels]:
    if not images:
        raise InputError("no exemplar was given; pass at least one image")
    checked = [check_image(image, name=_name(n, len(images))) for n, image in enumerate(images)]
    first = checked[0]
    for number, image in enumerate(checked[1:], 1):
        if image.dtype != first.dtype or image.shape[2:] != first.shape[2:]:
            raise InputError(
                f"{_name(number, len(images))} is {image.dtype} of shape {image.shape}, but the "
                f"first is {first.dtype} of shape {first.shape}; give all the same type and "
                "channels"
            )
    return checked


def _planes(
    levels: Levels, image: Pixels, guide: NDArray[np.float32] | None, usable: NDArray[np.bool_]
) -> NDArray[np.float32]:
    pixels = levels(image)
    if guide is not None:
        pixels = np.concatenate([pixels, guide])
    return np.where(usable, pixels, np.float32(0))


def _centers(there: NDArray[np.bool_], half: int) -> NDArray[np.bool_]:
    """Where a whole window is usable."""
    from scipy import ndimage

    return np.asarray(ndimage.minimum_filter(there, 2 * half + 1, mode="constant", cval=0))


def _cover(allowed: NDArray[np.int64], lanes: int) -> NDArray[np.int64]:
    """Where runs begin that hold each of some ascending places once."""
    starts, index = [], 0
    while index < len(allowed):
        starts.append(int(allowed[index]))
        index = int(np.searchsorted(allowed, starts[-1] + lanes))
    return np.array(starts, np.int64)


def _refuse(images: Sequence[Pixels], masks: Sequence[Any | None], window: int) -> None:
    sizes = ", ".join(f"{image.shape[0]}×{image.shape[1]}" for image in images)
    if all(mask is None for mask in masks):
        raise InputError(
            f"the exemplar is {sizes}, but the window is {window}×{window}; give a larger "
            "exemplar or a smaller window (or EfrosLeung(borders='masked') in Python)"
        )
    raise InputError(
        f"the mask leaves no whole window of {window}×{window} in the exemplar ({sizes}); mask "
        "less of it or take a smaller window (or EfrosLeung(borders='masked') in Python)"
    )
