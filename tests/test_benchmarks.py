"""The benchmarks' own logic, with methods made up here: no peer is needed."""

from __future__ import annotations

import json
import subprocess
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from benchmarks import density, density_peers, fill, holes, nnf
from benchmarks.environments import Environments
from benchmarks.harness import (
    Case,
    Cell,
    ChildRunner,
    Method,
    MethodFailed,
    Run,
    in_turn,
    measure,
    this_python,
)
from benchmarks.options import chosen
from benchmarks.peers import fill_methods, nnf_methods
from benchmarks.report import Column, contact_sheet, markdown_table, mean_rows, write_json


def method(name: str, **rest: Any) -> Method:
    return Method(name, "tests:nothing", **rest)


def case(name: str = "one", group: str = "all") -> Case:
    small = {"x": np.arange(4.0)}
    return Case(name, group, small, small, {})


def run(cpu: float, result: Any = 0.0) -> Run:
    return Run(cpu, cpu, 0.0, 1.0, np.asarray(result), {"numpy": "9"})


def no_score(case: Case, result: np.ndarray) -> Mapping[str, float]:
    return {"value": float(result)}


class Recorder:
    """A runner that gives out prepared seconds and notes who was called."""

    def __init__(self, seconds: Mapping[str, list[float]]) -> None:
        self.seconds = {name: list(values) for name, values in seconds.items()}
        self.calls: list[tuple[str, int]] = []

    def __call__(self, method: Method, case: Case, seed: int) -> Run:
        self.calls.append((method.name, seed))
        if not self.seconds[method.name]:
            raise MethodFailed("out of seconds")
        return run(self.seconds[method.name].pop(0), seed)


def quiet(line: str) -> None:
    """Say nothing."""


def test_methods_take_turns_and_each_run_starts_one_further_on() -> None:
    a, b, c = method("a"), method("b"), method("c")
    order = [(run, m.name) for run, m in in_turn([a, b, c], 2)]
    assert order == [(0, "a"), (0, "b"), (0, "c"), (1, "b"), (1, "c"), (1, "a")]
    assert list(in_turn([], 3)) == []


def test_medians_are_over_runs_and_a_failure_is_kept_with_its_reason() -> None:
    runner = Recorder({"a": [5.0, 1.0, 3.0], "b": [1.0]})
    cells = measure(
        [method("a"), method("b")],
        [case()],
        runs=3,
        runner=runner,
        score=no_score,
        say=quiet,
    )
    a, b = cells
    assert a.medians["cpu"] == 3.0
    assert a.medians["value"] == 1.0  # of the seeds 0, 1, 2
    assert a.picture == 0  # the first run's, whatever the order
    assert b.failed == "out of seconds"
    assert b.medians == {}
    # b failed in run 1 and was left alone in run 2
    assert runner.calls == [("a", 0), ("b", 0), ("b", 1), ("a", 1), ("a", 2)]


def test_a_method_that_compiles_gets_one_run_that_is_thrown_away() -> None:
    runner = Recorder({"a": [99.0, 1.0, 1.0, 1.0, 1.0]})
    cells = measure(
        [method("a", compiles=True)],
        [case("one"), case("two")],
        runs=2,
        runner=runner,
        score=no_score,
        say=quiet,
    )
    assert [cell.medians["cpu"] for cell in cells] == [1.0, 1.0]
    assert len(runner.calls) == 5


def test_a_method_that_took_its_time_is_not_run_again() -> None:
    runner = Recorder({"slow": [7.0, 8.0, 9.0], "fast": [1.0, 1.0, 1.0]})
    slow, fast = measure(
        [method("slow"), method("fast")],
        [case()],
        runs=3,
        runner=runner,
        score=no_score,
        say=quiet,
        patience=10.0,
    )
    assert [run["cpu"] for run in slow.runs] == [7.0, 8.0]
    assert len(fast.runs) == 3


def test_a_child_is_stopped_at_the_sooner_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    def hang(command: list[str], *, timeout: float, **rest: Any) -> Any:
        given.append(timeout)
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr("benchmarks.harness.subprocess.run", hang)
    runner = ChildRunner(this_python, timeout=50)
    for one, seconds in ((method("a"), 50), (method("b", timeout=5), 5)):
        with pytest.raises(MethodFailed, match=f"no result after {seconds} s"):
            runner(one, case(), 0)
    assert given == [50, 5]


