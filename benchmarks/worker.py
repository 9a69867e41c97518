"""The child process: warms up, then times one call. Needs NumPy and the peer, nothing else."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np


def main(job: dict[str, Any]) -> None:
    """Run one job as `benchmarks.harness.ChildRunner` describes it."""
    inputs, warmup = (_load(job[key]) for key in ("inputs", "warmup"))
    options = job["options"]

    began = time.perf_counter()
    module, _, name = job["adapter"].partition(":")
    adapter = getattr(importlib.import_module(module), name)
    adapter(**warmup, **options)
    start = time.perf_counter() - began

    before = _resident_bytes(reset_peak=True)
    cpu, wall = _cpu_seconds(), time.perf_counter()
    result = adapter(**inputs, **options)
    wall, cpu = time.perf_counter() - wall, _cpu_seconds() - cpu
    peak = _peak_bytes()

    np.save(job["output"], np.asarray(result))
    numbers = {
        "wall": wall,
        "cpu": cpu,
        "start": start,
        "peak_mb": max(0, peak - before) / 1e6,
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            **{name: importlib.metadata.version(name) for name in job["distributions"]},
        },
    }
    Path(job["answer"]).write_text(json.dumps(numbers))


def _load(path: str) -> dict[str, Any]:
    with np.load(path) as file:
        return {key: file[key] for key in file.files}


def _cpu_seconds() -> float:
    """User and system seconds of this process, all threads, and of the children it waited for."""
    now = os.times()  # its own seconds come in hundredths here, too coarse for short calls
    return time.process_time() + now.children_user + now.children_system


def _resident_bytes(*, reset_peak: bool = False) -> int:
    """Bytes of memory this process holds now; on Linux the peak can start anew from here."""
    if reset_peak:
        try:
            Path("/proc/self/clear_refs").write_text("5")
        except OSError:  # not Linux, or not allowed: the peak is then that of the whole process
            return _peak_bytes()
    return _status_bytes("VmRSS") or _peak_bytes()


def _peak_bytes() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return _status_bytes("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _status_bytes(field: str) -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(x.split()[1]) * 1024 for x in lines if x.startswith(f"{field}:")), 0)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
