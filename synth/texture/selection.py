"""Choosing the parameters of a texture model by the likelihood of what was left out."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from synth.errors import InputError
from synth.images import check_image, check_mask
from synth.texture.scoring import score, some_pixels

if TYPE_CHECKING:
    from synth.texture.efros_leung import EfrosLeung

__all__ = ["leave_one_out"]


def leave_one_out(
    model: EfrosLeung,
    inputs: tuple[Any, ...],
    grid: Mapping[str, Sequence[Any]],
    pixels: int,
    seed: int,
) -> list[tuple[EfrosLeung, dict[str, Any], float]]:
    """Fit a model for each combination of parameters and score pixels of the first exemplar.

    Parameters
    ----------
    model : EfrosLeung
        Whose parameters hold where ``grid`` has none.
    inputs : tuple
        Exemplars, masks, guides and the guides' weight.
    grid, pixels, seed
        Of `synth.EfrosLeung.select`.

    Returns
    -------
    list of (model, what of the grid it has, mean nats a pixel)
    """
    own = model.parameters()
    if not isinstance(grid, Mapping) or not all(isinstance(v, Sequence) for v in grid.values()):
        raise InputError(f"grid is {grid!r}, but {{parameter: [values, …], …}} is needed")
    for name, values in grid.items():
        if name not in own or not len(values):
            raise InputError(
                f"grid has {name!r}: {values!r}, but values for some of {', '.join(own)} are "
                "needed"
            )
    exemplars, masks, guides, guide_weight = inputs
    image = check_image(exemplars[0])
    usable = np.ones(image.shape[:2], np.bool_)
    if masks[0] is not None:
        usable = ~check_mask(masks[0], image.shape)
    chosen = some_pixels(usable, pixels, seed)
    rank = np.arange(usable.size, dtype=np.int32).reshape(usable.shape)
    rank[~usable] = np.iinfo(np.int32).max  # never before anything
    image = np.where(usable if image.ndim == 2 else usable[..., np.newaxis], image, 0)
    table = []
    for combination in itertools.product(*grid.values()):
        given = dict(zip(grid, combination, strict=True))
        rival = type(model)(**(own | given))
        rival.fit(*exemplars, mask=masks, guide=guides, guide_weight=guide_weight)
        nats = score(rival.lookup(), image, rank, chosen, guides[0], rival.window)
        table.append((rival, given, float(nats[chosen].mean())))
    if not any(np.isfinite(row[2]) for row in table):
        raise InputError(
            "no combination gives the exemplar's own pixels a finite likelihood; give a floor "
            "above 0, and an exemplar that is not masked altogether"
        )
    return table
