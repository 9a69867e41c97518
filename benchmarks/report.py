"""What a benchmark leaves behind: JSON with every run, a Markdown table, a contact sheet."""

from __future__ import annotations

import datetime
import json
import math
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

import synth
from benchmarks.harness import Cell

__all__ = [
    "Column",
    "Row",
    "contact_sheet",
    "machine",
    "markdown_table",
    "mean_rows",
    "preamble",
    "slow_note",
    "write_json",
]

Row = Mapping[str, float] | str  #: values by column, or the reason why there are none


@dataclass(frozen=True)
class Column:
    """One column: where its value is, how it prints, and which value is best, if any is."""

    key: str
    title: str
    form: str
    best: Literal["low", "high", "one", "none"]

    def merit(self, value: float) -> float:
        """How good ``value`` is; higher is better, and printed alike is equally good."""
        shown = float(format(value, self.form).rstrip("%"))
        if math.isnan(shown):
            return -math.inf
        return {"low": -shown, "high": shown, "one": -abs(shown - 1), "none": 0.0}[self.best]


def markdown_table(rows: Mapping[str, Row], columns: Sequence[Column]) -> str:
    """Set one table; the best value of every column is bold, whosever it is."""
    lines = [
        "| method | " + " | ".join(column.title for column in columns) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    measured = [row for row in rows.values() if not isinstance(row, str)]
    best = {
        column.key: max((column.merit(row[column.key]) for row in measured), default=0.0)
        for column in columns
    }
    for name, row in rows.items():
        if isinstance(row, str):
            reason = row.replace("|", "\\|")
            lines.append(f"| {name} | {reason} " + "| " * (len(columns) - 1) + "|")
            continue
        cells = []
        for column in columns:
            text = format(row[column.key], column.form)
            wins = column.best != "none" and column.merit(row[column.key]) == best[column.key]
            cells.append(f"**{text}**" if wins else text)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def mean_rows(cells: Sequence[Cell]) -> dict[str, Row]:
    """Average each method's medians over its cells; a method that failed in one has no mean."""
    rows: dict[str, Row] = {}
    for name in dict.fromkeys(cell.method.name for cell in cells):
        mine = [cell for cell in cells if cell.method.name == name]
        lost = [cell for cell in mine if not cell.medians]
        if lost:
            where = f" ({lost[0].case.name})" if len(lost) < len(mine) else ""
            rows[name] = f"failed{where}: {lost[0].failed or 'no runs'}"
            continue
        medians = [cell.medians for cell in mine]
        rows[name] = {key: float(np.mean([m[key] for m in medians])) for key in medians[0]}
    return rows


def machine() -> dict[str, Any]:
    """Describe what the figures were taken on."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "synth": _synth_version(),
    }


def write_json(path: Path, cells: Sequence[Cell], *, runs: int, command: str) -> None:
    """Write every run of every cell, and the machine."""
    content = {
        "machine": machine(),
        "command": command,
        "runs": runs,
        "cells": [
            {
                "case": cell.case.name,
                "group": cell.case.group,
                "method": cell.method.name,
                "threads": cell.method.threads,
                "options": dict(cell.method.options),
                "versions": dict(cell.versions),
                "failed": cell.failed,
                "medians": _finite(cell.medians),
                "runs": [_finite(run) for run in cell.runs],
            }
            for cell in cells
        ],
    }
    path.write_text(json.dumps(content, indent=1) + "\n")


def preamble(cells: Sequence[Cell], *, runs: int, command: str) -> str:
    """Say where, when and how the tables below it were made."""
    on = machine()
    versions = dict.fromkeys(
        f"{name} {version}"
        for cell in cells
        for name, version in cell.versions.items()
        if name not in ("python", "numpy")
    )
    notes = {cell.method.name: cell.method.note for cell in cells if cell.method.note}
    lines = [
        f"Made by `{command}` on {on['date']}: {on['processor']}, {on['cores']} cores, "
        f"{on['system']}, Python {on['python']}, synth {on['synth']}. "
        f"Medians of {runs} run(s), each with its own seed, the methods taking turns. Seconds "
        "are around the call alone: no imports, no compilation. MB is the peak above the start "
        "of the call. Bold is the best of a column.",
        "",
        f"Versions: {', '.join(versions)}.",
        "",
        *(f"- {name}: {note}." for name, note in notes.items()),
    ]
    return "\n".join(lines) + "\n"


def slow_note(patience: float) -> str:
    """Say what `benchmarks.harness.measure` did with its ``patience``."""
    return (
        f"A method whose runs on a case took over {patience:g} s was not run on it again: the "
        "JSON has how many there were.\n"
    )


def contact_sheet(
    rows: Mapping[str, Mapping[str, NDArray[np.uint8]]], path: Path, *, tile: int = 256
) -> None:
    """Lay named pictures out, a row a case, each scaled to fit ``tile`` pixels.

    The ending of ``path`` is the format: PNG, or JPEG where a PNG would be too large.
    """
    titles = list(dict.fromkeys(name for row in rows.values() for name in row))
    label, gap = 18, 4
    room = (tile - gap, tile - gap)
    scaled = {
        case: {
            name: ImageOps.contain(Image.fromarray(image), room, Image.Resampling.LANCZOS)
            for name, image in row.items()
        }
        for case, row in rows.items()
    }
    heights = [label + gap + max(one.height for one in row.values()) for row in scaled.values()]
    sheet = Image.new("RGB", (len(titles) * tile, sum(heights)), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=12)
    top = 0
    for (case, row), height in zip(scaled.items(), heights, strict=True):
        for x, name in enumerate(titles):
            draw.text((x * tile + 4, top + 2), f"{case} · {name}", "black", font)
            if name in row:
                sheet.paste(row[name], (x * tile, top + label))
            else:
                draw.text((x * tile + 4, top + label + 4), "no picture", "red", font)
        top += height
    sheet.save(path, quality=88)


def _finite(values: Mapping[str, float]) -> dict[str, float | None]:
    """Replace what JSON cannot say, such as the PSNR of a perfect fill, by null."""
    return {key: value if math.isfinite(value) else None for key, value in values.items()}


def _synth_version() -> str:
    """Give the version and, in a checkout, the commit; a + marks changes that are in none."""
    root = Path(__file__).resolve().parent.parent
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
            cwd=root,
            capture_output=True,
            text=True,
        )
    except OSError:  # no git here
        return synth.__version__
    return f"{synth.__version__} {described.stdout.strip()}".strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
