"""How far the patches of an image are from each other: the scale of its own variety."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from synth.errors import InputError
from synth.images import check_finite
from synth.patchmatch.field import NearestNeighborField
from synth.patchmatch.nnf import check_range, comparable, whole
from synth.progress import Callback, report

__all__ = ["leave_one_out"]


def leave_one_out(
    image: NDArray[Any], *, patch: int = 7, callback: Callback | None = None
) -> NearestNeighborField:
    """Find for every patch of an image the most similar other patch that does not overlap it.

    All pairs are compared. Windows that share a pixel are left out, because they are alike
    whatever the image shows.

    Parameters
    ----------
    image : (height, width) or (height, width, channels) ndarray
        As in `synth.nnf`.
    patch : int
        Side of the square patches in pixels. The longer side of the image must be at least
        ``3 * patch - 1``, so that no patch overlaps all others.
    callback : callable, optional
        Called with `synth.progress.Progress` between steps; what it raises stops the work.

    Returns
    -------
    NearestNeighborField
        With ``height − patch + 1`` rows and ``width − patch + 1`` columns.

    Raises
    ------
    InputError, InputTypeError
        The image cannot be worked with, or is too small.

    Examples
    --------
    >>> import numpy as np
    >>> stripes = np.tile(np.array([0, 50, 100], np.uint8), (6, 5))
    >>> field = leave_one_out(stripes, patch=4)
    >>> int(field.distance.max()), field.offsets[0, 0]
    (0, array([0, 6], dtype=int32))
    """
    from synth.kernels._jit import threads
    from synth.patchmatch import search

    patch = whole(patch, "patch")
    pixels, _ = comparable(image, image, patch)
    check_finite(pixels, name="image")
    check_range(pixels, pixels, patch)
    if max(pixels.shape[:2]) < 3 * patch - 1:
        raise InputError(
            f"image is {pixels.shape[0]}×{pixels.shape[1]}, but to compare {patch}×{patch} "
            f"patches that do not overlap one side must be at least {3 * patch - 1}; use a larger "
            "image or a smaller patch"
        )

    def tell(fraction: float) -> None:
        report(callback, "patches of the image itself", fraction)

    with threads() as bands:
        pair = search.prepare(pixels, pixels, patch, None, None, (0, 0), bands)
        positions, distance = search.by_all(pair, 1, tell, apart=patch)
    report(callback, "patches of the image itself", 1.0)
    return NearestNeighborField(positions[:, :, 0], distance[:, :, 0], patch)
