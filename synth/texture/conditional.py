"""p(pixel | context), to be held in the hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError
from synth.rows import check_count, uniforms
from synth.texture.exemplars import Exemplars, Levels
from synth.texture.lookup import Lookup

__all__ = ["Conditional"]

#: The last counter word of what `Conditional.sample` draws.
_DRAW = 52
#: Numbers of a table of candidates by bins (32 MiB).
_BATCH = 1 << 22


@dataclass(frozen=True)
class Conditional:
    """The conditional distributions of n pixels, each over a few exemplar pixels.

    p(v | context) = (1 − floor) Σ_i w_i K(v − e_i) + floor · uniform: a kernel estimate of the
    conditional density (Nadaraya–Watson), whose weights come from how like the context i's
    surroundings are.

    Attributes
    ----------
    start : (n + 1,) int64
        Pixel k has the candidates ``start[k] : start[k + 1]``.
    source : (m, 3) int32
        Exemplar, row and column of each candidate.
    values : (m[, channels])
        Its pixel, as in the exemplar.
    distance : (m,) float64
        Mean squared difference from the context, squared 8-bit levels.
    log_weight : (m,) float64
        log w_i; the weights of a pixel add up to 1.
    """

    start: NDArray[np.int64]
    source: NDArray[np.int32]
    values: NDArray[Any]
    distance: NDArray[np.float64]
    log_weight: NDArray[np.float64]
    _exemplars: Exemplars
    _scale: float
    _floor: float

    @classmethod
    def of(
        cls,
        lookup: Lookup,
        places: list[NDArray[np.int64]],
        distances: list[NDArray[np.float64]],
        log_weights: list[NDArray[np.float64]],
    ) -> Conditional:
        """Collect the candidates of n pixels."""
        source = lookup.exemplars.split(np.concatenate([*places, np.empty(0, np.int64)]))
        normalized = [own - np.log(np.exp(own).sum()) for own in log_weights]
        return cls(
            np.cumsum([0, *map(len, places)]).astype(np.int64),
            source,
            lookup.exemplars.values(source),
            np.concatenate([*distances, np.empty(0)]),
            np.concatenate([*normalized, np.empty(0)]),
            lookup.exemplars,
            lookup.value_scale,
            lookup.floor,
        )

    def __len__(self) -> int:
        return len(self.start) - 1

    def _own(self, pixel: int) -> slice:
        return slice(int(self.start[pixel]), int(self.start[pixel + 1]))

    def probs(self, values: int = 256) -> NDArray[np.float64]:
        """Return the probabilities of equal bins of grey levels, (n, values[, channels]).

        Parameters
        ----------
        values : int
            How many bins the range of the pixels is cut into, at least 2; 256 are the values of
            an 8-bit image.

        Returns
        -------
        ndarray
            Adds up to 1 over axis 1. Colour channels have one marginal each.
        """
        bins = check_count(values, "values", 2)
        levels = self._exemplars.levels
        pixels = levels(self.values[:, np.newaxis]).astype(np.float64)[..., 0].T  # (m, channels)
        shares = _whole_shares if levels.step else _real_shares
        step, scale = levels.step or 1.0, self._scale
        out = np.empty((len(self), bins, pixels.shape[1]))
        for pixel in range(len(self)):
            own = self._own(pixel)
            weight = np.exp(self.log_weight[own])
            for channel, values_of in enumerate(pixels[own].T):
                out[pixel, :, channel] = shares(
                    values_of / step, weight, bins, scale / step, levels
                )
        out = (1 - self._floor) * out + self._floor / bins
        return out if self.values.ndim > 1 else out[..., 0]

    def entropy(self) -> NDArray[np.float64]:
        """Return the entropy of the value that is looked up, (n,) nats, without K and the floor.

        0 where there is one answer only: the rule then copies.
        """
        return np.array(
            [-(mass * np.log(mass)).sum() for mass in map(self._masses, range(len(self)))]
        )

    def _masses(self, pixel: int) -> NDArray[np.float64]:
        """The probabilities of the different values of a pixel."""
        own = self._own(pixel)
        _, which = np.unique(self.values[own], axis=0, return_inverse=True)
        return np.asarray(np.bincount(which.ravel(), np.exp(self.log_weight[own])))

    def sample(self, rng: int | np.random.Generator = 0) -> NDArray[Any]:
        """Draw a value for each pixel, (n[, channels]), by its weights; no kernel is added.

        Parameters
        ----------
        rng : int or numpy.random.Generator
            A seed, 0 to 2**64 − 1, or a generator.
        """
        draw = rng.random if isinstance(rng, np.random.Generator) else uniforms(rng, _DRAW)
        chosen = []
        for pixel, uniform in enumerate(draw(len(self))):
            own = self._own(pixel)
            sums = np.cumsum(np.exp(self.log_weight[own]))
            if not len(sums):
                raise InputError(f"pixel {pixel} of the conditional has no candidates")
            number = int(np.searchsorted(sums, uniform * sums[-1], side="right"))
            chosen.append(own.start + min(number, len(sums) - 1))
        return np.asarray(self.values[chosen])


def _whole_shares(
    centers: NDArray[np.float64],
    weight: NDArray[np.float64],
    bins: int,
    scale: float,
    levels: Levels,
) -> NDArray[np.float64]:
    """How much of the kernels around whole values falls in each bin of values, (bins,)."""
    count = int(levels.high) + 1
    center = np.rint(centers)[:, np.newaxis]
    if scale == 0:
        place = (center[:, 0] * bins // count).astype(int)
        return np.bincount(place, weight, bins).astype(np.float64)
    last = np.ceil(np.arange(bins + 1) * count / bins) - 1  # of the bin before each edge
    ratio = np.exp(-1 / scale)
    out = np.zeros(bins)
    for some in np.array_split(np.arange(len(center)), 1 + len(center) * bins // _BATCH):
        # sums of ratio^|v − center| over 0 <= v <= last: geometric series up to the center and on
        own = center[some]
        up_to = ratio ** (own - np.minimum(last, own)) - ratio ** (own + 1)
        beyond = ratio - ratio ** (np.maximum(last, own) - own + 1)
        sums = up_to + np.where(last > own, beyond, 0)
        out += weight[some] @ (np.diff(sums, axis=1) / sums[:, -1:])
    return out


def _real_shares(
    centers: NDArray[np.float64],
    weight: NDArray[np.float64],
    bins: int,
    scale: float,
    levels: Levels,
) -> NDArray[np.float64]:
    """As `_whole_shares` for real values of 0 to 255 levels."""
    if scale == 0:
        place = np.clip(centers * bins / 255.0, 0, bins - 1).astype(int)
        return np.bincount(place, weight, bins).astype(np.float64)
    out = np.zeros(bins)
    for some in np.array_split(np.arange(len(centers)), 1 + len(centers) * bins // _BATCH):
        apart = (np.linspace(0, 255, bins + 1) - centers[some, np.newaxis]) / scale
        tail = 0.5 * np.exp(-np.abs(apart))
        shares = np.diff(np.where(apart < 0, tail, 1 - tail), axis=1)
        out += weight[some] @ (shares / shares.sum(axis=1, keepdims=True))
    return out