def test_a_child_is_warmed_up_with_what_the_method_asks_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[int] = []

    def look(command: list[str], **rest: Any) -> Any:
        with np.load(json.loads(command[-1])["warmup"]) as file:
            given.append(len(file["x"]))
        return types.SimpleNamespace(returncode=1, stderr="enough")

    monkeypatch.setattr("benchmarks.harness.subprocess.run", look)
    one = Case("one", "all", {"x": np.zeros(9)}, {"x": np.zeros(2)}, {})
    for made in (method("a"), method("b", warm_up="inputs")):
        with pytest.raises(MethodFailed, match="enough"):
            ChildRunner(this_python)(made, one, 0)
    assert given == [2, 9]


def test_a_result_that_cannot_be_scored_is_a_failure() -> None:
    def refuse(case: Case, result: np.ndarray) -> Mapping[str, float]:
        raise MethodFailed("no image")

    runner = Recorder({"a": [1.0]})
    (cell,) = measure([method("a")], [case()], runs=1, runner=runner, score=refuse, say=quiet)
    assert cell.failed == "no image"


def test_the_best_of_a_column_is_bold_whosever_it_is() -> None:
    columns = (
        Column("cpu", "CPU s", ".2f", "low"),
        Column("psnr", "PSNR", ".1f", "high"),
        Column("sharp", "sharp", ".2f", "one"),
    )
    table = markdown_table(
        {
            "synth": {"cpu": 0.304, "psnr": 20.0, "sharp": 0.80},
            "peer": {"cpu": 0.301, "psnr": 21.0, "sharp": 1.10},
            "broken": "not installed: no wheel | anywhere",
        },
        columns,
    )
    assert table.splitlines() == [
        "| method | CPU s | PSNR | sharp |",
        "|---|---|---|---|",
        "| synth | **0.30** | 20.0 | 0.80 |",  # printed alike is equally good
        "| peer | **0.30** | **21.0** | **1.10** |",
        "| broken | not installed: no wheel \\| anywhere | | |",
    ]


def test_a_mean_needs_every_photograph() -> None:
    good = [Cell(method("a"), case(n), [{"cpu": c}]) for n, c in (("x", 1.0), ("y", 3.0))]
    half = [
        Cell(method("b"), case("x"), [{"cpu": 1.0}]),
        Cell(method("b"), case("y"), failed="crashed with signal 11"),
    ]
    never = [Cell(method("c"), case(n), failed="not installed") for n in ("x", "y")]
    assert mean_rows([*good, *half, *never]) == {
        "a": {"cpu": 2.0},
        "b": "failed (y): crashed with signal 11",
        "c": "failed: not installed",
    }


def test_json_has_every_run_and_no_infinity(tmp_path: Path) -> None:
    runs = [{"cpu": 1.0, "psnr": float("inf")}, {"cpu": 3.0, "psnr": float("inf")}]
    cell = Cell(method("a", options={"radius": 3}), case(), runs, versions={"peer": "1.2"})
    write_json(tmp_path / "x.json", [cell], runs=2, command="python -m benchmarks.fill")
    content = json.loads((tmp_path / "x.json").read_text(), parse_constant=pytest.fail)
    (written,) = content["cells"]
    assert written["medians"] == {"cpu": 2.0, "psnr": None}
    assert [r["cpu"] for r in written["runs"]] == [1.0, 3.0]
    assert written["options"] == {"radius": 3}
    assert written["versions"] == {"peer": "1.2"}
    assert {"date", "processor", "cores", "python", "synth"} <= content["machine"].keys()


def test_the_contact_sheet_has_a_row_a_case_and_a_column_a_picture(tmp_path: Path) -> None:
    from PIL import Image

    red = np.full((10, 20, 3), (255, 0, 0), np.uint8)
    contact_sheet(
        {"x": {"truth": red, "a": red}, "y": {"truth": red}}, tmp_path / "s.png", tile=64
    )
    sheet = Image.open(tmp_path / "s.png")
    row = 18 + 30 + 4  # a label, what is enlarged to the tile's width, a gap
    assert sheet.size == (2 * 64, 2 * row)
    assert sheet.getpixel((30, 18 + 20)) == (255, 0, 0)
    assert sheet.getpixel((64 + 55, row + 18 + 28)) == (255, 255, 255)  # y has no a


