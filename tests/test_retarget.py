"""`synth.retarget`, ``synth retarget``, and the steps of bidirectional similarity."""

from __future__ import annotations

import json
import os
from unittest import mock

import naive_editing
import numpy as np
import pytest
from conftest import noise
from hypothesis import given, settings
from hypothesis import strategies as st
from synth.kernels._jit import Bands

import synth
from synth.editing import axes
from synth.editing.bidirectional import Pins, Summary, finer
from synth.editing.rendering import copied
from synth.errors import InputError, InputTypeError
from synth.files import load, save

NONE = Pins(np.zeros((0, 2), np.int32), np.zeros((0, 2), np.int32))


def plate(dtype="uint8", channels=None):
    """A grainy ground with a dark, busy square of 20 on it."""
    rng = np.random.default_rng(0)
    image = 220 + rng.normal(0, 2, (60, 90))
    image[20:40, 30:50] = rng.integers(0, 5, (20, 20)) * 15
    top = 1.0 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    image = (image / 255 * top).astype(dtype)
    if channels:
        image = np.repeat(image[..., None], channels, axis=2)
        if channels == 4:
            image[..., 3] = top
    return image


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("channels", [None, 3, 4])
def test_the_square_stays_square(dtype, channels):
    image = plate(dtype, channels)
    for shape in ((60, 60), (60, 120), (50, 90), (70, 100)):
        resized = synth.retarget(image, shape)
        assert (resized.shape, resized.dtype) == ((*shape, *image.shape[2:]), image.dtype)
        grey = resized if channels is None else resized[..., 0]
        dark = grey < image.max() / 3
        assert dark.any(axis=0).sum() == pytest.approx(20, abs=2)
        assert dark.any(axis=1).sum() == pytest.approx(20, abs=2)


@settings(max_examples=15, deadline=None)
@given(
    shape=st.tuples(st.integers(7, 40), st.integers(7, 40)),
    channels=st.sampled_from([None, 1, 2, 3, 4, 5]),
    dtype=st.sampled_from(["uint8", "uint16", "float32", "float64"]),
)
def test_the_same_size_is_the_identity(shape, channels, dtype):
    image = noise(shape if channels is None else (*shape, channels), dtype)
    image.setflags(write=False)
    same = synth.retarget(image, shape)
    np.testing.assert_array_equal(same, image)
    assert same.dtype == image.dtype
    assert not np.shares_memory(same, image)


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(st.integers(7, 40), st.integers(7, 40)),
    wanted=st.tuples(st.integers(5, 60), st.integers(5, 60)),
    protected=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_size_to_any_other(shape, wanted, protected, seed):
    image = noise((*shape, 3), "uint8", seed)
    kept = np.zeros(shape, bool)
    if protected:
        kept[1:4, 2:5] = True
    resized = synth.retarget(image, wanted, patch=5, protect=kept, seed=seed, quality="draft")
    assert resized.shape == (*wanted, 3)


def test_what_is_protected_stays_bit_for_bit():
    image = noise((80, 100, 3), "uint16", 3)
    kept = np.zeros((80, 100), bool)
    kept[10:30, 20:45] = kept[50:70, 60:80] = True
    for shape in ((80, 70), (60, 120)):
        resized = synth.retarget(image, shape, protect=kept, quality="draft")
        for part in ((slice(10, 30), slice(20, 45)), (slice(50, 70), slice(60, 80))):
            rows, columns, _ = image[part].shape
            views = np.lib.stride_tricks.sliding_window_view(resized, (rows, columns, 3))
            assert (views == image[part]).all(axis=(-3, -2, -1)).sum() == 1


@pytest.mark.filterwarnings("error")
def test_floats_of_any_range():
    image = plate("float64", 3)
    expected = synth.retarget(image, (60, 70))
    for scale in (1e-300, 1e307):
        resized = synth.retarget(image * scale, (60, 70))
        np.testing.assert_allclose(resized / scale, expected, atol=0.05)


def test_the_same_bytes_for_any_number_of_threads():
    results = []
    for count in (1, 3):
        with mock.patch.dict(os.environ, SYNTH_NUM_THREADS=str(count)):
            results.append(synth.retarget(plate(channels=3), (64, 61), seed=9).tobytes())
    assert results[0] == results[1]
    assert synth.retarget(plate(channels=3), (64, 61), seed=8).tobytes() != results[0]


def test_progress_is_told_and_can_stop_it():
    told = []
    synth.retarget(plate(), (60, 70), callback=told.append)
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-2] == pytest.approx(0.95)
    assert (told[-1].stage, fractions[-1]) == ("done", 1.0)

    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synth.retarget(plate(), (60, 70), callback=stop)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"shape": (5, 90)}, InputError, "shape is 5×90, smaller than a patch of 7×7"),
        ({"shape": (60, 10**9)}, InputError, "at most 32768 rows and columns"),
        ({"shape": 90}, InputTypeError, r"shape is 90, but .* \(rows, columns\) in pixels"),
        ({"shape": (1, 2, 3)}, InputError, "two whole numbers are needed"),
        ({"protect": np.ones((60, 90), bool)}, InputError, "protect keeps 90 of the 90 columns"),
        ({"protect": np.ones((6, 9), bool)}, InputError, "protect is 6×9"),
        ({"patch": 2}, InputError, "patch is 2"),
        ({"quality": "good"}, InputError, "quality is 'good'"),
        ({"image": np.full((60, 90), np.inf)}, InputError, "NaN or infinite"),
        ({"image": np.zeros((60, 90, 64), np.uint8), "patch": 31}, InputError, "would overflow"),
    ],
)
def test_errors_say_what_is_needed(change, error, says):
    with pytest.raises(error, match=says):
        synth.retarget(**{"image": plate(), "shape": (60, 70), **change})


