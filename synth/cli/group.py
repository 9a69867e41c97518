"""The group of commands: loaded when used, errors in one line, exit codes as promised."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

import click

from synth.errors import DeviceError, FileError, InputError, InputTypeError, MissingExtraError

__all__ = ["FAILED", "MISSING", "WRONG_USAGE", "Commands", "interrupted", "path", "verdict"]

FAILED, WRONG_USAGE, MISSING = 1, 2, 3

_OURS = (InputError, InputTypeError, FileError)


class Commands(click.Group):
    """A group whose errors are one line and whose exit codes are those of the README.

    Parameters
    ----------
    homes : dict of str to str
        Command name to the module that holds it, under the same name; a module is imported when
        its command runs.
    """

    def __init__(self, *args: Any, homes: dict[str, str] | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.homes = homes or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.homes:
            return None
        command = getattr(importlib.import_module(self.homes[cmd_name]), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> Any:
        arguments = list(sys.argv[1:] if args is None else args)
        debug = "--debug" in arguments or bool(os.environ.get("SYNTH_DEBUG"))
        options["standalone_mode"] = False
        options["obj"] = _stand_in()
        from synth.interrupt import prompt_end

        with prompt_end() as ending, warnings.catch_warnings():
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = _show_warning
            try:
                code = super().main(arguments, *rest, **options) or 0
            except (Exception, KeyboardInterrupt) as error:
                code, text = verdict(error)
                if debug:
                    import traceback

                    traceback.print_exc()
                with contextlib.suppress(OSError):  # then the exit code says it alone
                    click.echo(f"synth: {text}", err=True)
                ending.leave()
            sys.exit(code)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args:  # click would have the help as the text of an error
            click.echo(ctx.get_help(), err=True)
            ctx.exit(WRONG_USAGE)
        return super().parse_args(ctx, args)


def _stand_in() -> set[str]:
    """Put the null device where a standard stream is closed; give the names of those.

    Files opened later would else take the number of the closed one, and its output with it.
    """
    closed = {name for name in ("stdin", "stdout", "stderr") if getattr(sys, name) is None}
    for name in ("stdin", "stdout", "stderr"):  # the lowest free number goes first
        if name in closed:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w"))  # noqa: SIM115
    return closed


def verdict(error: BaseException) -> tuple[int, str]:
    """Return the exit code for an error and the line that says it."""
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "synth"
        return WRONG_USAGE, f"{error.format_message().rstrip('.')} ('{command} --help' says how)"
    if interrupted(error):
        from synth.interrupt import STOPPED, ending

        return ending.code, STOPPED
    if isinstance(error, click.ClickException):
        return error.exit_code, error.format_message()
    if isinstance(error, MissingExtraError | DeviceError):
        return MISSING, str(error)
    if isinstance(error, _OURS):
        return FAILED, str(error)
    if isinstance(error, MemoryError):
        return (
            FAILED,
            f"not enough memory ({error}); crop or shrink the picture, or take fewer rows",
        )
    if isinstance(error, OSError) and error.strerror:
        where = error.filename or "standard output, or a file,"
        return FAILED, f"{where} cannot be read or written: {error.strerror}"
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return FAILED, f"unexpected error, {what} ('synth --debug ...' shows where)"


def interrupted(error: BaseException | None) -> bool:
    """Tell whether Ctrl-C or SIGTERM is behind it.

    Imports and compilations may turn the KeyboardInterrupt into an error of another kind.
    """
    from synth.interrupt import ending

    while error is not None and not isinstance(error, click.Abort | KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None or ending.signal != 0


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    click.echo(f"synth: {message}", err=True)


#: where reading fails `FileError` says so, with the exit code that a missing file has
path = partial(click.Path, readable=False)
