"""Judging races: an order of the calls explains what is there, or the race names its anomaly."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from harness.consistency.client import Names
from harness.consistency.history import History, Operation
from harness.consistency.races import table
from harness.consistency.races.calls import BY_NAME, PAIRS, prepared
from harness.consistency.races.judge import Anomaly, Race, judge, races
from harness.consistency.races.model import State
from harness.consistency.workloads.base import Round
from harness.consistency.workloads.races import pair
from tests.unit.consistency.histories import history, op


def race(*calls: Operation, world: dict[str, Any] | None = None) -> Race:
    return Race(0, 0, calls, world)


def call(name: str, outcome: str = "ok", at: tuple[float, float] = (0.0, 1.0)) -> Operation:
    return op("race", ["r0/0", name], outcome, at)


def after(*names: str) -> dict[str, Any]:
    state = prepared()
    for name in names:
        assert BY_NAME[name].apply(state), name
    return state.shown()


SMALL, LARGE = "claim 2 of other for d", "claim 3 of other for d"
UNDER, OVER = "put side under other", "put other under side"
DROP, TRAITS = "delete trait T", "set other's traits to T"


def test_one_of_two_that_exclude_each_other_is_right() -> None:
    calls = (call(SMALL), call(LARGE, "fail"))
    assert judge(race(*calls, world=after(SMALL))) is None


def test_both_refused_is_right_when_nothing_is_there() -> None:
    calls = (call(SMALL, "fail"), call(LARGE, "fail"))
    assert judge(race(*calls, world=after())) is None


def test_two_winners_are_told_by_the_answers_alone() -> None:
    assert judge(race(call(SMALL), call(LARGE))) is Anomaly.TWO_WINNERS
    assert judge(race(call(UNDER), call(OVER))) is Anomaly.TWO_WINNERS
    assert judge(race(call(DROP), call(TRAITS))) is Anomaly.TWO_WINNERS


def test_an_acknowledged_call_that_is_not_there_is_lost() -> None:
    calls = (call(SMALL), call(LARGE, "fail"))
    assert judge(race(*calls, world=after())) is Anomaly.LOST


def test_a_refused_call_that_is_there_was_applied() -> None:
    calls = (call("make class D"), call("ensure trait U", "fail"))
    world = after("make class D", "ensure trait U")
    assert judge(race(*calls, world=world)) is Anomaly.APPLIED


def test_an_unknown_call_may_be_there_or_not() -> None:
    calls = (call(SMALL, "info"), call(DROP))
    assert judge(race(*calls, world=after(DROP))) is None
    assert judge(race(*calls, world=after(DROP, SMALL))) is None


def test_a_state_that_no_call_leaves_is_told() -> None:
    world = after(SMALL)
    world["providers"]["other"][1] = "side"
    assert judge(race(call(SMALL), call(LARGE, "fail"), world=world)) is Anomaly.NO_ORDER


def test_a_consumer_that_is_left_behind_is_told() -> None:
    world = after()
    world["consumers"] = {"c", "d"}
    calls = (call(SMALL, "fail"), call(LARGE, "fail"))
    assert judge(race(*calls, world=world)) is Anomaly.NO_ORDER


def test_a_class_that_is_gone_without_a_deletion_is_told_apart() -> None:
    world = after(SMALL)
    world["classes"] = set()
    calls = (call(SMALL), call(LARGE, "fail"))
    assert judge(race(*calls, world=world)) is Anomaly.CLASS_LOST
    gone = after("delete class C")
    assert judge(race(call("delete class C"), call(LARGE, "fail"), world=gone)) is None


def test_answers_that_did_not_overlap_settle_the_order() -> None:
    # Ensuring a class that another call has just made is right; making one that is there is not.
    ensured, made = call("ensure class D", at=(0, 1)), call("make class D", at=(0.5, 2))
    assert judge(race(ensured, made, world=after("make class D"))) is None
    late = call("make class D", at=(2, 3))
    assert judge(race(ensured, late, world=after("make class D"))) is Anomaly.TWO_WINNERS


def test_no_alarm_in_any_history_that_the_model_makes() -> None:
    choice = random.Random(4)
    for _ in range(2000):
        first, second = choice.choice(PAIRS)
        order = [first, second] if choice.random() < 0.5 else [second, first]
        state, made = prepared(), []
        for raced in order:
            accepted = raced.apply(state)
            outcome = "ok" if accepted else "fail"
            made.append(call(raced.name, choice.choice([outcome, outcome, "info"])))
        assert judge(race(*made, world=state.shown())) is None, (first.name, second.name)


@pytest.mark.parametrize("wrong", [State.put_trait, State.put_class])
def test_a_planted_object_is_never_explained(wrong: Callable[[State, str], bool]) -> None:
    for first, second in PAIRS:
        state = prepared()
        made = []
        for raced in (first, second):
            made.append(call(raced.name, "ok" if raced.apply(state) else "fail"))
        wrong(state, "Z")
        assert judge(race(*made, world=state.shown())) is Anomaly.NO_ORDER


def in_history() -> History:
    """A race of two claims, of which both were acknowledged, as a history has it."""
    tables: dict[str, Sequence[Any]] = {
        "providers": [
            [f"r3/1-{name}", f"{name}-uuid", 2, None, f"r3/1-{name}", 0, 0]
            for name in ("host", "other", "side")
        ],
        "inventories": [[f"r3/1-{name}", "VCPU", 4, 0, 1.0] for name in ("host", "other")],
        "allocations": [["r3/1-c", "r3/1-host", "VCPU", 1], ["r3/1-d", "r3/1-other", "VCPU", 2]],
        "consumers": [["r3/1-c", 1], ["r3/1-d", 1]],
        "custom traits": [["CUSTOM_00AA_R3_1T", 1]],
        "custom classes": [["CUSTOM_00AA_R3_1C", 1, 10000]],
    }
    prepare = op("prepare make host", ["r3/1", "make host"], round=3)
    calls = [op("race", ["r3/1", name], round=3) for name in (SMALL, LARGE)]
    header: dict[str, Any] = {
        "database": "mariadb",
        "replicas": 3,
        "clients": 8,
        "seconds": 6.0,
        "seed": "x",
    }
    return history(prepare, *calls, tables=tables, **header, placements=["16.0.0"])


def test_a_race_is_found_in_a_history_with_its_rows() -> None:
    (found,) = races(in_history())
    assert (found.round, found.group, found.names, found.met) == (3, 1, (SMALL, LARGE), True)
    assert found.world == after(SMALL)
    assert judge(found) is Anomaly.TWO_WINNERS


def test_the_document_counts_by_route_and_shows_pairs() -> None:
    text = "\n".join(table.document([in_history()]))
    assert "\n## mariadb\n\n| route | 16.0.0, 3 replicas |\n" in text
    assert "check --workload any --placement 16.0.0 --database mariadb --replicas 3" in text
    assert "| `PUT /allocations/{consumer_uuid}` | 1 raced, **1** 2 won |" in text
    assert "| `POST /reshaper` | not raced |" in text
    assert f"| {SMALL} / {LARGE} | 1 | two winners |" in text


def test_the_document_has_a_table_for_each_database_and_a_column_for_each_placement() -> None:
    made = in_history()
    old = replace(made, header={**made.header, "placements": ["15.0.0 (newest of 15)"]})
    other = replace(made, header={**made.header, "database": "galera"})
    lines = list(table.document([made, other, old]))
    assert "| route | 16.0.0, 3 replicas | 15.0.0 (newest of 15), 3 replicas |" in lines
    assert [line for line in lines if line.startswith("## ")] == ["## mariadb", "## galera"]
    assert any("--placement 15.0.0 --database mariadb" in line for line in lines)


def test_every_pair_gets_its_turn() -> None:
    rounds = [Round(number, "7", 8, 3, Names("7")) for number in range(len(PAIRS) // 4 + 1)]
    seen = {pair(round_, group) for round_ in rounds for group in range(4)}
    assert len(seen) == len(PAIRS)
