"""Rearranging: some things go where they are told, the rest of the picture makes room."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.devices import Device, choose_device
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
from synth.editing.move import check_offset, grown, shifted
from synth.editing.rendering import copied
from synth.errors import InputError, InputTypeError
from synth.images import check_finite, check_image, check_mask
from synth.kernels._jit import threads
from synth.patchmatch.fill import fill
from synth.patchmatch.pyramid import Level, build
from synth.patchmatch.request import Quality, check_patch
from synth.patchmatch.stage import check_costs
from synth.progress import Callback, Progress, report
from synth.randomness import key_of

__all__ = ["reshuffle"]

Move = tuple[NDArray[np.bool_], tuple[int, int]]

#: Share of the work that the first guess takes.
_GUESS = 0.2
#: Pixels round a thing that go with it: its edge is seldom sharper than that.
_RIM = 2


def reshuffle(
    image: NDArray[Any],
    moves: Sequence[tuple[NDArray[Any], tuple[int, int]]],
    *,
    locked: NDArray[Any] | None = None,
    lines: Sequence[Any] | None = None,
    patch: int = 7,
    quality: Quality = "normal",
    seed: int = 0,
    device: Device = "auto",
    callback: Callback | None = None,
) -> NDArray[Any]:
    """Put things to new places and let the rest of the picture find its own.

    Bidirectional similarity with pixels held in place (Simakov et al. 2008, section 4; Barnes et
    al. 2009, section 4.3): what lay where a thing is put is not just covered, as by `synth.move`,
    but may appear elsewhere, because all that is in the picture should be in the result.

    Parameters
    ----------
    image : (rows, columns[, channels]) uint8, uint16, float32 or float64
    moves : sequence of (mask, offset)
        For each thing a mask (rows, columns), True (white) = the thing, best with a little of its
        surroundings, and how far it goes: (rows down, columns to the right) in pixels. What
        leaves the picture is cut off; two things must not come to lie over each other.
    locked : (rows, columns), optional
        True (white) = stays where it is, bit for bit. The rest may change.
    lines : sequence of ((row, column), (row, column)), optional
        Ends, in pixels, of lines in the picture that are to stay straight (Barnes et al. 2009,
        section 4.1), drawn as for `retarget`. A line over a thing goes through the place where
        the thing goes, one over what is locked through that: from a thing that moves away from
        its line to the next that is held, the line leans. Draw no line over what only stands
        before it.
    patch, quality, seed, device, callback
        As for `synth.retarget`.

    Returns
    -------
    ndarray
        A new picture of the same shape and dtype, with what was moved and what is locked bit for
        bit; without moves, a copy.

    Raises
    ------
    InputError
        The arguments do not fit together, a mask is empty, a thing would leave the picture or lie
        over another one or over what is locked.
    InputTypeError
        An argument is of the wrong kind.
    DeviceError
        ``device`` is not there.

    Examples
    --------
    >>> import numpy as np
    >>> picture = np.full((60, 90), 200, np.uint8)
    >>> picture[20:40, 10:30] = np.arange(20) % 4 * 30
    >>> moved = reshuffle(picture, [(picture < 200, (5, 40))])
    >>> bool((moved[25:45, 50:70] == picture[20:40, 10:30]).all()), int((moved < 100).sum())
    (True, 400)
    """
    choose_device(device)
    image = check_image(image)
    patch = check_patch(patch, image.shape)
    check_finite(image)
    rounds = ROUNDS[check_quality(quality)]
    key = key_of(seed)
    things = _check_moves(moves, image.shape)
    stays = np.zeros(image.shape[:2], np.bool_)
    if locked is not None:
        stays = check_mask(locked, image.shape, name="locked")
    for thing, _ in things:
        stays = stays & ~thing
    _check_places(things, stays)
    straight = [] if lines is None else check_lines(lines, image.shape)
    if not any(any(offset) for _, offset in things):
        return image.copy()

    def guessing(progress: Progress) -> None:
        report(callback, progress.stage, _GUESS * progress.fraction)

    shape = (image.shape[0], image.shape[1])
    levels = levels_of(image, shape, patch)
    check_costs(levels[0].shape[2], patch)
    guesses = _guesses(levels, things, stays, patch, seed, guessing)
    counts = [rounds.finer] * (len(levels) - 1) + [rounds.coarsest * len(guesses)]
    whole = sum(
        2 * count * math.prod(level.shape[:2]) for count, level in zip(counts, levels, strict=True)
    )
    done = 0

    def tick(patches: int) -> None:
        nonlocal done
        report(callback, "search", _GUESS + (0.95 - _GUESS) * done / whole)
        done += patches

    def pins_at(level: int) -> Pins:
        return _pins(things, stays, straight, level)

    with threads() as bands:
        run = Run(patch, key, bands, rounds, tick)
        top = len(levels) - 1
        tried = [_laid_out(run, levels[-1], guess, pins_at(top)) for guess in guesses]
        for one in tried:
            run.improve(one, rounds.coarsest, COARSE_RADII, 2)
        best = min(tried, key=Summary.distance)
        sources = refine(run, best, levels, shape, pins_at)
    report(callback, "blend", 0.95)
    pins = pins_at(0)
    fixed = np.zeros(shape, np.bool_)
    fixed[tuple(pins.targets.T)] = True
    sources[tuple(pins.targets.T)] = pins.sources
    result = copied(image, sources, fixed)
    report(callback, "done", 1.0)
    return result


def _laid_out(
    run: Run, source: NDArray[np.uint8], guess: NDArray[np.uint8], pins: Pins
) -> Summary:
    """Begin with everything matched to its own place but for the pins."""
    own = np.moveaxis(np.indices(grid_of(source.shape, run.patch), np.int32), 0, -1)
    fields = (np.array(own, order="C"), np.array(own, order="C"))
    return run.summary(source, guess.astype(np.int16), *fields, pins)


def _guesses(
    levels: list[NDArray[np.uint8]],
    things: list[Move],
    stays: NDArray[np.bool_],
    patch: int,
    seed: int,
    callback: Callback,
) -> list[NDArray[np.uint8]]:
    """What may be where a thing has left: its surroundings, or what lay where it goes.

    Barnes et al. 2009, section 4.3, leave the choice to the person. At the coarsest level.
    """
    vacated = np.zeros(stays.shape, np.bool_)
    for thing, _ in things:
        vacated |= grown(thing, _RIM)
    vacated &= ~stays
    filled = levels[0]
    with contextlib.suppress(InputError):  # things so large that there is nothing to fill from
        filled = fill(
            filled, vacated, patch=patch, quality="draft", planes=None, seed=seed,
            callback=callback,
        )  # fmt: skip
    swapped = filled.copy()
    for thing, offset in things:
        places = np.argwhere(grown(thing, _RIM) & ~stays)
        behind = places + np.array(offset)
        inside = ((behind >= 0) & (behind < stays.shape)).all(axis=1)
        inside[inside] &= ~vacated[tuple(behind[inside].T)]
        swapped[tuple(places[inside].T)] = levels[0][tuple(behind[inside].T)]
    nothing = np.zeros(stays.shape, np.bool_)
    return [
        build(Level(guess, nothing, ~nothing), len(levels) - 1, patch)[-1].features
        for guess in (filled, swapped)
    ]


def _pins(things: list[Move], stays: NDArray[np.bool_], lines: list[Line], level: int) -> Pins:
    """Say where everything goes that is told to, at a level."""
    shape = halved(stays, level).shape
    origin = np.full((*shape, 2), -1, np.int32)
    for mask, offset in [(stays, (0, 0)), *things]:
        sources = np.argwhere(halved(mask, level)).astype(np.int32)
        targets = sources + np.rint(np.array(offset) / (1 << level)).astype(np.int32)
        inside = ((targets >= 0) & (targets < shape)).all(axis=1)
        origin[tuple(targets[inside].T)] = sources[inside]
    targets = np.argwhere(origin[..., 0] >= 0).astype(np.int32)
    free = np.ones(stays.shape, np.bool_)
    for mask, _ in things:
        free &= ~grown(mask, _RIM)
    return Pins(
        origin[tuple(targets.T)], targets, ~halved(free, level), halved_lines(lines, level)
    )


def _check_moves(moves: Any, shape: tuple[int, ...]) -> list[Move]:
    needed = "moves must be a list of pairs (mask, (rows down, columns to the right))"
    try:
        pairs = [(mask, offset) for mask, offset in moves]
    except (TypeError, ValueError):
        raise InputTypeError(
            f"{needed}, but it is {type(moves).__name__} of other things"
        ) from None
    things = []
    for number, (mask, offset) in enumerate(pairs):
        thing = check_mask(mask, shape, name=f"the mask of moves[{number}]")
        step = check_offset(offset, name=f"the offset of moves[{number}]")
        if not thing.any():
            raise InputError(f"the mask of moves[{number}] is empty; True (white) marks the thing")
        if not shifted(thing, step).any():
            raise InputError(
                f"the offset of moves[{number}] is {step}, which moves all of it out of the "
                f"picture of {shape[0]}×{shape[1]}; give fewer rows or columns"
            )
        things.append((thing, step))
    return things


def _check_places(things: list[Move], stays: NDArray[np.bool_]) -> None:
    taken = [("what is locked", stays)]
    for number, (thing, offset) in enumerate(things):
        placed = shifted(thing, offset)
        for name, other in taken:
            count = int(np.count_nonzero(placed & other))
            if count:
                raise InputError(
                    f"moves[{number}] would lie over {name} in {count} pixels; move it elsewhere, "
                    "or mark less"
                )
        taken.append((f"moves[{number}]", placed))
