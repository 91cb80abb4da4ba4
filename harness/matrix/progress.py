"""Shows the progress of a matrix: a bar on a terminal, elsewhere one line for each step."""

import contextlib
from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from harness.matrix.cells import Cell
from harness.matrix.runner import Result


class Lines:
    """Writes one line for each step."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._what = ""

    def begins(self, number: int, of: int, cell: Cell) -> None:
        self._what = f"[{number}/{of}] {cell.name}"
        self._say(f"{self._what}: begins")

    def step(self, line: str) -> None:
        self._say(f"{self._what}: {line}")

    def percent(self, done: int) -> None:
        """Write nothing: a log would be full of percentages."""

    def ends(self, result: Result) -> None:
        self._say(f"{self._what}: {outcome(result)}")

    def close(self) -> None: ...


class Live:
    """Shows one bar for the running cell, below the lines of the finished cells."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("  {task.description}", markup=False),
            BarColumn(24),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[step]}", markup=False),
            console=console,
            transient=True,
        )
        self._what = ""
        self._task = self._progress.add_task("", total=100, step="")
        self._progress.start()

    def begins(self, number: int, of: int, cell: Cell) -> None:
        self._what = f"[{number}/{of}] {cell.name}"
        self._progress.reset(self._task, description=self._what, step="")

    def step(self, line: str) -> None:
        self._progress.update(self._task, step=line)

    def percent(self, done: int) -> None:
        self._progress.update(self._task, completed=done, step="")

    def ends(self, result: Result) -> None:
        with contextlib.suppress(OSError):
            line = f"  {self._what}: {outcome(result)}"
            self._progress.console.print(line, markup=False, highlight=False)

    def close(self) -> None:
        # The results have to be written even when the terminal was closed.
        with contextlib.suppress(OSError):
            self._progress.stop()


def watcher(say: Callable[[str], None]) -> Lines | Live:
    console = Console(stderr=True)
    return Live(console) if console.is_terminal else Lines(say)


def outcome(result: Result) -> str:
    """Outcome of a cell in one line."""
    counts = [
        f"{result.count(name)} {name}"
        for name in ("passed", "failed", "errors")
        if name == "passed" or result.count(name)
    ]
    summary = f"{result.verdict}, {', '.join(counts)} in {result.wall:.1f} s"
    return f"{summary}: {result.reason}" if result.reason else summary
