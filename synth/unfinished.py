"""Files that take their name only when they are whole."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from synth.errors import FileError

__all__ = ["check_target", "discard_unfinished", "replacing"]

#: temporary files that are being written, so that an abrupt end can take them away
_unfinished: set[Path] = set()


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
