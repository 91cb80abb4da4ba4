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
from harness.parity.explore.calls import CUSTOM, Call, Names, keys
from harness.parity.explore.finding import Cause, Finding, cause_of
from harness.parity.explore.sequences import sequences
from harness.parity.explore.shrink import Shrinker
from harness.parity.explore.side import NEWEST, Side
from harness.parity.judge import Judge
from harness.parity.rules import Declared

# The longest that one difference is shrunk. Seconds.
SHRINKING = 20.0
# A difference that does not come again in so many repetitions is unstable.
REPETITIONS = 2
# Hypothesis makes most of its examples out of earlier ones. So few of each beginning have twice as
# many different calls as a run of hundreds.
EXAMPLES = 6


class _EndError(BaseException):
    """Ends Hypothesis's search: something is found, or the time is over.

    Hypothesis takes an Exception for an answer of the property.
    """


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

    ``is_meant`` tells differences that do not count, where two microversions are compared.
    ``other_route`` gives the call by which the right side writes the same as the left one. With it,
    answers to calls that write are compared in whether they accept the call.
    """

    def __init__(
        self,
        left: Side,
        right: Side,
        table: Declared,
        seed: int,
        is_meant: Callable[[Difference], bool] = lambda difference: False,
        other_route: Callable[[Call], Call] | None = None,
    ) -> None:
        self._sides = left, right
        self._table = table
        self._seed = seed
        self._is_meant = is_meant
        self._other_route = other_route
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
        self,
        seconds: float,
        report: Callable[[Finding], None],
        *,
        most: int | None = None,
        is_enough: Callable[[Finding], bool] = lambda finding: False,
    ) -> Outcome:
        """Search until the time is over, ``most`` findings are there, or one is enough."""
        began = time.monotonic()
        end = began + seconds
        for turn in itertools.count():
            finding = self._one(end, self._seed + turn)
            if finding is None:
                break
            is_stable = self._comes_again(finding)
            self._known.add(finding.cause)
            if not is_stable:
                self.outcome.unstable.append(finding)
                continue
            self.outcome.findings.append(finding)
            report(finding)
            if is_enough(finding) or len(self.outcome.findings) == most:
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
        finding: Finding | None = None

        def shows(calls: list[Call]) -> bool:
            nonlocal finding
            if time.monotonic() > end:
                raise _EndError
            # Hypothesis makes a sequence anew in many ways, e.g. by an alternative that is there
            # twice. Most of its mutations are such.
            written = repr(calls)
            if written not in self._sent:
                self._sent.add(written)
                finding = self.difference(calls)
            if finding is not None:
                raise _EndError
            return False

        limits = settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=[*HealthCheck],
        )
        made = sequences(self._shapes, NEWEST if self._shapes[0] != self._shapes[1] else None)
        with contextlib.suppress(_EndError):
            for turn in itertools.count():
                chance = random.Random(f"{seed} {turn}")  # noqa: S311
                # Hypothesis says so where it has found nothing.
                with contextlib.suppress(HypothesisException):
                    find(made, shows, settings=limits, random=chance)
        if finding is None:
            return None
        cause = finding.cause

        until = min(end, time.monotonic() + SHRINKING)
        return Shrinker(finding, lambda calls: self._same(calls, cause), until).run()

    def _same_names(self, calls: Sequence[Call], number: int) -> Iterator[tuple[str, str]]:
        """The names of each resource of these calls, on the left and on the right side."""
        left, right = (self._names(place, number) for place in (0, 1))
        for key in sorted(set[str]().union(*map(keys, calls))):
            yield left[key], right[key]
            if key[0] in "ct":
                yield left[key].removeprefix(CUSTOM), right[key].removeprefix(CUSTOM)

    def _same(self, calls: Sequence[Call], cause: Cause) -> Finding | None:
        """The difference of these calls, if it has this cause."""
        finding = self.difference(calls)
        return finding if finding is not None and finding.cause == cause else None

    def difference(self, calls: Sequence[Call]) -> Finding | None:
        """The first difference that these calls show, with the calls up to it.

        After a difference that is known already, the sides may hold different things, and no more
        calls are sent, unless it was a difference of what is read, of a header or of two refusals.
        """
        number = next(self._numbers)
        named = self._used.setdefault(number, set())
        self.outcome.sequences += 1
        judge = Judge(self._sides[0].kind, self._sides[1].kind, self._table)
        judge.begin_anew(self._same_names(calls, number))
        left: list[Exchange] = []
        right: list[Exchange] = []
        for count, call in enumerate(calls, 1):
            named |= keys(call)
            by_routes = self._other_route
            exchange, other = self._send((call, by_routes(call) if by_routes else call), number)
            left.append(exchange)
            right.append(other)
            self.outcome.requests += 1
            is_write = by_routes is not None and call.method != "GET"
            compare = _acceptance if is_write else self._differences
            for difference in compare(judge, exchange, other):
                cause = cause_of(exchange, other, difference)
                if cause not in self._known:
                    return Finding(
                        cause, tuple(calls[:count]), tuple(left), tuple(right), difference
                    )
                if not cause.leaves_all_as_it_was:
                    return None
        return None

    def _differences(self, judge: Judge, left: Exchange, right: Exchange) -> Iterator[Difference]:
        if left.response is None or right.response is None:
            if left.response is not right.response:
                answers = ["none" if each.error else "one" for each in (left, right)]
                yield Difference("response", "value", *answers)
            return
        for pair in judge.judge("explore", left.test, [left], [right]).pairs:
            yield from filter(self._counts, pair.differences)

    def _send(self, calls: tuple[Call, Call], number: int) -> tuple[Exchange, Exchange]:
        first, second = (
            pool.submit(side.send, call, self._names(place, number), "explore", str(number))
            for place, (side, pool, call) in enumerate(
                zip(self._sides, self._pools, calls, strict=True)
            )
        )
        return first.result(), second.result()

    def _names(self, place: int, number: int) -> Names:
        return Names(f"{self._salt} {place} {number}")

    def _counts(self, difference: Difference) -> bool:
        # Requests are the same by design: what differs in them are the names of their resources.
        return not difference.place.startswith("request ") and not self._is_meant(difference)

    def _comes_again(self, finding: Finding) -> bool:
        return all(self._same(finding.calls, finding.cause) for _ in range(REPETITIONS))


def _acceptance(_: Judge, left: Exchange, right: Exchange) -> Iterator[Difference]:
    """The difference of two calls that write the same, where one alone was accepted."""
    statuses = [each.response.status if each.response else 0 for each in (left, right)]
    if statuses[0] // 100 != statuses[1] // 100:
        yield Difference("status", "value", *map(str, statuses))
