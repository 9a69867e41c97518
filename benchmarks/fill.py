"""Fills side by side: ``python -m benchmarks.fill --methods synth,pypatchmatch --runs 3``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import holes
from benchmarks.environments import Environments
from benchmarks.harness import Case, Cell, ChildRunner, MethodFailed, measure
from benchmarks.options import chosen, command_line, common_options
from benchmarks.peers import fill_methods
from benchmarks.photographs import mosaic, photograph
from benchmarks.report import (
    Column,
    contact_sheet,
    markdown_table,
    mean_rows,
    preamble,
    slow_note,
    write_json,
)
from synth.compare import psnr, seam_ratio, sharpness_ratio, sliced_wasserstein, ssim

__all__ = ["COLUMNS", "PATIENCE", "TIMEOUT", "cases", "fill_case", "fill_rows", "score"]

#: Seconds of runs on one case after which a method has had its turn, and that one run may take.
PATIENCE, TIMEOUT = 3.0, 120.0
#: Other settings and elders of what is on the contact sheet, where it would be too wide.
_UNSHOWN = ("synth-draft", "pypatchmatch-r15", "patchmatch-cython-hq", "opencv-telea")
COLUMNS = (
    Column("cpu", "CPU s", ".2f", "low"),
    Column("psnr", "PSNR", ".1f", "high"),
    Column("ssim", "SSIM", ".2f", "high"),
    Column("swd", "SWD", ".1f", "low"),
    Column("sharp", "sharp", ".2f", "one"),
    Column("seam", "seam", ".2f", "one"),
    Column("peak_mb", "MB", ".0f", "low"),
)


def cases(*, quick: bool, big: bool) -> list[Case]:
    """Make the problems: three photographs with three holes each, and two megapixels."""
    side = 256 if quick else 512
    made = []
    for name in ("brick", "coffee", "astronaut"):
        truth = photograph(name, side)
        shapes = {
            "square": holes.square((side, side), 64 * side // 512),
            "strokes": holes.strokes((side, side)),
            "ellipse": holes.ellipse((side, side)),
        }
        made += [fill_case(f"{name} {hole}", hole, truth, mask) for hole, mask in shapes.items()]
    made.sort(key=lambda case: ("square", "strokes", "ellipse").index(case.group))
    if big:
        truth = mosaic()
        mask = holes.strokes((truth.shape[0], truth.shape[1]))
        made.append(fill_case("mosaic strokes", "2 MP strokes", truth, mask))
    return made


def score(case: Case, filled: NDArray[Any]) -> Mapping[str, float]:
    """Measure one fill over its hole.

    Raises
    ------
    MethodFailed
        If it is no image of the right shape and type.
    """
    truth, mask = case.truth["image"], case.inputs["mask"]
    if filled.shape != truth.shape or filled.dtype != truth.dtype:
        raise MethodFailed(f"gave {filled.shape} {filled.dtype} for {truth.shape} {truth.dtype}")
    touched = (filled != truth).any(axis=2) & ~mask
    return {
        "psnr": psnr(filled, truth, mask),
        "ssim": ssim(filled, truth, mask),
        "swd": sliced_wasserstein(filled, truth, mask=mask),
        "sharp": sharpness_ratio(filled, truth, mask),
        "seam": seam_ratio(filled, truth, mask),
        "touched": float(touched.sum()),
    }


@click.command()
@common_options
@click.option("--no-big", is_flag=True, help="Leave the two megapixels out.")
@click.option(
    "--pictures",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also write every image, mask, truth and fill as a PNG of its own into this folder.",
)
def main(
    methods: str, runs: int, out: Path, quick: bool, no_big: bool, pictures: Path | None
) -> None:
    """Fill the same holes by every method and tell what each cost and how good it is."""
    contestants = chosen(methods, fill_methods())
    runs = 1 if quick else runs
    runner = ChildRunner(Environments().python_of, timeout=TIMEOUT)
    cells = measure(
        contestants,
        cases(quick=quick, big=not (quick or no_big)),
        runs=runs,
        runner=runner,
        score=score,
        say=lambda line: print(line, file=sys.stderr),
        patience=PATIENCE,
    )
    out.mkdir(parents=True, exist_ok=True)
    command = command_line("fill")
    write_json(out / "fill.json", cells, runs=runs, command=command)
    (out / "fill.md").write_text(_page(cells, runs, command))
    contact_sheet(fill_rows(cells, without=_UNSHOWN), out / "fill.jpg")
    if pictures is not None:
        _write_pictures(cells, pictures)
    print(out / "fill.md")


def fill_case(name: str, group: str, truth: NDArray[np.uint8], mask: NDArray[np.bool_]) -> Case:
    """Cut a hole into a picture; a small hole in its corner is for warming up."""

    def cut(image: NDArray[np.uint8], hole: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
        return {"image": np.where(hole[..., None], np.uint8(0), image), "mask": hole}

    small = np.ascontiguousarray(truth[:96, :96])
    rows, columns = small.shape[:2]
    return Case(
        name,
        group,
        inputs=cut(truth, mask),
        warmup=cut(small, holes.square((rows, columns), min(rows, columns) // 6)),
        truth={"image": truth},
    )


def fill_rows(
    cells: Sequence[Cell], *, without: Sequence[str] = ()
) -> dict[str, dict[str, NDArray[np.uint8]]]:
    """Show each case around its hole: the hole, each method's first fill, then the truth."""
    rows: dict[str, dict[str, NDArray[np.uint8]]] = {}
    margin = 32
    for case in {id(cell.case): cell.case for cell in cells}.values():
        mask = case.inputs["mask"]
        ys, xs = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        box = (
            slice(max(0, int(ys[0]) - margin), int(ys[-1]) + margin),
            slice(max(0, int(xs[0]) - margin), int(xs[-1]) + margin),
        )
        row = rows[case.name] = {"hole": case.inputs["image"][box]}
        for cell in cells:
            if cell.case is case and cell.picture is not None and cell.failed is None:
                row[cell.method.name] = cell.picture[box]
        names = {"image": "truth"}
        row.update((names.get(kind, kind), image[box]) for kind, image in case.truth.items())
        for name in without:
            row.pop(name, None)
    return rows


