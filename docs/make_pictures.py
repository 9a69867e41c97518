"""Make the README's pictures from what the code does now: ``python docs/make_pictures.py``.

Names pick some (``python docs/make_pictures.py retarget``). Most are what the examples write,
smaller. All of them take about half a minute, once everything is compiled.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from skimage import data, draw

import synth
from synth.demo import demo_picture

Picture = NDArray[np.uint8]

ROOT = Path(__file__).resolve().parent.parent
#: Examples that have run, so that none runs twice.
_written: dict[str, Picture] = {}


def example(name: str) -> Picture:
    """Run an example in a folder of its own and load the picture that it writes."""
    if name not in _written:
        here = Path.cwd()
        with tempfile.TemporaryDirectory(prefix="synth-docs-") as folder:
            os.chdir(folder)
            try:
                with contextlib.redirect_stdout(None):
                    runpy.run_path(str(ROOT / "examples" / f"{name}.py"), run_name="__main__")
                _written[name] = np.asarray(Image.open(f"{name}.png"))
            finally:
                os.chdir(here)
    return _written[name]


def remove_an_object() -> Picture:
    """Show the demonstration: a rocket, the hole, the sky."""
    photograph, hole = demo_picture()
    marked = np.where(hole[..., np.newaxis], _tinted(photograph, 0.7), photograph)
    return _high(_strip([photograph, marked, synth.fill(photograph, hole)]), 320)


def brick_rows() -> Picture:
    """Show a hole in a wall, the plane, the fill without it and on it; the same with two walls."""
    # four square pictures side by side each, so scaled to one height they are as wide
    strips = [_high(example(name), 307) for name in ("03_brick_rows", "22_two_walls")]
    return np.vstack(strips)


def four_answers() -> Picture:
    """Show a hole among coins, four fills, and where they disagree."""
    return example("04_four_answers")


def move_reshuffle() -> Picture:
    """Show a cup before and after its move, and a rocket that takes a mast's place."""
    cup = _high(example("05_move"), 250)
    marked, _, rearranged = np.split(example("07_reshuffle"), 3, axis=1)
    return np.hstack([cup, _high(np.hstack([marked, rearranged]), 250)])


def retarget() -> Picture:
    """Show a photograph, scaled, retargeted, and widened."""
    return _high(example("06_retarget"), 250)


def texture() -> Picture:
    """Show gravel, more of it, a tile laid four times, and a garden by numbers."""
    gravel = _coloured(example("13_texture"))
    exemplar, larger, tiled = gravel[:, :128], gravel[:, 784:1168], gravel[:, 1176:1560]
    numbers = _coloured(example("14_texture_by_numbers"))[:320, 392:]
    gap = np.full((384, 8, 3), 255, np.uint8)
    garden = np.full((384, numbers.shape[1], 3), 255, np.uint8)
    garden[:320] = numbers
    return np.hstack([exemplar, gap, larger, gap, tiled, gap, gap, garden])


def efros_leung() -> Picture:
    """Show a wall that grows, what may follow three surroundings, and three orders."""
    growth = example("09_grow_a_texture")
    answers, orders = example("10_many_answers_to_one_question"), example("11_dependency_graphs")
    below = np.full((326, growth.shape[1]), 255, np.uint8)
    for picture, middle in ((answers, 0.25), (orders, 0.72)):
        small = _high(picture, 318)
        left = round(middle * below.shape[1] - small.shape[1] / 2)
        below[4 : 4 + 318, left : left + small.shape[1]] = small
    return np.vstack([growth, below])


def turned_adapted() -> Picture:
    """Show strokes over rims, without and with turned copies; a lit wall, plain and adapted."""
    rims = np.hstack(
        [view[120:] for view in np.split(example("08_rotated_copies"), 3, axis=1)]
    )  # fmt: skip
    wall = data.brick()[100:380].astype(np.float64)
    y, x = np.ogrid[:280, :512]
    lamp = 0.4 + np.exp(-(((y + 30) / 190) ** 2) - ((x - 230) / 220) ** 2)
    lit = _coloured(np.clip(wall * lamp, 0, 255).astype(np.uint8))
    hole = np.zeros(lit.shape[:2], bool)
    hole[draw.ellipse(140, 256, 92, 130)] = True
    fills = [synth.fill(lit, hole), synth.fill(lit, hole, adapt="brightness")]
    return _high(np.vstack([rims, np.hstack([_marked(lit, hole), *fills])]), 336)


