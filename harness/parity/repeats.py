"""Places at which one side of a comparison does not repeat its own answers.

When a test's answers differ, the other side runs its suite again, twice. A place at which its
answers differ among themselves says nothing about the two sides: it is unstable.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from harness.core.exchange import Exchange
from harness.parity.compare import Difference, Unordered
from harness.parity.judge import Judge, Judgement, Pair, Verdict, by_test
from harness.parity.outcome import place
from harness.parity.rules import Declared

Test = tuple[str, str]
# The number of a test's exchange, from 1, and a place in its answer without indexes and ids.
Spot = tuple[int, str]
# How often a side is asked again.
TIMES = 2
# Statuses with which a proxy answers for a placement that does not.
GATEWAY = frozenset({502, 503, 504})
# The place of a Python test that passes on one side and fails on the other.
ITSELF = "the test itself"


@dataclass(frozen=True, slots=True)
class Pass:
    """One run of some tests on one side: its exchanges, and which tests failed.

    ``ids`` are the ids that the suite's fixture has made, by their names.
    """

    exchanges: Sequence[Exchange]
    failed: frozenset[Test] = frozenset()
    ids: Mapping[str, str] = field(default_factory=dict)


def unrepeated(
    first: Pass, again: Sequence[Pass], unordered: Sequence[Unordered], *, like_first: bool
) -> Mapping[Test, frozenset[Spot]]:
    """The places at which the passes differ, by test.

    A repetition counts only if it fails nowhere that the first pass did not: otherwise it may have
    met what the first one left behind. ``like_first`` is set where placement was emptied for each
    pass. Elsewhere the first pass counts only if the side was in trouble in it.
    """
    passes = [each for each in again if each.failed <= first.failed]
    if like_first or any(map(_is_trouble, first.exchanges)):
        passes.insert(0, first)
    spots: dict[Test, frozenset[Spot]] = {}
    for left, right in pairwise(passes):
        for test, more in _spots(left, right, unordered):
            spots[test] = spots.get(test, frozenset()) | more
    return spots


def _is_trouble(exchange: Exchange) -> bool:
    """Whether a side gave no answer, or a proxy answered in its place."""
    return exchange.response is None or exchange.response.status in GATEWAY


def _spots(
    left: Pass, right: Pass, unordered: Sequence[Unordered]
) -> Iterator[tuple[Test, frozenset[Spot]]]:
    judge = Judge("", "", Declared(tuple(unordered)))
    judge.begin_anew((left.ids[name], right.ids[name]) for name in left.ids.keys() & right.ids)
    others = by_test(right.exchanges)
    for test, exchanges in by_test(left.exchanges).items():
        judgement = judge.judge(*test, exchanges, others.get(test, []))
        spots = {
            _spot(pair, difference) for pair in judgement.pairs for difference in pair.differences
        }
        if (test in left.failed) is not (test in right.failed):
            spots.add((0, ITSELF))
        yield test, frozenset(spots)


def settled(judgement: Judgement, spots: Iterable[Spot]) -> Judgement:
    """The judgement, in which differences at and below unstable places are no differences."""
    unstable = frozenset(spots)
    if not unstable:
        return judgement
    pairs = [_split(pair, unstable) for pair in judgement.pairs]
    verdict = judgement.verdict
    if verdict is Verdict.DIFFERENT and not any(pair.differences for pair in pairs):
        verdict = Verdict.UNSTABLE
    return replace(judgement, pairs=pairs, verdict=verdict)


def _split(pair: Pair, unstable: frozenset[Spot]) -> Pair:
    excused = [each for each in pair.differences if _is_below(_spot(pair, each), unstable)]
    kept = [each for each in pair.differences if each not in excused]
    return replace(pair, differences=kept, unstable=excused)


def _spot(pair: Pair, difference: Difference) -> Spot:
    # What is of no exchange alone has no number.
    return (pair.right.number if pair.counted else 0), place(difference.place)


def _is_below(spot: Spot, unstable: Iterable[Spot]) -> bool:
    number, where = spot
    return any(
        number == other and (where == above or where.startswith((f"{above}.", f"{above}[")))
        for other, above in unstable
    )
