"""Several answers to one hole: p(hole | surroundings) is a distribution.

A deterministic fill is one draw from it. Here a few more are made, from other seeds and with other
sizes of patches, and those are kept that differ most from one another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.patchmatch.details import FillDetails

__all__ = ["candidates", "distinct", "draw", "spread"]

#: Candidates for each answer beyond the first.
_CANDIDATES = 2
#: An answer may leave so many times the first's mean squared difference.
_WORSE = 1.5
#: Odd and far apart from any seed that people choose (2⁶⁴ / golden ratio).
_STEP = 0x9E3779B97F4A7C15


def candidates(count: int) -> int:
    """How many fills are made for ``count`` answers."""
    return 1 + _CANDIDATES * (count - 1)


def draw(
    first: FillDetails, count: int, patch: int, again: Callable[[int, int, int], FillDetails]
) -> list[FillDetails]:
    """Return ``count`` answers, ``first`` among them.

    Parameters
    ----------
    first : FillDetails
        The answer of the caller's own seed.
    count : int
        Answers that are wanted, at least 1.
    patch : int
        The caller's patch; every second candidate has larger or smaller ones.
    again : callable
        Called with the number of the candidate, from 1 on, what to add to the seed and the patch.
    """
    made = [first]
    if not len(first.pixels):
        return made * count
    sizes = (patch, patch + 2, patch, max(3, patch - 2))
    for number in range(1, candidates(count)):
        made.append(again(number, number * _STEP, min(sizes[number % 4], 31)))
    y, x = first.pixels[:, 0], first.pixels[:, 1]
    fills = np.stack([one.image[y, x].astype(np.float64).ravel() for one in made])
    energies = [one.energy[-1][1] if one.energy else 0.0 for one in made]
    return [made[number] for number in distinct(fills, energies, count)]


def distinct(fills: NDArray[np.float64], energies: list[float], count: int) -> list[int]:
    """Choose rows, the first one first, each as far as can be from those chosen before.

    Rows of more than 1.5 times the first one's energy are chosen only where there are too few
    others, the least bad first.

    Examples
    --------
    >>> import numpy as np
    >>> distinct(np.array([[0.0], [1.0], [9.0], [99.0]]), [1, 1, 1, 5], 3)
    [0, 2, 1]
    """
    chosen = [0]
    good = [n for n in range(1, len(fills)) if energies[n] <= _WORSE * energies[0] + 1]
    poor = sorted((n for n in range(1, len(fills)) if n not in good), key=energies.__getitem__)
    nearest = np.full(len(fills), np.inf)
    while len(chosen) < count:
        nearest = np.minimum(nearest, np.abs(fills - fills[chosen[-1]]).mean(axis=1))
        if good:
            best = max(good, key=lambda n: (nearest[n], -n))
            good.remove(best)
        else:
            best = poor.pop(0)
        chosen.append(best)
    return chosen


def spread(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Return where answers disagree: their standard deviation, the mean over the channels.

    Parameters
    ----------
    samples : (n, rows, columns[, channels])

    Returns
    -------
    (rows, columns) float32, in the picture's units
    """
    deviation = samples.std(axis=0, dtype=np.float64)
    if deviation.ndim == 3:
        deviation = deviation.mean(axis=2)
    return np.asarray(deviation, np.float32)
