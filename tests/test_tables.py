"""Tables come back as they were, and what is wrong with a row is told with its line."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import synth
from synth.errors import FileError, InputError, MissingExtraError
from synth.tables import load_table, save_table

ENDINGS = [".csv", ".tsv", ".npy", ".npz", ".parquet"]


def text(folder, content, name="a.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize("ending", ENDINGS)
@settings(max_examples=10, deadline=None)
@given(
    rows=arrays(
        np.float64, (3, 2), elements=st.floats(allow_nan=False, allow_infinity=False, width=64)
    )
)
def test_there_and_back(tmp_path_factory, ending, rows):
    path = tmp_path_factory.mktemp("tables") / f"a{ending}"
    names = ("file", 'odd, "name"')  # np.savez has a parameter called file
    save_table(path, names, rows)
    table = load_table(path)
    np.testing.assert_array_equal(table.rows, rows)
    assert table.columns == (("x0", "x1") if ending == ".npy" else names)
    assert not table.bad


@pytest.mark.parametrize("ending", ENDINGS)
def test_columns_by_name_and_by_place(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    save_table(path, ("a", "b"), [[1, 2], [3, 4]])
    if ending == ".npy":  # has no names, so as many as there are columns are taken by place
        assert load_table(path, columns=["b", "a"]).rows.tolist() == [[1, 2], [3, 4]]
        assert load_table(path, columns=["x1"]).rows.tolist() == [[2], [4]]
    else:
        assert load_table(path, columns=["b", "a"]).rows.tolist() == [[2, 1], [4, 3]]
    with pytest.raises(FileError, match=r"no column 'c'; its columns are"):
        load_table(path, columns=["c"])


def test_bad_rows_are_told_with_their_lines(tmp_path):
    content = 'a,b\n1,2\n\n3\n4,five\n"6\n",inf\n,7\n8,1_0\n9,9\n1,2,3\n'
    table = load_table(text(tmp_path, content))
    assert table.rows.tolist() == [[1, 2], [9, 9]]
    assert table.lines.tolist() == [2, 10]
    assert [bad.line for bad in table.bad] == [4, 5, 6, 8, 9, 11]
    told = [bad.why for bad in table.bad]
    assert told[0] == "has 1 values, but there are 2"
    assert told[1] == "has 'five' in column b, which is no number"
    assert told[2] == "has infinity in column b"
    assert told[3] == "has no value in column a"


def test_only_the_columns_that_are_taken_have_to_be_numbers(tmp_path):
    path = text(tmp_path, "name,size\nfoo,1\nbar,2\n")
    assert load_table(path, columns=["size"]).rows.tolist() == [[1], [2]]
    with pytest.raises(FileError, match=r"line 2 has 'foo' in column name.*name the columns"):
        load_table(path)


@pytest.mark.parametrize("ending", [".csv", ".npy", ".parquet"])
def test_missing_values(tmp_path, ending):
    rows = np.array([[1, np.nan], [np.nan, np.nan], [np.inf, 1], [2, 3]])
    path = tmp_path / f"a{ending}"
    save_table(path, ("a", "b"), rows)
    table = load_table(path, missing=True)
    np.testing.assert_array_equal(table.rows, rows[[0, 3]])
    assert table.bad[0].why == "has no value at all"
    assert "infinity" in table.bad[1].why
    assert load_table(path).rows.tolist() == [[2, 3]]


def test_what_absence_looks_like(tmp_path):
    table = load_table(text(tmp_path, "a,b\n1,NA\n2,\n3,NaN\nnull,4\n"), missing=True)
    assert np.isnan(table.rows).sum() == 4


@pytest.mark.parametrize(
    ("content", "columns", "first"),
    [
        ("1,2\n3,4\n", ("x0", "x1"), [1, 2]),
        ("\ufeffa;b\n1;2\n", ("a", "b"), [1, 2]),
        ("a\tb\r\n1\t2\r\n", ("a", "b"), [1, 2]),
        ("a, b\n1, 2\n", ("a", "b"), [1, 2]),
        (",b\n0,5\n", ("x0", "b"), [0, 5]),
        ("size\n7\n", ("size",), [7]),
    ],
)
def test_kinds_of_text(tmp_path, content, columns, first):
    table = load_table(text(tmp_path, content))
    assert table.columns == columns
    assert table.rows[0].tolist() == first


def test_names_that_are_numbers_need_to_be_told(tmp_path):
    path = text(tmp_path, "2019,2020\n1,2\n")
    assert len(load_table(path).rows) == 2
    table = load_table(path, header=True)
    assert (table.columns, table.rows.tolist()) == (("2019", "2020"), [[1, 2]])


def test_structured_arrays_have_names(tmp_path):
    np.save(tmp_path / "a.npy", np.array([(1, 2.5)], [("a", "i4"), ("b", "f4")]))
    table = load_table(tmp_path / "a.npy")
    assert (table.columns, table.rows.tolist()) == (("a", "b"), [[1, 2.5]])


def test_standard_streams(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("a\n1\n"))
    table = load_table("-")
    save_table("-", table.columns, table.rows)
    assert capsys.readouterr().out == "a\n1.0\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "1", "must end in"),
        ("a.csv", "", "is empty"),
        ("a.csv", "a,b\n", "has names, but no rows"),
        ("a.csv", "a;b\n1,5;2,5\n", "'1,5' in column a.*write a point for a decimal comma"),
        ("a.csv", "a,a\n1,2\n", "two columns of the name 'a'"),
        ("a.csv", b"a\n1\n\xff\n", r"not UTF-8 text \(line 3\)"),
        ("a.npy", b"nonsense", "damaged"),
        ("a.npz", b"nonsense", "damaged.*it is neither npy nor npz inside"),
        ("a.npy", npy(np.empty((0, 3))), "a.npy holds no rows"),
        ("a.parquet", b"nonsense", "damaged"),
    ],
)
def test_errors(tmp_path, name, content, message):
    with pytest.raises(FileError, match=message):
        load_table(text(tmp_path, content, name))


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n3,4\n",
        "1,2\n3,4",
        "\n\na,b\n1,2\n3,4\n",
        "a;b\n 1 ; 2\n3;+4.0e0\n",
        "a,b\n1,2\n\n3,4\n",
        "a,b\n1,2\n3,4\n5\n",
        "a,b\n1,2\n3,4\n5,x\n",
        "a,b\n1,2\n3,4\n1_0,3\n0x1,2\n",
        "a,b\n1,2\n3,4\n5,6,7\n",
        "a,b\n1,2\n3,4\nnan,inf\n,1\n",
        "a,b\n1,2\n3,4\n#5,6\n",
        "a,b\r\n1,2\r\n3,4\r\n",
        "a,b\r1,2\r3,4\r",
        '"a","b"\n1,2\n"3",4\n',
    ],
)
def test_clean_files_are_read_as_any_other(tmp_path, content, monkeypatch):
    file = text(tmp_path, content)
    quick = load_table(file)
    monkeypatch.setattr("synth.delimited._clean", lambda *_: None)
    slow = load_table(file)
    np.testing.assert_array_equal(quick.rows, slow.rows)
    np.testing.assert_array_equal(quick.lines, slow.lines)
    assert (quick.columns, quick.bad) == (slow.columns, slow.bad)
    assert quick.rows.tolist() == [[1, 2], [3, 4]]


def test_digits_are_kept_to_the_last_bit(tmp_path):
    x = (
        np.random.default_rng(0).normal(size=(3000, 2))
        * 10.0 ** np.arange(-300, 300, 0.2)[:, None]
    )
    lines = "\n".join(f"{a!r},{b!r}" for a, b in x.tolist())
    np.testing.assert_array_equal(load_table(text(tmp_path, f"a,b\n{lines}\n")).rows, x)


def test_columns_without_a_name_get_one_that_no_other_has(tmp_path):
    assert load_table(text(tmp_path, ",x0,x2,\n1,2,3,4\n")).columns == ("x0_", "x0", "x2", "x3")


def test_columns_that_are_called_as_models_parts_are(tmp_path):
    np.savez(tmp_path / "a.npz", kind=np.ones(3), version=np.zeros(3))
    assert load_table(tmp_path / "a.npz").columns == ("kind", "version")


def test_arrays_that_are_no_tables(tmp_path):
    np.save(tmp_path / "deep.npy", np.zeros((2, 2, 2)))
    np.save(tmp_path / "words.npy", np.array([["a", "b"]]))
    np.savez(tmp_path / "two.npz", a=np.zeros(2), b=np.zeros(3))
    synth.KernelDensity(1.0).fit([[1.0]]).save(tmp_path / "model.npz")
    for name, message in (
        ("deep.npy", "one \\(n, d\\) array"),
        ("words.npy", "numbers are needed"),
        ("two.npz", "a \\(2,\\), b \\(3,\\)"),
        ("model.npz", "holds a model"),
        ("nowhere.csv", "does not exist"),
    ):
        with pytest.raises(FileError, match=message):
            load_table(tmp_path / name)


def test_parquet_of_words(tmp_path):
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.table({"name": ["a", "b"], "size": [1, None], "there": [True, False]})
    parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(FileError, match="column 'name' is of string"):
        load_table(tmp_path / "a.parquet")
    found = load_table(tmp_path / "a.parquet", columns=["there", "size"])
    assert found.rows.tolist() == [[1, 1]]
    assert (found.bad[0].line, found.bad[0].why) == (2, "has no value in column size")


def test_without_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for do in (load_table, lambda path: save_table(path, ["a"], [[1.0]])):
        with pytest.raises(MissingExtraError, match=r"pip install 'synth-classic\[parquet\]'"):
            do(tmp_path / "a.parquet")
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten_or_half_written(tmp_path):
    save_table(tmp_path / "a.csv", ["a"], [[1.0]])
    with pytest.raises(FileError, match="exists already"):
        save_table(tmp_path / "a.csv", ["a"], [[2.0]])
    save_table(tmp_path / "a.csv", ["a"], [[2.0]], overwrite=True)
    assert load_table(tmp_path / "a.csv").rows.tolist() == [[2]]
    with pytest.raises(InputError):
        save_table(tmp_path / "b.csv", ["a"], [[1.0, 2.0], [3.0, 4.0]])
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]
