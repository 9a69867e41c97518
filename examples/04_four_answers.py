"""Four answers to one hole, and where they disagree.

Writes 04_four_answers.png: the hole, four fills, and the spread between them.
"""

from __future__ import annotations

import numpy as np
from skimage import data

import synth
from synth.files import save


def main() -> None:
    """Draw four times from p(hole | surroundings)."""
    coins = np.repeat(data.coins()[:200, :240, np.newaxis], 3, axis=2)
    mask = np.zeros(coins.shape[:2], bool)
    mask[60:130, 70:170] = True

    details = synth.fill_details(coins, mask, samples=4)
    assert details.samples is not None
    assert details.spread is not None

    marked = np.where(mask[..., np.newaxis], np.array([255, 0, 90], np.uint8), coins)
    shade = np.minimum(details.spread * 4, 255).astype(np.uint8)
    heat = np.repeat(shade[..., np.newaxis], 3, axis=2)
    save("04_four_answers.png", np.hstack([marked, *details.samples, heat]), overwrite=True)
    print(f"04_four_answers.png: mean spread in the hole {details.spread[mask].mean():.1f} of 255")


if __name__ == "__main__":
    main()
