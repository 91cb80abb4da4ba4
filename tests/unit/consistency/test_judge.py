"""Judging: no empty pass, the worst verdict wins, a 500 breaks a promise of its own."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from harness.consistency.history import History
from harness.consistency.judge import (
    NO_SERVER_ERROR,
    Judgement,
    Violation,
    judge,
    overlapping,
)
from tests.unit.consistency.histories import history, op

PROMISE = "a promise"


def content(_: History) -> Iterable[Violation]:
    return ()


def judged(given: History) -> dict[str, str]:
    report = judge(given, [PROMISE], content, ["write"])
    return {verdict.promise: f"{verdict.judgement} {verdict.reason}" for verdict in report.verdicts}


def test_promises_of_a_good_run_are_held() -> None:
    good = history(op("write"), op("write", outcome="fail"))
    assert judged(good) == {PROMISE: "held ", NO_SERVER_ERROR: "held "}


def test_a_run_in_which_nothing_was_acknowledged_decides_nothing() -> None:
    for empty in (history(), history(op("write", outcome="fail"), op("write", outcome="info"))):
        assert judged(empty)[PROMISE] == "not decided no write was acknowledged"


def test_a_run_in_which_writes_met_no_other_decides_nothing() -> None:
    alone = history(*(op("write", at=(second, second + 0.5)) for second in range(10)))
    assert judged(alone)[PROMISE].startswith("not decided only 0% of 10 writes overlapped")


def test_a_history_that_was_cut_off_decides_nothing() -> None:
    cut = history(op("write"), op("write"), complete=False)
    assert judged(cut)[PROMISE] == "not decided the history was cut off"


def test_a_500_breaks_a_promise_of_its_own_unless_a_fault_is_injected() -> None:
    operations = [op("write"), op("write", outcome="info", status=500, error="boom")]
    assert judged(history(*operations))[NO_SERVER_ERROR] == "violated "
    struck = judged(history(*operations, fault="kill-replica", faults=[(0.5, 1.5)]))
    assert struck == {PROMISE: "held "}


def test_a_fault_that_met_no_write_decides_nothing() -> None:
    for faults in ([], [(5.0, 6.0)]):
        missed = history(op("write"), op("write"), fault="kill-replica", faults=faults)
        assert judged(missed)[PROMISE] == "not decided no fault met a write under way"


def test_a_violation_counts_although_the_history_was_cut_off() -> None:
    cut = history(op("write"), op("write", outcome="info", status=500), complete=False)
    report = judge(cut, [PROMISE], content, ["write"])
    assert report.judgement == Judgement.VIOLATED


def test_the_worst_judgement_wins_and_none_is_no_pass() -> None:
    held, undecided, violated = Judgement.HELD, Judgement.NOT_DECIDED, Judgement.VIOLATED
    assert Judgement.worst([held, undecided, violated]) == violated
    assert Judgement.worst([held, undecided]) == undecided
    assert Judgement.worst([]) == undecided
    assert [one.exit_code for one in (held, violated, undecided)] == [0, 1, 3]


def test_a_checker_breaks_only_promises_of_its_workload() -> None:
    def wrong(_: History) -> Iterable[Violation]:
        return [Violation("another", 0, "x")]

    with pytest.raises(ValueError, match="another"):
        judge(history(op("write")), [PROMISE], wrong, ["write"])


def test_writes_overlap_only_within_a_round_and_between_processes() -> None:
    assert overlapping(history(op("write"), op("write", at=(0.5, 2)))) == 2
    assert overlapping(history(op("write"), op("write", round=1))) == 0
    assert overlapping(history(op("write", process=1), op("write", process=1))) == 0
    assert overlapping(history(op("write"), op("read"), op("prepare x"))) == 0
    assert overlapping(history(op("write", at=(0, None)), op("write", at=(9, 10)))) == 2
