"""The command line where something is wrong: exit codes, one line each, nothing left behind."""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from synth.cli import main
from synth.errors import DeviceError
from synth.files import save
from synth.interrupt import STOPPED
from tests.conftest import noise, write_pair


def test_bad_files_are_one_line_each_and_leave_nothing(run, filling, bad_files):
    folder, messages = bad_files
    mask = folder.parent / "mask.png"
    save(mask, np.full((8, 8), 255, np.uint8))
    before = sorted(os.listdir(folder.parent))
    for name in messages:
        if name == "folder.png":
            continue
        done = run("fill", folder / name, "-m", mask, "-o", folder.parent / "out.png")
        assert done.code == 1
        assert done.err.count("\n") == 1
        assert done.err.startswith("synth: ")
        assert name in done.err
        assert sorted(os.listdir(folder.parent)) == before
    assert not filling


def test_a_very_thin_image_fails_in_one_line(run, tmp_path):
    save(tmp_path / "long.png", noise((1, 100_000), "uint8"))
    mask = np.zeros((1, 100_000), np.uint8)
    mask[0, 500:600] = 255
    save(tmp_path / "mask.png", mask)
    out = tmp_path / "out.png"
    done = run("fill", tmp_path / "long.png", "-m", tmp_path / "mask.png", "-o", out)
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "unexpected" not in done.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["fill", "a.png"], "Missing option"),
        (["fill", "a.png", "-o", "-", "--json"], "both write to standard output"),
        (["fill", "-", "-m", "-", "-o", "b.png"], "cannot both come from standard input"),
        (["fill", "a.png", "-o", "b.png", "--quality", "great"], "'great' is not one of"),
        (["fill", "a.png", "-o", "b.png", "--seed", "-1"], "-1 is not in the range"),
        (["nothing"], "No such command"),
        (["--nothing"], "No such option"),
    ],
)
def test_wrong_usage_is_one_line_and_2(run, args, message):
    done = run(*args)
    assert done.code == 2
    assert message in done.err
    assert done.err.count("\n") == 1
    assert "--help" in done.err


def test_without_a_command_the_help_is_shown(run):
    done = run()
    assert (done.code, done.out) == (2, b"")
    assert done.err.startswith("Usage: ")
    assert "says how" not in done.err


@pytest.mark.parametrize(
    ("closed", "args", "code", "message"),
    [
        ("stdout", ["info"], 0, ""),
        ("stdout", ["fill", "a.png", "-m", "masks/a.png", "-o", "-"], 1, "output is closed"),
        ("stdout", ["fill", "a.png", "-m", "masks/a.png", "-o", "b.png", "--json"], 0, ""),
        ("stdin", ["fill", "-", "-m", "masks/a.png", "-o", "b.png"], 1, "input is closed"),
        ("stdin", ["fill", "a.png", "-m", "-", "-o", "b.png"], 1, "input is closed"),
        ("stdin", ["fill", "a.png", "-m", "masks/a.png", "-o", "b.png"], 0, "wrote b.png"),
        ("stderr", ["fill", "a.png", "-m", "masks/a.png", "-o", "b.png"], 0, None),
        ("stderr", ["fill", "missing.png", "-o", "b.png"], 1, None),
    ],
)
def test_closed_streams(filling, capfd, monkeypatch, tmp_path, closed, args, code, message):
    monkeypatch.chdir(tmp_path)
    write_pair(tmp_path)
    monkeypatch.setattr(sys, closed, None)
    with pytest.raises(SystemExit) as caught:
        main(args)
    err = capfd.readouterr().err
    assert caught.value.code == code
    if message is not None:
        assert err.count("\n") == bool(message)
        assert message in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize(
    "args",
    [
        ["info"],
        ["--help"],
        ["fill", "a.png", "-m", "masks/a.png", "-o", "-"],
        ["fill", "a.png", "-m", "masks/a.png", "-o", "b.png", "--json"],
    ],
)
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_full_streams(filling, capfd, monkeypatch, tmp_path, name, args):
    monkeypatch.chdir(tmp_path)
    write_pair(tmp_path)
    full = io.TextIOWrapper(io.FileIO("/dev/full", "w"), write_through=True)
    monkeypatch.setattr(sys, name, full)
    with pytest.raises(SystemExit) as caught:
        main(args)
    if name == "stderr":  # nothing is said there
        assert caught.value.code == 0
        return
    err = capfd.readouterr().err
    assert caught.value.code == 1
    assert err.count("\n") == 1
    assert "No space left on device" in err
    assert "unexpected" not in err


@pytest.mark.parametrize(
    ("picture", "output", "message"),
    [
        ("a.png", "b.gif", "no image format known"),
        ("a.png", "nowhere/b.png", "no folder"),
        ("a.png", "taken.png", "exists already"),
        ("rgba.png", "b.jpg", "transparency; write PNG or WebP or TIFF"),
        ("a.png", "b.png", "has no transparent pixels.*-m MASK"),
        ("missing.png", "b.png", "does not exist"),
    ],
)
def test_what_cannot_work_is_said_before_the_work(
    run, filling, tmp_path, picture, output, message
):
    write_pair(tmp_path)
    save(tmp_path / "rgba.png", noise((12, 10, 4), "uint8"))
    save(tmp_path / "taken.png", noise((12, 10, 4), "uint8"))
    done = run("fill", tmp_path / picture, "-o", tmp_path / output)
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert re.search(message, done.err)
    assert not filling


@pytest.mark.parametrize("unreadable", ["a.png", "masks/a.png"])
def test_an_unreadable_file_fails_like_a_missing_one(
    run, filling, monkeypatch, tmp_path, unreadable
):
    write_pair(tmp_path)
    access, read_bytes = os.access, Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path == tmp_path / unreadable:
            raise PermissionError(13, "Permission denied", str(path))
        return read_bytes(path)

    # not by the rights of the file, which the superuser has all the same
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.R_OK and access(path, mode))
    monkeypatch.setattr(Path, "read_bytes", refuse)
    options = ("-m", tmp_path / "masks/a.png", "-o", tmp_path / "b.png")
    done = run("fill", tmp_path / "a.png", *options)
    assert done.code == 1
    assert done.err == f"synth: {tmp_path / unreadable} cannot be read: Permission denied\n"


def test_exit_codes_of_missing_devices_and_surprises(run, filling, monkeypatch, tmp_path):
    write_pair(tmp_path)
    mask, out = tmp_path / "masks/a.png", tmp_path / "b.png"
    options = ("fill", tmp_path / "a.png", "-m", mask, "-o", out)
    wrapped = RuntimeError("an import failed")
    wrapped.__cause__ = KeyboardInterrupt()
    for error, code, text in [
        (wrapped, 130, f"synth: {STOPPED}\n"),
        (DeviceError("there is no GPU"), 3, "synth: there is no GPU\n"),
        (KeyError("oh\nno"), 1, "unexpected error, KeyError"),
        (MemoryError("too much"), 1, "not enough memory"),
        (KeyboardInterrupt(), 130, f"synth: {STOPPED}\n"),
    ]:

        def fail(*_: object, error: BaseException = error, **__: object) -> None:
            raise error

        monkeypatch.setattr("synth.patchmatch.fill.fill_details", fail)
        done = run(*options)
        assert done.code == code
        assert text in done.err
        assert "Traceback" not in done.err
        assert not out.exists()
    monkeypatch.setenv("SYNTH_DEBUG", "1")
    assert "Traceback" in run(*options).err
