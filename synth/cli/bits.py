"""``synth bits``: how many bits a picture takes when a texture is known."""

from __future__ import annotations

import json
from typing import Literal

import click

from synth.cli.group import path

__all__ = ["bits"]


@click.command()
@click.argument("picture", metavar="IMAGE", type=path(dir_okay=False))
@click.option(
    "--exemplar",
    "exemplars",
    metavar="EX",
    multiple=True,
    required=True,
    type=path(dir_okay=False),
    help="The texture that is known. May be given several times.",
)
@click.option(
    "--window", type=click.IntRange(3, 99), metavar="N", default=7, show_default=True, help="Odd."
)
@click.option(
    "--weighting",
    type=click.Choice(["uniform_eps", "softmax", "softmax_relative"]),
    default="softmax_relative",
    show_default=True,
    help="The paper's rule, a kernel of one width, or a soft form of the rule.",
)
@click.option(
    "--temperature", type=click.FloatRange(0, min_open=True), default=0.3, show_default=True
)
@click.option(
    "--order",
    type=click.Choice(["raster", "onion", "spiral", "random", "multiscale"]),
    default="raster",
    show_default=True,
    help="In which the pixels come: each is another model.",
)
@click.option("--map", "drawing", metavar="OUT", type=path(dir_okay=False), help="Draw the bits.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option("--json", "as_json", is_flag=True, help="Print one object.")
def bits(
    picture: str,
    exemplars: tuple[str, ...],
    window: int,
    weighting: Literal["uniform_eps", "softmax", "softmax_relative"],
    temperature: float,
    order: Literal["raster", "onion", "spiral", "random", "multiscale"],
    drawing: str | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Print how many bits a channel of a pixel of IMAGE takes, given the texture EX.

    By Efros & Leung's model as a density. Raw 8-bit pixels take 8; the fewer, the more IMAGE is
    like EX. What EX shows of IMAGE itself is found again and takes next to nothing: give another
    part of the texture. In a drawing, black is 0 bits a channel and white is 16.
    """
    import warnings

    import numpy as np

    import synth
    from synth.codecs import format_of
    from synth.compilation import watching
    from synth.display import display
    from synth.errors import InputError
    from synth.files import load, save
    from synth.unfinished import check_target

    if drawing is not None:
        check_target(drawing, overwrite=overwrite)
        format_of(drawing)
    image = load(picture).pixels
    known = [load(file).pixels for file in exemplars]
    for file, one in zip(exemplars, known, strict=True):
        if one.dtype != image.dtype or one.shape[2:] != image.shape[2:]:
            raise InputError(
                f"{file} is {one.dtype} of shape {one.shape}, but {picture} is {image.dtype} of "
                f"shape {image.shape}; convert one, so that both have the same type and channels"
            )
        if np.array_equal(one, image):
            warnings.warn(
                f"{file} is {picture} itself, so every pixel finds itself there and the bits say "
                "nothing; give another part of the texture as --exemplar",
                UserWarning,
                stacklevel=2,
            )
    model = synth.EfrosLeung(
        window,
        weighting=weighting,
        temperature=temperature,
    )
    with display() as shown, watching(shown.compiling), shown.following(picture) as callback:
        nats = model.fit(*known).log_prob(image, order=order, callback=callback)
    channels = 1 if image.ndim == 2 else image.shape[2]
    each = -nats / (channels * np.log(2))
    if drawing is not None:
        save(drawing, np.rint(np.clip(each, 0, 16) * (255 / 16)).astype(np.uint8),
             overwrite=overwrite)  # fmt: skip
    found = float(each.mean())
    if as_json:
        told = {"picture": picture, "exemplars": list(exemplars), "bits_per_dim": found}
        options = {"window": window, "weighting": weighting, "temperature": temperature}
        click.echo(json.dumps({**told, **options, "order": order}))
    else:
        click.echo(f"{found:.4f}")
