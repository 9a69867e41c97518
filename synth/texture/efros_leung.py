"""`synth.EfrosLeung`: a pixel given its surroundings, looked up in an exemplar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synth.devices import Device, choose_device
from synth.errors import InputError
from synth.images import check_mask
from synth.progress import Callback
from synth.rows import check_count
from synth.texture.conditional import Conditional
from synth.texture.exemplars import Borders, lay_out
from synth.texture.growing import grow
from synth.texture.lookup import (
    Guide,
    Lookup,
    ValueKernel,
    Weighting,
    check_parameters,
    one_each,
    window_weights,
)
from synth.texture.orders import Order
from synth.texture.sample import Sample
from synth.texture.scoring import noise_level, score_image, supports
from synth.texture.similar import Search, check_search, similar_places

__all__ = ["EfrosLeung"]


class EfrosLeung:
    """Efros & Leung's non-parametric sampling as the autoregressive model that it is.

    p(image) = Π p(pixel | known pixels of its window), each conditional looked up: for a context
    c, d_i is the mean squared difference, Gaussian weighted, between c and what lies around
    exemplar pixel i, and

        p(v | c) = Σ_i w_i K(v − e_i),   w_i ∝ kernel(d_i),

    a Nadaraya–Watson estimate of the conditional density: a kernel on contexts times a kernel on
    values. Efros & Leung's rule is a uniform kernel of a width of 1 + ε times the least distance,
    and no kernel on values.

    Parameters
    ----------
    window : int
        Side of the window, pixels, odd, 3 to 99. The scale of the largest structure to keep.
    sigma : float, optional
        Of the Gaussian that weighs the window, pixels; window / 6.4 by default, as in the paper.
    weighting : {"uniform_eps", "softmax", "softmax_relative"}
        "uniform_eps": every candidate with d <= (1 + eps · temperature) d_min, alike; where a
        window is found again exactly, d_min is 0 and no temperature widens it. "softmax":
        exp(−d / (temperature · noise)) with `noise_level`. "softmax_relative":
        exp(−(d / d_min − 1) / temperature), d_min taken as 1 at least: the paper's rule, soft.
    eps : float
        The paper's tolerance, 0 and up. With the usual 0.1 there often is one candidate only, and
        what follows from it is its neighbour: long verbatim copies (see ``max_copy``).
    temperature : float
        Above 0. Larger is more varied, and less like the exemplar.
    top_k : int, optional
        The nearest so many candidates only.
    top_p : float, optional
        The fewest candidates that hold so much of the probability, above 0 to 1.
    value_kernel : {"laplace", "none"}
        K, for `log_prob` and `Conditional.probs`. With "none" and ``floor=0``, the paper's rule as
        it is, there is no density: a value that no candidate has gets −inf, and pixels of floats
        cannot be scored.
    value_scale : float
        Of the Laplace kernel, in 8-bit grey levels, above 0.
    floor : float
        Share of a uniform distribution over all values, 0 to below 1.
    borders : {"inside", "masked"}
        Candidates have their whole window inside the exemplar and outside its mask; or what is
        missing of it is not compared, and half of the context's weight has to be there.

    Attributes
    ----------
    noise_level : float
        Median of the least distances of the exemplar's own windows, squared 8-bit levels.

    Notes
    -----
    All distances are in 8-bit grey levels: 255 is the whole range of an integer type, or what the
    values of a float exemplar span.

    A. Efros, T. Leung: Texture synthesis by non-parametric sampling. ICCV 1999.

    Examples
    --------
    >>> import numpy as np
    >>> stripes = np.tile(np.array([0, 0, 255, 255], np.uint8), (16, 4))
    >>> model = EfrosLeung(window=5).fit(stripes)
    >>> grown = model.sample((12, 12), seed=1)
    >>> sorted(set(grown.image.ravel().tolist()))
    [0, 255]
    >>> round(model.bits_per_dim(stripes), 1)
    1.4
    """

    def __init__(
        self,
        window: int = 11,
        *,
        sigma: float | None = None,
        weighting: Weighting = "uniform_eps",
        eps: float = 0.1,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        value_kernel: ValueKernel = "laplace",
        value_scale: float = 2.0,
        floor: float = 0.01,
        borders: Borders = "inside",
    ) -> None:
        self._sigma_given = sigma is not None
        check_parameters(
            window,
            1.0 if sigma is None else sigma,
            weighting,
            eps,
            temperature,
            top_p,
            value_kernel,
            value_scale,
            floor,
        )
        if borders not in get_args(Borders):
            raise InputError(f"borders is {borders!r}, but one of {get_args(Borders)} is needed")
        self.window, self.weighting = int(window), weighting
        self.sigma = self.window / 6.4 if sigma is None else float(sigma)
        self.eps, self.temperature = float(eps), float(temperature)
        self.top_k = None if top_k is None else check_count(top_k, "top_k", 1)
        self.top_p = None if top_p is None else float(top_p)
        self.value_kernel, self.value_scale, self.floor = value_kernel, float(value_scale), floor
        self.borders = borders
        self._lookup: Lookup | None = None

    def parameters(self) -> dict[str, Any]:
        """Return the arguments that make a model like this one."""
        names = (
            "window", "weighting", "eps", "temperature", "top_k", "top_p", "value_kernel",
            "value_scale", "floor", "borders",
        )  # fmt: skip
        found = {name: getattr(self, name) for name in names}
        return found | {"sigma": self.sigma if self._sigma_given else None}

    def fit(
        self,
        *exemplars: NDArray[Any],
        mask: NDArray[Any] | Sequence[NDArray[Any] | None] | None = None,
        guide: NDArray[Any] | Sequence[NDArray[Any]] | None = None,
        guide_weight: float = 1.0,
    ) -> EfrosLeung:
        """Remember exemplars; returns the same object.

        Parameters
        ----------
        *exemplars : (rows, columns[, channels]) uint8, uint16, float32 or float64
            Of the same channels and type; sizes may differ.
        mask : (rows, columns), or a sequence of one for each exemplar, optional
            True = not to be looked at.
        guide : (rows, columns[, k]), or a sequence of one for each exemplar, optional
            Known everywhere, in the output as well: texture by numbers (Hertzmann et al. 2001).
        guide_weight : float
            How much a guide's value counts beside a pixel's at the same place, above 0.

        Raises
        ------
        InputError
            Exemplars that differ, NaN outside the mask, or no window left.
        """
        masks = one_each(mask, len(exemplars), "mask")
        guides = one_each(guide, len(exemplars), "guide")
        if not isinstance(guide_weight, int | float) or not 0 < guide_weight < np.inf:
            raise InputError(f"guide_weight is {guide_weight!r}, but it must be above 0")
        known: Guide | None = None
        planes: Sequence[NDArray[np.float32] | None] = [None] * len(exemplars)
        if any(one is not None for one in guides):
            known, planes = Guide.of(guides, exemplars, float(guide_weight))
        offsets, weights = window_weights(self.window, self.sigma)
        lookup = Lookup(
            lay_out(exemplars, masks, planes, self.window // 2, self.borders),
            known,
            offsets,
            weights,
            self.weighting,
            self.eps * self.temperature if self.weighting == "uniform_eps" else self.temperature,
            self.top_k or 0,
            self.top_p or 1.0,
            self.value_scale if self.value_kernel == "laplace" else 0.0,
            self.floor,
        )
        self._inputs = (lookup.exemplars.images, masks, guides, guide_weight)
        for own in ("noise_level", "_similar"):  # of the exemplars before
            vars(self).pop(own, None)
        self._lookup = lookup
        if self.weighting == "softmax":
            self._lookup = replace(lookup, width=self.temperature * self.noise_level)
        return self

    @cached_property
    def noise_level(self) -> float:
        """Median least distance of the exemplar's own windows from others that do not overlap."""
        return noise_level(self.lookup())

    @cached_property
    def _similar(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        return similar_places(self.lookup().exemplars)

    def conditional(
        self,
        image: NDArray[Any],
        known: NDArray[Any],
        at: ArrayLike,
        *,
        guide: NDArray[Any] | None = None,
    ) -> Conditional:
        """Return p(pixel | what is known around it) for some pixels.

        Parameters
        ----------
        image : (rows, columns[, channels])
            Of the exemplar's type and channels.
        known : (rows, columns)
            True (white) = known. A pixel never sees itself.
        at : (n, 2) array_like of int
            Rows and columns.
        guide : (rows, columns[, k]), optional
            If the model was fitted with one.
        """
        lookup = self.lookup()
        image, given = lookup.check_output(image, known)
        places = np.atleast_2d(np.asarray(at))
        rows, columns = image.shape[:2]
        if places.ndim != 2 or places.shape[1] != 2 or places.dtype.kind not in "iu":
            raise InputError(f"at has shape {np.shape(at)}, but (n, 2) whole numbers are needed")
        if ((places < 0) | (places >= (rows, columns))).any():
            raise InputError(f"at has places outside the image, which is {rows}×{columns}")
        return Conditional.of(lookup, *supports(lookup, image, given, places, guide))

    def next_log_probs(
        self, values: NDArray[Any], known: NDArray[np.bool_], at: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return log p of the 256 grey levels at some places: `synth.protocols.NextSymbol`.

        For exemplars of 8 bits and one channel.
        """
        first = self.lookup().exemplars.images[0]
        if first.dtype != np.uint8 or first.ndim != 2:
            raise InputError(
                f"the exemplar is {first.dtype} of shape {first.shape}, but 256 symbols are those "
                "of an 8-bit picture of one channel"
            )
        with np.errstate(divide="ignore"):  # log 0 = −inf is what the paper's rule says
            return np.log(self.conditional(values.astype(np.uint8), known, at).probs())

    def sample(
        self,
        shape: tuple[int, int],
        *,
        order: Order | ArrayLike = "onion",
        init: NDArray[Any] | None = None,
        known: NDArray[Any] | None = None,
        guide: NDArray[Any] | None = None,
        periodic: bool = False,
        max_copy: int | None = None,
        search: Search = "exact",
        seed: int = 0,
        device: Device = "auto",
        callback: Callback | None = None,
    ) -> Sample:
        """Draw an image from the model.

        Parameters
        ----------
        shape : (int, int)
            Rows and columns.
        order : {"onion", "raster", "spiral", "random", "multiscale"} or array_like
            See `DependencyGraph.of`. Another order is another joint distribution.
        init : (rows, columns[, channels]), optional
            Values of the known pixels.
        known : (rows, columns), optional
            True (white) = known: it is kept bit for bit and what is not is drawn given it, which
            fills holes and extends images. Without it, "onion" and "spiral" begin with 3×3
            pixels of the exemplar in the middle.
        guide : (rows, columns[, k]), optional
            Needed if the model was fitted with one.
        periodic : bool
            Windows go on at the opposite edge, so that the image repeats without a seam.
        max_copy : int, optional
            A copy, side by side in the exemplar as in the output, is not continued beyond so
            many pixels from where it began, unless there is no other candidate.
        search : {"exact", "kcoherence"}
            "exact" finds every candidate. "kcoherence" looks only at pixels of the exemplar whose
            windows are most like those that the neighbours were copied from (Tong et al. 2002):
            a tenth of the time a pixel once the first call has compared all windows, but an
            approximation, and more given to copying.
        seed : int
            0 to 2**64 − 1; the same seed gives the same bytes for any number of threads.
        device : {"auto", "cpu", "cuda"}
        callback : callable, optional
            Called with `synth.progress.Progress`; what it raises stops the work.
        """
        choose_device(device)
        check_search(search)
        longest = 0 if max_copy is None else check_count(max_copy, "max_copy", 1)
        lookup = self.lookup()
        if search == "kcoherence":
            lookup = replace(lookup, similar=self._similar)
        return grow(
            lookup, shape, order, init, known, guide, bool(periodic), longest, search,
            seed, callback,
        )  # fmt: skip

    def log_prob(
        self,
        image: NDArray[Any],
        *,
        order: Order | ArrayLike = "raster",
        known: NDArray[Any] | None = None,
        guide: NDArray[Any] | None = None,
        leave_out: int | None = None,
        seed: int = 0,
        callback: Callback | None = None,
    ) -> NDArray[np.float64]:
        """Return log p of each pixel given those before it, (rows, columns), in nats.

        Their sum is the log-probability of the image under the joint of this order. Integers have
        probabilities, floats densities (per unit of value and channel) that are 0 outside of what
        the exemplar's values span.

        Parameters
        ----------
        image : (rows, columns[, channels])
            Of the exemplar's type and channels.
        order : as for `sample`
        known : (rows, columns), optional
            True = given; such pixels are context only and get 0.
        guide : (rows, columns[, k]), optional
        leave_out : int, optional
            ``image`` is the first exemplar itself: candidates less than so many rows and columns
            away from the pixel are left out. The window's side leaves out all that overlap.
        seed : int
            Of the orders that draw.
        callback : callable, optional
        """
        away = 0 if leave_out is None else check_count(leave_out, "leave_out", 1)
        return score_image(self.lookup(), image, order, known, guide, away, seed, callback)

    def bits_per_dim(self, image: NDArray[Any], **options: Any) -> float:
        """Return −log₂ p(image) for each channel of a pixel that is not known.

        The options are those of `log_prob`. Raw 8-bit pixels have 8; a lossless codec comes near
        the entropy of natural ones.
        """
        nats = self.log_prob(image, **options)
        known = options.get("known")
        scored = nats.size if known is None else int((~check_mask(known, nats.shape)).sum())
        channels = self.lookup().exemplars.channels
        return float(-nats.sum() / (max(1, scored) * channels * np.log(2)))

    def select(
        self,
        grid: Mapping[str, Sequence[Any]],
        *,
        by: Literal["loo"] = "loo",
        pixels: int = 2000,
        seed: int = 0,
    ) -> EfrosLeung:
        """Choose parameters by the leave-one-out likelihood of the exemplar's own pixels.

        Parameters
        ----------
        grid : mapping of parameter to values
            Such as ``{"window": [5, 7], "temperature": [0.1, 0.3, 1]}``; every combination.
        by : {"loo"}
            Pixels of the first exemplar in raster order, all overlapping windows left out.
        pixels : int
            How many are scored.
        seed : int
            Which.

        Returns
        -------
        EfrosLeung
            A new, fitted model; its ``selection`` lists (parameters, nats a pixel), best first.
        """
        if by != "loo":
            raise InputError(f"by is {by!r}, but 'loo' is what there is")
        from synth.texture.selection import leave_one_out

        self.lookup()
        table = leave_one_out(self, self._inputs, grid, check_count(pixels, "pixels", 1), seed)
        best = max(table, key=lambda row: row[2])[0]
        best.selection = sorted([row[1:] for row in table], key=lambda row: -row[1])
        return best

    #: Set by `select`.
    selection: Sequence[tuple[dict[str, Any], float]] = ()

    def lookup(self) -> Lookup:
        """Return what the kernels work with."""
        if self._lookup is None:
            raise InputError("the model has no exemplar yet; call fit(exemplar) first")
        return self._lookup
