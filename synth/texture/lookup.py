"""What a fitted `synth.EfrosLeung` hands to the kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synth.errors import InputError, InputTypeError
from synth.images import check_finite, check_image, check_mask
from synth.rows import check_count
from synth.texture.exemplars import Exemplars, Levels
from synth.texture.orders import Order

if TYPE_CHECKING:
    from synth.kernels.cpu import support

__all__ = ["Guide", "Lookup", "ValueKernel", "Weighting", "like", "one_each"]

Weighting = Literal["uniform_eps", "softmax", "softmax_relative"]
ValueKernel = Literal["laplace", "none"]
Pixels = NDArray[Any]


@dataclass(frozen=True)
class Guide:
    """What is known of a picture everywhere: the planes of texture by numbers."""

    levels: Levels
    dtype: np.dtype[Any]
    depth: tuple[int, ...]
    weight: float

    @classmethod
    def of(
        cls, guides: list[Any], exemplars: tuple[Any, ...], weight: float
    ) -> tuple[Guide, list[NDArray[np.float32]]]:
        """Check the exemplars' guides; returns them as planes too."""
        checked = [check_image(one, name="guide") for one in guides]
        for one, image in zip(checked, exemplars, strict=True):
            check_finite(one, name="guide")
            if one.shape[:2] != np.shape(image)[:2] or (one.dtype, one.shape[2:]) != (
                checked[0].dtype,
                checked[0].shape[2:],
            ):
                raise InputError(
                    f"guide is {one.dtype} of shape {one.shape}, but the exemplar is "
                    f"{np.shape(image)}; they must be of one size, and all guides of the same "
                    "type and channels"
                )
        levels = Levels.of(checked)
        guide = cls(levels, checked[0].dtype, checked[0].shape[2:], weight)
        return guide, [levels(one) for one in checked]


