"""Models on disk: NumPy's npz, whole or not at all, without pickles."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.errors import FileError, InputError
from synth.unfinished import check_target, replacing

__all__ = ["about", "read", "write"]

_VERSION = 1


def write(
    path: str | os.PathLike[str],
    kind: str,
    overwrite: bool,
    columns: Sequence[str] | None,
    width: int,
    **arrays: NDArray[Any],
) -> None:
    """Write the arrays of a model of this kind, and the names of its columns.

    The name of the file must end in .npz.
    """
    if columns is not None:
        if isinstance(columns, str) or len(columns) != width:
            raise InputError(f"columns are {columns!r}, but {width} names are needed")
        arrays["columns"] = np.array(list(columns), np.str_)
    if Path(path).suffix.lower() != ".npz":
        raise FileError(f"{path} must end in .npz, the format that models are written in")
    check_target(path, overwrite=overwrite)
    with replacing(path, overwrite=overwrite) as temporary, open(temporary, "wb") as file:
        header: dict[str, Any] = {"kind": np.array(kind), "version": np.array(_VERSION)}
        np.savez_compressed(file, **{**header, **arrays})


def read(
    path: str | os.PathLike[str], kind: str | None = None, only: Sequence[str] | None = None
) -> dict[str, NDArray[Any]]:
    """Return the arrays of a model, of this kind if one is named; only some if they are named."""
    try:
        with np.load(path, allow_pickle=False) as file:
            names = file.files if only is None else [name for name in only if name in file.files]
            held = {name: file[name] for name in names}
    except FileNotFoundError as error:
        raise FileError(f"{path} does not exist; check the path") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, TypeError, AttributeError) as error:
        raise FileError(f"{path} is damaged, or no model of synth: {error}") from error
    found = str(held.get("kind", "nothing known"))
    if kind is not None and found != kind:
        raise FileError(f"{path} holds {found}, but a {kind} is needed")
    if int(held.get("version", 0)) > _VERSION:
        raise FileError(f"{path} was written by a later version of synth; update it")
    return held


def about(path: str | os.PathLike[str]) -> tuple[str, tuple[str, ...] | None]:
    """Return what kind of model a file holds, and the names of its columns if it has them."""
    held = read(path, only=("kind", "version", "columns"))
    names = tuple(str(name) for name in held["columns"]) if "columns" in held else None
    return str(held.get("kind", "nothing known")), names
