"""Sampling from Efros & Leung's model: pixels, level by level of the dependency graph."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError
from synth.progress import Callback, report
from synth.randomness import key_of
from synth.rows import uniforms
from synth.texture.lookup import Lookup, OrderLike, check_shape
from synth.texture.orders import DependencyGraph
from synth.texture.sample import Sample

__all__ = ["grow"]

#: The last counter words: the candidates, and where the first pixels come from.
_DRAW, _SEED = 48, 49
#: Side of what is copied to begin with where nothing is known (Efros & Leung 1999, section 2).
_FIRST = 3


def grow(
    lookup: Lookup,
    shape: tuple[int, int],
    order: OrderLike,
    init: NDArray[Any] | None,
    known: NDArray[Any] | None,
    guide: NDArray[Any] | None,
    periodic: bool,
    longest: int,
    seed: int,
    callback: Callback | None,
) -> Sample:
    """Draw an image; the arguments are those of `synth.EfrosLeung.sample`."""
    from synth.kernels._jit import thread_count, threads
    from synth.kernels.cpu.efros_leung import sample_level

    start = time.perf_counter()
    key = key_of(seed)
    size = check_shape(shape)
    field = lookup.field(guide, size)
    image, given, sources = _begin(lookup, size, order, init, known, seed)
    window = lookup.exemplars.half * 2 + 1
    graph = DependencyGraph.of(order, size, window, known=given, periodic=periodic, seed=seed)
    canvas = lookup.canvas(image, given)
    run, candidates = np.zeros(size, np.int32), np.zeros(size, np.int32)
    least, log_q = np.zeros(size), np.zeros(size)
    steps, told = graph.by_level(), 0
    with threads() as bands:
        for number, pixels in enumerate(steps):
            if number * 100 >= told * len(steps):
                report(callback, "growing", number / len(steps))
                told += 1
            count = min(len(pixels), thread_count())
            bands(
                sample_level, count, *lookup.source, canvas, graph.rank, sources, run, candidates,
                least, log_q, *field, periodic, *lookup.rule, longest, *key, _DRAW, pixels, count,
            )  # fmt: skip
    report(callback, "done", 1.0)
    split = lookup.exemplars.split(sources)
    grown = split[..., 0] >= 0
    image[grown] = lookup.exemplars.values(split[grown])
    return Sample(
        image, split, graph, candidates, least, log_q, "exact", time.perf_counter() - start
    )


def _begin(
    lookup: Lookup,
    size: tuple[int, int],
    order: OrderLike,
    init: NDArray[Any] | None,
    known: NDArray[Any] | None,
    seed: int,
) -> tuple[NDArray[Any], NDArray[np.bool_], NDArray[np.int64]]:
    """Return the image as it begins, what is known of it, and where that comes from."""
    first = lookup.exemplars.images[0]
    sources = np.full(size, -1, np.int64)
    if (init is None) != (known is None):
        raise InputError(
            "init and known belong together: the values, and which of them are given; "
            f"{'init' if init is None else 'known'} is missing"
        )
    if init is not None:
        image, given = lookup.check_output(init, known)
        if image.shape[:2] != size:
            raise InputError(f"init is {image.shape}, but shape asks for {size}")
        return image.copy(), given, sources
    image = np.zeros((*size, *first.shape[2:]), first.dtype)
    given = np.zeros(size, np.bool_)
    if isinstance(order, str) and order in ("onion", "spiral"):
        side = [min(_FIRST, length) for length in size]
        corner = [(length - own) // 2 for length, own in zip(size, side, strict=True)]
        allowed = lookup.exemplars.allowed
        center = int(allowed[int(uniforms(seed, _SEED)(1)[0] * len(allowed))])
        there = np.zeros(size, np.bool_)
        there[corner[0] : corner[0] + side[0], corner[1] : corner[1] + side[1]] = True
        y, x = np.nonzero(there)
        middle = np.array(corner) + np.array(side) // 2
        places = center + (y - middle[0]) * lookup.exemplars.stride + x - middle[1]
        # with borders="masked" the neighbours of the centre may be missing
        usable = np.isin(places, allowed) | (lookup.exemplars.valid.size == 0)
        given[y[usable], x[usable]] = True
        sources[y[usable], x[usable]] = places[usable]
        image[given] = lookup.exemplars.values(lookup.exemplars.split(sources[given]))
    return image, given, sources
