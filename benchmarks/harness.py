"""One process a method and run, in turn: seconds, memory and quality as medians over the runs."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Arrays",
    "Case",
    "Cell",
    "ChildRunner",
    "Method",
    "MethodFailed",
    "Run",
    "Runner",
    "Score",
    "in_turn",
    "measure",
]

ROOT = Path(__file__).resolve().parent.parent

#: What fixes the threads of the numerical libraries, in every process that is timed.
THREAD_VARIABLES = (
    "SYNTH_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)

Arrays = Mapping[str, NDArray[Any]]
#: The measures of one result on one case, by column.
Score = Callable[["Case", NDArray[Any]], Mapping[str, float]]


class MethodFailed(RuntimeError):
    """A method could not be installed or did not return a result; the message is the reason."""


@dataclass(frozen=True)
class Method:
    """One contestant.

    Attributes
    ----------
    name : str
        How the tables call it.
    adapter : str
        ``"module:function"``; called as ``function(**inputs, seed=seed, **options)`` and gives an
        array. It imports what it needs itself, so the module loads where the peer is missing.
    options : mapping
        More keyword arguments for the adapter.
    requirements : tuple of str
        What pip installs into an environment of its own; empty runs in this one.
    distributions : tuple of str
        Whose versions are recorded.
    threads : int
        How many threads its libraries are told to use.
    compiles : bool
        Whether the first call ever compiles, and so needs a run beforehand that is thrown away.
    warm_up : {"small", "inputs"}
        What the call before the timed one gets: the case's small problem, or the problem itself
        where the peer compiles for every shape.
    timeout : float
        Seconds after which its child is stopped, if that is sooner than the runner's own limit.
    note : str
        A setting worth knowing, printed below the table.
    """

    name: str
    adapter: str
    options: Mapping[str, Any] = field(default_factory=dict)
    requirements: tuple[str, ...] = ()
    distributions: tuple[str, ...] = ()
    threads: int = 1
    compiles: bool = False
    warm_up: Literal["small", "inputs"] = "small"
    timeout: float = math.inf
    note: str = ""


@dataclass(frozen=True)
class Case:
    """One problem: what the adapter gets, a small one to warm up with, what scoring needs."""

    name: str
    group: str
    inputs: Arrays
    warmup: Arrays
    truth: Arrays


@dataclass(frozen=True)
class Run:
    """What one child process measured around its one timed call.

    ``cpu`` is user + system seconds of all its threads, ``start`` the wall seconds of imports and
    warm-up before the call, ``peak_mb`` the megabytes (10⁶ bytes) held above the start at most.
    """

    wall: float
    cpu: float
    start: float
    peak_mb: float
    result: NDArray[Any]
    versions: Mapping[str, str]


class Runner(Protocol):
    """Runs one method once on one case, or raises `MethodFailed`."""

    def __call__(self, method: Method, case: Case, seed: int) -> Run: ...


@dataclass
class Cell:
    """One method on one case: its runs, or the reason why there are none."""

    method: Method
    case: Case
    runs: list[dict[str, float]] = field(default_factory=list)
    failed: str | None = None
    picture: NDArray[Any] | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def medians(self) -> dict[str, float]:
        """The median over the runs of every column; empty if it failed."""
        if self.failed is not None or not self.runs:
            return {}
        return {key: statistics.median(run[key] for run in self.runs) for key in self.runs[0]}


def in_turn(names: Sequence[Method], runs: int) -> Iterator[tuple[int, Method]]:
    """Yield (run, method) so that no method has all its runs in one spell of a noisy machine.

    Each run visits every method, each time starting one further on.
    """
    for run in range(runs):
        first = run % len(names) if names else 0
        for method in (*names[first:], *names[:first]):
            yield run, method


def measure(
    methods: Sequence[Method],
    cases: Sequence[Case],
    *,
    runs: int,
    runner: Runner,
    score: Score,
    say: Callable[[str], None] = print,
    patience: float = math.inf,
) -> list[Cell]:
    """Run all methods on all cases; run ``r`` has seed ``r``, so the medians are over seeds too.

    A method that fails on a case is listed with its reason and not tried on that case again, nor
    is one whose runs on it took over ``patience`` seconds together: they are its runs.
    """
    cells: list[Cell] = []
    prepared: set[str] = set()
    for case in cases:
        row = {method.name: Cell(method, case) for method in methods}
        cells += row.values()
        for run, method in in_turn(methods, runs):
            cell = row[method.name]
            spent = sum(past["wall"] for past in cell.runs)
            if cell.failed is not None or spent > patience:
                continue
            try:
                if method.compiles and method.name not in prepared:
                    runner(method, case, run)
                    prepared.add(method.name)
                done = runner(method, case, run)
                quality = score(case, done.result)
            except MethodFailed as reason:
                cell.failed = str(reason)
                say(f"{case.name}: {method.name} failed: {reason}")
                continue
            seconds = {"wall": done.wall, "cpu": done.cpu, "start": done.start}
            cell.runs.append({**seconds, "peak_mb": done.peak_mb, **quality})
            cell.versions = done.versions
            if run == 0:
                cell.picture = done.result
            say(f"{case.name}: {method.name} run {run + 1}/{runs}: {done.cpu:.2f} CPU s")
    return cells


class ChildRunner:
    """Runs a method as ``python -m benchmarks.worker`` in its own environment.

    Parameters
    ----------
    python_of : callable
        Gives the interpreter of a method's environment, or raises `MethodFailed`.
    timeout : float
        Seconds after which a child is stopped and has failed.
    environment : mapping, optional
        More environment variables for the children.
    """

    def __init__(
        self,
        python_of: Callable[[Method], str],
        *,
        timeout: float = 900.0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.python_of = python_of
        self.timeout = timeout
        self.environment = dict(environment or {})

    def __call__(self, method: Method, case: Case, seed: int) -> Run:
        """Run the method once in a child of its own."""
        python = self.python_of(method)
        with tempfile.TemporaryDirectory(prefix="synth-bench-") as folder:
            paths = {key: str(Path(folder, f"{key}.npz")) for key in ("inputs", "warmup")}
            warmup = case.inputs if method.warm_up == "inputs" else case.warmup
            np.savez(paths["inputs"], **case.inputs)  # type: ignore[arg-type]
            np.savez(paths["warmup"], **warmup)  # type: ignore[arg-type]
            answer = Path(folder, "answer.json")
            output = Path(folder, "result.npy")
            job = {
                **paths,
                "adapter": method.adapter,
                "options": {**method.options, "seed": seed},
                "distributions": list(method.distributions),
                "answer": str(answer),
                "output": str(output),
            }
            timeout = min(self.timeout, method.timeout)
            try:
                child = subprocess.run(
                    [python, "-m", "benchmarks.worker", json.dumps(job)],
                    cwd=ROOT,
                    env=self._variables(method),
                    capture_output=True,
                    text=True,
                    errors="replace",
                    timeout=timeout,
                )
            except subprocess.TimeoutExpired:
                raise MethodFailed(f"no result after {timeout:.0f} s") from None
            if child.returncode != 0 or not answer.exists():
                raise MethodFailed(_reason(child))
            numbers = json.loads(answer.read_text())
            return Run(result=np.load(output), **numbers)

    def _variables(self, method: Method) -> dict[str, str]:
        variables = {**os.environ, **self.environment}
        variables.update(dict.fromkeys(THREAD_VARIABLES, str(method.threads)))
        if method.requirements:
            variables.pop("PYTHONPATH", None)  # the peer's environment holds all it may import
        return variables


def _reason(child: subprocess.CompletedProcess[str]) -> str:
    """Return the last line of what a failed child said, which is Python's error if it raised."""
    if child.returncode < 0:
        return f"crashed with signal {-child.returncode}"
    lines = [line for line in child.stderr.splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"exit status {child.returncode} and no message"


def this_python(method: Method) -> str:
    """Give the interpreter that runs now, for methods without requirements of their own."""
    if method.requirements:
        raise MethodFailed(f"needs an environment with {', '.join(method.requirements)}")
    return sys.executable
