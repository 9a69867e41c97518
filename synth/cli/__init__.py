"""The command line: thin, and quick to start, because each command imports what it needs."""

from __future__ import annotations

import click

from synth._version import __version__
from synth.cli.group import Commands

__all__ = ["main"]

#: command -> the module that holds it
_HOMES = {
    "fill": "synth.cli.fill",
    "nnf": "synth.cli.nnf",
    "planes": "synth.cli.planes",
    "synthesize": "synth.cli.texture",
    "move": "synth.cli.editing",
    "reshuffle": "synth.cli.editing",
    "retarget": "synth.cli.editing",
    "bits": "synth.cli.bits",
    "density": "synth.cli.density",
    "demo": "synth.cli.service",
    "info": "synth.cli.service",
    "warmup": "synth.cli.service",
}


@click.group(cls=Commands, homes=_HOMES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="synth")
@click.option("--debug", is_flag=True, help="Show where an error comes from. [env: SYNTH_DEBUG]")
def main(debug: bool) -> None:
    """Classical image synthesis: every model is looked up instead of learned.

    Results go to files or standard output, everything for people to standard error.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 an extra or a device is missing.
    """
