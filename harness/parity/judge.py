"""The verdicts of a comparison: same, expected difference, different, not compared."""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from harness.core.exchange import Exchange
from harness.parity.compare import Comparison, Difference, route
from harness.parity.rules import Declared, Expectations


class Verdict(StrEnum):
    """Verdict on a test, worst last."""

    SAME = "same"
    EXPECTED = "expected difference"
    NOT_COMPARED = "not compared"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One test: its verdict, and the differences that no rule declares, each with its exchanges."""

    suite: str
    test: str
    verdict: Verdict
    differences: Sequence[tuple[Exchange, Exchange, Difference]] = field(default=(), repr=False)
    why: str = ""


@dataclass
class Judge:
    """Compares the tests of a run, one after the other, and keeps count.

    ``left`` and ``right`` are the kinds of the two sides: stack, reference, devstack, embedded.
    """

    left: str
    right: str
    table: Declared
    counts: Counter[Verdict] = field(default_factory=Counter)
    exchanges: int = 0
    # Seconds that the answers of each route took, of the left and of the right side.
    latency: dict[str, tuple["array[float]", "array[float]"]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._comparison = Comparison(self.table.unordered)
        self.expectations = Expectations.between(self.table.rules, self.left, self.right)

    def judge(
        self, suite: str, test: str, left: Sequence[Exchange], right: Sequence[Exchange], why: str
    ) -> Judgement:
        """The verdict on one test; ``why`` says what is the matter where a side has nothing."""
        judgement = self._judge(suite, test, left, right, why)
        self.counts[judgement.verdict] += 1
        return judgement

    def _judge(
        self, suite: str, test: str, left: Sequence[Exchange], right: Sequence[Exchange], why: str
    ) -> Judgement:
        if not left or not right:
            return Judgement(suite, test, Verdict.NOT_COMPARED, why=why)
        before = sum(self.expectations.met.values())
        differing: list[tuple[Exchange, Exchange, Difference]] = []
        for exchange, other in zip(left, right, strict=False):
            differences = self._comparison.compare(exchange, other)
            self.exchanges += 1
            self._time(exchange, other)
            differing += [
                (exchange, other, difference)
                for difference in self.expectations.undeclared(exchange, differences)
            ]
        if len(left) != len(right):
            count = Difference("requests", "length", str(len(left)), str(len(right)))
            differing.append((left[-1], right[-1], count))
        if differing:
            return Judgement(suite, test, Verdict.DIFFERENT, differing)
        if sum(self.expectations.met.values()) > before:
            return Judgement(suite, test, Verdict.EXPECTED)
        return Judgement(suite, test, Verdict.SAME)

    def _time(self, left: Exchange, right: Exchange) -> None:
        where = route(left.request.method, left.request.url)
        both = self.latency.setdefault(where, (array("d"), array("d")))
        for seconds, exchange in zip(both, (left, right), strict=True):
            if exchange.response is not None:
                seconds.append(exchange.seconds)


def by_test(exchanges: Iterable[Exchange]) -> Mapping[tuple[str, str], list[Exchange]]:
    """The exchanges of each test, in their order."""
    tests: dict[tuple[str, str], list[Exchange]] = {}
    for exchange in exchanges:
        tests.setdefault((exchange.suite, exchange.test), []).append(exchange)
    return tests
