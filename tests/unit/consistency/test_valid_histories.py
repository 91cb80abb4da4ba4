"""Valid histories raise no alarm, and long ones are judged quickly and in little memory."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from harness.consistency import check, judge, runner
from harness.consistency.client import Names
from harness.consistency.history import Operation, Outcome, Writer
from harness.consistency.judge import Judgement
from harness.consistency.runner import Settings, Task, run
from harness.consistency.workloads import WORKLOADS
from tests.unit.consistency.model_placement import ModelPlacement

FEW, MANY = 3, 1000
OPERATIONS, LEAST = 1_000_000, 20_000


def judged(workload: str, seed: int, path: Path) -> judge.Report:
    """Run a round of a workload on the model, and judge its history."""
    path.unlink(missing_ok=True)
    placement, names = ModelPlacement(), Names(f"{seed}")
    writer = Writer(path, {"workload": workload, "seed": seed}, 0.0)
    task = Task(WORKLOADS[workload], names, writer)
    run([task], Settings(f"{seed}", 60, 9, 1), placement, lambda _: None)
    for name, rows in placement.tables(names).items():
        writer.table(name, rows)
    writer.close(complete=True)
    return check.judged(path, ()).report


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "GLANCE", 0.001)


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.long)])
@pytest.mark.parametrize("workload", WORKLOADS)
def test_valid_histories_raise_no_alarm(workload: str, count: int, tmp_path: Path) -> None:
    writes = 0
    for seed in range(count):
        report = judged(workload, seed, tmp_path / "history.jsonl")
        violations = [one.what for verdict in report.verdicts for one in verdict.violations]
        assert report.judgement is not Judgement.VIOLATED, (seed, violations[:3])
        writes += report.figures["writes"]
    assert writes > count


def long_history(path: Path, operations: int) -> None:
    """A valid history of claims: rounds of 25 calls of 9 clients, some of them refused."""
    choice = random.Random(1)
    writer = Writer(path, {"workload": "capacity", "seed": "1"}, 0.0)
    rows, at, number = [], 0.0, 0
    for round_ in range(operations // 25):
        begun = []
        for process in range(25):
            at += choice.random() / 1000
            value = [f"r{round_}/c{process % 9}-{process // 9}", 1]
            begun.append(
                (writer.invoke(process % 9, round_, "claim", value, process % 3 + 1, at), value)
            )
        for place, (number, value) in enumerate(begun):
            at += choice.random() / 1000
            ok = place < 10
            request = f"req-{choice.getrandbits(128):032x}-----"
            error = "" if ok else "placement.undefined_code Unable to allocate inventory: Unable"
            outcome, status = (Outcome.OK, 204) if ok else (Outcome.FAIL, 409)
            writer.complete(
                Operation(
                    number, place % 9, round_, "claim", at, outcome=outcome, status=status,
                    request=request, error=error,
                ),
                at,
            )  # fmt: skip
            if ok:
                rows.append([value[0], f"r{round_}/host", "VCPU", 1])
    writer.table("allocations", rows)
    writer.table("consumers", [[row[0], 1] for row in rows])
    writer.close(complete=True)


JUDGE = """
import resource, sys
from pathlib import Path
from harness.consistency import check
report = check.judged(Path(sys.argv[1]), ()).report
usage = resource.getrusage(resource.RUSAGE_SELF)
# ru_maxrss has the memory of the process that started this one, too.
status = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
print(report.judgement, usage.ru_utime + usage.ru_stime, int(status) / 1024)
"""


@pytest.mark.parametrize("operations", [LEAST, pytest.param(OPERATIONS, marks=pytest.mark.long)])
def test_a_long_history_is_judged_in_time_and_memory(tmp_path: Path, operations: int) -> None:
    path = tmp_path / "long.jsonl"
    long_history(path, operations)
    share = operations / OPERATIONS
    lines = path.read_text().splitlines()
    size = sum(len(line) + 1 for line in lines if line.startswith("["))
    assert size / operations <= 150
    words = [sys.executable, "-c", JUDGE, str(path)]
    output = subprocess.run(words, check=True, capture_output=True, text=True, timeout=300).stdout
    judgement, seconds, megabytes = output.rsplit(maxsplit=2)
    print(
        f"{operations} operations: {seconds} s of CPU, {megabytes} MB, "
        f"{size / operations:.0f} bytes an operation"
    )
    assert judgement == "held"
    # The start of Python and the imports take their own.
    assert float(seconds) <= 20 * share + 3
    assert float(megabytes) <= 400 * share + 60
