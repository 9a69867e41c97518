"""Orders, and the dependency graphs that they make: designed, apart from any mapping.

An autoregressive model writes p(image) as a product of p(pixel | pixels before it in its window).
Which pixels come before is a choice of the designer. It settles what each conditional can see and
what can be computed at the same time, whatever the mapping is: looked up or learned.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synth.errors import InputError
from synth.images import check_mask
from synth.rows import uniforms

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["DependencyGraph", "Order", "check_shape", "make_rank"]

Order = Literal["onion", "raster", "spiral", "random", "multiscale"]

#: the last counter word of the numbers that orders draw
_SHUFFLE = 50


@dataclass(frozen=True)
class DependencyGraph:
    """Which pixels each pixel of a picture (or symbol of a line) depends on.

    Attributes
    ----------
    rank : (rows, columns) int32
        When each pixel is generated, from 0 on; −1 = known from the start.
    window : (int, int)
        Rows and columns of the window around a pixel, both odd.
    periodic : bool
        The window goes on at the opposite edge.

    Examples
    --------
    >>> graph = DependencyGraph.of("raster", (4, 6), 3)
    >>> graph.levels()
    array([[ 0,  1,  2,  3,  4,  5],
           [ 2,  3,  4,  5,  6,  7],
           [ 4,  5,  6,  7,  8,  9],
           [ 6,  7,  8,  9, 10, 11]], dtype=int32)
    >>> graph.matrix().sum(axis=1)[:3]  # the first has no neighbour before it
    array([0, 1, 1])
    """

    rank: NDArray[np.int32]
    window: tuple[int, int]
    periodic: bool = False

    @classmethod
    def of(
        cls,
        order: Order | ArrayLike,
        shape: tuple[int, int],
        window: int | tuple[int, int],
        *,
        known: NDArray[np.bool_] | None = None,
        periodic: bool = False,
        seed: int = 0,
    ) -> DependencyGraph:
        """Make the graph of an order.

        Parameters
        ----------
        order : {"onion", "raster", "spiral", "random", "multiscale"} or (rows, columns) array_like
            "onion": rings around what is known (else the middle), in a ring by how much of its
            window a pixel knows, ties at random (Efros & Leung 1999, section 2.2). "raster": row
            by row. "spiral": rings, clockwise. "random": any order. "multiscale": every 2ᵏ-th
            pixel of every 2ᵏ-th row, then the pixels between them, and so on. An array gives each
            pixel's time; those at the same time follow one another row by row.
        shape : (int, int)
            Rows and columns.
        window : int or (int, int)
            Odd; (1, 2k + 1) for a line of symbols.
        known : (rows, columns) bool, optional
            True = known from the start.
        periodic : bool
        seed : int
            Of "onion" and "random".
        """
        size = check_shape(shape)
        sides = (window, window) if isinstance(window, int | np.integer) else window
        try:
            odd = [operator.index(side) for side in sides]  # type: ignore[union-attr]
        except TypeError:
            odd = []
        if len(odd) != 2 or any(side < 1 or side % 2 == 0 for side in odd):
            raise InputError(f"window is {window!r}, but odd numbers of at least 1 are needed")
        sides = odd[0], odd[1]
        given = np.zeros(size, np.bool_)
        if known is not None:
            given = check_mask(known, size, name="known")
        rank = make_rank(order, given, (sides[0] // 2, sides[1] // 2), periodic, seed)
        return cls(rank, (int(sides[0]), int(sides[1])), periodic)

    @cached_property
    def sequence(self) -> NDArray[np.int64]:
        """The pixels that are generated, in their order: (n, 2) rows and columns."""
        pixels = np.argwhere(self.rank >= 0)
        times = self.rank[pixels[:, 0], pixels[:, 1]]
        return np.ascontiguousarray(pixels[np.argsort(times)])

    def levels(self) -> NDArray[np.int32]:
        """How many steps each pixel waits for if all that can go on at once does; −1 = known.

        Pixels of one level lie outside one another's windows.
        """
        return self._levels.copy()

    @cached_property
    def _levels(self) -> NDArray[np.int32]:
        from synth.kernels.cpu.graph import graph_levels

        found = graph_levels(self.sequence, self.rank, *self._half, self.periodic)
        return np.asarray(found)

    @property
    def depth(self) -> int:
        """The number of levels: the steps of a machine with any number of processors."""
        return int(self._levels.max(initial=-1)) + 1

    @property
    def _half(self) -> tuple[int, int]:
        return self.window[0] // 2, self.window[1] // 2

    def by_level(self) -> list[NDArray[np.int64]]:
        """Return the pixels of each level, (n, 2), in their order."""
        y, x = self.sequence[:, 0], self.sequence[:, 1]
        level = self._levels[y, x]
        by = np.argsort(level, kind="stable")
        return np.split(self.sequence[by], np.cumsum(np.bincount(level, minlength=1))[:-1])

    def matrix(self) -> csr_array:
        """Return the graph as a sparse matrix, pixels by pixels in row-major order.

        Entry (p, q) is 1 where p looks at q, so the matrix of an order is a permuted triangular
        one. Known pixels have empty rows.
        """
        from scipy.sparse import csr_array

        from synth.kernels.cpu.graph import earlier_pixels

        start = np.empty(self.rank.size + 1, np.int64)
        options = (*self._half, self.periodic, start)
        earlier_pixels(self.rank, *options, np.empty(0, np.int64))
        earlier = np.empty(max(1, start[-1]), np.int64)
        earlier_pixels(self.rank, *options, earlier)
        earlier = earlier[: start[-1]]
        shape = (self.rank.size, self.rank.size)
        found = csr_array((np.ones(len(earlier), np.int8), earlier, start), shape)
        found.sort_indices()
        return found


def check_shape(shape: Any) -> tuple[int, int]:
    """Return the (rows, columns) of an output."""
    try:
        rows, columns = (int(side) for side in shape)
        whole = (rows, columns) == tuple(shape)
    except (TypeError, ValueError):
        whole = False
    if not whole or min(rows, columns) < 1:
        raise InputError(f"shape is {shape!r}, but (rows, columns) of at least 1 are needed")
    return rows, columns


def make_rank(
    order: Order | ArrayLike,
    known: NDArray[np.bool_],
    half: tuple[int, int],
    periodic: bool,
    seed: int,
) -> NDArray[np.int32]:
    """Return when each pixel comes, from 0 on; −1 where it is known."""
    rows, columns = known.shape
    y, x = np.indices(known.shape)
    keys: list[NDArray[Any]]
    if not isinstance(order, str):
        try:
            times = np.asarray(order)
        except ValueError:
            raise InputError("order is ragged, but one number for each pixel is needed") from None
        if times.shape != known.shape or times.dtype.kind not in "iuf":
            raise InputError(
                f"order is an array of shape {times.shape} of {times.dtype}, but one number for "
                f"each of {rows}×{columns} pixels is needed"
            )
        if not np.isfinite(times).all():
            raise InputError("order has NaN or infinity; give each pixel a time")
        keys = [times]
    elif order == "raster":
        keys = []
    elif order == "random":
        keys = [_shuffled(known.shape, seed)]
    elif order == "onion":
        rings = _rings(known, periodic)
        keys = [rings, -_known_around(rings, half, periodic), _shuffled(known.shape, seed)]
    elif order == "spiral":
        middle_row, middle_column = (rows - 1) / 2, (columns - 1) / 2
        turn = np.arctan2(x - middle_column, middle_row - y)  # 0 = up, growing clockwise
        keys = [_rings(known, periodic), np.mod(turn, 2 * np.pi)]
    elif order == "multiscale":
        coarsest = max(0, min(half).bit_length() - 1)
        stride = np.gcd(np.gcd(y, x), 1 << coarsest)
        keys = [-stride]
    else:
        choices = ", ".join(get_args(Order))
        raise InputError(f"order is {order!r}, but it must be an array or one of {choices}")
    pixels = np.flatnonzero(~known)
    by = np.lexsort([pixels, *(key.ravel()[pixels] for key in reversed(keys))])
    rank = np.full(known.size, -1, np.int32)
    rank[pixels[by]] = np.arange(len(pixels), dtype=np.int32)
    return rank.reshape(known.shape)


def _shuffled(shape: tuple[int, ...], seed: int) -> NDArray[np.float64]:
    return uniforms(seed, _SHUFFLE)(int(np.prod(shape))).reshape(shape)


def _rings(known: NDArray[np.bool_], periodic: bool) -> NDArray[np.int32]:
    """How many steps, diagonal ones too, each pixel is from what is known, else the middle."""
    from scipy import ndimage

    core = known
    if not known.any():
        core = np.zeros_like(known)
        core[tuple(np.array(core.shape) // 2)] = True
    if periodic:
        margin = [(side // 2 + 1,) * 2 for side in core.shape]
        wide = ndimage.distance_transform_cdt(~np.pad(core, margin, mode="wrap"), "chessboard")
        inner = tuple(
            slice(low, low + side) for (low, _), side in zip(margin, core.shape, strict=True)
        )
        return np.asarray(wide[inner])
    return np.asarray(ndimage.distance_transform_cdt(~core, "chessboard"))


def _known_around(
    rings: NDArray[np.int32], half: tuple[int, int], periodic: bool
) -> NDArray[np.int32]:
    """How many pixels of its window lie in rings before its own."""
    from synth.kernels.cpu.graph import count_smaller

    return np.asarray(count_smaller(rings, *half, periodic))
