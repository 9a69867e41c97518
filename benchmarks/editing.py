"""Resizing, moving and rearranging side by side: ``python -m benchmarks.editing --runs 3``."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import draw

from benchmarks.editing_measures import bidirectional, border_ratio, lines_kept, object_change
from benchmarks.editing_peers import move_methods, reshuffle_methods, retarget_methods
from benchmarks.environments import Environments
from benchmarks.harness import Case, Cell, ChildRunner, Method, MethodFailed, measure
from benchmarks.options import chosen, command_line, common_options
from benchmarks.photographs import original
from benchmarks.report import (
    Column,
    Row,
    contact_sheet,
    markdown_table,
    mean_rows,
    preamble,
    slow_note,
    write_json,
)
from benchmarks.structure import beside

__all__ = ["move_cases", "retarget_cases", "score_move", "score_reshuffle", "score_retarget"]

PATIENCE = 10.0
NARROWER, WIDER, MOVE, RESHUFFLE = "narrower", "wider", "move", "reshuffle"
_SIMILARITY = (
    Column("complete1", "complete", ".2f", "low"),
    Column("complete2", "at half size", ".2f", "low"),
    Column("coherent1", "coherent", ".2f", "low"),
    Column("coherent2", "at half size", ".2f", "low"),
)
COLUMNS = {
    NARROWER: (
        Column("cpu", "CPU s", ".2f", "low"),
        *_SIMILARITY,
        Column("object", "object", ".1f", "low"),
        Column("lines", "lines", ".0%", "high"),
        Column("peak_mb", "MB", ".0f", "low"),
    ),
    MOVE: (
        Column("cpu", "CPU s", ".2f", "low"),
        Column("object", "object", ".1f", "low"),
        Column("border", "border", ".2f", "one"),
        Column("sharp", "sharp", ".2f", "one"),
        Column("seam", "seam", ".2f", "one"),
        Column("peak_mb", "MB", ".0f", "low"),
    ),
    RESHUFFLE: (
        Column("cpu", "CPU s", ".2f", "low"),
        *_SIMILARITY,
        Column("peak_mb", "MB", ".0f", "low"),
    ),
}
COLUMNS[WIDER] = COLUMNS[NARROWER]
#: Edges of the towers in the rocket's photograph, ends as (row, column).
_TOWERS = (
    ((0, 42), (426, 2)), ((0, 88), (426, 75)), ((220, 185), (380, 168)), ((220, 201), (380, 202)),
    ((190, 445), (426, 440)), ((190, 453), (426, 480)), ((0, 558), (426, 578)),
)  # fmt: skip


def retarget_cases(folder: Path | None, *, quick: bool) -> list[Case]:
    """Make the resizes: four photographs narrower, one wider, and a folder's narrower."""
    rocket = _polygon("rocket", [(112, 300), (112, 348), (426, 372), (426, 278)])
    head = _ellipse("astronaut", (130, 205), (130, 86))
    face = _ellipse("chelsea", (150, 240), (100, 115))
    made = [
        _retarget("rocket", 2 / 3, rocket, _TOWERS),
        _retarget("astronaut", 2 / 3, head, ()),
        _retarget("chelsea", 2 / 3, face, ()),
        _retarget("coffee", 3 / 4, None, ()),  # the saucer is wider than what is left
        _retarget("rocket", 4 / 3, rocket, _TOWERS),
    ]
    for path in sorted(folder.iterdir()) if folder else ():
        if path.stem.startswith("photo_") and "mask" not in path.stem:
            image = np.array(Image.open(path).convert("RGB"))
            made.append(_case_of(path.stem.removeprefix("photo_"), image, 2 / 3, None, ()))
    return [_halved(case) for case in made[1:5:3]] if quick else made


def move_cases(group: str, *, quick: bool) -> list[Case]:
    """Make the moves: a cup, a rocket and a badge; to rearrange, the rocket onto a mast."""
    cup = _ellipse("coffee", (202, 279), (192, 206)) | _ellipse("coffee", (240, 262), (180, 205))
    rocket = _polygon("rocket", [(115, 290), (115, 360), (426, 395), (426, 260)])
    badge = _ellipse("astronaut", (385, 170), (42, 42))
    things = {
        "cup to the right": ("coffee", cup, (0, 105)),
        "rocket onto a mast": ("rocket", rocket, (0, -110)),
        "badge to the shoulder": ("astronaut", badge, (-85, -40)),
    }
    if quick:
        things = {"rocket onto a mast": things["rocket onto a mast"]}
    elif group == RESHUFFLE:
        del things["cup to the right"]  # it fills the picture: there is no room to rearrange
    made = []
    for name, (picture, mask, offset) in things.items():
        image = _coloured(original(picture))
        inputs = {"image": image, "mask": mask, "offset": np.array(offset)}
        small = np.zeros((64, 64), bool)
        small[20:32, 12:24] = True
        warmup = {"image": image[:64, :64].copy(), "mask": small, "offset": np.array((4, 16))}
        made.append(Case(name, group, inputs, warmup, {}))
    return made


