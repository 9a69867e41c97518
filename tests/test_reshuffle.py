"""`synth.reshuffle` and ``synth reshuffle``."""

from __future__ import annotations

import json
import os
from unittest import mock

import numpy as np
import pytest
from conftest import noise
from hypothesis import given, settings
from hypothesis import strategies as st
from synth.kernels._jit import Bands

import synth
from synth.editing.bidirectional import Pins, Summary
from synth.errors import InputError, InputTypeError
from synth.files import load, save


def box(shape, top, left, height, width):
    mask = np.zeros(shape[:2], bool)
    mask[top : top + height, left : left + width] = True
    return mask


def table(dtype="uint8", channels=None):
    """Two squares of different patterns on a light ground."""
    rng = np.random.default_rng(1)
    image = 220 + rng.normal(0, 2, (72, 108))
    image[26:46, 14:34] = rng.integers(0, 5, (20, 20)) * 12
    image[26:46, 70:90] = 90 + rng.integers(0, 5, (20, 20)) * 12
    top = 1.0 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    image = (image / 255 * top).astype(dtype)
    if channels:
        image = np.repeat(image[..., None], channels, axis=2)
        if channels == 4:
            image[..., 3] = top
    return image


FIRST = box((72, 108), 24, 12, 24, 24)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("channels", [None, 3, 4])
def test_what_lies_in_the_way_goes_elsewhere(dtype, channels):
    image = table(dtype, channels)
    before = image.copy()
    done = synth.reshuffle(image, [(FIRST, (0, 56))])
    np.testing.assert_array_equal(image, before)
    assert (done.shape, done.dtype) == (image.shape, image.dtype)
    np.testing.assert_array_equal(done[24:48, 68:92], image[24:48, 12:36])
    # the second square's shades are found where the first one was, or anywhere else
    grey = done if channels is None else done[..., 0]
    shade = grey / image.max()
    elsewhere = np.ones(grey.shape, bool)
    elsewhere[24:48, 68:92] = False
    assert ((shade > 0.35) & (shade < 0.75) & elsewhere).sum() > 200
    assert ((shade < 0.25) & elsewhere).sum() < 20  # and the first one is nowhere twice


def test_what_is_locked_stays_bit_for_bit():
    image = noise((64, 80, 3), "uint16", 2)
    thing, locked = box(image.shape, 5, 5, 16, 16), box(image.shape, 0, 50, 64, 30)
    done = synth.reshuffle(image, [(thing, (30, 15))], locked=locked, quality="draft")
    np.testing.assert_array_equal(done[:, 50:], image[:, 50:])
    np.testing.assert_array_equal(done[35:51, 20:36], image[5:21, 5:21])


@settings(max_examples=20, deadline=None)
@given(
    shape=st.tuples(st.integers(12, 50), st.integers(12, 50)),
    place=st.tuples(*[st.integers(0, 8)] * 2, *[st.integers(1, 9)] * 2),
    offset=st.tuples(*[st.integers(-9, 30)] * 2),
    seed=st.integers(0, 99),
)
def test_any_thing_goes_anywhere_or_is_refused(shape, place, offset, seed):
    image = noise((*shape, 3), "uint8", seed)
    mask = box(shape, *place)
    rows, columns = np.nonzero(mask)
    to = np.stack([rows + offset[0], columns + offset[1]])
    inside = ((to >= 0) & (to < np.array(shape)[:, None])).all(axis=0)
    moves = [(mask, offset)]
    if not inside.any():
        with pytest.raises(InputError, match="out of the picture"):
            synth.reshuffle(image, moves)
        return
    done = synth.reshuffle(image, moves, patch=5, seed=seed, quality="draft")
    np.testing.assert_array_equal(done[tuple(to[:, inside])], image[rows[inside], columns[inside]])


