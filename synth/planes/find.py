"""Which planes a picture shows, as data and as a picture."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.arguments import check_number
from synth.images import check_finite, check_image, check_mask
from synth.planes.drawing import draw_grid
from synth.planes.edges import Edges, find_edges, frame
from synth.planes.homography import rectifying
from synth.planes.meeting import at_the_step, meeting, side_of
from synth.planes.support import supports
from synth.planes.vanishing import TOLERANCE, misses, vanishing_points

__all__ = ["Plane", "Planes", "centre_of", "find_planes", "plane_at", "planes_at"]

#: Both vanishing points together must explain this share of the edges, …
CLEAR = 0.55
#: … and the weaker one this much.
CLEAR_EACH = 0.09
#: … and their edges lie all over the picture: blinds on one wall of a room are not its plane.
COVERED = 0.75
#: Of two planes that meet, each shows at least this share of what is known, …
SEEN = 0.1
#: … and as they confirm each other, these shares of the edges of each are enough: of the lines of
#: both together, of those of its own point, and of those of the common one in both regions …
MEET_CLEAR = 0.5
MEET_OWN = 0.09
MEET_SHARED = 0.06
#: … over so much of each and of both together.
MEET_COVERED = 0.5
MEET_COVERED_BOTH = 0.7
_CELLS = 6
_POINTS = 4
#: The grey in which values that are no numbers are drawn.
_NOTHING = 128


@dataclass(frozen=True)
class Plane:
    """A plane that a picture shows, or a lattice that lies in the picture's own plane.

    Attributes
    ----------
    homography : (3, 3) float64
        From the picture's (x, y, 1) to the plane seen frontally, its lines along the axes and
        its scale 1 where it was asked for.
    vanishing_points : (2, 3) float64
        Homogeneous, in pixels; a third coordinate of 0 is infinitely far.
    shares : (float, float)
        Share of the region's edges that point at each.
    coverage : float
        Share of the region, in a grid of 6×6 cells, where a fair part of these edges lies.
    region : (rows, columns) bool
        The part of the picture that a fill takes to lie on the plane.
    support : (rows, columns) float32
        How much the edges round about speak for it, 0 to 1, in holes as well (Huang et al. 2014,
        section 4.2).
    clear : bool
        Whether a fill may rely on it.
    """

    homography: NDArray[np.float64]
    vanishing_points: NDArray[np.float64]
    shares: tuple[float, float]
    coverage: float
    region: NDArray[np.bool_] = field(repr=False)
    support: NDArray[np.float32] = field(repr=False)
    clear: bool

    @property
    def confidence(self) -> float:
        """Share of the edges that lie along the plane's two directions, 0 to 1."""
        return sum(self.shares)


@dataclass(frozen=True)
class Planes:
    """What `find_planes` found.

    Attributes
    ----------
    planes : tuple of Plane
        Two that meet, each with its region; or the one that most edges lie along; or none,
        where the edges have no two directions in common. A plane that is not `Plane.clear` is
        listed, but no fill uses it.
    image : ndarray
        The picture that was looked at.
    """

    planes: tuple[Plane, ...]
    image: NDArray[Any] = field(repr=False)

    def draw(self, spacing: float = 48) -> NDArray[np.uint8]:
        """Draw each plane's grid over the picture: green where it is clear, red where not.

        Parameters
        ----------
        spacing : float
            Pixels between two lines where the plane's scale is 1, above 0.

        Returns
        -------
        (rows, columns, 3) uint8
            What is no number is drawn grey.

        Raises
        ------
        InputError, InputTypeError
            ``spacing`` is no such number.
        """
        spacing = check_number(spacing, "spacing", 0, above=True)
        drawn = _as_bytes(self.image)
        for plane in self.planes:
            colour = (0, 200, 0) if plane.clear else (220, 0, 0)
            draw_grid(drawn, plane.homography, plane.region, spacing, colour)
        return drawn


