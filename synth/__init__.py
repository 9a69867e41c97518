"""Classical, non-parametric synthesis: every model is p(x | y), looked up instead of learned.

The public names load on first use, so that ``import synth`` is instant and compiles nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from synth._version import __version__

if TYPE_CHECKING:
    from synth.bayes.classifier import BayesClassifier
    from synth.bayes.conditional import ConditionalDensity, crps
    from synth.bayes.posterior import PosteriorSample, PosteriorSampler
    from synth.density.bilinear import BilinearModel, Translation
    from synth.density.copula import Copula
    from synth.density.empirical import Empirical
    from synth.density.gaussian_mixture import GaussianMixture
    from synth.density.kernel_density import KernelDensity
    from synth.density.patch_prior import PatchPrior
    from synth.density.select import select_mixture
    from synth.editing.move import move
    from synth.editing.reshuffle import reshuffle
    from synth.editing.retarget import retarget
    from synth.patchmatch.details import FillCandidate, FillChoice, FillDetails
    from synth.patchmatch.fill import extend, fill, fill_details
    from synth.patchmatch.nnf import NearestNeighborField, nnf
    from synth.planes.find import Plane, Planes, find_planes
    from synth.texture.autoregressive import sample_symbols, score_symbols
    from synth.texture.conditional import Conditional
    from synth.texture.details import Synthesis
    from synth.texture.efros_leung import EfrosLeung
    from synth.texture.orders import DependencyGraph
    from synth.texture.sample import Sample
    from synth.texture.synthesize import synthesize, synthesize_details

#: public name -> the module that holds it
_HOMES = {
    "BayesClassifier": "synth.bayes.classifier",
    "BilinearModel": "synth.density.bilinear",
    "Conditional": "synth.texture.conditional",
    "ConditionalDensity": "synth.bayes.conditional",
    "Copula": "synth.density.copula",
    "DependencyGraph": "synth.texture.orders",
    "EfrosLeung": "synth.texture.efros_leung",
    "Empirical": "synth.density.empirical",
    "GaussianMixture": "synth.density.gaussian_mixture",
    "KernelDensity": "synth.density.kernel_density",
    "PatchPrior": "synth.density.patch_prior",
    "PosteriorSample": "synth.bayes.posterior",
    "PosteriorSampler": "synth.bayes.posterior",
    "Synthesis": "synth.texture.details",
    "Sample": "synth.texture.sample",
    "Translation": "synth.density.bilinear",
    "crps": "synth.bayes.conditional",
    "FillCandidate": "synth.patchmatch.details",
    "FillChoice": "synth.patchmatch.details",
    "FillDetails": "synth.patchmatch.details",
    "NearestNeighborField": "synth.patchmatch.nnf",
    "Plane": "synth.planes.find",
    "Planes": "synth.planes.find",
    "extend": "synth.patchmatch.fill",
    "fill": "synth.patchmatch.fill",
    "fill_details": "synth.patchmatch.fill",
    "find_planes": "synth.planes.find",
    "move": "synth.editing.move",
    "nnf": "synth.patchmatch.nnf",
    "reshuffle": "synth.editing.reshuffle",
    "retarget": "synth.editing.retarget",
    "sample_symbols": "synth.texture.autoregressive",
    "score_symbols": "synth.texture.autoregressive",
    "select_mixture": "synth.density.select",
    "synthesize": "synth.texture.synthesize",
    "synthesize_details": "synth.texture.synthesize",
}

__all__ = [
    "BayesClassifier",
    "BilinearModel",
    "Conditional",
    "ConditionalDensity",
    "Copula",
    "DependencyGraph",
    "EfrosLeung",
    "Empirical",
    "FillCandidate",
    "FillChoice",
    "FillDetails",
    "GaussianMixture",
    "KernelDensity",
    "NearestNeighborField",
    "PatchPrior",
    "Plane",
    "Planes",
    "PosteriorSample",
    "PosteriorSampler",
    "Sample",
    "Synthesis",
    "Translation",
    "__version__",
    "crps",
    "extend",
    "fill",
    "fill_details",
    "find_planes",
    "move",
    "nnf",
    "reshuffle",
    "retarget",
    "sample_symbols",
    "score_symbols",
    "select_mixture",
    "synthesize",
    "synthesize_details",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'synth' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
