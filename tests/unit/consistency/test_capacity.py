"""The checker of claims: each promise has a history that breaks it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.consistency.history import History, Operation
from harness.consistency.workloads.capacity import KEPT, NOTHING_LEFT, WITHIN, Capacity
from tests.unit.consistency.histories import history, op


def claim(name: str, amount: int = 1, outcome: str = "ok") -> Operation:
    return op("claim", [f"r0/{name}", amount], outcome)


def run(claims: Sequence[Operation], there: dict[str, int], *others: Operation) -> History:
    rows = [[f"r0/{name}", "r0/host", "VCPU", used] for name, used in there.items()]
    return history(*claims, *others, tables={"allocations": rows})


def broken(given: History) -> list[tuple[str, str, int]]:
    return [(one.promise, one.what, len(one.operations)) for one in Capacity().check(given)]


TEN = [claim(f"c{number}") for number in range(10)]
ALL = {f"c{number}": 1 for number in range(10)}


def test_ten_of_ten_and_a_refusal_are_right() -> None:
    assert broken(run([*TEN, claim("c10", outcome="fail")], ALL, op("read", result=10))) == []


def test_eleven_of_ten_are_a_violation_shown_by_the_fewest_claims() -> None:
    found = broken(run([claim("big", 2), *TEN], {**ALL, "big": 2}))
    assert (WITHIN, "12 of 10 were given away", 10) in found
    assert (WITHIN, "12 of 10 are used in the database", 11) in found


def test_a_read_that_shows_more_than_there_is_is_a_violation() -> None:
    assert broken(run(TEN, ALL, op("read", result=11))) == [(WITHIN, "11 of 10 are used", 1)]


def test_claims_of_unknown_outcome_count_only_when_they_are_there() -> None:
    unknown = [*TEN, claim("lost", outcome="info")]
    assert broken(run(unknown, ALL)) == []
    assert broken(run(unknown, {**ALL, "lost": 1})) == [
        (WITHIN, "11 of 10 are used in the database", 11)
    ]


def test_an_acknowledged_claim_that_is_gone_is_lost() -> None:
    there = {name: 1 for name in ALL if name != "c4"}
    assert broken(run(TEN, there)) == [(KEPT, "r0/c4 was given 1, and has 0", 1)]


def test_a_refused_claim_that_is_there_was_applied() -> None:
    claims = [claim("c0"), claim("c1", outcome="fail")]
    assert broken(run(claims, {"c0": 1, "c1": 1})) == [
        (NOTHING_LEFT, "r0/c1 was refused, and has 1", 1)
    ]


def test_rounds_are_judged_apart() -> None:
    other = [op("claim", [f"r1/c{number}", 1], round=1) for number in range(10)]
    rows = [[f"r{r}/c{n}", f"r{r}/host", "VCPU", 1] for r in (0, 1) for n in range(10)]
    assert broken(history(*TEN, *other, tables={"allocations": rows})) == []


def test_without_the_database_the_answers_alone_are_judged() -> None:
    assert broken(history(*TEN)) == []
    assert [what for _, what, _ in broken(history(*TEN, claim("c10")))] == [
        "11 of 10 were given away"
    ]
