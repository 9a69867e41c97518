"""What is installed is what is in the tree, and it works from anywhere."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from synth import __version__

ROOT = Path(__file__).parents[1]
#: folder in the tree -> folder in the wheel
FOLDERS = {"synth": "synth", "kernels": "synth/kernels"}
SHIPPED = {".py", ".typed", ".cu", ".cuh"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Build the wheel in a copy of the tree, so that nothing lands in the checkout."""
    pytest.importorskip("build")
    tree = tmp_path_factory.mktemp("tree")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist"]
    built = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = (tree / "dist").glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """Install the wheel into a folder of its own."""
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    command += ["--disable-pip-version-check", "--no-compile", "--target", str(target), str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def run(code: str, path: Path, folder: Path) -> str:
    """Run Python code in a folder with another on its path."""
    environment = {**os.environ, "PYTHONPATH": str(path)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_wheel_holds_the_tree(wheel):
    expected = set()
    for folder, home in FOLDERS.items():
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in SHIPPED and "__pycache__" not in path.parts:
                expected.add(f"{home}/{path.relative_to(ROOT / folder).as_posix()}")
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
        (metadata,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        text = archive.read(metadata).decode()
        assert any(name.endswith("/licenses/LICENSE") for name in archive.namelist())
    assert found == expected
    assert "Name: synth-classic\n" in text
    assert f"Version: {__version__}\n" in text


def test_the_installed_wheel_works_from_outside_the_tree(installed, tmp_path):
    code = (
        "import numpy, synth, synth.kernels; "
        "image = numpy.arange(40 * 40, dtype=numpy.uint8).reshape(40, 40); "
        "hole = numpy.zeros((40, 40), bool); hole[18:22, 18:22] = True; "
        "assert synth.fill(image, hole, quality='draft').shape == (40, 40); "
        "print(synth.__file__, synth.kernels.__path__[0], sep='\\n')"
    )
    home = [str(installed / "synth" / "__init__.py"), str(installed / "synth" / "kernels")]
    assert run(code, installed, tmp_path).splitlines() == home
    script = installed / "bin" / "synth"
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    for command, code in ((["--version"], 0), (["fill", "missing.png", "-o", "out.png"], 1)):
        done = subprocess.run(
            [sys.executable, str(script), *command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code
    assert done.stderr == "synth: missing.png does not exist; check the path\n"


def test_compiled_kernels_can_be_kept_elsewhere(installed, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    code = "from synth.compilation import cache_folder; print(cache_folder())"
    assert run(code, installed, tmp_path).startswith(str(tmp_path / "cache"))


def test_import_is_light(tmp_path):
    code = (
        "import sys, synth; "
        "print(*sorted({'numba', 'cv2', 'cupy', 'scipy', 'skimage', 'PIL', 'numpy'} "
        "& set(sys.modules)))"
    )
    assert run(code, ROOT, tmp_path) == ""


def test_public_names_are_there(tmp_path):
    code = "import synth; print(*(name for name in synth.__all__ if not hasattr(synth, name)))"
    assert run(code, ROOT, tmp_path) == ""


def test_every_package_is_listed():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = set(config["options"]["packages"].split())
    found = {"synth.kernels"}
    for folder, home in FOLDERS.items():
        for init in (ROOT / folder).rglob("__init__.py"):
            inside = init.parent.relative_to(ROOT / folder)
            found.add(".".join([*Path(home).parts, *inside.parts]))
    assert listed == found


@pytest.mark.parametrize(
    "command", ["pip install . && synth demo", "pip install '.[test]' && pytest"]
)
def test_the_readme_has_the_two_commands(command):
    assert (ROOT / "README.md").read_text(encoding="utf-8").splitlines().count(command) == 1


def test_modules_stay_short():
    long = {
        str(path.relative_to(ROOT)): lines
        for folder in (*FOLDERS, "tests", "benchmarks", "examples")
        for path in (ROOT / folder).rglob("*.py")
        if not any(part.startswith(".") for part in path.parts)
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > 420
    }
    assert not long, "over 400 lines are two ideas"
