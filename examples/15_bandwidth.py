"""Too smooth, right, too rough: the likelihood of new rows against the bandwidth and K.

Writes 15_bandwidth.png: two moons under kernel densities (above) and mixtures (below), too smooth,
best and too rough; and how likely the rows of the fit (blue) and new ones (red) are.
"""

from typing import Any

import numpy as np
from PIL import Image, ImageDraw

import synth


def main() -> None:
    """Fit rows of two half circles more and more closely, and ask for other rows."""
    rng = np.random.default_rng(0)
    t, side = rng.uniform(0, np.pi, 4200), rng.choice([-1, 1], 4200)
    rows = np.column_stack([side * np.cos(t) - side / 2, side * np.sin(t) - side / 4])
    x, new = np.split(rows + rng.normal(0, 0.15, rows.shape), [200])
    grid = np.stack(np.meshgrid(np.linspace(-2.2, 2.2, 240), np.linspace(1.5, -1.5, 164)), axis=-1)
    picture = Image.new("RGB", (4 * 248, 2 * 172), "white")
    kernels: list[Any] = [synth.KernelDensity(h) for h in np.geomspace(1, 0.02, 30)]
    mixtures: list[Any] = [synth.GaussianMixture(k, ridge=1e-3) for k in range(1, 42, 2)]
    for row, models in enumerate((kernels, mixtures)):
        scores = np.array([(model.fit(x).score(x), model.score(new)) for model in models])
        best = scores[:, 1].argmax()
        for column, model in enumerate((models[0], models[best], models[-1])):
            heights = np.exp(model.log_prob(grid.reshape(-1, 2))).reshape(grid.shape[:2])
            shade = np.rint(255 - 255 * (heights / heights.max()) ** 0.5).astype(np.uint8)
            picture.paste(Image.fromarray(shade), (248 * column, 172 * row))
        for curve, colour in zip(scores.T, ("blue", "red"), strict=True):
            up = 172 * row + 80 - 60 * np.clip(curve - scores[best, 1], -1.4, 1.3)
            line = np.stack([np.linspace(750, 984, len(up)), up], axis=1).ravel().tolist()
            ImageDraw.Draw(picture).line(line, colour, 2)
    picture.save("15_bandwidth.png")
    print("15_bandwidth.png: new rows are likeliest between too smooth and too rough")


main()
