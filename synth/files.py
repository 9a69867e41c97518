"""Load and save pictures: nothing overwritten unless asked, no half-written file left."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

import numpy as np

from synth.codecs import check_holds, decode, encode, format_of
from synth.errors import FileError
from synth.images import check_image
from synth.picture import Picture
from synth.unfinished import check_target, replacing

__all__ = ["Picture", "load", "save"]


def load(source: str | os.PathLike[str] | IO[bytes], *, name: str | None = None) -> Picture:
    """Load a PNG, JPEG, WebP, TIFF or BMP.

    8 bits and 16 bits a channel and the floats of TIFF come as they are; palettes come as RGB or
    RGBA, bilevel as grey. The turn that EXIF asks for is made.

    Parameters
    ----------
    source : path or binary stream
        A stream is read to its end.
    name : str, optional
        What error messages call it; the path itself if not given.

    Returns
    -------
    Picture
        The pixels and what `save` needs to write them back as they came.

    Raises
    ------
    FileError
        Missing, unreadable, not such an image, damaged, CMYK, or too large.
    """
    if isinstance(source, str | os.PathLike):
        name = name or os.fspath(source)
        try:
            data = Path(source).read_bytes()
        except FileNotFoundError as error:
            raise FileError(f"{name} does not exist; check the path") from error
        except IsADirectoryError as error:
            raise FileError(f"{name} is a folder, and an image file is needed") from error
        except OSError as error:
            raise FileError(f"{name} cannot be read: {error.strerror or error}") from error
    else:
        name = name or "the stream"
        try:
            data = source.read()
        except OSError as error:
            raise FileError(f"{name} cannot be read: {error.strerror or error}") from error
    return decode(data, name)


def save(
    target: str | os.PathLike[str] | IO[bytes],
    pixels: np.ndarray[Any, Any],
    *,
    like: Picture | None = None,
    overwrite: bool = False,
    format: str | None = None,
    quality: int = 95,
) -> None:
    """Save pixels as PNG, JPEG, WebP, TIFF or BMP, whole or not at all.

    All but JPEG are written without loss.

    Parameters
    ----------
    target : path or binary stream
        The ending of a path says the format.
    pixels : ndarray
        (height, width) or (height, width, channels), as `synth.images.check_image` takes them.
    like : Picture, optional
        Where colour profile, EXIF, resolution and, for a stream, the format come from.
    overwrite : bool
        Whether an existing file may be replaced.
    format : str, optional
        ``"PNG"``, ``"JPEG"``, ``"WebP"``, ``"TIFF"`` or ``"BMP"``; rather than what the path or
        ``like`` says.
    quality : int
        Of JPEG, 1 to 100; larger is better and bigger.

    Raises
    ------
    FileError
        The file exists already, cannot be written, or its format cannot hold such pixels.
    """
    pixels = check_image(pixels, name="pixels")
    if isinstance(target, str | os.PathLike):
        path = Path(target)
        format = format or format_of(path)
        check_target(path, overwrite=overwrite)
        check_holds(format, pixels.shape, pixels.dtype, str(path))
        data = encode(pixels, format, like, quality=quality)
        with replacing(path, overwrite=overwrite) as temporary, open(temporary, "wb") as file:
            file.write(data)
        return
    format = format or (like.format if like is not None else "PNG")
    check_holds(format, pixels.shape, pixels.dtype, "the output")
    data = encode(pixels, format, like, quality=quality)
    try:
        target.write(data)
        target.flush()
    except BrokenPipeError:  # the reader has had enough, which is for the caller to judge
        raise
    except OSError as error:
        raise FileError(f"the output cannot be written: {error.strerror or error}") from error
