"""Text with commas, semicolons or tabs into rows of numbers, and what is wrong with the others."""

from __future__ import annotations

import csv
import io
import math
import re
from array import array
from collections.abc import Generator, Sequence
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
    delimiter = _delimiter(text)
    beginning = _records(text, name, delimiter)
    first = next(beginning, None)
    beginning.close()  # and with it a copy of the text
    if first is None:
        raise FileError(f"{name} is empty")
    fields = [field.strip() for field in first[1]]
    numbers = [field.lower() in _ABSENT or not math.isnan(_number(field)) for field in fields]
    if header is None:
        header = not all(numbers) or all(field.lower() in _ABSENT for field in fields)
    names = _filled(fields) if header else None
    taken, places = choose(name, names, len(fields), columns)
    at = first[0] + (1 if header else 0)
    quick = _clean(text, delimiter, at, len(fields))
    if quick is not None:
        where = np.arange(at, at + len(quick), dtype=np.int64)
        return taken, np.ascontiguousarray(quick[:, places]), where, ()
    lines = _records(text, name, delimiter)
    if header:
        next(lines)
    values, kept, bad = array("d"), array("q"), []
    for line, record in lines:
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


def _delimiter(text: str) -> str:
    bare = re.sub('"[^"]*"', "", text.lstrip("\r\n").partition("\n")[0])
    return max(",;\t", key=bare.count)


def _filled(fields: list[str]) -> list[str]:
    """Return the names of a header, x0, x1, … for empty ones that no other has."""
    names = []
    for k, field in enumerate(fields):
        own = field or f"x{k}"
        while not field and own in fields:
            own += "_"
        names.append(own)
    return names


def _clean(text: str, delimiter: str, line: int, width: int) -> NDArray[np.float64] | None:
    """Return all rows from a line on, if there is nothing but finite numbers: quicker."""
    if '"' in text or "\r" in text:
        return None
    lines = io.StringIO(text)
    for _ in range(line - 1):
        lines.readline()
    count = text.count("\n") + (not text.endswith("\n")) - (line - 1)
    if count <= 0:
        return None
    try:
        rows = np.loadtxt(lines, delimiter=delimiter, comments=None, ndmin=2)
    except ValueError:  # whatever it is, the slow way says it
        return None
    if rows.shape != (count, width) or not np.isfinite(rows).all():
        return None
    return rows


def _records(text: str, name: str, delimiter: str) -> Generator[tuple[int, list[str]], None, None]:
    """Yield each record that is not blank with the line it begins in."""
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
            comma = re.fullmatch(r"\s*[+-]?\d*,\d+\s*", text)
            mend = " (write a point for a decimal comma, and no others)" if comma else ""
            return f"has {text.strip()[:40]!r} in column {name}, which is no number{mend}"
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
    some = ", ".join(held[:20]) + (", …" if width > 20 else "")
    if absent:
        raise FileError(f"{file} has no column {absent[0]!r}; its columns are {some}")
    if not wanted or len(set(wanted)) < len(wanted):
        told = f"{', '.join(wanted)} are" if wanted else "no columns are"
        raise FileError(f"{told} to be taken from {file}, but different ones of {some} are needed")
    return wanted, [held.index(name) for name in wanted]
