"""``synth synthesize``: a texture of any size from an exemplar."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import click

from synth.cli.group import path
from synth.cli.streams import STREAM, check_streams, read, write

__all__ = ["synthesize"]

#: a picture's file, or - for standard input or output
_file = path(dir_okay=False, allow_dash=True)


class _Size(click.ParamType):  # type: ignore[type-arg]
    name = "WIDTHxHEIGHT"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        found = re.fullmatch(r"(\d{1,5})(?:[x×](\d{1,5}))?", str(value).strip().lower())
        if not found:
            self.fail(f"{value!r} is no size; write width x height in pixels, such as 1024x768")
        width, height = found[1], found[2] or found[1]
        return int(height), int(width)


@click.command()
@click.argument("exemplars", metavar="EXEMPLAR [MORE]…", nargs=-1, required=True, type=_file)
@click.option("-o", "--output", metavar="OUT", required=True, type=_file)
@click.option(
    "--size",
    type=_Size(),
    help="Of the texture, such as 1024x1024. Needed but with --known, whose size it is then.",
)
@click.option(
    "--method",
    type=click.Choice(["auto", "efros-leung", "quilting", "patchmatch"]),
    default="auto",
    show_default=True,
    help="auto tries both on a small texture and says which it takes.",
)
@click.option("--tile", is_flag=True, help="Opposite borders fit: the texture repeats seamlessly.")
@click.option("--guide", type=_file, help="What is to be where in OUT …")
@click.option("--exemplar-guide", type=_file, help="… and what is where in EXEMPLAR.")
@click.option("--exemplar-mask", type=_file, help="White where EXEMPLAR is never copied.")
@click.option(
    "--known",
    type=_file,
    help="A picture whose opaque part stays as it is; the texture goes on from there.",
)
@click.option(
    "--known-mask",
    metavar="MASK",
    type=_file,
    help="White where KNOWN is to be made, instead of where it is transparent.",
)
@click.option(
    "--layer",
    "layers",
    metavar="FILE",
    multiple=True,
    type=path(dir_okay=False),
    help="Another map of EXEMPLAR's surface, such as its normals, of the same size; made along "
    "with it and written to OUT-FILE. May be given several times.",
)
@click.option("--patch", type=click.IntRange(3), metavar="N", help="Side of patches or blocks.")
@click.option(
    "--variation",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="More uses the exemplar more evenly and draws among more blocks.",
)
@click.option(
    "--quality",
    type=click.Choice(["draft", "normal", "best"]),
    default="normal",
    show_default=True,
    help="How many rounds patchmatch makes: better takes longer.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**64 - 1),
    metavar="N",
    default=0,
    show_default=True,
    help="Another seed is another texture; the same seed gives the same bytes.",
)
@click.option(
    "--samples",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Write N textures, OUT-1, OUT-2 and so on, from the seed and those after it.",
)
@click.option(
    "--maps",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Draw where each pixel is from: red for its row, green for its column. For efros-leung "
    "also when it came and from how many candidates it was drawn, dark is early and few.",
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done, one object a texture.")
def synthesize(
    exemplars: tuple[str, ...],
    output: str,
    size: tuple[int, int] | None,
    guide: str | None,
    exemplar_guide: str | None,
    exemplar_mask: str | None,
    known: str | None,
    known_mask: str | None,
    layers: tuple[str, ...],
    seed: int,
    samples: int | None,
    maps: str | None,
    overwrite: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Make a texture of any size that looks like EXEMPLAR, or like several.

    EXEMPLAR and OUT are files, or - for standard input and output. PNG, JPEG, WebP, TIFF and BMP,
    with 8 or 16 bits a channel; every pixel is an exemplar's.
    """
    if len(exemplars) > 1 and (layers or guide or exemplar_guide or exemplar_mask):
        raise click.UsageError("layers, guides and masks go with one EXEMPLAR; give one")
    if known is not None and (layers or options["tile"]):
        raise click.UsageError("--known goes without --layer and --tile; leave one out")
    if known_mask is not None and known is None:
        raise click.UsageError("--known-mask is of a picture given by --known; give that as well")
    if size is None and known is None:
        raise click.UsageError("Missing option '--size', such as --size 1024x1024")
    if samples is not None and seed + samples > 2**64:
        raise click.UsageError(f"--samples {samples} needs seeds above 2**64 - 1; lower --seed")
    if output == STREAM and (samples is not None or layers or maps is not None):
        raise click.UsageError(
            "--samples, --layer and --maps write several files, and -o - is one; name a file"
        )
    inputs = (*exemplars, guide, exemplar_guide, exemplar_mask, known, known_mask)
    check_streams(inputs, output, as_json=as_json)
    names = _outputs(output, samples)
    written = {name: [name, *(_beside(name, layer) for layer in layers)] for name in names}
    kinds = (
        ("source", "order", "candidates") if options["method"] == "efros-leung" else ("source",)
    )
    drawn = {name: _maps(maps, name, kinds) for name in names}
    files = [file for each in (written, drawn) for some in each.values() for file in some]
    _check(files, maps, overwrite)

    import synth
    from synth.compilation import watching
    from synth.display import display
    from synth.files import load, save

    pictures = [read(file) for file in exemplars]
    every = [one.pixels for one in pictures]
    exemplar: Any = every if len(every) > 1 else every[0]
    if layers:
        maps_of = {f"--layer {file}": load(file).pixels for file in layers}
        exemplar = {exemplars[0]: every[0], **maps_of}
    given = {"guide": guide, "exemplar_guide": exemplar_guide, "exemplar_mask": exemplar_mask}
    options |= {name: None if file is None else read(file).pixels for name, file in given.items()}
    if known is not None:
        options["known"] = _known(known, known_mask, every, size)
        size = options["known"][0].shape[:2]
    assert size is not None
    with display() as shown, watching(shown.compiling):
        for number, name in enumerate(names):
            with shown.following(name) as callback:
                made = synth.synthesize_details(
                    exemplar, size, seed=seed + number, callback=callback, **options
                )
            image = made.image
            images = list(image.values()) if isinstance(image, dict) else [image]
            for file, pixels in zip(written[name], images, strict=True):
                write(file, pixels, like=pictures[0], overwrite=overwrite)
            if maps is not None:
                Path(maps).mkdir(exist_ok=True)
            for file, kind in zip(drawn[name], kinds, strict=False):
                save(file, _draw(made, kind), overwrite=overwrite)
            if as_json:
                told = {
                    "exemplars": list(exemplars),
                    "outputs": written[name],
                    "width": size[1],
                    "height": size[0],
                    "method": made.method,
                    "why": made.why,
                    "seed": seed + number,
                    "seconds": made.seconds,
                    **({"maps": drawn[name]} if maps else {}),
                }
                click.echo(json.dumps(told))
            elif output != STREAM:
                shown.note(
                    f"wrote {' and '.join(written[name])}: {made.method} in {made.seconds:.1f} s "
                    f"({made.why})"
                )


