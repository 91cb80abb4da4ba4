"""The outcome of a comparison: for the terminal, for programs, and for the page."""

import json
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.core import redact
from harness.parity.causes import Cause, Example, causes
from harness.parity.judge import Judge, Judgement, Verdict
from harness.parity.rules import Rule

PAGE = Path(__file__).with_name("page.html")
# So many examples of a cause are on the page, with so many characters of each value; when the page
# has the characters of BUDGET, further causes have one example, cut short.
EXAMPLES, CHARACTERS, BUDGET, SHORT = 40, 1500, 1_000_000, 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a comparison. It is a success only if something was compared.

    ``latency`` has the seconds of each answer by route, of the left and of the right side.
    """

    left: str
    right: str
    counts: Mapping[Verdict, int]
    exchanges: int
    causes: Sequence[Cause]
    lacking: Mapping[str, int]
    met: Mapping[Rule, int]
    stale: Sequence[Rule]
    latency: Mapping[str, tuple["array[float]", "array[float]"]]

    @classmethod
    def of(cls, judge: Judge, judgements: Sequence[Judgement]) -> "Outcome":
        return cls(
            judge.left,
            judge.right,
            judge.counts,
            judge.exchanges,
            causes(judgements),
            Counter(each.why for each in judgements if each.verdict is Verdict.NOT_COMPARED),
            judge.expectations.met,
            judge.expectations.stale,
            judge.latency,
        )

    @property
    def ok(self) -> bool:
        return bool(self.exchanges) and not self.stale and not self.counts.get(Verdict.DIFFERENT)


def as_data(outcome: Outcome) -> dict[str, Any]:
    """The outcome for programs, and for the page. Times are in milliseconds."""
    return {
        "schema": "placement-harness/parity/1",
        "left": outcome.left,
        "right": outcome.right,
        "ok": outcome.ok,
        "exchanges": outcome.exchanges,
        "tests": {str(verdict): outcome.counts.get(verdict, 0) for verdict in Verdict},
        "causes": list(_causes(outcome.causes)),
        "expected": [
            {"place": rule.place, "reason": rule.reason, "right": rule.right, "count": count}
            for rule, count in outcome.met.items()
        ],
        "stale": [{"place": rule.place, "reason": rule.reason} for rule in outcome.stale],
        "lacking": [{"why": why, "count": count} for why, count in outcome.lacking.items()],
        "latency": [
            {"route": route, "left": _figures(left), "right": _figures(right)}
            for route, (left, right) in sorted(outcome.latency.items())
        ],
    }


def as_page(outcome: Outcome) -> str:
    """One HTML file that needs no network."""
    # JSON in a script element may hold no end tag.
    data = json.dumps(as_data(outcome)).replace("<", "\\u003c")
    return PAGE.read_text().replace("{{DATA}}", data)


def _causes(grouped: Sequence[Cause]) -> Any:
    spent = 0
    for cause in grouped:
        whole = spent < BUDGET
        examples = [
            _example(example, CHARACTERS if whole else SHORT)
            for example in cause.examples[: EXAMPLES if whole else 1]
        ]
        spent += len(json.dumps(examples))
        yield {
            "route": cause.route,
            "place": cause.place,
            "kind": cause.kind,
            "count": cause.count,
            "examples": examples,
        }


def _example(example: Example, characters: int) -> dict[str, Any]:
    difference, request = example.difference, example.left.request
    parts = urlsplit(request.url)
    return {
        "suite": example.judgement.suite,
        "test": example.judgement.test,
        "method": request.method,
        "url": f"{parts.path}?{parts.query}" if parts.query else parts.path,
        "replica": example.left.replica or example.right.replica or "",
        "place": difference.place,
        "why": difference.why,
        "left": _cut(difference.left, characters),
        "right": _cut(difference.right, characters),
    }


def _cut(value: str, characters: int) -> str:
    shown = redact.body(value)
    return shown if len(shown) <= characters else f"{shown[:characters]}\u2026"


def _figures(seconds: "array[float]") -> dict[str, float] | None:
    if not seconds:
        return None
    ordered = sorted(seconds)

    def quantile(share: float) -> float:
        return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)

    return {
        "count": len(ordered),
        "p50": quantile(0.5),
        "p95": quantile(0.95),
        "max": round(1000 * ordered[-1], 2),
    }
