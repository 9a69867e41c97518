"""Densities drawn: the marginals of every column, and contours of every pair."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError, MissingExtraError

__all__ = ["check_drawing", "draw_density"]

#: More columns than so many are too small to see.
_MOST = 8
_PLACES, _SIDE, _DOTS = 400, 90, 2000
#: The share of the probability inside each contour.
SHARES = (0.95, 0.8, 0.5, 0.2)


class Drawable(Protocol):
    """A density over several columns."""

    def log_prob(self, q: Any) -> NDArray[Any]:
        """Return log p of each row, (m,)."""

    def marginal(self, columns: Any) -> Drawable:
        """Return the density of some columns."""


def check_drawing() -> Any:
    """Return matplotlib's Figure, or raise `MissingExtraError`."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(
            "drawing a density needs matplotlib: pip install 'synth-classic[plot]'"
        ) from error
    return Figure


def draw_density(
    model: Drawable, columns: Sequence[str], rows: NDArray[np.float64]
) -> tuple[bytes, int]:
    """Draw a density over the rows it was fitted to.

    On the diagonal the density of each column over the data's histogram; below it, for each pair,
    contours inside which 20, 50, 80 and 95 % of the probability lie, over the data.

    Parameters
    ----------
    model : density of d columns with `marginal`
    columns : d names
    rows : (n, d)
        Their range is drawn, and a fifth of it more on either side; 2000 of them as dots.

    Returns
    -------
    A PNG, and how many columns are in it: the first eight at most.
    """
    figure_of = check_drawing()
    if rows.ndim != 2 or rows.shape[1] != len(columns) or not len(rows):
        raise InputError(f"rows have shape {rows.shape}, but (n, {len(columns)}) is needed")
    count = min(len(columns), _MOST)
    figure = figure_of(figsize=(1.5 + 2.3 * count, 1.2 + 2.1 * count), layout="constrained")
    axes = figure.subplots(count, count, squeeze=False, sharex="col")
    dots = rows[:: -(-len(rows) // _DOTS)]
    low, high = np.nanmin(rows[:, :count], axis=0), np.nanmax(rows[:, :count], axis=0)
    margin = np.where(high > low, (high - low) / 5, 1.0)
    low, high = low - margin, high + margin
    for row in range(count):
        for column in range(count):
            place = axes[row, column]
            if column > row:
                place.remove()
                continue
            if row == column:
                _line(place, model, row, rows[:, row], low[row], high[row])
            else:
                place.plot(dots[:, column], dots[:, row], ".", color="0.7", markersize=2)
                span = np.array([[low[column], high[column]], [low[row], high[row]]])
                _contours(place, model.marginal([column, row]), span)
                if column:
                    place.tick_params(labelleft=False)
                else:
                    place.set_ylabel(columns[row], parse_math=False)
            place.set_xlim(low[column], high[column])
            if row == count - 1:
                place.set_xlabel(columns[column], parse_math=False)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    return file.getvalue(), count


def _line(
    place: Any, model: Drawable, column: int, values: NDArray[np.float64], low: float, high: float
) -> None:
    grid = np.linspace(low, high, _PLACES)
    place.hist(values[~np.isnan(values)], bins=30, range=(low, high), density=True, color="0.85")
    place.plot(grid, np.exp(model.marginal([column]).log_prob(grid[:, np.newaxis])))
    place.set_ylim(bottom=0)
    place.yaxis.tick_right()


def _contours(place: Any, pair: Drawable, span: NDArray[np.float64]) -> None:
    across, up = (np.linspace(low, high, _SIDE) for low, high in span)
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    heights = np.exp(pair.log_prob(grid)).reshape(_SIDE, _SIDE)
    levels = levels_of(heights, float(np.prod(np.diff(span)[:, 0]) / (_SIDE - 1) ** 2))
    if len(levels):
        place.contour(across, up, heights, levels, linewidths=1.2, cmap="viridis")


def levels_of(heights: NDArray[np.float64], area: float) -> NDArray[np.float64]:
    """Return the heights above which `SHARES` of the probability lie (Hyndman 1996), rising."""
    down = np.sort(heights, axis=None)[::-1]
    mass = np.cumsum(down) * area
    mass /= max(mass[-1], 1.0)  # a grid that is too coarse for the peaks may add up to more
    places = np.searchsorted(mass, SHARES)
    return np.unique(down[places[places < down.size]])
