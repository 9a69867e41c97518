"""Draw the letters of a new style of which only some were seen (Freeman & Tenenbaum).

Writes 21_bilinear_styles.png: three of the 20 known styles, the letters seen of a new one, all
letters in it by a bilinear model, and how they really look.
"""

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import distance_transform_edt as distances

import synth
from synth.files import save

LETTERS, SIDE = "ABCDEFGHKLMNPRSTUXYZ", 40


def draw(letter: str, slant: float, weight: float) -> np.ndarray:
    """Return a letter as distances to its outline in pixels, positive inside."""
    large = Image.new("L", (4 * SIDE, 4 * SIDE))
    font = ImageFont.load_default(size=3 * SIDE)
    ImageDraw.Draw(large).text((2 * SIDE, 2 * SIDE), letter, 255, font, "mm")
    shear = (1, slant, -2 * SIDE * slant, 0, 1, 0)
    ink = np.asarray(large.transform(large.size, Image.Transform.AFFINE, shear)) > 127
    return np.asarray((distances(ink) - distances(~ink)) / 4 + weight)[::4, ::4].ravel()


if __name__ == "__main__":
    styles = [(s, w) for s in (-0.3, -0.15, 0, 0.15, 0.3) for w in (-0.8, 0, 0.8, 1.6)]
    table = np.array([[draw(c, *style) for c in LETTERS] for style in styles])
    truth = np.array([draw(c, 0.22, 1.2) for c in LETTERS])
    seen = np.where(np.arange(len(LETTERS))[:, None] % 2, np.nan, truth)
    found = synth.BilinearModel(18, style_factors=6).fit(table).extrapolate(seen)

    rows = [table[0], table[9], table[19], np.nan_to_num(seen, nan=-9), found, truth]
    ink = np.vstack([np.hstack(row.reshape(-1, SIDE, SIDE)) for row in rows])
    picture = (255 * np.clip(0.5 - ink, 0, 1)).astype(np.uint8)
    save("21_bilinear_styles.png", picture, overwrite=True)
    error = np.abs(found - truth)[1::2][np.abs(truth[1::2]) < 2].mean()
    print(f"wrote 21_bilinear_styles.png; unseen outlines are off by {error:.2f} pixels")
