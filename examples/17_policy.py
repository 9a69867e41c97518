"""Two ways round an obstacle: p(action | observation) has two answers, and their mean crashes.

Writes 17_policy.png: demonstrations that pass left or right; what regression makes of them; and
actions drawn from the conditional density, each of which goes round.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import synth
from synth.files import save


def draw(steer: NDArray[Any], starts: NDArray[Any]) -> NDArray[np.uint8]:
    """Draw paths that start below, steer halfway up, and pass a disc or not."""
    y, x = np.mgrid[0:200, 0:160]
    picture = np.where((x - 80) ** 2 + (y - 90) ** 2 < 26**2, 150, 255).astype(np.uint8)
    for start, turn in zip(starts, steer, strict=True):
        rise = np.linspace(0, 1, 400)
        across = 80 + 20 * start + 45 * turn * np.sin(np.pi * rise)
        rows, columns = 199 - (rise * 199).astype(int), np.clip(across, 0, 159).astype(int)
        picture[rows, columns] = 0
    return np.pad(picture, 4)


rng = np.random.default_rng(0)
start = rng.uniform(-1, 1, 300)
side = np.where(rng.random(300) < 0.5 + 0.4 * start, 1, -1)
action = side * rng.normal(1, 0.05, 300)
policy = synth.ConditionalDensity(synth.KernelDensity("loo")).fit(start, action)

new = rng.uniform(-0.3, 0.3, 30)
mean, drawn = policy.mean(new[:, None])[:, 0], policy.sample(new[:, None], 1)[:, 0, 0]
for name, answer in (("mean", mean), ("samples", drawn)):
    print(f"{name}: {np.mean(np.abs(20 * new + 45 * answer) < 26):.0%} crash")
parts = [draw(action[:60], start[:60]), draw(mean, new), draw(drawn, new)]
save("17_policy.png", np.hstack(parts), overwrite=True)
print("17_policy.png: demonstrations, the mean, samples")
