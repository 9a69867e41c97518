"""Densities side by side: ``python -m benchmarks.density --runs 3``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from benchmarks.density_peers import CHECKED, ITERATIONS, RIDGE, kernel_methods, mixture_methods
from benchmarks.environments import Environments
from benchmarks.harness import Case, Cell, ChildRunner, MethodFailed, measure
from benchmarks.options import chosen, command_line, common_options
from benchmarks.photographs import photograph
from benchmarks.report import (
    Column,
    Row,
    markdown_table,
    mean_rows,
    preamble,
    slow_note,
    write_json,
)

#: Seconds of runs on one case after which a method has had its turn.
PATIENCE = 15.0
#: Rows on which a mixture's likelihood is worked out.
ROWS = 2000
KERNEL_COLUMNS = (
    Column("answered", "answered", ".0f", "none"),
    Column("all", "s for all", ".3f", "low"),
    Column("cpu_all", "CPU s for all", ".3f", "low"),
    Column("bulk", "worst error, bulk", ".0e", "low"),
    Column("tail", "worst error, tails", ".0e", "low"),
    Column("peak_mb", "MB", ".0f", "low"),
)
MIXTURE_COLUMNS = (
    Column("wall", f"s for {ITERATIONS}", ".2f", "low"),
    Column("cpu", "CPU s", ".2f", "low"),
    Column("likelihood", "nats a row", ".4f", "high"),
    Column("peak_mb", "MB", ".0f", "low"),
)


def clouds(count: int, width: int, parts: int, more: int = 0) -> NDArray[np.float64]:
    """Draw rows from skewed clouds, and whiten the first ``count``: their covariance is 1."""
    rng = np.random.default_rng(0)
    turn = rng.normal(size=(parts, width, width)) / np.sqrt(width) + 0.5 * np.eye(width)
    owner = rng.integers(0, parts, count + more)
    rows = rng.normal(size=(count + more, width))
    for part in range(parts):
        own = owner == part
        rows[own] = rows[own] @ turn[part] + rng.normal(size=width) * 2
    rows -= rows[:count].mean(axis=0)
    root = np.linalg.cholesky(np.atleast_2d(np.cov(rows[:count].T)))
    return np.ascontiguousarray(np.linalg.solve(root, rows.T).T)


def patches(count: int, side: int = 7) -> NDArray[np.float64]:
    """Cut grey patches out of photographs, values in 0 … 1."""
    rng = np.random.default_rng(0)
    found = []
    for name in ("astronaut", "coffee", "chelsea"):
        grey = photograph(name, 512).mean(axis=2) / 255
        windows = np.lib.stride_tricks.sliding_window_view(grey, (side, side)).reshape(-1, side**2)
        found.append(windows[rng.choice(len(windows), count // 3, replace=False)])
    return np.concatenate(found)


def kernel_cases(*, quick: bool) -> list[Case]:
    """Make rows, queries in the bulk and in the tails, and the exact answer to some."""
    made = []
    for count, asked, width, bandwidth in (
        (100_000, 100_000, 1, 0.05),
        (100_000, 100_000, 2, 0.1),
        (100_000, 100_000, 3, 0.2),
        (50_000, 10_000, 8, 0.3),
        (10_000, 1_000, 64, 0.5),
    ):
        count, asked = (count // 50, max(500, asked // 50)) if quick else (count, asked)
        x, q = np.split(clouds(count, width, 8, more=asked), [count])
        q[::2] *= 5
        exact = [
            logsumexp(-0.5 * np.square((x - row) / bandwidth).sum(axis=1)) for row in q[:CHECKED]
        ]
        constant = np.log(count) + width * np.log(bandwidth * np.sqrt(2 * np.pi))
        size = np.array(bandwidth)
        name = f"{count} rows, {asked} queries, {width} columns"
        made.append(
            Case(
                name,
                name,
                inputs={"x": x, "q": q, "bandwidth": size},
                # enough for the ways that many rows and queries take
                warmup={"x": x[:4000], "q": q[:500], "bandwidth": size},
                truth={"log_prob": np.array(exact) - constant},
            )
        )
    return made


def mixture_cases(*, quick: bool) -> list[Case]:
    """Make rows to fit, and the means to start from."""
    sets: dict[str, tuple[NDArray[np.float64], int]] = {}
    for count, width, parts in ((100_000, 8, 16), (1_000_000, 2, 8), (20_000, 64, 32)):
        count = count // 50 if quick else count
        sets[f"{count} rows, {width} columns, {parts} components"] = (
            clouds(count, width, parts),
            parts,
        )
    count, parts = (3_000, 10) if quick else (60_000, 100)
    sets[f"{count} patches of 7×7, {parts} components"] = patches(count), parts
    made = []
    for name, (x, parts) in sets.items():
        picks = np.random.default_rng(1).choice(len(x), parts, replace=False)
        made.append(
            Case(
                name,
                name,
                inputs={"x": x, "means": x[picks]},
                warmup={"x": x[:: max(1, len(x) // 2000)], "means": x[picks[:2]]},
                truth={"x": x[:: max(1, len(x) // ROWS)]},
            )
        )
    return made


def score_kernel(case: Case, found: NDArray[Any]) -> Mapping[str, float]:
    """Compare log-densities with the exact ones, worst of the bulk and of the tails, in nats."""
    asked = len(case.inputs["q"])
    if found.ndim != 1 or not CHECKED <= len(found) <= asked:
        raise MethodFailed(f"gave {found.shape} for {asked} queries")
    with np.errstate(invalid="ignore"):
        error = np.abs(found[:CHECKED] - case.truth["log_prob"])
    return {
        "answered": len(found),
        "bulk": float(error[1::2].max()),
        "tail": float(error[::2].max()),
    }


def score_mixture(case: Case, found: NDArray[Any]) -> Mapping[str, float]:
    """Work the mean log-likelihood of a fitted mixture out, component by component."""
    count, width = case.inputs["means"].shape
    if found.shape != (count * (1 + width + width * width),):
        raise MethodFailed(f"gave {found.shape}, no mixture of {count}")
    means = found[count : count * (1 + width)].reshape(count, width)
    covariances = found[count * (1 + width) :].reshape(count, width, width)
    scores = np.empty((count, len(case.truth["x"])))
    for k in range(count):
        root = np.linalg.cholesky(covariances[k])
        white = np.linalg.solve(root, (case.truth["x"] - means[k]).T)
        size = np.log(np.diag(root)).sum() + width / 2 * np.log(2 * np.pi)
        scores[k] = np.log(max(found[k], 1e-300)) - 0.5 * np.square(white).sum(axis=0) - size
    return {"likelihood": float(logsumexp(scores, axis=0).mean())}


@click.command()
@common_options
def main(methods: str, runs: int, out: Path, quick: bool) -> None:
    """Evaluate kernel densities and fit mixtures, and tell what each cost and how right it is."""
    runs = 1 if quick else runs
    environments = Environments()
    cells: list[Cell] = []
    picked = {one.name for one in chosen(methods, [*kernel_methods(), *mixture_methods()])}
    for contestants, cases, score in (
        (kernel_methods(), kernel_cases, score_kernel),
        (mixture_methods(), mixture_cases, score_mixture),
    ):
        mine = [method for method in contestants if method.name in picked]
        cells += measure(
            mine,
            cases(quick=quick) if mine else (),
            runs=runs,
            runner=ChildRunner(environments.python_of),
            score=score,
            say=lambda line: print(line, file=sys.stderr),
            patience=PATIENCE,
        )
    out.mkdir(parents=True, exist_ok=True)
    command = command_line("density")
    write_json(out / "density.json", cells, runs=runs, command=command)
    (out / "density.md").write_text(_page(cells, runs, command))
    print(out / "density.md")


def _page(cells: list[Cell], runs: int, command: str) -> str:
    page = "# Densities, side by side\n\n" + preamble(cells, runs=runs, command=command)
    page += (
        f"\n{slow_note(PATIENCE)}\n"
        "Kernel densities: log-density at queries, every other one five times as far out. A slow "
        "method was asked the first queries only: `answered` says how many, and its seconds for "
        "all are **extrapolated** in proportion, its preparation with them. Errors in nats, "
        f"against log-sum-exp over every row, at the first {CHECKED} queries; inf where a density "
        "underflows to 0. Mixtures: "
        f"{ITERATIONS} iterations of expectation-maximisation with full covariances from the same "
        f"means and the data's covariance; nats a row are worked out here, on up to {ROWS} rows. "
        f"{RIDGE:g} is what scikit-learn and gmmx add to every variance, and the least variance "
        "that synth allows. `1t` and `2t` are threads; the others use one.\n"
    )
    for group in dict.fromkeys(cell.case.group for cell in cells):
        members = [cell for cell in cells if cell.case.group == group]
        kernels = "queries" in group
        page += f"\n## {'Kernels' if kernels else 'Mixtures'}: {group}\n\n"
        rows = mean_rows(members)
        if kernels:
            asked = len(members[0].case.inputs["q"])
            page += markdown_table(extrapolated(rows, asked), KERNEL_COLUMNS)
        else:
            page += markdown_table(rows, MIXTURE_COLUMNS)
    return page


def extrapolated(rows: Mapping[str, Row], asked: int) -> dict[str, Row]:
    """Add the seconds for all of the queries, in proportion to those that were answered."""
    made: dict[str, Row] = {}
    for name, row in rows.items():
        if isinstance(row, str):
            made[name] = row
            continue
        share = asked / row["answered"]
        made[name] = {**row, "all": row["wall"] * share, "cpu_all": row["cpu"] * share}
    return made


if __name__ == "__main__":
    main()
