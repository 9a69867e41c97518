"""Sampling from Efros & Leung's model: pixels, level by level of the dependency graph."""

from __future__ import annotations

import itertools
import os
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError
from synth.progress import Callback, report
from synth.randomness import key_of
from synth.rows import uniforms
from synth.texture.lookup import Lookup, OrderLike
from synth.texture.orders import DependencyGraph, check_shape
from synth.texture.sample import Sample
from synth.texture.similar import Search

__all__ = ["grow"]

#: The last counter words: the candidates, and where the first pixels come from.
_DRAW, _SEED = 48, 49
#: Side of what is copied to begin with where nothing is known (Efros & Leung 1999, section 2).
_FIRST = 3
#: Pixels of a level that a band is worth.
_LEAST = 2


def grow(
    lookup: Lookup,
    shape: tuple[int, int],
    order: OrderLike,
    init: NDArray[Any] | None,
    known: NDArray[Any] | None,
    guide: NDArray[Any] | None,
    periodic: bool,
    longest: int,
    search: Search,
    seed: int,
    callback: Callback | None,
) -> Sample:
    """Draw an image; the arguments are those of `synth.EfrosLeung.sample`."""
    from synth.kernels._jit import thread_count, threads
    from synth.kernels.cpu.barrier import STRIDE
    from synth.kernels.cpu.efros_leung import sample_levels

    start = time.perf_counter()
    key = key_of(seed)
    size = check_shape(shape)
    view = lookup.view(guide, size, periodic)
    image, given, sources = _begin(lookup, size, order, init, known, seed)
    window = lookup.exemplars.half * 2 + 1
    graph = DependencyGraph.of(order, size, window, known=given, periodic=periodic, seed=seed)
    canvas = lookup.canvas(image, given)
    run, candidates = np.zeros(size, np.int32), np.zeros(size, np.int32)
    least, log_q = np.zeros(size), np.zeros(size)
    source, rule = lookup.source, lookup.rule
    steps = graph.by_level()
    pixels = np.concatenate(steps)
    # bands wait for one another after each level: no more of them than there are cores and pixels
    width = len(pixels) // max(1, len(steps) * _LEAST)
    count = max(1, min(thread_count(), os.cpu_count() or 1, width))
    starts = np.cumsum([0, *map(len, steps)])
    progress = np.zeros(count * STRIDE, np.int64)

    def grow_levels(first: int, end: int, band: int) -> None:
        while first < end:
            first = sample_levels(
                source, canvas, graph.rank, sources, run, candidates, least, log_q, view, rule,
                longest, *key, _DRAW, pixels, starts, progress, first, end, count, band,
            )  # fmt: skip
            time.sleep(0)  # another band may need the core to get as far

    with threads() as bands:
        ends = np.unique(np.linspace(0, len(steps), 101).astype(int)).tolist()
        for first, end in itertools.pairwise(ends):
            report(callback, "growing", first / len(steps))
            bands(grow_levels, count, first, end)
    report(callback, "done", 1.0)
    split = lookup.exemplars.split(sources)
    grown = split[..., 0] >= 0
    image[grown] = lookup.exemplars.values(split[grown])
    return Sample(
        image, split, graph, candidates, least, log_q, search, time.perf_counter() - start
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
