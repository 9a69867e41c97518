"""How much of a texture is copied from its exemplar in one piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.compare.metrics.checks import check_pair
from synth.errors import InputError, InputTypeError
from synth.patchmatch.field import NearestNeighborField
from synth.patchmatch.nnf import Quality, nnf
from synth.progress import Callback

__all__ = ["Copying", "copying", "copying_of_field", "copying_of_map"]

_BLOCK = 1 << 20  # numbers of patches compared at a time, 8 MB each side


@dataclass(frozen=True, eq=False)
class Copying:
    """What `copying` and `copying_of_map` return.

    A *region* is a largest set of places, connected side by side, that one shift of the exemplar
    explains: inside it the output is the exemplar, in one piece.

    Attributes
    ----------
    coherence : float
        Share of the pairs of horizontal or vertical neighbours that are in one region, 0 to 1.
    mean_region : float
        Area of the region around a place, averaged over all places (so large regions count by
        their area), as a share of the exemplar's area.
    largest_region : float
        Area of the largest region as a share of the exemplar's area: 1 = the whole exemplar was
        copied. Above 1 only where the exemplar is flat or repeats itself exactly.
    regions : (h, w) int32
        The number of the region of each place, in order of appearance; −1 where nothing was
        copied.
    """

    coherence: float
    mean_region: float
    largest_region: float
    regions: NDArray[np.int32]

    def __repr__(self) -> str:
        """Say the three numbers, not the map."""
        return (
            f"Copying(coherence={self.coherence:.4g}, mean_region={self.mean_region:.4g}, "
            f"largest_region={self.largest_region:.4g})"
        )


def copying(
    output: NDArray[Any],
    exemplar: NDArray[Any],
    *,
    patch: int = 7,
    quality: Quality = "exact",
    seed: int = 0,
    callback: Callback | None = None,
) -> Copying:
    r"""Measure how much of ``output`` goes on as the exemplar does.

    Every patch of the output is matched to its nearest patch of the exemplar, at :math:`s(p)`. Two
    neighbours :math:`p, q` are coherent if their shifts agree, :math:`s(p) - p = s(q) - q`, or if
    the shift of one would do for the other no worse than its own nearest patch: flat or repeating
    exemplars have many nearest patches, and it is chance which one a search names.

    Another crop of the same texture is coherent too, somewhat: what is smooth is matched
    smoothly. Read the numbers beside its (`texture_report` does).

    Parameters
    ----------
    output, exemplar : (H, W) or (H, W, C) array
        Of the same type and channels; sizes may differ.
    patch : int
        Side of the patches in pixels. Larger ones see only larger copies, and more surely.
    quality : str
        Of the search, see `synth.nnf`. "exact" takes about 1 ns a pair of patches, 4 s for
        256×256 in 256×256 on one core.
    seed : int
        Of the search, where it is not exact.
    callback : callable, optional
        Called with `synth.progress.Progress` between steps; what it raises stops the work.

    Returns
    -------
    Copying
        Places and areas are counted in patches.

    Raises
    ------
    InputError, InputTypeError
        The images cannot be compared.

    References
    ----------
    Ashikhmin, "Synthesizing natural textures", I3D 2001 (coherence: neighbours whose sources are
    neighbours).

    Examples
    --------
    >>> noise = np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)
    >>> copying(noise, noise)
    Copying(coherence=1, mean_region=1, largest_region=1)
    """
    field = nnf(output, exemplar, patch=patch, quality=quality, seed=seed, callback=callback)
    return copying_of_field(field, output, exemplar)


def copying_of_field(
    field: NearestNeighborField, output: NDArray[Any], exemplar: NDArray[Any]
) -> Copying:
    """Do as `copying`, where ``synth.nnf(output, exemplar)`` is at hand already.

    Raises
    ------
    InputError, InputTypeError
        The field does not belong to the two images.
    """
    first, second = check_pair(output, exemplar, ("output", "exemplar"))
    grids = [tuple(n - field.patch + 1 for n in image.shape[:2]) for image in (first, second)]
    sources = field.positions if field.positions.ndim == 3 else field.positions[:, :, 0]
    if sources.shape[:2] != grids[0] or (sources.reshape(-1, 2).max(axis=0) >= grids[1]).any():
        raise InputError(
            f"the field is {sources.shape[0]}×{sources.shape[1]} and does not fit an output of "
            f"{first.shape[0]}×{first.shape[1]} and an exemplar of {second.shape[0]}×"
            f"{second.shape[1]}; pass the images that were matched"
        )
    number = np.where(sources[..., :1] >= 0, np.int32(0), np.int32(-1))
    return _measure(
        np.concatenate([number, sources], axis=2),
        [grids[1][0] * grids[1][1]],
        (first, second, field.patch),
    )


def copying_of_map(source: NDArray[Any], *exemplar_shapes: tuple[int, ...]) -> Copying:
    """Measure copying where it is known from which pixel of the exemplar each pixel came.

    Two neighbours are coherent if their sources stand to each other as they do. Nothing is
    searched for and nothing compared, so this is instant; it sees what was done, where `copying`
    sees what it looks like.

    Parameters
    ----------
    source : (H, W, 2) or (H, W, 3) integer array
        Row and column of the exemplar's pixel that each pixel was taken from, behind the number
        of the exemplar where there are three; −1 = from nowhere. What `synth.synthesize_details`
        calls ``source_map`` and `synth.EfrosLeung.sample` calls ``source``.
    *exemplar_shapes : tuple of int
        Height and width of each exemplar. A region is measured by the one it comes from.

    Returns
    -------
    Copying
        Places and areas are counted in pixels.

    Raises
    ------
    InputTypeError
        The map is not of whole numbers.
    InputError
        The map is not of such a shape, points outside the exemplars, or has no two neighbours with
        a source.

    Examples
    --------
    >>> rows, columns = np.indices((4, 8))
    >>> twice = np.stack([rows, columns % 4], axis=-1)  # the exemplar, and the exemplar again
    >>> copying_of_map(twice, (4, 4))
    Copying(coherence=0.9231, mean_region=1, largest_region=1)
    """
    source = np.asarray(source)
    if source.dtype.kind not in "iu":
        raise InputTypeError(
            f"source is of type {source.dtype}, but whole numbers are needed, row and column of "
            "the exemplar's pixels"
        )
    if source.ndim != 3 or source.shape[2] not in (2, 3):
        shape = "×".join(map(str, source.shape))
        raise InputError(
            f"source is {shape}, but height×width×2 is needed: row and column of the exemplar's "
            "pixel, for each pixel; or height×width×3, with the number of the exemplar first"
        )
    if source.shape[2] == 2:
        number = np.where((source >= 0).all(axis=2), 0, -1)
    else:
        number = source[..., 0]
    if number.max(initial=-1) >= len(exemplar_shapes):
        raise InputError(
            f"source names {int(number.max()) + 1} exemplars, but the shape of "
            f"{len(exemplar_shapes)} was given; pass them all, in order"
        )
    for which, (height, width) in enumerate(shape[:2] for shape in exemplar_shapes):
        here = source[number == which][:, -2:]
        if (here < 0).any() or (here >= (height, width)).any():
            raise InputError(
                f"source points outside an exemplar of {height}×{width}; pass the shape of the "
                "exemplar that the map belongs to"
            )
    whole = np.concatenate([number[..., None], source[..., -2:]], axis=2).astype(np.int32)
    return _measure(whole, [shape[0] * shape[1] for shape in exemplar_shapes], None)


def _measure(
    sources: NDArray[np.int32],
    areas: list[int],
    compared: tuple[NDArray[np.float64], NDArray[np.float64], int] | None,
) -> Copying:
    """Join coherent neighbours, and measure the regions they make.

    ``sources`` are number of the exemplar (−1 = none), row and column; ``areas`` the exemplars'.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    h, w = sources.shape[:2]
    exemplar = sources[..., 0].ravel()
    copied = exemplar >= 0
    offsets = (sources[..., 1:] - np.moveaxis(np.indices((h, w)), 0, -1)).reshape(-1, 2)
    place = np.arange(h * w).reshape(h, w)
    pairs = [(place[:-1], place[1:]), (place[:, :-1], place[:, 1:])]
    p, q = (np.concatenate([pair[side].ravel() for pair in pairs]) for side in (0, 1))
    both = copied[p] & copied[q]
    p, q = p[both], q[both]
    if p.size == 0:
        raise InputError(
            "no two neighbours have a source, so that nothing can be said of copying; "
            "pass a larger output"
        )
    coherent = (exemplar[p] == exemplar[q]) & (offsets[p] == offsets[q]).all(axis=1)
    if compared is not None:
        apart = np.flatnonzero(~coherent)
        coherent[apart] = _exchangeable(p[apart], q[apart], offsets, w, compared)
    edges = coo_array(
        (np.ones(np.count_nonzero(coherent), np.int8), (p[coherent], q[coherent])),
        shape=(h * w, h * w),
    )
    _, found = connected_components(edges, directed=False)
    _, first, label, sizes = np.unique(
        found[copied], return_index=True, return_inverse=True, return_counts=True
    )
    regions = np.full(h * w, -1, np.int32)
    regions[copied] = label
    shares = sizes / np.array(areas)[exemplar[copied][first]]
    return Copying(
        float(coherent.mean()),
        float((sizes * shares).sum() / sizes.sum()),
        float(shares.max()),
        regions.reshape(h, w),
    )


