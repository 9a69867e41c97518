"""Rebuild one photograph out of patches of another.

Writes 02_nearest_neighbour_field.png: the target, the source, the target rebuilt from the source's
patches, and where each patch came from as a colour wheel of offsets.
"""

from __future__ import annotations

import numpy as np
from skimage import data

import synth
from synth.files import save


def main() -> None:
    """Match the astronaut to the cup of coffee and save the picture."""
    target = data.astronaut()[:384, :400]
    source = data.coffee()[:384, 100:500]

    field = synth.nnf(target, source, patch=7, seed=0)
    rebuilt = field.reconstruct(source)

    offsets = np.full_like(target, 255)
    offsets[: field.distance.shape[0], : field.distance.shape[1]] = field.plot()
    picture = np.concatenate([target, source, rebuilt, offsets], axis=1)
    save("02_nearest_neighbour_field.png", picture, overwrite=True)

    rms = np.sqrt(field.distance.mean() / (7 * 7 * 3))
    print(f"02_nearest_neighbour_field.png: patches differ by {rms:.1f} of 255 on average")


if __name__ == "__main__":
    main()
