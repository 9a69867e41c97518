"""Remove an object from a photograph.

Writes 01_remove_an_object.png: the photograph, the hole, two answers (two seeds), and where each
filled pixel of the first was copied from (red: row, green: column).
"""

from __future__ import annotations

import numpy as np
from skimage import data, draw

import synth
from synth.files import save

MAST = [(115, 436), (115, 458), (190, 464), (250, 470), (427, 488), (427, 430), (250, 438)]


def main() -> None:
    """Take a lightning mast out of the evening sky and save the picture."""
    photograph = data.rocket()
    mask = draw.polygon2mask(photograph.shape[:2], MAST)

    first = synth.fill_details(photograph, mask, seed=0)
    second = synth.fill(photograph, mask, seed=1)

    marked = photograph.copy()
    marked[mask] = (255, 0, 90)
    origin = photograph // 3
    origin[mask, :2] = first.sources * 255 // photograph.shape[:2]
    pictures = [photograph, marked, first.image, second, origin]
    strip = np.concatenate([picture[60:, 300:] for picture in pictures], axis=1)
    save("01_remove_an_object.png", strip, overwrite=True)
    seconds = sum(first.seconds.values())
    print(f"01_remove_an_object.png: {len(first.pixels)} pixels in {seconds:.2f} s")


if __name__ == "__main__":
    main()
