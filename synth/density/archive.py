"""Models on disk: NumPy's npz, whole or not at all, without pickles."""

from __future__ import annotations

import importlib
import io
import os
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from synth.arguments import check_flag, check_verbs, listed, shown
from synth.errors import FileError, InputError, InputTypeError
from synth.unfinished import check_target, replacing

__all__ = ["KINDS", "Target", "about", "load", "packed", "read", "unpacked", "write"]

_VERSION = 1

#: A path, or a binary file that is open.
Target = str | os.PathLike[str] | BinaryIO

#: What a file says that it holds, and the public name of the class that reads it.
KINDS = {
    "kernel density": "KernelDensity",
    "gaussian mixture": "GaussianMixture",
    "copula": "Copula",
    "empirical": "Empirical",
    "bayes classifier": "BayesClassifier",
    "conditional density": "ConditionalDensity",
    "bilinear model": "BilinearModel",
    "patch prior": "PatchPrior",
}


class Held(dict[str, NDArray[Any]]):
    """The arrays of a model; one that is not there is a damaged file."""

    def __init__(self, name: str, arrays: dict[str, NDArray[Any]]) -> None:
        super().__init__(arrays)
        self.name = name

    def __missing__(self, key: str) -> NDArray[Any]:
        raise FileError(f"{self.name} is damaged: it has no {key!r}; save the model again")


def write(
    path: Target,
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
        names = listed(columns, "columns", f"{width} names")
        if len(names) != width or not all(isinstance(name, str) for name in names):
            raise InputError(f"columns are {shown(names)}, but {width} names are needed")
        if len(set(names)) < width:
            raise InputError(f"columns are {shown(names)}, but different names are needed")
        arrays["columns"] = np.array(names, np.str_)
    check_flag(overwrite, "overwrite")
    held: dict[str, Any] = {"kind": np.array(kind), "version": np.array(_VERSION), **arrays}
    if not isinstance(path, str | os.PathLike):
        if not callable(getattr(path, "write", None)):
            raise InputTypeError(f"path is {shown(path)}, but the name of a file is needed")
        np.savez_compressed(path, **held)
        return
    if Path(path).suffix.lower() != ".npz":
        raise FileError(f"{path} must end in .npz, the format that models are written in")
    check_target(path, overwrite=overwrite)
    with replacing(path, overwrite=overwrite) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **held)


def read(path: Target, kind: str | None = None, only: Sequence[str] | None = None) -> Held:
    """Return the arrays of a model, of this kind if one is named; only some if they are named."""
    name = str(path) if isinstance(path, str | os.PathLike) else "the model"
    if name != str(path) and not callable(getattr(path, "read", None)):
        raise InputTypeError(f"path is {shown(path)}, but the name of a file is needed")
    try:
        with np.load(path, allow_pickle=False) as file:
            names = file.files if only is None else [one for one in only if one in file.files]
            held = Held(name, {one: file[one] for one in names})
    except FileNotFoundError as error:
        raise FileError(f"{name} does not exist; check the path") from error
    except (
        OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, TypeError, AttributeError,
        NotImplementedError,
    ) as error:  # fmt: skip
        why = "it is no npz file" if "pickle" in str(error) else error
        raise FileError(f"{name} is damaged, or no model of synth: {why}") from error
    found = str(held.get("kind", "nothing known"))
    if kind is not None and found != kind:
        raise FileError(f"{name} holds {_named(found)}, but a {kind} is needed")
    version = held.get("version", np.array(0))
    if version.ndim or version.dtype.kind not in "iu":
        raise FileError(f"{name} is damaged, or no model of synth")
    if int(version) > _VERSION:
        raise FileError(f"{name} was written by a later version of synth; update it")
    return held


def _named(kind: str) -> str:
    loader = f" (synth.{KINDS[kind]}.load reads it)" if kind in KINDS else ""
    return kind + loader


def about(path: Target) -> tuple[str, tuple[str, ...] | None]:
    """Return what kind of model a file holds, and the names of its columns if it has them."""
    held = read(path, only=("kind", "version", "columns"))
    names = tuple(str(name) for name in held["columns"]) if "columns" in held else None
    return str(held.get("kind", "nothing known")), names


def load(path: Target) -> Any:
    """Return the model in a file, whatever its kind."""
    kind, _ = about(path)
    if kind not in KINDS:
        raise FileError(f"{path} holds {kind}, but a model of synth is needed")
    if not isinstance(path, str | os.PathLike):
        path.seek(0)
    return getattr(importlib.import_module("synth"), KINDS[kind]).load(path)


def packed(model: Any, name: str) -> NDArray[np.uint8]:
    """Return the bytes of a model's own file: how one model lies in the file of another."""
    check_verbs(model, name, ("save",), "so no file can hold it; take a model of synth")
    buffer = io.BytesIO()
    model.save(buffer)
    return np.frombuffer(buffer.getvalue(), np.uint8)


def unpacked(held: NDArray[np.uint8]) -> Any:
    """Return the model that `packed` made bytes of."""
    return load(io.BytesIO(np.asarray(held, np.uint8).tobytes()))
