"""Fills where the layout decides: ``python -m benchmarks.structure --folder PICTURES``.

Walls and floors in perspective and a lawn, with known truth; and photographs with the masks of
what is to leave them, where nobody knows what was behind it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import holes, scenes
from benchmarks.environments import Environments
from benchmarks.fill import COLUMNS, PATIENCE, TIMEOUT, fill_case, fill_rows, score
from benchmarks.harness import Case, Cell, ChildRunner, MethodFailed, measure
from benchmarks.options import chosen, command_line, common_options
from benchmarks.peers import structure_methods
from benchmarks.photographs import photograph
from benchmarks.report import (
    Column,
    contact_sheet,
    markdown_table,
    mean_rows,
    preamble,
    slow_note,
    write_json,
)

__all__ = ["beside", "cases", "photographs", "score_alone"]

PLANES, LAWN, MASKED = "planes", "grass", "photographs"
MASKED_COLUMNS = (
    Column("cpu", "CPU s", ".2f", "low"),
    Column("sharp", "sharp", ".2f", "one"),
    Column("seam", "seam", ".2f", "one"),
    Column("peak_mb", "MB", ".0f", "low"),
)
#: How far round a hole its surroundings reach, in pixels.
_RING = 16


def cases(*, quick: bool) -> list[Case]:
    """Make the problems with known truth: an ellipse of 20 % in each picture."""
    side = 192 if quick else 512
    pictures = {**scenes.walls(side), "tile floor": scenes.floor(side)}
    hole = holes.ellipse((side, side))
    made = [fill_case(name, PLANES, truth, hole) for name, truth in pictures.items()]
    return [*made, fill_case("grass", LAWN, photograph("grass", side), hole)]


def photographs(folder: Path | None, *, quick: bool) -> list[Case]:
    """Load a folder's photographs that have a mask: ``NAME.png`` or .jpg, ``NAME_mask….png``.

    White in a mask is the hole. ``quick`` takes the first two, at half their size.
    """
    made: list[Case] = []
    for path in sorted(folder.iterdir()) if folder else ():
        masks = sorted(path.parent.glob(f"{path.stem}_mask*.png"))
        if path.suffix.lower() not in (".png", ".jpg") or not masks:
            continue
        step = 2 if quick else 1
        image = np.array(Image.open(path).convert("RGB"))[::step, ::step].copy()
        hole = (np.array(Image.open(masks[0]).convert("L")) > 127)[::step, ::step].copy()
        if image.shape[:2] != hole.shape:
            raise click.UsageError(
                f"{masks[0].name} is {hole.shape[0]}×{hole.shape[1]}, but {path.name} is "
                f"{image.shape[0]}×{image.shape[1]}; a mask must be as large as its photograph"
            )
        case = fill_case(path.stem.removeprefix("inp_"), MASKED, image, hole)
        # what the mask hides is no truth: it is what is to go
        made.append(Case(case.name, MASKED, case.inputs, case.warmup, {"before": image}))
    return made[:2] if quick else made


def beside(filled: NDArray[Any], mask: NDArray[np.bool_]) -> dict[str, float]:
    """Measure gradients and border steps relative to the hole's surroundings.

    Without a truth, the mean absolute difference of neighbours in the ring of 16 pixels round the
    hole stands for what both should be; where a hole's content is calmer or busier than its
    surroundings, 1 is not right.
    """
    import cv2

    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _RING + 1, 2 * _RING + 1))
    ring = (cv2.dilate(mask.astype(np.uint8), disc) > 0) & ~mask
    values = filled.astype(np.float64)
    steps = [np.abs(np.diff(values, axis=axis)).mean(axis=2) for axis in (0, 1)]

    def mean(pairs: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> float:
        chosen = np.concatenate([step[pair] for step, pair in zip(steps, pairs, strict=True)])
        return float(chosen.mean()) if chosen.size else float("nan")

    usual = mean((ring[1:] & ring[:-1], ring[:, 1:] & ring[:, :-1]))
    inside = mean((mask[1:] & mask[:-1], mask[:, 1:] & mask[:, :-1]))
    across = mean((mask[1:] ^ mask[:-1], mask[:, 1:] ^ mask[:, :-1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        return {"sharp": float(np.divide(inside, usual)), "seam": float(np.divide(across, usual))}


def score_alone(case: Case, filled: NDArray[Any]) -> Mapping[str, float]:
    """Measure one fill of a photograph whose hole has no known truth."""
    before, mask = case.truth["before"], case.inputs["mask"]
    if filled.shape != before.shape or filled.dtype != before.dtype:
        raise MethodFailed(f"gave {filled.shape} {filled.dtype} for {before.shape} {before.dtype}")
    touched = (filled != before).any(axis=2) & ~mask
    return {**beside(filled, mask), "touched": float(touched.sum())}


@click.command()
@common_options
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="More pictures: its NAME.png or .jpg that have a NAME_mask*.png, white in the hole.",
)
@click.option(
    "--share",
    default="",
    help="Names of the folder's photographs that anyone may see, by commas: their sheet is put "
    "beside the tables.",
)
@click.option(
    "--pictures",
    "shown",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also write the contact sheet of all of the folder's photographs into this folder.",
)
def main(
    methods: str,
    runs: int,
    out: Path,
    quick: bool,
    folder: Path | None,
    share: str,
    shown: Path | None,
) -> None:
    """Fill walls, floors, grass and a folder's photographs by every method."""
    runs = 1 if quick else runs
    runner = ChildRunner(Environments().python_of, timeout=TIMEOUT)
    contestants = chosen(methods, structure_methods())
    # without planes is another method only where there are some
    plain = [method for method in contestants if method.options.get("planes", "auto")]
    known, masked = cases(quick=quick), photographs(folder, quick=quick)
    shared = _named(share, masked)
    cells: list[Cell] = []
    for some, problems, how in (
        (contestants, [case for case in known if case.group == PLANES], score),
        (plain, [case for case in known if case.group != PLANES], score),
        (plain, masked, score_alone),
    ):
        cells += measure(
            some,
            problems,
            runs=runs,
            runner=runner,
            score=how,
            say=lambda line: print(line, file=sys.stderr),
            patience=PATIENCE,
        )
    out.mkdir(parents=True, exist_ok=True)
    command = command_line("structure")
    write_json(out / "structure.json", cells, runs=runs, command=command)
    (out / "structure.md").write_text(_page(cells, runs, command))
    with_truth = [cell for cell in cells if cell.case.group != MASKED]
    without = [cell for cell in cells if cell.case.group == MASKED]
    sheets = {out / "structure.jpg": with_truth}
    sheets[out / "photographs.jpg"] = [c for c in without if c.case.name in shared]
    if shown is not None:
        shown.mkdir(parents=True, exist_ok=True)
        sheets[shown / "photographs.jpg"] = without
    for path, some_cells in sheets.items():
        if some_cells:
            contact_sheet(fill_rows(some_cells), path)
    print(out / "structure.md")


