"""What a side does not repeat is unstable, at that place alone."""

from __future__ import annotations

import json

from harness.core.exchange import Exchange, Request, Response
from harness.parity.compare import Unordered
from harness.parity.judge import Judge, Judgement, Verdict
from harness.parity.outcome import Outcome, as_data
from harness.parity.repeats import Pass, Spot, settled, unrepeated
from harness.parity.rules import Declared
from harness.parity.text import summary

TEST = ("one", "first")
ID = "11111111-2222-3333-4444-55555555555"


def exchange(body: object, status: int = 200, number: int = 1) -> Exchange:
    request = Request("GET", "http://h/placement/traits")
    response = Response(status, "OK", {}, json.dumps(body).encode())
    return Exchange(*TEST, request, response, 0.0, 0.1, number=number)


def passed(*bodies: object, failed: bool = False, status: int = 200) -> Pass:
    exchanges = [exchange(body, status, number + 1) for number, body in enumerate(bodies)]
    return Pass(exchanges, frozenset([TEST] if failed else []))


def spots(first: Pass, *again: Pass, like_first: bool = False) -> frozenset[Spot]:
    return unrepeated(first, again, (), like_first=like_first).get(TEST, frozenset())


def judged(left: object, right: object) -> Judgement:
    judge = Judge("stack", "reference", Declared())
    return judge.judge(*TEST, [exchange(left)], [exchange(right)])


def test_answers_that_come_again_have_no_unstable_place() -> None:
    assert spots(passed({"a": 1}), passed({"a": 1}), passed({"a": 1})) == frozenset()


def test_the_place_and_the_number_of_the_exchange_are_told() -> None:
    found = spots(passed(0, {"a": 1}), passed(0, {"a": 1}), passed(0, {"a": 2}))
    assert found == {(2, "body $.a")}


def test_ids_that_a_side_makes_up_anew_are_stable() -> None:
    assert spots(passed(), passed({"a": f"{ID}1"}), passed({"a": f"{ID}2"})) == frozenset()


def test_a_list_without_order_is_stable() -> None:
    unordered = [Unordered("GET /traits", "$.traits", "a set")]
    again = [passed({"traits": ["A", "B"]}), passed({"traits": ["B", "A"]})]
    assert unrepeated(passed(), again, unordered, like_first=False)[TEST] == frozenset()


def test_the_first_pass_counts_where_placement_was_emptied_for_each() -> None:
    first, again = passed({"a": 1}), passed({"a": 2})
    assert spots(first, again, again, like_first=True) == {(1, "body $.a")}


def test_what_the_first_pass_left_behind_makes_nothing_unstable() -> None:
    assert spots(passed({"a": 1}), passed({"a": 2}), passed({"a": 2})) == frozenset()


def test_a_proxys_answer_that_does_not_come_again_is_unstable() -> None:
    first, again = passed(0, status=502, failed=True), passed(0)
    assert (1, "status") in spots(first, again, again)


def test_a_repetition_that_fails_anew_does_not_count() -> None:
    assert spots(passed(1), passed(2), passed(3, failed=True)) == frozenset()


def test_a_test_that_fails_now_and_then_is_unstable_itself() -> None:
    first = passed(1, failed=True)
    assert spots(first, passed(1, failed=True), passed(1)) == {(0, "the test itself")}


def test_a_difference_at_an_unstable_place_is_none() -> None:
    judgement = settled(judged({"a": 1}, {"a": 2}), [(1, "body $.a")])
    assert judgement.verdict is Verdict.UNSTABLE


def test_a_difference_below_an_unstable_place_is_none() -> None:
    judgement = settled(judged({"a": [1, 2]}, {"a": [1, 3]}), [(1, "body $.a")])
    assert judgement.verdict is Verdict.UNSTABLE


def test_a_difference_elsewhere_counts() -> None:
    for spot in [(1, "body $.ab"), (2, "body $.a"), (1, "status")]:
        assert settled(judged({"a": 1}, {"a": 2}), [spot]).verdict is Verdict.DIFFERENT


def test_a_difference_beside_an_unstable_place_is_shown_alone() -> None:
    judgement = settled(judged({"a": 1, "b": 1}, {"a": 2, "b": 2}), [(1, "body $.a")])
    assert judgement.verdict is Verdict.DIFFERENT
    data = judgement.as_data()
    assert [each["place"] for each in data["differences"]] == ["body $.b"]
    assert [each["place"] for each in data["unstable"]] == ["body $.a"]


def test_what_is_unstable_is_counted_and_named_and_no_failure() -> None:
    outcome = Outcome("stack", "reference", [])
    outcome.add(settled(judged({"a": 1}, {"a": 2}), [(1, "body $.a")]).as_data())
    assert outcome.ok
    data = as_data(outcome)
    assert data["tests"]["unstable"] == 1
    assert [(each["route"], each["place"]) for each in data["unstable"]] == [
        ("GET /traits", "body $.a")
    ]
    assert next(summary(outcome)) == (
        "unstable: GET /traits body $.a, once, first in one::first: reference does not repeat it"
    )
