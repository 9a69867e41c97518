"""The command line: thin, and quick to start, because each command imports what it needs."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from synth._version import __version__
from synth.errors import DeviceError, FileError, InputError, InputTypeError, MissingExtraError

__all__ = ["main"]

FAILED, WRONG_USAGE, MISSING = 1, 2, 3

_OURS = (InputError, InputTypeError, FileError)


class _Commands(click.Group):
    """A group whose errors are one line and whose exit codes are those of the README."""

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
                code, text = _verdict(error)
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


def _verdict(error: BaseException) -> tuple[int, str]:
    """Return the exit code for an error and the line that says it."""
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "synth"
        return WRONG_USAGE, f"{error.format_message().rstrip('.')} ('{command} --help' says how)"
    if _interrupted(error):
        from synth.interrupt import ending

        return ending.code, "stopped; no half-written file is left"
    if isinstance(error, click.ClickException):
        return error.exit_code, error.format_message()
    if isinstance(error, MissingExtraError | DeviceError):
        return MISSING, str(error)
    if isinstance(error, _OURS):
        return FAILED, str(error)
    if isinstance(error, MemoryError):
        return FAILED, f"not enough memory ({error}); crop or shrink the picture"
    if isinstance(error, OSError) and error.strerror:
        where = error.filename or "standard output, or a file,"
        return FAILED, f"{where} cannot be read or written: {error.strerror}"
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return FAILED, f"unexpected error, {what} ('synth --debug ...' shows where)"


def _interrupted(error: BaseException | None) -> bool:
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
_path = partial(click.Path, readable=False)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="synth")
@click.option("--debug", is_flag=True, help="Show where an error comes from. [env: SYNTH_DEBUG]")
def main(debug: bool) -> None:
    """Classical image synthesis: every model is looked up instead of learned.

    Results go to files or standard output, everything for people to standard error.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 an extra or a device is missing.
    """


@main.command()
@click.argument("picture", metavar="IN", type=_path(allow_dash=True))
@click.option(
    "-m",
    "--mask",
    type=_path(allow_dash=True),
    help="White where it is to be filled: one file, or a folder with files of the same stems. "
    "Without it, transparent pixels are filled and become opaque.",
)
@click.option("-o", "--output", metavar="OUT", required=True, type=_path(allow_dash=True))
@click.option(
    "--quality",
    type=click.Choice(["draft", "normal", "best"]),
    default="normal",
    show_default=True,
    help="How many rounds of search and vote: better takes longer.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**64 - 1),
    metavar="N",
    default=0,
    show_default=True,
    help="Another seed is another answer; the same seed gives the same bytes.",
)
@click.option(
    "--source",
    metavar="MASK",
    type=_path(),
    help="White where may be copied from: one file, or a folder as for masks.",
)
@click.option("--resize-mask", is_flag=True, help="Resize masks of another size than the picture.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done, one object a picture.")
def fill(
    picture: str,
    mask: str | None,
    output: str,
    quality: str,
    seed: int,
    source: str | None,
    resize_mask: bool,
    overwrite: bool,
    as_json: bool,
) -> int:
    """Fill holes in a picture, or in a folder of pictures, from the rest of each.

    IN and OUT are two files, or two folders (names are kept), or - for standard input and output.
    PNG, JPEG, WebP, TIFF and BMP, with 8 or 16 bits a channel; profile and EXIF are kept.
    """
    from synth.batch import STREAM, Settings, plan

    if as_json and output == STREAM:
        raise click.UsageError("--json and -o - would both write to standard output; choose one")
    if picture == mask == STREAM:
        raise click.UsageError("the picture and the mask cannot both come from standard input")
    closed = click.get_current_context().obj
    if output == STREAM and "stdout" in closed:
        raise FileError("standard output is closed, and -o - writes the image to it")
    if STREAM in (picture, mask) and "stdin" in closed:
        raise FileError("standard input is closed, and - reads the image from it")
    if output == STREAM and sys.stdout.isatty():
        raise click.UsageError("-o - writes the image itself; send it to a file or a pipe")
    if Path(picture).is_dir() and not overwrite and _same(picture, output):
        raise click.UsageError(
            f"the output is the folder of the pictures itself ({output}); choose another, "
            "or pass --overwrite"
        )
    jobs = plan(picture, output, mask, source)
    return _run(jobs, Settings(quality, seed, resize_mask, overwrite), as_json)


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _run(jobs: Any, settings: Any, as_json: bool) -> int:
    from synth.batch import STREAM, fill_file
    from synth.compilation import watching
    from synth.display import display
    from synth.interrupt import ending

    failures = []
    with display() as shown, watching(shown.compiling):
        if jobs.skipped:
            some = ", ".join(jobs.skipped[:3]) + (", …" if len(jobs.skipped) > 3 else "")
            shown.note(f"skipped {len(jobs.skipped)} that are not images: {some}")
        for number, job in enumerate(jobs.jobs, 1):
            if ending.signal:  # whose exception was lost in the job before
                raise KeyboardInterrupt
            place = f"[{number}/{len(jobs.jobs)}] " if jobs.is_folder else ""
            try:
                with shown.following(place + (job.relative or job.picture)) as callback:
                    done = fill_file(job, settings, callback)
            except Exception as error:
                if not jobs.is_folder or _interrupted(error):
                    raise
                shown.note(f"{place}{_verdict(error)[1]}")
                failures.append(job.relative)
                continue
            if as_json:
                click.echo(json.dumps(done))
            elif job.output != STREAM:
                seconds = sum(done["seconds"].values())
                shown.note(
                    f"{place}wrote {job.output}: {done['hole_pixels']} pixels filled "
                    f"in {seconds:.1f} s"
                )
        if failures:
            shown.note(
                f"{len(failures)} of {len(jobs.jobs)} could not be filled: {', '.join(failures)}"
            )
    return FAILED if failures else 0


@main.command()
@click.argument("target", metavar="A", type=_path())
@click.argument("source", metavar="B", type=_path())
@click.option("-o", "--output", metavar="FIELD.npz", required=True, type=_path(dir_okay=False))
@click.option("--plot", metavar="FIELD.png", type=_path(dir_okay=False))
@click.option(
    "--quality",
    type=click.Choice(["draft", "fast", "accurate", "exact"]),
    default="fast",
    show_default=True,
    help="draft searches least; exact compares everything, which is slow.",
)
@click.option("--patch", type=click.IntRange(1), default=7, show_default=True, help="In pixels.")
@click.option(
    "--seed", type=click.IntRange(0, 2**64 - 1), metavar="N", default=0, show_default=True
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
def nnf(
    target: str,
    source: str,
    output: str,
    plot: str | None,
    quality: str,
    patch: int,
    seed: int,
    overwrite: bool,
) -> None:
    """Find for each patch of picture A the most similar patch of picture B.

    The field is written as NumPy's npz; --plot draws it as a colour wheel of offsets.
    """
    import synth
    from synth.codecs import format_of
    from synth.compilation import watching
    from synth.display import display
    from synth.files import load
    from synth.unfinished import check_target

    if not output.lower().endswith(".npz"):
        raise InputError(f"{output} must end in .npz, the format that fields are written in")
    for path in (output, plot):
        if path is not None:
            check_target(path, overwrite=overwrite)
    if plot is not None:
        format_of(plot)
    pixels = [load(path).pixels for path in (target, source)]
    with display() as shown, watching(shown.compiling):
        with shown.following("nearest neighbours") as callback:
            field = synth.nnf(
                *pixels,
                patch=patch,
                quality=quality,  # type: ignore[arg-type]  # click has checked it
                seed=seed,
                callback=callback,
            )
        field.save(output, overwrite=overwrite)
        shown.note(f"wrote {output}")
        if plot is not None:
            field.plot(plot, overwrite=overwrite)
            shown.note(f"wrote {plot}")


@main.command()
def demo() -> None:
    """Remove an object from a photograph; the pictures go to ./synth-demo/."""
    from synth.compilation import watching
    from synth.demo import run
    from synth.display import display

    with display() as shown, watching(shown.compiling):
        with shown.following("demo") as callback:
            lines = run(Path("synth-demo"), callback)
        for line in lines:
            shown.note(line)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as one JSON object.")
def info(as_json: bool) -> None:
    """Show versions, threads, devices and the cache."""
    from synth.info import facts, lines

    found = facts()
    click.echo(json.dumps(found) if as_json else "\n".join(lines(found)))


@main.command()
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


if __name__ == "__main__":
    main()