def _named(share: str, masked: Sequence[Case]) -> set[str]:
    names = {word.strip() for word in share.split(",") if word.strip()}
    known = {case.name for case in masked}
    if names - known:
        raise click.UsageError(
            f"no photograph with a mask is called {min(names - known)!r}; there are "
            f"{', '.join(sorted(known)) or 'none'}"
        )
    return names


def _page(cells: Sequence[Cell], runs: int, command: str) -> str:
    page = "# Fills where the layout decides\n\n" + preamble(cells, runs=runs, command=command)
    page += (
        "\nOne thread. Ellipses of 20 % in pictures of 512×512, scored as in `fill.md`: PSNR, "
        "SSIM and SWD over the hole, sharp and seam relative to the truth. scikit-image's brick "
        "wall is seen from the front and in three perspectives, the floor is laid with tiles "
        "of its gravel. In photographs with a mask nobody knows what was behind it: sharp and "
        f"seam are relative to the ring of {_RING} pixels round the hole, and only a look tells. "
        + slow_note(PATIENCE)
    )
    titles = {PLANES: "Planes: mean over four walls and a floor", LAWN: "Grass",
              MASKED: "Photographs with masks: mean"}  # fmt: skip
    for group, title in titles.items():
        members = [cell for cell in cells if cell.case.group == group]
        if members:
            page += f"\n## {title}\n\n" + _table(members)
    page += "\n# Picture by picture\n"
    for name in dict.fromkeys(cell.case.name for cell in cells if cell.case.group != LAWN):
        page += f"\n## {name}\n\n" + _table([cell for cell in cells if cell.case.name == name])
    strays = {c.method.name for c in cells if c.medians.get("touched")}
    if strays:
        page += f"\nChanged pixels outside the hole: {', '.join(sorted(strays))}.\n"
    return page


def _table(members: Sequence[Cell]) -> str:
    masked = members[0].case.group == MASKED
    return markdown_table(mean_rows(members), MASKED_COLUMNS if masked else COLUMNS)


if __name__ == "__main__":
    main()
