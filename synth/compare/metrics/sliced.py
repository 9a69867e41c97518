"""How far two images differ as distributions of patches, wherever each patch stands."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.compare.metrics.checks import check_alike, check_same, with_channels
from synth.errors import InputError
from synth.images import check_image
from synth.randomness import key_of

__all__ = ["sliced_wasserstein", "sliced_wasserstein_levels"]

#: The largest value whose squared distances add up to a finite number.
_LARGEST = 1e150
_BLOCK = 1 << 14  # patches projected at a time: 19 MB of 7×7×3 in float64
_PROJECTIONS = 1 << 24  # numbers kept at a time for each image: 134 MB


def sliced_wasserstein(
    a: NDArray[Any],
    b: NDArray[Any],
    *,
    patch: int = 7,
    directions: int = 128,
    seed: int = 0,
    mask: NDArray[np.bool_] | None = None,
) -> float:
    r"""Measure how far the patches of two images differ as distributions.

    Every ``patch``×``patch``×C window that lies inside the image, and whose centre is in ``mask``,
    is a point in ``patch``²·C dimensions. Both clouds of points are projected on the same random
    unit vectors :math:`\theta_k`, and the projections of a cloud are sorted:

    .. math:: \mathrm{SWD} = \Big(\frac1K \sum_k \frac1n \sum_i
              \big(u^{(k)}_{(i)} - v^{(k)}_{(i)}\big)^2\Big)^{1/2}

    Where a patch stands plays no part, so a texture may be right without being the same. A copy
    of the truth scores 0, and a plain copy of the exemplar scores well: read it with a measure of
    copying.

    Parameters
    ----------
    a, b : (H, W) or (H, W, C) array
        The two images, of one type, with equal channels. Without ``mask`` they may differ in
        size: the quantiles of the smaller cloud are then repeated.
    patch : int, odd
        Side of the windows in pixels; larger windows see larger structure.
    directions : int
        Number of unit vectors K; more of them lower the spread between seeds.
    seed : int
        Seed of the unit vectors, 0 to 2**64 − 1.
    mask : (H, W) bool array, optional
        Where the patches are centred, in both images; they see past its border. None takes all.

    Returns
    -------
    float
        0 for equal distributions, no upper limit, in the unit of the pixels (0-255 for uint8).

    Raises
    ------
    InputError
        If shapes do not match, an image has NaN, infinite or enormous values, ``seed`` is out of
        range, ``patch`` is even or larger than an image, or the mask holds no pixel that is
        ``patch // 2`` away from the image's border.
    InputTypeError
        If the images are of different types, or of none that images have.

    References
    ----------
    Rabin, Peyré, Delon, Bernot, "Wasserstein barycenter and its application to texture mixing",
    SSVM 2011 (equation 10, the order p = 2).

    Examples
    --------
    >>> flat = np.full((16, 16, 3), 100, np.uint8)
    >>> sliced_wasserstein(flat, flat)
    0.0
    """
    key_of(seed)  # refuses what is no seed elsewhere either
    a, b = (
        with_channels(check_image(a, name="a"), "a"),
        with_channels(check_image(b, name="b"), "b"),
    )
    check_alike(a, b)
    largest = max(float(np.abs(image).max()) for image in (a, b)) if a.dtype.kind == "f" else 0.0
    if largest > _LARGEST:
        raise InputError(
            f"a and b have values up to {largest:g}, whose squares a float cannot hold; divide "
            "both by the same number"
        )
    if mask is not None:
        check_same(a, b, mask)
    if patch < 1 or patch % 2 == 0:
        raise InputError(f"patch is {patch}, but an odd side of at least 1 pixel is needed")
    if directions < 1:
        raise InputError(f"directions is {directions}, but at least 1 is needed")
    vectors = np.random.default_rng(seed).standard_normal((patch * patch * a.shape[2], directions))
    vectors /= np.linalg.norm(vectors, axis=0)
    # Projections of a megapixel on all directions at once would take a gigabyte.
    step = max(1, _PROJECTIONS // max(a.shape[0] * a.shape[1], b.shape[0] * b.shape[1]))
    total, count = 0.0, 0
    for start in range(0, directions, step):
        some = vectors[:, start : start + step]
        u = _sorted_projections(a, patch, mask, some)
        v = _sorted_projections(b, patch, mask, some)
        if len(u) != len(v):
            # Step quantile functions of both, read at the midpoints of the finer one's steps.
            level = (np.arange(max(len(u), len(v))) + 0.5) / max(len(u), len(v))
            u, v = (w[(level * len(w)).astype(np.intp)] for w in (u, v))
        total += float(np.square(u - v, dtype=np.float64).sum())
        count += u.size
    return float(np.sqrt(total / count))


def sliced_wasserstein_levels(
    a: NDArray[Any],
    b: NDArray[Any],
    *,
    levels: int = 3,
    patch: int = 7,
    directions: int = 128,
    seed: int = 0,
) -> tuple[float, ...]:
    """Measure `sliced_wasserstein` at several resolutions of the images.

    Each level halves the one before: smoothed with a Gaussian of 2/3 pixel and resampled
    (`skimage.transform.pyramid_reduce`). A window of 7×7 at the third level sees 28×28 pixels of
    the image. All levels use the same directions.

    Parameters
    ----------
    a, b : (H, W) or (H, W, C) array
        The two images, with equal channels; they may differ in size.
    levels : int
        At most so many, at least 1; halving stops before a side is shorter than ``2 * patch``.
    patch, directions, seed : int
        As in `sliced_wasserstein`.

    Returns
    -------
    tuple of float
        Finest first, in the unit of the pixels (0-255 for uint8). A coarse level has fewer
        patches, so that chance alone sets two crops further apart there.

    Raises
    ------
    InputError
        As `sliced_wasserstein`, or ``levels`` is below 1.

    References
    ----------
    Karras, Aila, Laine, Lehtinen, "Progressive growing of GANs", ICLR 2018, section 5: the sliced
    Wasserstein distance of 7×7 patches at each level of a pyramid (there a Laplacian one).

    Examples
    --------
    >>> flat = np.full((32, 32, 3), 100, np.uint8)
    >>> sliced_wasserstein_levels(flat, flat)
    (0.0, 0.0)
    """
    from skimage.transform import pyramid_reduce

    if levels < 1:
        raise InputError(f"levels is {levels}, but at least 1 is needed")
    a, b = with_channels(a, "a"), with_channels(b, "b")
    distances = []
    for level in range(levels):
        if level > 0:
            if min(a.shape[:2] + b.shape[:2]) < 4 * patch:
                break
            a, b = (
                pyramid_reduce(image.astype(np.float64), channel_axis=2, preserve_range=True)
                for image in (a, b)
            )
        distances.append(sliced_wasserstein(a, b, patch=patch, directions=directions, seed=seed))
    return tuple(distances)


def _sorted_projections(
    image: NDArray[Any],
    patch: int,
    mask: NDArray[np.bool_] | None,
    vectors: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the projections of the patches of ``image`` on ``vectors``, each column sorted."""
    height, width, channels = image.shape
    if min(height, width) < patch:
        raise InputError(
            f"the image is {height}×{width}, smaller than one {patch}×{patch} patch; "
            "use a larger image or a smaller patch"
        )
    half = patch // 2
    inner = np.ones((height, width), bool) if mask is None else mask
    inner = inner[half : height - half, half : width - half]
    rows, columns = np.nonzero(inner)
    if rows.size == 0:
        raise InputError(
            f"no pixel of the mask is {half} pixels away from the image's border, as the centre "
            f"of a {patch}×{patch} patch must be; use a smaller patch or another mask"
        )
    windows = np.lib.stride_tricks.sliding_window_view(image, (patch, patch), axis=(0, 1))
    projections = np.empty((rows.size, vectors.shape[1]))
    for start in range(0, rows.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        flat = windows[rows[block], columns[block]].reshape(-1, channels * patch * patch)
        projections[block] = flat.astype(np.float64) @ vectors
    projections.sort(axis=0)
    return projections
