"""What `synth.EfrosLeung.sample` gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synth.texture.orders import DependencyGraph

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Sample"]


@dataclass(frozen=True)
class Sample:
    """One image drawn from `synth.EfrosLeung`, and how it came about.

    Attributes
    ----------
    image : (rows, columns[, channels])
        Every pixel that was drawn is a pixel of an exemplar.
    source : (rows, columns, 3) int32
        Exemplar, row and column that it was copied from; −1 where it was given.
    graph : DependencyGraph
        The order, which is part of the model: another order is another joint distribution.
    candidates : (rows, columns) int32
        How many exemplar pixels the draw was from; 0 where nothing was drawn.
    d_min : (rows, columns) float64
        The least distance of a window, squared 8-bit levels.
    log_q : (rows, columns) float64
        Log-probability of the value drawn, given the pixels before it, without a kernel on
        values; 0 where nothing was drawn. The sum is that of the whole image.
    search : str
        "exact", or the name of an approximate search.
    seconds : float
    """

    image: NDArray[Any]
    source: NDArray[np.int32]
    graph: DependencyGraph
    candidates: NDArray[np.int32]
    d_min: NDArray[np.float64]
    log_q: NDArray[np.float64]
    search: str
    seconds: float

    @property
    def order(self) -> NDArray[np.int32]:
        """When each pixel was drawn, from 0 on; −1 where it was given."""
        return self.graph.rank

    def dependency_graph(self) -> csr_array:
        """Return which earlier pixels each looked at; see `DependencyGraph.matrix`."""
        return self.graph.matrix()

    def levels(self) -> NDArray[np.int32]:
        """Return how many steps each pixel had to wait for; see `DependencyGraph.levels`."""
        return self.graph.levels()

    def copy_map(self) -> NDArray[np.int64]:
        """Return the size of the verbatim copy that each pixel belongs to, in pixels.

        A copy is a region, connected by sides, that lies in an exemplar as it lies here; 0 where
        nothing was copied.
        """
        from skimage.measure import label

        number, row, column = np.moveaxis(self.source.astype(np.int64), -1, 0)
        y, x = np.indices(number.shape)
        span = 2 * (max(self.source.max(initial=0), *number.shape) + 1)
        offset = (number * span + (row - y + span // 2)) * span + (column - x + span // 2)
        _, kind = np.unique(offset, return_inverse=True)
        kinds = np.where(number >= 0, kind.reshape(number.shape) + 1, 0)
        regions = label(kinds, background=0, connectivity=1)
        sizes = np.bincount(regions.ravel())
        sizes[0] = 0
        return np.asarray(sizes[regions], np.int64)