def test_a_child_measures_a_real_method() -> None:
    """OpenCV comes with synth, so it can stand in for the peers."""
    (telea,) = chosen("opencv-telea", fill_methods())
    truth = np.tile(np.arange(48, dtype=np.uint8) * 5, (48, 1))[..., np.newaxis].repeat(3, axis=2)
    mask = holes.square((48, 48), 8)
    inputs = {"image": np.where(mask[..., None], np.uint8(0), truth), "mask": mask}
    done = ChildRunner(this_python)(telea, Case("ramp", "all", inputs, inputs, {}), 0)
    assert (
        fill.score(Case("ramp", "all", inputs, inputs, {"image": truth}), done.result)["psnr"] > 25
    )
    assert done.versions["opencv-python"]
    assert done.cpu >= 0
    assert done.start > 0
    assert 0 <= done.peak_mb < 100


def test_a_child_that_raises_says_why() -> None:
    broken = Method("broken", "benchmarks.peers:opencv", {"flag": "INPAINT_NOTHING"})
    arrays = {"image": np.zeros((8, 8, 3), np.uint8), "mask": np.ones((8, 8), bool)}
    with pytest.raises(MethodFailed, match=r"AttributeError.*INPAINT_NOTHING"):
        ChildRunner(this_python)(broken, Case("x", "all", arrays, arrays, {}), 0)


def test_threads_are_fixed_and_a_peer_sees_only_its_own_packages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    variables = ChildRunner(this_python)._variables
    assert variables(method("a", threads=2))["OMP_NUM_THREADS"] == "2"
    assert variables(method("a"))["SYNTH_NUM_THREADS"] == "1"
    assert variables(method("a"))["PYTHONPATH"] == "/elsewhere"
    assert "PYTHONPATH" not in variables(method("a", requirements=("peer",)))


def test_a_peer_that_does_not_install_is_listed_and_tried_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    def pip_says_no(command: list[str], **rest: Any) -> Any:
        return types.SimpleNamespace(
            returncode=1,
            stderr="WARNING: hm\nERROR: No matching distribution found for no-such-peer\n",
        )

    monkeypatch.setattr("benchmarks.environments.venv.create", lambda home, **_: made.append(home))
    monkeypatch.setattr("benchmarks.environments.subprocess.run", pip_says_no)
    environments = Environments(tmp_path)
    for _ in range(2):
        with pytest.raises(MethodFailed, match=r"^not installed: No matching distribution"):
            environments.python_of(method("x", requirements=("no-such-peer",)))
    assert len(made) == 1
    assert environments.python_of(method("own")) == sys.executable


def test_methods_are_chosen_by_beginnings() -> None:
    methods = fill_methods()
    assert [m.name for m in chosen("opencv,pypatchmatch", methods)] == [
        "pypatchmatch",
        "pypatchmatch-r15",
        "opencv-telea",
        "opencv-ns",
    ]
    assert not any(m.name.startswith("synth") for m in chosen("peers", methods))
    with pytest.raises(click.UsageError, match="no method is called 'gimp'; there are synth"):
        chosen("gimp", methods)
    names = [m.name for m in (*methods, *nnf_methods())]
    assert len(set(names)) == len(names)


def test_holes_have_the_stated_size_and_never_change() -> None:
    shape = (512, 512)
    assert holes.square(shape).sum() == 64 * 64
    assert holes.ellipse(shape).mean() == pytest.approx(0.2, abs=1e-3)
    strokes = holes.strokes(shape)
    assert 0.05 <= strokes.mean() < 0.055
    np.testing.assert_array_equal(strokes, holes.strokes(shape))
    assert (strokes != holes.strokes(shape, seed=1)).any()


def test_every_fill_case_hides_the_truth_inside_its_hole_only() -> None:
    made = fill.cases(quick=True, big=False)
    assert [c.group for c in made[::3]] == ["square", "strokes", "ellipse"]
    for one in made:
        hole, image = one.inputs["mask"], one.inputs["image"]
        assert (image[hole] == 0).all()
        np.testing.assert_array_equal(image[~hole], one.truth["image"][~hole])
        np.testing.assert_array_equal(one.truth["image"].shape, (256, 256, 3))


