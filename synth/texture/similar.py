"""The windows of an exemplar that are like one another: k-coherence (Tong et al. 2002)."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError
from synth.texture.exemplars import Exemplars

__all__ = ["Search", "check_search", "similar_places"]

Search = Literal["exact", "kcoherence"]

#: How many windows are remembered for each; 11 in the paper's examples.
_K = 11


def check_search(search: str) -> None:
    """Raise if there is no such search."""
    if search not in get_args(Search):
        raise InputError(f"search is {search!r}, but one of {get_args(Search)} is needed")


def similar_places(exemplars: Exemplars) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Find the windows most like that of each candidate, itself the first of them.

    Returns
    -------
    (n, k) int64, (places,) int32
        Places, and the number of the candidate at each place, −1 = none.
    """
    from scipy import ndimage

    from synth.patchmatch.nnf import nnf

    if exemplars.valid.size:
        raise InputError(
            "search='kcoherence' compares whole windows; fit with borders='inside', or pass "
            "search='exact'"
        )
    side, count = 2 * exemplars.half + 1, len(exemplars.allowed)
    shape = exemplars.plane // exemplars.stride, exemplars.stride
    centers = np.zeros(exemplars.plane, np.bool_)
    centers[exemplars.allowed] = True
    used = ndimage.maximum_filter(centers.reshape(shape), side, mode="constant")
    planes = exemplars.atlas[: exemplars.plane * exemplars.channels].reshape(-1, *shape)
    picture = np.ascontiguousarray(np.moveaxis(planes, 0, -1))
    field = nnf(picture, picture, patch=side, source_mask=~used, k=min(_K, count))
    found = field.positions.reshape(-1, min(_K, count), 2).astype(np.int64)
    corner = exemplars.allowed - exemplars.half * (shape[1] + 1)
    found = found[corner // shape[1] * (shape[1] - side + 1) + corner % shape[1]]
    places = (found[..., 0] + exemplars.half) * shape[1] + found[..., 1] + exemplars.half
    places[found[..., 0] < 0] = -1
    places[:, 0] = exemplars.allowed  # which a search may miss
    number = np.full(exemplars.plane, -1, np.int32)
    number[exemplars.allowed] = np.arange(count)
    return np.where(places < 0, places[:, :1], places), number
