"""What benchmarks have in common: our commands, run as users run them, and tables."""

import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from harness.config.plan import NAME_VARIABLE
from harness.core.errors import StackError
from harness.core.paths import ROOT

# Of the stacks that are measured: never the one that somebody keeps.
NAME = "placement-harness-bench"
STATE_VARIABLE = "PLACEMENT_HARNESS_STATE"
MODULES = {"placement-harness": "harness.cli", "pytest": "pytest"}


@dataclass(slots=True)
class Measure:
    """Values of one thing, and what it is to be at most."""

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
    """Run one of our commands on the benchmark's own stack, and give what it writes.

    Raises StackError when it fails.
    """
    done = subprocess.run(  # noqa: S603 (our own programs, fixed arguments)
        [sys.executable, "-m", MODULES[words[0]], *words[1:]],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=surroundings(),
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise StackError(
            f"`{' '.join(words)}` failed with exit code {done.returncode}.",
            "Its last lines are below; nothing was measured.",
            evidence=(done.stdout + done.stderr).splitlines()[-20:],
        )
    return done.stdout


def surroundings() -> dict[str, str]:
    """The environment of a command that is measured: none of the user's settings count in it.

    Nor does PYTHONDONTWRITEBYTECODE: each process would compile anew what pytest rewrites.
    """
    without = ("PLACEMENT_HARNESS_", "PYTEST_", "PYTHONDONTWRITEBYTECODE")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == STATE_VARIABLE or not name.startswith(without)
    }
    return {**kept, NAME_VARIABLE: NAME}


def timed(*words: str) -> float:
    """Seconds that a command takes, from before its process begins."""
    begin = time.monotonic()
    command(*words)
    return time.monotonic() - begin


def figure(pattern: str, text: str) -> float:
    """The last figure of this kind in a text."""
    found: Sequence[str] = re.findall(pattern, text)
    if not found:
        raise StackError("The run printed no such figure.", f"Looked for {pattern!r}.")
    return float(found[-1])


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; what its first column has are names, all else figures."""
    table = Table(title=title)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
