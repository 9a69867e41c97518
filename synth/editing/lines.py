"""Straight lines that are to stay straight while all else may move."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError, InputTypeError

__all__ = ["Line", "check_lines", "fitted", "halved_lines", "straightened"]

#: A line: its two ends, rows and columns, (2, 2).
Line = NDArray[np.float64]

#: Patches whose middle is at most so many pixels from a line belong to it.
_NEAR = 2.0
#: Rounds of the robust fit, and the distance in pixels beyond which a point counts less.
_FITS = 10
_FAR = 1.5
#: A match that is held counts like so many others.
_SURE = 100.0
#: The shortest line, in pixels: shorter ones say little about a direction.
_SHORTEST = 8


def straightened(
    field: NDArray[np.int32],
    lines: list[Line],
    patch: int,
    grid: tuple[int, int],
    *,
    held: NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """Move what the patches on each line are matched to onto one line, in place.

    Barnes et al. 2009, section 4.1: the line is fitted to the matches themselves, so it may lie
    anywhere and lean as it likes, and every match goes to the place on it that is nearest. Where
    some of the matches are held, it goes through them.

    Parameters
    ----------
    field : (h, w, 2) int32
        Where each patch of the picture has its like in the summary.
    lines : list of (2, 2) float64
        Ends in the picture.
    patch : int
    grid : (int, int)
        Rows and columns of patches in the summary.
    held : (h, w) bool, optional
        Patches whose matches must stay what they are.

    Returns
    -------
    (h, w) bool
        Patches that belong to a line.
    """
    middle = (patch - 1) / 2
    touched = np.zeros(field.shape[:2], np.bool_)
    for ends in lines:
        own, foot = _members(field.shape[:2], ends, middle)
        if len(own) < 2:
            continue
        stays = np.zeros(len(own), np.bool_) if held is None else held[own[:, 0], own[:, 1]]
        aside = own + middle - foot
        matches = field[own[:, 0], own[:, 1]] + middle - aside
        point, direction = fitted(matches, stays)
        place = own[~stays, 0], own[~stays, 1]
        along = (matches[~stays] - point) @ direction
        moved = np.rint(point + along[:, np.newaxis] * direction + (aside[~stays] - middle))
        field[place] = np.clip(moved, 0, np.array(grid) - 1).astype(np.int32)
        touched[place] = True
    return touched


def _members(
    grid: tuple[int, ...], ends: Line, middle: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Patches whose middle is near a line, (n, 2), and the points of the line nearest to each."""
    length = float(np.linalg.norm(ends[1] - ends[0]))
    direction = (ends[1] - ends[0]) / max(length, 1e-9)
    low = np.maximum(np.floor(ends.min(axis=0) - middle - _NEAR), 0).astype(int)
    high = np.minimum(np.ceil(ends.max(axis=0) - middle + _NEAR).astype(int) + 1, grid)
    own = np.argwhere(np.ones(np.maximum(high - low, 0), np.bool_)) + low
    along = np.clip((own + middle - ends[0]) @ direction, 0, length)
    foot = ends[0] + along[:, np.newaxis] * direction
    near = np.linalg.norm(own + middle - foot, axis=1) <= _NEAR
    return own[near], np.asarray(foot[near], np.float64)


def fitted(
    points: NDArray[np.float64], sure: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit a line by least squares of the distances to it, those far away counting less.

    Parameters
    ----------
    points : (n, 2) float64
    sure : (n,) bool, optional
        Points that count fully however far they are, and 100 times as much as others.

    Returns
    -------
    (2,), (2,) float64
        A point of it and its direction, of length 1.

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([[n, 2.0 * n] for n in range(20)] + [[3, 40.0]])
    >>> _, direction = fitted(points)
    >>> round(float(direction[1] / direction[0]), 2)
    2.0
    """
    sure = np.zeros(len(points), np.bool_) if sure is None else sure
    weight = np.where(sure, _SURE, 1.0)
    for _ in range(_FITS):
        point = np.average(points, axis=0, weights=weight)
        spread = (points - point) * weight[:, np.newaxis]
        direction = np.linalg.eigh(spread.T @ (points - point))[1][:, 1]
        distance = np.abs((points - point) @ np.array([-direction[1], direction[0]]))
        weight = np.where(sure, _SURE, 1 / np.maximum(1, distance / _FAR) ** 2)
    return np.asarray(point), np.asarray(direction)


def halved_lines(lines: list[Line], level: int) -> tuple[Line, ...]:
    """Return where lines lie when a picture is halved ``level`` times."""
    return tuple((ends + 0.5) / (1 << level) - 0.5 for ends in lines)


def check_lines(lines: Any, shape: tuple[int, ...]) -> list[Line]:
    """Return lines as arrays of their ends."""
    needed = "lines must be a list of pairs of ends, ((row, column), (row, column)) in pixels"
    try:
        given = list(lines)
        found = [np.array(ends, np.float64) for ends in given]
    except (TypeError, ValueError):
        raise InputTypeError(f"{needed}, but it is {lines!r}") from None
    for number, ends in enumerate(found):
        if ends.shape != (2, 2):
            raise InputError(f"{needed}, but lines[{number}] is {given[number]!r}")
        if not ((ends >= 0) & (ends <= np.array(shape[:2]) - 1)).all():
            raise InputError(
                f"lines[{number}] is {ends.tolist()}, which leaves the picture of "
                f"{shape[0]}×{shape[1]}; give ends inside it"
            )
        if np.linalg.norm(ends[1] - ends[0]) < _SHORTEST:
            raise InputError(
                f"lines[{number}] is {ends.tolist()}, shorter than {_SHORTEST} pixels; "
                "give a longer part of the line"
            )
    return found
