"""Rearrange a photograph: what lies in the way goes elsewhere.

Writes 07_reshuffle.png: the thing that is moved, the move that covers what was there, and the
photograph rearranged.
"""

from __future__ import annotations

import numpy as np
from skimage import data, draw

import synth
from synth.files import save

ROCKET = [(115, 290), (115, 360), (426, 395), (426, 260)]
LEFT = (0, -110)


def main() -> None:
    """Put the rocket where the left mast stands, and see where the mast goes."""
    evening = data.rocket()
    rocket = draw.polygon2mask(evening.shape[:2], ROCKET)

    moved = synth.move(evening, rocket, LEFT)
    rearranged = synth.reshuffle(evening, [(rocket, LEFT)])

    marked = np.where(rocket[..., np.newaxis], evening, evening // 3)
    save("07_reshuffle.png", np.hstack([marked, moved, rearranged]), overwrite=True)
    share = (rearranged != evening).any(axis=2).mean()
    print(f"07_reshuffle.png: {share:.0%} of the pixels changed")


if __name__ == "__main__":
    main()
