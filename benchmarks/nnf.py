"""Nearest-neighbour fields side by side: ``python -m benchmarks.nnf --runs 3``."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.environments import Environments
from benchmarks.harness import Case, Cell, ChildRunner, Method, MethodFailed, measure
from benchmarks.options import chosen, command_line, common_options
from benchmarks.peers import nnf_methods
from benchmarks.photographs import photograph
from benchmarks.report import Column, Row, markdown_table, mean_rows, preamble, write_json

PATCH = 7
COLUMNS = (
    Column("wall", "s", ".2f", "low"),
    Column("cpu", "CPU s", ".2f", "low"),
    Column("error", "×exact", ".3f", "low"),
    Column("peak_mb", "MB", ".0f", "low"),
)
START_COLUMNS = (
    Column("cold", "first ever, s", ".1f", "low"),
    Column("warm", "after that, s", ".1f", "low"),
)


def cases(*, quick: bool) -> list[Case]:
    """Make the two pairs, and the exact answer to 20 000 queries of each."""
    side, count = (128, 2_000) if quick else (512, 20_000)
    pairs = {
        "astronaut → coffee": ("astronaut", "coffee"),
        "motorcycle left → right": ("motorcycle", "motorcycle-right"),
    }
    made = []
    for name, (one, other) in pairs.items():
        target, source = photograph(one, side), photograph(other, side)
        queries, nearest = exact_distances(target, source, count)
        small = {"target": target[:48, :48].copy(), "source": source[:48, :48].copy()}
        made.append(
            Case(
                name,
                name,
                inputs={"target": target, "source": source},
                warmup=small,
                truth={"queries": queries, "distances": nearest},
            )
        )
    return made


def exact_distances(
    target: NDArray[np.uint8], source: NDArray[np.uint8], count: int, cache: Path | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find by brute force the distance to the nearest source patch of ``count`` random queries.

    All pairs are ranked by a float32 matrix product of centred patches, and the winner's sum of
    squared differences is taken again in integers: a tie broken by rounding costs at most a few
    units of tens of thousands.

    Returns
    -------
    queries : (count,) int64
        Flat indices of the target's patches, without repeats.
    distances : (count,) int64
    """
    folder = cache or Path(__file__).resolve().parent / ".cache"
    key = hashlib.sha256(target.tobytes() + source.tobytes() + bytes([PATCH]))
    kept = folder / f"exact-{count}-{key.hexdigest()[:16]}.npz"
    if kept.exists():
        with np.load(kept) as file:
            return file["queries"], file["distances"]
    wanted, base = _windows(target), _windows(source)
    total = wanted.shape[0] * wanted.shape[1]
    queries = np.sort(np.random.default_rng(0).choice(total, min(count, total), replace=False))
    points = wanted[queries // wanted.shape[1], queries % wanted.shape[1]]
    points = points.reshape(len(queries), -1).astype(np.int64)
    centred = (points - 128).astype(np.float32)
    best = np.full(len(queries), np.inf, np.float32)
    winner = np.zeros((len(queries), points.shape[1]), np.int64)
    for row in base:  # a row of patches at a time keeps the matrix at 40 MB
        patches = row.reshape(row.shape[0], -1)
        there = patches.astype(np.float32) - 128
        scores = np.einsum("nd,nd->n", there, there) - 2 * centred @ there.T
        at = scores.argmin(axis=1)
        nearest = scores[np.arange(len(at)), at]
        better = nearest < best
        best[better] = nearest[better]
        winner[better] = patches[at[better]]
    distances = np.square(points - winner).sum(axis=1)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(kept, queries=queries, distances=distances)
    return queries, distances


def score(case: Case, positions: NDArray[Any]) -> Mapping[str, float]:
    """Divide the field's mean squared distance by the exact one, both taken here.

    Raises
    ------
    MethodFailed
        If the field has another shape or points outside the source.
    """
    wanted, base = (_windows(case.inputs[key]) for key in ("target", "source"))
    if positions.shape != (*wanted.shape[:2], 2):
        raise MethodFailed(f"gave positions {positions.shape} for {wanted.shape[:2]} patches")
    if (positions < 0).any() or (positions >= base.shape[:2]).any():
        raise MethodFailed("points at patches outside the source")
    queries = case.truth["queries"]
    row, column = queries // wanted.shape[1], queries % wanted.shape[1]
    there = positions[row, column]
    apart = wanted[row, column].astype(np.int64) - base[there[:, 0], there[:, 1]]
    return {"error": float(np.square(apart).sum() / case.truth["distances"].sum())}


@click.command()
@common_options
def main(methods: str, runs: int, out: Path, quick: bool) -> None:
    """Match the same pairs by every method and tell what each cost and how exact it is."""
    contestants = chosen(methods, nnf_methods())
    runs = 1 if quick else runs
    problems = cases(quick=quick)
    environments = Environments()
    cells = measure(
        contestants,
        problems,
        runs=runs,
        runner=ChildRunner(environments.python_of),
        score=score,
        say=lambda line: print(line, file=sys.stderr),
    )
    starts = _starts(contestants, problems[0], cells, environments)
    out.mkdir(parents=True, exist_ok=True)
    command = command_line("nnf")
    write_json(out / "nnf.json", cells, runs=runs, command=command)
    (out / "nnf.md").write_text(_page(cells, starts, runs, command))
    print(out / "nnf.md")


def _starts(
    methods: Sequence[Method], case: Case, cells: Sequence[Cell], environments: Environments
) -> dict[str, Row]:
    """Time imports and a first small call, with an empty cache of kernels and with a full one."""
    found: dict[str, Row] = {}
    for method in methods:
        warm = [cell.medians["start"] for cell in cells if cell.method == method and cell.medians]
        if not (method.compiles and warm):
            continue
        with tempfile.TemporaryDirectory(prefix="synth-bench-") as empty:
            cold = ChildRunner(environments.python_of, environment={"NUMBA_CACHE_DIR": empty})
            try:
                found[method.name] = {"cold": cold(method, case, 0).start, "warm": min(warm)}
            except MethodFailed as reason:
                found[method.name] = f"failed: {reason}"
    return found


def _page(cells: Sequence[Cell], starts: Mapping[str, Row], runs: int, command: str) -> str:
    page = "# Nearest-neighbour fields, side by side\n\n"
    page += preamble(cells, runs=runs, command=command)
    page += (
        f"\nPhotographs of scikit-image at one size, {PATCH}×{PATCH} patches, RGB; whatever had "
        "another size was resized (`benchmarks/photographs.py`). ×exact is the mean squared patch "
        "distance over the exact neighbours', on queries drawn once; `1t` and `2t` are threads. "
        "PyPatchMatch and patchmatch-cython keep their fields inside a fill and cannot be asked; "
        "FAISS is a general index, put to this use here.\n"
    )
    for group in dict.fromkeys(cell.case.group for cell in cells):
        members = [cell for cell in cells if cell.case.group == group]
        exact = float(members[0].case.truth["distances"].mean())
        page += f"\n## {group}: exact mean distance {exact:.0f}\n\n"
        page += markdown_table(mean_rows(members), COLUMNS)
    if starts:
        page += "\n## From nothing to a first small field: imports and compilation\n\n"
        page += markdown_table(starts, START_COLUMNS)
    return page


def _windows(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.lib.stride_tricks.sliding_window_view(image, (PATCH, PATCH), axis=(0, 1))


if __name__ == "__main__":
    main()
