"""Make a photograph narrower, and wider, without squeezing what it shows.

Writes 06_retarget.png: the photograph, scaled to two thirds of its width, retargeted to
that, and widened.
"""

from __future__ import annotations

import cv2
import numpy as np
from skimage import data

import synth
from synth.files import save

#: Edges of the towers, which are to stay straight: ends as (row, column).
EDGES = [
    ((0, 42), (426, 2)), ((0, 88), (426, 75)), ((220, 185), (380, 168)), ((220, 201), (380, 202)),
    ((190, 445), (426, 440)), ((190, 453), (426, 480)), ((0, 558), (426, 578)),
]  # fmt: skip


def main() -> None:
    """Keep the rocket and the towers as slender or as broad as they are."""
    evening = data.rocket()
    rows, columns = evening.shape[:2]

    narrow = synth.retarget(evening, (rows, columns * 2 // 3), lines=EDGES)
    wide = synth.retarget(evening, (rows, columns * 4 // 3))

    scaled = cv2.resize(evening, narrow.shape[1::-1], interpolation=cv2.INTER_AREA)
    strip = np.hstack([evening, np.asarray(scaled), narrow, wide])
    save("06_retarget.png", strip, overwrite=True)
    print(f"06_retarget.png: {columns} columns become {narrow.shape[1]} and {wide.shape[1]}")


if __name__ == "__main__":
    main()
