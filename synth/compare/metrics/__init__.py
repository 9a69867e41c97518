"""Measures of what was synthesised, each defined once.

Of a filled hole, beside the truth: `psnr`, `ssim`, `sharpness_ratio`, `seam_ratio`,
`sliced_wasserstein`. Of a texture, beside its exemplar: `texture_report` and what it is made of.
None of them is enough alone. Distances between distributions reward copying, which only `copying`
sees; a copy has no garbage either. And every number means something only beside that of another
real crop of the same texture: ``texture_report(..., relative_to=crop)``.
"""

from __future__ import annotations

from synth.compare.metrics.garbage import Coverage, coverage, coverage_of_fields
from synth.compare.metrics.hole import psnr, seam_ratio, sharpness_ratio, ssim
from synth.compare.metrics.regions import Copying, copying, copying_of_field, copying_of_map
from synth.compare.metrics.report import TextureReport, texture_report
from synth.compare.metrics.sliced import sliced_wasserstein, sliced_wasserstein_levels
from synth.compare.metrics.spectrum import (
    periodic_component,
    power_spectrum_distance,
    radial_spectrum,
)
from synth.compare.metrics.steerable import (
    SteerableStatistics,
    steerable_distance,
    steerable_pyramid,
    steerable_statistics,
)

__all__ = [
    "Copying",
    "Coverage",
    "SteerableStatistics",
    "TextureReport",
    "copying",
    "copying_of_field",
    "copying_of_map",
    "coverage",
    "coverage_of_fields",
    "periodic_component",
    "power_spectrum_distance",
    "psnr",
    "radial_spectrum",
    "seam_ratio",
    "sharpness_ratio",
    "sliced_wasserstein",
    "sliced_wasserstein_levels",
    "ssim",
    "steerable_distance",
    "steerable_pyramid",
    "steerable_statistics",
    "texture_report",
]
