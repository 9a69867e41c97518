"""``synth density``: fit, sample, score."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

import synth
from synth.cli import main
from synth.density.drawing import SHARES, levels_of
from synth.files import load
from synth.tables import load_table, save_table


def call(*arguments: object, text: str | None = None):
    return CliRunner().invoke(main, ["density", *map(str, arguments)], input=text)


@pytest.fixture
def rows():
    x = np.random.default_rng(0).normal(size=(200, 3))
    x[:, 2] += 2 * x[:, 0]
    return x


@pytest.fixture
def data(tmp_path, rows):
    save_table(tmp_path / "data.csv", ("a", "b", "c"), rows)
    return tmp_path / "data.csv"


@pytest.mark.parametrize("kind", ["kde", "gmm"])
@pytest.mark.parametrize("ending", ["csv", "npy", "parquet"])
def test_fit_sample_score(tmp_path, rows, kind, ending):
    names = ("a", "b", "c")
    save_table(tmp_path / f"data.{ending}", names, rows)
    options = ["--components", 2, "--seed", 3] if kind == "gmm" else ["--bandwidth", "silverman"]
    done = call("fit", tmp_path / f"data.{ending}", "-o", tmp_path / "m.npz", "--model", kind,
                "--json", *options)  # fmt: skip
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    names = ("x0", "x1", "x2") if ending == "npy" else names
    assert told["columns"] == list(names)
    model = (
        synth.GaussianMixture(2, seed=3) if kind == "gmm" else synth.KernelDensity("silverman")
    ).fit(rows)
    assert told["log_likelihood"] == pytest.approx(model.score(rows))
    out = tmp_path / "out.csv"
    assert call("sample", tmp_path / "m.npz", "-n", 7, "-o", out, "--seed", 5).exit_code == 0
    table = load_table(out)
    assert table.columns == names
    np.testing.assert_array_equal(table.rows, model.sample(7, seed=5))
    done = call("score", tmp_path / "m.npz", out)
    assert float(done.stdout) == pytest.approx(model.score(table.rows), abs=1e-5)


def test_given_keeps_its_column(tmp_path, data):
    model = tmp_path / "m.npz"
    assert call("fit", data, "-o", model).exit_code == 0
    done = call("sample", model, "-n", 50, "--given", "a=1.5", "--seed", 2)
    (tmp_path / "out.csv").write_text(done.stdout)
    table = load_table(tmp_path / "out.csv")
    assert (table.rows[:, 0] == 1.5).all()
    known = synth.KernelDensity.load(model).given({0: 1.5})
    np.testing.assert_array_equal(table.rows[:, 1:], known.sample(50, seed=2))
    assert call("sample", model, "-n", 0).stdout == "a,b,c\n"


def test_scores_of_rows_keep_their_lines(tmp_path, data):
    model, out = tmp_path / "m.npz", tmp_path / "out.parquet"
    assert call("fit", data, "-o", model, "--columns", "c, a").exit_code == 0
    asked = tmp_path / "asked.csv"
    asked.write_text("a,note,c\n0,x,1\noops,y,2\n3,z,4\n")  # other columns, another order
    done = call("score", model, asked, "-o", out, "--json")
    assert done.exit_code == 0, done.output
    assert "line 3 has 'oops' in column a" in done.stderr
    table = load_table(out)
    assert table.columns == ("line", "c", "a", "log_prob")
    assert table.rows[:, :3].tolist() == [[2, 1, 0], [4, 4, 3]]
    expected = synth.KernelDensity.load(model).log_prob([[1, 0], [4, 3]])
    np.testing.assert_allclose(table.rows[:, 3], expected)
    told = json.loads(done.stdout)
    assert told["bad"][0]["line"] == 3
    assert told["log_likelihood"] == pytest.approx(expected.mean())
    streamed = call("score", model, "-", "-o", "-", text=asked.read_text())
    assert streamed.stdout.startswith("line,c,a,log_prob\n2.0,")


def test_columns_of_any_name_come_through(tmp_path, rows):
    names = ("line", "log_prob", 'größe, "m"')
    save_table(tmp_path / "data.csv", names, rows)
    model, out = tmp_path / "m.npz", tmp_path / "out.csv"
    assert call("fit", tmp_path / "data.csv", "-o", model).exit_code == 0
    done = call("score", model, tmp_path / "data.csv", "-o", out)
    assert done.exit_code == 0, done.output
    table = load_table(out)
    assert table.columns == ("line_", *names, "log_prob_")
    np.testing.assert_array_equal(table.rows[:, 1:4], rows)
    done = call("score", model, out)  # what was written is data again
    assert float(done.stdout) == pytest.approx(table.rows[:, 4].mean(), abs=1e-5)
    done = call("sample", model, "-n", 2, "--given", 'größe, "m"=0.5')
    assert done.stdout.startswith('line,log_prob,"größe, ""m"""\n')


