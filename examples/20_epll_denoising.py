"""Take noise off a photograph with a mixture over the patches of another (EPLL).

Writes 20_epll_denoising.png: the noise, what non-local means make of it, the patch prior, the same
prior fitted on the noisy picture itself, and the photograph.
"""

from __future__ import annotations

import numpy as np
from skimage import data
from skimage.metrics import peak_signal_noise_ratio
from skimage.restoration import denoise_nl_means

import synth
from synth.files import save


def main() -> None:
    """Denoise a portrait three ways and save the picture."""
    clean = np.ascontiguousarray(data.astronaut()[20:212, 130:322])
    noise = np.random.default_rng(0).normal(0, 25, clean.shape)
    noisy = np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)

    options = {"samples": 15_000, "max_iter": 10}
    elsewhere = synth.PatchPrior(24, **options).fit(data.coffee()).denoise(noisy, 25)
    itself = synth.PatchPrior(24, **options).fit(noisy, sigma=25).denoise(noisy, 25)
    size = 25 / 255
    means = denoise_nl_means(noisy / 255, 5, 6, h=0.6 * size, sigma=size, channel_axis=-1)
    means = np.rint(means * 255).astype(np.uint8)

    pictures = [noisy, means, elsewhere, itself, clean]
    save("20_epll_denoising.png", np.hstack(pictures), overwrite=True)
    quality = ", ".join(f"{peak_signal_noise_ratio(clean, one):.1f}" for one in pictures[:4])
    print(f"wrote 20_epll_denoising.png; PSNR {quality} dB")


if __name__ == "__main__":
    main()
