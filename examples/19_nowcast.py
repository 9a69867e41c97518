"""An analog nowcast: what followed on the most similar past is drawn, not averaged.

Writes 19_nowcast.png: showers now, four members of the forecast, their mean, and what came.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

import synth
from synth.files import save

STEPS, MODES = 5, 6


def showers(steps: int, seed: int) -> NDArray[np.float64]:
    """Return rain that drifts to the right and changes at random, (steps, 24 · 24)."""
    rng = np.random.default_rng(seed)
    field, frames = rng.normal(size=(24, 24)), []
    for _ in range(steps):
        field = 0.97 * np.roll(field, 1, axis=1) + 0.24 * rng.normal(size=field.shape)
        frames.append(ndimage.gaussian_filter(field, 3, mode="wrap").ravel() * 14)
    return np.array(frames)


past, now = showers(3000, 0), showers(40, 1)
modes = np.linalg.svd(past, full_matrices=False)[2][:MODES]
model = synth.ConditionalDensity(synth.KernelDensity())
model.fit(past[:-STEPS] @ modes.T, past[STEPS:] @ modes.T)
known, came = now[:-STEPS] @ modes.T, now[STEPS:] @ modes.T
ours = model.crps(known, came).mean()
same = synth.crps(known[:, None], came).mean()
climate = synth.crps(np.tile((past @ modes.T)[::20], (len(came), 1, 1)), came).mean()
print(f"CRPS: analogs {ours:.2f}, as it is now {same:.2f}, as it ever was {climate:.2f}")
members = model.sample(known[:1], 50)[0]
frames = np.vstack([known[:1], members[:4], members.mean(axis=0)[None], came[:1]]) @ modes
grey = np.clip(128 + 60 * frames, 0, 255).astype(np.uint8).reshape(-1, 24, 24)
picture = np.hstack([np.pad(np.kron(one, np.ones((5, 5), np.uint8)), 3) for one in grey])
save("19_nowcast.png", picture, overwrite=True)
print("19_nowcast.png: now, four members, their mean, what came")
