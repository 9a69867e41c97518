"""BLAS with one thread: ours share the work, and its own would fight them for the cores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from synth.kernels._jit import Bands, threads

__all__ = ["one_blas_thread", "workers"]


@cache
def _controller() -> Any:
    """Return what sets the threads of the BLAS of NumPy and of SciPy; finding them takes 3 ms."""
    import scipy.linalg  # noqa: F401  it loads a BLAS of its own
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep BLAS to the thread that calls it.

    Threads of OpenBLAS that have worked wait for more in a busy loop: even a small product before
    our bands start takes a core from them for a while.
    """
    with _controller().limit(limits=1, user_api="blas"):
        yield


@contextmanager
def workers() -> Iterator[Bands]:
    """Open threads, and keep BLAS from opening its own in each of them."""
    with one_blas_thread(), threads() as run:
        yield run
