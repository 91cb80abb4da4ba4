"""placement's own suites: upstream's command, and ours on a stack and in memory, side by side.

Rounds are interleaved, so that what else the machine does falls on all of them alike. What counts
are the ratios to upstream's own way: stestr with two workers, in process, SQLite, noauth2; not its
first run, for it then balances its workers by the times that it remembers.
"""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from harness.bench.machine import command, figure
from harness.errors import StackError, UsageError
from harness.plan import SHARED_STACK
from harness.stack.containers import listed
from harness.state import StackState
from harness.upstream.scenes import installed_suites

UPSTREAM = ("pytest", "--suite", "upstream", "-n2")
STACK = (*UPSTREAM, "--replicas", "3")
# What is run, and at most how much of upstream's own wall time it is to take.
WAYS = {
    "a fresh stack": ((*STACK, "--stack", "fresh"), 1.3),
    "--stack reuse": ((*STACK, "--stack", "reuse"), 1.0),
    "--target embedded": ((*UPSTREAM, "--target", "embedded"), 0.6),
}
STESTR = """[DEFAULT]
test_path={root}/placement/tests/functional
top_dir={root}
group_regex=placement\\.tests\\.functional\\.test_api(?:\\.|_)([^_]+)
"""
CPU_FILES = (
    "/sys/fs/cgroup/cpuacct/docker/{}/cpuacct.usage",
    "/sys/fs/cgroup/system.slice/docker-{}.scope/cpu.stat",
    "/sys/fs/cgroup/docker/{}/cpu.stat",
)


def run(rounds: int, progress: Callable[[str], None]) -> None:
    """Measure, and print the walls, their ratios, and where the CPU seconds went."""
    if StackState(SHARED_STACK).record() is not None:
        raise UsageError(
            f"The stack {SHARED_STACK} runs, and would be emptied.",
            "Remove it before: placement-harness down.",
        )
    suites = installed_suites()
    walls: dict[str, list[float]] = {"upstream's own way": [], **{name: [] for name in WAYS}}
    with tempfile.TemporaryDirectory(prefix="placement-harness-bench-") as folder:
        progress("upstream's own way, for the first time")
        tests = _reference(Path(folder), suites)
        for number in range(rounds):
            progress(f"round {number + 1} of {rounds}")
            begin = time.monotonic()
            _reference(Path(folder), suites)
            walls["upstream's own way"].append(time.monotonic() - begin)
            for name in ("--target embedded", "a fresh stack"):
                walls[name].append(_timed(name, tests))
            try:
                # Nothing else is up while the others run.
                command(*STACK, "--stack", "reuse", "-k", "cors")
                before = _cpu()
                walls["--stack reuse"].append(_timed("--stack reuse", tests))
                seconds = {who: cpu - before.get(who, 0.0) for who, cpu in _cpu().items()}
            finally:
                command("placement-harness", "down")
    _show(tests, walls, seconds)


def _timed(name: str, tests: int) -> float:
    """Seconds that one of our ways takes; all tests have to pass."""
    begin = time.monotonic()
    said = command(*WAYS[name][0])
    took = time.monotonic() - begin
    if figure(r"(\d+) passed", said) != tests:
        raise StackError(f"{name} did not pass {tests} tests.", "Run it alone.")
    return took


def _reference(folder: Path, suites: Path) -> int:
    """Upstream's command; the number of tests that passed."""
    stestr = shutil.which("stestr", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if stestr is None:
        raise UsageError("There is no stestr, upstream's test runner.", "pip install stestr")
    (folder / ".stestr.conf").write_text(STESTR.format(root=suites.parents[3]))
    done = subprocess.run(  # noqa: S603 (no shell)
        [stestr, "run", "--concurrency", "2", "test_api"],
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise StackError(
            "Upstream's own command failed.",
            "Its last lines are below; nothing was measured.",
            evidence=done.stdout.splitlines()[-20:],
        )
    return int(figure(r"Passed: (\d+)", done.stdout))


def _cpu() -> dict[str, float]:
    """CPU seconds so far: of the commands that were run, and of each service of the stack."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {"client": children.ru_utime + children.ru_stime}
    for one in listed(SHARED_STACK):
        service = one.service.partition("-")[0]
        found[service] = found.get(service, 0.0) + _cgroup_seconds(one.id)
    return found


def _cgroup_seconds(container: str) -> float:
    for pattern in CPU_FILES:
        try:
            text = Path(pattern.format(container)).read_text()
        except OSError:
            continue
        # Version 1 counts nanoseconds, version 2 microseconds.
        return float(text) / 1e9 if text.strip().isdecimal() else float(text.split()[1]) / 1e6
    return 0.0


def _show(tests: int, walls: dict[str, list[float]], seconds: dict[str, float]) -> None:
    table = Table(title=f"{tests} tests of placement's own, 2 workers, whole commands")
    for column in ("", "median", "worst", "n", "ratio", "at most"):
        table.add_column(column, justify="left" if not column else "right")
    reference = statistics.median(walls["upstream's own way"])
    for name, values in walls.items():
        median = statistics.median(values)
        goal = str(WAYS[name][1]) if name in WAYS else ""
        table.add_row(
            name,
            f"{median:.1f} s",
            f"{max(values):.1f} s",
            str(len(values)),
            f"{median / reference:.2f}",
            goal,
        )
    Console().print(table)
    table = Table(title="CPU seconds of the last run on a stack that was there")
    for who in seconds:
        table.add_column(who, justify="right")
    table.add_row(*(f"{value:.1f}" for value in seconds.values()))
    Console().print(table)
