"""The image chooses: how to fill a hole, from how well fake holes beside it are filled.

What suits a hole, small patches or large ones, a shallow pyramid or a deep one, a plane or none,
is no matter of taste: the same shape is cut where the picture is known, filled in each way, and
compared with what was there. It is model selection by leaving out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.errors import InputError
from synth.patchmatch.details import FillCandidate, FillChoice
from synth.patchmatch.em import Effort
from synth.patchmatch.fakes import fake_holes
from synth.patchmatch.judge import loss
from synth.patchmatch.planar import fill_part, planes_of
from synth.patchmatch.pyramid import allowed_patches, depth, is_wide
from synth.patchmatch.regions import Window, holes_within
from synth.patchmatch.request import PlanePart, Request
from synth.patchmatch.window import usable_pixels, with_sources

__all__ = ["choose", "decide", "depth_offset"]

#: A trial's effort: enough to tell the candidates apart.
_TRIAL = Effort(coarse_rounds=6, fine_rounds=2, sweeps=1, peel_samples=12)
#: Sizes of the fake holes beside the real one. Smaller ones say nothing about it: what suits half
#: a hole is not what suits a whole one.
_SCALES = (1.0, 0.71)
_FAKES = 1
#: (pixels of patch more, levels of the pyramid more), beside what was asked for.
_RIVALS_OF_WIDE: tuple[tuple[int, int], ...] = ((2, 0), (4, 0))
_RIVALS_OF_THIN: tuple[tuple[int, int], ...] = ((4, 0),)
_RIVALS_ON_A_PLANE: tuple[tuple[int, int], ...] = ((2, 0),)
#: A rival must be better by so much on average …
_CLEARLY = 0.5
#: … and by so much to do without a plane, which was clear in the picture as a whole: one fake hole
#: far from the real one, where bricks are smaller, says little against that.
_WITHOUT_PLANE = 3.0

_LARGEST_PATCH = 31


@dataclass(frozen=True)
class _Way:
    patch: int
    depth: int
    plane: bool


def choose(
    request: Request,
    parts: list[Window],
    clock: Callable[[str], AbstractContextManager[None]],
    tick: Callable[[str, float], None],
) -> tuple[Request, FillChoice]:
    """Choose how to fill; return the request for it and how it was found.

    One choice for all the windows in ``parts``, made for the one with the most to fill.
    """
    with clock("choose"):
        part = max(parts, key=lambda window: int(np.count_nonzero(request.hole[window])))
        view = with_sources(request, part)
        trial = _Trial(request, part, view)
        if trial.meeting:
            asked = FillCandidate(request.patch, 0, True, ())
            told = "the hole lies on several planes, and fake holes would on one"
            return request, FillChoice((asked,), 0, told, np.zeros_like(request.hole))
        if len(parts) == 1:  # so that the plane is not looked for once more
            request = replace(request, planes=trial.plane)
        ways = trial.ways()
        whole = np.zeros_like(request.hole)
        if not trial.fakes or len(ways) < 2:
            asked = _candidate(ways[0], ())
            return request, FillChoice((asked,), 0, "there is no room for fake holes", whole)
        whole[view] = np.logical_or.reduce(trial.fakes)
        tried: list[tuple[_Way, tuple[float, ...]]] = []
        for number, way in enumerate(ways):
            if _hopeless(way, tried):
                continue
            tick(f"trial {number + 1} of {len(ways)}", number / len(ways))
            losses = trial.losses(way)
            if losses is not None:
                tried.append((way, losses))
    candidates = tuple(_candidate(*one) for one in tried)
    number, reason = decide(candidates)
    return _way_of(request, tried[number][0]), FillChoice(candidates, number, reason, whole)


def _hopeless(way: _Way, tried: Sequence[tuple[_Way, tuple[float, ...]]]) -> bool:
    """Whether smaller patches than ``way``'s already were too large.

    The largest patches cost as much as all other trials together, and where half the step does no
    good the whole one hardly ever does.
    """
    if not tried:
        return False
    (asked, given), *rivals = tried
    return any(
        asked.patch < rival.patch < way.patch
        and rival.plane == way.plane
        and _candidate(rival, losses).loss >= _candidate(asked, given).loss
        for rival, losses in rivals
    )


def _way_of(request: Request, way: _Way) -> Request:
    planes = request.planes if way.plane else None
    return replace(request, patch=way.patch, depth_offset=way.depth, planes=planes)


def _candidate(way: _Way, losses: tuple[float, ...]) -> FillCandidate:
    return FillCandidate(way.patch, way.depth, way.plane, losses)


def depth_offset(hole: NDArray[np.bool_], usual: int, patch: int, deeper: int) -> int:
    """Keep what is halved with patches of side ``usual`` from being peeled at full size.

    It would take three times as long, and thin holes gain nothing by it.
    """
    natural = depth(hole, patch)
    return max(natural + deeper, min(depth(hole, usual), 1)) - natural


def decide(candidates: Sequence[FillCandidate]) -> tuple[int, str]:
    """Take the one with the least loss on average, the one that was asked for in doubt."""
    asked, *_ = candidates

    def gain(number: int) -> float:
        return asked.loss - candidates[number].loss

    def clear(number: int) -> bool:
        alike = candidates[number].plane == asked.plane
        return gain(number) > (_CLEARLY if alike else _WITHOUT_PLANE)

    better = [number for number in range(1, len(candidates)) if clear(number)]
    if not better:
        return 0, "no rival fills the fake holes clearly better"
    best = max(better, key=lambda number: (gain(number), -number))
    return best, f"it fills the fake holes better, by {gain(best):.1f} dB"


class _Trial:
    """Fake holes in a window, and what is needed to fill them.

    Attributes
    ----------
    fakes : list of (rows, columns) bool
        In the window; empty where there is no room for any.
    hole : (rows, columns) bool
        The part of the real hole that the choice is made for.
    plane : tuple of PlanePart, or None
        The plane of the whole picture, where one is to be used.
    meeting : bool
        Whether there are several, each with its region; then nothing else is set.
    """

    def __init__(self, request: Request, part: Window, view: Window) -> None:
        self.whole = request
        planes = _planes(request, part, view)
        self.meeting = any(plane.region is not None for plane in planes)
        self.plane = planes or None
        if self.meeting:
            return
        unknown = request.hole[view]
        self.hole = holes_within(request.hole, part, view)
        usable = usable_pixels(request, view)
        self.truth = _without_holes(request.image[view], unknown)
        self.fakes = self._cut(usable)
        if not self.fakes:
            return
        every = np.logical_or.reduce(self.fakes)
        known = self.truth[usable]
        colours = known[..., :3] if known.ndim == 2 and known.shape[1] == 4 else known
        self.span = (float(colours.min()), float(colours.max()))
        corner = np.array([[1, 0, view[1].start], [0, 1, view[0].start], [0, 0, 1.0]])
        self.request = replace(
            request,
            image=self.truth,
            hole=every,
            source=usable & ~every,
            guide=None if request.guide is None else request.guide[view],
            effort=_TRIAL,
            planes=None if self.plane is None else _moved(self.plane, corner),
        )

    def _cut(self, usable: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
        largest = self.whole.patch + max(more for more, _ in _RIVALS_OF_WIDE)
        shape = self.hole
        if not is_wide(shape, self.whole.patch):
            shape = _half(shape)
        for scale in _SCALES:
            fakes = fake_holes(shape, usable, scale, self.whole.patch, _FAKES)
            if fakes:
                self.same = scale == 1.0
                left = usable & ~np.logical_or.reduce(fakes)
                enough = max(256, int(np.count_nonzero(fakes[0])))
                if np.count_nonzero(allowed_patches(left, largest)) >= enough:
                    return fakes
        return []

    def ways(self) -> list[_Way]:
        """What was asked for, then its rivals, those apart that would do the same."""
        asked = _Way(self.whole.patch, 0, self.plane is not None)
        if asked.plane:
            rivals = _RIVALS_ON_A_PLANE
        else:
            wide = is_wide(self.hole, asked.patch)
            rivals = _RIVALS_OF_WIDE if wide else _RIVALS_OF_THIN
        most = min(_LARGEST_PATCH, *self.whole.image.shape[:2])
        ways = [asked]
        for more, deeper in rivals:
            patch = min(asked.patch + more, most)
            offset = depth_offset(self.hole, asked.patch, patch, deeper)
            ways.append(_Way(patch, offset, asked.plane))
        if asked.plane:
            ways.append(replace(asked, plane=False))
        return list(dict.fromkeys(ways))

    def losses(self, way: _Way) -> tuple[float, ...] | None:
        """Fill the fake holes in one way and compare each with what was there.

        None where that many channels cannot be compared by patches of that size.
        """
        filled = self.truth.copy()
        everything = tuple(slice(0, side) for side in self.request.hole.shape)
        # the fakes are cut a little, or smaller: the same levels as in the real hole count
        request = _way_of(self.request, replace(way, depth=way.depth + self._shift(way.patch)))
        try:
            fill_part(request, everything, 0, filled, _untimed, _untold)  # type: ignore[arg-type]
        except InputError:
            if way.patch == self.whole.patch:
                raise
            return None
        return tuple(loss(filled, self.truth, fake, self.span) for fake in self.fakes)

    def _shift(self, patch: int) -> int:
        """Levels more that a fake hole needs, to have as many as the real one."""
        return depth(self.hole, patch) - depth(self.request.hole, patch) if self.same else 0


def _planes(request: Request, part: Window, view: Window) -> tuple[PlanePart, ...]:
    if request.planes is None:
        return ()
    back = np.array([[1, 0, -view[1].start], [0, 1, -view[0].start], [0, 0, 1.0]])
    return _moved(planes_of(request, part, view), back)


def _moved(planes: tuple[PlanePart, ...], shift: NDArray[np.float64]) -> tuple[PlanePart, ...]:
    """The same planes from a moved picture's (x, y, 1)."""
    return tuple(replace(plane, homography=plane.homography @ shift) for plane in planes)


def _without_holes(image: NDArray[Any], unknown: NDArray[np.bool_]) -> NDArray[Any]:
    """Continue what is known into the real holes: the trials look across them, but copy nothing.

    Each pixel takes the nearest known one's value.
    """
    from scipy import ndimage

    if not unknown.any():
        return image.copy()
    places = ndimage.distance_transform_edt(unknown, return_distances=False, return_indices=True)
    return np.ascontiguousarray(image[places[0], places[1]])


def _half(hole: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep one end, with half of the pixels: of what is thin, a part says what the whole does."""
    y, x = np.nonzero(hole)
    lengthwise = y if np.ptp(y) >= np.ptp(x) else x
    kept = lengthwise <= np.median(lengthwise)
    half = np.zeros_like(hole)
    half[y[kept], x[kept]] = True
    return half


def _untold(stage: str, fraction: float) -> None:
    """A trial tells nothing of its own."""


class _Untimed(AbstractContextManager[None]):
    def __exit__(self, *error: object) -> None:
        return None


def _untimed(stage: str) -> AbstractContextManager[None]:
    """A trial's seconds count as one stage."""
    return _Untimed()
