"""When kernels are compiled, and how to have it over with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, get_args

from synth.progress import Progress, report

__all__ = ["cache_folder", "warmup", "watching"]


@contextlib.contextmanager
def watching(notice: Callable[[str], None]) -> Iterator[None]:
    """Call ``notice`` with the name of each kernel of synth that is compiled during the block.

    A kernel that Numba loads from its cache on disk is not compiled, and not told of. The call
    may come from any thread.
    """
    from numba.core import event

    class Watcher(event.Listener):  # type: ignore[misc]
        def on_start(self, event: Any) -> None:
            function = event.data["dispatcher"].py_func
            if function.__module__.startswith("synth."):
                notice(function.__name__)

        def on_end(self, event: Any) -> None:
            pass

    with event.install_listener("numba:compile", Watcher()):
        yield


def cache_folder() -> Path | None:
    """Return the folder where Numba keeps the compiled kernels, None where none is writable."""
    from synth.kernels.cpu import philox

    for value in vars(philox).values():
        stats = getattr(value, "stats", None)
        if stats is not None:
            return Path(stats.cache_path) if stats.cache_path else None
    return None


def _reconstruct(picture: Any) -> None:
    from synth.patchmatch.nnf import nnf

    nnf(picture[:20, :20], picture[:20, :20], quality="draft").reconstruct(picture[:20, :20])


def warmup(callback: Callable[[Progress], None] | None = None) -> list[str]:
    """Compile every kernel for this machine by using each once on tiny images.

    Parameters
    ----------
    callback : callable, optional
        Called with `synth.progress.Progress`; what it raises stops the work.

    Returns
    -------
    list of str
        The names of the kernels that had to be compiled; those found on disk are not among them.
    """
    import numpy as np

    from synth.patchmatch.fill import Quality as FillQuality
    from synth.patchmatch.fill import fill_details
    from synth.patchmatch.nnf import Quality as FieldQuality
    from synth.patchmatch.nnf import nnf

    rng = np.random.default_rng(0)
    whole_numbers = rng.integers(0, 256, (112, 120, 3), np.uint8)
    hole = np.zeros(whole_numbers.shape[:2], bool)
    hole[36:76, 40:80] = True  # wide enough for every level's kernels

    speck = np.zeros_like(hole)
    speck[0, 0] = True

    works: list[tuple[str, Callable[[], object]]] = []
    for picture in (whole_numbers, whole_numbers.astype(np.float32) / 255):
        for field_quality in get_args(FieldQuality):
            field = partial(nnf, picture, picture[::-1].copy(), quality=field_quality)
            works.append((f"nearest neighbours, {field_quality}, {picture.dtype}", field))
        several = partial(nnf, picture, picture[::-1].copy(), quality="draft", k=2)
        works.append((f"several neighbours, {picture.dtype}", several))
        works.append((f"votes, {picture.dtype}", partial(_reconstruct, picture)))
        for quality in get_args(FillQuality):
            filling = partial(fill_details, picture, hole, quality=quality)
            works.append((f"fill, {quality}, {picture.dtype}", filling))
        works.append((f"fill, small, {picture.dtype}", partial(fill_details, picture, speck)))
    compiled: list[str] = []
    with watching(compiled.append):
        for done, (kind, work) in enumerate(works):
            report(callback, kind, done / len(works))
            work()
    report(callback, "done", 1.0)
    return compiled
