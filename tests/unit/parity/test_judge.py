"""Verdicts, and the table of declared differences: what it excuses, and when a rule is stale."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.core.exchange import Exchange, Request, Response
from harness.parity import text
from harness.parity.judge import Judge, Verdict, by_test
from harness.parity.outcome import Outcome
from harness.parity.rules import Declared, Rule, declared

SERVER = Rule(
    between=("stack", "devstack"),
    place="header server",
    values=("Apache", r"Apache/2\.4 \(Debian\)"),
    reason="it tells its version",
    right="both",
)


def exchange(server: str = "Apache", status: int = 200, test: str = "first") -> Exchange:
    request = Request("GET", "http://h/placement/traits")
    response = Response(status, "OK", {"server": server}, b"")
    return Exchange("one", test, request, response, 0.0, 0.1)


def judge(left: str = "stack", right: str = "devstack", *rules: Rule) -> Judge:
    return Judge(left, right, Declared(rules=rules or (SERVER,)))


def verdict(of: Judge, left: Exchange, right: Exchange) -> Verdict:
    return of.judge("one", "first", [left], [right]).verdict


def test_the_same_answers_are_the_same() -> None:
    assert verdict(judge(), exchange(), exchange()) is Verdict.SAME


def test_a_declared_difference_is_expected() -> None:
    assert verdict(judge(), exchange(), exchange("Apache/2.4 (Debian)")) is Verdict.EXPECTED


def test_the_sides_may_be_turned() -> None:
    turned = judge("devstack", "stack")
    assert verdict(turned, exchange("Apache/2.4 (Debian)"), exchange()) is Verdict.EXPECTED


def test_another_value_than_the_declared_one_is_different() -> None:
    assert verdict(judge(), exchange(), exchange("nginx")) is Verdict.DIFFERENT


def test_a_difference_beside_a_declared_one_counts() -> None:
    assert verdict(judge(), exchange(), exchange("Apache/2.4 (Debian)", 201)) is Verdict.DIFFERENT


def test_a_rule_holds_between_its_own_sides_alone() -> None:
    other = judge("stack", "embedded")
    assert verdict(other, exchange(), exchange("Apache/2.4 (Debian)")) is Verdict.DIFFERENT


def test_a_rule_between_any_holds_for_all() -> None:
    either = judge("stack", "stack", replace(SERVER, between=("any", "any")))
    assert verdict(either, exchange(), exchange("Apache/2.4 (Debian)")) is Verdict.EXPECTED


def test_a_rule_may_hold_for_requests_with_a_query_alone() -> None:
    limited = replace(SERVER, query=r"\blimit=\d")
    left, right = exchange(), exchange("Apache/2.4 (Debian)")
    request = Request("GET", "http://h/placement/traits?name=x&limit=1")
    asked = replace(left, request=request), replace(right, request=request)
    assert verdict(judge("stack", "devstack", limited), left, right) is Verdict.DIFFERENT
    assert verdict(judge("stack", "devstack", limited), *asked) is Verdict.EXPECTED


def test_a_test_without_an_answer_on_one_side_is_not_compared() -> None:
    of = judge()
    found = of.judge("one", "first", [exchange()], [], "the recording has no such test")
    assert (found.verdict, found.why) == (
        Verdict.NOT_COMPARED,
        "the recording has no such test",
    )
    assert found.pairs == ()


def test_another_number_of_requests_is_different() -> None:
    found = judge().judge("one", "first", [exchange()], [exchange(), exchange()], "")
    assert [one.place for one in found.pairs[-1].differences] == ["requests"]


def stale(*pairs: tuple[Exchange, Exchange], rule: Rule = SERVER) -> list[Rule]:
    """Rules that are stale after comparing these."""
    of, outcome = judge("stack", "devstack", rule), Outcome("stack", "devstack", [rule])
    for left, right in pairs:
        outcome.add(of.judge("one", "first", [left], [right]).as_data())
    return outcome.stale


def test_a_rule_that_was_not_met_though_it_could_have_been_is_stale() -> None:
    assert stale((exchange(), exchange())) == [SERVER]
    other = exchange("Apache/2.4 (Debian)")
    assert stale((exchange(), exchange()), (exchange(), other)) == []


@pytest.mark.parametrize(
    ("met", "others", "is_overused"),
    [(10, 0, False), (11, 0, True), (11, 33, False), (12, 33, True), (0, 5, False)],
)
def test_a_rule_that_excuses_more_than_its_share_fails_the_run(
    met: int, others: int, is_overused: bool
) -> None:
    rule = replace(SERVER, sometimes=True, most=0.25)
    of, outcome = judge("stack", "devstack", rule), Outcome("stack", "devstack", [rule])
    other = exchange("Apache/2.4 (Debian)")
    for right in [other] * met + [exchange()] * others:
        outcome.add(of.judge("one", "first", [exchange()], [right]).as_data())
    assert outcome.overused == ([(rule, met)] if is_overused else [])
    assert outcome.ok is not is_overused
    lines = [line for line in text.summary(outcome) if line.startswith("too often")]
    assert len(lines) == is_overused
    if is_overused:
        assert f"header server differs in {met} of {met + others} exchanges" in lines[0]
        assert "excuses 25% of them" in lines[0]


@pytest.mark.parametrize(
    "rule",
    [
        replace(SERVER, test="another"),
        replace(SERVER, query=r"\blimit=\d"),
        replace(SERVER, status="401"),
        replace(SERVER, route="GET /usages"),
        replace(SERVER, sometimes=True),
    ],
)
def test_a_rule_that_could_not_be_met_is_not_stale(rule: Rule) -> None:
    assert stale((exchange(), exchange()), rule=rule) == []


def test_exchanges_are_told_apart_by_their_tests() -> None:
    first, second = exchange(), exchange(test="second")
    assert by_test([first, second, first]) == {
        ("one", "first"): [first, first],
        ("one", "second"): [second],
    }


def test_the_table_that_is_shipped_makes_sense() -> None:
    table = declared()
    assert all(entry.reason and entry.right for entry in table.rules)
    assert all(entry.reason for entry in table.unordered)


@pytest.mark.parametrize(
    "text",
    [
        "expected: [{between: [a], place: x, values: [a, b], reason: r, right: x}]",
        "expected: [{between: [a, b], place: '(', values: [a, b], reason: r, right: x}]",
        "expected: [{between: [a, b], place: x, values: [a, b], right: x}]",
        "unordered: [{route: x}]",
    ],
)
def test_a_table_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "declared.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match="has an entry that makes no sense"):
        declared(file)


def test_an_exchange_without_an_answer_on_one_side_is_not_compared() -> None:
    lost = replace(exchange(), response=None, error="TimeoutError: no answer within 30 s")
    judgement = judge().judge("one", "first", [exchange()], [lost])
    assert (judgement.verdict, judgement.why) == (
        Verdict.NOT_COMPARED,
        "no answer of devstack: TimeoutError: no answer within 30 s",
    )
    assert judgement.as_data()["latency"] == []


def test_a_difference_beside_a_lost_answer_counts() -> None:
    lost = replace(exchange(), response=None, error="lost")
    left, right = [exchange(), exchange()], [exchange("nginx"), lost]
    assert judge().judge("one", "first", left, right).verdict is Verdict.DIFFERENT


def test_a_test_that_fails_on_the_other_side_alone_is_different() -> None:
    judgement = judge().judge("one", "first", [exchange()], [exchange()], failure="assert 1 == 2")
    assert [one.place for pair in judgement.pairs for one in pair.differences] == [
        "the test itself"
    ]


def test_a_rule_between_a_kind_and_any_holds_for_all_others() -> None:
    rule = replace(SERVER, between=("any", "embedded"), values=("Apache", ""))
    assert verdict(judge("stack", "embedded", rule), exchange(), exchange("")) is Verdict.EXPECTED
    assert verdict(judge("embedded", "stack", rule), exchange(""), exchange()) is Verdict.EXPECTED
    assert verdict(judge("embedded", "embedded", rule), exchange(), exchange("")) is (
        Verdict.DIFFERENT
    )


@pytest.mark.parametrize(
    ("sides", "most"), [(("stack", "reference"), 6), (("stack", "embedded"), 15)]
)
def test_few_differences_are_declared(sides: tuple[str, str], most: int) -> None:
    rules = [rule for rule in declared().rules if rule.sides(*sides) is not None]
    assert 0 < len(rules) <= most


def test_how_many_candidates_a_limit_leaves_is_compared() -> None:
    def candidates(count: int) -> Exchange:
        request = Request("GET", "http://h/placement/allocation_candidates?limit=1")
        body = json.dumps({"allocation_requests": [{"number": n} for n in range(count)]})
        return Exchange("one", "first", request, Response(200, "OK", {}, body.encode()), 0.0, 0.1)

    of = Judge("stack", "stack", declared())
    assert verdict(of, candidates(1), candidates(2)) is Verdict.DIFFERENT


def listed(*names: str) -> Exchange:
    made, answer = exchange(), json.dumps({"traits": names}).encode()
    return replace(made, response=Response(200, "OK", {}, answer))


@pytest.mark.parametrize(
    ("names", "between_releases", "in_one"),
    [
        (["HW_A", "HW_B"], Verdict.SAME, Verdict.SAME),
        (["HW_A", "HW_B", "COMPUTE_C"], Verdict.EXPECTED, Verdict.DIFFERENT),
        (["HW_A", "COMPUTE_C"], Verdict.EXPECTED, Verdict.DIFFERENT),
        (["HW_A", "HW_B", "CUSTOM_C"], Verdict.DIFFERENT, Verdict.DIFFERENT),
        (["HW_A", "CUSTOM_C"], Verdict.DIFFERENT, Verdict.DIFFERENT),
    ],
)
def test_two_releases_have_other_standard_traits_and_no_other_custom_ones(
    names: list[str], between_releases: Verdict, in_one: Verdict
) -> None:
    table = declared()
    for rules, expected in ((table, between_releases), (table.of_one_release(), in_one)):
        of = Judge("stack", "stack", rules)
        assert verdict(of, listed("HW_A", "HW_B"), listed(*names)) is expected
