"""Bilinear models fitted: decompositions where every pair was seen, least squares where not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError

__all__ = [
    "asymmetric",
    "asymmetric_gaps",
    "check_seen",
    "solved",
    "symmetric",
    "symmetric_gaps",
]

Array = NDArray[np.float64]


def check_seen(
    seen: NDArray[np.bool_], content_factors: int, style_factors: int | None, features: int
) -> None:
    """Raise if a style or a content was seen in too few pairs to be determined."""
    by_content = 1 if style_factors is None else -(-content_factors // features)
    by_style = content_factors if style_factors is None else -(-style_factors // features)
    for axis, name, other, least in (
        (1, "style", "contents", by_style),
        (0, "content", "styles", by_content),
    ):
        few = seen.sum(axis=axis)
        if few.min() < least:
            raise InputError(
                f"{name} {int(few.argmin())} was seen in {few.min()} {other}, but at least "
                f"{least} are needed for so many factors; take fewer factors, or leave it out"
            )
    if style_factors is not None and seen.sum() < style_factors * content_factors:
        raise InputError(
            f"{seen.sum()} pairs were seen, but style_factors × content_factors is "
            f"{style_factors * content_factors}; take fewer factors"
        )


def solved(design: Array, target: Array) -> Array:
    """Return the least-squares solution of smallest size."""
    return np.asarray(np.linalg.lstsq(design, target, rcond=None)[0])


def asymmetric(y: Array, factors: int) -> tuple[Array, Array]:
    """Return A (S, F, J) and b (C, J) by one decomposition of (S F, C) (equation 4)."""
    styles, contents, features = y.shape
    stacked = y.transpose(0, 2, 1).reshape(-1, contents)
    u, size, vt = np.linalg.svd(stacked, full_matrices=False)
    a = (u[:, :factors] * size[:factors]).reshape(styles, features, factors)
    return a, np.ascontiguousarray(vt[:factors].T)


def asymmetric_gaps(
    y: Array, seen: NDArray[np.bool_], start: tuple[Array, Array], limits: tuple[int, float]
) -> tuple[Array, Array]:
    """Improve A and b by turns, over the pairs that were seen."""
    a, b = start[0].copy(), start[1].copy()
    settled = _Settling(y, seen, limits[1])
    for _ in range(limits[0]):
        for c in range(y.shape[1]):
            mine = seen[:, c]
            b[c] = solved(a[mine].reshape(-1, a.shape[2]), y[mine, c].ravel())
        for s in range(y.shape[0]):
            a[s] = solved(b[seen[s]], y[s, seen[s]]).T
        if settled(np.einsum("sfj,cj->scf", a, b)):
            break
    return a, b


def symmetric(
    y: Array, outer: int, inner: int, limits: tuple[int, float]
) -> tuple[Array, Array, Array]:
    """Return a (S, I), b (C, J) and W (F, I, J) by the iterated decomposition of section 3.2."""
    styles, contents, _ = y.shape
    b = asymmetric(y, inner)[1]
    settled = _Settling(y, np.ones((styles, contents), np.bool_), limits[1])
    for _ in range(limits[0]):
        by_style = np.einsum("scf,cj->sfj", y, b).reshape(styles, -1)
        a = np.linalg.svd(by_style, full_matrices=False)[0][:, :outer]
        by_content = np.einsum("scf,si->cfi", y, a).reshape(contents, -1)
        b = np.linalg.svd(by_content, full_matrices=False)[0][:, :inner]
        w = np.einsum("scf,si,cj->fij", y, a, b, optimize=True)
        if settled(_joined(a, b, w)):
            break
    return a, b, w


def symmetric_gaps(
    y: Array, seen: NDArray[np.bool_], start: tuple[Array, Array, Array], limits: tuple[int, float]
) -> tuple[Array, Array, Array]:
    """Improve a, b and W by turns, over the pairs that were seen."""
    a, b, w = start[0].copy(), start[1].copy(), start[2].copy()
    style, content = np.nonzero(seen)
    settled = _Settling(y, seen, limits[1])
    for _ in range(limits[0]):
        for s in range(len(a)):
            design = np.einsum("fij,cj->cfi", w, b[seen[s]])
            a[s] = solved(design.reshape(-1, design.shape[2]), y[s, seen[s]].ravel())
        for c in range(len(b)):
            design = np.einsum("fij,si->sfj", w, a[seen[:, c]])
            b[c] = solved(design.reshape(-1, design.shape[2]), y[seen[:, c], c].ravel())
        pairs = (a[style][:, :, np.newaxis] * b[content][:, np.newaxis]).reshape(len(style), -1)
        w = solved(pairs, y[style, content]).T.reshape(w.shape)
        if settled(_joined(a, b, w)):
            break
    return a, b, w


def _joined(a: Array, b: Array, w: Array) -> Array:
    return np.asarray(np.einsum("fij,si,cj->scf", w, a, b, optimize=True))


class _Settling:
    """Tells when the error of an alternation no longer falls."""

    def __init__(self, y: Array, seen: NDArray[np.bool_], tol: float) -> None:
        self.target, self.seen = y[seen], seen
        self.least = tol * float(np.square(self.target).sum())
        self.before = np.inf

    def __call__(self, predicted: Array) -> bool:
        error = float(np.square(predicted[self.seen] - self.target).sum())
        gain, self.before = self.before - error, error
        return gain <= self.least
