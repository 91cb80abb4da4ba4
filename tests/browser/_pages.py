"""Comparisons whose pages are tested: the shipped recording with plants, and the largest one."""

import dataclasses
import json
import uuid
from collections.abc import Callable, Mapping

from harness.core.exchange import Exchange, Request, Response
from harness.parity.compare import Difference
from harness.parity.judge import Judge, Judgement, Pair, Verdict, by_test
from harness.parity.offline import found_recording
from harness.parity.outcome import Outcome
from harness.parity.recording import Recording
from harness.parity.rules import Declared, Rule

RULE = Rule(
    ("stack", "devstack"),
    "header server",
    ("Apache", r"Apache/2\.4\.\d+ .*"),
    "Debian's Apache tells its version; the stack's says less.",
    "both",
)
Plant = Callable[[Response], Response]


def body(old: str, new: str) -> Plant:
    return lambda answer: dataclasses.replace(
        answer, body=answer.body.replace(old.encode(), new.encode(), 1)
    )


def header(name: str, value: str | None) -> Plant:
    def plant(answer: Response) -> Response:
        rest = {key: text for key, text in answer.headers.items() if key != name}
        return dataclasses.replace(answer, headers=rest if value is None else {**rest, name: value})

    return plant


def status(number: int) -> Plant:
    return lambda answer: dataclasses.replace(answer, status=number)


# What is done to the left side's answers of suites, and of their tests that have the words.
PLANTS: Mapping[tuple[str, str], Plant] = {
    ("inventories", "a"): body('"total": ', '"total": 1'),
    ("traits", ""): header("cache-control", None),
    ("allocations", "a"): status(299),
    ("resource-classes", "e"): header("x-plant", "<script>alert(1)</script>"),
    ("usages-total", ""): body("{", '{"planted": "<b>né</b>", '),
}


def recorded() -> Outcome:
    """The shipped recording beside itself; the left side has plants, and lacks a suite."""
    recording = Recording(found_recording("devstack"))
    outcome = Outcome("stack", "devstack", [RULE])
    judge = Judge("stack", "devstack", Declared(rules=(RULE,)))
    for (suite, test), exchanges in by_test(recording.exchanges()).items():
        left = [] if suite == "reshaper" else [planted(one) for one in exchanges]
        why = "" if left else "the stack has no suite reshaper"
        outcome.add(judge.judge(suite, test, left, exchanges, why).as_data())
    return outcome


def planted(exchange: Exchange) -> Exchange:
    answer = exchange.response
    assert answer is not None
    answer = header("server", "Apache")(answer)
    for (suite, words), plant in PLANTS.items():
        if exchange.suite == suite and words in exchange.test:
            answer = plant(answer)
    seconds = exchange.seconds * 1.4 + 0.001
    return dataclasses.replace(exchange, response=answer, seconds=seconds)


def largest(exchanges: int = 100_000, differences: int = 5_000, fields: int = 250) -> Outcome:
    """100,000 exchanges on 40 routes with 5,000 differences, each with a body of its own."""
    outcome = Outcome("stack", "reference", [])
    answer = Response(200, "OK", {}, b"")
    for number in range(exchanges):
        path = f"/placement/resource_providers/{uuid.UUID(int=number)}/part{number % 40}"
        request = Request("GET", f"http://h{path}")
        suite, test = f"suite-{number % 50}", f"test {number}"
        left, right = (
            Exchange(suite, test, request, answer, 0, seconds)
            for seconds in (0.001 + number % 7 / 1000, 0.002 + number % 5 / 1000)
        )
        found = []
        if number < differences:
            value = {"name": f"a name {number}", "uuid": f"{number:032x}", "text": "word " * 30}
            texts = json.dumps(value), json.dumps({**value, "name": "x"})
            found = [Difference(f"body $.field{number % fields}.name", "value", *texts)]
        verdict = Verdict.DIFFERENT if found else Verdict.SAME
        judgement = Judgement(suite, test, verdict, [Pair(left, right, found)])
        outcome.add(judgement.as_data())
    return outcome