def test_the_same_bytes_for_any_number_of_threads_and_no_move_is_none():
    image = table(channels=3)
    results = []
    for count in (1, 3):
        with mock.patch.dict(os.environ, SYNTH_NUM_THREADS=str(count)):
            results.append(synth.reshuffle(image, [(FIRST, (9, 30))], seed=6).tobytes())
    assert results[0] == results[1]
    for nothing in ([], [(FIRST, (0, 0))]):
        same = synth.reshuffle(image, nothing)
        np.testing.assert_array_equal(same, image)
        assert not np.shares_memory(same, image)


def test_progress_is_told_and_can_stop_it():
    told = []
    synth.reshuffle(table(), [(FIRST, (0, 40))], callback=told.append)
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert fractions[-2] == pytest.approx(0.95)
    assert (told[-1].stage, fractions[-1]) == ("done", 1.0)

    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synth.reshuffle(table(), [(FIRST, (0, 40))], callback=stop)


def test_what_is_told_where_to_go_is_not_copied_elsewhere():
    source = noise((20, 20, 1), "uint8")
    told = box((20, 20), 5, 5, 8, 8)
    own = np.moveaxis(np.indices((14, 14), np.int32), 0, -1)
    nowhere = np.zeros((0, 2), np.int32)
    summary = Summary(
        source, source.astype(np.int16), np.array(own, order="C"), np.array(own, order="C"),
        Pins(nowhere, nowhere, told), patch=7, key=(0, 0), bands=Bands(None),
    )  # fmt: skip
    summary.improve(np.array([8, 2, 1], np.int64), 1)
    row, column = summary.forward.reshape(-1, 2).T
    touches = np.lib.stride_tricks.sliding_window_view(told, (7, 7)).any(axis=(2, 3))
    assert not touches[row, column].any()


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"moves": 5}, InputTypeError, "moves must be a list of pairs"),
        ({"moves": [FIRST]}, InputTypeError, "moves must be a list of pairs"),
        ({"moves": [(FIRST, 3)]}, InputTypeError, r"the offset of moves\[0\] is 3, but two"),
        ({"moves": [(FIRST, (0, 300))]}, InputError, r"moves\[0\] is \(0, 300\), which moves all"),
        ({"moves": [(FIRST & False, (0, 3))]}, InputError, r"mask of moves\[0\] is empty"),
        ({"moves": [(FIRST[1:], (0, 3))]}, InputError, r"the mask of moves\[0\] is 71×108"),
        (
            {"moves": [(FIRST, (0, 40)), (box((72, 108), 0, 0, 9, 9), (30, 60))]},
            InputError,
            r"moves\[1\] would lie over moves\[0\] in 81 pixels",
        ),
        ({"locked": np.ones((72, 108), bool)}, InputError, "over what is locked in 480 pixels"),
        ({"quality": "good"}, InputError, "quality is 'good'"),
    ],
)
def test_errors_say_what_is_needed(change, error, says):
    with pytest.raises(error, match=says):
        synth.reshuffle(**{"image": table(), "moves": [(FIRST, (0, 20))], **change})


def test_the_command_rearranges_and_tells(run, tmp_path):
    image = table(channels=3)
    save(tmp_path / "in.png", image)
    save(tmp_path / "a.png", FIRST.astype(np.uint8) * 255)
    lock = box(image.shape, 0, 0, 72, 8)
    save(tmp_path / "b.png", lock.astype(np.uint8) * 255)
    out = tmp_path / "out.png"
    shared = ("reshuffle", tmp_path / "in.png", "--quality", "draft", "--move", tmp_path / "a.png")
    done = run(*shared, "50,4", "--lock", tmp_path / "b.png", "-o", out, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["moves"] == [{"mask": str(tmp_path / "a.png"), "by": [50, 4]}]
    expected = synth.reshuffle(image, [(FIRST, (4, 50))], locked=lock, quality="draft")
    np.testing.assert_array_equal(load(out).pixels, expected)
    assert run(*shared, "far", "-o", tmp_path / "c.png").code == 2
    assert run(*shared, "999,0", "-o", tmp_path / "c.png").code == 1
    assert not (tmp_path / "c.png").exists()
