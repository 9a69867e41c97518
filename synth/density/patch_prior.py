"""`synth.PatchPrior`: a mixture over patches as a prior over pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from synth.arguments import check_number, listed
from synth.density.archive import Target, read, write
from synth.density.channels import full_range, picture, planes
from synth.density.gaussian_mixture import GaussianMixture
from synth.density.gaussians import Parts
from synth.density.patch_mixture import fit_centred
from synth.density.patches import Corners, Spectra, basis, coordinates
from synth.density.restoration import denoised, filled
from synth.errors import InputError
from synth.images import check_finite, check_image, check_mask
from synth.progress import Callback, Progress, report
from synth.randomness import key_of
from synth.rows import PATCH_CORNERS, check_count, uniforms

__all__ = ["PatchPrior"]

#: Patches whose log-density is computed at once.
_BLOCK = 1 << 14
#: A picture's range over that of the pictures of the fit beyond which the units must differ.
_FAR = 50.0


class PatchPrior:
    """A mixture of Gaussians over the patches of pictures: EPLL.

    Patches without their mean are Σₖ wₖ N(0, Cₖ). A picture is as likely as its patches are on
    average (the expected patch log-likelihood of Zoran & Weiss 2011, "From learning models of
    natural image patches to whole image restoration", equation 2), which makes the mixture a
    prior for whatever is wrong with a picture: noise here, and missing pixels.

    Parameters
    ----------
    components : int
        K, of the mean of the channels, and again of their contrasts; more follow finer structure
        and take proportionally longer.
    patch : int
        Side of the patches in pixels, 3 to 16. Larger ones keep longer structures, need more
        pictures, and take longer as the fourth power.
    samples : int
        How many patches `fit` draws from the pictures; all if there are fewer.
    max_iter : int
        At most so many passes over them.
    seed : int
        Of the patches that are drawn, of the start, and of the shifts of `denoise`.

    Attributes
    ----------
    mixtures : tuple of GaussianMixture
        Of the mean of the channels and, if colour was fitted, of their contrasts: each over the
        patch² − 1 cosine coefficients of a patch without its mean, with full range 1 for integers.
    log_likelihood : tuple of tuple of float
        For each mixture the mean log-likelihood of a patch at each pass, in nats.

    Notes
    -----
    Channels become planes: their mean, and contrasts orthonormal to it, of red, green and blue
    (1, 0, −1)/√2 and (1, −2, 1)/√6. White noise of σ is σ/√3 in the mean and σ in the contrasts,
    where pictures have little else. Alpha is a channel as any other: take it off before.

    Integers count as fractions of the full range of their type, floats as they are: a prior
    fitted on uint8 serves uint16, and floats from 0 to 1. No trained prior comes with synth.

    Examples
    --------
    >>> import numpy as np
    >>> edges = np.kron(np.random.default_rng(0).random((12, 12)) > 0.5, np.ones((8, 8)))
    >>> noisy = edges + np.random.default_rng(1).normal(0, 0.2, edges.shape)
    >>> prior = PatchPrior(8, patch=6).fit(noisy, sigma=0.2)
    >>> clean = prior.denoise(noisy, 0.2)
    >>> bool(np.square(clean - edges).mean() < np.square(noisy - edges).mean() / 4)
    True
    """

    def __init__(
        self,
        components: int = 64,
        *,
        patch: int = 8,
        samples: int = 100_000,
        max_iter: int = 40,
        seed: int = 0,
    ) -> None:
        self.components = check_count(components, "components", 1)
        self.patch = check_count(patch, "patch", 3)
        if self.patch > 16:
            raise InputError(f"patch is {patch}, but it must be at most 16")
        self.samples = check_count(samples, "samples", 1)
        self.max_iter, self.seed = check_count(max_iter, "max_iter", 1), seed
        key_of(seed)
        self.log_likelihood: tuple[tuple[float, ...], ...] = ()
        self._held: tuple[Parts, ...] = ()
        self._spectra: tuple[Spectra, ...] = ()
        self._range = 0.0

    @property
    def mixtures(self) -> tuple[GaussianMixture, ...]:
        """The mixtures over cosine coefficients of patches without their mean."""
        return tuple(
            GaussianMixture.of(np.exp(parts.log_weights), parts.means, parts.covariances)
            for parts in self._fitted()
        )

    def _fitted(self) -> tuple[Parts, ...]:
        if not self._held:
            raise InputError("the prior knows no pictures yet; call fit(images) first")
        return self._held

    def fit(
        self,
        images: NDArray[Any] | Sequence[NDArray[Any]],
        *,
        sigma: float = 0.0,
        callback: Callback | None = None,
    ) -> PatchPrior:
        """Learn the patches of pictures; returns the same object.

        Parameters
        ----------
        images : ndarray, or sequence of ndarrays
            (height, width) or (height, width, channels); uint8, uint16, float32 or float64. Better
            several photographs of the kind that is to be restored than one.
        sigma : float
            Standard deviation of white noise in them, in units of their values: the mixture is
            that of the patches without it. So a noisy picture can be its own teacher.
        callback : callable, optional
            Called with `synth.progress.Progress`; what it raises stops the work.

        Raises
        ------
        InputTypeError, InputError
            No pictures, not pictures, smaller than a patch, NaN or infinity, or all flat.
        """
        pictures = self._pictures(images)
        noise = self._noise(pictures, sigma)
        apart = [planes(image) for image in pictures]
        kinds = [[one[0] for one in apart], [plane for one in apart for plane in one[1:]]]
        kinds = [kind for kind in kinds if kind]
        found, traces = [], []
        for number, kind in enumerate(kinds):

            def part(progress: Progress, number: int = number) -> None:
                report(callback, progress.stage, (number + progress.fraction) / len(kinds))

            parts, trace = fit_centred(
                self._draw(kind, number),
                self.components,
                noise=noise / math.sqrt(len(apart[0])) if number == 0 else noise,
                max_iter=self.max_iter,
                seed=self.seed,
                callback=part,
            )
            found.append(parts)
            traces.append(trace)
        self._hold(found, max(float(np.ptp(one[0])) for one in apart))
        self.log_likelihood = tuple(traces)
        report(callback, "done", 1.0)
        return self

    def _pictures(self, images: NDArray[Any] | Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        if isinstance(images, np.ndarray):
            named = {"images": images}
        else:
            several = listed(images, "images", "a picture, or several,")
            named = {f"images[{k}]": image for k, image in enumerate(several)}
        if not named:
            raise InputError("images is empty, but at least one picture is needed")
        checked = []
        for name, image in named.items():
            checked.append(self._checked(image, name))
            check_finite(checked[-1], name=name)
        return checked

    @staticmethod
    def _noise(pictures: list[NDArray[Any]], sigma: float) -> float:
        if check_number(sigma, "sigma", 0) == 0:
            return 0.0
        kinds = {(image.dtype, image.shape[2:]) for image in pictures}
        if len(kinds) > 1:
            raise InputError(
                "images are of several types or numbers of channels, among which one sigma has no "
                "single meaning; fit noisy pictures of one kind only"
            )
        return check_sigma(sigma) / full_range(pictures[0].dtype)

    def _hold(self, found: Sequence[Parts], contrast: float) -> None:
        self._held, self._range = tuple(found), contrast
        self._spectra = tuple(Spectra.of(parts) for parts in found)

    def _checked(self, image: NDArray[Any], name: str = "image") -> NDArray[Any]:
        image = check_image(image, name=name)
        if min(image.shape[:2]) < self.patch:
            raise InputError(
                f"{name} is {image.shape[0]}×{image.shape[1]}, smaller than a patch of "
                f"{self.patch}×{self.patch}; give a larger picture or a smaller patch"
            )
        return image

    def _draw(self, flat: list[NDArray[np.float32]], purpose: int) -> NDArray[np.float32]:
        """Return patches without their mean from everywhere in the planes, (n, d)."""
        side = self.patch
        inward = basis(side)
        shapes = [(h - side + 1, w - side + 1) for h, w in (plane.shape for plane in flat)]
        ends = np.cumsum([h * w for h, w in shapes])
        if ends[-1] > self.samples:
            draw = uniforms(self.seed, PATCH_CORNERS + purpose)
            picks = np.sort((draw(self.samples) * ends[-1]).astype(np.int64))
        else:
            picks = np.arange(ends[-1])
        rows = []
        for plane, (_, across), end, start in zip(
            flat, shapes, ends, [0, *ends[:-1]], strict=True
        ):
            mine = picks[(picks >= start) & (picks < end)] - start
            corners = Corners(mine // across, mine % across)
            rows.append(coordinates(plane, corners, inward)[0].T)
        table = np.concatenate(rows)
        if len(table) < self.components:
            raise InputError(
                f"components is {self.components}, but the pictures have {len(table)} patches; "
                "give larger pictures or fewer components"
            )
        return np.ascontiguousarray(table)

    def denoise(
        self,
        image: NDArray[Any],
        sigma: float,
        *,
        stride: int = 2,
        callback: Callback | None = None,
    ) -> NDArray[Any]:
        """Take white noise off a picture.

        Half-quadratic splitting with the schedule of the paper's section 3: in turn every patch
        is replaced by the most probable clean one for noise of variance σ²/β, and the picture by
        a mean of itself, weighing 1, and of what its patches say, weighing β = 1, 4, 8, 16, 32.
        Pixels at the border are weighed as those inside, though fewer patches cover them.

        Parameters
        ----------
        image : (height, width[, channels]) uint8, uint16, float32 or float64
        sigma : float
            Standard deviation of the noise in each channel, in units of the image's values; a
            larger one smooths more.
        stride : int
            Every so many-th patch each way is used, from another place at each step; 1 to the
            side of a patch. 1 is every patch, as in the paper; larger is faster by its square.
        callback : callable, optional
            Called with `synth.progress.Progress`; what it raises stops the work.

        Returns
        -------
        ndarray
            A new array of the same shape and dtype.

        Raises
        ------
        InputTypeError, InputError
            Not a picture, smaller than a patch, NaN or infinity, values in quite other units
            than the pictures of the fit.
        """
        self._fitted()
        image = self._checked(image)
        check_finite(image)
        noise = check_sigma(sigma) / full_range(image.dtype)
        stride = self._stride(stride)
        apart = planes(image)
        self._check_units(apart[0])
        models = self._models(len(apart))
        apart = denoised(apart, models, self.patch, noise, stride, self.seed, callback)
        report(callback, "done", 1.0)
        return picture(apart, image)

    def fill(
        self,
        image: NDArray[Any],
        mask: NDArray[Any],
        *,
        stride: int = 2,
        callback: Callback | None = None,
    ) -> NDArray[Any]:
        """Fill missing pixels with what makes the patches around them most probable.

        As `denoise`, but with a data term on known pixels only, which are exact. The hole starts
        at its nearest known pixels, and the variance allowed to patches falls in even steps from
        that of the prior to a ten-thousandth of it. Only patches that touch the hole count.

        For scratches, writing and scattered pixels. There is one answer, the likeliest, so wide
        holes come out smooth: `synth.fill` finds them something to show.

        Parameters
        ----------
        image : (height, width[, channels]) uint8, uint16, float32 or float64
            Values in the hole do not matter.
        mask : (height, width)
            True (white) = to be filled.
        stride : int
            As for `denoise`.
        callback : callable, optional
            Called with `synth.progress.Progress`; what it raises stops the work.

        Returns
        -------
        ndarray
            A new array, equal to ``image`` bit for bit outside the mask.

        Raises
        ------
        InputTypeError, InputError
            As `denoise`; or the mask is of another size, or covers everything.
        """
        self._fitted()
        image = self._checked(image)
        hole = check_mask(mask, image.shape)
        stride = self._stride(stride)
        if hole.all():
            raise InputError("the mask covers the whole image; leave something known")
        check_finite(image, hole)
        out = image.copy()
        if not hole.any():
            return out
        nearest = ndimage.distance_transform_edt(hole, return_distances=False, return_indices=True)
        apart = planes(image[tuple(nearest)])
        self._check_units(apart[0])
        models = self._models(len(apart))
        apart = filled(apart, hole, models, self.patch, stride, self.seed, callback)
        report(callback, "done", 1.0)
        out[hole] = picture(apart, image)[hole]
        return out

    def log_prob(self, image: NDArray[Any]) -> float:
        """Return the mean log-density of the picture's patches without their mean, in nats.

        Of all patches, in units of the image's values; planes of a colour picture add up. Divided
        by (patch² − 1) × channels it compares with other sizes of patches.
        """
        self._fitted()
        image = self._checked(image)
        check_finite(image)
        apart = planes(image)
        self._check_units(apart[0])
        mixtures, inward = self.mixtures, basis(self.patch)
        total = 0.0
        for number, plane in enumerate(apart):
            corners = Corners.grid(plane.shape, self.patch)
            model = mixtures[min(number, len(mixtures) - 1)]
            for start in range(0, len(corners), _BLOCK):
                part = corners.part(start, start + _BLOCK)
                total += model.log_prob(coordinates(plane, part, inward)[0].T).sum()
        width = self.patch**2 - 1
        # from planes of full range 1 to values: what the channels' mean is narrower than them
        scale = len(apart) * math.log(full_range(image.dtype)) + 0.5 * math.log(len(apart))
        return float(total / len(corners) - width * scale)

    def _models(self, count: int) -> list[Spectra]:
        """Return what goes with each plane; contrasts take the means' where none were fitted."""
        return [self._spectra[0], *[self._spectra[-1]] * (count - 1)]

    def _stride(self, stride: int) -> int:
        stride = check_count(stride, "stride", 1)
        if stride > self.patch:
            raise InputError(
                f"stride is {stride}, but patches of {self.patch}×{self.patch} leave gaps then; "
                f"take at most {self.patch}"
            )
        return stride

    def _check_units(self, plane: NDArray[np.float32]) -> None:
        ratio = float(np.ptp(plane)) / self._range if self._range else 1.0
        if ratio > _FAR or 0 < ratio < 1 / _FAR / 2:
            raise InputError(
                f"the image spans {ratio:.3g} times the range of the pictures of the fit; bring "
                "both to the same units (integers count from 0 to 1)"
            )

    def save(self, path: Target, *, overwrite: bool = False) -> None:
        """Write the prior as NumPy's npz, without pickles; `load` reads it."""
        arrays: dict[str, NDArray[Any]] = {"patch": np.array(self.patch)}
        for number, parts in enumerate(self._fitted()):
            arrays[f"log_weights_{number}"] = parts.log_weights
            arrays[f"covariances_{number}"] = parts.covariances
        arrays["range"] = np.array(self._range)
        write(path, "patch prior", overwrite, None, 0, **arrays)

    @classmethod
    def load(cls, path: Target) -> PatchPrior:
        """Read what `save` wrote."""
        held = read(path, "patch prior")
        found = []
        for number in range(sum(name.startswith("log_weights") for name in held)):
            weights, covariances = held[f"log_weights_{number}"], held[f"covariances_{number}"]
            means = np.zeros(covariances.shape[:2])
            found.append(Parts(weights, means, covariances, "full"))
        prior = cls(len(found[0].means), patch=int(held["patch"]))
        prior._hold(found, float(held["range"]))
        return prior


def check_sigma(sigma: float) -> float:
    """Return a finite standard deviation above 0."""
    return check_number(sigma, "sigma", 0, above=True)