def score_retarget(case: Case, result: NDArray[Any]) -> Mapping[str, float]:
    """Measure one resize; what does not apply is not a number."""
    image, lines = case.inputs["image"], case.inputs["lines"]
    shape = *(int(side) for side in case.inputs["shape"]), 3
    _check(result, shape)
    thing = case.inputs["protect"]
    missing = float("nan")
    return {
        **bidirectional(image, result),
        "object": object_change(image, result, thing) if thing.any() else missing,
        "lines": lines_kept(image, result, lines) if len(lines) else missing,
    }


def score_move(case: Case, result: NDArray[Any]) -> Mapping[str, float]:
    """Measure one move: the object where it is now, its border there, and the place it left."""
    image, mask = case.inputs["image"], case.inputs["mask"]
    _check(result, image.shape)
    down, right = (int(step) for step in case.inputs["offset"])
    y, x = np.nonzero(mask)
    there = (y + down >= 0) & (y + down < mask.shape[0]) & (x + right >= 0)
    there &= x + right < mask.shape[1]
    y, x = y[there], x[there]
    placed = np.zeros_like(mask)
    placed[y + down, x + right] = True
    difference = result[y + down, x + right].astype(np.float64) - image[y, x]
    return {
        "object": float(np.sqrt(np.square(difference).mean())),
        "border": border_ratio(image, mask, result, placed),
        **beside(result, mask & ~placed),
    }


def score_reshuffle(case: Case, result: NDArray[Any]) -> Mapping[str, float]:
    """Measure one rearranged picture."""
    _check(result, case.inputs["image"].shape)
    return bidirectional(case.inputs["image"], result)


@click.command()
@common_options
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="More photographs to make narrower: its photo_*.",
)
def main(methods: str, runs: int, out: Path, quick: bool, folder: Path | None) -> None:
    """Resize, move and rearrange by every method and tell what each cost and what it changed."""
    runs = 1 if quick else runs
    runner = ChildRunner(Environments().python_of)
    every = [*retarget_methods(), *move_methods(), *reshuffle_methods()]
    names = {method.name for method in chosen(methods, every)}
    parts: tuple[
        tuple[list[Method], list[Case], Callable[[Case, NDArray[Any]], Mapping[str, float]]], ...
    ] = (
        (retarget_methods(), retarget_cases(folder, quick=quick), score_retarget),
        (move_methods(), move_cases(MOVE, quick=quick), score_move),
        (reshuffle_methods(), move_cases(RESHUFFLE, quick=quick), score_reshuffle),
    )
    cells: list[Cell] = []
    for contestants, problems, how in parts:
        mine = [method for method in contestants if method.name in names]
        cells += measure(
            mine,
            problems if mine else (),
            runs=runs,
            runner=runner,
            score=how,
            say=lambda line: print(line, file=sys.stderr),
            patience=PATIENCE,
        )
    out.mkdir(parents=True, exist_ok=True)
    command = command_line("editing")
    write_json(out / "editing.json", cells, runs=runs, command=command)
    (out / "editing.md").write_text(_page(cells, runs, command))
    for name, groups in (("retarget", (NARROWER, WIDER)), ("move", (MOVE, RESHUFFLE))):
        rows = _rows([cell for cell in cells if cell.case.group in groups])
        if rows:
            contact_sheet(rows, out / f"{name}.jpg", tile=300)
    print(out / "editing.md")


def _check(result: NDArray[Any], shape: tuple[int, ...]) -> None:
    if result.shape != shape or result.dtype != np.uint8:
        raise MethodFailed(f"gave {result.shape} {result.dtype} for {shape} uint8")


