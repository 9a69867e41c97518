"""``-`` in place of a picture's file: standard input or output."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from synth.batch import STREAM
from synth.errors import FileError

if TYPE_CHECKING:
    import numpy as np

    from synth.picture import Picture

__all__ = ["STREAM", "check_streams", "read", "write"]


def check_streams(
    inputs: Sequence[str | None], output: str | None, *, as_json: bool = False
) -> None:
    """Refuse before any work is done what would have two pictures in one stream, or none.

    Parameters
    ----------
    inputs : sequence of str or None
        All the pictures that are read, masks among them; None where there is none.
    output : str or None
    as_json : bool
        Whether standard output is for what is told about the work.
    """
    if as_json and output == STREAM:
        raise click.UsageError("--json and -o - would both write to standard output; choose one")
    if sum(one == STREAM for one in inputs) > 1:
        raise click.UsageError(
            "two pictures, or a picture and a mask, cannot both come from standard input"
        )
    closed = click.get_current_context().obj or ()
    if output == STREAM and "stdout" in closed:
        raise FileError("standard output is closed, and -o - writes the image to it")
    if STREAM in inputs and "stdin" in closed:
        raise FileError("standard input is closed, and - reads the image from it")
    if output == STREAM and sys.stdout.isatty():
        raise click.UsageError("-o - writes the image itself; send it to a file or a pipe")


def read(path: str) -> Picture:
    """Load a picture from a file or from standard input."""
    from synth.files import load

    return load(sys.stdin.buffer, name="standard input") if path == STREAM else load(path)


def write(
    path: str, pixels: np.ndarray[Any, Any], *, like: Picture | None = None, overwrite: bool
) -> None:
    """Save a picture to a file or to standard output, there in the format of ``like``, or PNG."""
    from synth.files import save

    if path == STREAM:
        save(sys.stdout.buffer, pixels, like=like)
    else:
        save(path, pixels, like=like, overwrite=overwrite)
