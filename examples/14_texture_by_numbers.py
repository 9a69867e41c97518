"""Texture by numbers: say with labels what is to grow where.

Writes 14_texture_by_numbers.png: an exemplar of grass beside gravel with its labels, the labels of
a garden that is to be made, and the garden.
"""

from __future__ import annotations

import numpy as np
from skimage import data

import synth
from synth.files import save

SIDE = 192


def main() -> None:
    """Lay a winding gravel path through grass and save the picture."""
    exemplar = np.hstack([data.grass()[:SIDE, :SIDE], data.gravel()[:SIDE, :SIDE]])
    labels = np.zeros(exemplar.shape, np.uint8)
    labels[:, SIDE:] = 1

    y, x = np.indices((320, 320))
    path = np.abs(x - 160 - 70 * np.sin(y / 45)) < 42
    garden = synth.synthesize(
        exemplar, path.shape, guide=path.astype(np.uint8), exemplar_guide=labels
    )

    sheet = np.full((400, 384 + 8 + 320 + 8 + 320), 255, np.uint8)
    sheet[:SIDE, :384] = exemplar
    sheet[SIDE + 8 : 2 * SIDE + 8, :384] = labels * 200
    sheet[:320, 392:712] = path * np.uint8(200)
    sheet[:320, 720:] = garden
    save("14_texture_by_numbers.png", sheet, overwrite=True)
    print("wrote 14_texture_by_numbers.png")


if __name__ == "__main__":
    main()
