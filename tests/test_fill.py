"""`synth.fill` and `synth.fill_details`: what holds for every picture."""

from __future__ import annotations

import os
import threading
from unittest import mock

import cv2
import naive
import numpy as np
import pytest
from conftest import noise
from hypothesis import given, settings
from hypothesis import strategies as st
from test_kernels_nnf import smooth

import synth
from synth.errors import InputError
from synth.patchmatch import window

pytestmark = pytest.mark.filterwarnings("error")

DTYPES = ["uint8", "uint16", "float32", "float64"]
CHANNELS = [None, 1, 3, 4, 5]


def box(shape, top, left, height, width=None):
    mask = np.zeros(shape[:2], bool)
    mask[top : top + height, left : left + (width or height)] = True
    return mask


def locked(array):
    array = array.copy()
    array.setflags(write=False)
    return array


def threads(count):
    return mock.patch.dict(os.environ, SYNTH_NUM_THREADS=str(count))


def uncorrected():
    """Leave the copied pixels as they are at their sources."""
    return mock.patch.object(
        window,
        "membrane",
        lambda image, hole, unknown, pixels, *_, **__: np.zeros((len(pixels), 1)),
    )


@st.composite
def cases(draw):
    """A picture, a mask of some rectangles and specks, and a size of patch."""
    rows, columns = draw(st.integers(12, 34)), draw(st.integers(12, 34))
    channels = draw(st.sampled_from(CHANNELS))
    shape = (rows, columns) if channels is None else (rows, columns, channels)
    seed = draw(st.integers(0, 999))
    image = noise(shape, draw(st.sampled_from(DTYPES)), seed)
    if channels == 4:
        image[..., 3] = abs(image[..., 3])
        image[box(shape, *draw(st.tuples(*[st.integers(0, 20)] * 2)), 5)] = 0
    mask = np.random.default_rng(seed).random(shape[:2]) < draw(st.sampled_from([0, 0, 0.005]))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, rows - 1)), draw(st.integers(0, columns - 1))
        mask |= box(shape, *place, draw(st.integers(1, 9)), draw(st.integers(1, 9)))
    return locked(image), locked(mask), draw(st.integers(3, 8)), seed


def usable(image, mask, patch):
    """Patches that may be copied, or None where the picture is smaller than a patch."""
    allowed = ~mask
    if image.ndim == 3 and image.shape[2] == 4:
        allowed = allowed & (image[..., 3] > 0)
    return allowed, (~naive.touching(~allowed, patch)).any()


@settings(max_examples=60, deadline=None)
@given(cases(), st.sampled_from(["draft", "normal"]))
def test_every_fill(case, quality):
    image, mask, patch, seed = case
    options = {"patch": patch, "quality": quality, "seed": seed}
    allowed, possible = usable(image, mask, patch)
    if not possible:
        with pytest.raises(InputError, match=f"no full {patch}×{patch} patch of known pixels"):
            synth.fill(image, mask, **options)
        return
    details = synth.fill_details(image, mask, **options)
    out = details.image
    assert (out.shape, out.dtype) == (image.shape, image.dtype)
    assert out.flags.writeable
    assert not np.shares_memory(out, image)
    assert out[~mask].tobytes() == image[~mask].tobytes()
    # every pixel of the hole once, from an allowed pixel
    assert np.array_equal(details.pixels, np.argwhere(mask))
    assert allowed[tuple(details.sources.T)].all()
    # within the range of what is known
    colours = slice(None) if image.shape[2:] != (4,) else slice(3)
    known = image[allowed][..., colours] if image.ndim == 3 else image[allowed]
    filled = out[mask][..., colours] if image.ndim == 3 else out[mask]
    assert np.isfinite(filled).all()
    assert known.min() <= filled.min()
    assert filled.max() <= known.max()
    # before the correction of seams, a copy of the source; alpha always
    with uncorrected():
        copied = synth.fill_details(image, mask, **options)
    assert np.array_equal(copied.sources, details.sources)
    assert copied.image[mask].tobytes() == image[tuple(details.sources.T)].tobytes()
    if image.shape[2:] == (4,):
        assert np.array_equal(out[mask][:, 3], image[tuple(details.sources.T)][:, 3])
        assert (out[mask][:, 3] > 0).all()


