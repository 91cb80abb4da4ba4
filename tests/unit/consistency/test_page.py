"""The page of a check: calls over time with faults, and timelines of the rounds that matter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.consistency import check
from harness.consistency.history import Operation, Outcome, Strike, Writer
from harness.consistency.page import page


def made(path: Path, claims: int, fault: tuple[float, float] | None = None) -> dict[str, Any]:
    """The data of the page of a history in which clients of round 3 claim a CPU each."""
    header = {"workload": "capacity", "seed": "</script>", "database": "mariadb", "replicas": 3}
    writer = Writer(path, header, 0.0)
    for process in range(claims):
        value = [f"r3/c{process}", 1]
        number = writer.invoke(process, 3, "claim", value, process % 3 + 1, 0.1)
        done = Operation(number, process, 3, "claim", 0.1, outcome=Outcome.OK, status=204)
        writer.complete(done, 0.2 + process / 100)
    if fault is not None:
        writer.strike(Strike("kill-replica", "placement-1", fault[0], fault[0], fault[1]))
    writer.table("allocations", [[f"r3/c{n}", "r3/host", "VCPU", 1] for n in range(claims)])
    writer.table("consumers", [[f"r3/c{n}", 1] for n in range(claims)])
    writer.close(complete=True)
    text = page([check.judged(path, ())])
    assert text.count("</script>") == 3
    data = text.split('<script type="application/json" id="data">')[1].split("</script>")[0]
    (only,) = json.loads(data)
    assert isinstance(only, dict)
    return only


def test_calls_and_faults_are_shown_over_time(tmp_path: Path) -> None:
    data = made(tmp_path / "h", 4, fault=(0.15, 0.21))
    assert sum(point["ok"] for point in data["points"]) == 4
    assert data["faults"] == [[0.15, 0.21]]
    assert next(point["p50"] for point in data["points"]) == 100.0
    assert data["judgement"] == "not decided"
    assert "3 replicas" in data["about"]


def test_the_calls_that_show_a_violation_are_marked(tmp_path: Path) -> None:
    data = made(tmp_path / "h", 12)
    (timeline,) = data["timelines"]
    assert (timeline["round"], timeline["what"]) == (3, "12 of 10 were given away")
    assert [call["marked"] for call in timeline["calls"]].count(True) == 11
    assert timeline["calls"][0]["text"] == 'claim ["r3/c0", 1] -> 204'


def test_a_round_is_shown_where_nothing_was_broken(tmp_path: Path) -> None:
    (timeline,) = made(tmp_path / "h", 4)["timelines"]
    assert timeline["what"] == "no promise was broken"
    assert not any(call["marked"] for call in timeline["calls"])