def limitations() -> Picture:
    """Show what still goes wrong, each time before and after.

    Strokes along a saucer's rim; a hole where nobody knows what was there; a saucer that was made
    narrower; a rocket that brought its own sky.
    """
    coffee = np.ascontiguousarray(data.coffee()[:400, 44:556])
    along = np.zeros(coffee.shape[:2], np.uint8)
    cv2.ellipse(along, (234, 218), (200, 166), 0, 95, 150, 255, 16)
    cv2.ellipse(along, (234, 218), (200, 166), 0, 20, 55, 255, 16)
    stroke = along > 0
    saucer = slice(120, 400)
    astronaut = data.astronaut()
    wide = np.zeros(astronaut.shape[:2], bool)
    wide[draw.ellipse(330, 250, 105, 140)] = True
    table = data.coffee()
    narrow = synth.retarget(table, (400, 450))
    evening = data.rocket()
    rocket = draw.polygon2mask(evening.shape[:2], [(115, 290), (115, 360), (426, 395), (426, 260)])
    moved = synth.move(evening, rocket, (0, -110))
    pairs = [
        (_marked(coffee, stroke)[saucer], synth.fill(coffee, stroke)[saucer]),
        (_marked(astronaut, wide), synth.fill(astronaut, wide)),
        (table, narrow),
        (np.where(rocket[..., np.newaxis], evening, evening // 3), moved),
    ]
    rows = [
        _strip([_high(one, 260) for pair in some for one in pair])
        for some in (pairs[:2], pairs[2:])
    ]
    width = max(row.shape[1] for row in rows)
    wide_rows = [
        np.pad(row, ((0, 8), (0, width - row.shape[1]), (0, 0)), constant_values=255)
        for row in rows
    ]
    return np.vstack(wide_rows)[:-8]


PICTURES: dict[str, Callable[[], Picture]] = {
    "remove-an-object": remove_an_object,
    "brick-rows": brick_rows,
    "four-answers": four_answers,
    "move-reshuffle": move_reshuffle,
    "retarget": retarget,
    "texture": texture,
    "efros-leung": efros_leung,
    "turned-adapted": turned_adapted,
    "limitations": limitations,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(sorted(PICTURES)))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / "docs",
    help="Folder of the pictures.",
)
def main(names: tuple[str, ...], out: Path) -> None:
    """Make the pictures called NAMES, or all of them."""
    out.mkdir(parents=True, exist_ok=True)
    for name in names or PICTURES:
        path = out / f"{name}.jpg"
        Image.fromarray(PICTURES[name]()).save(path, quality=85, optimize=True)
        print(path)


def _high(picture: Picture, rows: int) -> Picture:
    """Scale to so many rows."""
    size = max(1, round(picture.shape[1] * rows / picture.shape[0])), rows
    small = ImageOps.fit(Image.fromarray(picture), size, Image.Resampling.LANCZOS)
    return np.asarray(small, np.uint8)


def _coloured(picture: Picture) -> Picture:
    return np.repeat(picture[..., np.newaxis], 3, axis=2) if picture.ndim == 2 else picture


def _strip(pictures: list[Picture]) -> Picture:
    """Set pictures of one height side by side, a white gap between them."""
    gap = np.full((pictures[0].shape[0], 8, 3), 255, np.uint8)
    return np.hstack([part for picture in pictures for part in (gap, picture)][1:])


def _tinted(picture: Picture, share: float) -> Picture:
    colour = np.array((230, 30, 60))
    return np.asarray(picture * (1 - share) + colour * share).astype(np.uint8)


def _marked(picture: Picture, hole: NDArray[Any]) -> Picture:
    return np.where(hole[..., np.newaxis], np.array([255, 0, 90], np.uint8), picture)


if __name__ == "__main__":
    main()