@settings(max_examples=20, deadline=None)
@given(cases(), st.sampled_from(["C", "F", "strided", "swapped"]))
def test_neither_threads_nor_layout_nor_what_is_masked_change_a_byte(case, layout):
    image, mask, patch, seed = case
    if not usable(image, mask, patch)[1]:
        return
    options = {"patch": patch, "quality": "draft", "seed": seed}
    with threads(1):
        first = synth.fill(image, mask, **options)
    other = image.copy()
    other[mask] = np.nan if image.dtype.kind == "f" else 77
    if image.dtype.kind == "f":
        other[tuple(np.argwhere(mask)[0])] = -np.inf
    if layout == "F":
        other = np.asfortranarray(other)
    elif layout == "strided":
        large = np.zeros((2 * len(other), *other.shape[1:]), other.dtype)
        large[::2] = other
        other = large[::2]
    elif layout == "swapped":
        other = other.astype(other.dtype.newbyteorder())
    with threads(2):
        again = synth.fill(locked(other), np.asfortranarray(mask), **options)
    assert again.dtype == first.dtype
    assert again.tobytes() == first.tobytes()


def test_bytes_do_not_depend_on_threads_where_there_are_many_bands():
    image = smooth((230, 240, 3), 1)
    mask = box(image.shape, 60, 70, 110)
    with threads(1), mock.patch.object(window, "solve", wraps=window.solve) as solve:
        first = synth.fill(image, mask, quality="draft")
    assert len(solve.call_args.args[0]) == 0  # the pyramid is emptied on the way
    count = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        with threads(3):
            again = synth.fill(image, mask, quality="draft")
    finally:
        cv2.setNumThreads(count)
    assert first.tobytes() == again.tobytes()


def test_another_seed_is_another_answer():
    image = noise((90, 90, 3), "uint8")
    mask = box(image.shape, 30, 30, 25)
    answers = {synth.fill(image, mask, seed=seed).tobytes() for seed in (0, 1, 2**64 - 1)}
    assert len(answers) == 3


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", CHANNELS)
def test_a_constant_stays_constant(dtype, channels):
    shape = (30, 33) if channels is None else (30, 33, channels)
    image = np.full(shape, 201.7 if dtype[0] == "f" else 201, dtype)
    assert np.array_equal(synth.fill(image, box(shape, 0, 9, 12)), image)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("pattern", ["stripes", "checker", "diagonal"])
