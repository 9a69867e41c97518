"""The one rule for image arrays and masks: what is accepted, and what is said when it is not."""

from __future__ import annotations

from typing import Any

import numpy as np

from synth.errors import InputError, InputTypeError

__all__ = ["MAX_CHANNELS", "check_finite", "check_image", "check_mask", "hole_from_alpha"]

#: more channels than this are taken for a mistake in the order of the axes
MAX_CHANNELS = 64

#: pixels that the soft edge of a cut-out may be wide
_SOFT_RIM = 32

_PIXEL_TYPES = (np.uint8, np.uint16, np.float32, np.float64)


def _size(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a single number"


def _array(value: Any, name: str) -> np.ndarray[Any, Any]:
    """Return ``value`` if it is a plain array, else say how to make one of it."""
    if isinstance(value, np.ma.MaskedArray):
        raise InputTypeError(
            f"{name} is a masked array, whose mask would be dropped; pass {name}.data, "
            f"and {name}.mask as the mask"
        )
    if isinstance(value, np.ndarray):
        return np.asarray(value)
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    mends = {
        "cupy": f"cupy.asnumpy({name})",
        "torch": f"{name}.detach().cpu().numpy(), channels last",
        "PIL": f"numpy.asarray({name})",
    }
    if isinstance(value, str | bytes) or hasattr(value, "__fspath__"):
        mend = f"synth.files.load({name}).pixels"
    else:
        mend = mends.get(kind.split(".")[0], f"numpy.asarray({name})")
    raise InputTypeError(f"{name} is a {kind}, but a NumPy array is needed: pass {mend}")


def check_image(image: Any, *, name: str = "image") -> np.ndarray[Any, Any]:
    """Return the image as the rest of synth works with it, or say what is wrong with it.

    NaN and infinite values are left to `check_finite`, because inside a hole they do not matter.

    Parameters
    ----------
    image : ndarray
        (height, width) or (height, width, channels) with 1 to 64 channels; uint8, uint16, float32
        or float64. Integers use the whole range of their type; floats may have any range.
    name : str
        What error messages call it.

    Returns
    -------
    ndarray
        The same pixels, C-contiguous, in the machine's byte order: ``image`` itself where it is
        so already.

    Raises
    ------
    InputTypeError
        Not a NumPy array, or not of one of the four types.
    InputError
        Empty, or not of a shape as above.

    Examples
    --------
    >>> import numpy as np
    >>> check_image(np.zeros((3, 512, 512), np.uint8))
    Traceback (most recent call last):
    ...
    synth.errors.InputError: image is 3×512×512, which looks like channels first; ...
    """
    array = _array(image, name)
    _check_pixel_type(array.dtype, name)
    shape = array.shape
    if array.ndim == 4 and shape[0] == 1:
        raise InputError(f"{name} is {_size(shape)}, a batch of one image; pass {name}[0]")
    if array.ndim not in (2, 3):
        raise InputError(
            f"{name} is {_size(shape)}, but height×width or height×width×channels is needed"
        )
    if array.size == 0:
        raise InputError(f"{name} is {_size(shape)}: it has no pixels, and at least one is needed")
    if array.ndim == 3 and shape[2] > MAX_CHANNELS:
        if shape[0] <= 4:
            raise InputError(
                f"{name} is {_size(shape)}, which looks like channels first; channels come last "
                f"here: pass {name}.transpose(1, 2, 0)"
            )
        raise InputError(
            f"{name} is {_size(shape)}: {shape[2]} channels, but at most {MAX_CHANNELS} can be "
            f"worked with; keep some of them ({name}[..., :3]) or project them to fewer"
        )
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def _check_pixel_type(dtype: np.dtype[Any], name: str) -> None:
    if dtype.type in _PIXEL_TYPES:
        return
    if dtype == np.bool_:
        mend = f"pass {name}.astype(numpy.uint8) * 255"
    elif dtype == np.float16 or dtype.kind == "f":
        mend = f"pass {name}.astype(numpy.float32)"
    elif dtype.kind in "iu":
        mend = (
            f"pass {name}.astype(numpy.uint8) if its values are 0 to 255, "
            f"else {name}.astype(numpy.float32)"
        )
    elif dtype.kind == "c":
        mend = f"pass {name}.real, {name}.imag or abs({name})"
    else:
        mend = f"convert it with {name}.astype(numpy.float32)"
    raise InputTypeError(
        f"{name} is of type {dtype}, but uint8, uint16, float32 or float64 is needed; {mend}"
    )


def check_mask(
    mask: Any, shape: tuple[int, ...], *, name: str = "mask"
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return the mask as booleans, or say what is wrong with it.

    Parameters
    ----------
    mask : ndarray
        (height, width), or with 1 to 4 channels, of which the colours must be equal and an alpha
        (the second of two, the fourth of four) is ignored. **True, or white, is the hole.** Types
        other than bool are cut at half of their range: uint8 above 127, uint16 above 32767, floats
        (0 to 1) above 0.5. Other integers must be 0 and 1, or 0 and 255. A uint8 mask of 0 and 1
        only, or a uint16 mask with nothing above 255, would come out empty, so it is refused.
    shape : tuple of int
        The shape of the image it belongs to; only height and width count.
    name : str
        What error messages call it.

    Returns
    -------
    ndarray of bool
        (height, width), C-contiguous; ``mask`` itself where it is so already.

    Raises
    ------
    InputTypeError
        Not a NumPy array, or not of a type with a half.
    InputError
        Of another size than the image, coloured, or with values that have no clear meaning.

    Examples
    --------
    >>> import numpy as np
    >>> check_mask(np.array([[0, 127], [128, 255]], np.uint8), (2, 2))
    array([[False, False],
           [ True,  True]])
    """
    array = _one_channel(_array(mask, name), name)
    wanted = tuple(shape[:2])
    if array.shape != wanted:
        if array.shape == wanted[::-1]:
            mend = f"it looks transposed: pass {name}.T"
        else:
            mend = "make the mask from this very image, or resize it with nearest neighbours"
        raise InputError(
            f"{name} is {_size(array.shape)} but the image is {_size(wanted)}; {mend}"
        )
    return np.ascontiguousarray(_above_half(array, name))


def _one_channel(array: np.ndarray[Any, Any], name: str) -> np.ndarray[Any, Any]:
    if array.ndim == 2:
        return array
    if array.ndim != 3 or not 1 <= array.shape[2] <= 4:
        raise InputError(
            f"{name} is {_size(array.shape)}, but height×width is needed, one value a pixel"
        )
    colours = array[..., :3] if array.shape[2] >= 3 else array[..., :1]
    first = colours[..., 0]
    # NaN equals nothing, itself included; it is named further on
    same = (colours == first[..., None]) | (colours != colours)
    if not same.all():
        row, column = np.argwhere(~same.all(axis=-1))[0]
        raise InputError(
            f"{name} is coloured (first at row {row}, column {column}), but black and white is "
            f"needed; pass one channel of it, or {name}.any(axis=-1)"
        )
    return first


def _above_half(array: np.ndarray[Any, Any], name: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    kind, top = array.dtype.kind, array.max(initial=0)
    if kind == "b":
        return array.astype(np.bool_, copy=False)
    if array.dtype.type in (np.uint8, np.uint16):
        if 0 < top <= (1 if array.itemsize == 1 else 255):
            raise InputError(
                f"{name} is {array.dtype} with nothing above {top}, and only values above "
                f"{np.iinfo(array.dtype).max // 2} count as hole; pass {name} > 0, or scale it"
            )
        return array > np.iinfo(array.dtype).max // 2
    if kind in "iu":
        if top not in (0, 1, 255) or not ((array == 0) | (array == top)).all():
            raise InputError(
                f"{name} is {array.dtype} with values other than 0 and 1, or 0 and 255; "
                f"say what is hole: pass for instance {name} > 0"
            )
        return array > 0
    if kind == "f":
        lowest, top = array.min(initial=0), array.max(initial=0)
        if np.isnan(top):
            row, column = np.argwhere(np.isnan(array))[0]
            raise InputError(
                f"{name} has NaN, first at row {row}, column {column}, which is neither hole nor "
                f"known; pass for instance numpy.isnan({name})"
            )
        if not (lowest >= 0 and top <= 1):
            raise InputError(
                f"{name} is {array.dtype} with values outside 0 to 1 ({lowest:g} to {top:g}); "
                f"say what is hole: pass for instance {name} > {'0' if top <= 1 else '127'}"
            )
        return array > 0.5
    raise InputTypeError(
        f"{name} is of type {array.dtype}, but bool is needed; pass {name}.astype(bool)"
    )


def check_finite(
    image: np.ndarray[Any, Any],
    ignore: np.ndarray[Any, np.dtype[np.bool_]] | None = None,
    *,
    name: str = "image",
) -> None:
    """Raise if the image has NaN or infinite values where they matter.

    Parameters
    ----------
    image : ndarray
        (height, width) or (height, width, channels), any type.
    ignore : ndarray of bool, optional
        (height, width), True where the values do not matter.
    name : str
        What error messages call it.

    Raises
    ------
    InputError
        With how many pixels it concerns and where the first is.
    """
    if image.dtype.kind != "f":
        return
    finite = np.isfinite(image)
    good = finite if image.ndim == 2 else finite.all(axis=-1)
    bad = ~good if ignore is None else ~(good | ignore)
    count = int(np.count_nonzero(bad))
    if count:
        row, column = divmod(int(bad.argmax()), bad.shape[1])
        where, mend = "", "replace them"
        if ignore is not None:
            where, mend = " outside the mask", "add them to the mask or replace them"
        raise InputError(
            f"{name} has NaN or infinite values in {count} pixel{'s' * (count > 1)}{where}, "
            f"first at row {row}, column {column}; {mend} (numpy.nan_to_num({name}))"
        )


def hole_from_alpha(image: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return the mask of the pixels that are more than half transparent, soft edges included.

    Where something was cut out with a soft edge, the half-opaque rim still shows what was there,
    so up to 32 pixels of rising opacity around a hole belong to it.

    Parameters
    ----------
    image : ndarray
        (height, width, 2) grey and alpha or (height, width, 4) red, green, blue and alpha; the
        alpha of floats runs from 0 to 1.

    Returns
    -------
    ndarray of bool
        (height, width), True where alpha is below half of its range, or below all of it in the
        rim of such a place.

    Raises
    ------
    InputError
        The image has no alpha channel.
    """
    if image.ndim != 3 or image.shape[2] not in (2, 4):
        raise InputError(
            f"the image is {_size(image.shape)} and has no transparency to say what the hole is; "
            "give a mask, white where it is to be filled"
        )
    alpha = image[..., -1]
    full = 1.0 if alpha.dtype.kind == "f" else np.iinfo(alpha.dtype).max
    hole = ~(alpha > full / 2)
    soft = ~(alpha >= full)
    if soft.sum() == hole.sum():
        return np.ascontiguousarray(hole)
    from scipy import ndimage

    # a rim rises outwards; what is evenly see-through is glass, and stays
    rim = soft & (ndimage.maximum_filter(alpha, 3) > alpha)
    grown = ndimage.binary_dilation(hole, np.ones((3, 3), np.bool_), _SOFT_RIM, mask=rim | hole)
    return np.ascontiguousarray(grown)
