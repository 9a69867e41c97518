"""Several answers to one hole."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

import synth
from synth.errors import InputError, InputTypeError
from synth.patchmatch.answers import distinct

IMAGE = np.ascontiguousarray(data.gravel()[:140, :150])
HOLE = np.zeros(IMAGE.shape, bool)
HOLE[50:90, 60:100] = True


@pytest.mark.parametrize("channels", [0, 3])
def test_answers_differ_and_the_first_is_the_plain_fill(channels):
    image = np.repeat(IMAGE[..., None], channels, axis=2) if channels else IMAGE
    details = synth.fill_details(image, HOLE, samples=3, seed=5, quality="draft")
    answers = details.samples
    assert answers.shape == (3, *image.shape)
    assert answers.dtype == image.dtype
    assert (answers[0] == synth.fill(image, HOLE, seed=5, quality="draft")).all()
    assert (answers[0] == details.image).all()
    assert (answers[:, ~HOLE] == image[~HOLE]).all()
    for one, other in ((0, 1), (0, 2), (1, 2)):
        apart = np.abs(answers[one][HOLE].astype(float) - answers[other][HOLE])
        assert apart.mean() > 5
    assert (synth.fill(image, HOLE, samples=3, seed=5, quality="draft") == answers).all()


def test_the_spread_tells_where_they_disagree():
    details = synth.fill_details(IMAGE, HOLE, samples=2, quality="draft")
    assert details.spread.shape == IMAGE.shape
    assert (details.spread[~HOLE] == 0).all()
    half = np.abs(details.samples[0].astype(float) - details.samples[1]) / 2
    np.testing.assert_allclose(details.spread, half, rtol=1e-5)


def test_where_there_is_one_answer_nothing_is_spread():
    flat = np.full((60, 60), 77, np.uint16)
    hole = np.zeros(flat.shape, bool)
    hole[20:40, 20:40] = True
    details = synth.fill_details(flat, hole, samples=4, quality="draft")
    assert (details.samples == 77).all()
    assert (details.spread == 0).all()


def test_without_samples_there_are_none():
    details = synth.fill_details(IMAGE, HOLE, quality="draft")
    assert details.samples is None
    assert details.spread is None


def test_the_number_of_threads_does_not_matter(monkeypatch):
    answers = []
    for count in ("1", "3"):
        monkeypatch.setenv("SYNTH_NUM_THREADS", count)
        answers.append(synth.fill(IMAGE, HOLE, samples=3, quality="draft"))
    assert (answers[0] == answers[1]).all()


def test_a_picture_with_no_room_for_larger_patches_still_has_answers():
    image = IMAGE[:9, :40]
    hole = np.zeros(image.shape, bool)
    hole[4:6, 18:20] = True
    assert synth.fill(image, hole, patch=7, samples=3, seed=2**64 - 1).shape == (3, 9, 40)


def test_progress_never_goes_back():
    told = []
    synth.fill(IMAGE, HOLE, samples=2, quality="draft", callback=lambda p: told.append(p.fraction))
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_poor_answers_come_last_and_far_ones_first():
    fills = np.array([[0.0, 0], [3, 3], [9, 9], [50, 50], [8, 9]])
    assert distinct(fills, [4, 4, 4, 400, 4], 4) == [0, 2, 1, 4]
    assert distinct(fills, [4, 90, 80, 400, 4], 4) == [0, 4, 2, 1]


def test_an_empty_mask_gives_the_picture_each_time():
    with pytest.warns(UserWarning, match="empty"):
        answers = synth.fill(IMAGE, np.zeros_like(HOLE), samples=2)
    assert (answers == IMAGE).all()


@pytest.mark.parametrize(
    ("samples", "error"),
    [(0, InputError), (65, InputError), (1.5, InputTypeError), (True, InputTypeError)],
)
def test_other_numbers_are_refused(samples, error):
    with pytest.raises(error, match="1 to 64"):
        synth.fill(IMAGE, HOLE, samples=samples)
