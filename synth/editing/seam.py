"""The join of a moved object and its new place: cut where they agree, then levelled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth.kernels.cpu.membrane import relax

__all__ = ["cheapest_cut", "levelled"]

#: What a step of the cut costs beside the differences along it, as a share of the range: where
#: both pictures agree everywhere the shortest cut is the best.
_STEP = 1 / 255
#: What a pixel costs that goes with the inner picture, as a share of the difference: things that
#: lie near are not to vanish for the sake of a cheaper cut round them.
_TAKEN = 0.25
#: Capacities are whole numbers, so many for a difference of the whole range.
_UNITS = 1 << 16
#: Mismatch beyond twice this share of the range is structure and no change of light: it stays …
_STRUCTURE = 45 / 255
#: … unless both pictures are smooth there, within this share over 3×3 pixels: then it is nothing
#: but light, and a step would be seen by everybody.
_SMOOTH = 12 / 255
#: 1/√screening pixels is how far a correction reaches at most.
_SCREENING = 0.001
_OVERRELAXATION = 1.7
_ITERATIONS = 120

_FOUR = ((1, 0), (0, 1), (-1, 0), (0, -1))


def cheapest_cut(
    inner: NDArray[np.bool_], ring: NDArray[np.bool_], difference: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Cut a ring in two where the pictures on its two sides differ least.

    The minimal cut of Kwatra et al. 2003 ("Graphcut textures"), section 3: the cut costs
    ``difference`` at both pixels of every step that it separates. What it takes from the outer
    picture costs as well.

    Parameters
    ----------
    inner, ring : (rows, columns) bool
        The region inside, and the pixels round it that may belong to it or not.
    difference : (rows, columns) float64
        How much the inner picture and the outer one differ at each pixel, 0 to 1.

    Returns
    -------
    (rows, columns) bool
        Pixels of ``ring`` that go with ``inner``.

    Examples
    --------
    >>> import numpy as np
    >>> inner = np.array([[True, False, False, False, False]])
    >>> ring = np.array([[False, True, True, True, False]])
    >>> cheapest_cut(inner, ring, np.array([[0.9, 0.9, 0.1, 0.3, 0.5]])).astype(int)
    array([[0, 1, 1, 0, 0]])
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    pixels = np.argwhere(ring)
    count = len(pixels)
    number = np.full(ring.shape, -1, np.int64)
    number[ring] = np.arange(count)
    first, last = count, count + 1  # the region inside, and all that lies outside
    number[inner] = first
    number[~inner & ~ring] = last
    kept = np.rint(difference[ring] * (_TAKEN * _UNITS))
    tails, heads, prices = [np.arange(count)], [np.full(count, last)], [kept]
    for step in _FOUR:
        beside = pixels + step
        there = np.flatnonzero(((beside >= 0) & (beside < ring.shape)).all(axis=1))
        y, x = beside[there].T
        own, other = difference[ring][there], difference[y, x]
        price = np.rint((own + np.where(ring[y, x], other, own) + _STEP) * _UNITS)
        node = number[y, x]
        into = node == first
        tails.append(np.where(into, first, there))
        heads.append(np.where(into, there, node))
        prices.append(price)
    tail, head = np.concatenate(tails), np.concatenate(heads)
    price = np.concatenate(prices).astype(np.int32)
    graph = csr_array((price, (tail, head)), shape=(count + 2, count + 2))
    graph.sum_duplicates()
    flow = maximum_flow(graph, first, last).flow
    left = graph - flow
    left.data[left.data < 0] = 0
    left.eliminate_zeros()
    reached = breadth_first_order(left, first, return_predecessors=False)
    result = np.zeros(count + 2, np.bool_)
    result[reached] = True
    joined = np.zeros_like(ring)
    joined[ring] = result[:count]
    return joined


def levelled(
    taken: NDArray[np.bool_],
    ring: NDArray[np.bool_],
    mismatch: NDArray[np.float32],
    roughness: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return what to add in the ring so that no step in tone is left along the cut.

    Solves Poisson's equation (Pérez et al. 2003) with nothing changed on either side of the ring.
    Mismatches that are structure and no change of light are left as they are: they would smear.

    Parameters
    ----------
    taken : (rows, columns) bool
        The region inside, and what of the ring goes with it.
    ring : (rows, columns) bool
    mismatch : (rows, columns, channels) float32
        The outer picture minus the inner one, as a share of the range; NaN where there is no
        inner one to compare with.
    roughness : (rows, columns) float32
        How much the values vary in the 3×3 pixels round each, in the rougher of the pictures.

    Returns
    -------
    (rows, columns, channels) float32
        0 outside the ring.
    """
    pixels = np.argwhere(ring).astype(np.int32)
    wanted = np.zeros((len(pixels), mismatch.shape[2]), np.float32)
    for step in _FOUR:
        beside = pixels + np.array(step, np.int32)
        there = np.flatnonzero(((beside >= 0) & (beside < ring.shape)).all(axis=1))
        here, other = pixels[there], beside[there]
        mine = taken[here[:, 0], here[:, 1]]
        across = mine != taken[other[:, 0], other[:, 1]]
        there, here, other, mine = there[across], here[across], other[across], mine[across]
        # what lies beyond the cut is compared, on the outer side of it
        outer = np.where(mine[:, np.newaxis], other, here)
        at = outer[:, 0], outer[:, 1]
        error = _light(mismatch[at], roughness[at])
        wanted[there] += np.where(mine[:, np.newaxis], error, -error)
    values = np.zeros(mismatch.shape, np.float32)
    relax(
        values, wanted, pixels, ring, ~ring, np.float32(_SCREENING), np.float32(_OVERRELAXATION),
        _ITERATIONS,
    )  # fmt: skip
    return values


def _light(error: NDArray[np.float32], roughness: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keep the mismatch up to the structure's, nothing from twice that on."""
    error = np.nan_to_num(error, nan=0.0)
    size = np.sqrt(np.square(error).mean(axis=1)) / _STRUCTURE
    share = np.clip(2 - size, 0, 1)
    share[roughness < _SMOOTH] = 1
    return np.asarray(error * share[:, np.newaxis], np.float32)