@dataclass(frozen=True)
class Lookup:
    """Exemplars, a window and a rule."""

    exemplars: Exemplars
    guide: Guide | None
    offsets: NDArray[np.int64]
    weights: NDArray[np.float64]
    weighting: Weighting
    width: float
    top_k: int  #: 0 = all
    top_p: float
    value_scale: float  #: in levels, 0 = values as they are
    floor: float
    #: of each candidate those most like it, and where a place stands among the candidates
    similar: tuple[NDArray[np.int64], NDArray[np.int32]] | None = None

    @property
    def source(self) -> support.Exemplars:
        """What the kernels look up in."""
        from synth.kernels.cpu.support import Exemplars as Source

        of, tables = self.exemplars, self.similar
        if tables is None:
            tables = np.empty((len(of.allowed), 0), np.int64), np.empty(0, np.int32)
        return Source(
            of.atlas, of.valid, of.penalty, of.blocks, of.allowed, of.plane, of.stride, *tables
        )

    @property
    def rule(self) -> support.Rule:
        """How the kernels weigh candidates."""
        from synth.kernels.cpu import support

        number = {
            "uniform_eps": support.UNIFORM,
            "softmax": support.SOFT,
            "softmax_relative": support.RELATIVE,
        }[self.weighting]
        return support.Rule(number, self.width, self.top_k, self.top_p)

    def view(self, guide: Any, size: tuple[int, int], periodic: bool = False) -> support.Window:
        """What the kernels see of a picture."""
        from synth.kernels.cpu.support import Window

        planes = np.empty((0, *size), np.float32)
        weight = 0.0
        if (guide is None) != (self.guide is None):
            raise InputError(
                "the model was fitted with a guide, so the image needs one as well"
                if guide is None
                else "a guide was given, but the model was fitted without; pass guide= to fit too"
            )
        if self.guide is not None:
            checked = check_image(guide, name="guide")
            check_finite(checked, name="guide")
            kind = (checked.dtype, checked.shape[:2], checked.shape[2:])
            if kind != (self.guide.dtype, size, self.guide.depth):
                raise InputError(
                    f"guide is {checked.dtype} of shape {checked.shape}, but {self.guide.dtype} "
                    f"of shape {(*size, *self.guide.depth)} is needed, as the exemplar's"
                )
            planes, weight = self.guide.levels(checked), self.guide.weight
        return Window(planes, self.offsets, self.weights, weight * self.weights, periodic)

    def check_output(self, image: Any, known: Any) -> tuple[Pixels, NDArray[np.bool_]]:
        """Return an image like the exemplars, and which pixels of it are known."""
        first = self.exemplars.images[0]
        image = check_image(image)
        if image.dtype != first.dtype or image.shape[2:] != first.shape[2:]:
            raise InputError(
                f"the image is {image.dtype} of shape {image.shape}, but the exemplar is "
                f"{first.dtype} of shape {first.shape}; give it the same type and channels"
            )
        given = check_mask(known, image.shape, name="known")
        check_finite(image, ~given)
        return image, given

    def canvas(self, image: Pixels, known: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Levels of what is known, 0 elsewhere."""
        return self.exemplars.levels(np.where(like(known, image), image, 0))


def like(mask: NDArray[np.bool_], image: Pixels) -> NDArray[np.bool_]:
    """Give a mask as many axes as the image."""
    return mask[..., np.newaxis] if image.ndim == 3 else mask


def one_each(value: Any, count: int, name: str) -> list[Any]:
    """One thing for each exemplar: a single array is the first one's."""
    if value is None:
        return [None] * count
    if isinstance(value, list | tuple):
        if len(value) != count:
            raise InputError(
                f"{name} has {len(value)} arrays for {count} exemplars; give one each"
            )
        return list(value)
    if count != 1:
        raise InputTypeError(f"{name} is one array for {count} exemplars; pass a list, one each")
    return [value]


def window_weights(window: int, sigma: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the places of a window, (k, 2), the centre first, and their Gaussian weights."""
    reach = np.arange(window) - window // 2
    offsets = np.stack(np.meshgrid(reach, reach, indexing="ij"), axis=-1).reshape(-1, 2)
    squares = (offsets**2).sum(axis=1)
    by = np.lexsort([offsets[:, 1], offsets[:, 0], squares])
    weights = np.exp(-squares[by] / (2.0 * sigma**2))
    # far places of a narrow Gaussian would be 0, and a context of such places only no distance
    return np.ascontiguousarray(offsets[by], np.int64), np.maximum(weights, 1e-12)


def check_parameters(
    window: Any, sigma: Any, weighting: Any, eps: Any, temperature: Any, top_p: Any,
    value_kernel: Any, value_scale: Any, floor: Any,
) -> None:  # fmt: skip
    """Say which parameter of `synth.EfrosLeung` is out of its range."""
    if check_count(window, "window", 3) % 2 == 0 or window > 99:
        raise InputError(f"window is {window}, but an odd number of 3 to 99 is needed")
    for name, value, choices in (
        ("weighting", weighting, get_args(Weighting)),
        ("value_kernel", value_kernel, get_args(ValueKernel)),
    ):
        if not isinstance(value, str) or value not in choices:
            raise InputError(f"{name} is {value!r}, but one of {choices} is needed")
    numbers = {"eps": eps, "floor": floor, "sigma": sigma, "temperature": temperature}
    numbers |= {"value_scale": value_scale, "top_p": 1.0 if top_p is None else top_p}
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int | float | np.number):
            raise InputTypeError(f"{name} is {number!r}, but a number is needed")
    for name in ("sigma", "temperature", "value_scale"):
        if not 1e-6 <= numbers[name] <= 1e6:
            raise InputError(f"{name} is {numbers[name]!r}, but it must lie in 1e-6 … 1e6")
    if not 0 <= eps < np.inf:
        raise InputError(f"eps is {eps!r}, but it must be 0 or more")
    if not 0 <= floor < 1:
        raise InputError(f"floor is {floor!r}, but it must lie in 0 … 1, 1 excluded")
    if top_p is not None and not 0 < top_p <= 1:
        raise InputError(f"top_p is {top_p!r}, but it must lie in 0 … 1, 0 excluded")


OrderLike = Order | ArrayLike
