"""Move an object in a photograph.

Writes 05_move.png: the object, and the photograph with the object elsewhere.
"""

from __future__ import annotations

import numpy as np
from skimage import data, draw

import synth
from synth.files import save


def main() -> None:
    """Push a cup of coffee across the table, its shadow with it."""
    table = data.coffee()
    cup = np.zeros(table.shape[:2], bool)
    cup[draw.ellipse(202, 279, 192, 206, shape=cup.shape)] = True  # cup and saucer
    cup[draw.ellipse(240, 262, 180, 205, shape=cup.shape)] = True  # and their shadow

    moved = synth.move(table, cup, (0, 105))

    assert (moved[:, 105:][cup[:, :-105]] == table[:, :-105][cup[:, :-105]]).all()
    marked = np.where(cup[..., np.newaxis], table, table // 3)
    save("05_move.png", np.hstack([marked, moved]), overwrite=True)
    print(f"05_move.png: {np.count_nonzero(cup)} pixels moved to the right, bit for bit")


if __name__ == "__main__":
    main()
