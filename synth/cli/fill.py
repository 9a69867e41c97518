"""``synth fill``: one picture, or a folder of them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from synth.cli.group import FAILED, interrupted, path, verdict
from synth.cli.streams import STREAM, check_streams

__all__ = ["fill"]


class _Range(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions only
    """Two numbers, such as 0.8,1.25."""

    name = "A,B"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float]:
        try:
            low, high = (float(end) for end in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not two numbers with a comma between them", param, ctx)
        return low, high


@click.command()
@click.argument("picture", metavar="IN", type=path(allow_dash=True))
@click.option(
    "-m",
    "--mask",
    type=path(allow_dash=True),
    help="White where it is to be filled: one file, or a folder with files of the same stems. "
    "Without it, transparent pixels are filled and become opaque.",
)
@click.option("-o", "--output", metavar="OUT", required=True, type=path(allow_dash=True))
@click.option(
    "--method",
    type=click.Choice(["patchmatch", "efros-leung"]),
    default="patchmatch",
    show_default=True,
    help="All patches over the hole together, or pixel by pixel: small holes in textures.",
)
@click.option(
    "--quality",
    type=click.Choice(["draft", "normal", "best"]),
    default="normal",
    show_default=True,
    help="How many rounds of search and vote: better takes longer. best also chooses patches and "
    "pyramid by filling fake holes beside the real one.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**64 - 1),
    metavar="N",
    default=0,
    show_default=True,
    help="Another seed is another answer; the same seed gives the same bytes.",
)
@click.option(
    "--source",
    metavar="MASK",
    type=path(),
    help="White where may be copied from: one file, or a folder as for masks.",
)
@click.option(
    "--planes",
    type=click.Choice(["auto", "none"]),
    default="auto",
    show_default=True,
    help="Fill wide holes on the plane that the picture shows, such as a wall, or never.",
)
@click.option(
    "--adapt",
    type=click.Choice(["none", "brightness", "color"]),
    default="none",
    show_default=True,
    help="Make copies brighter or darker where that fits: all channels alike, or each by its own.",
)
@click.option(
    "--rotate",
    type=_Range(),
    help="Copies may be turned by A to B degrees, such as -20,20.",
)
@click.option(
    "--scale",
    type=_Range(),
    help="Copies may be enlarged by factors from A to B, such as 0.8,1.25.",
)
@click.option("--mirror", is_flag=True, help="Copies may be mirrored, left to right.")
@click.option(
    "--samples",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Write N different answers, OUT-1, OUT-2 and so on, and all of them on OUT-sheet.",
)
@click.option("--resize-mask", is_flag=True, help="Resize masks of another size than the picture.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done, one object a picture.")
def fill(
    picture: str,
    mask: str | None,
    output: str,
    method: str,
    quality: str,
    seed: int,
    source: str | None,
    planes: str,
    adapt: str,
    rotate: tuple[float, float] | None,
    scale: tuple[float, float] | None,
    mirror: bool,
    samples: int | None,
    resize_mask: bool,
    overwrite: bool,
    as_json: bool,
) -> int:
    """Fill holes in a picture, or in a folder of pictures, from the rest of each.

    IN and OUT are two files, or two folders (names are kept), or - for standard input and output.
    PNG, JPEG, WebP, TIFF and BMP, with 8 or 16 bits a channel; profile and EXIF are kept.
    """
    from synth.batch import Settings, plan

    if samples is not None and output == STREAM:
        raise click.UsageError("--samples writes several files, and -o - is one; name a file")
    check_streams((picture, mask), output, as_json=as_json)
    if Path(picture).is_dir() and not overwrite and _same(picture, output):
        raise click.UsageError(
            f"the output is the folder of the pictures itself ({output}); choose another, "
            "or pass --overwrite"
        )
    jobs = plan(picture, output, mask, source)
    settings = Settings(
        quality,
        seed,
        planes,
        samples,
        resize_mask,
        overwrite,
        method,
        adapt,
        rotate,
        scale,
        mirror,
    )
    return _run(jobs, settings, as_json)


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _chosen(done: dict[str, Any]) -> str:
    """Say what ``--quality best`` chose where it is not what is usual."""
    way = done.get("chosen")
    if way is None or way == {**way, **way["candidates"][0]}:
        return ""
    plane = "" if way["plane"] == way["candidates"][0]["plane"] else ", no plane"
    return f" with patch {way['patch']}, pyramid {way['depth']:+d}{plane}: {way['reason']}"


def _run(jobs: Any, settings: Any, as_json: bool) -> int:
    from synth.batch import fill_file
    from synth.compilation import watching
    from synth.display import display
    from synth.interrupt import ending

    failures = []
    with display() as shown, watching(shown.compiling):
        if jobs.skipped:
            some = ", ".join(jobs.skipped[:3]) + (", …" if len(jobs.skipped) > 3 else "")
            shown.note(f"skipped {len(jobs.skipped)} that are not images: {some}")
        for number, job in enumerate(jobs.jobs, 1):
            if ending.signal:  # whose exception was lost in the job before
                raise KeyboardInterrupt
            place = f"[{number}/{len(jobs.jobs)}] " if jobs.is_folder else ""
            try:
                with shown.following(place + (job.relative or job.picture)) as callback:
                    done = fill_file(job, settings, callback)
            except Exception as error:
                if not jobs.is_folder or interrupted(error):
                    raise
                shown.note(f"{place}{verdict(error)[1]}")
                failures.append(job.relative)
                continue
            if as_json:
                click.echo(json.dumps(done))
            elif job.output != STREAM:
                seconds = sum(done["seconds"].values())
                first, *others = done.get("outputs", [job.output])
                written = f"{first} … {others[-1]} and {done['sheet']}" if others else first
                shown.note(
                    f"{place}wrote {written}: {done['hole_pixels']} pixels filled "
                    f"in {seconds:.1f} s{_chosen(done)}"
                )
        if failures:
            shown.note(
                f"{len(failures)} of {len(jobs.jobs)} could not be filled: {', '.join(failures)}"
            )
    return FAILED if failures else 0
