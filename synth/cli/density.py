"""``synth density``: fit a density to a table, draw rows from it, ask how likely rows are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import click

from synth.cli.density_inputs import (
    check_different,
    check_files,
    check_numbers,
    free_name,
    known_values,
    load_model,
    made_model,
    split_names,
    weighed,
)
from synth.cli.group import Commands, path

if TYPE_CHECKING:
    from synth.cli.density_inputs import Model
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
    type=click.Choice(["kde", "gmm", "copula"]),
    default="kde",
    show_default=True,
    help="A kernel on each row, a mixture of a few Gaussians, or each column's own density "
    "joined by a mixture.",
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
    "--components",
    type=click.IntRange(1),
    metavar="K",
    help="gmm, copula: how many.  [default: 8]",
)
@click.option(
    "--covariance",
    type=click.Choice(["full", "tied", "diag", "spherical"]),
    help="gmm: their kind.  [default: full]",
)
@click.option(
    "--marginals",
    type=click.Choice(["kernel", "histogram", "levels"]),
    help="copula: the columns' own; levels for few different values.  [default: kernel]",
)
@click.option("--columns", metavar="A,B,…", help="Which to take, in this order; else all.")
@click.option("--weights", metavar="COLUMN", help="How often each row counts; not fitted.")
@_header
@click.option(
    "--seed",
    type=click.IntRange(0, 2**64 - 1),
    help="gmm, copula: of the start.  [default: 0]",
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
    kind: Literal["kde", "gmm", "copula"],
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
    made = made_model(kind, options)
    check_files(data, output, drawing, overwrite)
    wanted = None if columns is None else split_names(columns)

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
    table, counts = weighed(data, table, weights)
    check_numbers(data, table)
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
    check_different(model, output, "model")
    held, columns = load_model(model)
    known = known_values(given, columns)
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
    help="Write line, columns and log_prob of each row (line_, log_prob_ where columns are called "
    "so); - for standard output.",
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
        check_different(data, output)
        check_different(model, output, "model")
    held, columns = load_model(model)
    missing = isinstance(held, synth.GaussianMixture)
    table = load_table(data, columns=columns, missing=missing, header=header)
    _tell_bad(data, table)
    check_numbers(data, table)
    with display() as shown, watching(shown.compiling):
        log_prob = held.log_prob(table.rows)
    mean = float(log_prob.mean())
    if output is not None:
        rows = np.column_stack([table.lines, table.rows, log_prob])
        names = [free_name("line", columns), *columns, free_name("log_prob", columns)]
        save_table(output, names, rows, overwrite=overwrite)
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


def _drawn(
    model: Model,
    known: dict[int, float],
    width: int,
    count: int,
    seed: int,
) -> Any:
    import numpy as np

    if not known:
        return model.sample(count, seed=seed)
    keep = [k for k in range(width) if k not in known]
    drawn = model.given(known).sample(count, seed=seed)
    rows = np.empty((count, width))
    rows[:, list(known)] = list(known.values())
    rows[:, keep] = drawn
    return rows


def _tell_bad(data: str, table: Table) -> None:
    for bad in table.bad[:_TOLD]:
        click.echo(f"synth: {data}, line {bad.line} {bad.why}; left out", err=True)
    rest = table.bad[_TOLD:]
    if rest:
        lines = ", ".join(str(bad.line) for bad in rest[:50])
        more = ", …" if len(rest) > 50 else ""
        click.echo(f"synth: {data}, {len(rest)} more rows left out: {lines}{more}", err=True)
