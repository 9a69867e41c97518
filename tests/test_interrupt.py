"""The program as a process: quick to start, quick to stop, and it leaves nothing half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from synth import __version__
from synth.interrupt import STOPPED

ROOT = Path(__file__).parents[1]


def python(code: str, *args: object, folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, args)]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True
    )


def test_the_version_needs_no_heavy_module(tmp_path):
    code = """
        import sys
        from synth.cli import main
        try:
            main(["--version"])
        finally:
            heavy = {"numpy", "numba", "scipy", "cv2", "PIL", "skimage", "rich"} & set(sys.modules)
            print(sorted(heavy))
    """
    out, _ = python(code, folder=tmp_path).communicate(timeout=60)
    assert out.splitlines() == [f"synth, version {__version__}", "[]"]


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "work",
    [
        "time.sleep(60)",
        # compiled code without the GIL, which does not hear of signals
        "hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)",
    ],
)
def test_signals_end_it_soon_and_leave_nothing(tmp_path, work, number):
    code = f"""
        import hashlib, signal, time
        import synth.batch
        from synth.cli import main
        from synth.unfinished import replacing

        signal.signal(signal.SIGINT, signal.default_int_handler)

        def fill_file(job, *_):
            with replacing(job.output) as temporary:
                temporary.write_bytes(b"half")
                print("at work", flush=True)
                {work}

        synth.batch.fill_file = fill_file
        main(["fill", "a.png", "-o", "b.png"])
    """
    process = python(code, folder=tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "at work\n"
    assert len(os.listdir(tmp_path)) == 1
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert f"synth: {STOPPED}\n" in err
    assert "Traceback" not in err
    assert not os.listdir(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", ["return {'seconds': {}, 'hole_pixels': 0}", "raise ValueError"])
def test_a_folder_run_ends_even_if_a_callback_loses_the_exception(tmp_path, number, after):
    code = f"""
        import signal, time
        import synth.batch
        from synth.cli import main

        signal.signal(signal.SIGINT, signal.default_int_handler)

        def fill_file(job, *_):
            print(job.relative, flush=True)
            try:
                time.sleep(60)
            except BaseException:
                pass
            {after}

        synth.batch.fill_file = fill_file
        main(["fill", "photos", "-o", "out"])
    """
    (tmp_path / "photos").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "photos" / name).touch()
    process = python(code, folder=tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "a.png\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert out == ""
    assert f"synth: {STOPPED}\n" in err
    assert "Traceback" not in err
