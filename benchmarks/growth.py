"""Efros & Leung's algorithm, exact, side by side: ``python -m benchmarks.growth --runs 4``."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from synth.kernels.cpu.philox import philox4x32

import synth
from benchmarks.environments import Environments
from benchmarks.growth_peers import grow_synth, growth_methods, order_methods
from benchmarks.harness import Case, Cell, ChildRunner, MethodFailed, measure
from benchmarks.options import chosen, command_line, common_options
from benchmarks.photographs import photograph
from benchmarks.report import Column, markdown_table, preamble, write_json
from synth.randomness import key_of

__all__ = ["growth_case", "score", "uniform_numbers"]

TEXTURES = ("brick", "grass", "gravel")
COLOURED = "immunohistochemistry"
#: Side of the exemplar and of the window.
SIZES = ((64, 11), (64, 23), (128, 11), (128, 23))
ORDERS = ("raster", "onion", "multiscale")
#: The last counter word of what `synth.EfrosLeung.sample` draws.
_DRAW = 48
SPEED_COLUMNS = (
    Column("median", "µs, median", ".0f", "low"),
    Column("most", "µs, most", ".0f", "low"),
    Column("equal", "pixels as synth's", ".0%", "high"),
)


def uniform_numbers(shape: tuple[int, int], seed: int) -> NDArray[np.float64]:
    """Work out what `synth.EfrosLeung.sample` draws at each pixel, in [0, 1)."""
    key = key_of(seed)
    drawn = np.empty(shape[0] * shape[1])
    for place in range(len(drawn)):
        high, low, _, _ = philox4x32(place, 0, 0, _DRAW, *key)
        drawn[place] = ((int(high) << 32 | int(low)) >> 11) * 2.0**-53
    return drawn.reshape(shape)


def growth_case(
    name: str,
    group: str,
    exemplar: NDArray[np.uint8],
    side: int,
    window: int,
    seed: int,
    order: str = "onion",
) -> Case:
    """Fix everything that chance settles: the first 3×3 pixels, the order, a number a pixel."""

    def inputs(side: int, window: int, exemplar: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        known = np.zeros((side, side), np.bool_)
        first = np.zeros((side, side, *exemplar.shape[2:]), np.uint8)
        if order == "onion":
            middle = slice(side // 2 - 1, side // 2 + 2)
            known[middle, middle] = True
            rng = np.random.default_rng(seed)
            y, x = (rng.integers(0, length - 2) for length in exemplar.shape[:2])
            first[middle, middle] = exemplar[y : y + 3, x : x + 3]
        graph = synth.DependencyGraph.of(order, (side, side), window, known=known, seed=seed)  # type: ignore[arg-type]
        return {
            "exemplar": exemplar,
            "first": first,
            "rank": graph.rank,
            "draws": uniform_numbers((side, side), seed),
            "drawn": np.array(seed),
            "window": np.array(window),
        }

    warmup = inputs(12, 5, np.ascontiguousarray(exemplar[:24, :24]))
    return Case(name, group, inputs(side, window, exemplar), warmup, {})


def score(case: Case, grown: NDArray[Any]) -> Mapping[str, float]:
    """Count the pixels grown, and those that are as in ``truth``, if that is known.

    Raises
    ------
    MethodFailed
        If it is no image of the right shape and type.
    """
    first = case.inputs["first"]
    if grown.shape != first.shape or grown.dtype != first.dtype:
        raise MethodFailed(f"gave {grown.shape} {grown.dtype} for {first.shape} {first.dtype}")
    unknown = case.inputs["rank"] >= 0
    found = {"pixels": float(unknown.sum())}
    if "image" in case.truth:
        found["equal"] = float((grown == case.truth["image"])[unknown].mean())
    return found


def speed_rows(cells: Sequence[Cell]) -> dict[str, dict[str, float] | str]:
    """Give CPU microseconds a pixel, median and most over textures and seeds, by method."""
    rows: dict[str, dict[str, float] | str] = {}
    for name in dict.fromkeys(cell.method.name for cell in cells):
        mine = [cell for cell in cells if cell.method.name == name]
        lost = next((cell.failed for cell in mine if cell.failed), None)
        if lost:
            rows[name] = f"failed: {lost}"
            continue
        runs = [run for cell in mine for run in cell.runs]
        each = [run["cpu"] / run["pixels"] * 1e6 for run in runs]
        equal = [run["equal"] for run in runs if "equal" in run]
        rows[name] = {
            "median": statistics.median(each),
            "most": max(each),
            "equal": float(np.mean(equal)) if equal else float("nan"),
        }
    return rows


@click.command()
@common_options
def main(methods: str, runs: int, out: Path, quick: bool) -> None:
    """Grow the same textures by the same algorithm and tell what a pixel costs."""
    runs = 1 if quick else runs
    runner = ChildRunner(Environments().python_of)

    def grown(contestants: Any, problems: list[Case], times: int = 1) -> list[Cell]:
        return measure(
            contestants, problems, runs=times, runner=runner, score=score,
            say=lambda line: print(line, file=sys.stderr),
        )  # fmt: skip

    every = chosen(methods, growth_methods())
    only_synth = [method for method in every if method.name == "synth"]
    side = 16 if quick else 64
    cells: list[Cell] = []
    for exemplar, window in SIZES[:1] if quick else SIZES:
        for name in TEXTURES[:1] if quick else TEXTURES:
            picture = _grey(name)[:exemplar, :exemplar].copy()
            group = f"{exemplar} / {window}"
            for seed in range(runs):
                one = growth_case(f"{name}, seed {seed}", group, picture, side, window, seed)
                if seed or name != TEXTURES[0]:
                    cells += grown(only_synth, [one])
                    continue
                # the slow ones take minutes, and as long for any texture
                truth = {"image": grow_synth(**one.inputs, seed=0)}
                cells += grown(every, [Case(one.name, group, one.inputs, one.warmup, truth)])
    for exemplar in (64, 128):
        picture = photograph(COLOURED)[:exemplar, :exemplar].copy()
        mean = np.rint(picture.mean(axis=2)).astype(np.uint8)
        for seed in range(runs):
            for kind, image in (("RGB", picture), ("grey", mean)):
                name, group = f"{kind} {exemplar}, seed {seed}", "colour"
                cells += grown(only_synth, [growth_case(name, group, image, side, 11, seed)])
    for name in TEXTURES[:1] if quick else TEXTURES:
        picture = _grey(name)[:128, :128].copy()
        for order in ORDERS:
            one = growth_case(f"{name}, {order}", "orders", picture, 4 * side, 11, 0, order)
            cells += grown(order_methods() if only_synth else [], [one], min(runs, 3))
    out.mkdir(parents=True, exist_ok=True)
    command = command_line("growth")
    write_json(out / "growth.json", cells, runs=runs, command=command)
    (out / "growth.md").write_text(_page(cells, runs, command))
    print(out / "growth.md")


def _grey(name: str) -> NDArray[np.uint8]:
    return np.ascontiguousarray(photograph(name)[..., 0])


def _page(cells: Sequence[Cell], runs: int, command: str) -> str:
    page = "# Efros & Leung, exact, side by side\n\n"
    page += preamble(cells, runs=runs, command=command)
    page += (
        "\nCPU microseconds an output pixel, fit included, ε 0.1, onion order, 64×64 outputs of "
        "grey brick, grass and gravel, one thread, 8 bits; every method gets the same known "
        f"pixels, order and random numbers. synth grows each texture {runs} times, the others "
        "brick once. Where one tie is broken otherwise, in float32, most pixels "
        "after it differ.\n"
    )
    for group in dict.fromkeys(c.case.group for c in cells if "/" in c.case.group):
        page += f"\n## Exemplar / window: {group}\n\n"
        page += markdown_table(
            speed_rows([c for c in cells if c.case.group == group]), SPEED_COLUMNS
        )
    page += "\n## Colour\n\n" + _colour(cells)
    page += "\n## Two threads\n\n" + _threads(cells)
    return page


def _colour(cells: Sequence[Cell]) -> str:
    own = {c.case.name: c.medians["cpu"] for c in cells if c.case.group == "colour" and c.medians}
    lines = ["| exemplar | RGB over grey, median of the seeds |", "|---|---|"]
    for exemplar in (64, 128):
        seeds = range(sum(name.startswith(f"RGB {exemplar},") for name in own))
        ratios = [
            own[f"RGB {exemplar}, seed {s}"] / own[f"grey {exemplar}, seed {s}"] for s in seeds
        ]
        if ratios:
            lines.append(f"| {exemplar} / 11 | {statistics.median(ratios):.2f} |")
    return "\n".join(lines) + "\n"


def _threads(cells: Sequence[Cell]) -> str:
    """Compare the quickest runs: a machine that does other things makes runs slower only."""
    lines = [
        "Outputs of 256×256 (exemplar 128, window 11): the quickest of the runs.",
        "",
        "| texture, order | one thread, s | two threads, s | ratio | CPU s, two over one |",
        "|---|---|---|---|---|",
    ]
    own = {
        (cell.case.name, cell.method.threads): cell.runs
        for cell in cells
        if cell.case.group == "orders" and cell.runs
    }
    for name in dict.fromkeys(name for name, _ in own):
        one, two = (
            {key: min(run[key] for run in own[name, threads]) for key in ("wall", "cpu")}
            for threads in (1, 2)
        )
        lines.append(
            f"| {name} | {one['wall']:.2f} | {two['wall']:.2f} | {one['wall'] / two['wall']:.2f} "
            f"| {two['cpu'] / one['cpu']:.2f} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
