"""Grow a texture from a small exemplar, and make it repeat without a seam.

Writes 13_texture.png: the exemplar, three times its size by quilting and by patch optimisation,
and a seamless tile laid twice in each direction.
"""

from __future__ import annotations

import numpy as np
from skimage import data

import synth
from synth.files import save


def main() -> None:
    """Make pebbles and save the picture."""
    exemplar = np.ascontiguousarray(data.gravel()[:128, :128])
    size = (384, 384)

    quilted = synth.synthesize(exemplar, size, method="quilting")
    optimized = synth.synthesize_details(exemplar, size, method="patchmatch")
    tile = synth.synthesize(exemplar, (192, 192), tile=True, seed=1)

    corner = np.full(size, 255, np.uint8)
    corner[:128, :128] = exemplar
    gap = np.full((size[0], 8), 255, np.uint8)
    pictures = [corner, gap, quilted, gap, optimized.image, gap, np.tile(tile, (2, 2))]
    save("13_texture.png", np.hstack(pictures), overwrite=True)
    used = len(np.unique(optimized.source_map.reshape(-1, 2), axis=0)) / exemplar.size
    print(f"wrote 13_texture.png; {used:.0%} of the exemplar's pixels are used")


if __name__ == "__main__":
    main()
