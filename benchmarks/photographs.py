"""The pictures: photographs that scikit-image ships, at one size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage import data
from skimage.transform import resize

__all__ = ["mosaic", "original", "photograph"]


def photograph(name: str, side: int = 512) -> NDArray[np.uint8]:
    """Load a photograph as (side, side, 3) uint8.

    Whatever has another size is resized, aspect and all (coffee is 400×600, the motorcycle
    500×741), by `skimage.transform.resize` with anti-aliasing and cut to uint8; grey is repeated.
    """
    image = _load(name)
    if image.ndim == 2:
        image = np.repeat(image[..., np.newaxis], 3, axis=2)
    if image.shape[:2] != (side, side):
        image = resize(image, (side, side), anti_aliasing=True, preserve_range=True)  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(image.astype(np.uint8))


def original(name: str) -> NDArray[np.uint8]:
    """Load a photograph as it is shipped; "china" and "flower" come with scikit-learn."""
    return np.ascontiguousarray(_load(name))


def mosaic() -> NDArray[np.uint8]:
    """Eight photographs of 512² in two rows of four: 2 097 152 pixels of real detail.

    scikit-image ships no photograph of that size with detail everywhere; enlarging a small one
    would be easier to fill than a real one.
    """
    names = ("astronaut", "brick", "chelsea", "grass", "coffee", "gravel", "rocket", "motorcycle")
    tiles = [photograph(name) for name in names]
    return np.vstack([np.hstack(tiles[:4]), np.hstack(tiles[4:])])


def _load(name: str) -> NDArray[np.uint8]:
    if name in ("china", "flower"):
        from sklearn.datasets import load_sample_image

        return np.asarray(load_sample_image(f"{name}.jpg"))
    if name.startswith("motorcycle"):
        left, right, _ = data.stereo_motorcycle()  # type: ignore[no-untyped-call]
        return np.asarray(right if name.endswith("right") else left)
    return np.asarray(getattr(data, name)())
