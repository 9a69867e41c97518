"""The searches behind `synth.nnf`, each over one prepared pair of images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.kernels._jit import Bands
from synth.kernels.cpu import patchmatch, patchmatch_k
from synth.kernels.cpu.distance import PADDING
from synth.kernels.cpu.exact import exact_rows
from synth.kernels.cpu.propagation import tree_sweep
from synth.patchmatch import tree
from synth.randomness import Purpose

__all__ = ["Pair", "by_all", "by_patchmatch", "by_patchmatch_k", "by_tree", "prepare"]

Array = NDArray[Any]
Tell = Callable[[float], None]

_NO_GRID = np.zeros((0, 0), np.int32)
_NO_RADII = np.zeros(0, np.int64)
#: Pairs of patches that are compared between two looks at the clock: about a quarter second.
_PAIRS_AT_A_TIME = 250_000_000
#: Near a good match a better one is likely: He & Sun's search stays this close.
_NEAR = np.array([8, 4, 2, 1], np.int64)


@dataclass(frozen=True)
class Pair:
    """Two images made ready for the kernels.

    ``query`` (uint8, 0 = leave alone) and ``penalty`` are on the grids of target and source
    patches, or empty; ``choices`` lists the sources that may be used, or is empty.
    """

    target: Array
    source: Array
    patch: int
    target_buffer: Array
    source_buffer: Array
    query: NDArray[np.uint8]
    penalty: Array
    choices: NDArray[np.int64]
    limit: Any
    key: tuple[int, int]
    bands: Bands

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of target patches."""
        return tuple(n - self.patch + 1 for n in self.target.shape[:2])  # type: ignore[return-value]

    @property
    def source_grid(self) -> tuple[int, int]:
        """Rows and columns of source patches."""
        return tuple(n - self.patch + 1 for n in self.source.shape[:2])  # type: ignore[return-value]

    @property
    def images(self) -> tuple[Any, ...]:
        """The arguments that kernels begin with."""
        return (
            self.target_buffer, self.target.shape[1], self.source_buffer, self.source.shape[1],
            self.source.shape[2], self.patch,
        )  # fmt: skip


def _padded(image: Array, dtype: type[Any]) -> Array:
    buffer = np.zeros(image.size + PADDING, dtype)
    buffer[: image.size] = image.reshape(-1)
    return buffer


def prepare(
    target: Array,
    source: Array,
    patch: int,
    query: NDArray[np.bool_] | None,
    forbidden: NDArray[np.bool_] | None,
    key: tuple[int, int],
    bands: Bands,
) -> Pair:
    """Lay out two images (rows, columns, channels), both uint8 or both float32."""
    whole = source.dtype == np.uint8
    cost_type = np.int32 if whole else np.float32
    if forbidden is None:
        penalty, choices = np.zeros((0, 0), cost_type), np.zeros(0, np.int64)
    else:
        penalty = np.where(forbidden, cost_type(patchmatch.FORBIDDEN), cost_type(0))
        choices = np.flatnonzero(~forbidden)
    return Pair(
        target,
        source,
        patch,
        _padded(target, np.int16 if whole else np.float32),
        _padded(source, np.uint8 if whole else np.float32),
        np.zeros((0, 0), np.uint8) if query is None else query.astype(np.uint8),
        penalty,
        choices,
        np.int32(2**31 - 1) if whole else np.float32(np.finfo(np.float32).max),
        key,
        bands,
    )


