"""The options both benchmarks share."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.harness import Method

__all__ = ["chosen", "command_line", "common_options"]

RESULTS = Path(__file__).resolve().parent / "results"


def common_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--methods``, ``--runs``, ``--out`` and ``--quick``."""
    for option in (
        click.option("--quick", is_flag=True, help="Small images, one run: does it all work?"),
        click.option(
            "--out",
            type=click.Path(file_okay=False, path_type=Path),
            default=RESULTS,
            help="Folder of the JSON, the table and the contact sheet.",
        ),
        click.option("--runs", type=click.IntRange(1), default=3, help="Runs of each method."),
        click.option(
            "--methods",
            default="all",
            help="Names or their beginnings, by commas ('synth,pypatchmatch'), 'peers' or 'all'.",
        ),
    ):
        command = option(command)
    return command


def chosen(wanted: str, methods: Sequence[Method]) -> list[Method]:
    """Pick the methods whose names start with one of ``wanted``, in the order of ``methods``."""
    if wanted == "all":
        return list(methods)
    if wanted == "peers":
        return [method for method in methods if not method.name.startswith("synth")]
    beginnings = [word.strip() for word in wanted.split(",") if word.strip()]
    for word in beginnings:
        if not any(method.name.startswith(word) for method in methods):
            known = ", ".join(method.name for method in methods)
            raise click.UsageError(f"no method is called {word!r}; there are {known}")
    return [m for m in methods if any(m.name.startswith(word) for word in beginnings)]


def command_line(module: str, *folders: Path | None) -> str:
    """Give the command that was typed, so that a table says how it was made.

    Where somebody's own ``folders`` lie is nobody's business.
    """
    command = shlex.join(["python", "-m", f"benchmarks.{module}", *sys.argv[1:]])
    for folder in folders:
        command = command.replace(str(folder), "…") if folder else command
    return command
