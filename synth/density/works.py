"""What compiles every kernel of densities, on a few rows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from synth.density.kernel_density import KernelDensity

if TYPE_CHECKING:
    from synth.compilation import Work

__all__ = ["works"]


def works() -> list[Work]:
    """List calls that between them use every kernel of the package."""
    rows = np.random.default_rng(0).normal(size=(40, 20))
    few, wide = KernelDensity(1.0).fit(rows[:, :3]), KernelDensity(1.0).fit(rows)
    boxes = KernelDensity(1.0, method="boxes").fit(rows[:, :2])
    return [
        ("kernel density, few columns", partial(few.log_prob, rows[:, :3])),
        ("kernel density, many columns", partial(wide.log_prob, rows)),
        ("kernel density, boxes", partial(boxes.log_prob, rows[:, :2])),
    ]