def test_a_copula_is_fitted_sampled_and_scored(tmp_path, rows):
    rows = np.round(np.exp(rows), 1)
    save_table(tmp_path / "data.csv", ("a", "b", "c"), rows)
    model = tmp_path / "m.npz"
    done = call("fit", tmp_path / "data.csv", "-o", model, "--model", "copula", "--marginals",
                "levels", "--components", 2, "--seed", 4, "--json", "--plot",
                tmp_path / "m.png")  # fmt: skip
    assert done.exit_code == 0, done.output
    core = synth.GaussianMixture(2, covariance="tied", seed=4)
    expected = synth.Copula("levels", core=core, seed=4).fit(rows)
    assert json.loads(done.stdout)["log_likelihood"] == pytest.approx(expected.score(rows))
    done = call("sample", model, "-n", 30, "--given", "b=1.0", "--seed", 2)
    (tmp_path / "out.csv").write_text(done.stdout)
    table = load_table(tmp_path / "out.csv")
    np.testing.assert_array_equal(
        table.rows[:, [0, 2]], expected.given({1: 1.0}).sample(30, seed=2)
    )
    assert float(call("score", model, tmp_path / "data.csv").stdout) == pytest.approx(
        expected.score(rows), abs=1e-5
    )


def test_many_bad_rows_are_told_in_short(tmp_path):
    text = "a\n" + "1\n2\nx\n" * 40
    done = call("fit", "-", "-o", tmp_path / "m.npz", text=text)
    assert done.exit_code == 0, done.output
    assert done.stderr.count("left out") == 11
    assert "30 more rows left out: 34, 37," in done.stderr


def test_missing_values_are_for_mixtures(tmp_path, rows):
    rows[::5, 1] = np.nan
    save_table(tmp_path / "data.npz", ("a", "b", "c"), rows)
    shared = ("fit", tmp_path / "data.npz", "--json", "-o")
    done = call(*shared, tmp_path / "m.npz", "--model", "gmm", "--components", 1)
    assert json.loads(done.stdout)["rows"] == 200
    done = call(*shared, tmp_path / "k.npz")
    assert json.loads(done.stdout)["rows"] == 160
    assert json.loads(done.stdout)["bad"][0] == {"line": 1, "why": "has no value in column b"}


@pytest.mark.parametrize("kind", ["kde", "gmm"])
def test_weights_are_repetition(tmp_path, rows, kind):
    times = np.arange(200) % 3
    save_table(tmp_path / "a.csv", ("a", "times", "b"), np.insert(rows[:, :2], 1, times, axis=1))
    options = ["--kernel", "tophat"] if kind == "kde" else ["--components", 1]
    done = call("fit", tmp_path / "a.csv", "-o", tmp_path / "m.npz", "--weights", "times",
                "--model", kind, "--json", *options)  # fmt: skip
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    repeated = np.repeat(rows[:, :2], times, axis=0)
    model = (
        synth.KernelDensity(kernel="tophat") if kind == "kde" else synth.GaussianMixture(1)
    ).fit(repeated)
    assert told["columns"] == ["a", "b"]
    if kind == "gmm":
        assert told["log_likelihood"] == pytest.approx(model.score(repeated))
    else:  # Scott's rule counts effective rows, so only the shape is the same
        assert synth.KernelDensity.load(tmp_path / "m.npz").kernel == "tophat"
    done = call("fit", tmp_path / "a.csv", "-o", tmp_path / "n.npz", "--weights", "c")
    assert done.exit_code == 1
    assert "no column 'c' beside others" in done.stderr


@pytest.mark.parametrize("kind", ["kde", "gmm"])
def test_a_drawing(tmp_path, data, kind):
    done = call("fit", data, "-o", tmp_path / "m.npz", "--model", kind, "--plot",
                tmp_path / "p.png")  # fmt: skip
    assert done.exit_code == 0, done.output
    pixels = load(tmp_path / "p.png").pixels
    assert min(pixels.shape[:2]) > 500
    assert pixels.std() > 10


