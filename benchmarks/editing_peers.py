"""One adapter a way of resizing, moving and rearranging, synth's own among them.

Adapters of resizes take ``image`` (H, W, 3) uint8, ``shape`` (rows, columns), ``protect`` (H, W)
bool, empty where nothing is to be kept, and ``lines`` (n, 2, 2), ends as (row, column); those of
moves take ``image``, ``mask``, True on the object, and ``offset`` (down, right).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Method

__all__ = ["move_methods", "reshuffle_methods", "retarget_methods"]

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Numbers = NDArray[Any]

_HERE = f"{__name__}:"
_CARVING = ("seam-carving", "numpy")


def retarget_methods() -> list[Method]:
    """List everything that gives a picture another size."""
    synth = [
        Method(
            name,
            f"{_HERE}synth_retarget",
            {"told": told},
            distributions=("numba",),
            compiles=True,
            note=note,
        )
        for name, told, note in (
            ("synth", True, "told what to protect and which lines to keep straight, if any"),
            ("synth-untold", False, "told nothing"),
        )
    ]
    carving = [
        Method(
            f"seam-carving-{energy}",
            f"{_HERE}seam_carving",
            {"energy": energy},
            _CARVING,
            ("seam-carving",),
            note=f"{energy} energy, told what to protect",
        )
        for energy in ("backward", "forward")
    ]
    opencv = ("opencv-python",)
    return [
        *synth,
        *carving,
        Method("scale", f"{_HERE}scale", distributions=opencv, note="OpenCV's resize, by area"),
        Method("crop", f"{_HERE}crop", note="round what is to be protected, or the middle"),
    ]


def move_methods() -> list[Method]:
    """List ways to move an object."""
    opencv = ("opencv-python",)
    pipeline = "cut out, the hole closed by OpenCV's inpaint (Telea, radius 3)"
    return [
        Method("synth-move", f"{_HERE}synth_move", distributions=("numba",), compiles=True),
        Method(
            "opencv-clone",
            f"{_HERE}opencv_move",
            {"clone": True},
            distributions=opencv,
            note=f"{pipeline}, put in by seamlessClone",
        ),
        Method(
            "opencv-paste",
            f"{_HERE}opencv_move",
            {"clone": False},
            distributions=opencv,
            note=f"{pipeline}, pasted as it is",
        ),
    ]


def reshuffle_methods() -> list[Method]:
    """List what rearranges a picture: nothing else that installs from PyPI does."""
    return [
        Method(
            "synth-reshuffle", f"{_HERE}synth_reshuffle", distributions=("numba",), compiles=True
        )
    ]


def synth_retarget(
    image: Image, shape: Numbers, protect: Mask, lines: Numbers, *, seed: int, told: bool
) -> Image:
    """`synth.retarget`."""
    import synth

    rows, columns = (int(side) for side in shape)
    given: dict[str, Any] = {}
    if told and protect.any():
        given["protect"] = protect
    if told and len(lines):
        given["lines"] = [tuple(map(tuple, line)) for line in lines.tolist()]
    return np.asarray(synth.retarget(image, (rows, columns), seed=seed, **given))


def seam_carving(
    image: Image, shape: Numbers, protect: Mask, lines: Numbers, *, seed: int, energy: str
) -> Image:
    """`seam_carving.resize`, which takes columns and rows."""
    import seam_carving as library  # type: ignore[import-not-found]

    size = int(shape[1]), int(shape[0])
    kept = protect if protect.any() else None
    return np.asarray(library.resize(image, size, energy_mode=energy, keep_mask=kept))


def scale(image: Image, shape: Numbers, protect: Mask, lines: Numbers, *, seed: int) -> Image:
    """`cv2.resize`."""
    import cv2

    wider = int(shape[0]) > image.shape[0] or int(shape[1]) > image.shape[1]
    way = cv2.INTER_CUBIC if wider else cv2.INTER_AREA
    return np.asarray(cv2.resize(image, (int(shape[1]), int(shape[0])), interpolation=way))


def crop(image: Image, shape: Numbers, protect: Mask, lines: Numbers, *, seed: int) -> Image:
    """Cut the new size out, what is protected in its middle as far as that goes."""
    parts = []
    for axis, (length, wanted) in enumerate(zip(image.shape[:2], shape.tolist(), strict=True)):
        if wanted > length:
            raise RuntimeError("a crop cannot be larger than the picture")
        there = np.flatnonzero(protect.any(axis=1 - axis))
        middle = (there[0] + there[-1]) / 2 if len(there) else length / 2
        first = int(np.clip(round(middle - wanted / 2), 0, length - wanted))
        parts.append(slice(first, first + wanted))
    return np.ascontiguousarray(image[parts[0], parts[1]])


def synth_move(image: Image, mask: Mask, offset: Numbers, *, seed: int) -> Image:
    """`synth.move`."""
    import synth

    return np.asarray(synth.move(image, mask, (int(offset[0]), int(offset[1])), seed=seed))


def opencv_move(image: Image, mask: Mask, offset: Numbers, *, seed: int, clone: bool) -> Image:
    """Close the hole by `cv2.inpaint` and put the object in by `cv2.seamlessClone` or as it is."""
    import cv2

    down, right = (int(step) for step in offset)
    white = mask.astype(np.uint8) * 255
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    closed = cv2.inpaint(image, cv2.dilate(white, disc), 3, cv2.INPAINT_TELEA)
    if clone:
        left, top, width, height = cv2.boundingRect(white)
        centre = left + width // 2 + right, top + height // 2 + down
        return np.asarray(cv2.seamlessClone(image, closed, white, centre, cv2.NORMAL_CLONE))
    y, x = np.nonzero(mask)
    inside = (y + down >= 0) & (y + down < len(image)) & (x + right >= 0)
    inside &= x + right < image.shape[1]
    y, x = y[inside], x[inside]
    pasted = np.array(closed, np.uint8)
    pasted[y + down, x + right] = image[y, x]
    return pasted


def synth_reshuffle(image: Image, mask: Mask, offset: Numbers, *, seed: int) -> Image:
    """`synth.reshuffle`, one move."""
    import synth

    moves = [(mask, (int(offset[0]), int(offset[1])))]
    return np.asarray(synth.reshuffle(image, moves, seed=seed))
