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

from benchmarks.density_peers import ITERATIONS, RIDGE, kernel_methods, mixture_methods
from benchmarks.environments import Environments
from benchmarks.harness import Case, Cell, ChildRunner, MethodFailed, measure
from benchmarks.options import chosen, command_line, common_options
from benchmarks.photographs import photograph
from benchmarks.report import Column, markdown_table, mean_rows, preamble, write_json

#: Queries whose exact answer is worked out, half of them in the tails.
CHECKED = 200
#: Rows on which a mixture's likelihood is worked out.
ROWS = 2000
KERNEL_COLUMNS = (
    Column("wall", "s", ".3f", "low"),
    Column("cpu", "CPU s", ".3f", "low"),
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


def clouds(count: int, width: int, parts: int, seed: int = 0) -> NDArray[np.float64]:
    """Draw rows from skewed clouds, and whiten them: their covariance is 1."""
    rng = np.random.default_rng(seed)
    turn = rng.normal(size=(parts, width, width)) / np.sqrt(width) + 0.5 * np.eye(width)
    owner = rng.integers(0, parts, count)
    rows = rng.normal(size=(count, width))
    for part in range(parts):
        own = owner == part
        rows[own] = rows[own] @ turn[part] + rng.normal(size=width) * 2
    rows -= rows.mean(axis=0)
    root = np.linalg.cholesky(np.atleast_2d(np.cov(rows.T)))
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
        (100_000, 10_000, 1, 0.05),
        (100_000, 10_000, 2, 0.1),
        (20_000, 5_000, 8, 0.3),
        (10_000, 1_000, 64, 0.5),
    ):
        count, asked = (count // 50, asked // 10) if quick else (count, asked)
        x, q = clouds(count, width, 8), clouds(asked, width, 8, seed=1)
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
                warmup={"x": x[:200], "q": q[:50], "bandwidth": size},
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
    if found.shape != case.inputs["q"].shape[:1]:
        raise MethodFailed(f"gave {found.shape} for {len(case.inputs['q'])} queries")
    with np.errstate(invalid="ignore"):
        error = np.abs(found[:CHECKED] - case.truth["log_prob"])
    return {"bulk": float(error[1::2].max()), "tail": float(error[::2].max())}


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
    for contestants, cases, score in (
        (kernel_methods(), kernel_cases(quick=quick), score_kernel),
        (mixture_methods(), mixture_cases(quick=quick), score_mixture),
    ):
        cells += measure(
            chosen(methods, contestants),
            cases,
            runs=runs,
            runner=ChildRunner(environments.python_of),
            score=score,
            say=lambda line: print(line, file=sys.stderr),
        )
    out.mkdir(parents=True, exist_ok=True)
    command = command_line("density")
    write_json(out / "density.json", cells, runs=runs, command=command)
    (out / "density.md").write_text(_page(cells, runs, command))
    print(out / "density.md")


def _page(cells: list[Cell], runs: int, command: str) -> str:
    page = "# Densities, side by side\n\n" + preamble(cells, runs=runs, command=command)
    page += (
        "\nKernel densities: log-density at queries, every other one five times as far out; "
        f"errors in nats, against log-sum-exp over every row, at the first {CHECKED}. Mixtures: "
        f"{ITERATIONS} iterations of expectation-maximisation with full covariances from the same "
        f"means and the data's covariance; nats a row are worked out here, on up to {ROWS} rows. "
        f"{RIDGE:g} is what scikit-learn adds to every variance, and the least variance that "
        "synth allows. `1t` and `2t` are threads; SciPy and scikit-learn's trees use one.\n"
    )
    for group in dict.fromkeys(cell.case.group for cell in cells):
        members = [cell for cell in cells if cell.case.group == group]
        kernels = "queries" in group
        columns = KERNEL_COLUMNS if kernels else MIXTURE_COLUMNS
        page += f"\n## {'Kernels' if kernels else 'Mixtures'}: {group}\n\n"
        page += markdown_table(mean_rows(members), columns)
    return page


if __name__ == "__main__":
    main()
