"""The measures of resized and rearranged pictures, and who is asked for what; no peer runs."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from benchmarks import editing, editing_peers
from benchmarks.editing_measures import bidirectional, border_ratio, lines_kept, object_change
from benchmarks.harness import Cell, Method, MethodFailed


def rough(rows: int = 80, columns: int = 96) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (rows, columns, 3), np.uint8)


def test_a_crop_is_coherent_and_not_complete_and_the_picture_itself_is_both() -> None:
    image = rough()
    assert set(bidirectional(image, image).values()) == {0.0}
    crop = bidirectional(image, np.ascontiguousarray(image[:, :48]))
    assert crop["coherent1"] == crop["coherent2"] == 0
    assert crop["complete1"] > 20
    assert crop["complete2"] > 10


def test_an_object_is_found_where_it_went() -> None:
    image = rough()
    thing = np.zeros((80, 96), bool)
    thing[20:40, 50:66] = True
    thing[20, 50] = False
    assert object_change(image, np.ascontiguousarray(image[:, 30:80]), thing) == 0
    darker = image.copy()
    darker[thing] //= 2
    lost = object_change(image, darker, thing)
    assert lost == pytest.approx(
        np.sqrt(np.square(image[thing] - image[thing] // 2.0).mean()), 0.1
    )
    assert np.isnan(object_change(image, image[:, :10].copy(), thing))


def test_a_line_that_is_bent_is_kept_in_parts_only() -> None:
    image = np.full((120, 80, 3), 90, np.uint8) + rough(120, 80) // 16
    for row in range(120):
        image[row, 20 + row // 4 : 24 + row // 4] = 220
    line = np.array([((0, 20), (119, 50))], float)
    assert lines_kept(image, image, line) > 0.95
    assert lines_kept(image, np.ascontiguousarray(image[:, 10:]), line) > 0.95
    bent = image.copy()
    bent[60:] = np.roll(image[60:], 20, axis=1)
    assert lines_kept(image, bent, line) < 0.7
    assert np.isnan(lines_kept(image, image, line[:0]))


def test_a_halo_is_a_step_at_the_border() -> None:
    image = 100 + rough(60, 60) // 16
    thing = np.zeros((60, 60), bool)
    thing[15:35, 5:25] = True  # the object with some of its surroundings
    elsewhere, moved = np.roll(thing, 20, axis=1), np.roll(image, 20, axis=1)
    assert border_ratio(image, thing, moved, elsewhere) == 1
    haloed = moved.copy()
    haloed[elsewhere] -= 30
    assert border_ratio(image, thing, haloed, elsewhere) > 1.5


def test_what_synth_moves_stays_and_a_paste_is_told_from_a_blend() -> None:
    (one,) = editing.move_cases(editing.MOVE, quick=True)
    small = one.warmup
    case = editing.Case(one.name, one.group, small, small, {})
    for adapter, options in (
        (editing_peers.synth_move, {}),
        (editing_peers.opencv_move, {"clone": False}),
    ):
        scored = editing.score_move(case, adapter(**small, seed=0, **options))
        assert scored["object"] == 0
    cloned = editing_peers.opencv_move(**small, seed=0, clone=True)
    assert cloned.shape == small["image"].shape
    with pytest.raises(MethodFailed, match="float64"):
        editing.score_move(case, cloned.astype(float))
    arranged = editing_peers.synth_reshuffle(**small, seed=0)
    assert set(editing.score_reshuffle(case, arranged)) >= {"complete1", "coherent2"}


def test_every_resize_has_its_size_and_what_does_not_apply_is_left_out() -> None:
    cases = editing.retarget_cases(None, quick=True)
    assert [case.group for case in cases] == [editing.NARROWER, editing.WIDER]
    one = cases[0]
    methods = {method.name: method for method in editing_peers.retarget_methods()}
    cells = []
    for name, adapter in (("scale", editing_peers.scale), ("crop", editing_peers.crop)):
        result = adapter(**one.inputs, seed=0)
        scored = editing.score_retarget(one, result)
        assert np.isnan(scored["lines"])
        run = {"wall": 0.0, "cpu": 0.0, "peak_mb": 0.0, **scored}
        cells.append(Cell(methods[name], one, [run], picture=result))
    assert cells[1].medians["object"] == 0
    assert cells[0].medians["object"] > 20
    with pytest.raises(RuntimeError, match="larger"):
        editing_peers.crop(**cases[1].inputs, seed=0)
    table = editing._table([*cells, Cell(Method("gone", "x:y"), one, failed="not installed")])
    assert "| object |" in table
    assert "| lines |" not in table
    rows = editing._rows(cells)
    assert [*rows[one.name]] == ["picture", "scale", "crop"]
    assert len({picture.shape for picture in rows[one.name].values()}) == 1
    page = editing._page(cells, 1, "python -m benchmarks.editing")
    assert "## Narrower: mean" in page


def test_masks_lie_on_what_they_name() -> None:
    for case in (
        *editing.move_cases(editing.MOVE, quick=False),
        *editing.retarget_cases(None, quick=False),
    ):
        mask = case.inputs.get("mask", case.inputs.get("protect"))
        assert mask.shape == case.inputs["image"].shape[:2]
    assert len(editing.move_cases(editing.RESHUFFLE, quick=False)) == 2
    lines = editing.retarget_cases(None, quick=False)[0].inputs["lines"]
    rows, columns = data.rocket().shape[:2]
    assert (lines >= 0).all()
    assert (lines[..., 0] < rows).all()
    assert (lines[..., 1] < columns).all()
