"""``synth fill --samples``: several answers as files."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from skimage import data

from synth.cli import main
from synth.files import load, save

PICTURE = np.ascontiguousarray(data.gravel()[:100, :110])


@pytest.fixture
def folder(tmp_path):
    mask = np.zeros(PICTURE.shape, np.uint8)
    mask[40:70, 40:75] = 255
    save(tmp_path / "in.png", PICTURE)
    save(tmp_path / "mask.png", mask)
    return tmp_path


def call(folder, *more):
    shared = [str(folder / "in.png"), "-m", str(folder / "mask.png"), "--quality", "draft"]
    return CliRunner().invoke(main, ["fill", *shared, *map(str, more)])


def test_each_answer_has_its_file_and_the_sheet_has_all(folder):
    done = call(folder, "-o", folder / "out.png", "--samples", 3, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    names = [folder / f"out-{number}.png" for number in (1, 2, 3)]
    assert told["outputs"] == [str(name) for name in names]
    assert told["spread"] > 1
    answers = [load(name).pixels for name in names]
    assert (answers[0] != answers[1]).any()
    assert (answers[1] != answers[2]).any()
    sheet = load(told["sheet"]).pixels
    assert sheet.shape == (200, 220)
    assert (sheet[:100, :110] == answers[0]).all()
    assert (sheet[100:, :110] == answers[2]).all()
    assert not (folder / "out.png").exists()
    assert call(folder, "-o", folder / "plain.png").exit_code == 0
    assert (load(folder / "plain.png").pixels == answers[0]).all()


def test_nothing_is_written_where_one_of_the_files_exists(folder):
    (folder / "out-2.png").write_bytes(b"mine")
    done = call(folder, "-o", folder / "out.png", "--samples", 2)
    assert done.exit_code == 1
    assert "out-2.png" in done.stderr
    assert (folder / "out-2.png").read_bytes() == b"mine"
    assert not (folder / "out-1.png").exists()
    assert not (folder / "out-sheet.png").exists()


def test_a_stream_cannot_hold_several(folder):
    assert call(folder, "-o", "-", "--samples", 2).exit_code == 2
    assert call(folder, "-o", folder / "out.png", "--samples", 0).exit_code == 2
