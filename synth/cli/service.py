"""``synth demo``, ``synth info`` and ``synth warmup``."""

from __future__ import annotations

import json
from pathlib import Path

import click

__all__ = ["demo", "info", "warmup"]


@click.command()
def demo() -> None:
    """Remove an object from a photograph and make a texture; they go to ./synth-demo/."""
    from synth.compilation import watching
    from synth.demo import run
    from synth.display import display

    with display() as shown, watching(shown.compiling):
        with shown.following("demo") as callback:
            lines = run(Path("synth-demo"), callback)
        for line in lines:
            shown.note(line)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as one JSON object.")
def info(as_json: bool) -> None:
    """Show versions, threads, devices and the cache."""
    from synth.info import facts, lines

    found = facts()
    click.echo(json.dumps(found) if as_json else "\n".join(lines(found)))


@click.command()
def warmup() -> None:
    """Compile all kernels for this machine, so that no later run has to."""
    from synth.compilation import cache_folder
    from synth.compilation import warmup as compile_all
    from synth.display import display

    with display() as shown:
        with shown.following("compiling") as callback:
            compiled = compile_all(callback)
        folder = cache_folder()
        done = f"compiled {len(compiled)} kernels" if compiled else "all kernels were ready"
        if folder is not None:
            shown.note(f"{done}; they are kept in {folder}")
        else:
            shown.note(
                f"{done}; no folder to keep them in is writable, so every run compiles them "
                "again: set NUMBA_CACHE_DIR to one that is"
            )
