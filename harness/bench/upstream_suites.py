"""Times placement's own suites: upstream's command beside the harness's, on a stack and in memory.

Rounds are interleaved, so that other work on the machine slows all commands alike. Judge by the
ratios to upstream's command: stestr with two workers, in process, SQLite, noauth2. Its first run is
left out: from the second on, stestr balances its workers by the times that it remembers.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from harness.bench import cpu, token_cost
from harness.bench.figures import Measure, command, figure, reported, show, surroundings
from harness.core import process
from harness.core.errors import StackError, UsageError
from harness.core.evidence import last_lines
from harness.core.measurements import Progress
from harness.upstream.fixture_data import installed_suites

UPSTREAM = ("pytest", "--suite", "upstream", "-n2")
STACK = (*UPSTREAM, "--replicas", "3")
REUSE = (*STACK, "--stack", "reuse")
# Title -> a command, and the limit of its wall time, in wall times of upstream's command.
WAYS = {
    "--target embedded": ((*UPSTREAM, "--target", "embedded"), "0.6"),
    "a fresh stack": ((*STACK, "--stack", "fresh"), "1.3"),
    "--stack reuse": (REUSE, "1.0"),
}
STESTR = """[DEFAULT]
test_path={root}/placement/tests/functional
top_dir={root}
group_regex=placement\\.tests\\.functional\\.test_api(?:\\.|_)([^_]+)
"""


def run(rounds: int, progress: Progress) -> None:
    """Measure; print the wall times, their ratios, and the CPU seconds of each part."""
    suites = installed_suites()
    reference = Measure("upstream's own way", "s")
    ours = {name: Measure(name, "s", goal) for name, (_, goal) in WAYS.items()}
    with tempfile.TemporaryDirectory(prefix="placement-harness-bench-") as folder:
        progress("upstream's own way, for the first time")
        tests = _reference(Path(folder), suites)
        for number in range(rounds):
            progress(f"round {number + 1} of {rounds}")
            begin = time.monotonic()
            _reference(Path(folder), suites)
            reference.values.append(time.monotonic() - begin)
            for name in ("--target embedded", "a fresh stack"):
                ours[name].values.append(_timed(WAYS[name][0], tests))
            try:
                # The stack is up for this measurement alone: it would slow the others.
                command(*REUSE, "-k", "cors")
                ours["--stack reuse"].values.append(_timed(REUSE, tests))
            finally:
                command("placement-harness", "down")
    spent = _seconds(tests, progress)
    cost = token_cost.measure(progress)
    rows = [
        (*way.row()[:-1], f"{way.median / reference.median:.2f}", way.goal)
        for way in (reference, *ours.values())
    ]
    title = f"{tests} tests of placement's own, 2 workers, whole commands"
    show(title, ("", "median", "worst", "n", "ratio", "at most"), rows)
    figures = [
        (part, *(f"{seconds.get(part, 0.0):.1f}" for seconds in spent.values()))
        for part in next(iter(spent.values()))
    ]
    show("CPU seconds", ("", *spent), figures)
    token_cost.show_cost(cost)


def _seconds(tests: int, progress: Progress) -> dict[str, dict[str, float]]:
    """Measure the CPU seconds of a start with a first run, and of a later run."""
    progress("CPU seconds")
    seconds = {}
    try:
        for what, way in (("a start, and a run", (*STACK, "--stack", "keep")), ("a run", REUSE)):
            before = cpu.spent()
            _timed(way, tests)
            seconds[what] = cpu.since(before)
    finally:
        command("placement-harness", "down")
    return seconds


def _timed(words: tuple[str, ...], tests: int) -> float:
    """Wall time of one of WAYS, in seconds. Raises StackError unless all tests pass."""
    begin = time.monotonic()
    report = reported(*words)
    took = time.monotonic() - begin
    if report["tests"]["passed"] != tests:
        raise StackError(f"`{' '.join(words)}` did not pass {tests} tests.", "Run it alone.")
    return took


def _reference(folder: Path, suites: Path) -> int:
    """Run upstream's command; return the number of tests that passed."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    stestr = shutil.which("stestr", path=path)
    if stestr is None:
        raise UsageError("There is no stestr, upstream's test runner.", "pip install stestr")
    (folder / ".stestr.conf").write_text(STESTR.format(root=suites.parents[3]))
    outcome = process.run(
        *(stestr, "run", "--concurrency", "2", "test_api"),
        seconds=process.NO_LIMIT,
        environment={**surroundings(), "PATH": path},
        folder=folder,
    )
    if not outcome.ok:
        raise StackError(
            "Upstream's own command failed.",
            "Its last lines are below; nothing was measured.",
            evidence=last_lines(outcome.out),
        )
    return int(figure(r"Passed: (\d+)", outcome.out))
