"""The verdicts of a comparison: same, expected difference, different, not compared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from harness.core import redact
from harness.core.exchange import Exchange
from harness.parity.compare import Comparison, Difference
from harness.parity.routes import route
from harness.parity.rules import Declared, Expectations

# Characters of a value that are kept for reports.
CHARACTERS = 1500


class Verdict(StrEnum):
    """Verdict on a test, worst last."""

    SAME = "same"
    EXPECTED = "expected difference"
    NOT_COMPARED = "not compared"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two exchanges that were compared, and the differences that no rule declares."""

    left: Exchange
    right: Exchange
    differences: Sequence[Difference] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One test: its verdict, its exchanges, and how often each rule excused a difference.

    ``met`` and ``possible`` have the indexes of rules: those that excused something, how often, and
    those that could have.
    """

    suite: str
    test: str
    verdict: Verdict
    pairs: Sequence[Pair] = field(default=(), repr=False)
    why: str = ""
    met: Mapping[int, int] = field(default_factory=dict)
    possible: frozenset[int] = frozenset()

    def as_data(self) -> dict[str, Any]:
        """The judgement as plain data, for another process, a program or the page."""
        return {
            "suite": self.suite,
            "test": self.test,
            "verdict": str(self.verdict),
            "why": self.why,
            "met": sorted(self.met.items()),
            "possible": sorted(self.possible),
            "latency": [
                [route_of(pair.left), _seconds(pair.left), _seconds(pair.right)]
                for pair in self.pairs
            ],
            "differences": [
                _as_data(pair, difference) for pair in self.pairs for difference in pair.differences
            ],
        }


class Judge:
    """Compares the tests of a run, one after the other.

    ``left`` and ``right`` are the kinds of the two sides: stack, reference, devstack, embedded.
    """

    def __init__(self, left: str, right: str, table: Declared) -> None:
        self._comparison = Comparison(table.unordered)
        self._expectations = Expectations(table.rules, left, right)

    def begin_anew(self) -> None:
        """Forget which values stand for which: both sides are empty, and make up others."""
        self._comparison.begin_anew()

    def judge(
        self,
        suite: str,
        test: str,
        left: Sequence[Exchange],
        right: Sequence[Exchange],
        why: str = "",
    ) -> Judgement:
        """The verdict on one test; ``why`` is the reason where a side has no exchanges."""
        if not left or not right:
            return Judgement(suite, test, Verdict.NOT_COMPARED, why=why)
        expectations = self._expectations.of_one_test()
        pairs = [
            Pair(
                exchange,
                other,
                expectations.undeclared(exchange, self._comparison.compare(exchange, other)),
            )
            for exchange, other in zip(left, right, strict=False)
        ]
        if len(left) != len(right):
            count = Difference("requests", "length", str(len(left)), str(len(right)))
            pairs.append(Pair(left[-1], right[-1], [count]))
        verdict = Verdict.EXPECTED if expectations.met else Verdict.SAME
        if any(pair.differences for pair in pairs):
            verdict = Verdict.DIFFERENT
        return Judgement(
            suite,
            test,
            verdict,
            pairs,
            met=dict(expectations.met),
            possible=frozenset(expectations.possible),
        )


def by_test(exchanges: Iterable[Exchange]) -> Mapping[tuple[str, str], list[Exchange]]:
    """The exchanges of each test, in their order."""
    tests: dict[tuple[str, str], list[Exchange]] = {}
    for exchange in exchanges:
        tests.setdefault((exchange.suite, exchange.test), []).append(exchange)
    return tests


def route_of(exchange: Exchange) -> str:
    return route(exchange.request.method, exchange.request.url)


def _seconds(exchange: Exchange) -> float | None:
    return None if exchange.response is None else exchange.seconds


def _as_data(pair: Pair, difference: Difference) -> dict[str, str]:
    request = pair.left.request
    parts = urlsplit(request.url)
    return {
        "route": route_of(pair.left),
        "place": difference.place,
        "kind": difference.kind,
        "why": difference.why,
        "left": _cut(difference.left),
        "right": _cut(difference.right),
        "method": request.method,
        "url": f"{parts.path}?{parts.query}" if parts.query else parts.path,
        "replica": pair.left.replica or pair.right.replica or "",
    }


def _cut(value: str) -> str:
    shown = redact.body(value)
    return shown if len(shown) <= CHARACTERS else f"{shown[:CHARACTERS]}\u2026"
