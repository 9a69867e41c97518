"""Gaussian mixtures over a band of rows, block by block, without returning to Python.

Both steps of expectation-maximisation go over a block while it is in a core's cache: rows into
the frame, features, scores, shares, and the sums that the next mixture is made from.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._jit import jit
from .exponential import larger
from .mixture import LANES, features, linear, shares, squares
from .mixture_centred import add_sums, aligned, centred_scores, clear, up
from .tiles import PARTS, TALL, VECTOR, add_products, multiply

__all__ = [
    "DIAGONAL",
    "FULL",
    "LANES",
    "TALL",
    "TIED",
    "VECTOR",
    "Model",
    "answer_band",
    "likeliest",
    "moments_band",
    "sum_band",
]

#: What features there are: all products of two, squares, or none beside the values themselves.
FULL, DIAGONAL, TIED = 0, 1, 2
LOG2E = 1.4426950408889634
#: Rows farther out than this are put there, so that products of two are numbers.
FAR, FAR_SINGLE = 1e140, 1e15


class Model(NamedTuple):
    """What rows are scored with.

    Attributes
    ----------
    kind : int
        `FULL`, `DIAGONAL` or `TIED`.
    center : (d,) float64
    inward : (d up to a multiple of `TALL`, d) float64
        A lower triangle: z = inward (x − center).
    theta : (K up to a multiple of `TALL`, D) float
        Scores are theta · φ(z), in powers of 2.
    root : (d up to a multiple of `TALL`, d) float
        L⁻¹, for `TIED`: what −½ |L⁻¹ z|² adds to each score.
    means, inverse, constants, narrow, vague
        Of `centred_scores`.
    """

    kind: int
    center: NDArray
    inward: NDArray
    theta: NDArray
    root: NDArray
    means: NDArray
    inverse: NDArray
    constants: NDArray
    narrow: NDArray
    vague: NDArray


class Room(NamedTuple):
    """Where a block is worked on: columns are rows of data."""

    apart: NDArray
    inside: NDArray
    z: NDArray
    phi: NDArray
    white: NDArray
    scores: NDArray
    level: NDArray
    weights: NDArray
    logs: NDArray


@jit
def _room(model, step, part):
    width, theta = len(model.center), model.theta
    tall = model.inward.shape[0]
    phi = aligned(up(theta.shape[1], PARTS), part, theta)
    clear(phi.reshape(-1), theta.shape[1] * part)
    return Room(
        aligned(width, part, model.inward),
        aligned(tall, part, model.inward),
        aligned(width, step, theta),
        phi,
        aligned(tall if model.kind == TIED else 0, part, theta),
        aligned(theta.shape[0], step, theta),
        np.zeros(step),
        np.zeros(step),
        np.zeros(step),
    )


@jit
def _enter(x, start, count, model, room, at):
    """Take rows into the frame, as columns of z from ``at`` on; those beyond them are the mean."""
    apart, inside, z = room.apart, room.inside, room.z
    width, part = apart.shape
    for a in range(width):
        middle, row = model.center[a], apart[a]
        for i in range(count):
            row[i] = np.float64(x[start + i, a]) - middle
        clear(row, count)
    multiply(model.inward, apart, inside, 0, True)
    limit = FAR if z.itemsize == 8 else FAR_SINGLE
    for a in range(width):
        row, to = inside[a], z[a, at : at + part]
        for i in range(part):
            to[i] = -larger(-larger(row[i], -limit), -limit)


@jit
def _score(x, start, count, given, model, room):
    """Turn rows into shares of components, and logs."""
    step, part, theta = room.z.shape[1], room.phi.shape[1], model.theta
    phi = room.phi[: theta.shape[1]]
    for i in range(count):
        room.weights[i] = given[start + i] if len(given) else 1.0
    clear(room.weights, count)
    for at in range(0, step, part):
        _enter(x, start + at, min(max(count - at, 0), part), model, room, at)
        if model.kind == FULL:
            features(room.z, at, phi)
        elif model.kind == DIAGONAL:
            squares(room.z, at, phi)
        else:
            linear(room.z, at, phi, 0)
            multiply(model.root, phi[: len(model.center)], room.white, 0, True)
            level = room.level[at : at + part]
            clear(level, 0)
            for a in range(len(model.center)):
                row = room.white[a]
                for i in range(part):
                    level[i] -= 0.5 * LOG2E * np.float64(row[i]) * np.float64(row[i])
        multiply(theta, phi, room.scores, at, False)
    own = room.scores[: len(model.constants)]
    if len(model.narrow):
        centred_scores(
            room.z,
            own,
            model.means,
            model.inverse,
            model.constants,
            model.narrow,
            model.vague,
            model.kind == FULL,
        )
    shares(own, room.level, room.weights, room.logs)


@jit
def sum_band(x, given, first, last, model, apart, step, part, sums):
    """Add R φᵀ of rows first … last − 1 to sums, and return their weighted log2-likelihood.

    Parameters
    ----------
    x : (n, d) float
    given : (n,) or (0,) float64
        Weights; none of them are ones.
    first, last : int
    model : Model
    apart : (k,) int64
        Components whose sums are about their means, and over rows with a share in them only.
    step : int
        Rows of a block, a multiple of `LANES`.
    part : int
        Columns whose features are made at once: ``step``, or, if all components are ``apart``,
        fewer that divide it.
    sums : (K, D) float64
    """
    room = _room(model, step, part)
    components, terms = len(model.constants), model.theta.shape[1]
    products = np.zeros((room.scores.shape[0], room.phi.shape[0] if part == step else 0))
    picks = np.empty(step, np.uint64)
    total = np.zeros(LANES)
    for start in range(first, last, step):
        _score(x, start, min(step, last - start), given, model, room)
        for i in range(0, step, LANES):
            logs, own = room.logs[i : i + LANES], room.weights[i : i + LANES]
            for q in range(LANES):
                total[q] += logs[q] * own[q]
        for k in apart:
            own, full = room.scores[k], model.kind == FULL
            add_sums(room.z, own, room.weights, model.means[k], full, picks, sums[k])
            clear(own, 0)
        if part == step:
            add_products(room.scores, room.phi, products, False)
    if part == step:
        for k in range(components):
            for q in range(terms):
                sums[k, q] += products[k, q]
    return total.sum()


@jit
def answer_band(x, first, last, model, step, part, logs, shares):
    """Write log2 p of rows first … last − 1, and the shares, (n, K), if they have columns."""
    room = _room(model, step, part)
    given = np.empty(0)
    for start in range(first, last, step):
        count = min(step, last - start)
        _score(x, start, count, given, model, room)
        for i in range(count):
            logs[start + i] = room.logs[i]
        for k in range(shares.shape[1]):
            own = room.scores[k]
            for i in range(count):
                shares[start + i, k] = own[i]


@jit
def moments_band(x, given, first, last, middle, step, sums):
    """Add Σ w φ(x − middle) of rows first … last − 1 to sums ((d + 1)(d + 2) / 2,)."""
    width = x.shape[1]
    z, weights = aligned(width, step, middle), np.zeros(step)
    picks = np.empty(step, np.uint64)
    nothing = np.zeros(width)
    for start in range(first, last, step):
        count = min(step, last - start)
        for i in range(count):
            weights[i] = given[start + i] if len(given) else 1.0
        clear(weights, count)
        for a in range(width):
            center, row = middle[a], z[a]
            for i in range(count):
                row[i] = np.float64(x[start + i, a]) - center
            clear(row, count)
        add_sums(z, weights, weights, nothing, True, picks, sums)


@jit
def likeliest(z, theta, components, best):
    """Write the component of the largest score of each column of z.

    Parameters
    ----------
    z : (d, m) float
    theta : (K up to a multiple of `TALL`, D) float
    components : int
        K.
    best : (m,) int64
    """
    width, count = z.shape
    part = 2 * VECTOR // theta.itemsize
    own, phi = aligned(width, part, theta), aligned(theta.shape[1], part, theta)
    scores, top = aligned(theta.shape[0], part, theta), np.empty(part, theta.dtype)
    found = np.empty(part, np.int64)
    for start in range(0, count, part):
        some = min(part, count - start)
        for a in range(width):
            for i in range(some):
                own[a, i] = z[a, start + i]
            clear(own[a], some)
        features(own, 0, phi)
        multiply(theta, phi, scores, 0, False)
        for i in range(part):
            top[i] = scores[0, i]
            found[i] = 0
        for k in range(1, components):
            row = scores[k]
            for i in range(part):
                more = row[i] > top[i]
                found[i] = k if more else found[i]
                top[i] = row[i] if more else top[i]
        for i in range(some):
            best[start + i] = found[i]