def _coloured(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(image[..., np.newaxis], 3, axis=2) if image.ndim == 2 else image


def _ellipse(name: str, centre: tuple[int, int], radii: tuple[int, int]) -> NDArray[np.bool_]:
    mask = np.zeros(original(name).shape[:2], bool)
    mask[draw.ellipse(*centre, *radii, shape=mask.shape)] = True  # type: ignore[no-untyped-call]
    return mask


def _polygon(name: str, corners: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    return np.asarray(draw.polygon2mask(original(name).shape[:2], corners), bool)  # type: ignore[no-untyped-call]


def _retarget(
    name: str, share: float, protect: NDArray[np.bool_] | None, lines: Sequence[Any]
) -> Case:
    return _case_of(name, _coloured(original(name)), share, protect, lines)


def _case_of(
    name: str,
    image: NDArray[np.uint8],
    share: float,
    protect: NDArray[np.bool_] | None,
    lines: Sequence[Any],
) -> Case:
    rows, columns = image.shape[:2]
    small = np.zeros((64, 64), bool)
    small[20:40, 20:30] = True
    straight = np.array([((2, 40), (60, 44))], float)
    return Case(
        f"{name} to {share:.2f}",
        NARROWER if share < 1 else WIDER,
        inputs={
            "image": image,
            "shape": np.array((rows, round(columns * share))),
            "protect": np.zeros((rows, columns), bool) if protect is None else protect,
            "lines": np.array(lines, float).reshape(-1, 2, 2),
        },
        warmup={
            "image": image[:64, :64].copy(),
            "shape": np.array((64, round(64 * share))),
            "protect": small,
            "lines": straight if len(lines) else straight[:0],
        },
        truth={},
    )


def _halved(case: Case) -> Case:
    """Take every other pixel both ways."""
    inputs = dict(case.inputs)
    for key in ("image", "protect"):
        inputs[key] = np.ascontiguousarray(inputs[key][::2, ::2])
    share = case.inputs["shape"][1] / case.inputs["image"].shape[1]
    rows, columns = inputs["image"].shape[:2]
    inputs |= {"shape": np.array((rows, round(columns * share))), "lines": inputs["lines"] / 2}
    return Case(case.name, case.group, inputs, case.warmup, case.truth)


def _page(cells: Sequence[Cell], runs: int, command: str) -> str:
    page = "# Resizing, moving, rearranging\n\n" + preamble(cells, runs=runs, command=command)
    page += (
        "\nOne thread. *Complete* is how far the picture's 7×7 patches are from the nearest ones "
        "of the result (what is missing), *coherent* the reverse (what was never there), as root "
        "mean squares in grey levels, at full and at half size (Simakov et al. 2008): cropping is "
        "coherent and not complete, scaling neither (a crop at an odd column pairs other pixels "
        "at half size). *Object* is how much what was to be protected or moved changed, in grey "
        "levels, wherever in a resized picture it is found again. *Lines* is the share of points "
        "on given straight edges that are found again on a straight edge. *Border* is the mean "
        "step across the moved object's outline over what it was, *sharp* and *seam* are those of "
        "the place it left, relative to its surroundings. Nothing on PyPI rearranges a picture: "
        "`reshuffle` has no peer. No column sees a folded rim: look at `retarget.jpg` and "
        "`move.jpg`. " + slow_note(PATIENCE)
    )
    titles = {NARROWER: "Narrower: mean", WIDER: "Wider", MOVE: "Move: mean",
              RESHUFFLE: "Reshuffle: mean"}  # fmt: skip
    for group, title in titles.items():
        members = [cell for cell in cells if cell.case.group == group]
        if members:
            page += f"\n## {title}\n\n" + _table(members)
    page += "\n# Picture by picture\n"
    for name in dict.fromkeys((c.case.group, c.case.name) for c in cells if c.case.group != WIDER):
        page += f"\n## {name[0]}: {name[1]}\n\n"
        page += _table([c for c in cells if (c.case.group, c.case.name) == name])
    return page


def _table(members: Sequence[Cell]) -> str:
    """Average over the cases that each column applies to, and leave out one that none has."""
    rows: dict[str, Row] = mean_rows(members)
    filled = {name: row for name, row in rows.items() if not isinstance(row, str)}
    for name, row in filled.items():
        mine = [cell.medians for cell in members if cell.method.name == name]
        for key in row:
            values = [found[key] for found in mine if not math.isnan(found[key])]
            filled[name] = {**filled[name], key: float(np.mean(values)) if values else math.nan}
    columns = [
        column
        for column in COLUMNS[members[0].case.group]
        if not filled or any(not math.isnan(row[column.key]) for row in filled.values())
    ]
    return markdown_table({**rows, **filled}, columns)


def _rows(cells: Sequence[Cell]) -> dict[str, dict[str, NDArray[np.uint8]]]:
    """Show each picture, what is to be kept or moved in it, and each method's first result.

    All pictures of a row are on ground of one size, so that they show to one scale.
    """
    rows: dict[str, dict[str, NDArray[np.uint8]]] = {}
    for cell in cells:
        inputs = cell.case.inputs
        marked = inputs.get("protect", inputs.get("mask"))
        shown = inputs["image"]
        if marked is not None and marked.any():
            shown = np.where(marked[..., np.newaxis], shown, shown // 2)
        row = rows.setdefault(cell.case.name, {"picture": shown})
        if cell.picture is not None and cell.failed is None:
            row[cell.method.name] = cell.picture
    for row in rows.values():
        height, width = (max(image.shape[axis] for image in row.values()) for axis in (0, 1))
        for name, image in row.items():
            ground = np.full((height, width, 3), 255, np.uint8)
            ground[: image.shape[0], : image.shape[1]] = image
            row[name] = ground
    return rows


if __name__ == "__main__":
    main()
