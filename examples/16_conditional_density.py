"""What y may be where x is known: all of its answers, not their mean.

Writes 16_conditional_density.png: rows, p(y | x) of a kernel density and of a mixture, each column
a density of its own, and draws from both. Red is the mean: of two answers it is neither.
"""

from typing import Any

import numpy as np
from PIL import Image

import synth


def main() -> None:
    """Fit two joint densities to a fork in the road, and cut them at each x."""
    rng = np.random.default_rng(0)
    x, side = rng.uniform(0, 1, 1500), 240
    apart = 0.9 / (1 + np.exp(-18 * (x - 0.45))) * rng.choice([-1, 1], len(x))
    rows = np.column_stack([x, apart + 0.25 * np.sin(9 * x) + rng.normal(0, 0.06, len(x))])
    kernels: Any = synth.KernelDensity([0.02, 0.04], kernel="epanechnikov")
    levels = np.linspace(1.4, -1.4, side)
    dots, drawn = np.full((2, side, side, 3), 255, np.uint8)
    dots[np.abs(levels[:, np.newaxis] - rows[:, 1]).argmin(axis=0), (x * side).astype(int)] = 0
    panels = [dots]
    for model in (kernels.fit(rows), synth.GaussianMixture(16, seed=1).fit(rows)):
        panel = np.empty((side, side, 3), np.uint8)
        for column in range(side):
            answer = model.given({0: (column + 0.5) / side})
            heights = np.exp(answer.log_prob(levels))
            panel[:, column] = (255 - 255 * heights / heights.max())[:, np.newaxis]
            panel[np.abs(levels - answer.mean()).argmin() + np.arange(-1, 2), column] = 255, 0, 0
            near = np.abs(levels - answer.sample(12, seed=column)) < 1.4 / side
            drawn[near.any(axis=0), column] = 0
        panels.append(panel)
    Image.fromarray(np.hstack([*panels, drawn])).save("16_conditional_density.png")
    print("16_conditional_density.png: where the road forks the mean goes between the two")


main()