@pytest.mark.parametrize("seed", range(3))
def test_votes_are_those_of_the_naive_twin(seed):
    rng = np.random.default_rng(seed)
    patch, shape = 3, (9, 8)
    source = rng.integers(0, 256, (8, 11, 2), np.uint8)
    grid, source_grid = (7, 6), (6, 9)
    forward = np.stack([rng.integers(0, n, grid) for n in source_grid], -1).astype(np.int32)
    backward = np.stack([rng.integers(0, n, source_grid) for n in grid], -1).astype(np.int32)
    content = np.zeros((*shape, 2), np.int16)
    pins = Pins(np.array([[4, 5]], np.int32), np.array([[2, 3]], np.int32))
    summary = Summary(
        source, content, forward, backward, pins, patch=patch, key=(seed, 0), bands=Bands(None)
    )
    summary.vote(searched=False)
    weight = np.full(grid, 1 / 42)
    expected = naive_editing.vote(source, forward, weight, backward, 1 / 54, patch, shape)
    expected[2, 3] = source[4, 5]
    assert abs(summary.content - expected).max() <= 0.51


def test_a_picture_is_its_own_summary():
    source = noise((20, 24, 3), "uint8")
    own = np.moveaxis(np.indices((14, 18), np.int32), 0, -1)
    summary = Summary(
        source, source.astype(np.int16), own.copy(), own.copy(), NONE, patch=7, key=(0, 0),
        bands=Bands(None),
    )  # fmt: skip
    summary.improve(np.array([8, 2, 1], np.int64), 1)
    np.testing.assert_array_equal(summary.content, source)
    summary.search(np.array([1], np.int64), 1)
    picked = summary.picked()
    np.testing.assert_array_equal(picked, np.moveaxis(np.indices((20, 24)), 0, -1))
    nothing = np.zeros((20, 24), bool)
    np.testing.assert_array_equal(copied(source, picked, nothing), source)


def test_a_field_is_carried_to_twice_the_resolution():
    field = np.array([[[1, 2], [0, 3]], [[2, 0], [3, 3]]], np.int32)
    found = finer(field, (4, 5), (7, 6))
    assert found.shape == (4, 5, 2)
    for y, x in np.ndindex(4, 5):
        cy, cx = min(y // 2, 1), min(x // 2, 1)
        row, column = 2 * field[cy, cx] + (y - 2 * cy, x - 2 * cx)
        np.testing.assert_array_equal(found[y, x], (min(row, 6), min(column, 5)))


@settings(max_examples=60, deadline=None)
@given(
    kept=st.lists(st.booleans(), min_size=1, max_size=40),
    extra=st.integers(0, 60),
    seed=st.integers(0, 99),
)
def test_kept_rows_keep_their_width_and_their_order(kept, extra, seed):
    kept = np.array(kept)
    if kept.all():
        extra = 0
    length = int(kept.sum()) + extra or 1
    give = np.random.default_rng(seed).random(len(kept)) + 0.01
    edges = axes.new_edges(kept, length, give)
    assert edges[0] == 0
    assert edges[-1] == length
    width = np.diff(edges)
    assert (width >= -1e-9).all()
    np.testing.assert_allclose(width[kept], 1, atol=1e-6)
    places = (np.arange(len(kept)) + axes.offsets(kept, edges))[kept]
    assert (np.diff(places) > 0).all()
    assert ((places >= 0) & (places < length)).all()


def test_the_command_resizes_and_tells(run, tmp_path):
    image = plate(channels=3)
    save(tmp_path / "in.png", image)
    save(tmp_path / "keep.png", (np.arange(5400).reshape(60, 90) < 900).astype(np.uint8) * 255)
    out = tmp_path / "out.png"
    shared = ("retarget", tmp_path / "in.png", "--quality", "draft")
    done = run(*shared, "--size", "70x64", "-o", out, "--json", "--seed", 4)
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert (told["width"], told["height"], told["seed"]) == (70, 64, 4)
    expected = synth.retarget(image, (64, 70), quality="draft", seed=4)
    np.testing.assert_array_equal(load(out).pixels, expected)
    other = ("-o", tmp_path / "b.png")
    assert run(*shared, "--size", "70", *other).code == 2
    done = run(*shared, "--size", "70x64", "--protect", tmp_path / "keep.png", *other)
    assert done.code == 1
    assert "protect keeps 90 of the 90 columns" in done.err
    assert not (tmp_path / "b.png").exists()
