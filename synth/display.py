"""What people see on standard error while work is done: a bar on a terminal, and notes."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import click

from synth.progress import Callback, Progress

__all__ = ["Display", "display"]


class Display:
    """Notes and, where standard error is a terminal, a bar."""

    def __init__(self, bar: Any = None) -> None:
        self._bar = bar
        self._told_of_compiling = False

    def note(self, text: str) -> None:
        """Write one line, above the bar where there is one."""
        if self._bar is None:
            click.echo(f"synth: {text}", err=True)
        else:
            self._bar.console.print(
                f"synth: {text}", markup=False, highlight=False, soft_wrap=True
            )

    @contextlib.contextmanager
    def following(self, name: str) -> Iterator[Callback | None]:
        """Give a callback that shows the work called ``name``; None where nothing is shown."""
        if self._bar is None:
            yield None
            return
        task = self._bar.add_task(name, total=1.0)

        def show(progress: Progress) -> None:
            self._bar.update(
                task, completed=progress.fraction, description=f"{name}: {progress.stage}"
            )

        try:
            yield show
        finally:
            self._bar.remove_task(task)

    def compiling(self, _: str) -> None:
        """Say once that kernels are compiled; for `synth.compilation.watching`."""
        if not self._told_of_compiling:
            self._told_of_compiling = True
            self.note(
                "compiling for this machine, on the first run only ('synth warmup' does it all)"
            )


@contextlib.contextmanager
def display() -> Iterator[Display]:
    """Open the display of one command."""
    if not sys.stderr.isatty():
        yield Display()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Display(bar)
