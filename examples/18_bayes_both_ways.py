"""Bayes' rule both ways: generators classify, and a classifier generates, once it has a prior.

Writes 18_bayes_both_ways.png: two classes, p(upper | x) by their densities, and what that
classifier draws for "upper" with two priors: the data, and anything at all.
"""

import numpy as np
from numpy.typing import NDArray

import synth
from synth.files import save

SIDE = 220


def scatter(points: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Plot points of −2 … 3 by −2 … 2.5."""
    picture = np.full((SIDE, SIDE), 255, np.uint8)
    places = (points - (-2, 2.5)) / (5, -4.5) * SIDE
    column, row = places[((places >= 0) & (places < SIDE)).all(axis=1)].astype(int).T
    picture[row, column] = 0
    return picture


rng = np.random.default_rng(0)
turn = rng.uniform(0, np.pi, (2, 800))
moons = np.stack([np.cos(turn), np.sin(turn)], axis=2) + rng.normal(0, 0.1, (2, 800, 2))
moons[1] = (1, 0.5) - moons[1]
data = moons.reshape(-1, 2)
model = synth.BayesClassifier().fit(data, np.repeat([1, 0], 800), density=synth.KernelDensity())
across, up = np.meshgrid(np.linspace(-2, 3, SIDE), np.linspace(2.5, -2, SIDE))
upper = model.predict_proba(np.stack([across.ravel(), up.ravel()], 1))[:, 1]
panels = [scatter(data), (255 * upper).reshape(SIDE, SIDE).astype(np.uint8)]
anything = synth.Empirical().fit(rng.uniform(-2, 2.5, (20_000, 2)))
for prior in (synth.KernelDensity().fit(data), anything):
    panels.append(scatter(synth.PosteriorSampler(prior, model).sample(800, label=1).rows))
save("18_bayes_both_ways.png", np.hstack([np.pad(one, 3) for one in panels]), overwrite=True)
print("18_bayes_both_ways.png: data, p(upper | x), its samples by two priors")
