"""Let the rim of a cup go on round, by copies that are turned.

Writes 08_rotated_copies.png: brush strokes over the rims, the fill that copies only as it is, and
the fill that may turn what it copies by up to 20°.
"""

from __future__ import annotations

import cv2
import numpy as np
from skimage import data

import synth
from synth.files import save

STROKES = [(60, 290, 110, 345), (20, 160, 50, 230), (180, 365, 250, 395), (330, 370, 390, 320),
           (400, 130, 445, 200), (210, 10, 270, 60), (180, 190, 230, 230)]  # fmt: skip


def main() -> None:
    """Paint over the rims of cup and saucer, and fill with and without rotation."""
    coffee = np.ascontiguousarray(data.coffee()[:400, 44:556])
    painted = np.zeros(coffee.shape[:2], np.uint8)
    for x0, y0, x1, y1 in STROKES:
        cv2.line(painted, (x0, y0), (x1, y1), 255, 16)
    mask = painted > 0

    plain = synth.fill(coffee, mask)
    turned = synth.fill(coffee, mask, rotate=(-20, 20))

    marked = np.where(mask[..., np.newaxis], np.array([255, 0, 90], np.uint8), coffee)
    save("08_rotated_copies.png", np.hstack([marked, plain, turned]), overwrite=True)
    errors = [np.abs(filled[mask].astype(int) - coffee[mask]).mean() for filled in (plain, turned)]
    print(f"08_rotated_copies.png: mean error {errors[0]:.1f}, with rotation {errors[1]:.1f}")


if __name__ == "__main__":
    main()
