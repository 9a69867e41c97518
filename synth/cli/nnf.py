"""``synth nnf``: a nearest-neighbour field between two pictures."""

from __future__ import annotations

import click

from synth.cli.group import path
from synth.errors import InputError

__all__ = ["nnf"]


@click.command()
@click.argument("target", metavar="A", type=path())
@click.argument("source", metavar="B", type=path())
@click.option("-o", "--output", metavar="FIELD.npz", required=True, type=path(dir_okay=False))
@click.option("--plot", metavar="FIELD.png", type=path(dir_okay=False))
@click.option(
    "--quality",
    type=click.Choice(["draft", "fast", "accurate", "exact"]),
    default="fast",
    show_default=True,
    help="draft searches least; exact compares everything, which is slow.",
)
@click.option("--patch", type=click.IntRange(1), default=7, show_default=True, help="In pixels.")
@click.option(
    "--seed", type=click.IntRange(0, 2**64 - 1), metavar="N", default=0, show_default=True
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
def nnf(
    target: str,
    source: str,
    output: str,
    plot: str | None,
    quality: str,
    patch: int,
    seed: int,
    overwrite: bool,
) -> None:
    """Find for each patch of picture A the most similar patch of picture B.

    The field is written as NumPy's npz; --plot draws it as a colour wheel of offsets.
    """
    import synth
    from synth.codecs import format_of
    from synth.compilation import watching
    from synth.display import display
    from synth.files import load
    from synth.unfinished import check_target

    if not output.lower().endswith(".npz"):
        raise InputError(f"{output} must end in .npz, the format that fields are written in")
    for file in (output, plot):
        if file is not None:
            check_target(file, overwrite=overwrite)
    if plot is not None:
        format_of(plot)
    pixels = [load(file).pixels for file in (target, source)]
    with display() as shown, watching(shown.compiling):
        with shown.following("nearest neighbours") as callback:
            field = synth.nnf(
                *pixels,
                patch=patch,
                quality=quality,  # type: ignore[arg-type]  # click has checked it
                seed=seed,
                callback=callback,
            )
        field.save(output, overwrite=overwrite)
        shown.note(f"wrote {output}")
        if plot is not None:
            field.plot(plot, overwrite=overwrite)
            shown.note(f"wrote {plot}")
