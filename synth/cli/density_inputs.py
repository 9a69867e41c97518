"""What the commands of ``synth density`` are given: options, names, models and files, checked."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from synth.density.copula import Copula
    from synth.density.gaussian_mixture import GaussianMixture
    from synth.density.kernel_density import KernelDensity
    from synth.tables import Table

    Model = KernelDensity | GaussianMixture | Copula

__all__ = [
    "check_different",
    "check_files",
    "check_numbers",
    "free_name",
    "known_values",
    "load_model",
    "made_model",
    "split_names",
    "weighed",
]


def free_name(name: str, columns: tuple[str, ...]) -> str:
    """Return a name for a new column that no other has."""
    while name in columns:
        name += "_"
    return name


def weighed(data: str, table: Table, weights: str | None) -> tuple[Table, Any]:
    """Take the column of the weights out of a table."""
    import numpy as np

    from synth.errors import FileError

    if weights is None:
        return table, None
    if weights not in table.columns or len(table.columns) < 2:
        raise FileError(
            f"{data} has no column {weights!r} beside others; its columns are "
            f"{', '.join(table.columns[:20])}"
        )
    place = table.columns.index(weights)
    names = table.columns[:place] + table.columns[place + 1 :]
    counts = table.rows[:, place]
    if np.isnan(counts).any():
        line = table.lines[np.isnan(counts).argmax()]
        raise FileError(f"{data}, line {line} has no value in column {weights}, the weights")
    return replace(table, columns=names, rows=np.delete(table.rows, place, axis=1)), counts


def check_numbers(data: str, table: Table) -> None:
    """Say in which line and column a number is that models cannot work with."""
    import numpy as np

    from synth.errors import FileError
    from synth.rows import FAR

    far = np.abs(table.rows) > FAR
    if far.any():
        row, column = np.argwhere(far)[0]
        raise FileError(
            f"{data}, line {table.lines[row]} has {table.rows[row, column]:g} in column "
            f"{table.columns[column]}, but numbers up to {FAR:g} can be worked with; divide the "
            "column by something"
        )


def made_model(kind: str, options: dict[str, Any]) -> Model:
    """Make the model that was asked for, and refuse what belongs to the other."""
    import synth

    own = {
        "kde": ("bandwidth", "kernel", "adaptive"),
        "gmm": ("components", "covariance", "seed"),
        "copula": ("marginals", "components", "seed"),
    }
    given = {name: value for name, value in options.items() if value not in (None, False)}
    for name in given:
        if name not in own[kind]:
            others = " or ".join(model for model, names in own.items() if name in names)
            raise click.UsageError(f"--{name} goes with --model {others}, not {kind}")
    if kind == "copula":
        core = synth.GaussianMixture(
            given.get("components", 8), covariance="tied", seed=given.get("seed", 0)
        )
        marginals = given.get("marginals", "kernel")
        return synth.Copula(marginals, core=core, seed=given.get("seed", 0))
    if kind == "gmm":
        return synth.GaussianMixture(**given)
    if "bandwidth" in given:
        given["bandwidth"] = _bandwidth(given["bandwidth"])
    return synth.KernelDensity(**given)


def _bandwidth(text: str) -> Any:
    from synth.density.bandwidths import RULES

    if text in RULES:
        return text
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        raise click.UsageError(
            f"--bandwidth is {text!r}, but one of {', '.join(RULES)}, a number, or one for each "
            "column (1,2.5) is needed"
        ) from None
    return values[0] if len(values) == 1 else values


def split_names(text: str) -> list[str]:
    """Split names at commas; a name with a comma is put in quotes."""
    import csv

    return [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]


def check_files(data: str, output: str, drawing: str | None, overwrite: bool) -> None:
    """Refuse before any work is done what could not be written after it."""
    from synth.errors import FileError
    from synth.unfinished import check_target

    wanted = {output: ".npz"} | ({} if drawing is None else {drawing: ".png"})
    for name, ending in wanted.items():
        if os.path.splitext(name)[1].lower() != ending:
            raise FileError(f"{name} must end in {ending}")
        check_target(name, overwrite=overwrite)
        check_different(data, name)


def check_different(source: str, output: str, what: str = "data") -> None:
    """Refuse to write over what is read."""
    from synth.errors import FileError

    if source != "-" and output != "-" and os.path.realpath(source) == os.path.realpath(output):
        raise FileError(f"{output} is the {what} itself; choose another name")


def load_model(file: str) -> tuple[Model, tuple[str, ...]]:
    """Return a model and the names of its columns: x0, x1, … if it was saved without."""
    from synth.density.archive import about, load
    from synth.errors import FileError

    kind, columns = about(file)
    if kind not in ("kernel density", "gaussian mixture", "copula"):
        raise FileError(f"{file} holds {kind}, but a kernel density, mixture or copula is needed")
    model: Model = load(file)
    width = model.sample(1).shape[1]
    return model, columns or tuple(f"x{k}" for k in range(width))


def known_values(given: tuple[str, ...], columns: tuple[str, ...]) -> dict[int, float]:
    """Turn ``column=value`` into column numbers and values."""
    known = {}
    for text in given:
        name, equals, value = text.rpartition("=")
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not equals or not math.isfinite(number):
            raise click.UsageError(f"--given is {text!r}, but column=number is needed")
        if name.strip() not in columns:
            raise click.UsageError(
                f"--given is for {name.strip()!r}, but the columns are {', '.join(columns)}"
            )
        place = columns.index(name.strip())
        if place in known:
            raise click.UsageError(f"--given has {name.strip()} twice")
        known[place] = number
    return known
