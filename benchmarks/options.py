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
#: options that name somebody's folders
_FOLDERS = ("--folder", "--pictures", "--out")


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


def command_line(module: str) -> str:
    """Give the command that was typed, so that a table says how it was made.

    Where somebody's own folders lie is nobody's business: pictures never, results only where they
    went into the repository.
    """
    shown = []
    before = ""
    for word in sys.argv[1:]:
        option, equals, value = word.partition("=")
        if before in _FOLDERS:
            shown.append(_folder(before, word))
        elif equals and option in _FOLDERS:
            shown.append(f"{option}={_folder(option, value)}")
        else:
            shown.append(shlex.quote(word))
        # a value is never an option, even if it is called like one
        before = "" if before in _FOLDERS else word
    return " ".join(["python", "-m", f"benchmarks.{module}", *shown])


def _folder(option: str, value: str) -> str:
    inside = Path(value).resolve().is_relative_to(RESULTS.parent.parent)
    return shlex.quote(value) if option == "--out" and inside else "…"