def _bounds(rows: int) -> NDArray[np.int64]:
    """Cut rows into bands, by their number alone so that threads do not change the result."""
    count = max(1, min(64, rows // 48))
    return np.arange(count + 1, dtype=np.int64) * rows // count


def _radii(reach: int, iteration: int, iterations: int) -> NDArray[np.int64]:
    """Six radii that halve, from half the reach at first to a 32nd of it at last, 1 at least.

    Far draws pay while matches are still random, near ones later.
    """
    top = (max(reach, 2) - 1).bit_length() - 1 - 5 * iteration // iterations
    return np.array([1 << power for power in range(max(top, 0), max(top - 6, -1), -1)], np.int64)


def by_patchmatch(
    pair: Pair, field: NDArray[np.int32], iterations: int, reach: int, tell: Tell
) -> Array:
    """PatchMatch (Barnes 2009) from ``field`` on, in place; −1 starts at random.

    ``reach`` is about how far the random search goes at most, in pixels. Returns the costs.
    """
    rows, columns = pair.source_grid
    bounds = _bounds(field.shape[0])
    count = bounds.size - 1
    cost = np.full(field.shape[:2], -1, pair.limit.dtype)
    pair.bands(
        patchmatch.initialize, count, *pair.images, field, cost, pair.query, pair.penalty,
        pair.choices, rows, columns, *pair.key, int(Purpose.INITIALIZE), pair.limit, bounds,
    )  # fmt: skip
    for iteration in range(iterations):
        tell(iteration / iterations)
        forward = iteration % 2 == 0
        edge = patchmatch.edge_rows(field, bounds, forward)
        pair.bands(
            patchmatch.sweep, count, *pair.images, field, cost, pair.query, pair.penalty, rows,
            columns, edge, _radii(reach, iteration, iterations), *pair.key, iteration,
            int(Purpose.RANDOM_SEARCH), forward, bounds,
        )  # fmt: skip
    return cost


def by_patchmatch_k(
    pair: Pair, given: NDArray[np.int32], k: int, iterations: int, reach: int, tell: Tell
) -> tuple[NDArray[np.int32], Array]:
    """Generalized PatchMatch (Barnes 2010) for k matches, from the ones in ``given`` on."""
    rows, columns = pair.source_grid
    h, w = pair.grid
    bounds = _bounds(h)
    count = bounds.size - 1
    field = np.full((h, w, k, 2), -1, np.int32)
    cost = np.full((h, w, k), pair.limit, pair.limit.dtype)
    pair.bands(
        patchmatch_k.initialize_k, count, *pair.images, given, field, cost, pair.query,
        pair.penalty, pair.choices, rows, columns, *pair.key, int(Purpose.INITIALIZE), bounds,
    )  # fmt: skip
    for iteration in range(iterations):
        tell(iteration / iterations)
        forward = iteration % 2 == 0
        edge = patchmatch_k.edge_rows_k(field, bounds, forward)
        pair.bands(
            patchmatch_k.sweep_k, count, *pair.images, field, cost, pair.query, pair.penalty,
            rows, columns, edge, _radii(reach, iteration, iterations), *pair.key, iteration,
            int(Purpose.RANDOM_SEARCH), forward, bounds,
        )  # fmt: skip
    return field, cost


def by_tree(pair: Pair, field: NDArray[np.int32], trees: int, sweeps: int, tell: Tell) -> Array:
    """Propagation-assisted kd-tree search (He & Sun 2012) from ``field`` on, in place.

    Sweeps run forward and backward in turn, and use one tree after the other. Returns the costs.
    """
    rows, columns = pair.source_grid
    bounds, source_bounds = _bounds(field.shape[0]), _bounds(rows)
    count = bounds.size - 1
    cost = np.full(field.shape[:2], pair.limit, pair.limit.dtype)
    if (field >= 0).any():
        pair.bands(
            patchmatch.initialize, count, *pair.images, field, cost, pair.query, pair.penalty,
            pair.choices, rows, columns, *pair.key, int(Purpose.INITIALIZE), pair.limit, bounds,
        )  # fmt: skip
    allowed = pair.choices if pair.choices.size > 0 else None
    directions = tree.choose_directions(pair.target, pair.source, pair.patch, allowed)
    points = tree.projections(
        pair.source_buffer, pair.source.shape, pair.patch, directions, pair.bands, source_bounds
    )
    queries = tree.projections(
        pair.target_buffer, pair.target.shape, pair.patch, directions, pair.bands, bounds
    )
    steps = trees + sweeps + 1
    tell(1 / steps)
    planted: list[tuple[tree.Tree, Array]] = []
    for sweep in range(sweeps):
        fresh = sweep % 2 == 0 and sweep // 2 < trees
        if fresh:
            grown = tree.build(points, allowed, tree.spread(len(planted)), pair.bands)
            planted.append((grown, tree.own_leaves(queries, grown, pair.bands, bounds)))
            tell((sweep + len(planted)) / steps)
        now, own = planted[sweep // 2 % len(planted)]
        forward = sweep % 2 == 0
        edge = patchmatch.edge_rows(field, bounds, forward)
        pair.bands(
            tree_sweep, count, *pair.images, field, cost, pair.query, queries.reshape(-1),
            now.leaves, now.members, now.leaf_of, own if fresh else _NO_GRID, directions.scale,
            rows, columns, edge, _NO_RADII if fresh else _NEAR, *pair.key, sweep,
            int(Purpose.RANDOM_SEARCH), forward, bounds,
        )  # fmt: skip
        tell((sweep + 1 + len(planted)) / steps)
    return cost


def by_all(pair: Pair, k: int, tell: Tell, apart: int = 0) -> tuple[NDArray[np.int32], Array]:
    """Compare every pair of patches: positions (h, w, k, 2) and costs (h, w, k).

    Pairs less than ``apart`` pixels away from each other in both rows and columns do not count.
    """
    h, w = pair.grid
    rows, columns = pair.source_grid
    kind = np.int32 if pair.limit.dtype == np.int32 else np.float32
    wanted = np.tile(np.array([0, w]), (h, 1))
    if pair.query.size > 0:
        asked = pair.query > 0
        wanted[:, 0] = np.where(asked.any(axis=1), asked.argmax(axis=1), 0)
        wanted[:, 1] = np.where(asked.any(axis=1), w - asked[:, ::-1].argmax(axis=1), 0)
    penalty = pair.penalty
    if kind is np.float32:
        penalty = np.where(penalty > 0, np.float32(np.inf), np.float32(0))
    positions = np.full((k, h, w), -1, np.int64)
    cost = np.full((k, h, w), pair.limit, kind)
    bounds = _bounds(h)
    planar = [
        np.ascontiguousarray(np.moveaxis(image, 2, 0), kind)
        for image in (pair.target, pair.source)
    ]
    # so many row shifts at a time that the work can be stopped before long
    height = int(np.diff(bounds).max())
    chunk = max(1, _PAIRS_AT_A_TIME // (height * w * columns))
    for shift in range(1 - h, rows, chunk):
        tell((shift + h - 1) / (rows + h - 1))
        pair.bands(
            exact_rows, bounds.size - 1, planar[0].reshape(-1), planar[0].shape,
            planar[1].reshape(-1), planar[1].shape, pair.patch, penalty, wanted,
            kind is np.int32, positions, cost, apart, shift, shift + chunk, bounds,
        )  # fmt: skip
    rows_of, columns_of = np.divmod(positions, columns)
    field = np.stack([rows_of, columns_of], axis=-1).astype(np.int32)
    field[positions < 0] = -1
    return np.ascontiguousarray(np.moveaxis(field, 0, 2)), np.ascontiguousarray(
        np.moveaxis(cost, 0, 2)
    )
