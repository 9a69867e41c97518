"""``synth move``, ``synth retarget`` and ``synth reshuffle``: pictures edited as a whole."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from synth.cli.group import path

if TYPE_CHECKING:
    import numpy as np

    from synth.progress import Callback

__all__ = ["move", "reshuffle", "retarget"]


class _Numbers(click.ParamType):  # type: ignore[type-arg]
    """As many whole numbers, with the same sign between them, as ``name`` shows."""

    def __init__(self, name: str, what: str) -> None:
        self.name, self.what = name, what
        parts = re.split("([x,])", name)
        self.sign, self.count = parts[1], len(parts) // 2 + 1

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        parts = str(value).split(self.sign)
        if len(parts) != self.count or not all(re.fullmatch(r"\s*[+-]?\d+\s*", p) for p in parts):
            self.fail(f"{value!r} is not of the form {self.name}, {self.what}", param, ctx)
        return tuple(int(part) for part in parts)


def _shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that all of these commands have."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print what was done as one object."),
        click.option("--overwrite", is_flag=True, help="Replace files that exist."),
        click.option(
            "--seed",
            type=click.IntRange(0, 2**64 - 1),
            metavar="N",
            default=0,
            show_default=True,
            help="Another seed is another answer; the same seed gives the same bytes.",
        ),
        click.option("-o", "--output", metavar="OUT", required=True, type=path(dir_okay=False)),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("picture", metavar="IN", type=path(dir_okay=False))
@click.option(
    "-m",
    "--mask",
    required=True,
    type=path(dir_okay=False),
    help="White = the object, best with a little of its surroundings and with its shadow.",
)
@click.option(
    "--by",
    required=True,
    type=_Numbers("DX,DY", "two whole numbers"),
    help="How far: pixels to the right and down, such as 120,0 or -40,-15.",
)
@click.option(
    "--blend",
    type=click.IntRange(0, 256),
    metavar="N",
    default=16,
    show_default=True,
    help="Width in pixels of the ring round the object's new place that is blended.",
)
@click.option(
    "--quality",
    type=click.Choice(["draft", "normal", "best"]),
    default="normal",
    show_default=True,
    help="How well the place that it leaves is filled.",
)
@_shared
def move(
    picture: str,
    mask: str,
    by: tuple[int, int],
    blend: int,
    quality: Any,
    output: str,
    seed: int,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Move an object: fill what was behind it, blend it in where it goes.

    PNG, JPEG, WebP, TIFF and BMP, with 8 or 16 bits a channel; profile and EXIF are kept.
    """

    def work(pixels: np.ndarray[Any, Any], callback: Callback | None) -> np.ndarray[Any, Any]:
        import synth
        from synth.files import load

        return synth.move(
            pixels, load(mask).pixels, by[::-1], blend=blend, quality=quality, seed=seed,
            callback=callback,
        )  # fmt: skip

    told = {"mask": mask, "by": list(by), "blend": blend, "quality": quality, "seed": seed}
    _edit(picture, output, overwrite, as_json, told, work)


