"""All measures of a texture at once, beside those of a real crop."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.compare.metrics.checks import check_pair
from synth.compare.metrics.garbage import coverage_of_fields
from synth.compare.metrics.regions import copying_of_field, copying_of_map
from synth.compare.metrics.sliced import sliced_wasserstein_levels
from synth.compare.metrics.spectrum import power_spectrum_distance
from synth.compare.metrics.steerable import steerable_distance
from synth.errors import InputError
from synth.patchmatch.leave_one_out import leave_one_out
from synth.patchmatch.nnf import Quality, nnf
from synth.progress import Callback, report

__all__ = ["TextureReport", "texture_report"]


@dataclass(frozen=True)
class TextureReport:
    """What `texture_report` returns.

    Attributes
    ----------
    swd : float
        Mean of ``swd_levels``.
    swd_levels : tuple of float
        `sliced_wasserstein_levels`, finest first, in the unit of the pixels.
    coherence, mean_region, largest_region : float
        See `Copying`, from the exact nearest patches.
    map_coherence, map_mean_region, map_largest_region : float or None
        The same from the source map, where one was given.
    garbage, recall, threshold : float
        See `Coverage`.
    steerable : float
        `steerable_distance`.
    spectrum : float
        `power_spectrum_distance` in decibels.
    reference : TextureReport or None
        The same of the other real crop, where one was given.
    """

    swd: float
    swd_levels: tuple[float, ...]
    coherence: float
    mean_region: float
    largest_region: float
    map_coherence: float | None
    map_mean_region: float | None
    map_largest_region: float | None
    garbage: float
    recall: float
    threshold: float
    steerable: float
    spectrum: float
    reference: TextureReport | None

    @property
    def ratios(self) -> dict[str, float]:
        """Each measure over the other crop's: 1 is as good as real, whichever way is better.

        A distance below 1 with a largest region far above it is a copy. What comes from a source
        map is left out: a real crop has none.

        Raises
        ------
        InputError
            The report was made without another crop.
        """
        if self.reference is None:
            raise InputError(
                "this report has nothing to stand beside; make it with relative_to=another crop "
                "of the same texture"
            )
        return {
            name: _ratio(getattr(self, name), getattr(self.reference, name)) for name in _COMPARED
        }

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain numbers, for JSON, with ``ratios`` where there is a reference.

        JSON has no infinity: a ratio to 0 is None.
        """
        plain = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name != "reference"
        }
        plain["swd_levels"] = list(self.swd_levels)
        if self.reference is not None:
            plain["reference"] = self.reference.as_dict()
            plain["ratios"] = {
                name: ratio if math.isfinite(ratio) else None
                for name, ratio in self.ratios.items()
            }
        return plain

    def __str__(self) -> str:
        """Write a table: measure, this output, the other crop, their ratio."""
        lines = [f"{'':15}{'output':>10}"]
        if self.reference is not None:
            lines[0] += f"{'real crop':>11}{'ratio':>8}"
        for name in _COMPARED:
            line = f"{name:15}{getattr(self, name):10.4g}"
            if self.reference is not None:
                line += f"{getattr(self.reference, name):11.4g}{self.ratios[name]:8.3g}"
            lines.append(line)
        if self.map_coherence is not None:
            for name in ("map_coherence", "map_mean_region", "map_largest_region"):
                lines.append(f"{name:15}{getattr(self, name):10.4g}")
        return "\n".join(lines)


_COMPARED = (
    "swd", "coherence", "mean_region", "largest_region", "garbage", "recall", "steerable",
    "spectrum",
)  # fmt: skip


def _ratio(ours: float, real: float) -> float:
    if real == 0:
        return 1.0 if ours == 0 else math.inf
    return ours / real


