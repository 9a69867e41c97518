"""How probable given pixels are under Efros & Leung's model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError
from synth.images import check_finite, check_image, check_mask
from synth.progress import Callback, report
from synth.rows import uniforms
from synth.texture.exemplars import Exemplars
from synth.texture.lookup import Lookup, OrderLike
from synth.texture.orders import DependencyGraph

__all__ = [
    "noise_level",
    "score",
    "some_pixels",
    "supports",
]

#: Rows of a band: the same for any number of threads.
_ROWS = 8
#: The last counter word of pixels that are chosen to be scored.
_CHOSEN = 51
#: Own windows that tell the noise level.
_PROBES = 200


def score_image(
    lookup: Lookup,
    image: Any,
    order: OrderLike,
    known: Any,
    guide: NDArray[Any] | None,
    leave_out: int,
    seed: int,
    callback: Callback | None,
) -> NDArray[np.float64]:
    """Check and score a whole image; the arguments are those of `synth.EfrosLeung.log_prob`."""
    image = check_image(image)
    size = image.shape[:2]
    every = np.ones(size, np.bool_)
    if lookup.value_scale == 0 and image.dtype.kind == "f":
        raise InputError(
            "value_kernel is 'none', which gives the exemplar's values probabilities, but real "
            "values need a density; take value_kernel='laplace'"
        )
    given = ~every if known is None else check_mask(known, size, name="known")
    check_finite(image)
    image, _ = lookup.check_output(image, every)
    first = lookup.exemplars.images[0].shape[:2]
    if leave_out and size != first:
        raise InputError(
            f"leave_out needs the first exemplar itself, but the image is {size} and the "
            f"exemplar {first}"
        )
    window = 2 * lookup.exemplars.half + 1
    graph = DependencyGraph.of(order, size, window, known=given, seed=seed)
    return score(lookup, image, graph.rank, ~given, guide, leave_out, callback)


def score(
    lookup: Lookup,
    image: NDArray[Any],
    rank: NDArray[np.int32],
    wanted: NDArray[np.bool_],
    guide: NDArray[Any] | None,
    leave_out: int,
    callback: Callback | None = None,
) -> NDArray[np.float64]:
    """Return log p of the wanted pixels given those of smaller rank, 0 elsewhere.

    With ``leave_out``, candidates less than so many rows and columns from the pixel's own place in
    the first exemplar are left out.
    """
    from synth.kernels._jit import thread_count, threads
    from synth.kernels.cpu.efros_leung import score_band

    exemplars = lookup.exemplars
    size = rank.shape
    canvas = exemplars.levels(image)
    view = lookup.view(guide, size)
    out, nearest = np.zeros(size), np.full(size, -1, np.int64)
    home = exemplars.places(size) if leave_out else np.full(size, -1, np.int64)
    bounds = np.append(np.arange(0, size[0], _ROWS), size[0]).astype(np.int64)
    normalizer = _kernel_normalizer(exemplars, lookup.value_scale)
    options = (
        lookup.source, canvas, rank, view, lookup.rule, lookup.value_scale, normalizer,
        lookup.floor, _uniform_log_prob(exemplars), home, leave_out, wanted, nearest, out,
    )  # fmt: skip
    with threads() as bands:
        batch = 4 * thread_count()
        for first in range(0, len(bounds) - 1, batch):
            report(callback, "scoring", first / len(bounds))
            bands(score_band, min(batch, len(bounds) - 1 - first), *options, bounds[first:])
    report(callback, "done", 1.0)
    out[wanted] += lookup.exemplars.levels.nats * exemplars.channels
    return out


def supports(
    lookup: Lookup,
    image: NDArray[Any],
    known: NDArray[np.bool_],
    places: NDArray[np.int64],
    guide: NDArray[Any] | None,
) -> tuple[list[NDArray[np.int64]], list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Return places in the atlas, distances and log-weights of the candidates of some pixels."""
    from synth.kernels.cpu.efros_leung import support_at

    canvas = lookup.canvas(image, known)
    view = lookup.view(guide, known.shape)
    rank = np.where(known, np.int32(-1), np.int32(1))
    found = []
    for y, x in places.tolist():
        rank[y, x] = 0  # not before itself
        found.append(support_at(lookup.source, canvas, rank, view, lookup.rule, y, x))
        rank[y, x] = -1 if known[y, x] else 1
    if not found:
        return [], [], []
    return tuple(list(parts) for parts in zip(*found, strict=True))  # type: ignore[return-value]


def some_pixels(usable: NDArray[np.bool_], count: int, seed: int) -> NDArray[np.bool_]:
    """Choose at most ``count`` of the usable pixels."""
    places = np.flatnonzero(usable)
    keys = uniforms(seed, _CHOSEN)(len(places))
    chosen = np.zeros(usable.shape, np.bool_)
    chosen.ravel()[places[np.argsort(keys)[:count]]] = True
    return chosen


def _kernel_normalizer(exemplars: Exemplars, scale: float) -> NDArray[np.float64]:
    """Log of what the Laplace kernel around each element of the atlas adds up to.

    Over the values that there are: sums of two geometric series, or two integrals up to the ends
    of the range.
    """
    values = exemplars.atlas.astype(np.float64)
    if scale == 0:
        return np.zeros(0)
    step = exemplars.levels.step
    if step == 0:
        tails = np.exp(-values / scale) + np.exp(-(255.0 - values) / scale)
        return np.asarray(np.log(scale * (2 - tails)))
    ratio = np.exp(-step / scale)
    below, above = values / step + 1, (255.0 - values) / step + 1
    return np.asarray(np.log((1 + ratio - ratio**below - ratio**above) / (1 - ratio)))


def _uniform_log_prob(exemplars: Exemplars) -> float:
    """Log-probability of a pixel if all values are alike, in levels where values are real."""
    step = exemplars.levels.step
    return -exemplars.channels * float(np.log(255.0 / step + 1 if step else 255.0))


def noise_level(lookup: Lookup) -> float:
    """Median least distance of the first exemplar's windows from others that do not overlap."""
    from synth.kernels.cpu.efros_leung import least_distances

    exemplars = lookup.exemplars
    size = exemplars.images[0].shape[:2]
    own = exemplars.places(size)
    usable = np.isin(own, exemplars.allowed)
    if not usable.any():
        return 1.0
    chosen = own[some_pixels(usable, _PROBES, 0)]
    window = 2 * exemplars.half + 1
    found = least_distances(lookup.source, chosen, lookup.offsets, lookup.weights, window)
    found = found[np.isfinite(found)]
    # exemplars hardly larger than the window have no other windows: one level then
    return float(max(1.0, np.median(found))) if len(found) else 1.0