def _exchangeable(
    p: NDArray[np.intp],
    q: NDArray[np.intp],
    offsets: NDArray[np.int32],
    columns: int,
    compared: tuple[NDArray[np.float64], NDArray[np.float64], int],
) -> NDArray[np.bool_]:
    """Tell for pairs of places whether the shift of one serves the other as well as its own."""
    output, exemplar, patch = compared
    mine, theirs = (
        np.lib.stride_tricks.sliding_window_view(image, (patch, patch), axis=(0, 1))
        for image in (output, exemplar)
    )
    answer = np.zeros(p.size, np.bool_)
    step = max(1, _BLOCK // (patch * patch * output.shape[2]))
    for place, other in ((p, q), (q, p)):
        at = np.stack(np.divmod(place, columns), axis=1)
        there, own = at + offsets[other], at + offsets[place]
        inside = ((there >= 0) & (there < theirs.shape[:2])).all(axis=1) & ~answer
        (tried,) = np.nonzero(inside)
        for start in range(0, tried.size, step):
            some = tried[start : start + step]
            pixels = mine[at[some, 0], at[some, 1]]
            far, near = (
                np.square(pixels - theirs[where[some, 0], where[some, 1]]).sum(axis=(1, 2, 3))
                for where in (there, own)
            )
            answer[some] = far <= near
    return answer
