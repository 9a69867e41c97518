"""Every example runs from an empty folder, is short, and leaves the picture it is named after."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from synth.files import load

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, tmp_path, monkeypatch, capsys):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 40
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path), run_name="__main__")
    picture = f"{path.stem}.png"
    assert picture in capsys.readouterr().out
    assert [file.name for file in tmp_path.iterdir()] == [picture]
    assert load(tmp_path / picture).pixels.std() > 10


def test_there_are_examples():
    assert EXAMPLES
