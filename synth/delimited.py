"""Text with commas, semicolons or tabs into rows of numbers, and what is wrong with the others."""

from __future__ import annotations

import csv
import io
import math
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.errors import FileError

__all__ = ["BadRow", "choose", "fault", "parse"]

#: How files write that there is no value, in lower case.
_ABSENT = frozenset(["", "na", "n/a", "nan", "null", "none"])


@dataclass(frozen=True)
class BadRow:
    """A row that was left out: where it is, counted from 1, and what is wrong with it."""

    line: int
    why: str


def parse(
    text: str,
    name: str,
    columns: Sequence[str] | None,
    missing: bool,
    header: bool | None,
) -> tuple[tuple[str, ...], NDArray[np.float64], NDArray[np.int64], tuple[BadRow, ...]]:
    """Return names, rows, the line of each row, and what was left out."""
    lines = _records(text, name)
    first = next(lines, None)
    if first is None:
        raise FileError(f"{name} is empty")
    fields = [field.strip() for field in first[1]]
    numbers = [field.lower() in _ABSENT or not math.isnan(_number(field)) for field in fields]
    if header is None:
        header = not all(numbers) or all(field.lower() in _ABSENT for field in fields)
    names = [field or f"x{k}" for k, field in enumerate(fields)] if header else None
    taken, places = choose(name, names, len(fields), columns)
    values, kept, bad = array("d"), array("q"), []
    for line, record in lines if header else _chain(first, lines):
        if len(record) != len(fields):
            bad.append(BadRow(line, f"has {len(record)} values, but there are {len(fields)}"))
            continue
        row = [_number(record[place]) for place in places]
        why = fault(taken, row, [record[place] for place in places], missing)
        if why:
            bad.append(BadRow(line, why))
        else:
            values.extend(row)
            kept.append(line)
    rows = np.array(values, np.float64).reshape(-1, len(places))
    return taken, rows, np.array(kept, np.int64), tuple(bad)


def _records(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record that is not blank with the line it begins in."""
    bare = re.sub('"[^"]*"', "", text.lstrip("\r\n").partition("\n")[0])
    delimiter = max(",;\t", key=bare.count)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True
    )
    before = 0
    try:
        for record in reader:
            if record and (len(record) > 1 or record[0].strip()):
                yield before + 1, record
            before = reader.line_num
    except csv.Error as error:
        raise FileError(f"{name} is no CSV, in line {reader.line_num}: {error}") from error


def _chain(
    first: tuple[int, list[str]], rest: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, list[str]]]:
    yield first
    yield from rest


def _number(text: str) -> float:
    """Return the number that is written there, else NaN."""
    try:
        return float(text) if "_" not in text else math.nan  # Python would read 1_000
    except ValueError:
        return math.nan


def fault(names: Sequence[str], row: list[float], texts: list[str], missing: bool) -> str:
    """Say what is wrong with a row of a text file, if anything is."""
    if all(map(math.isfinite, row)):
        return ""
    absent = [math.isnan(x) and text.strip().lower() in _ABSENT
              for x, text in zip(row, texts, strict=True)]  # fmt: skip
    for name, value, text, gone in zip(names, row, texts, absent, strict=True):
        if math.isnan(value) and not gone:
            return f"has {text.strip()[:40]!r} in column {name}, which is no number"
        if math.isinf(value):
            return f"has infinity in column {name}"
        if gone and not missing:
            return f"has no value in column {name}"
    return "has no value at all" if all(absent) else ""


def choose(
    file: str, names: Sequence[str] | None, width: int, columns: Sequence[str] | None
) -> tuple[tuple[str, ...], list[int]]:
    """Return the names to take and where they are."""
    held = [f"x{k}" for k in range(width)] if names is None else list(names)
    twice = sorted({name for name in held if held.count(name) > 1})
    if twice:
        raise FileError(f"{file} has two columns of the name {twice[0]!r}; rename one")
    if columns is None:
        return tuple(held), list(range(width))
    wanted = tuple(columns)
    absent = [name for name in wanted if name not in held]
    if absent and names is None and len(wanted) == width:
        return wanted, list(range(width))
    if absent or not wanted or len(set(wanted)) < len(wanted):
        told = f"no column {absent[0]!r}" if absent else "different columns to be named"
        some = ", ".join(held[:20]) + (", …" if width > 20 else "")
        raise FileError(f"{file} has {told}; its columns are {some}")
    return wanted, [held.index(name) for name in wanted]
