"""The verdicts of a comparison: same, expected difference, unstable, not compared, different."""

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
    # The other side does not answer so when it is asked again.
    UNSTABLE = "unstable"
    NOT_COMPARED = "not compared"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two exchanges that were compared, and the differences that no rule declares.

    ``unstable`` are further ones, at places where the right side does not repeat its own answers.
    """

    left: Exchange
    right: Exchange
    differences: Sequence[Difference] = field(default=(), repr=False)
    unstable: Sequence[Difference] = field(default=(), repr=False)
    # Not set where the difference is none of these two exchanges, but of their test.
    counted: bool = True


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
                if pair.counted
            ],
            "differences": [
                _as_data(pair, difference) for pair in self.pairs for difference in pair.differences
            ],
            "unstable": [
                _as_data(pair, difference) for pair in self.pairs for difference in pair.unstable
            ],
        }


class Judge:
    """Compares the tests of a run, one after the other.

    ``left`` and ``right`` are the kinds of the two sides: stack, reference, devstack, embedded.
    """

    def __init__(self, left: str, right: str, table: Declared) -> None:
        self._sides = (left, right)
        self._comparison = Comparison(table.unordered)
        self._expectations = Expectations(table.rules, left, right)

    def begin_anew(self, known: Iterable[tuple[str, str]] = ()) -> None:
        """Forget which values stand for which, but for these: each side has been emptied."""
        self._comparison.begin_anew(known)

    def judge(
        self,
        suite: str,
        test: str,
        left: Sequence[Exchange],
        right: Sequence[Exchange],
        why: str = "",
        failure: str = "",
    ) -> Judgement:
        """The verdict on one test; ``why`` is the reason where a side has no exchanges.

        ``failure`` is that of a test which has passed on the left side, and not on the right one.
        """
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
            if exchange.response is not None and other.response is not None
        ]
        why = self._unanswered([*zip(left, right, strict=False)])
        if len(left) != len(right):
            failure = ""
            count = Difference("requests", "length", str(len(left)), str(len(right)))
            pairs.append(Pair(left[-1], right[-1], [count], counted=False))
        verdict = Verdict.EXPECTED if expectations.met else Verdict.SAME
        if why:
            verdict = Verdict.NOT_COMPARED
        if failure and not why and not any(pair.differences for pair in pairs):
            fails = Difference("the test itself", "value", "passed", failure)
            pairs.append(Pair(left[-1], right[-1], [fails], counted=False))
        if any(pair.differences for pair in pairs):
            verdict = Verdict.DIFFERENT
        return Judgement(
            suite,
            test,
            verdict,
            pairs,
            why,
            met=dict(expectations.met),
            possible=frozenset(expectations.possible),
        )

    def _unanswered(self, pairs: Sequence[tuple[Exchange, Exchange]]) -> str:
        """The reason for the first exchange that cannot be compared, as a side has no answer."""
        for pair in pairs:
            for name, exchange in zip(self._sides, pair, strict=True):
                if exchange.response is None:
                    return f"no answer of {name}: {exchange.error}"
        return ""


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
