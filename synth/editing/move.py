"""Content-aware move: an object goes elsewhere, and what was behind it is filled."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.devices import Device, choose_device
from synth.editing.seam import cheapest_cut, levelled
from synth.errors import InputError, InputTypeError
from synth.images import check_finite, check_image, check_mask
from synth.patchmatch.fill import fill
from synth.patchmatch.regions import Window, bounding_window
from synth.patchmatch.request import Quality
from synth.progress import Callback, Progress, report

__all__ = ["check_offset", "grown", "move", "shifted"]

#: Pixels round the object that are filled with it: its edge is seldom sharper than that.
_RIM = 2
#: The largest ``blend``.
_WIDEST = 256


def move(
    image: NDArray[Any],
    mask: NDArray[Any],
    offset: tuple[int, int],
    *,
    blend: int = 16,
    patch: int = 7,
    quality: Quality = "normal",
    source: NDArray[Any] | None = None,
    seed: int = 0,
    device: Device = "auto",
    callback: Callback | None = None,
) -> NDArray[Any]:
    """Move an object to another place in its picture.

    The place that it leaves is filled (`synth.fill`), the object is copied, and in a ring round
    it its old surroundings and the new ones are joined along the line where they differ least
    (Kwatra et al. 2003, section 3), with steps in tone spread over the ring (Pérez et al. 2003).

    Parameters
    ----------
    image : (rows, columns[, channels]) uint8, uint16, float32 or float64
    mask : (rows, columns)
        True (white) = the object, best with a little of its surroundings and with its shadow.
    offset : (int, int)
        Rows down and columns to the right, in pixels. What leaves the picture is cut off.
    blend : int
        Width of the ring in pixels, 0 to 256. A wider one hides larger differences in light and
        changes more of the picture; 0 leaves the object as if cut out with scissors.
    patch, quality, source, seed
        As for `synth.fill`.
    device : {"auto", "cpu", "cuda"}
        Where to run.
    callback : callable, optional
        Called with `synth.progress.Progress`. Whatever it raises stops the work.

    Returns
    -------
    ndarray
        A new picture of the same shape and dtype. The object is the same bit for bit; so is all
        that lies outside the mask, two pixels round it, and the ring round the object's new place.

    Raises
    ------
    InputError
        The arguments do not fit together, the mask is empty, or the object would leave the
        picture.
    InputTypeError
        An argument is of the wrong kind.
    DeviceError
        ``device`` is not there.

    Examples
    --------
    >>> import numpy as np
    >>> ground = np.tile(np.array([50, 60], np.uint8), (40, 30))
    >>> ground[10:16, 10:16] = 200
    >>> moved = move(ground, ground == 200, (8, 20))
    >>> bool((moved[18:24, 30:36] == 200).all()), int(moved[10:16, 10:16].max())
    (True, 60)
    """
    choose_device(device)
    image = check_image(image)
    thing = check_mask(mask, image.shape)
    check_finite(image)
    down, right = check_offset(offset)
    width = _check_blend(blend)
    if not thing.any():
        raise InputError(
            "the mask is empty, so there is nothing to move; True (white) marks the object"
        )
    placed = shifted(thing, (down, right))
    if not placed.any():
        raise InputError(
            f"offset is ({down}, {right}), which moves all of the object out of the picture of "
            f"{image.shape[0]}×{image.shape[1]}; give fewer rows or columns"
        )
    if not (down or right):
        return image.copy()
    left = grown(thing, _RIM)
    if left.all():
        raise InputError(
            f"the object with {_RIM} pixels round it covers the whole picture, so nothing is left "
            "to fill its old place from; True (white) marks the object: is the mask inverted?"
        )

    def behind(progress: Progress) -> None:
        report(callback, progress.stage, 0.9 * progress.fraction)

    out = fill(
        image, left, patch=patch, quality=quality, source=source, seed=seed,
        callback=behind,
    )  # fmt: skip
    report(callback, "blend", 0.9)
    y, x = np.nonzero(placed)
    out[y, x] = image[y - down, x - right]
    if width:
        _join(out, image, placed, (down, right), width)
    report(callback, "done", 1.0)
    return out


def check_offset(offset: Any, *, name: str = "offset") -> tuple[int, int]:
    """Return rows down and columns to the right as whole numbers."""
    needed = (
        f"{name} is {offset!r}, but two whole numbers are needed: (rows down, columns to the "
        "right) in pixels, such as (0, 40)"
    )
    try:
        steps = [operator.index(step) for step in offset]
    except TypeError:
        raise InputTypeError(needed) from None
    if len(steps) != 2:
        raise InputError(needed)
    return steps[0], steps[1]


def _check_blend(blend: Any) -> int:
    needed = f"blend is {blend!r}, but a whole number from 0 to {_WIDEST} (pixels) is needed"
    try:
        width = operator.index(blend)
    except TypeError:
        raise InputTypeError(needed) from None
    if not 0 <= width <= _WIDEST:
        raise InputError(needed)
    return width


def shifted(mask: NDArray[np.bool_], offset: tuple[int, int]) -> NDArray[np.bool_]:
    """Move a mask; what leaves it is cut off."""
    result = np.zeros_like(mask)
    ahead, behind = [], []
    for step, length in zip(offset, mask.shape, strict=True):
        ahead.append(slice(min(max(step, 0), length), max(min(length + step, length), 0)))
        behind.append(slice(min(max(-step, 0), length), max(min(length - step, length), 0)))
    result[tuple(ahead)] = mask[tuple(behind)]
    return result


def grown(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """Add to a mask all pixels within ``by`` of it."""
    import cv2

    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by + 1, 2 * by + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc), np.uint8) > 0


def _join(
    out: NDArray[Any],
    image: NDArray[Any],
    placed: NDArray[np.bool_],
    offset: tuple[int, int],
    width: int,
) -> None:
    """Blend the ring round ``placed`` in ``out`` with the object's old surroundings."""
    box = _around(placed, width + 1)
    inner = placed[box]
    ring = grown(inner, width) & ~inner
    old = [np.arange(side.start, side.stop) - step for side, step in zip(box, offset, strict=True)]
    there = np.logical_and.outer(
        *((at >= 0) & (at < length) for at, length in zip(old, placed.shape, strict=True))
    )
    rows, columns = (
        np.clip(at, 0, length - 1) for at, length in zip(old, placed.shape, strict=True)
    )
    view = out[box]
    planes = view.reshape(*inner.shape, -1)
    carried = image[np.ix_(rows, columns)].reshape(planes.shape)
    colours = 3 if planes.shape[2] == 4 else planes.shape[2]
    seen = image if image.ndim == 2 else image[..., :colours]
    low, high = float(seen.min()), float(seen.max())
    half = high / 2 - low / 2
    if not half > 0:
        return
    # halves first, so that the range of floats is not left
    mismatch = (
        (planes.astype(np.float64) / 2 - carried.astype(np.float64) / 2) / half
    ).astype(np.float32)  # fmt: skip
    cost = np.sqrt(np.square(mismatch.astype(np.float64)).mean(axis=2))
    ring_there = ring & there
    joined = cheapest_cut(inner, ring_there, cost)
    mismatch = mismatch[..., :colours]
    hidden = ~there
    if planes.shape[2] == 4:  # a colour under alpha 0 means nothing
        hidden = hidden | ~(planes[..., 3] > 0) | ~(carried[..., 3] > 0)
    mismatch[hidden] = np.nan
    rough = np.maximum(*(_roughness(one[..., :colours], half) for one in (planes, carried)))
    change = levelled(inner | joined, ring, np.ascontiguousarray(mismatch), rough)
    planes[joined] = carried[joined]
    base = planes[ring, :colours].astype(np.float64)
    with np.errstate(over="ignore"):  # what is more than a float can hold is cut to the range
        blended = np.clip(base + change[ring].astype(np.float64) * half * 2, low, high)
    if image.dtype.kind == "u":
        blended = np.rint(blended)
    planes[ring, :colours] = blended.astype(image.dtype)
    out[box] = planes.reshape(view.shape)


def _roughness(planes: NDArray[Any], half: float) -> NDArray[np.float32]:
    """How much the values vary over 3×3 pixels, the mean of the channels, as a share of 1."""
    import cv2

    share = (planes.astype(np.float64) / 2 / half).astype(np.float32)
    square = np.ones((3, 3), np.uint8)
    spans = [
        cv2.dilate(plane, square) - cv2.erode(plane, square)
        for plane in np.ascontiguousarray(np.moveaxis(share, 2, 0))
    ]
    return np.asarray(np.mean(spans, axis=0), np.float32)


def _around(mask: NDArray[np.bool_], margin: int) -> Window:
    inner = bounding_window(mask)
    assert inner is not None
    rows, columns = (
        slice(max(0, side.start - margin), min(length, side.stop + margin))
        for side, length in zip(inner, mask.shape, strict=True)
    )
    return rows, columns
