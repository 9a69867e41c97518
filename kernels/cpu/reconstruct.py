"""An image put together from the patches that a field points to."""

from __future__ import annotations

import numpy as np

from .._jit import jit

__all__ = ["vote"]


@jit
def vote(source, field, patch, total, votes, bounds, band):
    """Add up what every patch's match says about the pixels it covers.

    Parameters
    ----------
    source : (rows, columns, channels)
    field : (h, w, 2) int32
        Row and column of each patch's match, −1 = none.
    patch : int64
    total : (h + patch − 1, w + patch − 1, channels) int64 or float64
        Zero at first; becomes the sum of the votes.
    votes : (h + patch − 1, w + patch − 1) int32
        Zero at first; becomes the number of votes.
    bounds : int64 array
        Race-free: band ``b`` gathers the votes on its own pixels, rows
        ``bounds[b] <= y < bounds[b + 1]``, always in the same order.
    """
    rows, columns = field.shape[0], field.shape[1]
    channels = source.shape[2]
    for y in range(bounds[band], bounds[band + 1]):
        for top in range(max(0, y - patch + 1), min(rows, y + 1)):
            down = y - top
            for left in range(columns):
                row = np.int64(field[np.uint64(top), np.uint64(left), 0])
                column = np.int64(field[np.uint64(top), np.uint64(left), 1])
                if row < 0:
                    continue
                for across in range(patch):
                    x = np.uint64(left + across)
                    votes[np.uint64(y), x] += 1
                    for channel in range(np.uint64(channels)):
                        total[np.uint64(y), x, channel] += source[
                            np.uint64(row + down), np.uint64(column + across), channel
                        ]
