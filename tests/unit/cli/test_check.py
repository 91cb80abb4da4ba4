"""`placement-harness check` before and after a run: settings without sense, saved histories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.cli.check import check
from harness.consistency.counts import LEAST_ROUNDS
from harness.consistency.history import Operation, Outcome, Writer
from harness.core.errors import UsageError

CLOUD = "http://cloud/placement"


def saved(path: Path, claims: int, rounds: int = LEAST_ROUNDS, **header: Any) -> str:
    """A history of rounds in which each client claims a CPU of ten."""
    writer = Writer(path, {"workload": "capacity", "seed": "7", **header}, 0.0)
    rows = []
    for round_ in range(rounds):
        numbers = [
            writer.invoke(process, round_, "claim", [f"r{round_}/c{process}", 1], 1, 0.0)
            for process in range(claims)
        ]
        for process, number in enumerate(numbers):
            done = Operation(number, process, round_, "claim", 0.0, outcome=Outcome.OK, status=204)
            writer.complete(done, 1.0)
        rows += [
            [f"r{round_}/c{process}", f"r{round_}/host", "VCPU", 1] for process in range(claims)
        ]
    writer.table("allocations", rows)
    writer.table("consumers", [[row[0], 1] for row in rows])
    writer.close(complete=True)
    return str(path)


def test_a_saved_history_is_judged_again(tmp_path: Path) -> None:
    result = CliRunner().invoke(check, ["--history", saved(tmp_path / "good", 10)])
    assert result.exit_code == 0
    assert "50 acknowledged" in result.output
    assert "held       capacity: used must not exceed" in result.output


def test_a_saved_violation_is_found_again(tmp_path: Path) -> None:
    result = CliRunner().invoke(check, ["--history", saved(tmp_path / "bad", 12)])
    assert result.exit_code == 1
    assert "round 0: 12 of 10 were given away" in result.output
    assert "client 3, replica 1: claim ['r0/c3', 1] -> 204" in result.output


def test_a_known_violation_fails_only_a_strict_check(tmp_path: Path) -> None:
    path = saved(tmp_path / "known", 12, database="mariadb-10.11", placements=["16.0.0"])
    result = CliRunner().invoke(check, ["--history", path])
    assert result.exit_code == 0
    assert "10 x over-allocation: 12 of 10 were given away" in result.output
    assert "check: known" in result.output
    assert CliRunner().invoke(check, ["--history", path, "--strict"]).exit_code == 1


def test_what_is_known_elsewhere_fails_and_says_so(tmp_path: Path) -> None:
    path = saved(tmp_path / "new", 12, database="mariadb", placements=["16.0.0"])
    result = CliRunner().invoke(check, ["--history", path])
    assert result.exit_code == 1
    assert "known as over-allocation, but not on this database or placement" in result.output


def test_a_history_of_few_rounds_is_no_success(tmp_path: Path) -> None:
    result = CliRunner().invoke(check, ["--history", saved(tmp_path / "few", 10, rounds=4)])
    assert result.exit_code == 3
    assert "undecided  capacity: used must not exceed" in result.output
    assert "only 4 rounds made, of 5 at least" in result.output


def test_a_history_in_which_nothing_happened_is_no_success(tmp_path: Path) -> None:
    result = CliRunner().invoke(check, ["--history", saved(tmp_path / "none", 0)])
    assert result.exit_code == 3
    assert "no claim was acknowledged" in result.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--workload", "capcity"], "no such workload. Did you mean capacity?"),
        (["--seconds", "0"], "--seconds 0 leaves no time"),
        (["--database", "mariadb-9"], "no such database"),
        (["--known", "--strict"], "--known runs what the record of known defects names"),
        (["--fault", "kill-replicas"], "no such fault. Did you mean kill-replica?"),
        (["--each", "15.0.0", "--placement", "16.0.0"], "--each and --placement make no sense"),
        (["--target", CLOUD], f"--target {CLOUD} is a live placement.*Give --on-live"),
        (["--on-live"], "--on-live makes no sense without a live placement"),
        (["--target", "stack", "--on-live"], "--target stack is no live placement"),
        (["--target", CLOUD, "--on-live", "--fault", "all"], "a live placement gets no faults"),
        (["--target", CLOUD, "--on-live", "--workload", "races"], "--workload races would leave"),
        (["--target", CLOUD, "--on-live", "--replicas", "2"], "--replicas 2 makes no sense with"),
    ],
)
def test_settings_without_sense_are_refused(tmp_path: Path, words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        CliRunner().invoke(check, [*words, "--output", str(tmp_path)], catch_exceptions=False)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--page", "/proc/no/page.html"], "--page /proc/no/page.html cannot be written"),
        (["--findings", "/proc/no/file"], "--findings /proc/no/file cannot be written"),
        (["--workload", "capacity", "--findings", "f.md"], "has nothing to say: no races were run"),
        (["--seconds", "nan"], "--seconds nan leaves no time"),
        (["--seconds", "inf"], "--seconds inf leaves no time"),
    ],
)
def test_what_cannot_end_well_is_refused_before_a_stack_is_started(
    words: list[str], problem: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(check, words)
    assert isinstance(result.exception, UsageError)
    assert problem in str(result.exception)
