"""``synth density``: fit a density to a table, draw rows from it, ask how likely rows are."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import click

from synth.cli.group import Commands, path

if TYPE_CHECKING:
    from synth.density.gaussian_mixture import GaussianMixture
    from synth.density.kernel_density import KernelDensity
    from synth.tables import Table

__all__ = ["density", "fit", "sample", "score"]

#: So many bad rows are told one by one.
_TOLD = 10


@click.group(cls=Commands, homes=dict.fromkeys(("fit", "sample", "score"), __name__))
def density() -> None:
    """Densities of tables of numbers: fit, sample, score.

    Tables are CSV, npy, npz or Parquet files; rows that cannot be used are left out and told.
    """


_overwrite = click.option("--overwrite", is_flag=True, help="Replace files that exist.")
_header = click.option(
    "--header/--no-header",
    default=None,
    help="Whether a CSV begins with names; else its first line tells.",
)


@click.command()
@click.argument("data", metavar="DATA", type=path(dir_okay=False, allow_dash=True))
@click.option("-o", "--output", metavar="MODEL.npz", required=True, type=path(dir_okay=False))
@click.option(
    "--model",
    "kind",
    type=click.Choice(["kde", "gmm"]),
    default="kde",
    show_default=True,
    help="A kernel on each row, or a mixture of a few Gaussians.",
)
@click.option(
    "--bandwidth",
    metavar="RULE|H[,H…]",
    help="kde: scott, silverman, isj, loo, or standard deviations.  [default: scott]",
)
@click.option(
    "--kernel",
    type=click.Choice(["gaussian", "epanechnikov", "tophat", "triangular", "exponential"]),
    help="kde: its shape; all have the bandwidth as standard deviation.  [default: gaussian]",
)
@click.option("--adaptive", is_flag=True, help="kde: wider kernels where data are sparse.")
@click.option(
    "--components", type=click.IntRange(1), metavar="K", help="gmm: how many.  [default: 8]"
)
@click.option(
    "--covariance",
    type=click.Choice(["full", "tied", "diag", "spherical"]),
    help="gmm: their kind.  [default: full]",
)
@click.option("--columns", metavar="A,B,…", help="Which to take, in this order; else all.")
@click.option("--weights", metavar="COLUMN", help="How often each row counts; not fitted.")
@_header
@click.option(
    "--seed",
    type=click.IntRange(0, 2**64 - 1),
    help="gmm: of the start.  [default: 0]",
)
@click.option(
    "--plot",
    "drawing",
    metavar="PNG",
    type=path(dir_okay=False),
    help="Draw marginals, and contours of pairs.",
)
@_overwrite
@click.option("--json", "as_json", is_flag=True, help="Print one object.")
def fit(
    data: str,
    output: str,
    kind: Literal["kde", "gmm"],
    columns: str | None,
    weights: str | None,
    header: bool | None,
    drawing: str | None,
    overwrite: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Fit a density to the rows of DATA and keep it as MODEL.npz.

    With --model gmm rows may have missing values.
    """
    made = _model(kind, options)
    _check_files(data, output, drawing, overwrite)
    wanted = None if columns is None else _names(columns)

    import numpy as np

    from synth.compilation import watching
    from synth.display import display
    from synth.tables import load_table

    if drawing is not None:
        from synth.density.drawing import check_drawing, draw_density

        check_drawing()
    if wanted is not None and weights is not None:
        wanted = [*wanted, weights]
    table = load_table(data, columns=wanted, missing=kind == "gmm", header=header)
    _tell_bad(data, table)
    table, counts = _weighed(data, table, weights)
    picture, drawn = b"", 0
    with display() as shown, watching(shown.compiling):
        made.fit(table.rows, counts)
        used = np.ones(len(table.rows), np.bool_) if counts is None else counts > 0
        shares = None if counts is None else counts[used]
        likelihood = float(np.average(made.log_prob(table.rows[used]), weights=shares))
        if drawing is not None:
            picture, drawn = draw_density(made, table.columns, table.rows)
    made.save(output, columns=table.columns, overwrite=overwrite)
    if drawing is not None:
        from synth.unfinished import replacing

        with replacing(drawing, overwrite=overwrite) as temporary:
            temporary.write_bytes(picture)
        if drawn < len(table.columns):
            click.echo(f"synth: {drawing} has the first {drawn} columns", err=True)
    files = [output] if drawing is None else [output, drawing]
    if as_json:
        told = {
            "data": data,
            "outputs": files,
            "model": kind,
            "columns": list(table.columns),
            "rows": len(table.rows),
            "log_likelihood": likelihood,
            "bad": [{"line": bad.line, "why": bad.why} for bad in table.bad],
        }
        click.echo(json.dumps(told))
    click.echo(
        f"synth: wrote {' and '.join(files)}: {len(table.rows)} rows of "
        f"{', '.join(table.columns[:8])}{', …' if len(table.columns) > 8 else ''}; "
        f"{likelihood:.4f} nats a row on the data of the fit",
        err=True,
    )


