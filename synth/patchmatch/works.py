"""What compiles every kernel of fields and fills, on tiny pictures."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from synth.patchmatch.fill import fill_details
from synth.patchmatch.nnf import Quality as FieldQuality
from synth.patchmatch.nnf import nnf
from synth.patchmatch.request import Quality as FillQuality

if TYPE_CHECKING:
    from synth.compilation import Work

__all__ = ["works"]


def works() -> list[Work]:
    """List calls that between them use every kernel of the package."""
    rng = np.random.default_rng(0)
    whole_numbers = rng.integers(0, 256, (112, 120, 3), np.uint8)
    hole = np.zeros(whole_numbers.shape[:2], bool)
    hole[36:76, 40:80] = True  # wide enough for every level's kernels

    speck = np.zeros_like(hole)
    speck[0, 0] = True

    found: list[Work] = []
    for picture in (whole_numbers, whole_numbers.astype(np.float32) / 255):
        for field_quality in get_args(FieldQuality):
            field = partial(nnf, picture, picture[::-1].copy(), quality=field_quality)
            found.append((f"nearest neighbours, {field_quality}, {picture.dtype}", field))
        several = partial(nnf, picture, picture[::-1].copy(), quality="draft", k=2)
        found.append((f"several neighbours, {picture.dtype}", several))
        found.append((f"votes, {picture.dtype}", partial(_reconstruct, picture)))
        for quality in get_args(FillQuality):
            filling = partial(fill_details, picture, hole, quality=quality)
            found.append((f"fill, {quality}, {picture.dtype}", filling))
        found.append((f"fill, small, {picture.dtype}", partial(fill_details, picture, speck)))
        adapted = partial(fill_details, picture, hole, quality="draft", adapt="color")
        found.append((f"fill, adapted, {picture.dtype}", adapted))
    return found


def _reconstruct(picture: Any) -> None:
    nnf(picture[:20, :20], picture[:20, :20], quality="draft").reconstruct(picture[:20, :20])
