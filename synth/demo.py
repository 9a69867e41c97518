"""The demonstration, on pictures that scikit-image ships: no download needed.

A rocket leaves a photograph, and a handful of gravel becomes a wall that repeats without a seam.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth.errors import FileError
from synth.progress import Callback, Progress

if TYPE_CHECKING:
    import numpy as np

__all__ = ["demo_picture", "run"]

#: (row, column) around the rocket and its launch mount
_OUTLINE = (
    (140, 303), (122, 313), (122, 327), (140, 339), (345, 341),
    (350, 362), (405, 366), (405, 264), (350, 270), (345, 300),
)  # fmt: skip


def demo_picture() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the photograph (427, 640, 3), uint8, and the mask of its rocket."""
    from skimage import data, draw

    picture = data.rocket()
    return picture, draw.polygon2mask(picture.shape[:2], _OUTLINE)


def run(folder: Path, callback: Callback | None = None) -> list[str]:
    """Fill the demonstration's hole, make its texture, and write pictures of both.

    Parameters
    ----------
    folder : Path
        Made if it is not there; files of the demonstration's names in it are replaced.
    callback : callable, optional
        Called with `synth.progress.Progress`.

    Returns
    -------
    list of str
        What was written and how long it took, for people.

    Raises
    ------
    FileError
        The folder cannot be made or written to.
    """
    import numpy as np

    import synth
    from synth.compilation import watching
    from synth.files import save

    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise FileError(
            f"the folder {folder} cannot be made: {error.strerror or error}; "
            "run the demo in a folder of your own"
        ) from error
    from skimage import data

    picture, hole = demo_picture()
    gravel = np.ascontiguousarray(data.gravel()[:192, :192])
    start = time.perf_counter()
    compiled: list[str] = []
    with watching(compiled.append):
        filled = synth.fill(picture, hole, callback=_half(callback, 0.0))
        half = time.perf_counter()
        texture = synth.synthesize(gravel, (512, 512), tile=True, callback=_half(callback, 0.5))
    seconds, texture_seconds = half - start, time.perf_counter() - half

    marked = picture.copy()
    marked[hole] = (picture[hole] * 0.3 + np.array((230, 30, 60)) * 0.7).astype(np.uint8)
    gap = np.full((picture.shape[0], 8, 3), 255, np.uint8)
    strip = np.hstack([picture, gap, marked, gap, filled])
    for name, pixels in {
        "before.png": picture,
        "hole.png": hole.astype(np.uint8) * 255,
        "after.png": filled,
        "before-hole-after.png": strip,
        "gravel.png": gravel,
        "texture.png": texture,
    }.items():
        save(folder / name, pixels, overwrite=True)
    size = f"{picture.shape[1]}×{picture.shape[0]}"
    return [
        f"filled {int(hole.sum())} pixels of a {size} photograph in {seconds:.1f} s, and made a "
        f"seamless 512×512 texture of 192×192 pixels of gravel in {texture_seconds:.1f} s"
        + (", most of it compiling; the next run has that behind it" if compiled else ""),
        f"wrote {folder / 'before-hole-after.png'}, and before.png, hole.png, after.png, "
        "gravel.png and texture.png",
        f"try it yourself: synth fill {folder / 'before.png'} -m {folder / 'hole.png'} "
        "-o filled.png --seed 1",
        f"or: synth synthesize {folder / 'gravel.png'} -o wall.png --size 1024x1024 --tile",
    ]


def _half(callback: Callback | None, start: float) -> Callback | None:
    """Report one half of the work as a part of the whole."""
    if callback is None:
        return None
    return lambda progress: callback(Progress(progress.stage, start + progress.fraction / 2))
