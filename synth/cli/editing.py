"""``synth move``, ``synth retarget`` and ``synth reshuffle``: pictures edited as a whole."""

from __future__ import annotations

import functools
import json
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from synth.cli.group import path
from synth.cli.streams import STREAM, check_streams, read, write

if TYPE_CHECKING:
    import numpy as np

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


#: a picture's file, or - for standard input or output
_file = path(dir_okay=False, allow_dash=True)

#: a command's own part: from the picture, what all take and its own options to the result
_Work = Callable[..., "np.ndarray[Any, Any]"]

_lines = click.option(
    "--line",
    "lines",
    multiple=True,
    type=_Numbers("X0,Y0,X1,Y1", "four whole numbers"),
    help="Ends in pixels of a line in the picture that stays straight. May be repeated.",
)


def _edits(
    quality: str = "How many rounds of search and vote: better takes longer.",
) -> Callable[[_Work], Callable[..., None]]:
    """Make a function of pixels a function of files, with the options that these commands share.

    ``quality`` is the help of that option. The function gets the picture's pixels, a dict of what
    the commands have in common and its own options; those are told under ``--json`` as well.
    """

    def decorate(work: _Work) -> Callable[..., None]:
        @functools.wraps(work)
        def command(
            picture: str, output: str, overwrite: bool, as_json: bool, **options: Any
        ) -> None:
            _edit(work, picture, output, overwrite, as_json, options)

        for option in (
            click.argument("picture", metavar="IN", type=_file),
            click.option(
                "--json", "as_json", is_flag=True, help="Print what was done as one object."
            ),
            click.option("--overwrite", is_flag=True, help="Replace files that exist."),
            click.option(
                "--seed",
                type=click.IntRange(0, 2**64 - 1),
                metavar="N",
                default=0,
                show_default=True,
                help="Another seed is another answer; the same seed gives the same bytes.",
            ),
            click.option("-o", "--output", metavar="OUT", required=True, type=_file),
            click.option(
                "--quality",
                type=click.Choice(["draft", "normal", "best"]),
                default="normal",
                show_default=True,
                help=quality,
            ),
        ):
            command = option(command)
        return command

    return decorate


def _edit(
    work: _Work,
    picture: str,
    output: str,
    overwrite: bool,
    as_json: bool,
    options: dict[str, Any],
) -> None:
    """Load, work and write: whole or not at all."""
    from synth.codecs import check_holds, format_of
    from synth.compilation import watching
    from synth.display import display
    from synth.unfinished import check_target

    start = time.perf_counter()
    masks = [options.get(name) for name in ("mask", "protect", "lock")]
    masks += [move["mask"] for move in options.get("moves", ())]
    check_streams((picture, *masks), output, as_json=as_json)
    if output != STREAM:
        form = format_of(output)
        check_target(output, overwrite=overwrite)
    loaded = read(picture)
    if output != STREAM:
        check_holds(form, loaded.pixels.shape, loaded.pixels.dtype, output)
    shared = {name: options[name] for name in ("quality", "seed")}
    own = {name: value for name, value in options.items() if name not in shared}
    with display() as shown, watching(shown.compiling):
        with shown.following(picture) as callback:
            edited = work(loaded.pixels, {**shared, "callback": callback}, **own)
        write(output, edited, like=loaded, overwrite=overwrite)
        seconds = time.perf_counter() - start
        if as_json:
            height, width = edited.shape[:2]
            record = {"input": picture, "output": output, "width": width, "height": height}
            click.echo(json.dumps({**record, **own, **shared, "seconds": seconds}))
        elif output != STREAM:
            shown.note(f"wrote {output} in {seconds:.1f} s")


def _mask(file: str | None) -> Any:
    return None if file is None else read(file).pixels


def _named(
    context: click.Context, option: click.Parameter, moves: tuple[tuple[str, tuple[int, int]], ...]
) -> list[dict[str, Any]]:
    return [{"mask": mask, "by": by} for mask, by in moves]


def _ends(lines: tuple[tuple[int, ...], ...]) -> list[Any]:
    return [((y0, x0), (y1, x1)) for x0, y0, x1, y1 in lines]


@click.command()
@click.option(
    "-m",
    "--mask",
    required=True,
    type=_file,
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
@_edits("How well the place that it leaves is filled.")
def move(
    pixels: np.ndarray[Any, Any],
    shared: dict[str, Any],
    mask: str,
    by: tuple[int, int],
    blend: int,
) -> np.ndarray[Any, Any]:
    """Move an object: fill what was behind it, blend it in where it goes.

    IN and OUT are files, or - for standard input and output. PNG, JPEG, WebP, TIFF and BMP, with
    8 or 16 bits a channel; profile and EXIF are kept.
    """
    import synth

    return synth.move(pixels, _mask(mask), by[::-1], blend=blend, **shared)


@click.command()
@click.option(
    "--size",
    required=True,
    type=_Numbers("WxH", "two whole numbers"),
    help="Width and height of the result in pixels, such as 640x480.",
)
@click.option(
    "--protect",
    metavar="MASK",
    type=_file,
    help="White = to be kept as it is, at its own size.",
)
@_lines
@_edits()
def retarget(
    pixels: np.ndarray[Any, Any],
    shared: dict[str, Any],
    size: tuple[int, int],
    protect: str | None,
    lines: tuple[tuple[int, ...], ...],
) -> np.ndarray[Any, Any]:
    """Give a picture another width and height without squeezing what it shows.

    IN and OUT are files, or - for standard input and output. PNG, JPEG, WebP, TIFF and BMP, with
    8 or 16 bits a channel; profile and EXIF are kept.
    """
    import synth

    return synth.retarget(pixels, size[::-1], protect=_mask(protect), lines=_ends(lines), **shared)


@click.command()
@click.option(
    "--move",
    "moves",
    required=True,
    multiple=True,
    nargs=2,
    metavar="MASK DX,DY",
    type=(_file, _Numbers("DX,DY", "two whole numbers")),
    callback=_named,
    help="White = a thing, and how far it goes: pixels to the right and down. May be repeated.",
)
@click.option(
    "--lock",
    metavar="MASK",
    type=_file,
    help="White = stays where it is. The rest may change.",
)
@_lines
@_edits()
def reshuffle(
    pixels: np.ndarray[Any, Any],
    shared: dict[str, Any],
    moves: list[dict[str, Any]],
    lock: str | None,
    lines: tuple[tuple[int, ...], ...],
) -> np.ndarray[Any, Any]:
    """Put things to new places; the rest of the picture makes room.

    IN and OUT are files, or - for standard input and output. PNG, JPEG, WebP, TIFF and BMP, with
    8 or 16 bits a channel; profile and EXIF are kept.
    """
    import synth

    return synth.reshuffle(
        pixels, [(_mask(move["mask"]), move["by"][::-1]) for move in moves], locked=_mask(lock),
        lines=_ends(lines), **shared,
    )  # fmt: skip
