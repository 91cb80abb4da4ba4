"""Writes the results of a matrix for people and for programs (format: docs/matrix.md)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.verdicts import RunVerdict, Verdict
from harness.core.words import counted
from harness.matrix.cells import Cell
from harness.matrix.runner import JUNIT, LOG, RUN, Options, Result
from harness.report.junit import Case, Suite

SCHEMA = "placement-harness/matrix/1"
# Services that have a column each. All others, but for placement's replicas, are the database's.
PARTS = ("keystone", "apache", "memcached", "etcd")
MIB = 2**20

COLUMNS = (
    *("cell", "verdict", "passed", "failed", "errors", "wall", "start-up"),
    *("placement", "database", *PARTS),
)


@dataclass(frozen=True, slots=True)
class Matrix:
    """The cells of a matrix, its options, and its results so far."""

    written: str
    started: str
    seconds: float
    cells: Sequence[Cell]
    options: Options
    results: Sequence[Result]

    @property
    def verdict(self) -> RunVerdict:
        """The worst verdict of the results."""
        return RunVerdict.worst(result.verdict for result in self.results)


def as_json(matrix: Matrix) -> str:
    done = {result.cell.name for result in matrix.results}
    return json.dumps(
        {
            "schema": SCHEMA,
            "command": matrix.written,
            "started": matrix.started,
            "seconds": round(matrix.seconds, 1),
            "verdict": matrix.verdict,
            "exit_code": matrix.verdict.exit_code,
            "cells": [_cell(result, matrix.options) for result in matrix.results],
            "not_run": [cell.name for cell in matrix.cells if cell.name not in done],
        },
        indent=2,
    )


def _cell(result: Result, options: Options) -> Mapping[str, Any]:
    cell, report = result.cell, result.report
    files = {"log": LOG, "junit": JUNIT, "run": RUN}
    return {
        "name": cell.name,
        "database": cell.database,
        "config_source": cell.config_source,
        "placement": [*cell.placements],
        "replicas": cell.replicas,
        "suites": [*(cell.suites or options.suites)],
        "verdict": result.verdict,
        "reason": result.reason,
        "exit_code": result.exit_code,
        "tests": report.get("tests", {}),
        "requests": report.get("requests", {}),
        "latency_ms": report.get("latency_ms"),
        "seconds": {"wall": round(result.wall, 1), "start_up": _start_up(result)},
        "memory": report.get("memory", []),
        "settings": report.get("settings", []),
        "files": {
            what: f"{cell.name}/{name}"
            for what, name in files.items()
            if (options.folder / cell.name / name).is_file()
        },
    }


def rows(results: Iterable[Result]) -> list[tuple[str, ...]]:
    """Rows of the table, in the order of COLUMNS."""
    return [
        (
            result.cell.name,
            result.verdict,
            *(str(result.count(name)) for name in ("passed", "failed", "errors")),
            f"{result.wall:.1f} s",
            _seconds(_start_up(result)),
            *memory(result.report.get("memory", ())),
        )
        for result in results
    ]


def _start_up(result: Result) -> float | None:
    seconds = result.report.get("seconds", {}).get("start_up")
    return None if seconds is None else round(seconds, 1)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def memory(measured: Iterable[Mapping[str, Any]]) -> list[str]:
    """MiB of each replica, of the database's servers together, and of each other part."""
    placement: list[int] = []
    others: dict[str, int] = {}
    for container in measured:
        service, used = str(container["service"]), round(container["used"] / MIB)
        if service.partition("-")[0] == "placement":
            placement.append(used)
        else:
            part = service if service in PARTS else "database"
            others[part] = others.get(part, 0) + used
    return [_each(placement), *(str(others.get(part, "-")) for part in ("database", *PARTS))]


def _each(values: Sequence[int]) -> str:
    if not values:
        return "-"
    low, high = min(values), max(values)
    return f"{len(values)} x {low}" if low == high else f"{len(values)} x {low}-{high}"


def as_markdown(matrix: Matrix) -> str:
    """The table in Markdown, below the command that made it."""
    lines = [
        COLUMNS,
        ("---", "---", *("---:" for _ in COLUMNS[2:])),
        *rows(matrix.results),
    ]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"`{matrix.written}`, {matrix.started}; memory in MiB:\n\n{table}\n"


def show(matrix: Matrix) -> None:
    """Print the table, and the reason of each cell that did not pass."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours: dict[str, str] = {RunVerdict.PASSED: "green", RunVerdict.INTERRUPTED: "yellow"}
    console = Console()
    if not console.is_terminal:
        # A log has no width of its own, and a table must not be cut.
        console = Console(width=200)
    table = Table(title="memory in MiB, at the end", title_justify="right")
    for column in COLUMNS:
        text = column in COLUMNS[:2]
        table.add_column(column, justify="left" if text else "right", no_wrap=column == "cell")
    for row in rows(matrix.results):
        table.add_row(row[0], Text(row[1], colours.get(row[1], "red")), *row[2:])
    console.print(table)
    for result in matrix.results:
        if result.verdict != RunVerdict.PASSED:
            place = matrix.options.folder / result.cell.name / LOG
            why = f": {result.reason}" if result.reason else ""
            console.print(
                f"{result.cell.name} {result.verdict}{why} ({place})", markup=False, soft_wrap=True
            )
    missing = len(matrix.cells) - len(matrix.results)
    if missing:
        console.print(f"not run: {missing} of {counted(len(matrix.cells), 'cell')}", style="yellow")


def suites(matrix: Matrix) -> list[Suite]:
    """Return a JUnit suite for each cell, with the tests of the cell's own JUnit file."""
    return [_suite(result, matrix.options.folder) for result in matrix.results]


def _suite(result: Result, folder: Path) -> Suite:
    name, verdict = result.cell.name, result.verdict
    is_unproven = verdict == RunVerdict.FAILED and bool(result.reason)
    is_judged = verdict in (RunVerdict.PASSED, RunVerdict.FAILED) and not is_unproven
    # Without this error, a cell whose few tests have passed would look green.
    error = Case("the run", name, result.wall, Verdict.ERROR, result.reason, kind=str(verdict))
    settings = result.report.get("settings", ())
    return Suite(
        name,
        () if is_judged else (error,),
        folder / name / JUNIT,
        [("verdict", verdict), *((setting["name"], setting["value"]) for setting in settings)],
    )


def save(matrix: Matrix, junit: str) -> None:
    """Write matrix.json, matrix.md and junit.xml to the directory of the results."""
    for name, text in (
        ("matrix.json", f"{as_json(matrix)}\n"),
        ("matrix.md", as_markdown(matrix)),
        ("junit.xml", junit),
    ):
        _write(matrix.options.folder / name, text)


def _write(path: Path, text: str) -> None:
    # A file is written as a whole or not at all: a killed matrix leaves the last cell's state.
    partial = path.with_suffix(".partial")
    partial.write_text(text)
    partial.replace(path)
