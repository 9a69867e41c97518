"""A picture with what its file says about it, and the turn that cameras leave to the reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["ABOUT_THE_PICTURE", "SUB_BLOCKS", "Picture", "exif_block", "upright"]

_ORIENTATION = 0x0112
_WIDTH, _HEIGHT = 0xA002, 0xA003
#: EXIF's own blocks: exposure and so on, and the position
SUB_BLOCKS = (0x8769, 0x8825)
#: description, make, model, software, date, artist, copyright: what says something about the
#: picture, while the other tags of a TIFF say how its file is laid out
ABOUT_THE_PICTURE = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298)


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels, and the facts of the file they came from.

    Attributes
    ----------
    pixels : ndarray
        (height, width) grey or (height, width, channels): 2 grey and alpha, 3 RGB, 4 RGBA. uint8
        or uint16 over their whole range; float32 or float64 as the file has them. Upright: the
        turn that EXIF asks for has been made.
    format : str
        ``"PNG"``, ``"JPEG"``, ``"WebP"``, ``"TIFF"`` or ``"BMP"``.
    icc : bytes or None
        The colour profile.
    exif : bytes or None
        The EXIF block (it starts with ``Exif``), without turn and without preview: a preview would
        still show what has been filled.
    dpi : tuple of float or None
        Pixels an inch, across and down.
    premultiplied : bool
        Whether the colours are multiplied by alpha (some TIFFs of 16 bit and of floats).
    """

    pixels: np.ndarray[Any, Any]
    format: str
    icc: bytes | None = None
    exif: bytes | None = None
    dpi: tuple[float, float] | None = None
    premultiplied: bool = False


def upright(pixels: np.ndarray[Any, Any], orientation: int) -> np.ndarray[Any, Any]:
    """Turn and mirror the pixels as EXIF's orientation (1 to 8) asks; others mean no turn."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def exif_block(exif: Image.Exif, shape: tuple[int, ...], *, tiff: bool = False) -> bytes | None:
    """Return the EXIF block to keep with an upright picture of this shape, None if it is empty.

    Of a TIFF (``tiff``) only the tags that speak about the picture are kept.
    """
    from PIL import Image

    kept = Image.Exif()
    for tag, value in exif.items():
        if tag not in (_ORIENTATION, *SUB_BLOCKS) and (not tiff or tag in ABOUT_THE_PICTURE):
            kept[tag] = value
    for number in SUB_BLOCKS:
        block = dict(exif.get_ifd(number))
        for tag, size in ((_WIDTH, shape[1]), (_HEIGHT, shape[0])):
            if tag in block:
                block[tag] = size
        if block:
            kept[number] = block
    return kept.tobytes() if len(kept) else None
