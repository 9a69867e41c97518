"""Tables of numbers in files: CSV, NumPy's npy and npz, Parquet; columns keep their names."""

from __future__ import annotations

import csv
import os
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synth.delimited import BadRow, choose, fault, parse
from synth.errors import FileError, InputError, MissingExtraError
from synth.unfinished import check_target, replacing

__all__ = ["BadRow", "Table", "check_table_target", "load_table", "save_table"]

_ENDINGS = (".csv", ".tsv", ".npy", ".npz", ".parquet")


@dataclass(frozen=True)
class Table:
    """Rows of numbers, and where they come from.

    Attributes
    ----------
    columns : tuple of str
        d names; x0, x1, … where the file has none.
    rows : (n, d) float64 ndarray
        NaN where a value is missing, if that was allowed.
    lines : (n,) int64 ndarray
        The line of each row in a text file, else its number; both from 1.
    bad : tuple of BadRow
        What was left out, in order.
    """

    columns: tuple[str, ...]
    rows: NDArray[np.float64]
    lines: NDArray[np.int64]
    bad: tuple[BadRow, ...] = ()


def load_table(
    path: str | os.PathLike[str],
    *,
    columns: Sequence[str] | None = None,
    missing: bool = False,
    header: bool | None = None,
) -> Table:
    """Load columns of numbers; rows that hold anything else are left out, and listed.

    Parameters
    ----------
    path : str or path
        A CSV (comma, semicolon or tab; UTF-8), npy, npz (an array for each column) or Parquet
        file; "-" reads a CSV from standard input.
    columns : sequence of str, optional
        Which to take, in this order; all if not given. Files without names have x0, x1, …, and
        as many columns as are asked for may be taken by position.
    missing : bool
        Keep rows with missing values (empty, NA, NaN, null) and write NaN for those.
    header : bool, optional
        Whether a CSV begins with names. By default it does if a value in its first line is
        neither a number nor missing.

    Returns
    -------
    Table

    Raises
    ------
    FileError
        Missing, damaged, of another format, no such column, two columns of one name, or no row
        that is fit for use.
    MissingExtraError
        A Parquet file, and pyarrow is not installed.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp(), "heights.csv")
    >>> _ = file.write_text("age,height\\n3,98\\n4,tall\\n5,110\\n")
    >>> table = load_table(file)
    >>> table.columns, table.rows.tolist(), table.bad[0].line
    (('age', 'height'), [[3.0, 98.0], [5.0, 110.0]], 3)
    """
    name, ending = str(path), Path(path).suffix.lower()
    if name != "-" and ending not in _ENDINGS:
        raise FileError(f"{name} must end in {', '.join(_ENDINGS[:-1])} or {_ENDINGS[-1]}")
    try:
        if name == "-" or ending in (".csv", ".tsv"):
            table = _load_text(path, columns, missing, header)
        elif ending == ".parquet":
            table = _checked(name, *_read_parquet(path, columns), columns, missing)
        else:
            table = _checked(name, *_read_numpy(path), columns, missing)
    except FileNotFoundError as error:
        raise FileError(f"{name} does not exist; check the path") from error
    except OSError as error:
        raise FileError(f"{name} cannot be read: {error.strerror or error}") from error
    if not len(table.rows):
        if not table.bad:
            held = "holds" if ending in (".npy", ".npz") else "has names, but"
            raise FileError(f"{name} {held} no rows; rows of numbers are needed")
        told = f"line {table.bad[0].line} {table.bad[0].why}"
        raise FileError(
            f"{name} has no row that is fit for use: {told}; mend it, or name the columns to take "
            "(--columns)"
        )
    return table


def _load_text(
    path: str | os.PathLike[str],
    columns: Sequence[str] | None,
    missing: bool,
    header: bool | None,
) -> Table:
    if str(path) == "-":
        stream = getattr(sys.stdin, "buffer", sys.stdin)
        data = stream.read()
        text = data if isinstance(data, str) else _decoded(data, "standard input")
        return Table(*parse(text, "standard input", columns, missing, header))
    text = _decoded(Path(path).read_bytes(), str(path))
    return Table(*parse(text, str(path), columns, missing, header))


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileError(f"{name} is not UTF-8 text (line {line}); convert it") from error


def _read_numpy(path: str | os.PathLike[str]) -> tuple[list[Any], list[str] | None]:
    """Return columns and their names, if they have any."""
    try:
        held = np.load(path, allow_pickle=False)
        if isinstance(held, np.ndarray):
            if held.dtype.names:
                return [held[name].ravel() for name in held.dtype.names], list(held.dtype.names)
            arrays = {"": held}
        else:
            with held:
                arrays = {name: held[name] for name in held.files}
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        why = "it is neither npy nor npz inside" if "pickle" in str(error) else error
        raise FileError(f"{path} is damaged, or no array of numbers: {why}") from error
    if "version" in arrays and arrays.get("kind", np.empty(1)).ndim == 0:
        raise FileError(f"{path} holds a model ({arrays['kind']}), but a table is needed")
    if len(arrays) == 1:
        (only,) = arrays.values()
        if only.ndim == 2:
            return list(only.T), None
    shapes = {name: array.shape for name, array in arrays.items()}
    if len(set(shapes.values())) != 1 or any(len(shape) != 1 for shape in shapes.values()):
        told = ", ".join(f"{name} {shape}".strip() for name, shape in shapes.items()) or "nothing"
        raise FileError(f"{path} holds {told}, but one (n, d) array, or (n,) columns, are needed")
    return list(arrays.values()), None if "" in arrays else list(arrays)


