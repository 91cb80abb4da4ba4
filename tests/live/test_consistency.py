"""`placement-harness check` on real stacks: what holds, and what it finds where it does not."""

from __future__ import annotations

import pytest

from harness.consistency import history
from tests.live._live import Commands


def test_claims_never_exceed_what_there_is(up: Commands) -> None:
    words = ("--workload", "capacity", "--rounds", "1", "--seconds", "20", "--stack", "reuse")
    output = up.harness("check", *words)
    assert "check: held" in output
    (path,) = (up.folder / "placement-check").glob("capacity-*.jsonl")
    kept = history.read(path)
    assert kept.complete
    assert {operation.replica for operation in kept.operations} == {1, 2, 3}
    assert f"history    placement-check/{path.name}" in output


@pytest.mark.long
def test_over_allocation_is_found_without_snapshot_isolation(commands: Commands) -> None:
    words = ("--workload", "capacity", "--database", "mariadb-10.11", "--seconds", "6")
    output = commands.harness("check", *words, code=1)
    assert "of 10 were given away" in output
    assert "of 10 are used in the database" in output
    assert commands.settled() == []
