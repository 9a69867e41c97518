"""Each peer in a virtual environment of its own, made on first use under ``benchmarks/.peers``."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.harness import Method, MethodFailed, this_python

__all__ = ["Environments"]


class Environments:
    """Finds or makes the environments, and remembers for this run which could not be made.

    Parameters
    ----------
    folder : Path, optional
        Where they are kept; deleting it makes all of them anew.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(__file__).resolve().parent / ".peers"
        self._failed: dict[tuple[str, ...], str] = {}

    def python_of(self, method: Method) -> str:
        """Give the interpreter that has ``method``'s requirements.

        Raises
        ------
        MethodFailed
            With pip's own last word, if they cannot be installed.
        """
        wanted = method.requirements
        if not wanted:
            return this_python(method)
        if wanted in self._failed:
            raise MethodFailed(self._failed[wanted])
        home = self.folder / _folder_name(wanted)
        python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        if not (home / "ready").exists():
            try:
                _make(home, python, wanted)
            except MethodFailed as reason:
                self._failed[wanted] = str(reason)
                raise
        return str(python)


def _folder_name(requirements: tuple[str, ...]) -> str:
    """Name a folder after the first requirement, and after all of them and the interpreter."""
    key = "\n".join((*requirements, sys.version)).encode()
    plain = "".join(c if c.isalnum() or c == "-" else "-" for c in requirements[0])
    return f"{plain}-{hashlib.sha256(key).hexdigest()[:8]}"


def _make(home: Path, python: Path, requirements: tuple[str, ...]) -> None:
    shutil.rmtree(home, ignore_errors=True)
    print(f"installing {', '.join(requirements)} into {home}", file=sys.stderr)
    venv.create(home, with_pip=True)
    installed = subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         *requirements],
        capture_output=True,
        text=True,
        errors="replace",
    )  # fmt: skip
    if installed.returncode != 0:
        said = [line for line in installed.stderr.splitlines() if "ERROR" in line]
        reason = said[-1] if said else f"pip ended with status {installed.returncode}"
        raise MethodFailed(f"not installed: {reason.removeprefix('ERROR: ')}")
    (home / "ready").touch()
