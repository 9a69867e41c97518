"""The image chooses how its hole is filled."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from skimage import data
from test_planes import tiles

import synth
from benchmarks.selection import leave_one_out, total_loss
from synth.files import save
from synth.patchmatch.details import FillCandidate
from synth.patchmatch.fakes import fake_holes
from synth.patchmatch.judge import loss
from synth.patchmatch.pyramid import depth
from synth.patchmatch.selection import decide, depth_offset

IMAGE = np.ascontiguousarray(data.gravel()[:160, :170])
HOLE = np.zeros(IMAGE.shape, bool)
HOLE[50:85, 60:100] = True


def oval(shape: tuple[int, int], at: tuple[int, int], radii: tuple[int, int]) -> np.ndarray:
    row, column = np.ogrid[: shape[0], : shape[1]]
    return ((row - at[0]) / radii[0]) ** 2 + ((column - at[1]) / radii[1]) ** 2 < 1


def test_best_says_what_was_tried_and_takes_the_least_loss():
    details = synth.fill_details(IMAGE, HOLE, quality="best")
    choice = details.chosen
    first, *rivals = choice.candidates
    assert (first.patch, first.depth, first.plane) == (7, 0, False)
    assert rivals
    # in doubt it is what was asked for
    assert choice.chosen.loss <= min(one.loss for one in choice.candidates) + 0.5
    assert choice.chosen is choice.candidates[choice.number]
    assert choice.reason
    assert choice.fakes.shape == IMAGE.shape
    assert choice.fakes.sum() == HOLE.sum()
    assert not (choice.fakes & HOLE).any()
    assert (details.image[~HOLE] == IMAGE[~HOLE]).all()
    assert (synth.fill(IMAGE, HOLE, quality="best") == details.image).all()


@pytest.mark.parametrize("quality", ["draft", "normal"])
def test_others_do_not_choose(quality):
    assert synth.fill_details(IMAGE, HOLE, quality=quality).chosen is None


def test_what_is_in_the_hole_does_not_matter():
    other = IMAGE.copy()
    other[HOLE] = 255 - other[HOLE]
    one, two = (synth.fill_details(image, HOLE, quality="best") for image in (IMAGE, other))
    assert one.chosen.candidates == two.chosen.candidates
    assert (one.image == two.image).all()


def test_the_number_of_threads_does_not_matter(monkeypatch):
    answers = []
    for count in ("1", "3"):
        monkeypatch.setenv("SYNTH_NUM_THREADS", count)
        answers.append(synth.fill_details(IMAGE, HOLE, quality="best"))
    assert (answers[0].image == answers[1].image).all()
    assert answers[0].chosen.candidates == answers[1].chosen.candidates


@pytest.mark.parametrize("kind", ["uint16", "float32", "huge", "rgba", "seven"])
def test_every_kind_of_picture_is_judged(kind):
    image = {
        "uint16": IMAGE.astype(np.uint16) * 257,
        "float32": IMAGE.astype(np.float32) / 255,
        "huge": (IMAGE.astype(np.float64) / 127.5 - 1) * 1.7e308,
        "rgba": np.dstack([IMAGE, IMAGE, IMAGE, np.full_like(IMAGE, 255)]),
        "seven": np.repeat(IMAGE[..., None], 7, axis=2),
    }[kind]
    details = synth.fill_details(image, HOLE, quality="best")
    assert details.image.dtype == image.dtype
    losses = [one.loss for one in details.chosen.candidates]
    assert np.isfinite(losses).all()
    assert max(losses) > min(losses)
    # the scale of the numbers is no matter, but for what rounding does
    plain = synth.fill_details(IMAGE, HOLE, quality="best").chosen
    if kind in ("uint16", "float32"):
        both = min(len(losses), len(plain.candidates))  # a near tie decides on the last trial
        others = [one.loss for one in plain.candidates]
        np.testing.assert_allclose(losses[:both], others[:both], atol=4)


def test_holes_with_no_room_beside_them_are_filled_as_asked():
    hole = np.zeros((60, 60), bool)
    hole[8:52, 8:52] = True
    details = synth.fill_details(IMAGE[:60, :60], hole, quality="best")
    assert len(details.chosen.candidates) == 1
    assert "no room" in details.chosen.reason
    assert not details.chosen.fakes.any()


def test_rivals_whose_costs_would_overflow_are_left_out():
    image = np.repeat(IMAGE[..., None], 64, axis=2)
    image += np.arange(64, dtype=np.uint8)
    choice = synth.fill_details(image, HOLE, quality="best", patch=13).chosen
    assert [one.patch for one in choice.candidates] == [13]  # and not 17


def test_an_empty_mask_needs_no_choice():
    with pytest.warns(UserWarning, match="empty"):
        assert synth.fill_details(IMAGE, HOLE & False, quality="best").chosen is None


def test_the_plane_is_a_choice_where_there_is_one():
    image = tiles()
    rows, columns = image.shape[:2]
    hole = oval((rows, columns), (rows // 2, columns // 3), (52, 56))
    choice = synth.fill_details(image, hole, quality="best").chosen
    assert {one.plane for one in choice.candidates} == {True, False}
    without = synth.fill_details(image, hole, quality="best", planes=None).chosen
    assert {one.plane for one in without.candidates} == {False}


def test_source_guide_and_samples_go_together_with_it():
    source = np.zeros(IMAGE.shape, bool)
    source[90:] = True
    guide = (np.arange(160) < 80)[:, None] & np.ones(IMAGE.shape, bool)
    details = synth.fill_details(
        IMAGE, HOLE, quality="best", source=source, guide=guide, samples=2, patch=5
    )
    assert source[details.sources[:, 0], details.sources[:, 1]].all()
    assert details.samples.shape == (2, *IMAGE.shape)
    assert details.chosen.candidates[0].patch == 5


def test_progress_never_goes_back():
    told = []
    synth.fill(IMAGE, HOLE, quality="best", callback=lambda p: told.append(p))
    fractions = [one.fraction for one in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert any(one.stage.startswith("trial") for one in told)


def test_json_says_what_was_chosen(run, tmp_path):
    save(tmp_path / "a.png", IMAGE)
    save(tmp_path / "m.png", HOLE.astype(np.uint8) * 255)
    done = run(
        "fill", tmp_path / "a.png", "-m", tmp_path / "m.png", "-o", tmp_path / "o.png",
        "--quality", "best", "--json",
    )  # fmt: skip
    assert done.code == 0
    told = json.loads(done.out)
    chosen = told["chosen"]
    assert {"patch", "depth", "plane", "losses", "reason", "candidates"} == set(chosen)
    assert chosen["losses"] in [one["losses"] for one in chosen["candidates"]]


def test_what_was_asked_for_stays_unless_a_rival_is_better():
    asked = FillCandidate(7, 0, False, (3.0, 5.0))
    assert decide([asked])[0] == 0
    assert decide([asked, replace(asked, patch=9)])[0] == 0
    assert decide([asked, replace(asked, losses=(9.0, 9.0))])[0] == 0
    better, best = replace(asked, losses=(2.0, 1.0)), replace(asked, losses=(0.0, 1.0))
    number, reason = decide([asked, better, best])
    assert number == 2
    assert "3.5 dB" in reason


def test_a_plane_is_given_up_only_where_that_is_much_better():
    asked = FillCandidate(7, 0, True, (4.0,))
    without = FillCandidate(7, 0, False, (2.0,))
    assert decide([asked, without])[0] == 0
    assert decide([asked, replace(asked, patch=9, losses=(3.0,)), without])[0] == 1
    assert decide([asked, replace(without, losses=(0.5,))])[0] == 1


@pytest.mark.parametrize(("of_9", "sizes"), [(3.0, [7, 9]), (1.5, [7, 9, 11])])
def test_the_largest_patches_are_tried_where_larger_ones_did_better(monkeypatch, of_9, sizes):
    losses = {7: (2.0,), 9: (of_9,), 11: (0.5,)}
    monkeypatch.setattr(
        "synth.patchmatch.selection._Trial.losses", lambda trial, way: losses[way.patch]
    )
    choice = synth.fill_details(IMAGE, HOLE, quality="best").chosen
    assert [one.patch for one in choice.candidates] == sizes
    assert choice.chosen.patch == (11 if 11 in sizes else 7)


def test_fake_holes_are_free_apart_and_near():
    hole = oval((200, 260), (90, 110), (20, 30))
    free = ~hole
    fakes = fake_holes(hole, free, 1.0, 7, 3)
    assert [int(fake.sum()) for fake in fakes] == [int(hole.sum())] * 3
    for number, fake in enumerate(fakes):
        others = np.logical_or.reduce([hole, *fakes[:number], *fakes[number + 1 :]])
        y, x = np.nonzero(fake)
        far = np.argwhere(others)
        for row, column in zip(y[::50], x[::50], strict=True):
            assert np.abs(far - [row, column]).max(axis=1).min() > 7
    # so near that hardly anything fits between
    assert np.hypot(*(np.argwhere(fakes[0]).mean(axis=0) - [90, 110])) < 75


def test_fake_holes_may_be_smaller_or_none():
    hole = oval((100, 100), (50, 50), (30, 30))
    assert fake_holes(hole, ~hole, 1.0, 5, 2) == []
    (small,) = fake_holes(hole, ~hole, 0.35, 5, 1)
    assert small.sum() == pytest.approx(0.35**2 * hole.sum(), rel=0.15)
    assert fake_holes(np.zeros((9, 9), bool), np.ones((9, 9), bool), 1.0, 2, 2) == []


def test_loss_prefers_the_truth_and_sees_blur_shifts_and_seams():
    truth = IMAGE
    span = (0.0, 255.0)
    right = loss(truth, truth, HOLE, span)
    blurred, darker, stirred = truth.copy(), truth.copy(), truth.copy()
    blurred[HOLE] = np.uint8(truth[HOLE].mean())
    darker[HOLE] = truth[HOLE] // 2
    stirred[HOLE] = truth[HOLE][::-1]
    for other in (blurred, darker, stirred):
        assert loss(other, truth, HOLE, span) > right + 10


def test_the_benchmark_compares_with_what_was_best_on_other_pictures():
    pictures = ["a", "a", "b", "c"]
    losses = {"x": [0.0, 0.0, 5.0, 5.0], "y": [9.0, 9.0, 1.0, 2.0]}
    assert leave_one_out(pictures, losses) == ["y", "y", "x", "x"]


def test_the_benchmark_agrees_with_itself_on_what_is_better():
    right = {"psnr": 30.0, "ssim": 0.9, "swd": 2.0, "sharp": 1.0, "seam": 1.0}
    for key, worse in (("psnr", 29), ("ssim", 0.8), ("swd", 3), ("sharp", 0.8), ("seam", 1.3)):
        assert total_loss({**right, key: worse}) > total_loss(right)
    assert np.isfinite(total_loss({"psnr": np.inf, "ssim": 1, "swd": 0, "sharp": 1, "seam": 0}))


def test_what_is_halved_is_never_peeled_at_full_size():
    strokes = np.zeros((100, 300), bool)
    strokes[40:54] = True
    assert depth(strokes, 7) == 1
    assert depth(strokes, 11) + depth_offset(strokes, 7, 11, -1) == 1
    wide = oval((200, 200), (100, 100), (120, 120))
    assert depth_offset(wide, 7, 11, -1) == -1
