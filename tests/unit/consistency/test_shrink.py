"""A violation is made small: fewer clients, then the fewest calls that break the same promise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.consistency import check, reading, shrink
from harness.consistency.check import Checked
from harness.consistency.history import Operation, Outcome, Writer
from harness.consistency.workloads.capacity import WITHIN
from harness.core.errors import UsageError


def claims(path: Path, count: int, clients: int = 9) -> Checked:
    """A check in whose round 1 so many claims of one CPU were given, after a sound round 0."""
    writer = Writer(path, {"workload": "capacity", "seed": "1", "clients": clients}, 0.0)
    rows = []
    for round_, given in ((0, 4), (1, count)):
        names = [f"r{round_}/c{process}" for process in range(given)]
        numbers = [
            writer.invoke(process, round_, "claim", [name, 1], 1, round_)
            for process, name in enumerate(names)
        ]
        for process, number in enumerate(numbers):
            call = Operation(number, process, round_, "claim", round_)
            done = replace(call, outcome=Outcome.OK, status=204)
            writer.complete(done, round_ + 0.5)
            rows.append([f"r{round_}/c{process}", f"r{round_}/host", "VCPU", 1])
    writer.table("allocations", rows)
    writer.table("consumers", [[row[0], 1] for row in rows])
    writer.close(complete=True)
    return check.judged(path, ())


def test_the_fewest_calls_that_break_the_promise_are_left(tmp_path: Path) -> None:
    smallest = shrink.fewest_calls(claims(tmp_path / "h", 30), tmp_path / "small")
    assert smallest.report.figures["writes"] == 11
    assert smallest.report.verdicts[0].judgement == "violated"
    left = reading.read(tmp_path / "small")
    assert {call.round for call in left.operations} == {1}
    assert left.complete


def test_what_breaks_no_promise_cannot_be_shrunk(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="breaks no promise"):
        shrink.fewest_calls(claims(tmp_path / "h", 10), tmp_path / "small")


def test_clients_are_halved_as_long_as_the_promise_is_broken(tmp_path: Path) -> None:
    asked = []

    def run(clients: int) -> Checked:
        asked.append(clients)
        return claims(tmp_path / f"h{clients}", 12 if clients > 3 else 8, clients)

    smallest, clients = shrink.fewer_clients(claims(tmp_path / "h", 12), 16, run)
    assert (asked, clients) == ([8, 4, 2], 4)
    violation = shrink.violation_of(smallest)
    assert violation is not None
    assert violation.promise == WITHIN
