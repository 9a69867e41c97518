"""The demonstration: a rocket leaves a photograph that scikit-image ships, no download needed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth.errors import FileError
from synth.progress import Callback

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
    """Fill the demonstration's hole and write pictures of it.

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
    picture, hole = demo_picture()
    start = time.perf_counter()
    compiled: list[str] = []
    with watching(compiled.append):
        filled = synth.fill(picture, hole, callback=callback)
    seconds = time.perf_counter() - start

    marked = picture.copy()
    marked[hole] = (picture[hole] * 0.3 + np.array((230, 30, 60)) * 0.7).astype(np.uint8)
    gap = np.full((picture.shape[0], 8, 3), 255, np.uint8)
    strip = np.hstack([picture, gap, marked, gap, filled])
    for name, pixels in {
        "before.png": picture,
        "hole.png": hole.astype(np.uint8) * 255,
        "after.png": filled,
        "before-hole-after.png": strip,
    }.items():
        save(folder / name, pixels, overwrite=True)
    size = f"{picture.shape[1]}×{picture.shape[0]}"
    return [
        f"filled {int(hole.sum())} pixels of a {size} photograph in {seconds:.1f} s"
        + (", most of it compiling; the next run has that behind it" if compiled else ""),
        f"wrote {folder / 'before-hole-after.png'}, and before.png, hole.png and after.png",
        f"try it yourself: synth fill {folder / 'before.png'} -m {folder / 'hole.png'} "
        "-o filled.png --seed 1",
    ]
