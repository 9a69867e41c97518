"""The propagation-assisted kd-tree search over two images, step by step."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from synth.kernels._jit import Bands
from synth.kernels.cpu.kdtree import LANES, LEAF, build_below, build_top, descend
from synth.kernels.cpu.project import TERMS, project

__all__ = [
    "Directions",
    "Tree",
    "build",
    "choose_directions",
    "own_leaves",
    "projections",
    "spread",
]

Array = np.ndarray[Any, Any]

#: Pixels of the patches that directions are chosen from, and how many patches at most.
_SAMPLED_VALUES, _SAMPLED_PATCHES = 1_000_000, 500
#: No projection is longer, so that a squared distance and three bits fit into 32 bits.
_LONGEST = 16_000.0
#: Subtrees that are built independently: 2 to this.
_LEVELS = 4


class Directions(NamedTuple):
    """What `project` filters with, and the factor from projected to real squared distances."""

    colours: Array
    across: Array
    down: Array
    plane_of: Array
    line_of: Array
    means: Array
    scale: np.float32


def _sample(pixels: Array, patch: int, allowed: Array | None, count: int) -> Array:
    """Up to ``count`` patches at regular places: (n, patch, patch, channels) float64."""
    rows, columns = pixels.shape[0] - patch + 1, pixels.shape[1] - patch + 1
    size = rows * columns if allowed is None else allowed.size
    # a step with no common factor with the width, so that all columns are met
    places = (np.arange(min(size, count)) * (size / min(size, count))).astype(np.int64)
    if allowed is not None:
        places = allowed[places]
    y, x = np.divmod(places, columns)
    steps = np.arange(patch)
    return pixels[(y[:, None] + steps)[:, :, None], (x[:, None] + steps)[:, None, :]].astype(
        np.float64
    )


def choose_directions(
    target: Array, source: Array, patch: int, allowed: Array | None = None
) -> Directions:
    """Choose the `TERMS` separable directions in which patches differ most.

    The principal axes of the rows, of the columns and of the channels of a patch are found one
    by one (a higher-order SVD, De Lathauwer et al. 2000); their products are orthonormal, so a
    distance between projections is never longer than the real one.
    """
    channels = source.shape[2]
    length = patch * patch * channels
    count = max(16, min(_SAMPLED_PATCHES, _SAMPLED_VALUES // length))
    patches = np.concatenate(
        [_sample(target, patch, None, count), _sample(source, patch, allowed, count)]
    )
    low, high = float(patches.min()), float(patches.max())
    mean = patches.mean(axis=0)
    patches -= mean
    axes = []
    for axis in (1, 2, 3):
        moved = np.moveaxis(patches, axis, 0).reshape(patches.shape[axis], -1)
        _, vectors = np.linalg.eigh(np.einsum("ik,jk->ij", moved, moved))
        axes.append(vectors[:, ::-1].T)
    down, across, colours = axes
    core = patches
    for basis in axes:  # each pass moves the next mode of a patch to the end
        core = np.einsum("nabc,da->nbcd", core, basis)
    energy = np.einsum("nabc,nabc->abc", core, core)
    kept = np.argsort(-energy, axis=None, kind="stable")[:TERMS]
    row, column, colour = (np.asarray(i) for i in np.unravel_index(kept, energy.shape))
    planes, plane_at = np.unique(colour, return_inverse=True)
    lines, line_at = np.unique(np.stack([plane_at, column]), axis=1, return_inverse=True)
    scale = _LONGEST / max((high - low) * math.sqrt(length), 1e-30)
    factors = np.zeros((TERMS, patch), np.float32)
    factors[: kept.size] = down[row] * scale
    line_of = np.zeros(TERMS, np.int64)
    line_of[: kept.size] = np.ravel(line_at)
    projected_mean = mean
    for basis in axes:
        projected_mean = np.einsum("abc,da->bcd", projected_mean, basis)
    means = np.zeros(TERMS, np.float32)
    means[: kept.size] = projected_mean[row, column, colour] * scale
    return Directions(
        np.ascontiguousarray(colours[planes], np.float32),
        np.ascontiguousarray(across[lines[1]], np.float32),
        factors,
        np.ascontiguousarray(lines[0]),
        line_of,
        means,
        np.float32(1 / scale**2),
    )


def projections(
    buffer: Array, shape: tuple[int, ...], patch: int, directions: Directions, bands: Bands,
    bounds: Array,
) -> Array:  # fmt: skip
    """Project every patch of a padded image: (rows, columns, TERMS) int16."""
    rows, columns = shape[0] - patch + 1, shape[1] - patch + 1
    out = np.empty((rows, columns, TERMS), np.int16)
    colours, across, down, plane_of, line_of, means, _ = directions
    bands(
        project, bounds.size - 1, buffer, shape[1], colours, across, down, plane_of, line_of,
        means, out, bounds,
    )  # fmt: skip
    return out


class Tree(NamedTuple):
    """A kd-tree over the allowed source patches."""

    splits: Array
    members: Array
    leaf_of: Array
    leaves: Array


def spread(number: int) -> Array:
    """Return the factors on the terms' variances by which tree ``number`` chooses its splits.

    The first follows the variances; each further one prefers other terms, so that neighbours that
    one tree parts are together in another.
    """
    terms = np.arange(TERMS)
    return np.where(terms % 2 == number % 2, 1.0, 4.0 if number else 1.0).astype(np.float32)


def build(points: Array, allowed: Array | None, spread: Array, bands: Bands) -> Tree:
    """Build the tree over the patches with projections ``points``."""
    columns = points.shape[1]
    flat = points.reshape(-1, TERMS)
    keys = np.arange(flat.shape[0]) if allowed is None else allowed.astype(np.int64)
    count = -(-keys.size // LANES)
    splits = np.zeros(count, np.int32)
    members = np.empty(count * LANES, np.int64)
    leaf_of = np.full(flat.shape[0], -1, np.int32)
    leaves = np.empty(count * LEAF, np.int16)
    starts = build_top(flat, keys, spread, _LEVELS, splits)
    bands(
        build_below, 1 << _LEVELS, flat, keys, spread, splits, columns, members, leaf_of, leaves,
        starts,
    )  # fmt: skip
    return Tree(splits, members, leaf_of, leaves)


def own_leaves(queries: Array, tree: Tree, bands: Bands, bounds: Array) -> Array:
    """Return the leaf that each projection falls into."""
    found = np.empty(queries.shape[:2], np.int32)
    bands(descend, bounds.size - 1, queries, tree.splits, found, bounds)
    return found
