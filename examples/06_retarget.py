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


def main() -> None:
    """Keep rocket and towers as slender or as broad as they are."""
    evening = data.rocket()
    rows, columns = evening.shape[:2]

    narrow = synth.retarget(evening, (rows, columns * 2 // 3))
    wide = synth.retarget(evening, (rows, columns * 4 // 3))

    scaled = cv2.resize(evening, narrow.shape[1::-1], interpolation=cv2.INTER_AREA)
    picture = np.hstack([evening, np.asarray(scaled), narrow, wide])
    save("06_retarget.png", picture, overwrite=True)
    print(f"06_retarget.png: {columns} columns become {narrow.shape[1]} and {wide.shape[1]}")


if __name__ == "__main__":
    main()
