"""Where two planes of a picture meet, from the edges on either side.

Two planes that meet have the direction of their common edge in common: both contain its
vanishing point, and in the picture the edge itself runs towards it. So of all the lines that
could part the picture in two, only those through a vanishing point are in question, and the best
of them is found by looking at each edge once (after Huang et al. 2014, "Image completion using
planar structure guidance", section 4.2, where planes are soft and overlap).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.planes.edges import Edges, frame
from synth.planes.vanishing import TOLERANCE, misses

__all__ = ["Meeting", "across", "at_the_step", "meeting", "side_of"]

#: A shared vanishing point lies this far out, in half longer sides, so that no pixel is beyond it.
_OUTSIDE = 1.45
#: An edge speaks for one of two planes if it misses the other's point by this many tolerances.
_APART = 2.0
#: Of the edges that tell the planes apart, so much more must lie on their own side than not, …
_PURE = 0.6
#: … on each side by this factor …
_OUTWEIGHS = 2.0
#: … and they are at least this share of the side's edges.
_EACH = 0.05
_FEWEST = 40
#: A step in brightness of this much, of 255, across the meeting line says where it is.
_STEP = 6
#: … as the median over so many pixels on either side, and looked for this far beyond the plateau.
_BESIDE = 9
_BEYOND = 2


@dataclass(frozen=True)
class Meeting:
    """A line through a shared vanishing point, and the point of the plane on either side.

    Attributes
    ----------
    shared, low, high : int
        Numbers of vanishing points. The plane of ``shared`` and ``low`` lies where `across` is
        less than ``at``, the other where it is more.
    at : float
    plateau : (float, float)
        As far as the line may be moved without another edge coming on the wrong side.
    """

    shared: int
    low: int
    high: int
    at: float
    plateau: tuple[float, float]


def across(shared: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the lines from a vanishing point through (n, 2) points cross the picture's middle.

    The same number for all points in line with ``shared``; it grows to one side. Lengths are
    those of `Edges`.
    """
    towards = shared[:2] / np.hypot(*shared[:2])
    sideways = np.array([-towards[1], towards[0]])
    x, y = points[:, 0], points[:, 1]
    u, v, w = shared
    # the line through both, met with the axis along ``sideways``
    a, b, c = v - w * y, w * x - u, u * y - v * x
    return np.asarray(-c / (a * sideways[0] + b * sideways[1]))


def meeting(edges: Edges, points: list[NDArray[np.float64]]) -> Meeting | None:
    """Find the line that best parts the edges of two planes; None where there is no such.

    Parameters
    ----------
    edges : Edges
    points : list of (3,) float64
        At least three vanishing points.
    """
    missed = np.stack([misses(point, edges) for point in points])
    best: tuple[float, Meeting] | None = None
    for shared, point in enumerate(points):
        if np.hypot(point[0], point[1]) <= _OUTSIDE * abs(point[2]):
            continue
        place = across(point, edges.points)
        order = np.argsort(place, kind="stable")
        others = [number for number in range(len(points)) if number != shared]
        for pair in combinations(others, 2):
            found = _parted(edges, missed, points, shared, pair, place, order)
            if found is not None and (best is None or found[0] > best[0]):
                best = found
    return None if best is None else best[1]


