"""What a synthesis tells about itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError

__all__ = ["Synthesis", "copy_from"]


@dataclass(frozen=True)
class Synthesis:
    """A texture and where each of its pixels is from.

    Attributes
    ----------
    image : ndarray, or dict of str to ndarray
        The texture, of the exemplar's dtype and channels; for layers one array under each name.
    source_map : (rows, columns, 2 or 3) int32
        Row and column in the exemplar of each pixel, which is copied unchanged; of several
        exemplars number, row and column. −1 where a pixel was known.
    method : str
        What made it: "efros-leung", "quilting" or "patchmatch".
    seconds : float
        Wall time.
    why : str
        Why this method, for people.
    order, candidates : (rows, columns) int32 or None
        By "efros-leung": when each pixel was drawn, and from how many; see `synth.Sample`.
    """

    image: NDArray[Any] | dict[str, NDArray[Any]] = field(repr=False)
    source_map: NDArray[np.int32] = field(repr=False)
    method: str
    seconds: float
    why: str
    order: NDArray[np.int32] | None = field(default=None, repr=False)
    candidates: NDArray[np.int32] | None = field(default=None, repr=False)

    def apply(self, exemplar: NDArray[Any] | Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Copy the same pixels from something else of the exemplar's size.

        Parameters
        ----------
        exemplar : (rows, columns[, …]) ndarray, or a list of them
            For instance the normal map of the surface whose colours were the exemplar; a list
            where the exemplar was one. Any dtype.

        Returns
        -------
        (rows, columns[, …]) ndarray
            0 where a pixel was known.

        Raises
        ------
        InputError
            Too few arrays, or one that is smaller than the exemplar was.

        Examples
        --------
        >>> import synth
        >>> colours = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
        >>> details = synth.synthesize_details(colours, (40, 48), method="quilting")
        >>> bool((details.apply(colours) == details.image).all())
        True
        """
        several = self.source_map.shape[2] == 3
        given = list(exemplar) if several else [np.asarray(exemplar)]
        numbers = self.source_map[..., 0] if several else np.zeros(self.source_map.shape[:2], int)
        for number, one in enumerate(given):
            here = self.source_map[numbers == number][:, -2:]
            if here.size and (here.max(axis=0) >= one.shape[:2]).any():
                raise InputError(
                    f"exemplar {number} is {one.shape[0]}×{one.shape[1]}, smaller than the one "
                    "that the texture was made from; pass one of the same size"
                )
        if numbers.max(initial=0) >= len(given):
            raise InputError(
                f"{len(given)} exemplars, but the texture was made from {numbers.max() + 1}"
            )
        return copy_from(given, self.source_map)


def copy_from(exemplars: Sequence[NDArray[Any]], source_map: NDArray[np.int32]) -> NDArray[Any]:
    """Return ``exemplars`` at ``source_map``, 0 where that is −1."""
    first = exemplars[0]
    result = np.zeros((*source_map.shape[:2], *first.shape[2:]), first.dtype)
    if source_map.shape[2] == 2:
        rows, columns = source_map[..., 0], source_map[..., 1]
        there = rows >= 0
        result[there] = first[rows[there], columns[there]]
        return result
    for number, one in enumerate(exemplars):
        here = source_map[..., 0] == number
        result[here] = one[source_map[here, 1], source_map[here, 2]]
    return result
