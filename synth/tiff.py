"""TIFF in and out: 8 and 16 bit and floats, any number of channels, profile and EXIF."""

from __future__ import annotations

import contextlib
import io
import logging
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from synth.errors import FileError
from synth.picture import ABOUT_THE_PICTURE, SUB_BLOCKS, Picture, exif_block, upright

__all__ = ["decode_tiff", "encode_tiff"]


def decode_tiff(data: bytes, name: str) -> Picture | None:
    """Read a TIFF of full-range values; None if it is of a kind that Pillow reads better.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        What error messages call it.

    Returns
    -------
    Picture or None
        None for palettes, bilevel and YCbCr, and for 8 bit in a compression unknown here.

    Raises
    ------
    FileError
        Damaged, several pages, or values that are not uint8, uint16, float32 or float64.
    """
    import tifffile
    from PIL import Image

    with _no_talk_of_tifffile(), tifffile.TiffFile(io.BytesIO(data)) as file:
        pages = len(file.pages)
        if pages == 0:
            raise FileError(f"{name} is damaged or cut short: there is no picture where it says")
        page = file.pages.first
        previews = sum(
            isinstance(other, tifffile.TiffPage) and bool(int(other.subfiletype) & 1)
            for other in file.pages
        )
        if pages - previews > 1:
            raise FileError(
                f"{name} holds {pages} pages, and one picture is needed; save the page you mean"
            )
        plain = page.photometric in (0, 1, 2)
        if page.photometric == 5:
            raise FileError(f"{name} is CMYK, made for print; convert it to RGB first")
        if not plain or page.bitspersample < 8:
            return None
        dtype = np.dtype(page.dtype)
        if dtype.newbyteorder("=") not in (np.uint8, np.uint16, np.float32, np.float64):
            raise FileError(
                f"{name} holds values of type {dtype.name}; convert it to unsigned 8 or 16 bit, "
                "or to float32"
            )
        try:
            pixels = page.asarray()
        except Exception as error:  # a compression that tifffile has no decoder for, or damage
            if dtype == np.uint8 and page.samplesperpixel <= 4:
                return None
            pixels = _decode_with_opencv(data, name, error)
        if page.planarconfig == 2 and pixels.ndim == 3 and page.samplesperpixel > 1:
            pixels = np.moveaxis(pixels, 0, -1)
        if pixels.ndim == 3 and pixels.shape[-1] == 1:
            pixels = pixels[..., 0]
        if page.photometric == 0 and dtype.kind == "u":
            pixels = np.iinfo(dtype).max - pixels  # stored with white as 0
        exif = Image.Exif()
        if not file.is_bigtiff:  # its layout is not that of EXIF
            exif.load(data)
        turn = page.tags.get(0x0112)
        pixels = upright(pixels, int(turn.value) if turn else 1).astype(
            dtype.newbyteorder("="), copy=False
        )
        return Picture(
            pixels,
            "TIFF",
            icc=page.iccprofile,
            exif=exif_block(exif, pixels.shape, tiff=True),
            dpi=_dpi(page),
            premultiplied=bool(page.extrasamples) and page.extrasamples[0] == 1,
        )


@contextlib.contextmanager
def _no_talk_of_tifffile() -> Iterator[None]:
    """Keep its warnings off standard error, where they go if the program has set up no logging."""
    logger, handler = logging.getLogger("tifffile"), logging.NullHandler()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _decode_with_opencv(data: bytes, name: str, why: Exception) -> np.ndarray[Any, Any]:
    import cv2

    # OpenCV 4 has the one, OpenCV 5 the other
    set_level = getattr(cv2, "setLogLevel", None) or cv2.utils.logging.setLogLevel
    level = set_level(0)  # silent: the error below says it all
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    finally:
        set_level(level)
    if pixels is None:
        raise FileError(f"{name} is damaged or cut short: {why}") from why
    if pixels.ndim == 3 and pixels.shape[2] >= 3:
        pixels = pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    return np.asarray(pixels)


def _dpi(page: Any) -> tuple[float, float] | None:
    unit = page.tags.get("ResolutionUnit")
    scale = {2: 1.0, 3: 2.54}.get(int(unit.value) if unit else 2)
    across, down = page.tags.get("XResolution"), page.tags.get("YResolution")
    if scale is None or across is None or down is None:
        return None
    values = [t.value[0] / t.value[1] * scale if t.value[1] else 0 for t in (across, down)]
    return (values[0], values[1]) if min(values) > 0 else None


def encode_tiff(pixels: np.ndarray[Any, Any], like: Picture | None) -> bytes:
    """Return the pixels as a TIFF, compressed without loss, with the metadata of ``like``.

    Parameters
    ----------
    pixels : ndarray
        (height, width) or (height, width, channels), uint8, uint16, float32 or float64.
    like : Picture or None
        Where profile, EXIF, resolution and the kind of alpha come from.
    """
    import tifffile
    from PIL import Image

    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    colours = 3 if channels >= 3 else 1
    extra = channels - colours
    alpha = "assocalpha" if like is not None and like.premultiplied else "unassalpha"
    exif = Image.Exif()
    if like is not None and like.exif:
        exif.load(like.exif)
    blocks = {number: exif.get_ifd(number) for number in SUB_BLOCKS if exif.get_ifd(number)}
    tags = [(tag, "s", 0, str(exif[tag]), True) for tag in ABOUT_THE_PICTURE if tag in exif]
    out = io.BytesIO()
    tifffile.imwrite(
        out,
        pixels,
        byteorder="<",
        photometric="rgb" if colours == 3 else "minisblack",
        planarconfig="contig" if channels > 1 else None,
        extrasamples=[alpha] + ["unspecified"] * (extra - 1) if extra else None,
        compression="zlib",
        predictor=pixels.dtype.kind == "u",
        software=False,
        metadata=None,
        extratags=tags,
        iccprofile=like.icc if like is not None else None,
        resolution=like.dpi if like is not None else None,
        resolutionunit="INCH" if like is not None and like.dpi else None,
    )
    return _with_blocks(out.getvalue(), blocks)


def _with_blocks(data: bytes, blocks: dict[int, dict[int, Any]]) -> bytes:
    """Append EXIF blocks, which tifffile does not write, and a directory that points to them.

    The new directory takes the place of the first one, whose other entries it repeats (TIFF 6.0,
    section 2: 12 bytes an entry, in the order of their tags).
    """
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    if not blocks or data[:4] != b"II*\0":  # beyond 4 GB the layout is another
        return data
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    entries = [data[at : at + 12] for at in range(start + 2, start + 2 + 12 * count, 12)]
    out = bytearray(data)
    for number, values in blocks.items():
        out += b"\0" * (len(out) % 2)
        entries.append(struct.pack("<HHII", number, 4, 1, len(out)))
        block = ImageFileDirectory_v2(b"II*\0\0\0\0\0")
        for tag, value in values.items():
            block[tag] = value
        out += block.tobytes(len(out))
    out += b"\0" * (len(out) % 2)
    struct.pack_into("<I", out, 4, len(out))
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry)[0])
    out += struct.pack("<H", len(entries)) + b"".join(entries) + b"\0\0\0\0"
    return bytes(out)
