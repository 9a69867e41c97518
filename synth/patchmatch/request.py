"""A call of `synth.fill`, checked before any work is done."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from synth.arguments import shown
from synth.errors import InputError, InputTypeError
from synth.images import MAX_CHANNELS, check_finite, check_image, check_mask
from synth.patchmatch.adaptation import Adapt
from synth.patchmatch.em import Effort
from synth.patchmatch.regions import bounding_window
from synth.patchmatch.variation import Variation
from synth.randomness import key_of

__all__ = [
    "Method",
    "PlanePart",
    "Quality",
    "Request",
    "check_homography",
    "check_margins",
    "check_patch",
    "check_samples",
    "make_request",
]

Quality = Literal["draft", "normal", "best"]
Method = Literal["patchmatch", "efros-leung"]

EFFORTS: dict[str, Effort] = {
    "draft": Effort(coarse_rounds=6, fine_rounds=2, sweeps=1, peel_samples=12),
    "normal": Effort(coarse_rounds=40, fine_rounds=8, sweeps=1, peel_samples=32),
    "best": Effort(coarse_rounds=50, fine_rounds=20, sweeps=3, peel_samples=48),
}


@dataclass(frozen=True, eq=False)
class PlanePart:
    """A plane and where in the picture it is: everywhere where ``region`` is None."""

    homography: NDArray[np.float64]
    region: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Request:
    """A checked call of `synth.fill`; the arrays are those of the whole picture."""

    image: NDArray[Any]
    hole: NDArray[np.bool_]
    source: NDArray[np.bool_] | None
    guide: NDArray[Any] | None
    patch: int
    effort: Effort
    key: tuple[int, int]
    #: "auto" looks for planes, those given are taken as they are
    planes: Literal["auto"] | tuple[PlanePart, ...] | None = None
    #: levels of the pyramid more, or fewer, than the hole's width asks for
    depth_offset: int = 0
    method: Method = "patchmatch"
    variation: Variation = field(default_factory=Variation)
    adapt: Adapt = "none"


def make_request(
    image: NDArray[Any],
    hole: NDArray[np.bool_],
    patch: int,
    quality: str,
    source: NDArray[Any] | None,
    guide: NDArray[Any] | None,
    planes: Literal["auto"] | tuple[PlanePart, ...] | None,
    seed: int,
    method: str = "patchmatch",
    variation: Variation | None = None,
    adapt: str = "none",
) -> Request:
    """Check everything before any work is done; ``planes`` has been, by `check_planes`."""
    if method not in get_args(Method):
        raise InputError(f"method is {method!r}, but 'patchmatch' or 'efros-leung' is needed")
    if adapt not in get_args(Adapt):
        choices = ", ".join(repr(kind) for kind in get_args(Adapt))
        raise InputError(f"adapt is {adapt!r}, but one of {choices} is needed")
    if method != "patchmatch" and (variation or adapt != "none"):
        raise InputError(
            f"method is {method!r}, which copies single pixels as they are; "
            "pass method='patchmatch', or leave out adapt, rotate, scale and mirror"
        )
    if quality not in get_args(Quality):
        choices = ", ".join(repr(q) for q in get_args(Quality))
        raise InputError(f"quality is {quality!r}, but one of {choices} is needed")
    patch = check_patch(patch, image.shape)
    if bounding_window(hole) is not None and hole.all():
        raise InputError(
            "the mask covers the whole image, so nothing is left to copy from; "
            "True (white) marks what is to be filled: is the mask inverted?"
        )
    check_finite(image, hole)
    if source is not None:
        source = check_mask(source, image.shape, name="source")
        if not (source & ~hole).any():
            raise InputError(
                "source allows no pixel outside the mask; True (white) in it marks what may be "
                "copied from"
            )
    if guide is not None:
        guide = _check_guide(guide, image.shape)
    return Request(
        image, hole, source, guide, patch, EFFORTS[quality], key_of(seed),
        planes, method=method,  # type: ignore[arg-type]
        variation=variation or Variation(), adapt=adapt,  # type: ignore[arg-type]
    )  # fmt: skip


def check_patch(patch: Any, shape: tuple[int, ...]) -> int:
    try:
        side = operator.index(patch)
    except TypeError:
        raise InputTypeError(
            f"patch is {patch!r}, but a whole number from 3 to 31 (pixels) is needed, such as 7"
        ) from None
    if not 3 <= side <= 31:
        raise InputError(f"patch is {patch!r}, but a whole number from 3 to 31 (pixels) is needed")
    smaller = min(shape[:2])
    if smaller < side:
        raise InputError(
            f"image is {shape[0]}×{shape[1]}, smaller than a patch of {side}×{side}; "
            "pass a larger image" + (f" or patch={smaller}" if smaller >= 3 else "")
        )
    return side


def check_samples(samples: Any) -> int:
    """Tell how many answers are wanted."""
    needed = f"samples is {samples!r}, but a whole number from 1 to 64 is needed, or None for one"
    if isinstance(samples, bool | np.bool_):
        raise InputTypeError(needed)
    try:
        count = operator.index(samples)
    except TypeError:
        raise InputTypeError(needed) from None
    if not 1 <= count <= 64:
        raise InputError(needed)
    return count


def check_margins(margins: Any) -> list[int]:
    needed = (
        f"margins is {margins!r}, but four whole numbers of at least 0 are needed: "
        "(top, right, bottom, left) in pixels"
    )
    try:
        sides = [operator.index(margin) for margin in margins]
    except TypeError:
        raise InputTypeError(needed) from None
    if len(sides) != 4 or min(sides) < 0:
        raise InputError(needed)
    return sides


def _check_guide(guide: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    # labels may be of any whole type; anything else is judged as a picture is
    if not (isinstance(guide, np.ndarray) and guide.dtype.kind in "biu"):
        guide = check_image(guide, name="guide")
        check_finite(guide, name="guide")
    size = "×".join(map(str, guide.shape)) or "a single number"
    if guide.ndim not in (2, 3) or guide.shape[:2] != shape[:2]:
        raise InputError(
            f"guide is {size} but the image is {shape[0]}×{shape[1]}; pass one label or one row "
            "of features for each pixel of the image"
        )
    if guide.ndim == 3 and not 1 <= guide.shape[2] <= MAX_CHANNELS:
        raise InputError(
            f"guide is {size}, but 1 to {MAX_CHANNELS} channels are needed; keep some of them"
        )
    return np.asarray(guide)


def check_homography(
    planes: Any, hole: NDArray[np.bool_], *, name: str = "planes"
) -> NDArray[np.float64]:
    """Return the homography of a plane that the whole hole lies on.

    ``name`` is what messages call it: ``planes`` itself, or that of one of several.
    """
    matrix_of = "a 3×3 matrix of finite numbers from the picture's (x, y, 1) to the plane"
    if name == "planes":
        needed = (
            f'"auto", None or a homography is needed: {matrix_of}; '
            "or a list of (homography, region)"
        )
    else:
        needed = f'"auto" or a homography is needed: {matrix_of}'
    try:
        matrix = np.array(planes, np.float64)
    except (TypeError, ValueError):
        raise InputTypeError(f"{name} is {shown(planes)}, but {needed}") from None
    if planes is None:  # NumPy takes it for NaN
        raise InputTypeError(f"{name} is None, but {needed}")
    if matrix.shape != (3, 3) or not np.isfinite(matrix).all():
        raise InputError(f"{name} is {shown(planes)}, but {needed}")
    if np.linalg.cond(matrix / (np.abs(matrix).max() or 1.0)) > 1e12:
        raise InputError(
            f"{name} is a homography that cannot be inverted; pass one that maps the picture to "
            "a plane, such as find_planes(image, mask).planes[0].homography"
        )
    y, x = np.nonzero(hole)
    depths = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
    if len(depths) and depths.min() * depths.max() <= 0:
        raise InputError(
            f"the horizon of the plane ({name}) runs through the hole, so a part of the hole is "
            "not on the plane; mask less, or "
            + ("pass planes=None" if name == "planes" else "make its region smaller")
        )
    return matrix
