"""`placement-harness check` on real stacks: what holds, and what it finds where it does not."""

from __future__ import annotations

import pytest

from harness.consistency import reading
from harness.consistency.cloud import LEAVES
from harness.consistency.workloads import WORKLOADS
from harness.core.deadline import Deadline
from tests.live._live import LONG, Commands, docker


def test_every_workload_runs_and_finds_what_is_known_alone(up: Commands) -> None:
    running = up.start("placement-harness", "check", "--rounds", "1", "--stack", "reuse")
    # One round is no pass: nothing is decided.
    assert running.ends() == 3, running.text
    assert "VIOLATED" not in running.text
    assert "  held " not in running.text
    for workload in WORKLOADS:
        assert f"{workload}: 1 round" in running.text
    assert "only 1 round made, of 5 at least" in running.text
    assert " x left-consumer: after 400 to a claim of no provider" in running.text
    (path,) = (up.folder / "placement-check").glob("capacity-*.jsonl")
    kept = reading.read(path)
    assert kept.complete
    assert {operation.replica for operation in kept.operations} == {1, 2, 3}
    assert f"history    placement-check/{path.name}" in running.text


def test_claims_hold_while_a_replica_is_frozen(up: Commands) -> None:
    words = ("--workload", "capacity", "--fault", "pause-replica", "--seconds", "1")
    output = up.harness("check", *words, "--clients", "4", "--stack", "reuse")
    assert "  fault      pause-replica, " in output
    assert "  database   innodb_doublewrite " in output
    assert "check: held" in output


# A fault of each kind; the others differ from them by the service that is struck.
@pytest.mark.long
@pytest.mark.parametrize(
    "fault",
    [
        *("kill-replica", "restart-replica", "rolling-restart", "scale"),
        *("cut-replica-database", "cut-replica-memcached", "cut-replica-keystone"),
        *("kill-memcached", "kill-keystone", "restart-apache", "kill-database", "pause-database"),
    ],
)
def test_claims_hold_under_a_fault(up: Commands, fault: str) -> None:
    words = ("--workload", "capacity", "--fault", fault, "--seconds", "8", "--stack", "reuse")
    # Under some faults a round takes half a minute, and a check goes on until it has enough.
    output = up.run("placement-harness", "check", *words, timeout=300)
    assert f"  fault      {fault}, " in output
    assert "check: held" in output


@pytest.mark.long
def test_claims_hold_while_nodes_of_a_cluster_fail(commands: Commands) -> None:
    commands.harness("up", "--replicas", "3", "--database", "galera")
    for fault in ("kill-node", "pause-node", "cut-node"):
        words = ("--workload", "capacity", "--fault", fault, "--seconds", "8", "--stack", "reuse")
        output = commands.harness("check", *words)
        assert f"  fault      {fault}, " in output
        assert "check: held" in output


@pytest.mark.long
def test_reap_heals_what_a_killed_checker_has_broken(commands: Commands) -> None:
    commands.harness("up", "--replicas", "2")
    words = ("--workload", "capacity", "--fault", "pause-database", "--seconds", "30")
    running = commands.start("placement-harness", "check", *words, "--stack", "reuse")
    paused = f"{commands.name}-mariadb-1"
    for _ in Deadline.after(60).every(0.05):
        if "Paused" in docker("ps", "--filter", f"name={paused}", "--format", "{{.Status}}"):
            break
    running.kill()
    assert "Paused" in docker("ps", "--filter", f"name={paused}", "--format", "{{.Status}}")
    assert "mariadb was left paused: mended" in commands.harness("reap")
    assert "Paused" not in docker("ps", "--filter", f"name={paused}", "--format", "{{.Status}}")


def rows(commands: Commands) -> dict[str, list[str]]:
    """All rows of placement's schema, by table."""
    connection = commands.stack().database()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW TABLES")
            tables = [table for (table,) in cursor.fetchall()]
            found = {}
            for table in tables:
                # The names are the server's own.
                cursor.execute(f"SELECT * FROM `{table}`")
                found[table] = sorted(map(repr, cursor.fetchall()))
            return found
    finally:
        connection.close()


# A stack by its URL alone is a live cloud to the check.
@pytest.mark.long
def test_a_live_cloud_is_left_as_it_was(up: Commands) -> None:
    url = f"{up.stack().url()}/placement"
    before = rows(up)
    script = 'eval "$(placement-harness env)" && exec placement-harness check "$@"'
    words = ("sh", "-c", script, "sh", "--target", url, "--seconds", "1")
    refused = up.start(*words)
    assert refused.ends() == 64
    assert "is a live placement, and a check writes to it" in refused.text
    assert rows(up) == before
    running = up.start(*words, "--on-live")
    assert running.ends(2 * LONG) == 0, running.text
    assert "that this check may have made: gone again" in running.text
    for workload in {*WORKLOADS} - {*LEAVES}:
        assert f"{workload}: " in running.text
    after = rows(up)
    # No request deletes a project, a user or a consumer type.
    for table in ("projects", "users", "consumer_types"):
        assert len(after.pop(table)) <= len(before.pop(table)) + 1
    assert after == before


@pytest.mark.long
def test_workloads_are_tests_of_pytest(commands: Commands) -> None:
    commands.suite("tests:\n- name: root\n  GET: /\n  status: 200\n")
    words = (
        "--replicas",
        "3",
        "--consistency",
        "-k",
        "capacity or failed-claims",
        "gabbits",
    )
    output = commands.pytest(*words)
    assert f"1 passed, {len(WORKLOADS) - 2} deselected, 1 xfailed" in output


@pytest.mark.long
def test_over_allocation_is_found_without_snapshot_isolation(commands: Commands) -> None:
    words = ("--workload", "capacity", "--database", "mariadb-10.11", "--strict")
    output = commands.harness("check", *words, code=1)
    assert "of 10 were given away" in output
    assert "of 10 are used in the database" in output
    assert commands.settled() == []
