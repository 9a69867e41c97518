"""Models on disk: NumPy's npz, whole or not at all, without pickles."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.errors import FileError
from synth.unfinished import check_target, replacing

__all__ = ["kind_of", "read", "write"]

_VERSION = 1


def write(
    path: str | os.PathLike[str], kind: str, overwrite: bool, **arrays: NDArray[Any]
) -> None:
    """Write the arrays of a model of this kind; the name must end in .npz."""
    if Path(path).suffix.lower() != ".npz":
        raise FileError(f"{path} must end in .npz, the format that models are written in")
    check_target(path, overwrite=overwrite)
    with replacing(path, overwrite=overwrite) as temporary, open(temporary, "wb") as file:
        header: dict[str, Any] = {"kind": np.array(kind), "version": np.array(_VERSION)}
        np.savez_compressed(file, **{**header, **arrays})


def read(path: str | os.PathLike[str], kind: str | None = None) -> dict[str, NDArray[Any]]:
    """Return the arrays of a model, of this kind if one is named."""
    try:
        with np.load(path, allow_pickle=False) as file:
            held = {name: file[name] for name in file.files}
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


def kind_of(path: str | os.PathLike[str]) -> str:
    """Return what kind of model a file holds."""
    return str(read(path).get("kind", "nothing known"))
