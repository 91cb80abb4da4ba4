"""What a start, a reuse, a tear-down and the client cost on this machine, as users meet them.

Whole commands are timed, each in a process of its own, from before the process begins. Figures of
different runs of this benchmark do not compare: machines are shared. Figures within one do.
"""

import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rich.console import Console
from rich.table import Table

from harness.errors import StackError
from harness.plan import SHARED_STACK
from harness.stack.commands import run as run_command
from harness.stack.compose import ROOT
from harness.stack.images import IMAGES, content
from harness.state import StackState

NAME = "placement-harness-bench"
ONE_TEST = "gabbits/root.yaml"
REUSES = 5


@dataclass(slots=True)
class Measure:
    """Values of one thing, and what it is to be at most."""

    what: str
    unit: str
    goal: str = ""
    values: list[float] = field(default_factory=list)

    def row(self) -> tuple[str, str, str, str, str]:
        digits = 2 if max(self.values) < 100 else 0
        return (
            self.what,
            f"{statistics.median(self.values):.{digits}f} {self.unit}",
            f"{max(self.values):.{digits}f} {self.unit}",
            str(len(self.values)),
            self.goal,
        )


def run(starts: int, progress: Callable[[str], None]) -> None:
    """Measure, and print a table of medians and worst values."""
    start = Measure("up: to 200 from all 3 replicas", "s", "6, none above 8")
    down = Measure("down", "s", "2")
    for number in range(starts):
        progress(f"start {number + 1} of {starts}")
        start.values.append(_timed("up", "--replicas", "3", "--name", NAME))
        down.values.append(_timed("down", "--name", NAME))
    reuse = Measure("pytest --stack reuse: to its first request", "s", "1")
    client = Measure("client, a test of gabbits/", "ms", "3")
    latency = Measure("latency p50", "ms")
    _warm(reuse, client, latency, progress)
    sizes = [_size(name) for name in IMAGES if name != "python"]
    table = Table(title="placement-harness bench")
    for column in ("", "median", "worst", "n", "at most"):
        table.add_column(column, justify="left" if not column else "right")
    for measure in (start, down, reuse, client, latency, *sizes):
        table.add_row(*measure.row())
    Console().print(table)


def _timed(*arguments: str) -> float:
    begin = time.monotonic()
    command("placement-harness", *arguments)
    return time.monotonic() - begin


def command(*words: str) -> str:
    """Run one of our commands, and give what it writes. Raises StackError when it fails."""
    module = {"placement-harness": "harness.cli", "pytest": "pytest"}[words[0]]
    done = subprocess.run(  # noqa: S603 (our own programs, fixed arguments)
        [sys.executable, "-m", module, *words[1:]],
        capture_output=True,
        text=True,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise StackError(
            f"`{' '.join(words)}` failed with exit code {done.returncode}.",
            "Its last lines are below; nothing was measured.",
            evidence=(done.stdout + done.stderr).splitlines()[-20:],
        )
    return done.stdout


def _warm(
    reuse: Measure, client: Measure, latency: Measure, progress: Callable[[str], None]
) -> None:
    """What is measured on a stack that runs: the shared one, left as it was found."""
    record = StackState(SHARED_STACK).record()
    ours = record is None
    replicas = str(record.replicas if record else 3)
    pytest = ("pytest", "--replicas", replicas, "--stack", "reuse")
    progress("pytest --stack reuse")
    command("placement-harness", "up", "--replicas", replicas)
    try:
        for _ in range(REUSES):
            begin = time.time()
            command(*pytest, ONE_TEST)
            reuse.values.append(_first_request(begin) - begin)
        progress("all suites")
        for _ in range(3):
            said = command(*pytest, "gabbits")
            client.values.append(figure(r"client\s+([\d.]+) ms", said))
            latency.values.append(figure(r"p50 ([\d.]+) ms", said))
    finally:
        if ours:
            command("placement-harness", "down")


def _first_request(since: float) -> float:
    """When Apache was asked for placement for the first time, in seconds since the epoch."""
    log = run_command(
        "docker", "logs", "--since", f"{since:.3f}", f"{SHARED_STACK}-apache-1", seconds=10
    )
    for line in log.out.splitlines():
        # time replica=N id status bytes microseconds "METHOD /path HTTP/1.1"
        if '"GET /placement' in line and "placement-harness-ready" not in line:
            return datetime.fromisoformat(line.split()[0] + "+00:00").timestamp()
    raise StackError("No request reached Apache.", "See placement-harness logs apache.")


def figure(pattern: str, text: str) -> float:
    """The last figure of this kind in a text."""
    found: Sequence[str] = re.findall(pattern, text)
    if not found:
        raise StackError("The run printed no such figure.", f"Looked for {pattern!r}.")
    return float(found[-1])


def _size(name: str) -> Measure:
    answer = run_command(
        "docker",
        "image",
        "inspect",
        "--format",
        "{{.Size}}",
        IMAGES[name].tag(content(name)),
        seconds=30,
    )
    goal = "85" if name == "placement" else ""
    return Measure(f"image {name}", "MB", goal, [int(answer.out) / 1e6])
