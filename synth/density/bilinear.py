"""`synth.BilinearModel`: what is said and how it is said, by the singular value decomposition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synth.arguments import check_number, numbers_of
from synth.density.archive import Target, read, write
from synth.density.bilinear_fit import (
    asymmetric,
    asymmetric_gaps,
    check_seen,
    solved,
    symmetric,
    symmetric_gaps,
)
from synth.errors import InputError
from synth.rows import check_count

__all__ = ["BilinearModel", "Translation"]


@dataclass(frozen=True)
class Translation:
    """One observation of a content and a style that are both new, taken apart.

    Attributes
    ----------
    style : (I,) ndarray
        Its style vector.
    content : (J,) ndarray
        Its content vector.
    in_known_styles : (styles, features) ndarray
        The new content in the styles of the fit.
    known_contents : (contents, features) ndarray
        The contents of the fit in the new style.
    error : float
        Root mean square of what of the observation is not explained.
    """

    style: NDArray[np.float64]
    content: NDArray[np.float64]
    in_known_styles: NDArray[np.float64]
    known_contents: NDArray[np.float64]
    error: float


class BilinearModel:
    """Style × content: observations linear in each of two hidden factors.

    Tenenbaum & Freeman 2000, "Separating style and content with bilinear models" (first at NIPS
    1996). Asymmetric, each style s is a matrix and each content c a vector: y = Aₛ b_c (equation
    2). Symmetric, both are vectors, joined by one tensor: yₖ = Σᵢⱼ Wᵢⱼₖ aₛᵢ b_cⱼ (equation 1).

    Parameters
    ----------
    content_factors : int
        J, the length of content vectors, at most the number of contents. More explain more of
        what was seen, and leave more open in what was not.
    style_factors : int, optional
        I, the length of style vectors, at most the number of styles: the symmetric model. The
        asymmetric one if not given, which needs no assumption about new styles.
    max_iter : int
        At most so many alternations, where one decomposition is not the answer.
    tol : float
        They end when the squared error falls by less than this share of the squared data.

    Attributes
    ----------
    styles : (S, features, J) ndarray, or (S, I) of a symmetric model
    contents : (C, J) ndarray
    interaction : (features, I, J) ndarray or None
        W of a symmetric model.
    error : float
        Root mean square of the residuals of the fit.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> y = np.einsum("sfj,cj->scf", rng.normal(size=(5, 9, 2)), rng.normal(size=(6, 2)))
    >>> seen = y.copy()
    >>> seen[4, 5] = np.nan                              # a pair that was never seen
    >>> model = BilinearModel(2).fit(seen)
    >>> bool(np.allclose(model.predict(4, 5), y[4, 5]))
    True
    """

    def __init__(
        self,
        content_factors: int,
        style_factors: int | None = None,
        *,
        max_iter: int = 500,
        tol: float = 1e-14,
    ) -> None:
        self.content_factors = check_count(content_factors, "content_factors", 1)
        self.style_factors = style_factors
        if style_factors is not None:
            self.style_factors = check_count(style_factors, "style_factors", 1)
        self.max_iter = check_count(max_iter, "max_iter", 1)
        self.tol = check_number(tol, "tol", 0)
        self.styles: NDArray[np.float64] = np.empty(0)
        self.contents: NDArray[np.float64] = np.empty((0, 0))
        self.interaction: NDArray[np.float64] | None = None
        self.error = float("nan")

    def fit(self, observations: ArrayLike) -> BilinearModel:
        """Find styles and contents; returns the same object.

        Without unseen pairs the asymmetric model is one singular value decomposition (section
        3.1), and the symmetric one alternates between two (section 3.2). With unseen pairs, both
        go on from the decomposition of the pairs filled with what is common to the content by
        least squares over the pairs that were seen: each step is exact, so the error only falls.

        Parameters
        ----------
        observations : (styles, contents, features) array_like
            NaN in all features is a pair that was never seen.

        Raises
        ------
        InputError
            Not of three axes, infinity, NaN in some features of a pair, more factors than styles
            or contents, or a style or content seen too rarely for so many factors.
        """
        y = _checked(observations)
        styles, contents, features = y.shape
        inner, outer = self.content_factors, self.style_factors
        if inner > min(contents, styles * features):
            raise InputError(
                f"content_factors is {inner}, but there are {contents} contents; take fewer"
            )
        if outer is not None and outer > min(styles, contents * features):
            raise InputError(
                f"style_factors is {outer}, but there are {styles} styles; take fewer"
            )
        seen = ~np.isnan(y[:, :, 0])
        check_seen(seen, inner, outer, features)
        limits = (self.max_iter, self.tol)
        if outer is None:
            start = asymmetric(_guessed(y, seen), inner)
            if not seen.all():
                start = asymmetric_gaps(y, seen, start, limits)
            self.styles, self.contents = start
            self.interaction = None
        else:
            first = symmetric(_guessed(y, seen), outer, inner, limits)
            if not seen.all():
                first = symmetric_gaps(y, seen, first, limits)
            self.styles, self.contents, self.interaction = first
        apart = (self._table() - y)[seen]
        self.error = float(np.sqrt(np.mean(np.square(apart))))
        return self

    def _fitted(self) -> None:
        if not self.styles.size:
            raise InputError("the model has no styles yet; call fit(observations) first")

    def _table(self) -> NDArray[np.float64]:
        return np.asarray(self._matrices(self.styles) @ self.contents.T).transpose(0, 2, 1)

    def _matrices(self, styles: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what takes contents to features, (…, features, J), for these styles."""
        if self.interaction is None:
            return styles
        return np.asarray(np.einsum("fij,...i->...fj", self.interaction, styles))

    def predict(
        self, style: int | NDArray[np.float64], content: int | NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the observation of a content in a style, (features,).

        Parameters
        ----------
        style : int or ndarray
            Its number in the fit; or a style as in `styles`, such as `Translation.style`.
        content : int or ndarray
            Its number in the fit; or a content vector, (J,).
        """
        self._fitted()
        own = _chosen(style, self.styles, "style")
        vector = _chosen(content, self.contents, "content")
        return np.asarray(self._matrices(own) @ vector)

    def style_of(self, observations: ArrayLike, *, shrink: float = 0.0) -> NDArray[np.float64]:
        """Return the style of new observations of known contents, as in `styles`.

        Parameters
        ----------
        observations : (contents, features) array_like
            In the order of the fit; NaN in all features where a content was not seen.
        shrink : float
            From 0. Asymmetric models only: how many observations' worth of pull there is towards
            the best linear combination of the styles of the fit (section 5.1), which keeps few
            observations from being followed into nonsense.

        Raises
        ------
        InputError
            Of another shape, or too few contents seen for the number of factors.
        """
        self._fitted()
        check_number(shrink, "shrink", 0)
        y, seen = self._new_style(observations)
        b = self.contents[seen]
        if self.interaction is not None:
            if shrink:
                raise InputError("shrink is for asymmetric models; a symmetric one needs none")
            design = np.einsum("fij,cj->cfi", self.interaction, b)
            return solved(design.reshape(-1, design.shape[2]), y[seen].ravel())
        if not shrink:
            if len(b) < b.shape[1]:
                raise InputError(
                    f"{len(b)} contents were seen in the new style, but {b.shape[1]} content "
                    "factors need as many; observe more, or give shrink"
                )
            return np.asarray(solved(b, y[seen]).T)
        designs = (self.styles @ b.T).transpose(2, 1, 0)
        mix = solved(designs.reshape(-1, len(self.styles)), y[seen].ravel())
        prior = np.tensordot(mix, self.styles, 1)
        size = shrink * np.square(self.contents).sum() / self.contents.size
        left = b.T @ b + size * np.eye(b.shape[1])
        return np.asarray(np.linalg.solve(left, b.T @ y[seen] + size * prior.T).T)

    def _new_style(self, observations: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        y = _checked(numbers_of(observations, "observations")[np.newaxis])[0]
        wanted = (len(self.contents), self._matrices(self.styles).shape[1])
        if y.shape != wanted:
            raise InputError(
                f"observations are {y.shape}, but (contents, features) of the fit are {wanted}"
            )
        seen = ~np.isnan(y[:, 0])
        if not seen.any():
            raise InputError("no content was seen in the new style; at least one is needed")
        return y, seen

    def extrapolate(self, observations: ArrayLike, *, shrink: float = 0.0) -> NDArray[np.float64]:
        """Return all contents in a new style of which some contents were seen (section 5).

        Parameters
        ----------
        observations : (contents, features) array_like
            In the order of the fit; NaN in all features where a content was not seen.
        shrink : float
            As for `style_of`.

        Returns
        -------
        (contents, features) ndarray
            Of every content, also of those seen, as the model has them.
        """
        style = self.style_of(observations, shrink=shrink)
        return np.asarray(self.contents @ self._matrices(style).T)

    def translate(self, observation: ArrayLike) -> Translation:
        """Take apart one observation whose content and style are both new (section 6).

        Symmetric models only. From the mean style on, the best content for the style and the best
        style for the content are taken in turn. How much of the observation's size is style's and
        how much content's cannot be told: the style is made as long as the mean style, so what is
        carried over is right up to one factor.

        Parameters
        ----------
        observation : (features,) array_like

        Examples
        --------
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> a, b, w = (rng.normal(size=n) for n in ((6, 2), (7, 3), (20, 2, 3)))
        >>> y = np.einsum("fij,si,cj->scf", w, a + 2, b)
        >>> model = BilinearModel(3, 2).fit(y[1:, 1:])      # neither style 0 nor content 0
        >>> found = model.translate(y[0, 0])
        >>> ratio = found.in_known_styles / y[1:, 0]
        >>> bool(np.allclose(ratio, ratio[0, 0], rtol=1e-3))
        True
        """
        self._fitted()
        if self.interaction is None:
            raise InputError(
                "an asymmetric model cannot tell a new style from a new content; give "
                "style_factors and fit again"
            )
        features = self.interaction.shape[0]
        y = numbers_of(observation, "observation").astype(np.float64)
        if y.shape != (features,) or not np.isfinite(y).all():
            raise InputError(
                f"observation has shape {y.shape}, but {features} finite features are needed"
            )
        mean = self.styles.mean(axis=0)
        style, before = mean, np.inf
        for _ in range(self.max_iter):
            content = solved(self._matrices(style), y)
            turned = self.interaction @ content
            style = solved(turned, y)
            error = float(np.square(turned @ style - y).sum())
            if before - error <= self.tol * float(y @ y):
                break
            before = error
        scale = np.linalg.norm(mean) / max(float(np.linalg.norm(style)), 1e-300)
        scale *= -1 if style @ mean < 0 else 1
        style, content = style * scale, content / scale
        return Translation(
            style,
            content,
            self._matrices(self.styles) @ content,
            self.contents @ self._matrices(style).T,
            float(np.sqrt(error / features)),
        )

    def save(self, path: Target, *, overwrite: bool = False) -> None:
        """Write the model as NumPy's npz, without pickles; `load` reads it."""
        self._fitted()
        held = {"styles": self.styles, "contents": self.contents, "error": np.array(self.error)}
        if self.interaction is not None:
            held["interaction"] = self.interaction
        held |= {"max_iter": np.array(self.max_iter), "tol": np.array(self.tol)}
        write(path, "bilinear model", overwrite, None, 0, **held)

    @classmethod
    def load(cls, path: Target) -> BilinearModel:
        """Read what `save` wrote."""
        held = read(path, "bilinear model")
        styles, interaction = held["styles"], held.get("interaction")
        model = cls(
            held["contents"].shape[1],
            None if interaction is None else styles.shape[1],
            max_iter=int(held["max_iter"]),
            tol=float(held["tol"]),
        )
        model.styles, model.contents, model.interaction = styles, held["contents"], interaction
        model.error = float(held["error"])
        return model


def _checked(observations: ArrayLike) -> NDArray[np.float64]:
    y = numbers_of(observations, "observations")
    if y.ndim != 3 or 0 in y.shape:
        raise InputError(
            f"observations have shape {y.shape}, but (styles, contents, features) is needed"
        )
    y = y.astype(np.float64)
    gaps = np.isnan(y)
    if np.isinf(y).any():
        raise InputError("observations have infinity; write NaN where a pair was not seen")
    some = gaps.any(axis=2) & ~gaps.all(axis=2)
    if some.any():
        style, content = np.argwhere(some)[0]
        raise InputError(
            f"style {style}, content {content} has NaN in {gaps[style, content].sum()} of "
            f"{y.shape[2]} features; a pair is seen as a whole, or NaN as a whole"
        )
    return y


def _guessed(y: NDArray[np.float64], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Fill unseen pairs with their content's mean, moved by what the style has on the others."""
    if seen.all():
        return y
    known, weight = np.where(seen[:, :, np.newaxis], y, 0.0), seen[:, :, np.newaxis]
    content = known.sum(axis=0) / seen.sum(axis=0)[:, np.newaxis]
    moved = np.where(weight, known - content, 0.0).sum(axis=1) / seen.sum(axis=1)[:, np.newaxis]
    return np.asarray(np.where(weight, known, content + moved[:, np.newaxis]))


def _chosen(
    which: int | NDArray[np.float64], among: NDArray[np.float64], name: str
) -> NDArray[np.float64]:
    if isinstance(which, int | np.integer) and not isinstance(which, bool):
        if not 0 <= which < len(among):
            raise InputError(f"{name} is {which}, but there are 0 … {len(among) - 1}")
        return np.asarray(among[which])
    own = numbers_of(which, name).astype(np.float64)
    if own.shape != among.shape[1:]:
        raise InputError(f"{name} has shape {own.shape}, but {among.shape[1:]} is needed")
    return own
