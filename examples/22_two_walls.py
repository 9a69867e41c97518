"""Fill a hole where two brick walls meet, each part of it on its own wall.

Writes 22_two_walls.png: the hole, the two planes that were found, the fill that does not know of
them, and the fill on both.
"""

from __future__ import annotations

import cv2
import numpy as np
from skimage import data, draw

import synth
from synth.files import save


def seen_from(corners: list[tuple[int, int]], light: float) -> np.ndarray:
    """Put the brick wall where its four corners are seen."""
    frontal = np.array([[0, 0], [512, 0], [512, 512], [0, 512]], np.float32)
    aside = cv2.getPerspectiveTransform(frontal, np.array(corners, np.float32))
    bricks = np.rint(light * np.rot90(data.brick())).astype(np.uint8)
    return cv2.warpPerspective(bricks, aside, (512, 512))


def main() -> None:
    """Fill an ellipse over the corner of a room."""
    left = seen_from([(-150, -180), (262, -20), (262, 532), (-150, 692)], 0.75)
    right = seen_from([(262, -20), (674, -140), (674, 652), (262, 532)], 1.0)
    room = np.where(np.arange(512) < 262, left, right)[..., np.newaxis].repeat(3, axis=2)
    mask = np.zeros(room.shape[:2], bool)
    mask[draw.ellipse(256, 250, 95, 130)] = True
    planes = synth.find_planes(room, mask)
    plain, straight = synth.fill(room, mask, planes=None), synth.fill(room, mask)
    marked = np.where(mask[..., np.newaxis], np.array([255, 0, 90], np.uint8), room)
    save("22_two_walls.png", np.hstack([marked, planes.draw(), plain, straight]), overwrite=True)
    print(f"22_two_walls.png: {len(planes.planes)} planes found")


if __name__ == "__main__":
    main()