def find_planes(image: NDArray[Any], mask: NDArray[Any] | None = None) -> Planes:
    """Find the planes of a picture's straight lines: a facade, a floor, two walls that meet.

    Edges come from the structure tensor, vanishing points from RANSAC with 2.5° of tolerance
    (Huang et al. 2014, "Image completion using planar structure guidance", section 4.1). Two
    planes that meet share the vanishing point of the edge between them, so the picture is parted
    along a line through it, where most edges lie on their own plane's side.

    Parameters
    ----------
    image : (rows, columns[, channels]) uint8, uint16, float32 or float64
    mask : (rows, columns), optional
        True (white) = not to be looked at; a plane's scale is 1 at the centre of its part of it,
        or else of its region.

    Returns
    -------
    Planes
        With at most two planes.

    Raises
    ------
    InputError, InputTypeError
        The picture or the mask is not one.

    Examples
    --------
    >>> import numpy as np
    >>> rows, columns = np.ogrid[:192, :192]
    >>> tiles = np.where((rows % 32 < 2) | (columns % 32 < 2), 0, 200).astype(np.uint8)
    >>> (plane,) = find_planes(tiles).planes
    >>> plane.clear, bool(np.allclose(plane.homography, np.eye(3), atol=0.01))
    (True, True)
    """
    image = check_image(image)
    hole = np.zeros(image.shape[:2], np.bool_)
    if mask is not None:
        hole = check_mask(mask, image.shape)
    check_finite(image, hole)
    return Planes(planes_at(image, ~hole, hole), image)


def centre_of(hole: NDArray[np.bool_]) -> NDArray[np.float64]:
    """X and y of the hole's centre, or of the picture's where there is none."""
    if not hole.any():
        return np.array(frame(hole.shape)[1])
    y, x = np.nonzero(hole)
    return np.array([x.mean(), y.mean()])


def planes_at(
    image: NDArray[Any],
    known: NDArray[np.bool_],
    hole: NDArray[np.bool_],
    *,
    clear: bool = False,
) -> tuple[Plane, ...]:
    """Find the planes of checked input: two that meet and are both clear, or one, or none.

    ``clear`` gives up early where none can become clear.
    """
    edges = find_edges(image, known)
    found = vanishing_points(edges, most=_POINTS, least=CLEAR if clear else 0.0)
    points = [point for point, _ in found]
    if len(points) < 2:
        return ()
    if len(points) > 2:
        both = _meeting_planes(image, known, hole, edges, points)
        if both:
            return both
    everywhere = np.ones(known.shape, np.bool_)
    one = _plane(edges, (points[0], points[1]), known, everywhere, centre_of(hole))
    return () if one is None else _supported(edges, (one,), [(points[0], points[1])], known)


def plane_at(
    image: NDArray[Any], known: NDArray[np.bool_], centre: NDArray[np.float64]
) -> Plane | None:
    """Find the one plane of checked input, its scale 1 at ``centre``; None where there is none."""
    edges = find_edges(image, known)
    points = [point for point, _ in vanishing_points(edges)]
    if len(points) < 2:
        return None
    return _plane(edges, (points[0], points[1]), known, np.ones(known.shape, np.bool_), centre)


def _meeting_planes(
    image: NDArray[Any],
    known: NDArray[np.bool_],
    hole: NDArray[np.bool_],
    edges: Edges,
    points: list[NDArray[np.float64]],
) -> tuple[Plane, ...]:
    """Return the planes on the two sides of the line that parts the edges best, if clear."""
    line = meeting(edges, points)
    if line is None:
        return ()
    shared = points[line.shared]
    line = at_the_step(line, shared, image, known)
    low = side_of(shared, line.at, known.shape)
    planes, pairs = [], []
    for other, region in ((line.low, low), (line.high, ~low)):
        seen = known & region
        if np.count_nonzero(seen) < SEEN * np.count_nonzero(known):
            return ()
        own = hole & region
        pairs.append((shared, points[other]))
        centre = centre_of(own if own.any() else region)
        plane = _plane(edges, pairs[-1], known, region, centre)
        if plane is None:
            return ()
        planes.append(plane)
    if not _clear_together(edges, planes):
        return ()
    planes = [replace(plane, clear=True) for plane in planes]
    return _supported(edges, tuple(planes), pairs, known)


