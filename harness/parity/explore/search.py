"""Searches for sequences of calls that two sides answer differently, each cause once."""

import contextlib
import itertools
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import HypothesisException

from harness.core.exchange import Exchange
from harness.parity.compare import Difference
from harness.parity.explore.calls import Call, Names, keys
from harness.parity.explore.sequences import sequences
from harness.parity.explore.side import Side
from harness.parity.judge import Judge, route_of
from harness.parity.rules import Declared
from harness.parity.tokens import TOKEN

# The longest that one difference is shrunk. Seconds.
SHRINKING = 20.0
# A difference that does not come again in so many repetitions is unstable.
REPETITIONS = 2
Cause = tuple[str, str, str, str]


class _OutOfTimeError(BaseException):
    """Ends a search. Hypothesis takes an Exception for an answer of the property."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference: the calls, what each side answered, and where the answers differ."""

    cause: Cause
    calls: Sequence[Call]
    left: Sequence[Exchange]
    right: Sequence[Exchange]
    difference: Difference


@dataclass(slots=True)
class Outcome:
    """Result of a search. ``requests`` is the number of calls that were compared."""

    findings: list[Finding] = field(default_factory=list)
    unstable: list[Finding] = field(default_factory=list)
    sequences: int = 0
    requests: int = 0
    seconds: float = 0.0


class Search:
    """``left`` and ``right`` are asked side by side, with the same calls.

    ``ignored`` are places of differences that are meant: the header that names the microversion,
    where two of them are compared.
    """

    def __init__(
        self, left: Side, right: Side, table: Declared, seed: int, ignored: Sequence[str] = ()
    ) -> None:
        self._sides = left, right
        self._table = table
        self._seed = seed
        self._ignored = ignored
        # Sequences of another search with this seed, on this machine or another, have other names.
        self._salt = f"{seed} {time.time_ns()}"
        self._numbers = itertools.count(1)
        # The resources of each sequence.
        self._used: dict[int, set[str]] = {}
        self._pools = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        # Claims are written as clients of the two microversions write them.
        self._shapes = [int(side.version.partition(".")[2]) for side in (left, right)]
        self._known: set[Cause] = set()
        self._sent: set[str] = set()
        self.outcome = Outcome()

    def run(
        self, seconds: float, report: Callable[[Finding], None], *, most: int | None = None
    ) -> Outcome:
        """Search until the time is over, or ``most`` findings are there."""
        began = time.monotonic()
        end = began + seconds
        for turn in itertools.count():
            finding = self._one(end, self._seed + turn)
            if finding is None:
                break
            self._known.add(finding.cause)
            if self._comes_again(finding):
                self.outcome.findings.append(finding)
                report(finding)
            else:
                self.outcome.unstable.append(finding)
            if most is not None and len(self.outcome.findings) >= most:
                break
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    def close(self) -> None:
        """Remove what the sequences have made, on sides that outlive the search."""
        for place, (side, pool) in enumerate(zip(self._sides, self._pools, strict=True)):
            for number, named in self._used.items() if side.stays else ():
                pool.submit(side.clear, self._names(place, number), named).result()
            pool.submit(side.close).result()
            pool.shutdown()

    def _one(self, end: float, seed: int) -> Finding | None:
        """The shortest sequence that shows one more cause; None when the time is over."""
        best: Finding | None = None

        def shows(calls: list[Call]) -> bool:
            nonlocal best, end
            if time.monotonic() > end:
                raise _OutOfTimeError
            # Hypothesis makes a sequence anew in many ways, e.g. by an alternative that is there
            # twice. Most of its mutations are such.
            written = repr(calls)
            if best is None and written in self._sent:
                return False
            self._sent.add(written)
            for finding in self.differences(calls):
                if finding.cause in self._known or (best and finding.cause != best.cause):
                    continue
                if best is None:
                    end = min(end, time.monotonic() + SHRINKING)
                    best = finding
                elif _size(finding) < _size(best):
                    best = finding
                return True
            return False

        limits = settings(
            max_examples=1_000_000,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=[*HealthCheck],
        )
        # Hypothesis calls a difference flaky that did not come again.
        with contextlib.suppress(_OutOfTimeError, HypothesisException):
            find(sequences(self._shapes), shows, settings=limits, random=random.Random(seed))  # noqa: S311
        return best and self._without_needless(best)

    def differences(self, calls: Sequence[Call]) -> Iterator[Finding]:
        """The differences that these calls show, with the calls up to each of them."""
        number = next(self._numbers)
        named = self._used.setdefault(number, set())
        self.outcome.sequences += 1
        judge = Judge(self._sides[0].kind, self._sides[1].kind, self._table)
        left: list[Exchange] = []
        right: list[Exchange] = []
        for count, call in enumerate(calls, 1):
            named |= keys(call)
            exchange, other = self._send(call, number)
            left.append(exchange)
            right.append(other)
            self.outcome.requests += 1
            judgement = judge.judge("explore", str(count), [exchange], [other])
            for difference in judgement.pairs[0].differences:
                if self._counts(difference):
                    cause = _cause(exchange, other, difference)
                    yield Finding(
                        cause, tuple(calls[:count]), tuple(left), tuple(right), difference
                    )
                    return

    def _without_needless(self, finding: Finding) -> Finding:
        """The finding without the calls that it does not need, tried one by one from the last."""
        for place in range(len(finding.calls) - 2, -1, -1):
            fewer = [*finding.calls[:place], *finding.calls[place + 1 :]]
            for other in self.differences(fewer):
                if other.cause == finding.cause:
                    finding = other
        return finding

    def _send(self, call: Call, number: int) -> tuple[Exchange, Exchange]:
        first, second = (
            pool.submit(side.send, call, self._names(place, number), "explore", str(number))
            for place, (side, pool) in enumerate(zip(self._sides, self._pools, strict=True))
        )
        return first.result(), second.result()

    def _names(self, place: int, number: int) -> Names:
        return Names(f"{self._salt} {place} {number}")

    def _counts(self, difference: Difference) -> bool:
        # Requests are the same by design: what differs in them are the names of their resources.
        return not difference.place.startswith("request ") and difference.place not in self._ignored

    def _comes_again(self, finding: Finding) -> bool:
        return all(
            any(other.cause == finding.cause for other in self.differences(finding.calls))
            for _ in range(REPETITIONS)
        )


def _size(finding: Finding) -> tuple[int, int]:
    return len(finding.calls), sum(len(repr(call)) for call in finding.calls)


def _cause(left: Exchange, right: Exchange, difference: Difference) -> Cause:
    """The key by which differences are one: the route, both statuses, the place and the kind."""
    statuses = " ".join(
        str(each.response.status) if each.response else "none" for each in (left, right)
    )
    place = TOKEN.sub("{}", difference.place)
    if statuses.split()[0] != statuses.split()[1]:
        # Everything else of two answers differs, too.
        place = "status"
    return route_of(left), statuses, place, difference.kind