@click.command()
@click.argument("picture", metavar="IN", type=path(dir_okay=False))
@click.option(
    "--size",
    required=True,
    type=_Numbers("WxH", "two whole numbers"),
    help="Width and height of the result in pixels, such as 640x480.",
)
@click.option(
    "--protect",
    metavar="MASK",
    type=path(dir_okay=False),
    help="White = to be kept as it is, at its own size.",
)
@click.option(
    "--line",
    "lines",
    multiple=True,
    type=_Numbers("X0,Y0,X1,Y1", "four whole numbers"),
    help="Ends in pixels of a line in the picture that stays straight. May be repeated.",
)
@click.option(
    "--quality",
    type=click.Choice(["draft", "normal", "best"]),
    default="normal",
    show_default=True,
    help="How many rounds of search and vote: better takes longer.",
)
@_shared
def retarget(
    picture: str,
    size: tuple[int, int],
    protect: str | None,
    lines: tuple[tuple[int, ...], ...],
    quality: Any,
    output: str,
    seed: int,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Give a picture another width and height without squeezing what it shows.

    PNG, JPEG, WebP, TIFF and BMP, with 8 or 16 bits a channel; profile and EXIF are kept.
    """

    def work(pixels: np.ndarray[Any, Any], callback: Callback | None) -> np.ndarray[Any, Any]:
        import synth
        from synth.files import load

        return synth.retarget(
            pixels, size[::-1], protect=None if protect is None else load(protect).pixels,
            lines=[((y0, x0), (y1, x1)) for x0, y0, x1, y1 in lines], quality=quality,
            seed=seed, callback=callback,
        )  # fmt: skip

    told = {
        "protect": protect,
        "lines": [list(ends) for ends in lines],
        "quality": quality,
        "seed": seed,
    }
    _edit(picture, output, overwrite, as_json, told, work)


@click.command()
@click.argument("picture", metavar="IN", type=path(dir_okay=False))
@click.option(
    "--move",
    "moves",
    required=True,
    multiple=True,
    nargs=2,
    metavar="MASK DX,DY",
    type=(path(dir_okay=False), _Numbers("DX,DY", "two whole numbers")),
    help="White = a thing, and how far it goes: pixels to the right and down. May be repeated.",
)
@click.option(
    "--lock",
    metavar="MASK",
    type=path(dir_okay=False),
    help="White = stays where it is. The rest may change.",
)
@click.option(
    "--quality",
    type=click.Choice(["draft", "normal", "best"]),
    default="normal",
    show_default=True,
    help="How many rounds of search and vote: better takes longer.",
)
@_shared
def reshuffle(
    picture: str,
    moves: tuple[tuple[str, tuple[int, int]], ...],
    lock: str | None,
    quality: Any,
    output: str,
    seed: int,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Put things to new places; the rest of the picture makes room.

    PNG, JPEG, WebP, TIFF and BMP, with 8 or 16 bits a channel; profile and EXIF are kept.
    """

    def work(pixels: np.ndarray[Any, Any], callback: Callback | None) -> np.ndarray[Any, Any]:
        import synth
        from synth.files import load

        return synth.reshuffle(
            pixels, [(load(mask).pixels, by[::-1]) for mask, by in moves],
            locked=None if lock is None else load(lock).pixels, quality=quality, seed=seed,
            callback=callback,
        )  # fmt: skip

    told = {
        "moves": [{"mask": mask, "by": list(by)} for mask, by in moves],
        "lock": lock,
        "quality": quality,
        "seed": seed,
    }
    _edit(picture, output, overwrite, as_json, told, work)


def _edit(
    picture: str,
    output: str,
    overwrite: bool,
    as_json: bool,
    told: dict[str, Any],
    work: Callable[[np.ndarray[Any, Any], Callback | None], np.ndarray[Any, Any]],
) -> None:
    """Load, work and write: whole or not at all."""
    from synth.codecs import check_holds, format_of
    from synth.compilation import watching
    from synth.display import display
    from synth.files import load, save
    from synth.unfinished import check_target

    start = time.perf_counter()
    form = format_of(output)
    check_target(output, overwrite=overwrite)
    loaded = load(picture)
    check_holds(form, loaded.pixels.shape, loaded.pixels.dtype, output)
    with display() as shown, watching(shown.compiling):
        with shown.following(picture) as callback:
            edited = work(loaded.pixels, callback)
        save(output, edited, like=loaded, overwrite=overwrite)
        seconds = time.perf_counter() - start
        if as_json:
            height, width = edited.shape[:2]
            record = {"input": picture, "output": output, "width": width, "height": height}
            click.echo(json.dumps({**record, **told, "seconds": seconds}))
        else:
            shown.note(f"wrote {output} in {seconds:.1f} s")
