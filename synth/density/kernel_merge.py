"""Which kernel densities can become one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.arguments import shown
from synth.errors import InputError

if TYPE_CHECKING:
    from synth.density.kernel_density import KernelDensity

__all__ = ["check_alike"]


def check_alike(model: KernelDensity, other: KernelDensity) -> None:
    """Raise `InputError` where the rows of ``other`` would get other kernels than they had.

    Their number of columns is the same. A rule finds the bandwidth of all rows anew, whatever
    that of the other was.
    """
    edges, others = model._edges, other._edges
    for name, own, its in (
        ("kernel", model.kernel, other.kernel),
        ("adaptive", model.adaptive, other.adaptive),
        ("bounds", edges.bounds, others.bounds),
        ("period", edges.period, others.period),
    ):
        if own != its:
            raise InputError(
                f"{name} of other is {shown(its)}, but of this it is {shown(own)}; fit one "
                "density of all rows"
            )
    if isinstance(model.bandwidth, str):
        return
    if not np.allclose(model.covariance, other.covariance, rtol=1e-9, atol=0):
        raise InputError(
            "the bandwidth of this is fixed, and that of other is another; fit one density of all "
            "rows, or give this a rule such as 'scott'"
        )
