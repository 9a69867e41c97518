"""Let the rows of a brick wall go on straight, in perspective.

Writes 03_brick_rows.png: the hole, the plane that was found, the fill that does not know of it,
and the fill on the plane.
"""

from __future__ import annotations

import cv2
import numpy as np
from skimage import data, draw

import synth
from synth.files import save


def main() -> None:
    """Fill an ellipse in a wall that was photographed from the side."""
    corners = np.array([[-200, -120], [712, -200], [712, 712], [-200, 630]], np.float32)
    frontal = np.array([[0, 0], [512, 0], [512, 512], [0, 512]], np.float32)
    aside = cv2.getPerspectiveTransform(frontal, corners)
    wall = cv2.warpPerspective(data.brick(), aside, (512, 512))
    wall = np.repeat(wall[..., np.newaxis], 3, axis=2)
    mask = np.zeros(wall.shape[:2], bool)
    mask[draw.ellipse(256, 256, 113, 150)] = True

    plane = synth.find_planes(wall, mask)
    plain = synth.fill(wall, mask, planes=None)
    straight = synth.fill(wall, mask)  # planes="auto"

    marked = np.where(mask[..., np.newaxis], np.array([255, 0, 90], np.uint8), wall)
    save("03_brick_rows.png", np.hstack([marked, plane.draw(), plain, straight]), overwrite=True)
    lines = ", ".join(f"{found.confidence:.0%}" for found in plane.planes)
    print(f"03_brick_rows.png: {lines} of the edges lie along the plane's two directions")


if __name__ == "__main__":
    main()
