"""Denoisers side by side: ``python -m benchmarks.denoising --runs 3``."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

import synth
from benchmarks.denoising_peers import denoising_methods
from benchmarks.environments import Environments
from benchmarks.harness import Case, Cell, ChildRunner, MethodFailed, measure
from benchmarks.options import chosen, command_line, common_options
from benchmarks.photographs import original
from benchmarks.report import (
    Column,
    contact_sheet,
    markdown_table,
    mean_rows,
    preamble,
    write_json,
)
from synth.compare import psnr, ssim

SIGMA = 25.0
TESTED = ("camera", "astronaut", "coffee", "chelsea")
TAUGHT = ("rocket", "motorcycle", "china", "flower")
COLUMNS = (
    Column("psnr", "PSNR", ".2f", "high"),
    Column("ssim", "SSIM", ".3f", "high"),
    Column("wall", "s", ".2f", "low"),
    Column("cpu", "CPU s", ".2f", "low"),
    Column("peak_mb", "MB", ".0f", "low"),
)


def cases(*, quick: bool) -> list[Case]:
    """Make noisy photographs, grey and in colour, at the size they come in."""
    made = []
    for group in ("grey", "colour"):
        for name in TESTED:
            truth = original(name)
            if group == "grey":
                truth = _grey(truth)
            elif truth.ndim == 2:
                continue
            if quick:
                truth = np.ascontiguousarray(truth[100:228, 100:228])
            made.append(_case(f"{name} {group}", group, truth))
    return made


def score(case: Case, clean: NDArray[Any]) -> Mapping[str, float]:
    """Measure a picture against the one without noise.

    Raises
    ------
    MethodFailed
        If it is no image of the right shape and type.
    """
    truth = case.truth["image"]
    if clean.shape != truth.shape or clean.dtype != truth.dtype:
        raise MethodFailed(f"gave {clean.shape} {clean.dtype} for {truth.shape} {truth.dtype}")
    everywhere = np.ones(truth.shape[:2], np.bool_)
    return {"psnr": psnr(clean, truth, everywhere), "ssim": ssim(clean, truth, everywhere)}


def taught_prior(folder: Path, *, quick: bool) -> tuple[Path, float | None]:
    """Fit a prior on other photographs, once; returns its file, and seconds if it was made now."""
    options = (8, 5_000, 5) if quick else (64, 100_000, 40)
    source = Path(synth.__file__).parent / "density"
    code = b"".join(path.read_bytes() for path in sorted(source.glob("patch*.py")))
    key = hashlib.sha256(code + repr((TAUGHT, options)).encode()).hexdigest()[:16]
    path = folder / f"prior-{key}.npz"
    if path.exists():
        return path, None
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    components, samples, max_iter = options
    prior = synth.PatchPrior(components, samples=samples, max_iter=max_iter)
    prior.fit([original(name) for name in TAUGHT])
    seconds = time.perf_counter() - began
    prior.save(path)
    return path, seconds


@click.command()
@common_options
def main(methods: str, runs: int, out: Path, quick: bool) -> None:
    """Take the same noise off by every method and tell what each cost and how good it is."""
    runs = 1 if quick else runs
    prior, seconds = taught_prior(Path(__file__).resolve().parent / ".cache", quick=quick)
    if seconds is not None:
        print(f"fitted the prior in {seconds:.0f} s", file=sys.stderr)
    cells = measure(
        chosen(methods, denoising_methods(prior)),
        cases(quick=quick),
        runs=runs,
        runner=ChildRunner(Environments().python_of),
        score=score,
        say=lambda line: print(line, file=sys.stderr),
    )
    out.mkdir(parents=True, exist_ok=True)
    command = command_line("denoising")
    write_json(out / "denoising.json", cells, runs=runs, command=command)
    (out / "denoising.md").write_text(_page(cells, runs, command))
    contact_sheet(_sheet(cells), out / "denoising.png", tile=192)
    print(out / "denoising.md")


def _grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image if image.ndim == 2 else np.rint(image.mean(axis=2)).astype(np.uint8)


def _case(name: str, group: str, truth: NDArray[np.uint8]) -> Case:
    noise = np.random.default_rng(0).normal(0, SIGMA, truth.shape)
    noisy = np.clip(np.rint(truth + noise), 0, 255).astype(np.uint8)
    small = np.ascontiguousarray(noisy[:64, :64])
    sigma = np.array(SIGMA)
    return Case(
        name,
        group,
        inputs={"image": noisy, "sigma": sigma},
        warmup={"image": small, "sigma": sigma},
        truth={"image": truth},
    )


def _page(cells: list[Cell], runs: int, command: str) -> str:
    page = "# Denoising, side by side\n\n" + preamble(cells, runs=runs, command=command)
    page += (
        f"\nOne thread. White noise of σ = {SIGMA:g}, rounded and cut to 0 … 255 before any "
        "method sees it, the same in every run. Photographs of scikit-image at their own size; "
        f"the prior was fitted on others ({', '.join(TAUGHT)}), which scikit-image and "
        "scikit-learn ship. Grey is the mean of the channels.\n"
    )
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores:
        page += (
            f"\nOther programs were busy (load average {load:.0f} on {cores} cores): wall seconds "
            "are too long, CPU seconds less so.\n"
        )
    for group in dict.fromkeys(cell.case.group for cell in cells):
        members = [cell for cell in cells if cell.case.group == group]
        page += f"\n## {group}: mean over the photographs\n\n"
        page += markdown_table(mean_rows(members), COLUMNS)
    page += "\n# Photograph by photograph\n"
    for case in dict.fromkeys(cell.case.name for cell in cells):
        one = [cell for cell in cells if cell.case.name == case]
        page += f"\n## {case}\n\n" + markdown_table(mean_rows(one), COLUMNS)
    return page


def _sheet(cells: list[Cell]) -> dict[str, dict[str, NDArray[np.uint8]]]:
    """Show a window of each case: the noise, the truth, then what each method made of it."""
    rows: dict[str, dict[str, NDArray[np.uint8]]] = {}
    for cell in cells:
        height, width = cell.case.truth["image"].shape[:2]
        top, left = max(0, height // 4 - 20), max(0, width // 2 - 64)
        box = np.s_[top : top + 128, left : left + 128]
        row = rows.setdefault(
            cell.case.name,
            {"noisy": cell.case.inputs["image"][box], "truth": cell.case.truth["image"][box]},
        )
        if cell.picture is not None and cell.failed is None:
            row[cell.method.name] = cell.picture[box]
    return rows


if __name__ == "__main__":
    main()
