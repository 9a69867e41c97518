"""Nearest-neighbour fields: for every patch of one image, the most similar patch of another."""

from __future__ import annotations

import operator
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from synth.devices import Device, choose_device
from synth.errors import InputError, InputTypeError
from synth.images import check_finite, check_image, check_mask
from synth.patchmatch.field import NearestNeighborField
from synth.progress import Callback, report
from synth.randomness import key_of

__all__ = ["NearestNeighborField", "Quality", "nnf"]

Quality = Literal["draft", "fast", "accurate", "exact"]

#: kd-trees and sweeps of the two qualities that use them
_TREES = {"fast": (1, 3), "accurate": (3, 8)}
#: A tree is built for at least a 16th as many patches as it would hold; below that, PatchMatch
#: with more sweeps takes less time.
_TREE_PAYS = 16
_INSTEAD = {"draft": 1, "fast": 4, "accurate": 12}
#: Pixels that a refinement of a given field searches around it.
_WARM_REACH = 32
#: Largest distance of 8-bit patches that 32-bit sums, with a penalty, can hold.
_LARGEST = 2**30


def nnf(
    target: NDArray[Any],
    source: NDArray[Any],
    *,
    patch: int = 7,
    iterations: int = 5,
    seed: int = 0,
    init: NearestNeighborField | NDArray[Any] | None = None,
    source_mask: NDArray[Any] | None = None,
    target_mask: NDArray[Any] | None = None,
    quality: Quality = "fast",
    k: int = 1,
    device: Device = "auto",
    callback: Callback | None = None,
) -> NearestNeighborField:
    """Find for every patch of ``target`` the most similar patch of ``source``.

    Similar means a small sum of squared differences over all pixels and channels. The result
    depends on the arguments alone, not on the number of threads (``SYNTH_NUM_THREADS``).

    Parameters
    ----------
    target, source : (height, width) or (height, width, channels) ndarray
        Of the same dtype and number of channels, 1 to 64; sizes may differ. uint8 is compared in
        whole numbers; uint16, float32 and float64 are compared as float32.
    patch : int
        Side of the square patches in pixels, 1 up to the shorter side of the smaller image, odd or
        even. Larger patches match larger structures, at a cost that grows with the square.
    iterations : int
        Sweeps of PatchMatch, at least 1; more get closer to the exact field. Used where PatchMatch
        runs: see ``quality``.
    seed : int
        0 to 2**64 − 1. Another seed gives another, about equally good field. "exact" has no
        randomness.
    init : NearestNeighborField or (h, w, 2) integer ndarray, optional
        Start from this field (of ``target``'s shape, the nearest match if it has several) rather
        than from nothing; the result is never worse than it, patch by patch. Entries below 0 start
        at random. "draft" and "fast" then run ``iterations`` local sweeps of PatchMatch and build
        no tree, which is faster than a start from nothing; "exact" has no use for it.
    source_mask : (height, width) ndarray, optional
        True (white) = unknown: source patches that touch such a pixel are never used.
    target_mask : (height, width) ndarray, optional
        True (white) = only patches that touch such a pixel are matched, and the time follows their
        number; all others get −1 in `positions` and `distance`. The pixels under it are compared
        like all others. Without it every patch is matched.
    quality : "draft", "fast", "accurate" or "exact"
        "draft" is PatchMatch (Barnes et al. 2009) with ``iterations`` sweeps. "fast" and
        "accurate" search a kd-tree with propagation (He & Sun 2012); where fewer patches are asked
        for than a 16th of the source's, they are PatchMatch with 4 and 12 times ``iterations``.
        "exact" compares all pairs: minutes for half a megapixel. For ``k`` > 1 the search for one
        match is followed by ``iterations`` ("accurate": twice as many) sweeps of generalized
        PatchMatch (Barnes et al. 2010).
    k : int
        Matches for each patch, all different, at least 1.
    device : "auto", "cpu" or "cuda"
        Only the CPU has kernels yet.
    callback : callable, optional
        Called with `synth.progress.Progress` between steps; what it raises stops the work.

    Returns
    -------
    NearestNeighborField
        With ``h = height − patch + 1`` rows and ``w = width − patch + 1`` columns.

    Raises
    ------
    InputError, InputTypeError
        An argument cannot be worked with; the message says how to mend it.
    DeviceError
        The device is not there.

    Examples
    --------
    >>> image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    >>> field = nnf(image[5:25, 10:40], image, quality="exact")
    >>> field.positions[0, 0], int(field.distance.max())
    (array([ 5, 10], dtype=int32), 0)
    """
    choose_device(device)
    if quality not in get_args(Quality):
        names = ", ".join(map(repr, get_args(Quality)))
        raise InputError(f"quality is {quality!r}, but it must be one of {names}")
    patch, iterations, k = (
        whole(value, name)
        for value, name in ((patch, "patch"), (iterations, "iterations"), (k, "k"))
    )
    key = key_of(seed)
    target, source = comparable(target, source, patch)
    forbidden, source = _unusable(source, source_mask, patch)
    check_finite(target, name="target")
    check_range(target, source, patch)
    usable = int(np.prod(_grid(source, patch)))
    usable -= 0 if forbidden is None else int(np.count_nonzero(forbidden))
    if usable < k:
        _raise_too_few(usable, k, patch, source_mask)
    h, w = _grid(target, patch)
    start = None if init is None else _start(init, (h, w), _grid(source, patch))
    query, window = _asked(target_mask, target.shape, patch)

    kind = np.int32 if source.dtype == np.uint8 else np.float32
    positions = np.full((h, w, k, 2), -1, np.int32)
    distance = np.full((h, w, k), -1, kind)
    if query is None or query.any():
        rows, columns = window
        part = target[rows.start : rows.stop + patch - 1, columns.start : columns.stop + patch - 1]
        found, cost = _search(
            np.ascontiguousarray(part), source, patch, iterations, key,
            None if start is None else start[window], query, forbidden, quality, k, callback,
        )  # fmt: skip
        asked = slice(None) if query is None else query
        positions[window][asked] = found[asked]
        distance[window][asked] = cost[asked]
    report(callback, "nearest neighbours", 1.0)
    if k == 1:
        positions, distance = positions[:, :, 0], distance[:, :, 0]
    return NearestNeighborField(positions, distance, patch)


