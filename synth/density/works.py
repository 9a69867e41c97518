"""What compiles every kernel of densities, on a few rows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from synth.density.gaussian_mixture import GaussianMixture
from synth.density.kernel_density import KernelDensity
from synth.density.patch_prior import PatchPrior

if TYPE_CHECKING:
    from synth.compilation import Work

__all__ = ["works"]

KINDS = (np.float64, np.float32)


def works() -> list[Work]:
    """List calls that between them use every kernel of the package."""
    rows = np.random.default_rng(0).normal(size=(40, 20))
    few, wide = KernelDensity(1.0).fit(rows[:, :3]), KernelDensity(1.0).fit(rows)
    singles = [KernelDensity(1.0, dtype=np.float32).fit(rows[:, :d]) for d in (3, 20)]
    ends = KernelDensity(1.0, kernel="tophat").fit(rows[:, :3])
    boxes, tree = (KernelDensity(1.0, method=m).fit(rows[:, :2]) for m in ("boxes", "tree"))
    noise = rows.astype(np.float32)
    grid = KernelDensity(1.0, method="boxes").fit(rows[:, :3])
    prior = PatchPrior(2, patch=4, max_iter=1)
    mixtures = [GaussianMixture(2, max_iter=1, dtype=dtype, ridge=0.1) for dtype in KINDS]
    return [
        *(
            (f"Gaussian mixture in {dtype.__name__}", partial(model.fit, rows[:, :3]))
            for dtype, model in zip(KINDS, mixtures, strict=True)
        ),
        (
            "Gaussian mixture, densities",
            lambda: mixtures[0].fit(rows[:, :3]).log_prob(rows[:, :3]),
        ),
        *(
            (
                f"Gaussian mixture in {dtype.__name__} of float32 rows",
                partial(_few, model, noise),
            )
            for dtype, model in zip(KINDS, mixtures, strict=True)
        ),
        ("kernel density, few columns", partial(few.log_prob, rows[:, :3])),
        ("kernel density, many columns", partial(wide.log_prob, rows)),
        ("kernel density, few columns in float32", partial(singles[0].log_prob, rows[:, :3])),
        ("kernel density, many columns in float32", partial(singles[1].log_prob, rows)),
        ("kernel density, compact kernels", partial(ends.log_prob, rows[:, :3])),
        ("kernel density, boxes", partial(boxes.log_prob, rows[:, :2])),
        ("kernel density, boxes over three columns", partial(grid.log_prob, rows[:, :3])),
        ("kernel density, tree", partial(tree.log_prob, rows[:, :2])),
        ("kernel density, slopes by a tree", partial(tree.gradient, rows[:, :2])),
        ("patch prior", lambda: prior.fit(noise).denoise(noise, 0.1)),
        ("patch prior, little noise", lambda: prior.denoise(noise, 1e-4)),
    ]


def _few(model: GaussianMixture, rows: NDArray[np.float32]) -> None:
    model.fit(rows[:, :3]).log_prob(rows[:, :3])
