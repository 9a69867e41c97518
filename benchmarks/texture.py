"""Textures side by side: ``python -m benchmarks.texture --folder PICTURES --runs 3``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.transform import resize

from benchmarks.environments import Environments
from benchmarks.harness import Case, Cell, ChildRunner, MethodFailed, measure
from benchmarks.options import chosen, command_line, common_options
from benchmarks.photographs import photograph
from benchmarks.report import (
    Column,
    contact_sheet,
    markdown_table,
    mean_rows,
    preamble,
    write_json,
)
from benchmarks.texture_peers import large_methods, temperature_methods, texture_methods
from synth.compare import texture_report

__all__ = ["cases", "grey", "quarters", "real_row", "score", "truth_of"]

#: What scikit-image ships, and so anyone can see; its only RGB texture is no texture throughout,
#: so it is timed alone.
SHIPPED = ("brick", "grass", "gravel")
COLOURED = "immunohistochemistry"
RATIOS = ("swd", "spectrum", "steerable", "coherence", "largest_region")
COLUMNS = (
    Column("cpu", "CPU s", ".2f", "low"),
    Column("swd", "SWD", ".2f", "one"),
    Column("spectrum", "spectrum", ".2f", "one"),
    Column("steerable", "steerable", ".2f", "one"),
    Column("coherence", "coherence", ".2f", "one"),
    Column("largest_region", "largest copy", ".2f", "one"),
    Column("largest", "of the exemplar", ".0%", "low"),
    Column("garbage", "garbage", ".1%", "low"),
    Column("recall", "recall", ".0%", "high"),
)
LARGE_COLUMNS = (
    Column("wall", "s", ".2f", "low"),
    Column("cpu", "CPU s", ".2f", "low"),
    Column("peak_mb", "MB", ".0f", "low"),
)
LARGE = "1024×1024 from 256×256, RGB"


def grey(name: str, side: int) -> NDArray[np.uint8]:
    """Load a grey texture that scikit-image ships, (side, side)."""
    return np.ascontiguousarray(photograph(name, side)[..., 0])


def quarters(picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Cut two crops that share no pixel: the top left quarter and the bottom right one."""
    rows, columns = (side // 2 for side in picture.shape[:2])
    return (
        np.ascontiguousarray(picture[:rows, :columns]),
        np.ascontiguousarray(picture[-rows:, -columns:]),
    )


def pictures(folder: Path | None, side: int) -> dict[str, NDArray[np.uint8]]:
    """Load the textures: scikit-image's, and a folder's RGB ``tex_*`` that have no mask.

    All are cut to a square in the middle and scaled to ``side`` pixels.
    """
    found = {name: grey(name, side) for name in SHIPPED}
    for path in sorted(folder.iterdir()) if folder else ():
        masked = "mask" in path.stem or any(path.parent.glob(f"{path.stem}_mask*"))
        named = path.stem.startswith("tex_") and not masked
        if named and path.suffix in (".png", ".jpg") and Image.open(path).mode == "RGB":
            image = np.asarray(Image.open(path))
            least = min(image.shape[:2])
            top, left = ((length - least) // 2 for length in image.shape[:2])
            square = image[top : top + least, left : left + least]
            scaled = resize(square, (side, side), anti_aliasing=True, preserve_range=True)  # type: ignore[no-untyped-call]
            found[path.stem.removeprefix("tex_")] = np.rint(scaled).astype(np.uint8)
    return found


def cases(folder: Path | None, *, quick: bool) -> list[Case]:
    """Make the problems: as large a texture as the exemplar, beside a crop as large."""
    made = []
    for name, picture in pictures(folder, 96 if quick else 256).items():
        exemplar, other = quarters(picture)
        truth = truth_of(exemplar, other)
        made.append(_case(name, "textures", exemplar, exemplar.shape[:2], truth))
    return made


def truth_of(exemplar: NDArray[np.uint8], other: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """Keep another crop, and what it measures beside the exemplar."""
    found = texture_report(other, exemplar)
    names = (*RATIOS, "largest_region", "garbage", "recall")
    return {"other": other, "real": np.array([getattr(found, name) for name in names])}


def large_case(*, quick: bool) -> Case:
    """Make the large problem, 16 times the exemplar's pixels."""
    side = 64 if quick else 256
    exemplar = photograph(COLOURED, 512)[:side, :side].copy()
    return _case(COLOURED, LARGE, exemplar, (4 * side, 4 * side), {})


def score(case: Case, texture: NDArray[Any]) -> Mapping[str, float]:
    """Measure a texture beside its exemplar, relative to the other crop.

    Raises
    ------
    MethodFailed
        If it is no image of the right shape and type.
    """
    exemplar = case.inputs["exemplar"]
    wanted = (*case.inputs["shape"].tolist(), *exemplar.shape[2:])
    if texture.shape != wanted or texture.dtype != exemplar.dtype:
        raise MethodFailed(f"gave {texture.shape} {texture.dtype} for {wanted} {exemplar.dtype}")
    if "other" not in case.truth:
        return {}
    found, real = texture_report(texture, exemplar), case.truth["real"]
    ratios = {
        name: getattr(found, name) / max(measured, 1e-12)
        for name, measured in zip(RATIOS, real.tolist(), strict=False)
    }
    return ratios | {
        "largest": found.largest_region,
        "garbage": found.garbage,
        "recall": found.recall,
    }


def real_row(members: Sequence[Cell]) -> dict[str, float]:
    """Measure the other crops themselves: what can be asked for."""
    reals = {cell.case.name: cell.case.truth["real"] for cell in members}
    means = np.mean(list(reals.values()), axis=0)[-3:]
    own = dict(zip(("largest", "garbage", "recall"), means.tolist(), strict=True))
    return {**dict.fromkeys(RATIOS, 1.0), **own}


@click.command()
@common_options
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="More textures: its tex_* that are RGB and have no mask.",
)
@click.option(
    "--pictures",
    "shown",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also write the contact sheet of the folder's textures into this folder.",
)
def main(
    methods: str, runs: int, out: Path, quick: bool, folder: Path | None, shown: Path | None
) -> None:
    """Make the same textures by every method and tell what each cost and how good it is."""
    runs = 1 if quick else runs
    runner = ChildRunner(Environments().python_of)
    small = cases(folder, quick=quick)
    shipped = small[: len(SHIPPED)]
    parts = (
        (chosen(methods, texture_methods()), small),
        ([m for m in large_methods() if methods == "all" or _named(m.name, methods)],
         [large_case(quick=quick)]),
        (temperature_methods() if methods == "all" else [],
         [Case(c.name, "temperature", c.inputs, c.warmup, c.truth) for c in shipped]),
    )  # fmt: skip
    cells: list[Cell] = []
    for contestants, problems in parts:
        cells += measure(
            contestants,
            problems,
            runs=runs,
            runner=runner,
            score=score,
            say=lambda line: print(line, file=sys.stderr),
        )
    out.mkdir(parents=True, exist_ok=True)
    command = command_line("texture")
    write_json(out / "texture.json", cells, runs=runs, command=command)
    (out / "texture.md").write_text(_page(cells, runs, command))
    for names, path in ((SHIPPED, out / "texture.png"), (None, shown and shown / "folder.png")):
        rows = _sheet(cells, names)
        if path and rows:
            path.parent.mkdir(parents=True, exist_ok=True)
            contact_sheet(rows, path, tile=192)
    print(out / "texture.md")


def _named(name: str, methods: str) -> bool:
    return any(name.startswith(word.strip()) for word in methods.split(","))


def _case(
    name: str,
    group: str,
    exemplar: NDArray[np.uint8],
    shape: tuple[int, ...],
    truth: Mapping[str, NDArray[Any]],
) -> Case:
    small = np.ascontiguousarray(exemplar[:32, :32])
    return Case(
        name,
        group,
        inputs={"exemplar": exemplar, "shape": np.array(shape)},
        warmup={"exemplar": small, "shape": np.array((32, 32))},
        truth=truth,
    )


def _page(cells: Sequence[Cell], runs: int, command: str) -> str:
    page = "# Textures, side by side\n\n" + preamble(cells, runs=runs, command=command)
    page += (
        "\nOne thread. Exemplars are the top left quarters of pictures of 256×256, the textures "
        "as large (128×128), and every measure stands beside that of the bottom right quarter, "
        "*another crop*: SWD, spectrum, steerable, coherence and largest copy are ratios to the "
        "crop's, so that 1 is as good as real, and below 1 in a distance with much above 1 in the "
        "copy is copying. Garbage and recall are shares of patches (7×7, against the exemplar's "
        "own leave-one-out distances). `synth.compare.metrics` defines them. No column judges a "
        "texture by itself: look at `texture.png`.\n"
    )
    for group, title in (
        ("textures", "Mean over the textures"),
        (LARGE, LARGE),
        ("temperature", "Temperature against copying: `EfrosLeung(11)`, brick, grass, gravel"),
    ):
        members = [cell for cell in cells if cell.case.group == group]
        if members:
            page += f"\n## {title}\n\n" + _table(members)
    page += "\n# Texture by texture\n"
    members = [cell for cell in cells if cell.case.group == "textures"]
    for name in dict.fromkeys(cell.case.name for cell in members):
        page += f"\n## {name}\n\n" + _table([cell for cell in members if cell.case.name == name])
    return page


def _table(members: Sequence[Cell]) -> str:
    if members[0].case.group == LARGE:
        return markdown_table(mean_rows(members), LARGE_COLUMNS)
    table = markdown_table(mean_rows(members), COLUMNS)
    real = real_row(members)
    cells = ["" if c.key == "cpu" else format(real[c.key], c.form) for c in COLUMNS]
    head, rule, *rows = table.splitlines()
    return "\n".join([head, rule, f"| *another crop* | {' | '.join(cells)} |", *rows]) + "\n"


def _sheet(
    cells: Sequence[Cell], names: Sequence[str] | None
) -> dict[str, dict[str, NDArray[np.uint8]]]:
    """Show the exemplar, another crop, then each method's first texture; None = the others."""
    rows: dict[str, dict[str, NDArray[np.uint8]]] = {}
    for cell in cells:
        case = cell.case
        if case.group != "textures" or (case.name in SHIPPED) != (names is not None):
            continue
        row = rows.setdefault(
            case.name, {"exemplar": case.inputs["exemplar"], "another crop": case.truth["other"]}
        )
        if cell.picture is not None and cell.failed is None:
            row[cell.method.name] = cell.picture
    return rows


if __name__ == "__main__":
    main()
