"""Which plane a picture shows, as data and as a picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.images import check_finite, check_image, check_mask
from synth.planes.edges import Edges, find_edges, frame
from synth.planes.homography import apply, rectifying
from synth.planes.vanishing import TOLERANCE, misses, vanishing_points

__all__ = ["Plane", "Planes", "find_planes", "plane_at"]

#: Both vanishing points together must explain this share of the edges, …
CLEAR = 0.55
#: … and the weaker one this much.
CLEAR_EACH = 0.09
#: … and their edges lie all over the picture: blinds on one wall of a room are not its plane.
COVERED = 0.75
_CELLS = 6


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
        Share of the picture's edges that point at each.
    coverage : float
        Share of the picture, in a grid of 6×6 cells, where a fair part of these edges lies.
    """

    homography: NDArray[np.float64]
    vanishing_points: NDArray[np.float64]
    shares: tuple[float, float]
    coverage: float

    @property
    def confidence(self) -> float:
        """Share of the edges that lie along the plane's two directions, 0 to 1."""
        return sum(self.shares)

    @property
    def clear(self) -> bool:
        """Whether a fill may rely on it."""
        return (
            self.confidence >= CLEAR
            and min(self.shares) >= CLEAR_EACH
            and self.coverage >= COVERED
        )


@dataclass(frozen=True)
class Planes:
    """What `find_planes` found.

    Attributes
    ----------
    planes : tuple of Plane
        Empty where the edges have no two directions in common. A plane that is not
        `Plane.clear` is listed, but no fill uses it.
    image : ndarray
        The picture that was looked at.
    """

    planes: tuple[Plane, ...]
    image: NDArray[Any] = field(repr=False)

    def draw(self, spacing: int = 48) -> NDArray[np.uint8]:
        """Draw each plane's grid over the picture: green where it is clear, red where not.

        Parameters
        ----------
        spacing : int
            Pixels between two lines where the plane's scale is 1.

        Returns
        -------
        (rows, columns, 3) uint8
        """
        import cv2

        drawn = _as_bytes(self.image)
        rows, columns = drawn.shape[:2]
        for plane in self.planes:
            box = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float64)
            corners = apply(plane.homography, box)
            low, high = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
            back = np.asarray(np.linalg.inv(plane.homography), np.float64)
            colour = (0, 200, 0) if plane.clear else (220, 0, 0)
            for axis in (0, 1):
                for at in _steps(low[axis], high[axis], spacing):
                    ends = np.empty((2, 2), np.float64)
                    ends[:, axis] = at
                    ends[:, 1 - axis] = low[1 - axis], high[1 - axis]
                    line = np.clip(np.rint(apply(back, ends)), -(2**15), 2**15).astype(np.int32)
                    cv2.polylines(drawn, [line], False, colour, 1, cv2.LINE_AA)
        return drawn


def find_planes(image: NDArray[Any], mask: NDArray[Any] | None = None) -> Planes:
    """Find the plane of a picture's straight lines: a facade, a floor, a brick wall.

    Edges come from the structure tensor, two vanishing points from RANSAC with 2.5° of tolerance
    (Huang et al. 2014, "Image completion using planar structure guidance", section 4.1).

    Parameters
    ----------
    image : (rows, columns[, channels]) uint8, uint16, float32 or float64
    mask : (rows, columns), optional
        True (white) = not to be looked at; the plane's scale is 1 at its centre, or else at the
        picture's.

    Returns
    -------
    Planes
        With at most one plane: the one that most edges lie along.

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
    plane = plane_at(image, ~hole, centre_of(hole))
    return Planes((plane,) if plane is not None else (), image)


def centre_of(hole: NDArray[np.bool_]) -> NDArray[np.float64]:
    """X and y of the hole's centre, or of the picture's where there is none."""
    if not hole.any():
        return np.array(frame(hole.shape)[1])
    y, x = np.nonzero(hole)
    return np.array([x.mean(), y.mean()])


def plane_at(
    image: NDArray[Any],
    known: NDArray[np.bool_],
    centre: NDArray[np.float64],
    *,
    clear: bool = False,
) -> Plane | None:
    """Find the plane of checked input, its scale 1 at ``centre``; None where there is none.

    ``clear`` gives up early where the plane cannot become a clear one.
    """
    edges = find_edges(image, known)
    found = vanishing_points(edges, least=CLEAR / 2 if clear else 0.0)
    if len(found) < 2:
        return None
    scale, (cx, cy) = frame(known.shape)
    to_pixels = np.array([[scale, 0, cx], [0, scale, cy], [0, 0, 1.0]])
    points = np.stack([to_pixels @ point for point, _ in found])
    try:
        homography = rectifying(points[0], points[1], centre)
    except np.linalg.LinAlgError:  # both in one direction
        return None
    if not np.isfinite(homography).all():
        return None
    shares = (found[0][1], found[1][1])
    return Plane(homography, points, shares, _coverage(edges, [p for p, _ in found], known))


def _coverage(edges: Edges, points: list[NDArray[np.float64]], known: NDArray[np.bool_]) -> float:
    """Share of the known cells with at least a quarter of the edges that an even spread gives."""
    scale, centre = frame(known.shape)
    rows, columns = known.shape
    place = edges.points * scale + np.array(centre)
    explained = np.min([misses(point, edges) for point in points], axis=0) < TOLERANCE
    cell = (place * _CELLS / np.array([columns, rows])).astype(int).clip(0, _CELLS - 1)
    count = np.zeros((_CELLS, _CELLS))
    np.add.at(count, (cell[explained, 1], cell[explained, 0]), 1)
    row, column = np.nonzero(known)
    size = np.zeros((_CELLS, _CELLS))
    np.add.at(size, (row * _CELLS // rows, column * _CELLS // columns), 1)
    seen = size > 0.5 * size.max()
    even = np.count_nonzero(explained) * size / size.sum()
    return float((count[seen] >= 0.25 * even[seen]).mean())


def _steps(low: float, high: float, spacing: int) -> list[float]:
    first = np.ceil(low / spacing)
    count = int(min(400, max(0, np.floor(high / spacing) - first + 1)))
    return [float((first + step) * spacing) for step in range(count)]


def _as_bytes(image: NDArray[Any]) -> NDArray[np.uint8]:
    planes = image[..., np.newaxis] if image.ndim == 2 else image
    colours = planes[..., :3] if planes.shape[2] >= 3 else planes[..., :1].repeat(3, axis=2)
    if image.dtype == np.uint8:
        return np.array(colours, order="C")  # a copy: it is drawn on
    low, high = float(colours.min()), float(colours.max())
    span = (high - low) or 1.0
    return np.ascontiguousarray(((colours - low) * (255 / span)).astype(np.uint8))