def _search(
    target: NDArray[Any], source: NDArray[Any], patch: int, iterations: int,
    key: tuple[int, int], start: NDArray[np.int32] | None, query: NDArray[np.bool_] | None,
    forbidden: NDArray[np.bool_] | None, quality: Quality, k: int, callback: Callback | None,
) -> tuple[NDArray[np.int32], NDArray[Any]]:  # fmt: skip
    """Run the search that ``quality`` and the number of patches call for: (h, w, k, …)."""
    from synth.kernels._jit import threads
    from synth.patchmatch import search

    with threads() as bands:
        pair = search.prepare(target, source, patch, query, forbidden, key, bands)
        # k > 1 goes on after the search for one match, which takes a third of the time at most
        share = 1.0 if k == 1 or quality == "exact" else 0.3

        def tell(fraction: float) -> None:
            report(callback, "nearest neighbours", share * fraction)

        if quality == "exact":
            return search.by_all(pair, k, tell)
        field = np.full((*pair.grid, 2), -1, np.int32) if start is None else start.copy()
        reach = max(pair.source_grid)
        wanted = field[..., 0].size if query is None else int(np.count_nonzero(query))
        pays = quality != "draft" and wanted * _TREE_PAYS >= (
            pair.choices.size or int(np.prod(pair.source_grid))
        )
        if start is not None and quality in ("draft", "fast"):
            cost = search.by_patchmatch(pair, field, iterations, _WARM_REACH, tell)
        elif pays:
            cost = search.by_tree(pair, field, *_TREES[quality], tell)
        else:
            sweeps = _INSTEAD[quality] * iterations
            cost = search.by_patchmatch(pair, field, sweeps, reach, tell)
        if k == 1:
            return field[:, :, None], cost[:, :, None]

        def tell_more(fraction: float) -> None:
            report(callback, f"{k} nearest neighbours", share + (1 - share) * fraction)

        again = iterations * (2 if quality == "accurate" else 1)
        return search.by_patchmatch_k(pair, field[:, :, None], k, again, reach, tell_more)


def whole(value: int, name: str) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise InputTypeError(
            f"{name} is {value!r} ({type(value).__name__}), but a whole number is needed"
        ) from None
    if number < 1:
        raise InputError(f"{name} is {number}, but it must be at least 1")
    return number


def _grid(image: NDArray[Any], patch: int) -> tuple[int, int]:
    return image.shape[0] - patch + 1, image.shape[1] - patch + 1


