"""What people see while work is done, and that the first run says that it compiles."""

from __future__ import annotations

import io
import sys
from itertools import pairwise

import numpy as np
import pytest

import synth
from synth.compilation import cache_folder, warmup, watching
from synth.display import display
from synth.progress import Progress


class Terminal(io.StringIO):
    """A standard error that calls itself a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_and_notes(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with display() as shown, shown.following("a[1].png") as callback:
        callback(Progress("level 2 of 4", 0.5))
        shown._bar.refresh()  # ten times a second otherwise
        shown.note("wrote [b].png")
    assert "a[1].png: level 2 of 4" in terminal.getvalue()
    assert "synth: wrote [b].png" in terminal.getvalue()


def test_a_file_gets_notes_only(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with display() as shown:
        with shown.following("a.png") as callback:
            assert callback is None
        shown.compiling("one")
        shown.compiling("two")
        assert sys.stderr.getvalue().count("compiling for this machine") == 1


def test_compilation_is_told_of_once():
    numba = pytest.importorskip("numba")

    def double(x: int) -> int:
        return 2 * x

    double.__module__ = "synth.kernels.cpu.pretended"
    kernel, seen = numba.njit(double), []
    for _ in range(2):
        with watching(seen.append):
            assert kernel(2) == 4
    assert seen == ["double"]


def test_after_warmup_nothing_is_compiled():
    stages = []
    warmup(stages.append)
    assert stages[-1].fraction == 1
    assert all(a.fraction <= b.fraction for a, b in pairwise(stages))
    rng = np.random.default_rng(1)
    hole = np.zeros((50, 60), bool)
    hole[20:30, 20:35] = True
    seen: list[str] = []
    with watching(seen.append):
        for image in (
            rng.integers(0, 256, (50, 60), np.uint8),
            rng.integers(0, 256, (50, 60, 4), np.uint8) | 1,
            rng.integers(0, 65536, (50, 60, 3), np.uint16),
            rng.random((50, 60, 3)),
        ):
            synth.fill(image, hole)
            synth.fill(image, hole, source=~hole)
            synth.nnf(image, image[::-1])
            synth.nnf(image, image[::-1], k=2)
        corner = np.zeros((9, 9), bool)
        corner[0, 0] = True
        small = rng.integers(0, 256, (9, 9, 3), np.uint8)
        synth.fill(small, corner)
        synth.nnf(small, small).reconstruct(small)
        wide = np.zeros((150, 160), bool)
        wide[50:110, 50:110] = True
        synth.fill(rng.integers(0, 256, (150, 160, 3), np.uint8), wide)
    assert seen == []


def test_after_warmup_nothing_is_compiled_for_edits_and_lit_planes():
    warmup()
    rng = np.random.default_rng(2)
    y, x = np.ogrid[:320, :320]
    tiles = np.where((y % 40 < 3) | (x % 40 < 3), 30, 160) + rng.integers(0, 9, (320, 320))
    floor = np.rint(tiles * np.linspace(0.6, 1.2, 320)[:, np.newaxis]).astype(np.uint8)
    hole = (y - 160) ** 2 + (x - 160) ** 2 < 50**2
    small = rng.integers(0, 256, (50, 60, 3), np.uint8)
    thing = np.zeros((50, 60), bool)
    thing[20:30, 10:20] = True
    seen: list[str] = []
    with watching(seen.append):
        for picture in (floor, np.repeat(floor[..., np.newaxis], 3, axis=2), floor / 255):
            synth.fill(picture, hole, quality="draft")
            synth.fill(picture, hole, quality="draft", planes=None, adapt="brightness")
        for picture in (small, small[..., 0], small.astype(np.uint16), small / 255):
            synth.retarget(picture, (50, 52), lines=[((5, 5), (40, 20))])
            synth.retarget(picture, (44, 70), protect=thing)
            synth.move(picture, thing, (3, 20))
            synth.reshuffle(picture, [(thing, (3, 20))], lines=[((5, 5), (45, 20))])
        synth.fill(small, thing, rotate=(-20, 20), mirror=True)
        synth.fill(small, thing, method="efros-leung", patch=5)
    assert seen == []


def test_the_cache_folder():
    folder = cache_folder()
    assert folder is None or folder.name
