"""Load and save pictures: nothing overwritten unless asked, no half-written file left."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from synth.codecs import check_holds, decode, encode, format_of
from synth.errors import FileError
from synth.images import check_image
from synth.picture import Picture

__all__ = ["Picture", "check_target", "discard_unfinished", "load", "replacing", "save"]

#: temporary files that are being written, so that an abrupt end can take them away
_unfinished: set[Path] = set()


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
        data = source.read()
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
    target.write(encode(pixels, format, like, quality=quality))
    target.flush()


def check_target(path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Raise `FileError` if a file cannot be written there, before any work is done for it."""
    path = Path(path)
    if path.is_dir():
        raise FileError(f"{path} is a folder; give the name of a file in it")
    if os.path.lexists(path) and not overwrite and not _is_special(path):
        raise _exists(path)
    if not path.parent.is_dir():
        raise FileError(f"{path} cannot be written: there is no folder {path.parent}; make it")
    if not _is_special(path) and not os.access(path.parent, os.W_OK):
        raise FileError(f"{path} cannot be written: no permission in the folder {path.parent}")


def _exists(path: Path) -> FileError:
    return FileError(
        f"{path} exists already; choose another name, or allow overwriting it (--overwrite)"
    )


def _is_special(path: Path) -> bool:
    """Tell whether it is a device or a pipe, which is written to and never replaced."""
    return path.exists() and not path.is_file()


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary path to write to, which takes the name ``path`` when the block ends well.

    It lies in the same folder and has the same ending. If the block raises, it is removed and
    ``path`` is as it was. A symbolic link keeps pointing to where it does; devices and pipes are
    written to directly.

    Raises
    ------
    FileError
        ``path`` exists, or has come to be meanwhile, and ``overwrite`` is not set; or the file
        system refuses.
    """
    path = Path(path)
    if _is_special(path):
        yield path
        return
    final = Path(os.path.realpath(path)) if overwrite else path
    temporary = final.with_name(f".{final.stem}-{secrets.token_hex(4)}{final.suffix}")
    _unfinished.add(temporary)
    try:
        # not tempfile: its files are for the owner alone, these get a new file's usual rights
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        if overwrite:
            if final.exists():
                shutil.copymode(final, temporary)
            os.replace(temporary, final)
        else:
            _take_name(temporary, final)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
        _unfinished.discard(temporary)


def _take_name(temporary: Path, final: Path) -> None:
    """Rename without ever replacing a file that another program has put there meanwhile."""
    try:
        os.link(temporary, final)
    except FileExistsError as error:
        raise _exists(final) from error
    except OSError:  # a file system without hard links
        try:
            os.close(os.open(final, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError as error:
            raise _exists(final) from error
        os.replace(temporary, final)


def discard_unfinished() -> None:
    """Remove the temporary files of writes that will not be finished; for an abrupt end."""
    for temporary in list(_unfinished):
        with contextlib.suppress(OSError):
            temporary.unlink()
