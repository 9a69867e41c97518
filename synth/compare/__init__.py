"""Comparing what was synthesised with what was really there."""

from __future__ import annotations

from synth.compare.metrics import psnr, seam_ratio, sharpness_ratio, sliced_wasserstein, ssim

__all__ = ["psnr", "seam_ratio", "sharpness_ratio", "sliced_wasserstein", "ssim"]
