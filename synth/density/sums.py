"""Which way the kernels at each query are added up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from synth.density.direct import direct_log_sums
from synth.density.gauss_transform import box_log_sums
from synth.density.grid_transform import Box, grid_log_sums
from synth.density.shapes import Shape
from synth.density.tree import KernelTree, compact_log_sums, plant, tree_sums
from synth.errors import InputError

__all__ = ["Method", "Summands", "Way", "kernel_log_sums", "takes_a_tree"]

Method = Literal["auto", "direct", "boxes", "tree"]

#: From so many pairs on, boxes and trees are quicker than direct sums.
_MANY = 2_000_000
#: Queries of which so many are asked of a tree first, to see whether it is worth it.
_ENOUGH, _ASKED = 256, 32
#: Beyond so many columns every box is near to every query.
_WIDE = 15
#: What a row costs in a tree, in rows of a direct sum: for no column, and more for each.
_DEARER = 1.4, 0.1
#: What boxes in three columns cost, in leaves that a tree looks at: for a node, and for a row.
_NODE, _ROW = 0.12, 15
#: Bandwidths from outliers at which they hardly count.
_MARGIN = 8.0


@dataclass(frozen=True)
class Way:
    """How kernels are added up.

    Attributes
    ----------
    method : {"auto", "direct", "boxes", "tree"}
    rtol : float
        The relative error that boxes and trees may make.
    single : bool
        Whether direct sums of kernels of one width are in float32.
    """

    method: Method = "auto"
    rtol: float = 1e-9
    single: bool = False


@dataclass(frozen=True)
class Summands:
    """Kernels to be added up: wⱼ aⱼ^(d/2) k(√aⱼ |q − xⱼ|).

    Attributes
    ----------
    points : (n, d) ndarray
        In units of the bandwidth.
    log_weights : (n,) ndarray
        log wⱼ.
    precision : (n,) ndarray or None
        aⱼ, 1 if None.
    shape : Shape
        k.
    """

    points: NDArray[np.float64]
    log_weights: NDArray[np.float64]
    precision: NDArray[np.float64] | None
    shape: Shape

    @cached_property
    def log_heights(self) -> NDArray[np.float64]:
        """The logs of wⱼ aⱼ^(d/2), (n,)."""
        if self.precision is None:
            return self.log_weights
        return np.asarray(self.log_weights + self.points.shape[1] / 2 * np.log(self.precision))

    @cached_property
    def tree(self) -> KernelTree:
        """A tree over them, made when it is first asked for."""
        return plant(self.points, self.log_heights, self.precision)


def kernel_log_sums(
    kernels: Summands, queries: NDArray[np.float64], way: Way
) -> NDArray[np.float64]:
    """Return log Σⱼ wⱼ aⱼ^(d/2) k(√aⱼ |qᵢ − xⱼ|), (m,), for queries in units of the bandwidth."""
    with np.errstate(over="ignore"):
        far = ~np.isfinite(np.square(queries).sum(axis=1))
    if far.any():  # their distances are beyond the numbers there are
        sums = np.full(len(queries), -np.inf)
        if not far.all():
            sums[~far] = kernel_log_sums(kernels, queries[~far], way)
        return sums
    shape, width = kernels.shape, kernels.points.shape[1]
    boxes = width <= 3 and kernels.precision is None and shape.kernel == "gaussian"
    if way.method == "boxes" and not boxes:
        raise InputError(
            "method is 'boxes', which is for one to three columns and Gaussian kernels of one "
            "width; use 'tree' or 'auto'"
        )
    if shape.compact:
        return compact_log_sums(kernels.tree, queries, shape, cut=way.method != "direct")
    if boxes and _takes_boxes(kernels, queries, way):
        log_sums = grid_log_sums if width == 3 else box_log_sums
        found = log_sums(kernels.points, np.exp(kernels.log_weights), queries, way.rtol)
        if found is not None:
            sums, promised = found
            if not promised.all():
                sums[~promised] = _one_by_one(kernels, queries[~promised], way)
            return sums
    return _one_by_one(kernels, queries, way)


def _takes_boxes(kernels: Summands, queries: NDArray[np.float64], way: Way) -> bool:
    """Tell whether boxes are asked for or worth it."""
    count, width = kernels.points.shape
    if way.method != "auto" or count * len(queries) < _MANY:
        return way.method == "boxes"
    if width < 3:
        return True
    box = Box.around(kernels.points)
    if not box.fits or len(queries) < _ENOUGH:
        return False
    margin = 0.0 if (box.depths(kernels.points) >= 0).all() else _MARGIN
    answered = int((box.depths(queries) >= margin).sum())
    work = _NODE * box.nodes + _ROW * (count + len(queries))
    return bool(work < _seen(kernels, queries, way) * answered)


def _one_by_one(kernels: Summands, queries: NDArray[np.float64], way: Way) -> NDArray[np.float64]:
    """Add up by the tree where that is asked for or worth it, else directly."""
    length = kernels.shape.scale if kernels.shape.kernel == "exponential" else None
    if takes_a_tree(kernels, queries, way):
        return tree_sums(kernels.tree, queries, way.rtol, length=length).logs
    single = way.single and kernels.precision is None  # precisions far apart need more digits
    points, heights = kernels.points, kernels.log_heights
    return direct_log_sums(
        points, heights, queries, kernels.precision, length=length, single=single, rtol=way.rtol
    )


def takes_a_tree(kernels: Summands, queries: NDArray[np.float64], way: Way) -> bool:
    """Tell whether a tree is asked for or worth it: a few queries try how much they look at."""
    if way.method in ("tree", "direct"):
        return way.method == "tree"
    count, width = kernels.points.shape
    if len(queries) < _ENOUGH or count * len(queries) < _MANY or width > _WIDE:
        return False
    dearer = (_DEARER[0] + _DEARER[1] * width) * (2 if way.single else 1)
    return bool(_seen(kernels, queries, way) * dearer < kernels.tree.leaves)


def _seen(kernels: Summands, queries: NDArray[np.float64], way: Way) -> float:
    """Return at how many leaves of a tree a query looks, by asking for a few."""
    length = kernels.shape.scale if kernels.shape.kernel == "exponential" else None
    some = queries[np.arange(_ASKED) * len(queries) // _ASKED]
    return float(tree_sums(kernels.tree, some, way.rtol, length=length).visits.mean())
