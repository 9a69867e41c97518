"""When kernels are compiled, and how to have it over with."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from synth.progress import Progress, report

__all__ = ["Work", "cache_folder", "warmup", "watching"]

#: what it is, for people, and a call that uses the kernels on something tiny
Work = tuple[str, Callable[[], object]]

#: modules with a function ``works()`` that gives the `Work` to compile all their kernels
_HOMES = (
    "synth.patchmatch.works",
    "synth.editing.works",
    "synth.density.works",
    "synth.texture.works",
)


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
    works = [work for home in _HOMES for work in importlib.import_module(home).works()]
    compiled: list[str] = []
    with watching(compiled.append):
        for done, (kind, work) in enumerate(works):
            report(callback, kind, done / len(works))
            work()
    report(callback, "done", 1.0)
    return compiled