def test_a_fill_of_the_wrong_kind_is_a_failure_and_strays_are_counted() -> None:
    one = fill.cases(quick=True, big=False)[0]
    truth = one.truth["image"]
    with pytest.raises(MethodFailed, match=r"gave \(256, 256, 3\) float64"):
        fill.score(one, truth.astype(float))
    stray = truth.copy()
    stray[0, :3] ^= 1
    assert fill.score(one, stray)["touched"] == 3
    assert fill.score(one, truth)["sharp"] == 1.0


def test_the_exact_field_scores_one_and_others_more(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    target, source = rng.integers(0, 256, (2, 20, 18, 3), np.uint8)
    queries, distances = nnf.exact_distances(target, source, 1000, tmp_path)
    assert len(queries) == 14 * 12  # all of them: fewer than asked for
    inputs = {"target": target, "source": source}
    truth = {"queries": queries, "distances": distances}
    one = Case("noise", "all", inputs, inputs, truth)

    def windows(image: np.ndarray) -> np.ndarray:
        patches = np.lib.stride_tricks.sliding_window_view(image, (7, 7), axis=(0, 1))
        return patches.reshape(14 * 12, -1).astype(int)

    apart = np.square(windows(target)[:, None] - windows(source)).sum(axis=2)
    np.testing.assert_array_equal(distances, apart.min(axis=1)[queries])
    best = np.stack(np.unravel_index(apart.argmin(axis=1), (14, 12)), -1).reshape(14, 12, 2)
    assert nnf.score(one, best) == {"error": 1.0}
    assert nnf.score(one, np.zeros_like(best))["error"] > 1.0
    with pytest.raises(MethodFailed, match="outside the source"):
        nnf.score(one, best + 14)
    with pytest.raises(MethodFailed, match="gave positions"):
        nnf.score(one, best[1:])
    kept = nnf.exact_distances(target, source, 1000, tmp_path)
    np.testing.assert_array_equal(kept[1], distances)


def test_densities_of_synth_and_scipy_score_as_exact() -> None:
    for one in density.kernel_cases(quick=True):
        by_synth = density_peers.synth_kernel(**one.inputs, seed=0)
        by_scipy = density_peers.scipy_kernel(**one.inputs, pairs=1e5, seed=0)
        assert len(by_synth) == len(one.inputs["q"])
        assert len(by_scipy) == max(density_peers.CHECKED, 10**5 // len(one.inputs["x"]))
        for found in (by_synth, by_scipy):
            scored = density.score_kernel(one, found)
            assert scored["answered"] == len(found)
            assert scored["bulk"] < 1e-9
            assert scored["tail"] < 1e-7
    for wrong in (3, len(one.inputs["q"]) + 1):
        with pytest.raises(MethodFailed, match="queries"):
            density.score_kernel(one, np.zeros(wrong))


def test_seconds_of_a_part_are_extrapolated_and_their_number_is_told() -> None:
    part = {"wall": 2.0, "cpu": 3.0, "answered": 500.0, "bulk": 1e-9, "tail": 1e-7, "peak_mb": 1.0}
    rows = density.extrapolated({"slow": part, "broken": "failed: no wheel"}, 2000)
    assert rows == {"slow": {**part, "all": 8.0, "cpu_all": 12.0}, "broken": "failed: no wheel"}
    line = markdown_table(rows, density.KERNEL_COLUMNS).splitlines()[2]
    assert line.startswith("| slow | 500 | **8.000** | **12.000** |")


def test_methods_of_densities_have_names_and_adapters_of_their_own() -> None:
    methods = [*density_peers.kernel_methods(), *density_peers.mixture_methods()]
    assert len({one.name for one in methods}) == len(methods)
    for one in methods:
        module, _, name = one.adapter.partition(":")
        assert module == density_peers.__name__
        assert callable(getattr(density_peers, name))


def test_a_fitted_mixture_beats_its_start() -> None:
    one = density.mixture_cases(quick=True)[0]
    found = density_peers.synth_mixture(**one.inputs, dtype="float64", seed=0)
    means = one.inputs["means"]
    count, width = means.shape
    start = [np.full(count, 1 / count), means.ravel(), np.tile(np.eye(width), (count, 1, 1))]
    before = density.score_mixture(one, np.concatenate([part.ravel() for part in start]))
    assert density.score_mixture(one, found)["likelihood"] > before["likelihood"] + 1
    with pytest.raises(MethodFailed, match="no mixture"):
        density.score_mixture(one, found[:-1])
