"""How copies may differ from what they are copied from: the arguments of `synth.fill`, checked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError, InputTypeError

__all__ = ["Variation", "check_variation"]

#: Neighbouring copies are at most so many pixels apart at a patch's corner.
_APART = 1.0


@dataclass(frozen=True)
class Variation:
    """Rotations, scales and reflections that copies may have.

    Attributes
    ----------
    rotate : (float, float)
        Least and greatest rotation in degrees, counterclockwise as seen.
    scale : (float, float)
        Least and greatest enlargement.
    mirror : bool
        Whether left and right may be exchanged as well.
    """

    rotate: tuple[float, float] = (0.0, 0.0)
    scale: tuple[float, float] = (1.0, 1.0)
    mirror: bool = False

    def __bool__(self) -> bool:
        return self != Variation()

    def matrices(self, patch: int, coarser: float = 1.0) -> list[NDArray[np.float64]]:
        """List the (2, 2) matrices that act on (x, y), all but the identity.

        Parameters
        ----------
        patch : int
            Side of the patches in pixels: larger ones tell smaller rotations apart.
        coarser : float
            Makes the steps between copies larger.

        Examples
        --------
        >>> [matrix.tolist() for matrix in Variation(mirror=True).matrices(7)]
        [[[-1.0, 0.0], [0.0, 1.0]]]
        >>> len(Variation(rotate=(-20, 20), scale=(0.8, 1.25)).matrices(7))
        14
        """
        step = coarser * _APART / (patch / math.sqrt(2))
        low, high = (math.radians(angle) for angle in self.rotate)
        angles = _grid(low, high, step)
        if high - low > 2 * math.pi - 1e-9:  # half a turn either way is the same
            angles = angles[1:]
        least, most = (math.log(factor) for factor in self.scale)
        scales = [math.exp(log) for log in _grid(least, most, step)]
        found = []
        for flip in (1, -1) if self.mirror else (1,):
            for angle in angles:
                for scale in scales:
                    cosine, sine = math.cos(angle) * scale, math.sin(angle) * scale
                    matrix = np.array([[cosine * flip, sine], [-sine * flip, cosine]])
                    # so that a quarter turn is exactly one
                    matrix = np.where(np.abs(matrix) < 1e-12, 0.0, matrix)
                    if not np.array_equal(matrix, np.eye(2)):
                        found.append(matrix)
        return found


def _grid(low: float, high: float, step: float) -> list[float]:
    """Go from ``low`` to ``high`` in about equal steps, by way of 0 where it lies between."""
    if low < 0 < high:
        return _grid(low, 0.0, step) + _grid(0.0, high, step)[1:]
    count = max(1, round((high - low) / step)) if high > low else 0
    return [float(value) for value in np.linspace(low, high, count + 1)]


def check_variation(rotate: Any, scale: Any, mirror: Any) -> Variation:
    """Turn the arguments of `synth.fill` into a `Variation`."""
    if not isinstance(mirror, bool | np.bool_):
        raise InputTypeError(f"mirror is {mirror!r}, but True or False is needed")
    turn, size = (0.0, 0.0), (1.0, 1.0)
    if rotate is not None:
        turn = _range("rotate", rotate, -180.0, 180.0, "degrees", "(-20, 20)")
    if scale is not None:
        size = _range("scale", scale, 0.5, 2.0, "factors", "(0.8, 1.25)")
    return Variation(turn, size, bool(mirror))


def _range(
    name: str, value: Any, least: float, most: float, unit: str, example: str
) -> tuple[float, float]:
    needed = (
        f"{name} is {value!r}, but (low, high) from {least:g} to {most:g} ({unit}) is needed, "
        f"such as {example}, or None"
    )
    if isinstance(value, str):
        raise InputTypeError(needed)
    try:
        ends = [float(end) for end in value]
    except TypeError:
        raise InputTypeError(needed) from None
    except ValueError:
        raise InputError(needed) from None
    if len(ends) != 2 or not least <= ends[0] <= ends[1] <= most:
        raise InputError(needed)
    return ends[0], ends[1]