def texture_report(
    output: NDArray[Any],
    exemplar: NDArray[Any],
    *,
    relative_to: NDArray[Any] | None = None,
    source: NDArray[Any] | None = None,
    patch: int = 7,
    levels: int = 3,
    directions: int = 128,
    percentile: float = 99.0,
    quality: Quality = "exact",
    seed: int = 0,
    callback: Callback | None = None,
) -> TextureReport:
    """Measure a texture beside the exemplar it was made from, and beside another real crop.

    Parameters
    ----------
    output : (H, W) or (H, W, C) array
        The texture; uint8, uint16 or floats, of the exemplar's type and channels.
    exemplar : (H, W) or (H, W, C) array
        At least 16×16, and its longer side at least ``3 * patch - 1``.
    relative_to : array, optional
        Another real crop of the same texture, one that the texture was not made from. Its own
        measures against the exemplar say what can be asked for. Take it of the output's size:
        a smaller crop is further from the exemplar by chance alone and holds less of it.
    source : (H, W, 2) or (H, W, 3) integer array, optional
        The source map, see `copying_of_map`.
    patch : int
        Side of the patches of all measures on patches, odd.
    levels, directions : int
        See `sliced_wasserstein_levels`.
    percentile : float
        See `coverage`.
    quality : str
        Of the searches, see `synth.nnf`. "exact" compares all patches of output and exemplar
        twice, those of the exemplar once, and those of another crop twice, at about 1 ns a pair
        and core; "accurate" is for outputs of a megapixel. Within the exemplar it is exact always.
    seed : int
        Of the directions, and of searches that are not exact.
    callback : callable, optional
        Called with `synth.progress.Progress` between steps; what it raises stops the work.

    Returns
    -------
    TextureReport

    Raises
    ------
    InputError, InputTypeError
        The images cannot be compared; the message says how to mend it.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> exemplar, other = rng.integers(0, 256, (2, 40, 40), np.uint8)
    >>> copy = texture_report(exemplar, exemplar, relative_to=other)
    >>> copy.swd, copy.largest_region, copy.garbage, copy.recall
    (0.0, 1.0, 0.0, 1.0)
    >>> copy.ratios["coherence"] > 3
    True
    """
    check_pair(output, exemplar, ("output", "exemplar"))
    if relative_to is not None:
        check_pair(relative_to, exemplar, ("relative_to", "exemplar"))
    if not 0 <= percentile <= 100:
        raise InputError(f"percentile is {percentile:g}, but it must lie in 0 … 100")
    from_map = None if source is None else copying_of_map(_fitting(source, output), exemplar.shape)
    images = [output] if relative_to is None else [relative_to, output]
    # what takes no time comes first, so that bad arguments are told at once
    statistics = [
        (
            sliced_wasserstein_levels(
                image, exemplar, levels=levels, patch=patch, directions=directions, seed=seed
            ),
            steerable_distance(image, exemplar),
            power_spectrum_distance(image, exemplar),
        )
        for image in images
    ]
    searches = 1 + 2 * len(images)

    def part(number: int) -> Callback | None:
        if callback is None:
            return None
        return lambda inner: report(callback, inner.stage, (number + inner.fraction) / searches)

    own = leave_one_out(exemplar, patch=patch, callback=part(0))
    channels = 1 if exemplar.ndim == 2 else exemplar.shape[2]
    made: TextureReport | None = None
    for turn, (image, (distances, steerable, spectrum)) in enumerate(
        zip(images, statistics, strict=True)
    ):
        there, back = (
            nnf(a, b, patch=patch, quality=quality, seed=seed, callback=part(number))
            for number, a, b in ((2 * turn + 1, image, exemplar), (2 * turn + 2, exemplar, image))
        )
        copied = copying_of_field(there, image, exemplar)
        covered = coverage_of_fields(there, back, own, channels=channels, percentile=percentile)
        mapped = from_map if turn == len(images) - 1 else None
        made = TextureReport(
            swd=float(np.mean(distances)),
            swd_levels=distances,
            coherence=copied.coherence,
            mean_region=copied.mean_region,
            largest_region=copied.largest_region,
            map_coherence=None if mapped is None else mapped.coherence,
            map_mean_region=None if mapped is None else mapped.mean_region,
            map_largest_region=None if mapped is None else mapped.largest_region,
            garbage=covered.garbage,
            recall=covered.recall,
            threshold=covered.threshold,
            steerable=steerable,
            spectrum=spectrum,
            reference=made,
        )
    assert made is not None
    return made


def _fitting(source: NDArray[Any], output: NDArray[Any]) -> NDArray[Any]:
    if np.shape(source)[:2] != np.shape(output)[:2]:
        sizes = ["×".join(map(str, np.shape(array)[:2])) for array in (source, output)]
        raise InputError(
            f"source is {sizes[0]} but output is {sizes[1]}; pass the map that was made with it"
        )
    return source
