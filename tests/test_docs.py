"""The README's pictures are made by a program, so that they show what the code does now."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
MAKER = runpy.run_path(str(ROOT / "docs" / "make_pictures.py"))


def test_every_picture_of_the_readme_has_a_maker():
    shown = re.findall(r"\]\(docs/([^)]+)\.jpg\)", (ROOT / "README.md").read_text("utf-8"))
    assert shown
    assert set(shown) <= set(MAKER["PICTURES"])
    for name in shown:
        assert (ROOT / "docs" / f"{name}.jpg").exists()


def test_pictures_are_scaled_and_set_side_by_side():
    high, strip = MAKER["_high"], MAKER["_strip"]
    red = np.full((20, 30, 3), (200, 0, 0), np.uint8)
    assert (high(red, 10) == (200, 0, 0)).all()
    assert high(red, 10).shape == (10, 15, 3)
    assert strip([red, red]).shape == (20, 68, 3)
    assert (strip([red, red])[:, 30:38] == 255).all()


def test_an_example_runs_once_and_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = MAKER["example"]("11_dependency_graphs")
    assert first.std() > 10
    assert MAKER["example"]("11_dependency_graphs") is first
    assert not [*tmp_path.iterdir()]
    with pytest.raises(FileNotFoundError):
        MAKER["example"]("99_nothing")
