"""The engine of any autoregressive model: a graph of dependencies and a mapping, set apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError
from synth.progress import Callback, report
from synth.protocols import NextSymbol
from synth.randomness import key_of
from synth.texture.orders import DependencyGraph

__all__ = ["sample_symbols", "score_symbols"]

#: The last counter word of symbols.
_DRAW = 53


def sample_symbols(
    graph: DependencyGraph,
    mapping: NextSymbol,
    *,
    init: NDArray[Any] | None = None,
    seed: int = 0,
    callback: Callback | None = None,
) -> NDArray[np.int64]:
    """Draw from p(x) = Π p(symbol | earlier symbols of its window), level by level of the graph.

    Parameters
    ----------
    graph : DependencyGraph
        The order; (1, n) and a window of (1, 2k + 1) for a text.
    mapping : NextSymbol
        The conditionals.
    init : (rows, columns) of whole numbers, optional
        The symbols that the graph takes as known.
    seed : int
        0 to 2**64 − 1; each place draws its own number, so the order of the work is free.
    callback : callable, optional
        Called with `synth.progress.Progress`; what it raises stops the work.

    Returns
    -------
    (rows, columns) int64

    Raises
    ------
    InputError
        The graph knows symbols, but there is no ``init``; or the mapping gives no distribution.

    Examples
    --------
    >>> class Climb:
    ...     '''One more than the left neighbour, modulo 4.'''
    ...     def next_log_probs(self, values, known, at):
    ...         left = np.where(at[:, 1] > 0, values[at[:, 0], at[:, 1] - 1], -1)
    ...         return np.log(np.eye(4)[(left + 1) % 4] + 1e-300)
    >>> sample_symbols(DependencyGraph.of("raster", (1, 9), (1, 3)), Climb())
    array([[0, 1, 2, 3, 0, 1, 2, 3, 0]])
    """
    from synth.kernels.cpu.philox import philox4x32

    key = key_of(seed)
    values = _known_values(graph, init)
    known = graph.rank < 0
    columns = graph.rank.shape[1]
    steps = graph.by_level()
    for number, at in enumerate(steps):
        report(callback, "drawing", number / len(steps))
        for place, log_probs in zip(at, _conditionals(mapping, values, known, at), strict=True):
            word0, word1, _, _ = philox4x32(place[0] * columns + place[1], 0, 0, _DRAW, *key)
            uniform = ((int(word0) << 32 | int(word1)) >> 11) * 2.0**-53
            sums = np.cumsum(np.exp(log_probs))
            symbol = np.searchsorted(sums, uniform * sums[-1], side="right")
            values[tuple(place)] = min(int(symbol), int(np.flatnonzero(log_probs > -np.inf)[-1]))
        known[at[:, 0], at[:, 1]] = True
    report(callback, "done", 1.0)
    return values


def score_symbols(
    graph: DependencyGraph,
    mapping: NextSymbol,
    values: NDArray[Any],
    *,
    callback: Callback | None = None,
) -> NDArray[np.float64]:
    """Return log p of each symbol given the earlier ones of its window, in nats; 0 where known.

    Parameters
    ----------
    graph, mapping, callback
        As for `sample_symbols`.
    values : (rows, columns) of whole numbers

    Returns
    -------
    (rows, columns) float64
        They add up to the log-probability of all; another order gives another one.
    """
    given = _check_values(graph, values)
    out = np.zeros(given.shape)
    known = graph.rank < 0
    steps = graph.by_level()
    for number, at in enumerate(steps):
        report(callback, "scoring", number / len(steps))
        log_probs = _conditionals(mapping, given, known, at)
        own = given[at[:, 0], at[:, 1]]
        inside = (own >= 0) & (own < log_probs.shape[1])
        picked = log_probs[np.arange(len(at)), np.where(inside, own, 0)]
        out[at[:, 0], at[:, 1]] = np.where(inside, picked, -np.inf)
        known[at[:, 0], at[:, 1]] = True
    report(callback, "done", 1.0)
    return out


def _conditionals(
    mapping: NextSymbol,
    values: NDArray[np.int64],
    known: NDArray[np.bool_],
    at: NDArray[np.int64],
) -> NDArray[np.float64]:
    seen = [array.view() for array in (values, known, at)]
    for array in seen:
        array.flags.writeable = False
    found = np.asarray(mapping.next_log_probs(*seen))
    if found.dtype.kind not in "iuf":
        raise InputError(
            f"{type(mapping).__name__}.next_log_probs gave {found.dtype}, but log-probabilities "
            "are needed"
        )
    found = found.astype(np.float64)
    if found.ndim != 2 or len(found) != len(at) or np.isnan(found).any():
        raise InputError(
            f"{type(mapping).__name__}.next_log_probs gave {found.shape}, but log-probabilities "
            f"of shape ({len(at)}, symbols) without NaN are needed"
        )
    if not (np.abs(np.logaddexp.reduce(found, axis=1)) < 1e-3).all():
        raise InputError(
            f"{type(mapping).__name__}.next_log_probs gave probabilities that do not add up to 1; "
            "subtract numpy.logaddexp.reduce(…, axis=1)"
        )
    return found


def _known_values(graph: DependencyGraph, init: NDArray[Any] | None) -> NDArray[np.int64]:
    if init is None:
        if (graph.rank < 0).any():
            raise InputError("the graph has known symbols; pass them as init")
        return np.zeros(graph.rank.shape, np.int64)
    return _check_values(graph, init).copy()


def _check_values(graph: DependencyGraph, values: NDArray[Any]) -> NDArray[np.int64]:
    given = np.asarray(values)
    if given.shape != graph.rank.shape or given.dtype.kind not in "biu":
        raise InputError(
            f"the values are {given.dtype} of shape {given.shape}, but whole numbers of shape "
            f"{graph.rank.shape} are needed, as the graph has"
        )
    return given.astype(np.int64)