def comparable(
    target: NDArray[Any], source: NDArray[Any], patch: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Check two images together; return them as (rows, columns, channels) uint8 or float32."""
    target, source = check_image(target, name="target"), check_image(source, name="source")
    if target.dtype != source.dtype:
        raise InputTypeError(
            f"target is {target.dtype} but source is {source.dtype}, whose values have other "
            "ranges; convert one of them so that equal colours have equal values"
        )
    channels = [1 if image.ndim == 2 else image.shape[2] for image in (target, source)]
    if channels[0] != channels[1]:
        raise InputError(
            f"target has {channels[0]} channel{'s' * (channels[0] > 1)} but source has "
            f"{channels[1]}; convert one of them, or keep the same channels of both"
        )
    for image, name in ((target, "target"), (source, "source")):
        if min(image.shape[:2]) < patch:
            raise InputError(
                f"{name} is {image.shape[0]}×{image.shape[1]}, which has no room for a patch of "
                f"{patch}×{patch}; pass patch={min(image.shape[:2])} or less"
            )
    if target.dtype == np.uint8:
        if patch * patch * channels[0] * 255**2 >= _LARGEST:
            raise InputError(
                f"distances of {patch}×{patch} patches with {channels[0]} channels of uint8 do "
                "not fit into 32 bits; pass both images as .astype(numpy.float32)"
            )
    else:
        most = float(np.finfo(np.float32).max)
        for image, name in ((target, "target"), (source, "source")):
            largest = float(np.abs(image).max(where=np.isfinite(image), initial=0))
            if largest > most:
                raise InputError(
                    f"{name} has values up to {largest:g}, more than float32 can hold, as which "
                    "they are compared; divide both images by the same number"
                )
        target, source = (image.astype(np.float32, copy=False) for image in (target, source))
    return (
        target.reshape(*target.shape[:2], channels[0]),
        source.reshape(*source.shape[:2], channels[0]),
    )


def check_range(target: NDArray[Any], source: NDArray[Any], patch: int) -> None:
    """Raise if distances of floats could become infinite."""
    if source.dtype.kind != "f":
        return
    low = min(float(target.min()), float(source.min()))
    high = max(float(target.max()), float(source.max()))
    if (high - low) ** 2 * patch * patch * source.shape[2] > 1e38:
        raise InputError(
            f"values run from {low:g} to {high:g}, whose squared distances do not fit into "
            "float32; divide both images by the same number"
        )


def _touching(mask: NDArray[np.bool_], patch: int) -> NDArray[np.bool_]:
    """Tell for each patch whether it touches a True pixel of the mask."""
    sums = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.int32)
    np.cumsum(np.cumsum(mask, axis=0, dtype=np.int32), axis=1, out=sums[1:, 1:])
    inside = sums[patch:] - sums[:-patch]
    touched: NDArray[np.bool_] = (inside[:, patch:] - inside[:, :-patch]) > 0
    return touched


def _unusable(
    source: NDArray[Any], mask: NDArray[Any] | None, patch: int
) -> tuple[NDArray[np.bool_] | None, NDArray[Any]]:
    """Return which source patches touch the mask, and the source with nothing odd under it."""
    if mask is None:
        check_finite(source, name="source")
        return None, source
    unknown = check_mask(mask, source.shape, name="source_mask")
    check_finite(source, unknown, name="source")
    if not unknown.any():
        return None, source
    if source.dtype.kind == "f":
        source = np.where(unknown[..., None], np.float32(0), source)
    return _touching(unknown, patch), source


def _raise_too_few(usable: int, k: int, patch: int, mask: NDArray[Any] | None) -> None:
    some = "no" if usable == 0 else f"only {usable}"
    where = "source has" if mask is None else "source_mask leaves"
    mend = "a smaller patch" if mask is None else "a smaller patch or a smaller mask"
    raise InputError(
        f"{where} {some} patch{'es' * (usable != 1)} of {patch}×{patch} to match with, but at "
        f"least {k} {'is' if k == 1 else 'are'} needed; use {mend}{' or a smaller k' * (k > 1)}"
    )


def _asked(
    mask: NDArray[Any] | None, shape: tuple[int, ...], patch: int
) -> tuple[NDArray[np.bool_] | None, tuple[slice, slice]]:
    """Return which patches of a window are asked for (None = all), and that window."""
    h, w = shape[0] - patch + 1, shape[1] - patch + 1
    everything = (slice(0, h), slice(0, w))
    if mask is None:
        return None, everything
    hole = check_mask(mask, shape, name="target_mask")
    if not hole.any():
        return np.zeros((h, w), np.bool_), everything
    rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    top, bottom = max(0, rows[0] - patch + 1), min(h, rows[-1] + 1)
    left, right = max(0, columns[0] - patch + 1), min(w, columns[-1] + 1)
    part = hole[top : bottom + patch - 1, left : right + patch - 1]
    return _touching(part, patch), (slice(top, bottom), slice(left, right))


def _start(
    init: NearestNeighborField | NDArray[Any], grid: tuple[int, int], source_grid: tuple[int, int]
) -> NDArray[np.int32]:
    """Check a field to start from: (h, w, 2)."""
    positions = init.positions if isinstance(init, NearestNeighborField) else np.asarray(init)
    if positions.dtype.kind not in "iu":
        raise InputTypeError(
            f"init is of type {positions.dtype}, but whole numbers are needed, row and column of "
            "patches; pass a NearestNeighborField or its .positions"
        )
    if positions.ndim == 4:
        positions = positions[:, :, 0]
    if positions.shape != (*grid, 2):
        raise InputError(
            f"init is {'×'.join(map(str, positions.shape))}, but the target has "
            f"{grid[0]}×{grid[1]} patches, so {grid[0]}×{grid[1]}×2 is needed; resize the field "
            "and scale its positions with it"
        )
    known = np.all(positions >= 0, axis=-1)
    outside = known & np.any(positions >= np.array(source_grid), axis=-1)
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise InputError(
            f"init points outside the source, first at row {row}, column {column}: "
            f"{positions[row, column].tolist()}, but source patches end at "
            f"[{source_grid[0] - 1}, {source_grid[1] - 1}]; clip it to that"
        )
    return np.where(known[..., None], positions, -1).astype(np.int32)
