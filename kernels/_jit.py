"""One place that says how every CPU kernel is compiled, and how its bands share the cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numba

__all__ = ["Bands", "jit", "thread_count", "threads"]


def jit(function: Any = None, *, fastmath: bool = False) -> Any:
    """Compile lazily and without the GIL, cache on disk, go uncached where nothing is writable.

    Signatures are never given, so importing a kernel compiles nothing. Kernels are compiled
    without ``parallel=True``: it costs twice the compile time, and a loop over bands in a thread
    pool (`Bands`) scales as well.
    """
    if function is None:
        return lambda f: jit(f, fastmath=fastmath)
    options = {"nogil": True, "error_model": "numpy", "fastmath": fastmath}
    try:
        return numba.njit(function, cache=True, **options)
    except RuntimeError:  # read-only install and no user cache folder
        return numba.njit(function, **options)


def thread_count() -> int:
    """How many threads kernels use: ``SYNTH_NUM_THREADS``, else the cores this process may use."""
    wanted = os.environ.get("SYNTH_NUM_THREADS", "").strip()
    if wanted:
        if not wanted.isdigit() or int(wanted) < 1:
            raise ValueError(
                f"SYNTH_NUM_THREADS is {wanted!r}, but a whole number of at least 1 is needed; "
                "unset it to use every core"
            )
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Bands:
    """Runs a kernel over bands of independent work.

    The number of bands never depends on the number of threads, so neither does the result.
    """

    def __init__(self, pool: ThreadPoolExecutor | None) -> None:
        self._pool = pool

    def __call__(self, kernel: Callable[..., Any], count: int, *args: Any) -> list[Any]:
        """Call ``kernel(*args, band)`` for each band in ``range(count)``, results in order."""
        if self._pool is None:
            return [kernel(*args, band) for band in range(count)]
        return list(self._pool.map(lambda band: kernel(*args, band), range(count)))

    def ordered(self, kernel: Callable[[int], Any], count: int) -> Iterator[Any]:
        """Yield ``kernel(band)`` for each band in order, and keep none that was taken."""
        calls = map if self._pool is None else self._pool.map
        return iter(calls(kernel, range(count)))


@contextmanager
def threads(count: int | None = None) -> Iterator[Bands]:
    """Open the threads of one call and close them when it ends: none is left behind."""
    count = thread_count() if count is None else count
    if count == 1:
        yield Bands(None)
        return
    pool = ThreadPoolExecutor(count, thread_name_prefix="synth")
    try:
        yield Bands(pool)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
