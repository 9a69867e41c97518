"""`synth.move`, ``synth move``, and the join between an object and its new surroundings."""

from __future__ import annotations

import json
import os
from unittest import mock

import naive_editing
import numpy as np
import pytest
from conftest import noise
from scipy import ndimage

import synth
from synth.editing import seam
from synth.editing.move import shifted
from synth.errors import InputError, InputTypeError
from synth.files import load, save
from synth.images import check_image


def disk(shape, row, column, radius):
    y, x = np.ogrid[: shape[0], : shape[1]]
    return (y - row) ** 2 + (x - column) ** 2 <= radius**2


def scene(dtype="uint8", channels=3):
    """A bright disk on a dim, sloping, grainy ground."""
    ground = np.linspace(40, 80, 90)[None, :] + np.random.default_rng(0).normal(0, 2, (70, 90))
    thing = disk(ground.shape, 35, 25, 10)
    ground[thing] += 120
    top = 1.0 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    image = (ground / 255 * top).astype(dtype)
    if channels:
        image = np.repeat(image[..., None], channels, axis=2)
        if channels == 4:
            image[..., 3] = top
    return image, disk(ground.shape, 35, 25, 13)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("channels", [None, 3, 4])
def test_the_object_arrives_bit_for_bit_and_nothing_far_is_touched(dtype, channels):
    image, mask = scene(dtype, channels)
    before = image.copy()
    moved = synth.move(image, mask, (4, 40), blend=6)
    np.testing.assert_array_equal(image, before)
    assert moved.dtype == image.dtype
    placed = shifted(mask, (4, 40))
    np.testing.assert_array_equal(moved[placed], image[mask])
    touched = ndimage.binary_dilation(mask | placed, np.ones((3, 3)), iterations=6)
    np.testing.assert_array_equal(moved[~touched], image[~touched])
    left = moved[mask] / 2 if channels is None else moved[mask][:, 0] / 2
    assert left.max() < image[placed].max()  # no disk behind


def test_what_leaves_the_picture_is_cut_off():
    image, mask = scene()
    moved = synth.move(image, mask, (-30, -20))
    placed = shifted(mask, (-30, -20))
    y, x = np.nonzero(placed)
    assert 0 < len(y) < np.count_nonzero(mask)
    np.testing.assert_array_equal(moved[y, x], image[y + 30, x + 20])


def test_no_step_is_left_round_the_object():
    image, mask = scene(channels=None)
    placed = shifted(mask, (0, 40))
    edge = ndimage.binary_dilation(placed) & ~placed

    def step(moved):
        inside = np.where(placed, moved, 0.0)
        share = ndimage.uniform_filter(placed.astype(float), 3)
        mean = ndimage.uniform_filter(inside, 3) / np.maximum(share, 1e-9)
        return abs((moved - mean)[edge].mean())

    scissors = step(synth.move(image, mask, (0, 40), blend=0))
    assert scissors > 10
    assert step(synth.move(image, mask, (0, 40))) < scissors / 4


def test_the_same_bytes_for_any_number_of_threads_and_no_move_is_none():
    image, mask = scene()
    results = []
    for count in (1, 3):
        with mock.patch.dict(os.environ, SYNTH_NUM_THREADS=str(count)):
            results.append(synth.move(image, mask, (5, 30), seed=3).tobytes())
    assert results[0] == results[1]
    np.testing.assert_array_equal(synth.move(image, mask, (0, 0)), image)


def test_progress_is_told_and_can_stop_it():
    image, mask = scene()
    told = []
    synth.move(image, mask, (0, 30), callback=told.append)
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert (told[-1].stage, fractions[-1]) == ("done", 1.0)

    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synth.move(image, mask, (0, 30), callback=stop)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"offset": (0, 200)}, InputError, "out of the picture of 70×90"),
        ({"offset": (1, 2, 3)}, InputError, r"two whole numbers are needed: \(rows down"),
        ({"offset": 5}, InputTypeError, "offset is 5, but two whole numbers"),
        ({"offset": (0.5, 1)}, InputTypeError, "two whole numbers"),
        ({"mask": np.zeros((70, 90), bool)}, InputError, "the mask is empty"),
        ({"mask": np.zeros((7, 9), bool)}, InputError, "mask is 7×9 but the image is 70×90"),
        ({"mask": np.ones((70, 90), bool)}, InputError, "is the mask inverted"),
        ({"blend": 300}, InputError, "blend is 300, but a whole number from 0 to 256"),
        ({"blend": "wide"}, InputTypeError, "blend is 'wide'"),
        ({"image": np.full((70, 90), np.nan)}, InputError, "NaN"),
    ],
)
def test_errors_say_what_is_needed(change, error, says):
    image, mask = scene()
    with pytest.raises(error, match=says):
        synth.move(**{"image": image, "mask": mask, "offset": (0, 9), **change})


@pytest.mark.parametrize("seed", range(8))
def test_the_cut_is_the_cheapest_of_all(seed):
    rng = np.random.default_rng(seed)
    inner = np.zeros((5, 5), bool)
    inner[rng.integers(1, 4), rng.integers(1, 4)] = True
    ring = ndimage.binary_dilation(inner, np.ones((3, 3))) & ~inner
    ring |= (rng.random(ring.shape) < 0.2) & ~inner
    difference = rng.random(ring.shape)
    taken = seam.cheapest_cut(inner, ring, difference)
    assert not (taken & ~ring).any()
    costs = (seam._STEP, seam._TAKEN)
    mine = naive_editing.cut_cost(inner, ring, taken, difference, *costs)
    best = naive_editing.cheapest_cut(inner, ring, difference, *costs)
    assert mine == pytest.approx(best, abs=1e-3)


def test_the_command_moves_and_tells(run, tmp_path):
    image, mask = scene()
    save(tmp_path / "in.png", image)
    save(tmp_path / "mask.png", mask.astype(np.uint8) * 255)
    shared = ("move", tmp_path / "in.png", "-m", tmp_path / "mask.png", "--seed", 2)
    out = tmp_path / "out.png"
    done = run(*shared, "--by", "-10,5", "-o", out, "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert (told["by"], told["width"], told["output"]) == ([-10, 5], 90, str(out))
    expected = synth.move(check_image(image), mask, (5, -10), seed=2)
    np.testing.assert_array_equal(load(out).pixels, expected)
    assert run(*shared, "--by", "1,1", "-o", out).code == 1  # it is there already
    assert "wrote" in run(*shared, "--by", "1,1", "-o", out, "--overwrite").err
    assert run(*shared, "--by", "somewhere", "-o", tmp_path / "b.png").code == 2
    assert run(*shared, "--by", "900,0", "-o", tmp_path / "b.png").code == 1
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.png", "mask.png", "out.png"]


@pytest.mark.filterwarnings("error")
def test_floats_of_any_range():
    image, mask = scene("float64")
    placed = shifted(mask, (3, 30))
    expected = synth.move(image, mask, (3, 30))
    for scale in (1e-300, 1e307):
        moved = synth.move(image * scale, mask, (3, 30))
        np.testing.assert_array_equal(moved[placed], (image * scale)[mask])
        np.testing.assert_allclose(moved / scale, expected, atol=0.05)


def test_noise_of_other_kinds_goes_through():
    for shape in ((40, 40, 2), (40, 40, 5)):
        image = noise(shape, "uint8")
        moved = synth.move(image, disk(shape, 12, 12, 5), (10, 10), quality="draft")
        np.testing.assert_array_equal(moved[22, 22], image[12, 12])
