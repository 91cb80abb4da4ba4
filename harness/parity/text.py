"""A comparison as lines of text, for terminals."""

from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.words import counted
from harness.parity.judge import Verdict
from harness.parity.outcome import Outcome

SHOWN_CHARACTERS = 200
# Explanations for the kinds of differences that have none of their own.
MEANING = {
    "value": "the values differ",
    "type": "the types differ",
    "missing": "missing on the other side",
    "extra": "on the other side alone",
    "length": "the lengths differ",
}


def difference(entry: Mapping[str, Any], left: str, right: str) -> Iterator[str]:
    """One difference; ``left`` and ``right`` name the sides."""
    width = max(len(left), len(right))
    yield f"{entry['place']}: {entry['why'] or MEANING.get(entry['kind'], entry['kind'])}"
    for name, value in ((left, entry["left"]), (right, entry["right"])):
        yield f"  {name:{width}}  {_short(value) if value else '(nothing)'}"


def test(judgement: Mapping[str, Any], left: str, right: str) -> Iterator[str]:
    """The differences of one test, by request."""
    before = ""
    for entry in judgement["differences"]:
        served = f" (replica {entry['replica']})" if entry["replica"] else ""
        request = f"{entry['method']} {entry['url']}{served}"
        if request != before:
            yield request
        before = request
        yield from (f"  {line}" for line in difference(entry, left, right))


def causes(outcome: Outcome) -> Iterator[str]:
    """The differences by cause, each with its first example."""
    for cause in outcome.causes:
        times = "once" if cause.count == 1 else f"{cause.count} times"
        first = cause.examples[0]
        yield f"{cause.route}  {times}, first in {first['suite']}::{first['test']}"
        yield from (f"  {line}" for line in difference(first, outcome.left, outcome.right))
        yield ""


def summary(outcome: Outcome) -> Iterator[str]:
    """Counts, and whatever keeps the comparison from being a success."""
    for rule in outcome.stale:
        yield f"stale: {rule.place} differs no more, though declared.yaml expects it"
    for rule, count in outcome.overused:
        yield (
            f"too often: {rule.place} differs in {count} of "
            f"{counted(outcome.exchanges, 'exchange')}; "
            f"declared.yaml excuses {rule.most:.0%} of them"
        )
    for cause in outcome.unstable:
        first = cause.examples[0]
        times = "once" if cause.count == 1 else f"{cause.count} times"
        yield (
            f"unstable: {cause.route} {cause.place}, {times}, first in "
            f"{first['suite']}::{first['test']}: {outcome.right} does not repeat it"
        )
    for line in outcome.changes:
        yield f"changed: {line}"
    if any("during the run" in line for line in outcome.changes):
        yield "changed: by others, or by a suite that leaves something: differences may be theirs"
    for why, count in outcome.lacking.items():
        yield f"not compared: {counted(count, 'test')}: {why}"
    counts = ", ".join(f"{outcome.counts[verdict]} {verdict}" for verdict in Verdict)
    exchanges = counted(outcome.exchanges, "exchange")
    yield f"{outcome.left} | {outcome.right}: {exchanges}; tests: {counts}"
    if not outcome.exchanges:
        yield "nothing was compared, which is no success"


def _short(value: str) -> str:
    if len(value) <= SHOWN_CHARACTERS:
        return value
    return f"{value[:SHOWN_CHARACTERS]}... ({counted(len(value), 'character')})"
