"""Runs the harness's commands as users run them, times them, and prints tables."""

import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from harness.config.plan import NAME_VARIABLE
from harness.core.errors import StackError
from harness.core.evidence import last_lines
from harness.core.paths import ROOT
from harness.core.process import NO_LIMIT, run

# Name of the stacks that are measured. A user's kept stack has another name and is left alone.
NAME = "placement-harness-bench"
STATE_VARIABLE = "PLACEMENT_HARNESS_STATE"
MODULES = {"placement-harness": "harness.cli", "pytest": "pytest"}


@dataclass(slots=True)
class Measure:
    """Measured values of one quantity, its unit, and its limit as text."""

    what: str
    unit: str
    goal: str = ""
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def row(self) -> tuple[str, str, str, str, str]:
        digits = 2 if max(self.values) < 100 else 0
        return (
            self.what,
            f"{self.median:.{digits}f} {self.unit}",
            f"{max(self.values):.{digits}f} {self.unit}",
            str(len(self.values)),
            self.goal,
        )


def command(*words: str) -> str:
    """Run a command of the harness on the benchmark's stack and return its standard output.

    Raises StackError when it fails.
    """
    outcome = run(
        *(sys.executable, "-P", "-m", MODULES[words[0]], *words[1:]),
        seconds=NO_LIMIT,
        environment=surroundings(),
        folder=ROOT,
    )
    if not outcome.ok:
        raise StackError(
            f"`{' '.join(words)}` failed with exit code {outcome.code}.",
            "Its last lines are below; nothing was measured.",
            evidence=last_lines(outcome.text),
        )
    return outcome.out


def reported(*words: str) -> Mapping[str, Any]:
    """Run pytest on the benchmark's stack and return its run report (docs/matrix.md).

    Raises StackError when pytest fails.
    """
    with tempfile.TemporaryDirectory(prefix="placement-harness-bench-") as folder:
        path = Path(folder) / "run.json"
        command(*words, f"--run-report={path}")
        report: Mapping[str, Any] = json.loads(path.read_text())
    return report


def surroundings() -> dict[str, str]:
    """Environment of a measured command, without the user's settings of the harness and pytest.

    PYTHONDONTWRITEBYTECODE is left out, too: with it, each process compiles the modules that
    pytest rewrites.
    """
    without = ("PLACEMENT_HARNESS_", "PYTEST_", "PYTHONDONTWRITEBYTECODE")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == STATE_VARIABLE or not name.startswith(without)
    }
    return {**kept, NAME_VARIABLE: NAME}


def timed(*words: str) -> float:
    """Run a command; return its wall time in seconds, the start of its process included."""
    begin = time.monotonic()
    command(*words)
    return time.monotonic() - begin


def figure(pattern: str, text: str) -> float:
    """Return the last figure in a text that matches a pattern. Raises StackError."""
    matches: Sequence[str] = re.findall(pattern, text)
    if not matches:
        raise StackError("The run printed no such figure.", f"Looked for {pattern!r}.")
    return float(matches[-1])


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: names in the first column, figures in the others."""
    table = Table(title=title)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
