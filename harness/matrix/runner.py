"""Runs cells one after the other, each in a pytest of its own."""

import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from harness.core.deadline import GLANCE, Deadline
from harness.core.program import Program
from harness.core.signals import shielded
from harness.core.verdicts import RunVerdict
from harness.matrix.cells import Cell

# Without -P, Python would take modules of the current directory, e.g. ./dis.py, for its own.
PYTEST = (sys.executable, "-P", "-m", "pytest")
LOG, JUNIT, RUN = "log.txt", "junit.xml", "run.json"
# Time for a run to remove its stack after a signal. Seconds.
PATIENCE = 90.0
# Time limit of a cell without --timeout. Seconds.
SECONDS = 1800.0
PERCENT = re.compile(r"\[ *(\d+)%\]$")


@dataclass(frozen=True, slots=True)
class Options:
    """Options of all cells. ``seconds`` is the time limit of each."""

    folder: Path
    suites: tuple[str, ...]
    workers: str | None = None
    words: tuple[str, ...] = ()
    seconds: float = SECONDS


@dataclass(frozen=True, slots=True)
class Result:
    """Outcome of a cell.

    ``verdict`` is passed, failed, unusable (no test is to blame) or interrupted; ``wall`` is in
    seconds; ``report`` is the run's run.json (harness/plugin/run_report.py), empty without one.
    """

    cell: Cell
    verdict: RunVerdict
    exit_code: int | None
    wall: float
    reason: str = ""
    report: Mapping[str, Any] = field(default_factory=dict)

    def count(self, name: str) -> int:
        """Number of tests with a verdict: passed, failed, errors, ..."""
        return int(self.report.get("tests", {}).get(name, 0))


class Watcher(Protocol):
    """Shows the progress of a matrix."""

    def begins(self, number: int, of: int, cell: Cell) -> None: ...
    def step(self, line: str) -> None: ...
    def percent(self, done: int) -> None: ...
    def ends(self, result: Result) -> None: ...


class InterruptedRun(Exception):  # noqa: N818 (nothing went wrong)
    """The user pressed Ctrl-C, and the cell's stack has been removed."""

    def __init__(self, result: Result) -> None:
        self.result = result


def run(
    cells: Sequence[Cell],
    options: Options,
    watcher: Watcher,
    save: Callable[[Sequence[Result]], None],
) -> tuple[list[Result], bool]:
    """Run all cells; return their results, and whether Ctrl-C ended the matrix.

    ``save`` is called with the results so far after each cell.
    """
    results: list[Result] = []
    for number, cell in enumerate(cells, 1):
        interrupted = False
        try:
            watcher.begins(number, len(cells), cell)
            result = _run(cell, options, watcher)
        except InterruptedRun as stopped:
            result, interrupted = stopped.result, True
        results.append(result)
        watcher.ends(result)
        shielded(lambda: save(results))
        if interrupted:
            return results, True
    return results, False


def command(cell: Cell, options: Options) -> list[str]:
    """Command line that runs a cell."""
    folder = options.folder / cell.name
    suites = cell.suites or options.suites
    return [
        *PYTEST,
        # Options beat the environment and the ini file: a cell's name has to be true.
        *("--target", "stack", "--stack", "fresh", *cell.options),
        # Constraints in the environment belong to the placement that the environment names.
        *(("--placement-constraints=",) if cell.placements else ()),
        *(word for suite in suites for word in ("--suite", suite)),
        *(("-n", options.workers) if options.workers else ()),
        f"--junit-xml={folder / JUNIT}",
        f"--run-report={folder / RUN}",
        *options.words,
    ]


def _run(cell: Cell, options: Options, watcher: Watcher) -> Result:
    folder = options.folder / cell.name
    # An old file would be read as this run's result.
    for name in (LOG, JUNIT, RUN):
        (folder / name).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    log = _Log(folder / LOG, watcher)
    deadline = Deadline.after(options.seconds)
    with (folder / LOG).open("wb") as out:
        program = Program(
            _ends_with_matrix(command(cell, options)),
            out=out,
            # Unbuffered: the log is read while the run goes on.
            environment={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        try:
            while program.code is None and not deadline.passed:
                time.sleep(GLANCE)
                log.look()
        except KeyboardInterrupt:
            shielded_end(program)
            raise InterruptedRun(
                Result(
                    cell,
                    RunVerdict.INTERRUPTED,
                    program.code,
                    deadline.waited,
                    "Ctrl-C",
                    _report(folder),
                )
            ) from None
        if program.code is None:
            shielded_end(program)
            reason = f"not done within {options.seconds:g} s"
            return Result(
                cell, RunVerdict.UNUSABLE, program.code, deadline.waited, reason, _report(folder)
            )
    log.look()
    return _result(cell, program.code, deadline.waited, folder, log)


def shielded_end(program: Program) -> None:
    """End a run and let it remove its stack; another Ctrl-C meanwhile changes nothing."""

    def end() -> None:
        # pytest alone gets the signal, and ends its workers. SIGTERM works as Ctrl-C does, even
        # when the matrix was started with SIGINT ignored.
        program.ask_to_end()
        if program.wait(PATIENCE) is None:
            program.end()

    try:
        shielded(end)
    except KeyboardInterrupt:
        # The run is ending already.
        return


def _ends_with_matrix(words: Sequence[str]) -> list[str]:
    """The command, wrapped so that it ends as by Ctrl-C when the matrix is killed."""
    killed = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    return [*killed, *words]


def _result(cell: Cell, code: int, wall: float, folder: Path, log: "_Log") -> Result:
    report = _report(folder)
    reason = (report.get("error") or {}).get("problem") or log.error
    if code in (0, 1) and not report:
        return Result(cell, RunVerdict.UNUSABLE, code, wall, log.error or "it wrote no report")
    if code == 0:
        return Result(cell, RunVerdict.PASSED, code, wall, report=report)
    if code == 1:
        unproven = (report.get("unproven") or "").removeprefix("FAILED: ")
        return Result(cell, RunVerdict.FAILED, code, wall, unproven, report)
    words = {2: "pytest was interrupted", 4: "pytest refused its options", 5: "no test was run"}
    reason = reason or words.get(code) or f"exit code {code}: {log.last or 'without a word'}"
    return Result(cell, RunVerdict.UNUSABLE, code, wall, reason, report)


def _report(folder: Path) -> Mapping[str, Any]:
    try:
        report: Mapping[str, Any] = json.loads((folder / RUN).read_text())
    except (OSError, ValueError):
        return {}
    return report


class _Log:
    """Reads a run's log while the run writes it."""

    def __init__(self, path: Path, watcher: Watcher) -> None:
        self._path = path
        self._watcher = watcher
        self._at = 0
        self._begun = False
        # The first line that begins with ERROR, and the last line: for a run without a report.
        self.error = self.last = ""

    def look(self) -> None:
        with self._path.open("rb") as file:
            file.seek(self._at)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._at += len(whole) + len(newline)
        for line in whole.decode(errors="replace").splitlines():
            self._heed(line.rstrip())

    def _heed(self, line: str) -> None:
        self.last = line or self.last
        percent = PERCENT.search(line)
        if percent:
            self._begun = True
            self._watcher.percent(int(percent[1]))
        elif line.startswith("ERROR: "):
            self.error = self.error or line.removeprefix("ERROR: ")
        elif line.startswith("  ") and not self._begun:
            # Before the first test an indented line is the harness's progress. Later it may be a
            # test's output.
            self._watcher.step(line.strip())
