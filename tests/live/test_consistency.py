"""`placement-harness check` on real stacks: what holds, and what it finds where it does not."""

from __future__ import annotations

import pytest

from harness.consistency import reading
from tests.live._live import Commands


def test_claims_never_exceed_what_there_is(up: Commands) -> None:
    words = ("--workload", "capacity", "--rounds", "1", "--seconds", "20", "--stack", "reuse")
    output = up.harness("check", *words)
    assert "check: held" in output
    (path,) = (up.folder / "placement-check").glob("capacity-*.jsonl")
    kept = reading.read(path)
    assert kept.complete
    assert {operation.replica for operation in kept.operations} == {1, 2, 3}
    assert f"history    placement-check/{path.name}" in output


# Workloads that hold on placement 16 and MariaDB 11.8; the others find what docs/findings.md says.
@pytest.mark.parametrize("workload", ["read-your-write", "reshape"])
def test_other_promises_hold(up: Commands, workload: str) -> None:
    words = ("--workload", workload, "--rounds", "2", "--seconds", "20", "--stack", "reuse")
    assert "check: held" in up.harness("check", *words)


def test_a_left_consumer_is_found(up: Commands) -> None:
    words = ("--workload", "failed-claims", "--rounds", "1", "--seconds", "20", "--stack", "reuse")
    output = up.harness("check", *words)
    assert "check: known" in output
    assert " x left-consumer: after 400 to a claim of no provider its consumer is there" in output


@pytest.mark.long
def test_claims_hold_while_replicas_are_killed(commands: Commands) -> None:
    words = ("--workload", "capacity", "--fault", "kill-replica", "--seconds", "8")
    output = commands.harness("check", *words)
    assert "kill-replica, " in output
    assert "check: held" in output
    assert commands.settled() == []


@pytest.mark.long
def test_workloads_are_tests_of_pytest(commands: Commands) -> None:
    commands.suite("tests:\n- name: root\n  GET: /\n  status: 200\n")
    words = (
        "--replicas",
        "3",
        "--consistency",
        "-k",
        "read-your-write or failed-claims",
        "gabbits",
    )
    output = commands.pytest(*words)
    assert "1 passed, 1 xfailed" in output


@pytest.mark.long
def test_over_allocation_is_found_without_snapshot_isolation(commands: Commands) -> None:
    words = ("--workload", "capacity", "--database", "mariadb-10.11", "--strict")
    output = commands.harness("check", *words, code=1)
    assert "of 10 were given away" in output
    assert "of 10 are used in the database" in output
    assert commands.settled() == []