def _page(cells: list[Cell], runs: int, command: str) -> str:
    groups = {group: [c for c in cells if c.case.group == group] for group in _groups(cells)}
    page = "# Content-aware fill, side by side\n\n" + preamble(cells, runs=runs, command=command)
    page += (
        "\nOne thread. PSNR, SSIM and SWD (sliced Wasserstein distance of 7×7 patches, grey "
        "levels) are over the hole alone and reward blur in wide holes; sharp and seam are mean "
        "gradient inside and mean step across the border over the truth's, 1 being right. "
        "`synth.compare.metrics` defines them. " + slow_note(PATIENCE)
    )
    for group, members in groups.items():
        page += (
            f"\n## {group}: mean over the photographs\n\n"
            if _several(members)
            else (f"\n## {group}\n\n")
        )
        page += markdown_table(mean_rows(members), COLUMNS)
    page += "\n# Photograph by photograph\n"
    for members in groups.values():
        for case in dict.fromkeys(cell.case.name for cell in members if _several(members)):
            one = [cell for cell in members if cell.case.name == case]
            page += f"\n## {case}\n\n" + markdown_table(mean_rows(one), COLUMNS)
    strays = {c.method.name for c in cells if c.medians.get("touched")}
    if strays:
        page += f"\nChanged pixels outside the hole: {', '.join(sorted(strays))}.\n"
    return page


def _groups(cells: list[Cell]) -> list[str]:
    return list(dict.fromkeys(cell.case.group for cell in cells))


def _several(cells: list[Cell]) -> bool:
    return len({cell.case.name for cell in cells}) > 1


def _write_pictures(cells: list[Cell], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for cell in cells:
        stem = cell.case.name.replace(" ", "-")
        inputs = {"hole": cell.case.inputs["image"], "truth": cell.case.truth["image"]}
        for kind, image in inputs.items():
            Image.fromarray(image).save(folder / f"{stem}.{kind}.png")
        mask = cell.case.inputs["mask"].astype(np.uint8) * 255
        Image.fromarray(mask).save(folder / f"{stem}.mask.png")
        if cell.picture is not None and cell.failed is None:
            Image.fromarray(cell.picture).save(folder / f"{stem}.{cell.method.name}.png")


if __name__ == "__main__":
    main()
