"""Efros & Leung's texture synthesis, pixel by pixel, and what it copies.

Writes 09_grow_a_texture.png: the exemplar, four moments of the growth, and the size of the copy
that each pixel belongs to: black is 1 pixel, white the largest.
"""

from __future__ import annotations

import numpy as np
from skimage import data

import synth
from synth.files import save


def main() -> None:
    """Grow a brick wall and save the strip."""
    exemplar = np.ascontiguousarray(data.brick()[:384:3, :384:3])
    sample = synth.EfrosLeung(window=19).fit(exemplar).sample((128, 128), seed=1)

    last = sample.order.max()
    frames = [
        np.where(sample.order <= part * last, sample.image, 0) for part in (0.05, 0.2, 0.5, 1)
    ]
    copies = sample.copy_map()
    shade = (255 * np.log1p(copies) / np.log1p(copies.max())).astype(np.uint8)

    strip = [np.pad(frame, 2, constant_values=255) for frame in (exemplar, *frames, shade)]
    save("09_grow_a_texture.png", np.concatenate(strip, axis=1), overwrite=True)
    print(
        f"09_grow_a_texture.png: {sample.candidates[sample.order >= 0].mean():.1f} candidates a "
        f"pixel, the largest copy has {copies.max()} of {copies.size} pixels"
    )


if __name__ == "__main__":
    main()