@click.command()
@click.argument("model", metavar="MODEL.npz", type=path(dir_okay=False))
@click.option("-n", "--count", type=click.IntRange(0), metavar="N", required=True)
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    default="-",
    type=path(dir_okay=False, allow_dash=True),
    help="The ending says the format; else a CSV to standard output.",
)
@click.option(
    "--given",
    metavar="COLUMN=VALUE",
    multiple=True,
    help="What is known. May be given several times.",
)
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=0, show_default=True)
@_overwrite
def sample(
    model: str, count: int, output: str, given: tuple[str, ...], seed: int, overwrite: bool
) -> None:
    """Draw N rows from a density, all of its columns.

    With --given, from the density of the other columns where those have these values.
    """
    from synth.tables import check_table_target, save_table

    check_table_target(output, overwrite=overwrite)
    held, columns = _load_model(model)
    known = _known(given, columns)
    rows = _drawn(held, known, len(columns), count, seed)
    save_table(output, columns, rows, overwrite=overwrite)
    if output != "-":
        click.echo(f"synth: wrote {output}: {count} rows", err=True)


@click.command()
@click.argument("model", metavar="MODEL.npz", type=path(dir_okay=False))
@click.argument("data", metavar="DATA", type=path(dir_okay=False, allow_dash=True))
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    type=path(dir_okay=False, allow_dash=True),
    help="Write line, columns and log_prob of each row; - for standard output.",
)
@_header
@_overwrite
@click.option("--json", "as_json", is_flag=True, help="Print one object instead of the mean.")
def score(
    model: str,
    data: str,
    output: str | None,
    header: bool | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Print the mean log-likelihood of DATA's rows, in nats: the higher, the likelier.

    The columns of the model are looked for by name, or by place where DATA has no names.
    """
    import numpy as np

    import synth
    from synth.compilation import watching
    from synth.display import display
    from synth.tables import check_table_target, load_table, save_table

    if output == "-" and as_json:
        raise click.UsageError("-o - and --json both write to standard output; choose one")
    if output is not None:
        check_table_target(output, overwrite=overwrite)
        _check_different(data, output)
    held, columns = _load_model(model)
    missing = isinstance(held, synth.GaussianMixture)
    table = load_table(data, columns=columns, missing=missing, header=header)
    _tell_bad(data, table)
    with display() as shown, watching(shown.compiling):
        log_prob = held.log_prob(table.rows)
    mean = float(log_prob.mean())
    if output is not None:
        rows = np.column_stack([table.lines, table.rows, log_prob])
        save_table(output, ("line", *columns, "log_prob"), rows, overwrite=overwrite)
        if output != "-":
            click.echo(f"synth: wrote {output}: {len(rows)} rows", err=True)
    if as_json:
        told = {
            "model": model,
            "data": data,
            "rows": len(table.rows),
            "log_likelihood": mean if np.isfinite(mean) else None,
            "outside": int(np.isneginf(log_prob).sum()),
            "bad": [{"line": bad.line, "why": bad.why} for bad in table.bad],
        }
        click.echo(json.dumps(told))
    else:
        click.echo(f"{mean:.6f}", err=output == "-")


def _weighed(data: str, table: Table, weights: str | None) -> tuple[Table, Any]:
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


def _model(kind: str, options: dict[str, Any]) -> KernelDensity | GaussianMixture:
    """Make the model that was asked for, and refuse what belongs to the other."""
    import synth

    own = {"kde": ("bandwidth", "kernel", "adaptive"), "gmm": ("components", "covariance", "seed")}
    given = {name: value for name, value in options.items() if value not in (None, False)}
    for name in given:
        if name not in own[kind]:
            other = next(model for model, names in own.items() if name in names)
            raise click.UsageError(f"--{name} goes with --model {other}, not {kind}")
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


def _names(text: str) -> list[str]:
    """Split names at commas; a name with a comma is put in quotes."""
    import csv

    return [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]


def _check_files(data: str, output: str, drawing: str | None, overwrite: bool) -> None:
    """Refuse before any work is done what could not be written after it."""
    from synth.errors import FileError
    from synth.unfinished import check_target

    wanted = {output: ".npz"} | ({} if drawing is None else {drawing: ".png"})
    for name, ending in wanted.items():
        if os.path.splitext(name)[1].lower() != ending:
            raise FileError(f"{name} must end in {ending}")
        check_target(name, overwrite=overwrite)
        _check_different(data, name)


def _check_different(data: str, output: str) -> None:
    from synth.errors import FileError

    if data != "-" and output != "-" and os.path.realpath(data) == os.path.realpath(output):
        raise FileError(f"{output} is the data itself; choose another name")


def _load_model(file: str) -> tuple[KernelDensity | GaussianMixture, tuple[str, ...]]:
    """Return a model and the names of its columns: x0, x1, … if it was saved without."""
    import synth
    from synth.density.archive import about
    from synth.errors import FileError

    kind, columns = about(file)
    model: KernelDensity | GaussianMixture
    if kind == "kernel density":
        model = synth.KernelDensity.load(file)
        width = model.points.shape[1]
    elif kind == "gaussian mixture":
        model = synth.GaussianMixture.load(file)
        width = model.means.shape[1]
    else:
        raise FileError(f"{file} holds {kind}, but a kernel density or a mixture is needed")
    return model, columns or tuple(f"x{k}" for k in range(width))


def _known(given: tuple[str, ...], columns: tuple[str, ...]) -> dict[int, float]:
    """Turn ``column=value`` into column numbers and values."""
    known = {}
    for text in given:
        name, equals, value = text.rpartition("=")
        try:
            number = float(value)
        except ValueError:
            equals = ""
        if not equals:
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


def _drawn(
    model: KernelDensity | GaussianMixture,
    known: dict[int, float],
    width: int,
    count: int,
    seed: int,
) -> Any:
    import numpy as np

    if not known:
        return model.sample(count, seed=seed)
    rows = np.empty((count, width))
    keep = [k for k in range(width) if k not in known]
    rows[:, list(known)] = list(known.values())
    rows[:, keep] = model.given(known).sample(count, seed=seed)
    return rows


def _tell_bad(data: str, table: Table) -> None:
    for bad in table.bad[:_TOLD]:
        click.echo(f"synth: {data}, line {bad.line} {bad.why}; left out", err=True)
    rest = table.bad[_TOLD:]
    if rest:
        lines = ", ".join(str(bad.line) for bad in rest[:50])
        more = ", …" if len(rest) > 50 else ""
        click.echo(f"synth: {data}, {len(rest)} more rows left out: {lines}{more}", err=True)
