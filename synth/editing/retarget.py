"""Another size for a picture, its things kept rather than squeezed."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.devices import Device, choose_device
from synth.editing.axes import Edges, between, coarser, new_edges, offsets, places
from synth.editing.bidirectional import Pins, Summary
from synth.editing.levels import (
    COARSE_RADII,
    ROUNDS,
    Run,
    check_quality,
    grid_of,
    halved,
    levels_of,
    refine,
)
from synth.editing.lines import Line, check_lines, halved_lines
from synth.editing.rendering import copied
from synth.errors import InputError, InputTypeError
from synth.images import check_finite, check_image, check_mask
from synth.kernels._jit import threads
from synth.patchmatch.request import Quality, check_patch
from synth.patchmatch.stage import check_costs
from synth.progress import Callback, report
from synth.randomness import key_of

__all__ = ["retarget"]

#: The size changes by at most so much, as a ratio, between two rounds of search and vote.
_STEP = 0.95
#: Rows and columns give by this power of how little happens in them, when they become fewer and
#: when they become more: calm ones can be stretched as far as one likes, but where they alone were
#: squeezed, nothing would be left of them, and round things beside them would be cut …
_FEWER, _MORE = 1.0, 2.0
#: … on average over this share of the picture's side. This decides where the search begins: what
#: is calm is stretched or squeezed first, so that faces and other things start whole.
_REACH = 0.05
#: The longest side that can be asked for: more is a slip of the finger.
_LONGEST = 1 << 15


def retarget(
    image: NDArray[Any],
    shape: tuple[int, int],
    *,
    protect: NDArray[Any] | None = None,
    lines: Sequence[Any] | None = None,
    patch: int = 7,
    quality: Quality = "normal",
    seed: int = 0,
    device: Device = "auto",
    callback: Callback | None = None,
) -> NDArray[Any]:
    """Give a picture another width and height without squeezing what it shows.

    Bidirectional similarity: all patches of the result are in the picture (coherence), and those
    of the picture in the result (completeness). Simakov et al. 2008, section 3, with the gradual
    change of size of section 3.3; searched by PatchMatch (Barnes et al. 2009, section 4.2). It
    begins with a stretch that spares the rows and columns where much happens.

    Parameters
    ----------
    image : (rows, columns[, channels]) uint8, uint16, float32 or float64
    shape : (int, int)
        Rows and columns of the result, in pixels, each at least ``patch`` and at most 32768.
    protect : (rows, columns), optional
        True (white) = to be kept bit for bit. Rows and columns with something protected keep
        their size, and the others take what is left; without it, everything may give.
    lines : sequence of ((row, column), (row, column)), optional
        Ends, in pixels, of lines in the picture that are to stay straight, such as edges of
        buildings (Barnes et al. 2009, section 4.1). They may come to lie elsewhere and lean
        otherwise. Draw them within 2 pixels of what they follow, at least 8 pixels long.
    patch : int
        Side of the patches that are compared, in pixels, 3 to 31. Larger ones keep larger
        structures whole, and leave less freedom.
    quality : {"draft", "normal", "best"}
        How many rounds of search and vote: half, one and two times those of "normal".
    seed : int
        0 to 2**64 − 1. Another seed is another answer; the same seed gives the same bytes.
    device : {"auto", "cpu", "cuda"}
        Where to run.
    callback : callable, optional
        Called with `synth.progress.Progress`. Whatever it raises stops the work.

    Returns
    -------
    ndarray
        (rows, columns[, channels]) of the same dtype; for the size that the picture has, a copy
        of it. Pixels are copied, and steps between copies are smoothed.

    Raises
    ------
    InputError
        The arguments do not fit together; what is protected does not fit into ``shape``.
    InputTypeError
        An argument is of the wrong kind.
    DeviceError
        ``device`` is not there.

    Examples
    --------
    >>> import numpy as np
    >>> picture = np.full((60, 90), 200, np.uint8)
    >>> picture[20:40, 30:50] = np.arange(20) % 4 * 30
    >>> narrow = retarget(picture, (60, 60))
    >>> narrow.shape, int((narrow[30] < 100).sum())
    ((60, 60), 20)
    """
    choose_device(device)
    image = check_image(image)
    patch = check_patch(patch, image.shape)
    size = _check_shape(shape, patch)
    check_finite(image)
    rounds = ROUNDS[check_quality(quality)]
    key = key_of(seed)
    kept = np.zeros(image.shape[:2], np.bool_)
    if protect is not None:
        kept = check_mask(protect, image.shape, name="protect")
    if size == image.shape[:2]:
        return image.copy()
    straight = [] if lines is None else check_lines(lines, image.shape)
    _check_room(kept, size)

    levels = levels_of(image, size, patch)
    check_costs(levels[0].shape[2], patch)
    resize = _Resize(levels[0], kept, size, straight)
    steps = _steps(levels[-1].shape, resize.size_at(len(levels) - 1))
    whole = sum(
        count * (math.prod(level.shape[:2]) + math.prod(resize.size_at(number)))
        for number, level in enumerate(levels)
        for count in (
            [rounds.finer]
            if number < len(levels) - 1
            else [rounds.step] * (len(steps) - 1) + [rounds.coarsest]
        )
    )
    done = 0

    def tick(patches: int) -> None:
        nonlocal done
        report(callback, "search", 0.95 * done / whole)
        done += patches

    with threads() as bands:
        run = Run(patch, key, bands, rounds, tick)
        coarsest = _resized(run, levels[-1], steps, resize, len(levels) - 1)
        sources = refine(
            run, coarsest, levels, size,
            lambda level: resize.pins(level, resize.edges_at(level)),
        )  # fmt: skip
    report(callback, "blend", 0.95)
    pins = resize.pins(0, resize.edges)
    fixed = np.zeros(size, np.bool_)
    fixed[tuple(pins.targets.T)] = True
    sources[tuple(pins.targets.T)] = pins.sources
    result = copied(image, sources, fixed)
    report(callback, "done", 1.0)
    return result


class _Resize:
    """Where rows and columns go, at every level and on the way."""

    def __init__(
        self,
        features: NDArray[np.uint8],
        kept: NDArray[np.bool_],
        size: tuple[int, int],
        lines: list[Line],
    ) -> None:
        self.kept, self.size, self.lines = kept, size, lines
        self.edges = [
            new_edges(
                _along(kept, axis),
                size[axis],
                _calm(features, axis, _MORE if size[axis] > kept.shape[axis] else _FEWER),
            )
            for axis in (0, 1)
        ]

    def size_at(self, level: int) -> tuple[int, int]:
        return self.size[0] >> level, self.size[1] >> level

    def edges_at(self, level: int) -> list[Edges]:
        pairs = zip(self.edges, self.size_at(level), strict=True)
        return [coarser(edges, level, length) for edges, length in pairs]

    def pins(self, level: int, edges: list[Edges]) -> Pins:
        """Say where what is protected goes; a coarse level has no room for thin things."""
        kept = halved(self.kept, level)
        size = [round(float(edge[-1])) for edge in edges]
        sources = np.argwhere(kept).astype(np.int32)
        moves = [offsets(_along(kept, axis), edges[axis])[sources[:, axis]] for axis in (0, 1)]
        targets = sources + np.stack(moves, axis=1)
        inside = ((targets >= 0) & (targets < size)).all(axis=1)
        lines = halved_lines(self.lines, level)
        return Pins(sources[inside], targets[inside], lines=lines)


def _along(mask: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """Rows (axis 0) or columns (axis 1) with something in them."""
    return np.asarray(mask.any(axis=1 - axis), np.bool_)


def _calm(features: NDArray[np.uint8], axis: int, power: float) -> NDArray[np.float64]:
    """How much each row (or column) may give: much where little happens in it."""
    from scipy import ndimage

    wide = features.astype(np.int16)
    energy = np.zeros(features.shape[axis])
    for along in (0, 1):
        slope = np.abs(np.diff(wide, axis=along, append=np.take(wide, [-1], axis=along)))
        energy += slope.mean(axis=(1 - axis, 2))
    energy = ndimage.uniform_filter1d(energy, max(3, round(_REACH * len(energy))), mode="nearest")
    # where nothing happens anywhere all give alike
    share = energy / max(float(energy.mean()), 1e-9) + 0.1
    return np.asarray(share**-power, np.float64)


def _steps(before: tuple[int, ...], after: tuple[int, int]) -> list[tuple[int, int]]:
    """Sizes on the way, the last one included, in equal ratios."""
    ratios = [after[axis] / before[axis] for axis in (0, 1)]
    count = max(1, math.ceil(max(abs(math.log(r)) for r in ratios) / -math.log(_STEP)))
    return [
        (round(before[0] * ratios[0] ** (n / count)), round(before[1] * ratios[1] ** (n / count)))
        for n in range(1, count + 1)
    ]


def _resized(
    run: Run,
    source: NDArray[np.uint8],
    steps: list[tuple[int, int]],
    resize: _Resize,
    level: int,
) -> Summary:
    """Change the size of the coarsest level little by little, from the picture itself on."""
    source_grid = grid_of(source.shape, run.patch)
    final = resize.edges_at(level)
    before = [np.arange(side + 1, dtype=np.float64) for side in source.shape[:2]]
    content = source.astype(np.int16)
    forward = np.moveaxis(np.indices(source_grid, np.int32), 0, -1)
    backward = forward
    for number, size in enumerate(steps, 1):
        after = [between(edges, length) for edges, length in zip(final, size, strict=True)]
        grid = grid_of(size, run.patch)
        summary = run.summary(
            source,
            _stretched(content, before, after),
            _spread(forward, before, after, grid, run.patch),
            _followed(backward, before, after, grid, run.patch),
            resize.pins(level, after),
        )
        last = number == len(steps)
        run.improve(summary, run.rounds.coarsest if last else run.rounds.step, COARSE_RADII, 2)
        content, forward, backward = summary.content, summary.forward, summary.backward
        before = after
    return summary


def _stretched(
    content: NDArray[np.int16], before: list[Edges], after: list[Edges]
) -> NDArray[np.int16]:
    import cv2

    rows, columns = (places(*pair).astype(np.float32) for pair in zip(before, after, strict=True))
    across, down = np.meshgrid(columns, rows)
    planes = [
        cv2.remap(
            np.ascontiguousarray(plane), across, down, cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for plane in np.moveaxis(content, 2, 0)
    ]  # fmt: skip
    return np.stack(planes, axis=2)


def _spread(
    field: NDArray[np.int32],
    before: list[Edges],
    after: list[Edges],
    grid: tuple[int, int],
    patch: int,
) -> NDArray[np.int32]:
    """Carry a field over to a summary of another size: each patch takes that of its place."""
    half = patch // 2
    taken = []
    for axis, count in enumerate(grid):
        middle = places(before[axis], after[axis])[half : half + count]
        taken.append(np.clip(np.rint(middle - half), 0, field.shape[axis] - 1).astype(np.int64))
    return np.ascontiguousarray(field[np.ix_(*taken)])


def _followed(
    field: NDArray[np.int32],
    before: list[Edges],
    after: list[Edges],
    grid: tuple[int, int],
    patch: int,
) -> NDArray[np.int32]:
    """Let a field into a summary point to where those places are at another size."""
    middle = patch / 2
    moved = [
        np.interp(field[..., axis] + middle, before[axis], after[axis]) - middle for axis in (0, 1)
    ]
    place = np.clip(np.rint(np.stack(moved, axis=-1)), 0, np.array(grid) - 1)
    return np.ascontiguousarray(place.astype(np.int32))


def _check_shape(shape: Any, patch: int) -> tuple[int, int]:
    needed = f"shape is {shape!r}, but two whole numbers are needed: (rows, columns) in pixels"
    try:
        sides = [operator.index(side) for side in shape]
    except TypeError:
        raise InputTypeError(needed) from None
    if len(sides) != 2:
        raise InputError(needed)
    if max(sides) > _LONGEST:
        raise InputError(
            f"shape is {sides[0]}×{sides[1]}, but at most {_LONGEST} rows and columns are "
            "possible; ask for fewer"
        )
    if min(sides) < patch:
        raise InputError(
            f"shape is {sides[0]}×{sides[1]}, smaller than a patch of {patch}×{patch}; "
            "ask for more rows and columns" + (", or pass a smaller patch" if patch > 3 else "")
        )
    return sides[0], sides[1]


def _check_room(kept: NDArray[np.bool_], size: tuple[int, int]) -> None:
    for axis, what in enumerate(("rows", "columns")):
        stay = int(np.count_nonzero(_along(kept, axis)))
        free = kept.shape[axis] - stay
        if stay > size[axis] or (not free and stay != size[axis]):
            raise InputError(
                f"protect keeps {stay} of the {kept.shape[axis]} {what}, and {size[axis]} are "
                f"wanted; protect less, or ask for {'more' if stay > size[axis] else 'fewer'} "
                f"{what}"
            )
