"""Bytes of image files to pixels and back, without losing bits or channels on the way."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from synth.errors import FileError
from synth.picture import Picture, exif_block, upright
from synth.tiff import decode_tiff, encode_tiff

__all__ = ["FORMATS", "Format", "check_holds", "decode", "encode", "format_of"]


@dataclass(frozen=True)
class Format:
    """What files of one format can hold."""

    suffixes: tuple[str, ...]
    types: tuple[str, ...]
    alpha: bool
    longest: int


FORMATS = {
    "PNG": Format((".png",), ("uint8", "uint16"), True, 2**31 - 1),
    "JPEG": Format((".jpg", ".jpeg", ".jpe", ".jfif"), ("uint8",), False, 65535),
    "WebP": Format((".webp",), ("uint8",), True, 16383),
    "TIFF": Format((".tif", ".tiff"), ("uint8", "uint16", "float32", "float64"), True, 2**31 - 1),
    "BMP": Format((".bmp", ".dib"), ("uint8",), False, 2**31 - 1),
}

_PNG_START = b"\x89PNG\r\n\x1a\n"
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
#: on photographs as small as the usual 6, and three times as fast
_PNG_EFFORT = 4
_PNG_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def format_of(path: str | PurePath) -> str:
    """Return the format that the ending of a path stands for.

    Raises
    ------
    FileError
        The ending is missing or stands for none of the formats.
    """
    suffix = PurePath(path).suffix.lower()
    for name, kind in FORMATS.items():
        if suffix in kind.suffixes:
            return name
    known = ", ".join(kind.suffixes[0] for kind in FORMATS.values())
    raise FileError(
        f"{path} ends in {suffix!r}, which is no image format known here; end it in one of {known}"
        if suffix
        else f"{path} has no ending that says the format; end it in one of {known}"
    )


def check_holds(format: str, shape: tuple[int, ...], dtype: np.dtype[Any], name: str) -> None:
    """Raise `FileError` if files of this format cannot hold such pixels.

    Parameters
    ----------
    format : str
        One of `FORMATS`.
    shape, dtype
        Of the pixels.
    name : str
        What the error message calls the file.
    """
    channels = shape[2] if len(shape) == 3 else 1

    def problem(kind: str) -> str | None:
        can = FORMATS[kind]
        if dtype.name not in can.types:
            return {"uint16": "16 bits a channel"}.get(dtype.name, f"{dtype.name} values")
        if channels > 4 and kind != "TIFF":
            return f"{channels} channels"
        if channels in (2, 4) and not can.alpha:
            return "transparency"
        if max(shape[:2]) > can.longest:
            return f"sides over {can.longest} pixels"
        return None

    if format not in FORMATS:
        raise FileError(f"{format!r} is not a format known here; use one of {', '.join(FORMATS)}")
    found = problem(format)
    if found:
        able = [kind for kind in FORMATS if problem(kind) is None]
        mend = f"write {' or '.join(able)} instead" if able else "change the pixels first"
        raise FileError(f"{name} would be {format}, which cannot hold {found}; {mend}")


def decode(data: bytes, name: str) -> Picture:
    """Return the picture that the bytes of an image file hold.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        What error messages call it.

    Raises
    ------
    FileError
        Not an image of a known format, damaged, CMYK, several pictures, or implausibly large.
    """
    from PIL import Image, UnidentifiedImageError

    if not data:
        raise FileError(f"{name} is empty (0 bytes)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if data.startswith(_TIFF_STARTS):
                picture = decode_tiff(data, name)
                if picture is not None:
                    return picture
            Image.init()  # else only some of the formats are known to it
            with Image.open(io.BytesIO(data), formats=_READ_BY_PILLOW) as image:
                return _decode_opened(image, data, name)
    except FileError:
        raise
    except UnidentifiedImageError as error:
        raise FileError(
            f"{name} is not an image of a format known here ({', '.join(FORMATS)}), "
            "or its first bytes are damaged"
        ) from error
    except Image.DecompressionBombError as error:
        raise FileError(
            f"{name} is too large: {error}; cut it into parts, or in Python raise "
            "PIL.Image.MAX_IMAGE_PIXELS if you trust the file"
        ) from error
    except MemoryError:
        raise
    except Exception as error:  # decoders raise almost anything on damaged files
        raise FileError(f"{name} is damaged or cut short: {error}") from error


_READ_BY_PILLOW = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "DIB")
_NAMES = {"MPO": "JPEG", "WEBP": "WebP", "DIB": "BMP"}


def _decode_opened(image: Any, data: bytes, name: str) -> Picture:
    format = _NAMES.get(image.format, image.format)
    # the further pictures in a camera's JPEG are previews of the first
    if getattr(image, "n_frames", 1) > 1 and format != "JPEG":
        raise FileError(
            f"{name} holds {image.n_frames} pictures (an animation?), and one is needed; "
            "save the one you mean"
        )
    info = image.info
    exif = image.getexif()
    turn = exif.get(0x0112, 1) if format != "TIFF" else 1  # Pillow turns TIFFs itself
    if format == "PNG" and data[24] == 16:
        pixels = _decode_deep_png(data, info.get("transparency"), name)
    else:
        pixels = _decode_shallow(image, name)
    pixels = upright(pixels, turn)
    dpi = info.get("dpi")
    return Picture(
        pixels,
        format,
        icc=info.get("icc_profile") or None,
        exif=exif_block(exif, pixels.shape, tiff=format == "TIFF"),
        dpi=(float(dpi[0]), float(dpi[1])) if dpi and min(dpi) > 0 else None,
    )


def _decode_shallow(image: Any, name: str) -> np.ndarray[Any, Any]:
    if image.mode == "CMYK":
        raise FileError(
            f"{name} is CMYK, made for print; convert it to RGB first with the program that "
            "made it, or with: magick IN -colorspace sRGB OUT"
        )
    see_through = image.has_transparency_data
    grey = image.mode in ("1", "L", "LA", "La")
    if image.mode in ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "YCbCr"):
        mode = ("LA" if see_through else "L") if grey else ("RGBA" if see_through else "RGB")
        image.load()
        return np.array(image if image.mode == mode else image.convert(mode))
    raise FileError(
        f"{name} has pixels of a kind that cannot be worked with here ({image.mode}); "
        "convert it to grey or RGB, of 8 or 16 bit"
    )


def _decode_deep_png(data: bytes, key: Any, name: str) -> np.ndarray[Any, Any]:
    """Decode 16 bits a channel, which Pillow would cut to 8; ``key`` is the see-through colour."""
    import cv2
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        image.verify()  # every checksum, of which OpenCV's decoder says nothing
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise FileError(f"{name} is damaged")
    colour_type = data[25]
    if colour_type == 0:
        pixels = decoded[..., None]
    else:
        order = {2: [2, 1, 0], 4: [0, 3], 6: [2, 1, 0, 3]}[colour_type]
        pixels = decoded[..., order]
    if key is not None and colour_type in (0, 2):
        opaque = (pixels != np.asarray(key, np.uint16)).any(axis=-1, keepdims=True)
        pixels = np.concatenate([pixels, opaque * np.uint16(65535)], axis=-1)
    return np.asarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def encode(
    pixels: np.ndarray[Any, Any], format: str, like: Picture | None = None, *, quality: int = 95
) -> bytes:
    """Return the bytes of an image file.

    PNG, WebP, TIFF and BMP are written without loss; WebP has no grey, so grey becomes RGB there.

    Parameters
    ----------
    pixels : ndarray
        As `synth.images.check_image` returns them.
    format : str
        One of `FORMATS`.
    like : Picture, optional
        Where colour profile, EXIF and resolution come from. A profile for another number of
        colours is left out.
    quality : int
        Of JPEG, 1 to 100; larger is better and bigger. Colours keep their full resolution.

    Raises
    ------
    FileError
        The format cannot hold such pixels.
    """
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    like = _fitting(like, pixels)
    if like is not None and like.premultiplied and format != "TIFF":
        raise FileError(
            f"the colours are multiplied by alpha, which {format} cannot say; write TIFF instead"
        )
    if format == "TIFF":
        return encode_tiff(pixels, like)
    if pixels.dtype == np.uint16:
        return _encode_deep_png(pixels, like)
    return _encode_shallow(pixels, format, like, quality)


def _fitting(like: Picture | None, pixels: np.ndarray[Any, Any]) -> Picture | None:
    if like is None or like.icc is None:
        return like
    grey = pixels.ndim == 2 or pixels.shape[2] == 2
    if like.icc[16:20] == (b"GRAY" if grey else b"RGB "):
        return like
    return Picture(like.pixels, like.format, None, like.exif, like.dpi, like.premultiplied)


def _encode_shallow(
    pixels: np.ndarray[Any, Any], format: str, like: Picture | None, quality: int
) -> bytes:
    from PIL import Image

    options: dict[str, Any] = {}
    if format == "JPEG":
        options.update(quality=quality, subsampling=0)
    elif format == "WebP":
        options.update(lossless=True, exact=True, quality=50)  # which is effort where lossless
    elif format == "PNG":
        options.update(compress_level=_PNG_EFFORT)
    if like is not None:
        if like.icc is not None:
            options["icc_profile"] = like.icc
        if like.exif is not None:
            exif = Image.Exif()
            exif.load(like.exif)
            options["exif"] = exif
        if like.dpi is not None:
            options["dpi"] = like.dpi
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format.upper(), **options)
    return out.getvalue()


def _encode_deep_png(pixels: np.ndarray[Any, Any], like: Picture | None) -> bytes:
    """Write 16 bits a channel, which Pillow cannot and OpenCV can only in part.

    Chunks as in the PNG specification (W3C, third edition, section 11), every row with the filter
    "up" (section 9.2).
    """
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    rows = pixels.astype(">u2").view(np.uint8).reshape(height, -1)
    filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = 2
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])

    header = struct.pack(">IIBBBBB", width, height, 16, _PNG_COLOUR_TYPES[channels], 0, 0, 0)
    chunks = [(b"IHDR", header)]
    if like is not None:
        if like.icc is not None:
            chunks.append((b"iCCP", b"ICC profile\0\0" + zlib.compress(like.icc)))
        if like.dpi is not None:
            across, down = (round(dots / 0.0254) for dots in like.dpi)
            chunks.append((b"pHYs", struct.pack(">IIB", across, down, 1)))
        if like.exif is not None:
            chunks.append((b"eXIf", like.exif.removeprefix(b"Exif\0\0")))
    chunks += [(b"IDAT", zlib.compress(filtered.data, _PNG_EFFORT)), (b"IEND", b"")]
    return _PNG_START + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