def test_a_periodic_pattern_is_restored_exactly(pattern, dtype):
    y, x = np.indices((61, 66))
    phase = {"stripes": x % 5, "checker": 2 * (y // 3 % 2 ^ x // 3 % 2), "diagonal": (x + y) % 6}
    values = np.array([3, 40, 90, 200, 250, 7]) * (257 if dtype == "uint16" else 1)
    image = values[phase[pattern]].astype(dtype)
    mask = box(image.shape, 20, 22, 19, 21)
    spoilt = np.where(mask, np.array(99, dtype), image)
    assert np.array_equal(synth.fill(spoilt, mask), image)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", ["max", "one step", "few steps", "offset"])
def test_the_ends_of_floats_do_not_overflow(dtype, scale):
    info = np.finfo(dtype)
    rng = np.random.default_rng(0)
    image = {
        "max": np.where(rng.random((40, 40)) < 0.5, info.min, info.max),
        "one step": rng.integers(0, 2, (40, 40)) * info.smallest_subnormal,
        "few steps": rng.integers(-4, 5, (40, 40)) * info.smallest_subnormal,
        "offset": 1 + rng.integers(0, 3, (40, 40)) * info.eps,
    }[scale].astype(dtype)
    image[:, :9] /= 2
    mask = box(image.shape, 12, 14, 11)
    filled = synth.fill(image, mask)
    assert image.min() <= filled.min()
    assert filled.max() <= image.max()
    assert len(np.unique(filled[mask])) > 1


def test_colours_that_nobody_sees_do_not_matter():
    image = np.dstack([smooth((60, 60, 3), 3), np.full((60, 60), 255, np.uint8)])
    image[:, 30:, 3] = 0
    image[10:20, 5:12, 3] = 128
    mask = box(image.shape, 20, 18, 14)
    loud = image.copy()
    loud[:, 30:, :3] = noise((60, 30, 3), "uint8")
    quiet = image.copy()
    quiet[:, 30:, :3] = image[:, 29:30, :3] + np.uint8(9)  # like enough to pass for light
    filled = [synth.fill(one, mask)[mask].tobytes() for one in (image, loud, quiet)]
    assert filled[0] == filled[1] == filled[2]


@pytest.mark.parametrize("dtype", DTYPES)
def test_corrections_are_shares_of_the_known_range_rounded_and_cut(dtype):
    image = noise((40, 40, 3), dtype)
    mask = box(image.shape, 10, 10, 12)
    for share in (0.4 / 255, -0.3, 0.3):
        constant = np.full((144, 3), share)
        with mock.patch.object(window, "membrane", lambda *_, change=constant, **__: change):
            details = synth.fill_details(image, mask, quality="draft")
        low, high = float(image[~mask].min()), float(image[~mask].max())
        copied = image[tuple(details.sources.T)].astype(float)
        expected = np.clip(copied + share * (high - low), low, high)
        filled = details.image[mask]
        if image.dtype.kind == "u":
            assert np.abs(filled - expected).max() <= 0.5 + 1e-6
        else:
            assert np.allclose(filled, expected)


@pytest.mark.parametrize("quality", ["draft", "normal", "best"])
def test_progress_goes_up_to_one_and_no_thread_stays(quality):
    image, mask = noise((120, 420, 3), "uint8"), box((120, 420), 40, 40, 30)
    mask |= box(mask.shape, 50, 380, 12)
    before, told = threading.enumerate(), []
    with threads(2):
        synth.fill(image, mask, quality=quality, callback=told.append)
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert (told[-1].stage, told[-1].fraction) == ("done", 1.0)
    assert max(np.diff(fractions)) < 0.4  # no level is done in one step
    assert all(progress.stage for progress in told)
    assert threading.enumerate() == before


@pytest.mark.parametrize("when", [0.0, 0.3, 0.96, 1.0])
def test_what_a_callback_raises_stops_the_work(when):
    class StopError(Exception):
        pass

    def callback(progress):
        told.append(progress.fraction)
        if progress.fraction >= when:
            raise StopError

    image, told, before = locked(noise((80, 80), "uint8")), [], threading.enumerate()
    with threads(2), pytest.raises(StopError):
        synth.fill(image, box(image.shape, 20, 20, 30), callback=callback)
    assert sum(fraction >= when for fraction in told) == 1
    assert threading.enumerate() == before


def test_details_tell_how_it_came_about():
    image = smooth((150, 160, 3), 5)
    mask = box(image.shape, 40, 50, 50)
    details = synth.fill_details(image, mask)
    assert np.array_equal(details.image, synth.fill(image, mask))
    where = details.source_map
    assert (where.shape, where.dtype) == ((150, 160, 2), np.int32)
    assert (where[~mask] == -1).all()
    assert np.array_equal(where[mask], details.sources)
    assert [level for level, _ in details.energy] == [1, 0]
    assert all(0 <= value < 255**2 for _, value in details.energy)
    assert set(details.seconds) == {"check", "plane", "prepare", "search", "blend"}
    assert all(seconds >= 0 for seconds in details.seconds.values())
    with pytest.raises(AttributeError):
        details.image = image
    assert "array([[" not in repr(details).split("energy")[1]
