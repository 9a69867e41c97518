"""Comparing what was synthesised with what was really there."""

from __future__ import annotations

from synth.compare.metrics import (
    TextureReport,
    psnr,
    seam_ratio,
    sharpness_ratio,
    sliced_wasserstein,
    ssim,
    texture_report,
)

__all__ = [
    "TextureReport",
    "psnr",
    "seam_ratio",
    "sharpness_ratio",
    "sliced_wasserstein",
    "ssim",
    "texture_report",
]