def _read_parquet(
    path: str | os.PathLike[str], columns: Sequence[str] | None
) -> tuple[list[Any], list[str]]:
    parquet, pyarrow = _pyarrow(str(path))
    try:
        file = parquet.ParquetFile(path)
        with file:
            names = list(file.schema_arrow.names)
            choose(str(path), names, len(names), columns)
            table = file.read(columns=None if columns is None else list(columns))
    except pyarrow.ArrowException as error:
        raise FileError(f"{path} is damaged, or no Parquet: {error}") from error
    arrays = []
    for name in table.column_names:
        column = table.column(name)
        kind = column.type
        if not (
            pyarrow.types.is_integer(kind)
            or pyarrow.types.is_floating(kind)
            or pyarrow.types.is_boolean(kind)
            or pyarrow.types.is_decimal(kind)
        ):
            raise FileError(
                f"{path}: column {name!r} is of {kind}, but numbers are needed; name the columns "
                "to take (--columns)"
            )
        try:
            values = column.cast(pyarrow.float64(), safe=False).to_numpy()
        except pyarrow.ArrowException as error:
            raise FileError(f"{path}: column {name!r} cannot be read: {error}") from error
        arrays.append(values)
    return arrays, list(table.column_names)


def _pyarrow(name: str) -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError(
            f"{name} needs pyarrow: pip install 'synth-classic[parquet]'"
        ) from error
    return parquet, pyarrow


def _checked(
    file: str,
    held: list[Any],
    names: list[str] | None,
    columns: Sequence[str] | None,
    missing: bool,
) -> Table:
    """Set columns side by side without the rows that cannot be used."""
    taken, places = choose(file, names, len(held), columns)
    chosen = [held[place] for place in places]
    for name, column in zip(taken, chosen, strict=True):
        if column.dtype.kind not in "buif":
            raise FileError(
                f"{file}: column {name!r} is of {column.dtype}, but numbers are needed; name the "
                "columns to take (--columns)"
            )
    rows = np.stack([np.asarray(column, np.float64) for column in chosen], axis=1)
    gone = np.isnan(rows)
    faulty = np.isinf(rows) | (gone & (not missing))
    out = faulty.any(axis=1) | gone.all(axis=1)
    bad = []
    for row in np.flatnonzero(out):
        texts = ["" if there else "inf" for there in gone[row]]
        bad.append(BadRow(int(row) + 1, fault(taken, list(rows[row]), texts, missing)))
    return Table(taken, rows[~out], np.flatnonzero(~out).astype(np.int64) + 1, tuple(bad))


def check_table_target(path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Raise what `save_table` would, before any work is done for it."""
    if str(path) == "-":
        return
    ending = Path(path).suffix.lower()
    if ending not in _ENDINGS:
        raise FileError(f"{path} must end in {', '.join(_ENDINGS[:-1])} or {_ENDINGS[-1]}")
    if ending == ".parquet":
        _pyarrow(str(path))
    check_target(path, overwrite=overwrite)


def save_table(
    path: str | os.PathLike[str],
    columns: Sequence[str],
    rows: ArrayLike,
    *,
    overwrite: bool = False,
) -> None:
    """Save rows, (n, d), with the names of their columns, whole or not at all.

    The ending of ``path`` says the format, one of those that `load_table` reads; "-" writes a CSV
    to standard output. Numbers come back as they were, to the last bit; npy has no room for the
    names.

    Raises
    ------
    FileError
        The file exists already, cannot be written, or its ending is another.
    InputError
        As many columns as names are needed.
    MissingExtraError
        A Parquet file, and pyarrow is not installed.
    """
    check_table_target(path, overwrite=overwrite)
    table = np.asarray(rows, np.float64)
    if table.ndim != 2 or table.shape[1] != len(columns) or not columns:
        raise InputError(f"rows have shape {table.shape}, but (n, {len(columns)}) is needed")
    ending = Path(path).suffix.lower()
    if str(path) == "-":
        _write_text(sys.stdout, columns, table, ",")
        sys.stdout.flush()
        return
    with replacing(path, overwrite=overwrite) as temporary:
        if ending == ".parquet":
            parquet, pyarrow = _pyarrow(str(path))
            parquet.write_table(pyarrow.table(list(table.T), names=list(columns)), temporary)
        elif ending == ".npy":
            with open(temporary, "wb") as file:
                np.save(file, table)
        elif ending == ".npz":
            # not np.savez: columns may be called what its own parameters are
            with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, column in zip(columns, table.T, strict=True):
                    with archive.open(f"{name}.npy", "w") as entry:
                        np.lib.format.write_array(entry, column, allow_pickle=False)
        else:
            with open(temporary, "w", encoding="utf-8", newline="") as text:
                _write_text(text, columns, table, "\t" if ending == ".tsv" else ",")


def _write_text(
    file: TextIO, columns: Sequence[str], table: NDArray[np.float64], delimiter: str
) -> None:
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    for start in range(0, len(table), 1 << 12):
        writer.writerows(table[start : start + (1 << 12)].tolist())