def _outputs(output: str, samples: int | None) -> list[str]:
    if samples is None:
        return [output]
    stem, ending = os.path.splitext(output)
    return [f"{stem}-{number}{ending}" for number in range(1, samples + 1)]


def _beside(output: str, layer: str) -> str:
    """Return the name of a layer's texture: ``out.png`` and ``normal.tif`` → out-normal.png."""
    stem, ending = os.path.splitext(output)
    return f"{stem}-{Path(layer).stem}{ending}"


def _maps(folder: str | None, name: str, kinds: tuple[str, ...]) -> list[str]:
    if folder is None:
        return []
    return [os.path.join(folder, f"{Path(name).stem}-{kind}.png") for kind in kinds]


def _check(files: list[str], maps: str | None, overwrite: bool) -> None:
    """Refuse before any work is done what could not be written after it."""
    from synth.codecs import format_of
    from synth.errors import FileError
    from synth.unfinished import check_target

    twice = {file for file in files if files.count(file) > 1}
    if twice:
        raise FileError(f"{min(twice)} would be written twice; rename a --layer")
    later = maps is not None and not Path(maps).exists()  # made when there is something for it
    if later and maps is not None:
        check_target(maps)
    for file in files:
        if file == STREAM:
            continue
        format_of(file)
        if not later or Path(file).parent != Path(maps or ""):
            check_target(file, overwrite=overwrite)


def _known(
    file: str, mask: str | None, exemplars: list[Any], size: tuple[int, int] | None
) -> tuple[Any, Any]:
    """Load what stays, and where the texture is to be made; messages name the options."""
    from synth.errors import InputError
    from synth.images import check_finite, check_mask, hole_from_alpha

    name = f"--known {file}"
    pixels = read(file).pixels
    if size is not None and pixels.shape[:2] != size:
        raise InputError(
            f"{name} is {pixels.shape[1]}x{pixels.shape[0]}, but --size is {size[1]}x{size[0]}; "
            "leave --size out"
        )
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if mask is not None:
        told = f"--known-mask {mask}"
        hole = check_mask(read(mask).pixels, pixels.shape, name=told)
    elif channels in (2, 4):
        told = name
        hole = hole_from_alpha(pixels)
        if any(one.shape[2:] != pixels.shape[2:] for one in exemplars):
            pixels = pixels[..., 0] if channels == 2 else pixels[..., :3]
    else:
        raise InputError(
            f"{name} has no transparency to say what is to be made; give --known-mask, white there"
        )
    if not hole.any():
        raise InputError(
            f"{told} leaves nothing to make; "
            + ("it is to be white" if mask else "make it transparent, or give --known-mask, white")
            + " where the texture is to be made"
        )
    for number, one in enumerate(exemplars, 1):
        if (one.shape[2:], one.dtype) != (pixels.shape[2:], pixels.dtype):
            which = "EXEMPLAR" if len(exemplars) == 1 else f"EXEMPLAR {number}"
            raise InputError(
                f"{name} is {_kind(pixels)}, but {which} is {_kind(one)}; convert one of them"
            )
    check_finite(pixels, hole, name=name)
    return pixels, hole


def _kind(pixels: Any) -> str:
    """Name a picture's channels and type."""
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    return f"{pixels.dtype} with {channels} channel{'s' if channels > 1 else ''}"


def _draw(made: Any, kind: str) -> Any:
    """Draw a source map: red for the row, green for the column, blue for the exemplar.

    The order from black to white, the number of candidates by its logarithm. What was known is
    black.
    """
    import numpy as np

    if kind != "source":
        values = made.order + 1.0 if kind == "order" else np.log1p(np.maximum(made.candidates, 0))
        values = np.maximum(values, 0)
        return np.rint(values * (255 / max(values.max(), 1e-9))).astype(np.uint8)
    source_map = made.source_map
    places = np.maximum(source_map[..., -2:], 0).astype(np.float64)
    picture = np.zeros((*source_map.shape[:2], 3), np.uint8)
    picture[..., :2] = np.rint(places * 255 / np.maximum(places.max(axis=(0, 1)), 1))
    if source_map.shape[2] == 3:
        numbers = np.maximum(source_map[..., 0], 0).astype(np.float64)
        picture[..., 2] = np.rint(numbers * 255 / max(numbers.max(), 1))
    return picture