def test_contours_hold_the_shares_they_say():
    t = np.linspace(-6, 6, 400)
    heights = np.exp(-0.5 * (t[:, None] ** 2 + t**2)) / (2 * np.pi)
    found = levels_of(heights, (t[1] - t[0]) ** 2)
    # of a standard normal in two dimensions, a share s lies where p > (1 - s) / 2π
    np.testing.assert_allclose(found, [(1 - share) / (2 * np.pi) for share in SHARES], rtol=0.02)


def test_missing_extras_have_their_own_code(tmp_path, data, monkeypatch):
    for module in ("matplotlib", "matplotlib.figure", "pyarrow"):
        monkeypatch.setitem(sys.modules, module, None)
    done = call("fit", data, "-o", tmp_path / "m.npz", "--plot", tmp_path / "p.png")
    assert done.exit_code == 3
    assert "pip install 'synth-classic[plot]'" in done.stderr
    assert call("fit", data, "-o", tmp_path / "m.npz").exit_code == 0
    done = call("sample", tmp_path / "m.npz", "-n", 3, "-o", tmp_path / "s.parquet")
    assert done.exit_code == 3
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data.csv", "m.npz"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["fit", "no.csv", "-o", "m.npz"], 1, "no.csv does not exist"),
        (["fit", "data.csv", "-o", "m.bin"], 1, "must end in .npz"),
        (["fit", "data.csv", "-o", "m.npz", "--plot", "p.svg"], 1, "must end in .png"),
        (["fit", "data.csv", "-o", "old.npz"], 1, "exists already"),
        (["fit", "data.csv", "-o", "m.npz", "--columns", "z"], 1, "its columns are a, b, c"),
        (["fit", "data.csv", "-o", "m.npz", "--bandwidth", "wide"], 2, "--bandwidth is 'wide'"),
        (["fit", "data.csv", "-o", "m.npz", "--bandwidth", "1,2"], 1, "one number"),
        (["fit", "data.csv", "-o", "m.npz", "--components", "3"], 2, "goes with --model gmm"),
        (["fit", "data.csv", "-o", "m.npz", "--model", "gmm", "--adaptive"], 2, "--model kde"),
        (["fit", "data.csv", "-o", "m.npz", "--weights", "a"], 1, "not negative"),
        (["fit", "old.npz", "-o", "m.npz"], 1, "holds a model"),
        (["fit", "old.npz", "-o", "old.npz", "--overwrite"], 1, "is the data itself"),
        (["sample", "data.csv", "-n", "3"], 1, "no model"),
        (["sample", "old.npz", "-n", "3", "--given", "a"], 2, "column=number"),
        (["sample", "old.npz", "-n", "3", "--given", "z=1"], 2, "the columns are x0"),
        (["sample", "old.npz", "-n", "3", "--given", "x0=1"], 1, "leave at least one open"),
        (["sample", "old.npz", "-n", "3", "-o", "data.csv"], 1, "exists already"),
        (["sample", "old.npz", "-n", "3", "-o", "old.npz", "--overwrite"], 1, "the model itself"),
        (["score", "old.npz", "data.csv", "-o", "old.npz", "--overwrite"], 1, "the model itself"),
        (["sample", "old.npz", "-n", "9999999999999"], 1, "memory holds; take fewer rows"),
        (["score", "old.npz", "data.csv"], 1, "no column 'x0'"),
        (["score", "old.npz", "-"], 1, "line 2 has 1e+200 in column x0"),
        (["fit", "-", "-o", "m.npz"], 1, "-, line 2 has 1e+200 in column x0"),
        (["score", "old.npz", "data.csv", "-o", "-", "--json"], 2, "choose one"),
        ([], 2, "Usage"),
        (["fit"], 2, "Missing argument"),
        (["guess"], 2, "No such command"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(data, monkeypatch, arguments, code, message):
    monkeypatch.chdir(data.parent)
    synth.KernelDensity(1.0).fit([[1.0], [2.0]]).save("old.npz")
    done = call(*arguments, text="x0\n1e200\n")
    assert done.exit_code == code, done.output
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1 or not arguments
    assert not done.stdout
    assert sorted(file.name for file in data.parent.iterdir()) == ["data.csv", "old.npz"]


def test_the_package_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "synth", "density", "sample"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "Missing argument 'MODEL.npz'" in done.stderr
    assert "'synth density sample --help'" in done.stderr
