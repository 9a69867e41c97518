"""Where a step from a pixel leads, with and without wrapping round the edge."""

from __future__ import annotations

from numba.extending import register_jitable

__all__ = ["inside"]


@register_jitable(forceinline=True)
def inside(at, size, periodic):
    """The row or column that ``at`` stands for: −1 outside, or round the edge if periodic."""
    if periodic:
        return at % size
    return at if 0 <= at < size else -1
