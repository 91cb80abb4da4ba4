"""Judging: no empty pass, the worst verdict wins, a 500 breaks a promise of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from harness.consistency.counts import LEAST_MET, LEAST_ROUNDS, meetings
from harness.consistency.history import History, Operation, Strike
from harness.consistency.judge import (
    NO_SERVER_ERROR,
    Judgement,
    Violation,
    judge,
)
from tests.unit.consistency.histories import history, op, rounds

PROMISE = "a promise"


def content(_: History) -> Iterable[Violation]:
    return ()


def judged(given: History) -> dict[str, str]:
    report = judge(given, [PROMISE], content, ["write"])
    return {verdict.promise: f"{verdict.judgement} {verdict.reason}" for verdict in report.verdicts}


def test_promises_of_a_good_run_are_held() -> None:
    good = history(*rounds(op("write"), op("write", outcome="fail")))
    assert judged(good) == {PROMISE: "held ", NO_SERVER_ERROR: "held "}


def test_a_run_in_which_nothing_was_acknowledged_decides_nothing() -> None:
    for empty in (history(), history(op("write", outcome="fail"), op("write", outcome="info"))):
        assert judged(empty)[PROMISE] == "not decided no write was acknowledged"


def test_a_run_in_which_writes_met_no_other_decides_nothing() -> None:
    alone = history(*rounds(op("write", at=(0, 1)), op("write", at=(1, 2)), number=5))
    assert judged(alone)[PROMISE] == (
        "not decided only 0% of 10 writes overlapped with one of the same object; "
        f"only 0 x write met a write, of {LEAST_MET} at least"
    )


def test_writes_of_other_objects_are_not_met() -> None:
    given = history(*rounds(op("write", ["a"]), op("write", ["b"])))
    assert judge(given, [PROMISE], content, ["write"]).judgement is Judgement.HELD
    report = judge(given, [PROMISE], content, ["write"], key=lambda call: call.value[0])
    assert report.judgement is Judgement.NOT_DECIDED


def test_a_run_of_few_rounds_decides_nothing() -> None:
    writes = (op("write", round=index % 4) for index in range(40))
    few = history(*writes, op("prepare", round=4, outcome="fail"))
    assert judged(few)[PROMISE] == f"not decided only 4 rounds made, of {LEAST_ROUNDS} at least"


def test_reads_that_a_promise_needs_have_to_meet_writes() -> None:
    writes = (op("write", at=(0, 1)), op("write", at=(0, 1)))
    late = history(*rounds(*writes, op("read", at=(2, 3))))
    report = judge(late, [PROMISE], content, ["write", "read"])
    assert report.verdicts[0].reason == f"only 0 x read met a write, of {LEAST_MET} at least"
    met = history(*rounds(*writes, op("read", at=(0.5, 3))))
    assert judge(met, [PROMISE], content, ["write", "read"]).judgement is Judgement.HELD


def test_a_history_that_was_cut_off_decides_nothing() -> None:
    cut = history(*rounds(op("write"), op("write")), complete=False)
    assert judged(cut)[PROMISE] == "not decided the history was cut off"


def struck(begin: float, heal: float, fault: str = "kill-replica") -> Strike:
    return Strike(fault, "placement-1", begin, heal, heal + 1)


def under(*strikes: Strike, faults: tuple[str, ...] = ("kill-replica",)) -> History:
    """A run with these faults, in which writes are under way from 0 to 1 s."""
    return history(*rounds(op("write"), op("write")), faults=[*faults], strikes=strikes)


def test_a_500_breaks_a_promise_of_its_own_unless_a_fault_is_injected() -> None:
    operations = rounds(op("write"), op("write", outcome="info", status=500, error="boom"))
    assert judged(history(*operations))[NO_SERVER_ERROR] == "violated "
    given = history(*operations, faults=["kill-replica"], strikes=[struck(0.5, 0.6)])
    assert judged(given) == {PROMISE: "held "}


@pytest.mark.parametrize("strikes", [(), (struck(5.0, 6.0),)])
def test_a_fault_that_met_no_write_decides_nothing(strikes: tuple[Strike, ...]) -> None:
    assert judged(under(*strikes))[PROMISE] == (
        "not decided no write was under way when a fault struck: kill-replica"
    )


def test_each_fault_of_several_has_to_meet_a_write() -> None:
    both = ("kill-replica", "scale")
    one = under(struck(0, 0.5), struck(5, 6, "scale"), faults=both)
    assert judged(one)[PROMISE].endswith("when a fault struck: scale")
    assert judged(under(struck(0, 0.5), struck(0, 9, "scale"), faults=both))[PROMISE] == "held "


def test_of_many_faults_nearly_all_have_to_meet_a_write() -> None:
    assert judged(under(*[struck(0, 1)] * 19, struck(5, 6)))[PROMISE] == "held "
    few = under(*[struck(0, 1)] * 18, struck(5, 6))
    assert judged(few)[PROMISE] == "not decided only 18 of 19 faults met a write under way"
    beside = replace(few, header={**few.header, "beside": ["any", "other"]})
    # Faults are also injected for those that run beside.
    assert judged(beside)[PROMISE] == "held "


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


def met(*operations: Operation) -> int:
    return len([*meetings(history(*operations))])


def test_writes_overlap_only_within_a_round_and_between_processes() -> None:
    assert met(op("write"), op("write", at=(0.5, 2))) == 2
    assert met(op("write"), op("write", round=1)) == 0
    assert met(op("write", process=1), op("write", process=1)) == 0
    assert met(op("read"), op("read"), op("prepare x")) == 0
    assert met(op("write"), op("prepare x")) == 0
    assert met(op("write", at=(0, None)), op("write", at=(9, 10))) == 2
