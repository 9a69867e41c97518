"""A call of `synth.synthesize`, checked before any work is done."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError, InputTypeError
from synth.images import MAX_CHANNELS, check_finite, check_image, check_mask
from synth.patchmatch.features import guide_channels
from synth.randomness import key_of

__all__ = ["Layers", "Method", "Quality", "Request", "make_request"]

Method = Literal["auto", "efros-leung", "quilting", "patchmatch"]
Quality = Literal["draft", "normal", "best"]
#: One exemplar: a picture, or several of one size under their names.
Layers = NDArray[Any] | Mapping[str, NDArray[Any]]

#: A guide of whole numbers with more different values than this is a feature map.
_MOST_LABELS = 16
_SMALLEST, _LARGEST_SIDE = 8, 1 << 15
#: Squared distances of the largest patches are summed in 32 bits.
_MOST_CHANNELS = 64


@dataclass(frozen=True)
class Request:
    """A checked call.

    Attributes
    ----------
    names : list of str or None
        The layers' names; None = one layer without a name.
    several : bool
        Whether a list of exemplars was given.
    layers : [layer][exemplar] → (rows, columns[, channels])
    guides : [exemplar] → (rows, columns, g) uint8
        g = 0 without a guide.
    masks : [exemplar] → (rows, columns) bool or None
        True = never copied.
    guide : (rows, columns, g) uint8 or None
        The output's.
    known : [layer] → (rows, columns[, channels]), or None
    unknown : (rows, columns) bool or None
        Where ``known`` says nothing.
    """

    names: list[str] | None
    several: bool
    layers: list[list[NDArray[Any]]]
    guides: list[NDArray[np.uint8]]
    masks: list[NDArray[np.bool_] | None]
    guide: NDArray[np.uint8] | None
    known: list[NDArray[Any]] | None
    unknown: NDArray[np.bool_] | None
    shape: tuple[int, int]
    method: Method
    tile: bool
    patch: int | None
    variation: float
    quality: Quality
    key: tuple[int, int]

    @property
    def smallest(self) -> tuple[int, int]:
        """Rows and columns that every exemplar has."""
        sizes = [one.shape[:2] for one in self.layers[0]]
        return min(size[0] for size in sizes), min(size[1] for size in sizes)


def make_request(
    exemplar: Layers | Sequence[Layers], shape: Any, *, method: str, tile: bool, guide: Any,
    exemplar_guide: Any, exemplar_mask: Any, known: Any, patch: Any, variation: Any, quality: str,
    seed: int,
) -> Request:  # fmt: skip
    """Check everything before any work is done."""
    _check_choice("method", method, Method)
    _check_choice("quality", quality, Quality)
    several = isinstance(exemplar, list | tuple)
    given = list(exemplar) if several else [exemplar]
    if not given:
        raise InputError("exemplar is an empty list, but at least one picture is needed")
    masks = _masks(exemplar_mask, given, several)
    names, layers = _layers(given, several, masks)
    rows, columns = _shape(shape)
    guides, target_guide = _guides(exemplar_guide, guide, layers, (rows, columns), several)
    pictures, unknown = _known(known, names, layers, (rows, columns))
    request = Request(
        names, several, layers, guides, masks, target_guide, pictures, unknown, (rows, columns),
        method, bool(tile), None, _variation(variation), quality, key_of(seed),  # type: ignore[arg-type]
    )  # fmt: skip
    if patch is not None:
        object.__setattr__(request, "patch", _patch(patch, request))
    return request


def _check_choice(name: str, value: Any, kind: Any) -> None:
    if value not in get_args(kind):
        choices = ", ".join(repr(q) for q in get_args(kind))
        raise InputError(f"{name} is {value!r}, but one of {choices} is needed")


def _variation(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputTypeError(
            f"variation is {value!r}, but a number from 0 to 1 is needed"
        ) from None
    if not 0 <= number <= 1:
        raise InputError(f"variation is {value!r}, but a number from 0 to 1 is needed")
    return number


def _patch(value: Any, request: Request) -> int:
    most = min(*request.smallest, *request.shape)
    if request.tile:
        most = min(most, min(request.shape) * 2 // 3)
    needed = f"patch is {value!r}, but a whole number from 3 to {most} (pixels) is needed"
    try:
        side = operator.index(value)
    except TypeError:
        raise InputTypeError(needed) from None
    if not 3 <= side <= most or isinstance(value, bool):
        raise InputError(needed + ", no more than the exemplar's and the output's shorter side")
    return side


def _shape(shape: Any) -> tuple[int, int]:
    needed = f"shape is {shape!r}, but two whole numbers are needed: (rows, columns) in pixels"
    try:
        sides = [operator.index(side) for side in shape]
    except TypeError:
        raise InputTypeError(needed) from None
    if len(sides) != 2:
        raise InputError(needed)
    if min(sides) < _SMALLEST or max(sides) > _LARGEST_SIDE:
        raise InputError(needed + f", each from {_SMALLEST} to {_LARGEST_SIDE}")
    return sides[0], sides[1]


def _layers(
    given: list[Any], several: bool, masks: list[NDArray[np.bool_] | None]
) -> tuple[list[str] | None, list[list[NDArray[Any]]]]:
    """Return the names of the layers, and [layer][exemplar]."""

    def title(number: int, layer: str | None) -> str:
        where = f"exemplar[{number}]" if several else "exemplar"
        return where if layer is None else f"{where}[{layer!r}]"

    names = [str(name) for name in given[0]] if isinstance(given[0], Mapping) else None
    if names is not None and not names:
        raise InputError("exemplar is an empty dict, but at least one layer is needed")
    layers: list[list[NDArray[Any]]] = [[] for _ in names or [""]]
    for number, one in enumerate(given):
        if isinstance(one, Mapping) != (names is not None) or (
            names is not None and list(one) != names
        ):
            raise InputError(
                f"{title(number, None)} has other layers than the first exemplar; "
                "give all of them the same layers, in the same order"
            )
        size: tuple[int, ...] | None = None
        for layer, name in enumerate(names or [None]):
            picture = check_image(one if name is None else one[name], name=title(number, name))
            check_finite(picture, masks[number], name=title(number, name))
            if size is not None and picture.shape[:2] != size:
                raise InputError(
                    f"{title(number, name)} is {picture.shape[0]}×{picture.shape[1]} but "
                    f"{title(number, names[0] if names else None)} is {size[0]}×{size[1]}; "
                    "layers show one surface pixel by pixel, so resize them to one size"
                )
            size = picture.shape[:2]
            if min(size) < _SMALLEST:
                raise InputError(
                    f"{title(number, name)} is {size[0]}×{size[1]}, but at least "
                    f"{_SMALLEST}×{_SMALLEST} pixels are needed; pass a larger picture"
                )
            first = layers[layer][0] if layers[layer] else picture
            if picture.dtype != first.dtype or picture.shape[2:] != first.shape[2:]:
                raise InputError(
                    f"{title(number, name)} is {picture.dtype} with {_channels(picture)}, but "
                    f"{title(0, name)} is {first.dtype} with {_channels(first)}; convert one"
                )
            layers[layer].append(picture)
    count = sum(1 if layer[0].ndim == 2 else layer[0].shape[2] for layer in layers)
    if count > _MOST_CHANNELS:
        raise InputError(
            f"the layers have {count} channels together, but at most {_MOST_CHANNELS} can be "
            "compared; make the texture from some of them and copy the others with "
            "synthesize_details(…).apply(other)"
        )
    return names, layers


def _masks(mask: Any, given: list[Any], several: bool) -> list[NDArray[np.bool_] | None]:
    if mask is None:
        return [None] * len(given)
    masks = list(mask) if several else [mask]
    if len(masks) != len(given):
        raise InputError(
            f"exemplar_mask has {len(masks)} parts, but there are {len(given)} exemplars"
        )
    found: list[NDArray[np.bool_] | None] = []
    for number, (one, exemplar) in enumerate(zip(masks, given, strict=True)):
        picture = next(iter(exemplar.values())) if isinstance(exemplar, Mapping) else exemplar
        name = f"exemplar_mask[{number}]" if several else "exemplar_mask"
        size = np.shape(picture)
        found.append(None if one is None or len(size) < 2 else check_mask(one, size, name=name))
    return found


def _channels(picture: NDArray[Any]) -> str:
    count = 1 if picture.ndim == 2 else picture.shape[2]
    return f"{count} channel{'s' * (count > 1)}"


def _guides(
    exemplar_guide: Any, guide: Any, layers: list[list[NDArray[Any]]], shape: tuple[int, int],
    several: bool,
) -> tuple[list[NDArray[np.uint8]], NDArray[np.uint8] | None]:  # fmt: skip
    """Turn all guides into channels at once: a label is the same channels wherever it stands."""
    sizes = [one.shape[:2] for one in layers[0]]
    if guide is None and exemplar_guide is None:
        return [np.zeros((*size, 0), np.uint8) for size in sizes], None
    if guide is None or exemplar_guide is None:
        there, missing = (
            ("exemplar_guide", "guide") if guide is None else ("guide", "exemplar_guide")
        )
        raise InputError(
            f"{there} is given but {missing} is not; both are needed: what is where in the "
            "exemplar, and what is to be where in the output"
        )
    of_exemplars = list(exemplar_guide) if several else [exemplar_guide]
    if len(of_exemplars) != len(sizes):
        raise InputError(
            f"exemplar_guide has {len(of_exemplars)} parts, but there are {len(sizes)} exemplars"
        )
    every = [
        _one_guide(one, size, name)
        for one, size, name in zip(
            [*of_exemplars, guide],
            [*sizes, shape],
            [*("exemplar_guide" for _ in sizes), "guide"],
            strict=True,
        )
    ]
    if len({one.shape[2] for one in every}) > 1 or len({one.dtype for one in every}) > 1:
        kinds = ", ".join(f"{one.dtype} with {_channels(one)}" for one in (every[0], every[-1]))
        raise InputError(f"exemplar_guide and guide are of two kinds ({kinds}); convert one")
    flat = np.concatenate([one.reshape(-1, 1, one.shape[2]) for one in every])
    colours = sum(1 if layer[0].ndim == 2 else layer[0].shape[2] for layer in layers)
    if flat.dtype.kind != "f" and len(np.unique(flat[:, 0], axis=0)) > _MOST_LABELS:
        flat = flat.astype(np.float64)  # shades, not labels
        if flat.shape[2] == 3 and (flat == flat[..., :1]).all():
            flat = flat[..., :1]
    channels = guide_channels(flat, colours)[:, 0]
    parts, start = [], 0
    for one in every:
        end = start + one.shape[0] * one.shape[1]
        parts.append(channels[start:end].reshape(*one.shape[:2], -1))
        start = end
    return parts[:-1], parts[-1]


def _one_guide(guide: Any, size: tuple[int, ...], name: str) -> NDArray[Any]:
    if not (isinstance(guide, np.ndarray) and guide.dtype.kind in "biu"):
        guide = check_image(guide, name=name)
        check_finite(guide, name=name)
    planes = np.asarray(guide)
    if planes.ndim not in (2, 3) or planes.shape[:2] != tuple(size):
        what = "the output" if name == "guide" else "the exemplar"
        raise InputError(
            f"{name} is {'×'.join(map(str, planes.shape))} but {what} is {size[0]}×{size[1]}; "
            "pass one label or one row of features for each of its pixels"
        )
    planes = planes[..., np.newaxis] if planes.ndim == 2 else planes
    if not 1 <= planes.shape[2] <= MAX_CHANNELS:
        raise InputError(
            f"{name} has {planes.shape[2]} channels, but 1 to {MAX_CHANNELS} are needed"
        )
    return planes


def _known(
    known: Any, names: list[str] | None, layers: list[list[NDArray[Any]]], shape: tuple[int, int]
) -> tuple[list[NDArray[Any]] | None, NDArray[np.bool_] | None]:
    if known is None:
        return None, None
    if not isinstance(known, tuple | list) or len(known) != 2:
        raise InputTypeError(
            "known must be a pair: a picture of the output's size, and a mask that is True "
            "(white) where it is to be synthesised"
        )
    given, mask = known
    pictures = []
    for number, name in enumerate(names or [None]):
        title = "known[0]" if name is None else f"known[0][{name!r}]"
        if name is not None and (not isinstance(given, Mapping) or name not in given):
            raise InputError(f"{title} is missing; the known part needs every layer")
        picture = check_image(given if name is None else given[name], name=title)
        first = layers[number][0]
        if picture.shape != (*shape, *first.shape[2:]) or picture.dtype != first.dtype:
            raise InputError(
                f"{title} is {picture.dtype} of {'×'.join(map(str, picture.shape))}, but "
                f"{first.dtype} of {'×'.join(map(str, (*shape, *first.shape[2:])))} is needed: "
                "the output's size, and the exemplar's channels and type"
            )
        pictures.append(picture)
    unknown = check_mask(mask, shape, name="known[1]")
    for picture in pictures:
        check_finite(picture, unknown, name="known[0]")
    if not unknown.any():
        raise InputError(
            "known[1] is False everywhere, so nothing is left to synthesise; True (white) marks "
            "what is to be made"
        )
    return pictures, unknown
