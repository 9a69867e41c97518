"""Textures of any size from an exemplar: p(texture | exemplar), looked up in the exemplar."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.devices import Device, choose_device
from synth.progress import Callback, report
from synth.texture.details import Synthesis, copy_from
from synth.texture.request import Layers, Method, Quality, Request, make_request

__all__ = ["Synthesis", "synthesize", "synthesize_details"]


def synthesize(
    exemplar: Layers | Sequence[Layers],
    shape: tuple[int, int],
    *,
    method: Method = "auto",
    tile: bool = False,
    guide: NDArray[Any] | None = None,
    exemplar_guide: NDArray[Any] | Sequence[NDArray[Any]] | None = None,
    exemplar_mask: NDArray[Any] | Sequence[NDArray[Any] | None] | None = None,
    known: tuple[Any, NDArray[Any]] | None = None,
    patch: int | None = None,
    variation: float = 0.5,
    seed: int = 0,
    quality: Quality = "normal",
    device: Device = "auto",
    callback: Callback | None = None,
) -> Any:
    """Make a texture that looks like the exemplar, of any size.

    Every pixel is copied unchanged from the exemplar; which one, `synthesize_details` says.

    Parameters
    ----------
    exemplar : (rows, columns[, channels]) uint8, uint16, float32 or float64; dict; list
        At least 8×8. A dict of such arrays of one size is a stack of layers, such as colour,
        normals and roughness: they are matched together and copied from the same places. A list
        is several exemplars (arrays, or dicts of the same layers), of any sizes.
    shape : (int, int)
        Rows and columns of the texture in pixels, 8 to 32768.
    method : {"auto", "efros-leung", "quilting", "patchmatch"}
        "efros-leung" draws pixel by pixel (Efros & Leung 1999; see `EfrosLeung`): for small
        textures, and to study them. "quilting" lays blocks that agree where they overlap and cuts
        them where they agree most (Efros & Freeman 2001): it keeps structures as large as a block
        whole. "patchmatch" optimises all patches together, coarse to fine (Kwatra et al. 2005,
        Granot et al. 2022). "auto" takes "patchmatch" where something is known or guides, and
        else tries it and "quilting" on a small texture.
    tile : bool
        Whether the texture repeats without a seam: its opposite borders fit together.
    guide, exemplar_guide : (rows, columns[, k]), optional
        What is to be where in the texture, and what is where in the exemplar (texture by
        numbers: Hertzmann et al. 2001, "Image analogies"). Labels (up to 16 different integers or
        colours) weigh as much as the colours do; anything else is a map of features, scaled by
        its range, each of which weighs as much as one colour channel. A list of exemplars has a
        list of guides.
    exemplar_mask : (rows, columns), optional
        True (white) = never copied, and its values do not matter. A list of exemplars has a list
        of masks, None among them.
    known : (picture, mask), optional
        A picture of the texture's size and the exemplar's channels and dtype (a dict of them for
        layers), and where it is to be synthesised: True (white). The rest stays as it is, bit for
        bit, and the texture goes on from it. For "patchmatch".
    patch : int, optional
        Side in pixels of a patch (7 by default), of the window of "efros-leung" (11), or of a
        block in quilting (a 5th of the exemplar's shorter side, 8 to 64). Larger ones keep larger
        structures, and copy more.
    variation : float
        0 to 1. Larger: blocks are drawn among more candidates, and the exemplar is used more
        evenly. At 0 quilting may copy the exemplar on at length. For "efros-leung" a 5th of it is
        the paper's ε.
    seed : int
        0 to 2**64 − 1. Another seed is another texture; the same seed gives the same bytes for
        any number of threads.
    quality : {"draft", "normal", "best"}
        How many rounds of search and vote "patchmatch" makes: about a third, one and three times
        the work of "normal". The others have one quality.
    device : {"auto", "cpu", "cuda"}
        Where to run.
    callback : callable, optional
        Called with `synth.progress.Progress`. Whatever it raises stops the work.

    Returns
    -------
    (rows, columns[, channels]) ndarray, or dict of them
        Of the exemplar's dtype.

    Raises
    ------
    InputError
        The arguments do not fit together.
    InputTypeError
        An argument is of the wrong kind.
    DeviceError
        ``device`` is not there.

    Examples
    --------
    >>> exemplar = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    >>> synthesize(exemplar, (64, 100), tile=True).shape
    (64, 100, 3)
    """
    return synthesize_details(
        exemplar, shape, method=method, tile=tile, guide=guide, exemplar_guide=exemplar_guide,
        exemplar_mask=exemplar_mask, known=known, patch=patch, variation=variation, seed=seed,
        quality=quality, device=device, callback=callback,
    ).image  # fmt: skip


def synthesize_details(
    exemplar: Layers | Sequence[Layers],
    shape: tuple[int, int],
    *,
    method: Method = "auto",
    tile: bool = False,
    guide: NDArray[Any] | None = None,
    exemplar_guide: NDArray[Any] | Sequence[NDArray[Any]] | None = None,
    exemplar_mask: NDArray[Any] | Sequence[NDArray[Any] | None] | None = None,
    known: tuple[Any, NDArray[Any]] | None = None,
    patch: int | None = None,
    variation: float = 0.5,
    seed: int = 0,
    quality: Quality = "normal",
    device: Device = "auto",
    callback: Callback | None = None,
) -> Synthesis:
    """Do what `synthesize` does, and tell where each pixel is from.

    Parameters and errors are those of `synthesize`.

    Returns
    -------
    Synthesis
    """
    choose_device(device)
    begin = time.perf_counter()
    request = make_request(
        exemplar, shape, method=method, tile=tile, guide=guide, exemplar_guide=exemplar_guide,
        exemplar_mask=exemplar_mask, known=known, patch=patch, variation=variation,
        quality=quality, seed=seed,
    )  # fmt: skip
    from synth.texture.methods import run

    made = run(request, callback)
    pictures = [_picture(request, layer, made.source_map) for layer in range(len(request.layers))]
    report(callback, "done", 1.0)
    names = request.names
    return Synthesis(
        image=pictures[0] if names is None else dict(zip(names, pictures, strict=True)),
        source_map=made.source_map,
        method=made.method,
        seconds=time.perf_counter() - begin,
        why=made.why,
        order=made.order,
        candidates=made.candidates,
    )


def _picture(request: Request, layer: int, source_map: NDArray[np.int32]) -> NDArray[Any]:
    picture = copy_from(request.layers[layer], source_map)
    if request.known is not None and request.unknown is not None:
        picture[~request.unknown] = request.known[layer][~request.unknown]
    return picture
