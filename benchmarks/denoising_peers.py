"""One adapter a denoiser, synth's own among them; each imports its library when it is called.

They take ``image``, (H, W) or (H, W, 3) uint8, and ``sigma``, the deviation of the noise in its
values, and give the image without noise, uint8.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Method

__all__ = ["denoising_methods"]

Image = NDArray[np.uint8]

_WAVELETS = ("scikit-image", "PyWavelets", "numpy")
_BM3D = ("bm3d", "numpy")


def denoising_methods(prior: Path) -> list[Method]:
    """List everything that denoises, synth first; ``prior`` is a fitted `synth.PatchPrior`."""
    here = "benchmarks.denoising_peers:"
    skimage = ("scikit-image",)
    return [
        *(
            Method(
                f"synth-stride-{stride}",
                f"{here}patch_prior",
                {"prior": str(prior), "stride": stride},
                distributions=("numba",),
                compiles=True,
                note=f"`PatchPrior` of other photographs, every {stride}. patch each way",
            )
            for stride in (1, 2, 4)
        ),
        Method(
            "synth-own",
            f"{here}own_prior",
            distributions=("numba",),
            compiles=True,
            note="`PatchPrior(32, samples=30 000)` of the noisy picture itself; its fit is timed",
        ),
        Method(
            "skimage-nlm",
            f"{here}non_local_means",
            {"fast": False},
            distributions=skimage,
            note="5×5 patches, 6 pixels around, h = 0.8 σ and σ given, as in its gallery",
        ),
        Method(
            "skimage-nlm-fast",
            f"{here}non_local_means",
            {"fast": True},
            distributions=skimage,
            note="the same with fast_mode and h = 0.6 σ, as there",
        ),
        Method(
            "skimage-tv",
            f"{here}total_variation",
            distributions=skimage,
            note="Chambolle, weight 0.08, the best of 0.05 … 0.15 on these pictures",
        ),
        Method(
            "skimage-wavelet",
            f"{here}wavelet",
            requirements=_WAVELETS,
            distributions=("scikit-image", "PyWavelets"),
            note="BayesShrink, soft, in YCbCr if colour, σ given",
        ),
        Method(
            "opencv-nlm",
            f"{here}opencv",
            distributions=("opencv-python",),
            note="h = 25 (grey) or 20 (colour), the best of 15, 20, 25, 30 on these pictures",
        ),
        Method(
            "bm3d",
            f"{here}bm3d",
            requirements=_BM3D,
            distributions=("bm3d",),
            note="its authors' program, for non-commercial use only",
        ),
    ]


def patch_prior(
    image: Image, sigma: NDArray[np.float64], *, seed: int, prior: str, stride: int
) -> Image:
    """`synth.PatchPrior.denoise` with a prior that is read from a file."""
    import synth

    return np.asarray(synth.PatchPrior.load(prior).denoise(image, float(sigma), stride=stride))


def own_prior(image: Image, sigma: NDArray[np.float64], *, seed: int) -> Image:
    """`synth.PatchPrior`, fitted on the noisy picture first."""
    import synth

    model = synth.PatchPrior(32, samples=30_000, max_iter=20, seed=seed)
    return np.asarray(model.fit(image, sigma=float(sigma)).denoise(image, float(sigma)))


def non_local_means(image: Image, sigma: NDArray[np.float64], *, seed: int, fast: bool) -> Image:
    """`skimage.restoration.denoise_nl_means`."""
    from skimage.restoration import denoise_nl_means

    size = float(sigma) / 255
    clean = denoise_nl_means(  # type: ignore[no-untyped-call]
        image / 255,
        patch_size=5,
        patch_distance=6,
        h=(0.6 if fast else 0.8) * size,
        sigma=size,
        fast_mode=fast,
        channel_axis=_axis(image),
    )
    return _to_bytes(clean)


def total_variation(image: Image, sigma: NDArray[np.float64], *, seed: int) -> Image:
    """`skimage.restoration.denoise_tv_chambolle`."""
    from skimage.restoration import denoise_tv_chambolle

    return _to_bytes(denoise_tv_chambolle(image / 255, weight=0.08, channel_axis=_axis(image)))  # type: ignore[no-untyped-call]


def wavelet(image: Image, sigma: NDArray[np.float64], *, seed: int) -> Image:
    """`skimage.restoration.denoise_wavelet`, which needs PyWavelets."""
    from skimage.restoration import denoise_wavelet

    clean = denoise_wavelet(  # type: ignore[no-untyped-call]
        image / 255,
        sigma=float(sigma) / 255,
        convert2ycbcr=image.ndim == 3,
        rescale_sigma=True,
        channel_axis=_axis(image),
    )
    return _to_bytes(clean)


def opencv(image: Image, sigma: NDArray[np.float64], *, seed: int) -> Image:
    """`cv2.fastNlMeansDenoising`, or its version for colours."""
    import cv2

    if image.ndim == 2:
        return np.asarray(cv2.fastNlMeansDenoising(image, None, 25))
    return np.asarray(cv2.fastNlMeansDenoisingColored(image, None, 20, 20))


def bm3d(image: Image, sigma: NDArray[np.float64], *, seed: int) -> Image:
    """`bm3d.bm3d` or `bm3d.bm3d_rgb` of its authors."""
    import bm3d as package  # type: ignore[import-not-found]

    run: Any = package.bm3d if image.ndim == 2 else package.bm3d_rgb
    return _to_bytes(run(image / 255, sigma_psd=float(sigma) / 255))


def _axis(image: Image) -> int | None:
    return None if image.ndim == 2 else -1


def _to_bytes(clean: NDArray[Any]) -> Image:
    return np.asarray(np.clip(np.rint(clean * 255), 0, 255), np.uint8)