def _parted(
    edges: Edges,
    missed: NDArray[np.float64],
    points: list[NDArray[np.float64]],
    shared: int,
    pair: tuple[int, int],
    place: NDArray[np.float64],
    order: NDArray[np.int64],
) -> tuple[float, Meeting] | None:
    """Part the edges of two points at the best place: how much it explains, and where."""
    own = missed[shared] < np.minimum(TOLERANCE, missed[list(pair)].min(axis=0))
    speaks = [
        np.where(
            ~own & (missed[one] < TOLERANCE) & (missed[other] > _APART * TOLERANCE),
            edges.weights, 0.0,
        )
        for one, other in (pair, pair[::-1])
    ]  # fmt: skip
    total = sum(float(weights.sum()) for weights in speaks)
    if total == 0:
        return None
    # what is gained by having an edge below the line and not above it
    gain = np.concatenate([[0.0], np.cumsum((speaks[0] - speaks[1])[order])])
    turned = gain[-1] - 2 * gain
    low, high = pair if turned.min() <= -turned.max() else pair[::-1]
    if (low, high) != pair:
        speaks, turned = speaks[::-1], -turned
    number = int(np.argmin(turned))
    if -turned[number] < _PURE * total:
        return None
    below = np.zeros(len(order), np.bool_)
    below[order[:number]] = True
    explained = float(edges.weights[own].sum())
    for side, (mine, theirs) in zip((below, ~below), (speaks, speaks[::-1]), strict=True):
        if np.count_nonzero(side) < _FEWEST:
            return None
        weight = float(mine[side].sum())
        least = max(_OUTWEIGHS * float(theirs[side].sum()), _EACH * edges.weights[side].sum())
        if weight < least:
            return None
        explained += weight
    telling = place[order][(speaks[0] + speaks[1])[order] > 0]
    before = telling[telling <= place[order[number - 1]]]
    after = telling[telling > place[order[number - 1]]]
    plateau = float(before[-1]), float(after[0])
    at = sum(plateau) / 2
    # neither plane's horizon runs through its own side
    for one, sign in ((low, 1), (high, -1)):
        if abs(points[one][2]) < 1e-9:
            continue
        horizon = float(across(points[shared], (points[one][:2] / points[one][2])[None])[0])
        outermost = place[order[0 if sign > 0 else -1]]
        if sign * outermost < sign * horizon < sign * at:
            return None
    return explained, Meeting(shared, low, high, at, plateau)


def at_the_step(
    found: Meeting, shared: NDArray[np.float64], image: NDArray[Any], known: NDArray[np.bool_]
) -> Meeting:
    """Move the line to where the light changes, as far as the edges leave that open.

    Parameters
    ----------
    found : Meeting
    shared : (3,) float64
        Its vanishing point, in units of `Edges`.
    image, known : arrays
        What `find_edges` looked at.
    """
    scale, (cx, cy) = frame(known.shape)
    # one bin a pixel; the windows on either side reach beyond the candidates
    reach = _BEYOND + _BESIDE
    low, high = (side * scale for side in found.plateau)
    first, last = int(np.floor(low)) - reach, int(np.ceil(high)) + reach
    y, x = np.nonzero(known)
    place = across(shared, np.stack([(x - cx) / scale, (y - cy) / scale], axis=1)) * scale
    near = (place >= first) & (place < last)
    number = np.floor(place[near]).astype(int) - first
    count = np.bincount(number, minlength=last - first)
    values = image[y[near], x[near]].astype(np.float64)
    if image.dtype.kind == "f":  # of any size: their sums are to be finite
        values /= float(np.abs(values).max(initial=0.0)) or 1.0
    grey = values if image.ndim == 2 else values[:, :3].mean(axis=1)
    total = np.bincount(number, grey, minlength=last - first)
    if not count.all():
        return found
    profile = total / count
    windows = np.lib.stride_tricks.sliding_window_view(profile, _BESIDE)
    # medians, because a joint along the line is no step
    level = np.median(windows, axis=1)
    step = np.abs(level[_BESIDE:] - level[:-_BESIDE])
    span = float(grey.max() - grey.min()) or 1.0
    if not step.size or step.max() * 255 < _STEP * span:
        return found
    # they change together over some pixels; the light does between two
    middle = float(np.flatnonzero(step > 0.9 * step.max()).mean()) + _BESIDE
    jump = np.abs(np.diff(profile, prepend=profile[0]))
    close = np.flatnonzero(np.abs(np.arange(len(jump)) - middle) <= _BEYOND)
    best = close[np.argmax(jump[close])]
    return replace(found, at=(first + int(best)) / scale)


def side_of(shared: NDArray[np.float64], at: float, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """(rows, columns) bool: where `across` is less than ``at``."""
    scale, (cx, cy) = frame(shape)
    towards = shared[:2] / np.hypot(*shared[:2])
    sideways = np.array([-towards[1], towards[0]])
    line = np.cross(shared, np.array([*(at * sideways), 1.0]))
    less = float(line @ np.array([*((at - 1) * sideways), 1.0]))
    line = line * np.sign(less)
    row, column = np.ogrid[: shape[0], : shape[1]]
    value = line[0] * ((column - cx) / scale) + line[1] * ((row - cy) / scale) + line[2]
    return np.asarray(value > 0)