def _clear_together(edges: Edges, planes: list[Plane]) -> bool:
    scale, centre = frame(planes[0].region.shape)
    at = np.rint(edges.points * scale + np.array(centre)).astype(int)
    weights = [edges.weights[plane.region[at[:, 1], at[:, 0]]].sum() for plane in planes]
    parts = [plane.region.mean() for plane in planes]
    return bool(
        min(plane.confidence for plane in planes) >= MEET_CLEAR
        and min(plane.shares[1] for plane in planes) >= MEET_OWN
        and np.average([plane.shares[0] for plane in planes], weights=weights) >= MEET_SHARED
        and min(plane.coverage for plane in planes) >= MEET_COVERED
        and np.average([plane.coverage for plane in planes], weights=parts) >= MEET_COVERED_BOTH
    )


def _plane(
    edges: Edges,
    pair: tuple[NDArray[np.float64], NDArray[np.float64]],
    known: NDArray[np.bool_],
    region: NDArray[np.bool_],
    centre: NDArray[np.float64],
) -> Plane | None:
    """Return the plane of two vanishing points, judged by the edges in its region."""
    scale, (cx, cy) = frame(known.shape)
    to_pixels = np.array([[scale, 0, cx], [0, scale, cy], [0, 0, 1.0]])
    points = np.stack([to_pixels @ point for point in pair])
    try:
        homography = rectifying(points[0], points[1], centre)
    except np.linalg.LinAlgError:  # both in one direction
        return None
    if not np.isfinite(homography).all():
        return None
    at = np.rint(edges.points * scale + np.array([cx, cy])).astype(int)
    edges = edges.of(region[at[:, 1], at[:, 0]])
    missed = np.stack([misses(point, edges) for point in pair])
    first = missed[0] < TOLERANCE
    # as they were found: what is near to the first is not counted for the second
    second = (missed[1] < TOLERANCE) & (missed[0] > 3 * TOLERANCE)
    whole = max(float(edges.weights.sum()), 1e-12)
    shares = (
        float(edges.weights[first].sum()) / whole,
        float(edges.weights[second].sum()) / whole,
    )
    coverage = _coverage(edges, missed.min(axis=0) < TOLERANCE, known & region)
    nowhere = np.zeros((0, 0), np.float32)
    clear = sum(shares) >= CLEAR and min(shares) >= CLEAR_EACH and coverage >= COVERED
    return Plane(homography, points, shares, coverage, region, nowhere, clear)


def _supported(
    edges: Edges,
    planes: tuple[Plane, ...],
    pairs: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
    known: NDArray[np.bool_],
) -> tuple[Plane, ...]:
    return tuple(
        replace(plane, support=support)
        for plane, support in zip(planes, supports(edges, pairs, known), strict=True)
    )


def _coverage(edges: Edges, explained: NDArray[np.bool_], known: NDArray[np.bool_]) -> float:
    """Share of the known cells with at least a quarter of the edges that an even spread gives."""
    if not explained.any():
        return 0.0
    scale, centre = frame(known.shape)
    rows, columns = known.shape
    place = edges.points * scale + np.array(centre)
    cell = (place * _CELLS / np.array([columns, rows])).astype(int).clip(0, _CELLS - 1)
    count = np.zeros((_CELLS, _CELLS))
    np.add.at(count, (cell[explained, 1], cell[explained, 0]), 1)
    row, column = np.nonzero(known)
    size = np.zeros((_CELLS, _CELLS))
    np.add.at(size, (row * _CELLS // rows, column * _CELLS // columns), 1)
    seen = size > 0.5 * size.max()
    even = np.count_nonzero(explained) * size / size.sum()
    return float((count[seen] >= 0.25 * even[seen]).mean())


def _as_bytes(image: NDArray[Any]) -> NDArray[np.uint8]:
    planes = image[..., np.newaxis] if image.ndim == 2 else image
    colours = planes[..., :3] if planes.shape[2] >= 3 else planes[..., :1].repeat(3, axis=2)
    if image.dtype == np.uint8:
        return np.array(colours, order="C")  # a copy: it is drawn on
    finite = np.isfinite(colours)  # what is under a mask may be anything
    seen = colours[finite].astype(np.float64)
    # halves first, so that the range of floats is not left
    low, high = (float(seen.min()) / 2, float(seen.max()) / 2) if seen.size else (0.0, 0.0)
    bytes_ = np.full(colours.shape, _NOTHING, np.uint8)
    bytes_[finite] = (seen / 2 - low) / ((high - low) or 1.0) * 255
    return bytes_
