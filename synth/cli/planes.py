"""``synth planes``: which planes a picture shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from synth.cli.group import path
from synth.cli.streams import STREAM, check_streams, read, write

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["planes"]


@click.command()
@click.argument("picture", metavar="IN", type=path(dir_okay=False, allow_dash=True))
@click.option(
    "-m",
    "--mask",
    type=path(dir_okay=False, allow_dash=True),
    help="White = not to be looked at. A plane's scale is 1 at its centre.",
)
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    type=path(dir_okay=False, allow_dash=True),
    help="The drawing.",
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option("--json", "as_json", is_flag=True, help="Print the planes as one object.")
def planes(
    picture: str, mask: str | None, output: str | None, overwrite: bool, as_json: bool
) -> None:
    """Show the planes that a wide hole would be filled on: one, or two that meet.

    OUT shows each one's grid over its part of the picture: green where a fill may rely on it, red
    where not. IN and OUT are files, or - for standard input and output, where OUT is a PNG.
    """
    import synth
    from synth.codecs import format_of
    from synth.unfinished import check_target

    if output is None and not as_json:
        raise click.UsageError("nothing would come out; pass -o OUT, or --json, or both")
    check_streams((picture, mask), output, as_json=as_json)
    if output is not None and output != STREAM:
        check_target(output, overwrite=overwrite)
        format_of(output)
    image = read(picture).pixels
    found = synth.find_planes(image, None if mask is None else read(mask).pixels)
    if output is not None:
        write(output, found.draw(), overwrite=overwrite)
    if as_json:
        planes = [
            {
                "homography": plane.homography.tolist(),
                "vanishing_points": plane.vanishing_points.tolist(),
                "shares": plane.shares,
                "coverage": plane.coverage,
                "area": float(plane.region.mean()),
                "clear": plane.clear,
            }
            for plane in found.planes
        ]
        click.echo(json.dumps({"picture": picture, "planes": planes}))
    for plane in found.planes or (None,):
        if plane is None:
            told = "no plane: the edges have no two directions in common"
        else:
            kind = "a clear plane" if plane.clear else "no clear plane"
            told = (
                f"{kind}: {plane.confidence:.0%} of the edges lie along two directions, "
                f"in {plane.coverage:.0%} of {_part(plane.region)}"
            )
        click.echo(f"synth: {told}", err=True)
    if output is not None and output != STREAM:
        click.echo(f"synth: wrote {output}", err=True)


def _part(region: NDArray[np.bool_]) -> str:
    """Name a plane's part of the picture by where its middle lies."""
    if region.all():
        return "the picture"
    rows, columns = region.nonzero()
    down = rows.mean() / region.shape[0] - 0.5
    aside = columns.mean() / region.shape[1] - 0.5
    if abs(down) > abs(aside):
        side = "lower" if down > 0 else "upper"
    else:
        side = "right" if aside > 0 else "left"
    return f"its {side} {region.mean():.0%}"
