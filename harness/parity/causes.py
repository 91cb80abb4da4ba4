"""Differences grouped by cause: the same place of the same route, and of the same kind."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.core.exchange import Exchange
from harness.parity.compare import Difference, route
from harness.parity.judge import Judgement
from harness.parity.relations import TOKEN

INDEX = re.compile(r"\[\d+\]")
SHOWN_CHARACTERS = 200
# Explanations for the kinds of differences that have none of their own.
MEANING = {
    "value": "the values differ",
    "type": "the types differ",
    "missing": "missing on the other side",
    "extra": "on the other side alone",
    "length": "the lengths differ",
}


@dataclass(frozen=True, slots=True)
class Example:
    """One difference, with the test and the exchanges in which it was seen."""

    judgement: Judgement
    left: Exchange
    right: Exchange
    difference: Difference


@dataclass(frozen=True, slots=True)
class Cause:
    """What several differences have in common, and each of them in the order of the run."""

    route: str
    place: str
    kind: str
    examples: Sequence[Example]

    @property
    def count(self) -> int:
        return len(self.examples)

    @property
    def first(self) -> Example:
        return self.examples[0]


def causes(judgements: Iterable[Judgement]) -> list[Cause]:
    """The causes of all differences, the most frequent one first."""
    examples: dict[tuple[str, str, str], list[Example]] = {}
    for judgement in judgements:
        for left, right, difference in judgement.differences:
            where = route(left.request.method, left.request.url)
            place = INDEX.sub("[*]", TOKEN.sub("{}", difference.place))
            key = (where, place, difference.kind)
            examples.setdefault(key, []).append(Example(judgement, left, right, difference))
    grouped = [Cause(*key, each) for key, each in examples.items()]
    return sorted(grouped, key=lambda cause: -cause.count)


def shown(difference: Difference, left: str, right: str) -> list[str]:
    """A difference as lines of text; ``left`` and ``right`` name the sides."""
    width = max(len(left), len(right))
    why = difference.why or MEANING.get(difference.kind, difference.kind)
    sides = ((left, difference.left), (right, difference.right))
    return [f"{difference.place}: {why}"] + [
        f"  {name:{width}}  {_short(value) if value else '(nothing)'}" for name, value in sides
    ]


def _short(value: str) -> str:
    if len(value) <= SHOWN_CHARACTERS:
        return value
    return f"{value[:SHOWN_CHARACTERS]}... ({len(value)} characters)"
