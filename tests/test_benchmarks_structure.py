"""The scenes with known truth, the photographs without, and how both are shown; no peer runs."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

import synth
from benchmarks import holes, scenes, structure
from benchmarks.fill import fill_case, fill_rows
from benchmarks.harness import Cell, Method, MethodFailed
from benchmarks.peers import fill_methods, structure_methods


def test_walls_and_floor_fill_the_view_and_never_change() -> None:
    views = {**scenes.walls(128), "floor": scenes.floor(128)}
    assert len(views) == 5
    for name, view in views.items():
        assert view.shape == (128, 128, 3)
        assert view.dtype == np.uint8
        assert view.min() > 0, f"{name} has corners that show nothing"
    np.testing.assert_array_equal(scenes.floor(128), views["floor"])
    assert len({view.tobytes() for view in views.values()}) == 5


def test_every_scene_shows_one_clear_plane() -> None:
    for name, view in {**scenes.walls(), "floor": scenes.floor()}.items():
        hole = holes.ellipse((512, 512))
        (plane,) = synth.find_planes(view, hole).planes
        assert plane.clear, name


def test_methods_include_one_that_knows_no_planes() -> None:
    methods = {method.name: method for method in structure_methods()}
    assert methods["synth-no-plane"].options == {"quality": "normal", "planes": None}
    rest = {method.name for method in fill_methods()}
    assert set(methods) - rest == {"synth-no-plane"}


def folder(path: Path) -> Path:
    """Write two photographs with masks, one without, and a mask's own stray."""
    grey = Image.new("RGB", (60, 36), (90, 80, 70))
    for name in ("inp_a.png", "b.jpg", "alone.png"):
        grey.save(path / name)
    mask = np.zeros((36, 60), np.uint8)
    mask[8:16, 10:20] = 255
    for name in ("inp_a_mask.png", "b_mask_by_hand.png"):
        Image.fromarray(mask).save(path / name)
    return path


def test_a_folder_gives_its_photographs_with_masks(tmp_path: Path) -> None:
    assert structure.photographs(None, quick=False) == []
    made = structure.photographs(folder(tmp_path), quick=False)
    assert [case.name for case in made] == ["b", "a"]
    for case in made:
        assert case.inputs["mask"].sum() == 80
        assert (case.inputs["image"][case.inputs["mask"]] == 0).all()
        assert set(case.truth) == {"before"}  # nothing to compare with
    Image.new("L", (9, 9)).save(tmp_path / "alone_mask.png")
    with pytest.raises(click.UsageError, match=r"alone_mask\.png is 9×9, but alone\.png is 36×60"):
        structure.photographs(tmp_path, quick=False)
    with pytest.raises(click.UsageError, match="called 'c'; there are a, b"):
        structure._named("a, c", made)


def test_without_truth_the_surroundings_are_the_measure() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (96, 96, 3), np.uint8)
    mask = holes.square((96, 96), 30)
    same = structure.beside(image, mask)
    assert same["sharp"] == pytest.approx(1, abs=0.05)
    assert same["seam"] == pytest.approx(1, abs=0.1)
    flat = np.where(mask[..., None], np.uint8(128), image)
    assert structure.beside(flat, mask)["sharp"] == 0
    dark = np.where(mask[..., None], image // 8, image)
    assert structure.beside(dark, mask)["seam"] > 1.2


def test_a_photograph_is_scored_without_truth_and_shown_with_what_was_there(
    tmp_path: Path,
) -> None:
    one = structure.photographs(folder(tmp_path), quick=False)[0]
    stray = one.truth["before"].copy()
    stray[0, 0] ^= 1
    assert structure.score_alone(one, stray)["touched"] == 1
    with pytest.raises(MethodFailed, match="float64"):
        structure.score_alone(one, stray.astype(float))
    known = fill_case("known", "planes", stray, one.inputs["mask"])
    methods = [Method(name, "tests:nothing") for name in ("a", "b", "c")]
    cells = [
        Cell(methods[0], one, [{"cpu": 1.0}], picture=stray),
        Cell(methods[1], one, failed="not installed"),
        Cell(methods[2], one, [{"cpu": 1.0}], picture=stray),
        Cell(methods[0], known, [{"cpu": 1.0}], picture=stray),
    ]
    rows = fill_rows(cells, without=["c"])
    assert [*rows["b"]] == ["hole", "a", "before"]
    assert [*rows["known"]] == ["hole", "a", "truth"]


def test_the_page_has_a_table_for_each_kind_of_picture(tmp_path: Path) -> None:
    run = {"wall": 1.0, "cpu": 1.0, "peak_mb": 1.0}
    cells = []
    for case in (
        *structure.cases(quick=True)[-2:],
        *structure.photographs(folder(tmp_path), quick=True),
    ):
        score = structure.score if "image" in case.truth else structure.score_alone
        picture = np.asarray(case.inputs["image"])
        cells.append(Cell(Method("x", "tests:nothing"), case, [run | score(case, picture)]))
    page = structure._page(cells, 1, "python -m benchmarks.structure")
    for title in ("Planes:", "Grass", "Photographs with masks", "tile floor", "a\n", "b\n"):
        assert f"## {title}" in page
    assert "| PSNR |" not in page.split("## Photographs with masks")[1].split("##")[0]
