"""Efros & Leung's algorithm three times: synth's, one on OpenCV, and the obvious one in NumPy.

All grow the same picture: from the same known pixels, in the same order, each pixel drawn by the
same uniform number among the candidates in raster order. So where they agree they agree pixel for
pixel, and after the first pixel that differs hardly any more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Method

__all__ = ["grow_numpy", "grow_opencv", "grow_synth", "growth_methods", "order_methods"]

#: The paper's tolerance, and its σ: the window's side over this.
EPS, SIGMA = 0.1, 6.4
Image = NDArray[np.uint8]


def growth_methods() -> list[Method]:
    """List the three, synth first."""
    here = f"{__name__}:"
    return [
        Method("synth", f"{here}grow_synth", distributions=("numba",), compiles=True),
        Method(
            "opencv",
            f"{here}grow_opencv",
            distributions=("opencv-python",),
            note="matchTemplate, TM_SQDIFF with the window's known pixels as its mask",
        ),
        Method("numpy", f"{here}grow_numpy", note="the full scan, one known pixel at a time"),
    ]


def order_methods() -> list[Method]:
    """List synth with one thread and with two."""
    return [
        Method(
            f"synth-{threads}t",
            f"{__name__}:grow_synth",
            distributions=("numba",),
            threads=threads,
            compiles=True,
        )
        for threads in (1, 2)
    ]


def grow_synth(
    exemplar: Image,
    first: Image,
    rank: NDArray[np.int32],
    draws: NDArray[np.float64],
    drawn: NDArray[np.int64],
    window: NDArray[np.int64],
    *,
    seed: int,
) -> Image:
    """`synth.EfrosLeung`, fitted and sampled; its numbers of seed ``drawn`` are ``draws``."""
    import synth

    model = synth.EfrosLeung(int(window), eps=EPS).fit(exemplar)
    rows, columns = rank.shape
    made = model.sample((rows, columns), order=rank, init=first, known=rank < 0, seed=int(drawn))
    return np.asarray(made.image)


def grow_opencv(
    exemplar: Image,
    first: Image,
    rank: NDArray[np.int32],
    draws: NDArray[np.float64],
    drawn: NDArray[np.int64],
    window: NDArray[np.int64],
    *,
    seed: int,
) -> Image:
    """`cv2.matchTemplate` with TM_SQDIFF and a mask, in float32 as OpenCV has it."""
    import cv2

    cv2.setNumThreads(1)
    side, half = int(window), int(window) // 2
    gaussian = _gaussian(side).astype(np.float32)
    picture = exemplar.astype(np.float32)
    centres = exemplar[half : exemplar.shape[0] - half, half : exemplar.shape[1] - half]
    image, known = _padded(first, rank, half)
    for y, x in _places(rank):
        seen = known[y : y + side, x : x + side]
        template = np.where(seen, image[y : y + side, x : x + side], 0).astype(np.float32)
        # OpenCV weighs the difference before it squares it
        weights = np.sqrt(np.where(seen, gaussian, 0)).astype(np.float32)
        apart = cv2.matchTemplate(picture, template, cv2.TM_SQDIFF, mask=weights)
        image[y + half, x + half] = _pick(apart, centres, draws[y, x])
        known[y + half, x + half] = True
    return np.asarray(image[half:-half, half:-half])


def grow_numpy(
    exemplar: Image,
    first: Image,
    rank: NDArray[np.int32],
    draws: NDArray[np.float64],
    drawn: NDArray[np.int64],
    window: NDArray[np.int64],
    *,
    seed: int,
) -> Image:
    """Compare every window of the exemplar, one known pixel after another, centre first."""
    side, half = int(window), int(window) // 2
    gaussian = _gaussian(side)
    picture = exemplar.astype(np.float64)
    rows, columns = (length - 2 * half for length in exemplar.shape)
    centres = exemplar[half : half + rows, half : half + columns]
    taps = [(y, x) for y in range(side) for x in range(side)]
    taps.sort(key=lambda tap: ((tap[0] - half) ** 2 + (tap[1] - half) ** 2, tap))
    image, known = _padded(first, rank, half)
    for y, x in _places(rank):
        total, weight = np.zeros((rows, columns)), 0.0
        for dy, dx in taps:
            if known[y + dy, x + dx]:
                apart = picture[dy : dy + rows, dx : dx + columns] - image[y + dy, x + dx]
                total += gaussian[dy, dx] * (apart * apart)
                weight += gaussian[dy, dx]
        image[y + half, x + half] = _pick(total / (weight or 1.0), centres, draws[y, x])
        known[y + half, x + half] = True
    return np.asarray(image[half:-half, half:-half])


def _gaussian(side: int) -> NDArray[np.float64]:
    across = np.arange(side) - side // 2
    squares = across[:, np.newaxis] ** 2 + across**2
    return np.asarray(np.exp(-squares / (2.0 * (side / SIGMA) ** 2)))


def _padded(first: Image, rank: NDArray[np.int32], half: int) -> tuple[Image, NDArray[np.bool_]]:
    return np.pad(first, half), np.pad(rank < 0, half)


def _places(rank: NDArray[np.int32]) -> list[tuple[int, int]]:
    order = np.argsort(rank, axis=None, kind="stable")[(rank < 0).sum() :]
    return [divmod(int(place), rank.shape[1]) for place in order]


def _pick(apart: NDArray[Any], centres: Image, draw: float) -> int:
    """Draw one of the centres whose windows are within the tolerance of the best."""
    candidates = np.flatnonzero(apart <= max(apart.min(), 0) * (1 + EPS))
    if not len(candidates):  # rounding made the least distance negative
        candidates = np.array([apart.argmin()])
    return int(centres.ravel()[candidates[int(draw * len(candidates))]])
