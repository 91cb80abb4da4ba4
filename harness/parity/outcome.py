"""The outcome of a comparison, added up test by test: for programs, and as a page.

Tests arrive as plain data (``Judgement.as_data``), since workers of pytest-xdist send theirs.
"""

import json
import re
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.parity.judge import Verdict
from harness.parity.rules import Rule
from harness.parity.tokens import TOKEN
from harness.report import page

PAGE = Path(__file__).with_name("page.html")
# So many examples of a cause are kept. When the page has BUDGET characters of them, further causes
# have one example, whose values have SHORT characters.
EXAMPLES, BUDGET, SHORT = 40, 1_000_000, 100
# So many exchanges may meet any rule, whatever its share.
FEW = 10
INDEX = re.compile(r"\[\d+\]")


@dataclass(slots=True)
class Cause:
    """The differences at one place of one route, of one kind: how many, and the first of them."""

    route: str
    place: str
    kind: str
    count: int = 0
    examples: list[dict[str, str]] = field(default_factory=list)


class Outcome:
    """The outcome of a comparison. It is a success only if something was compared."""

    def __init__(self, left: str, right: str, rules: Sequence[Rule]) -> None:
        self.left = left
        self.right = right
        self.counts: Counter[str] = Counter()
        self.exchanges = 0
        # Changes that others have made to a side during the run, as lines.
        self.changes: Sequence[str] = ()
        # Reasons of tests that were not compared, and how many tests each has.
        self.lacking: Counter[str] = Counter()
        # Seconds that the answers of each route took, of the left and of the right side.
        self.latency: dict[str, tuple[array[float], array[float]]] = {}
        self._rules = rules
        self._met: Counter[int] = Counter()
        self._possible: set[int] = set()
        self._causes: dict[tuple[str, str, str], Cause] = {}
        self._unstable: dict[tuple[str, str, str], Cause] = {}

    def add(self, test: Mapping[str, Any]) -> None:
        """Add one test's judgement."""
        self.counts[test["verdict"]] += 1
        if test["verdict"] == Verdict.NOT_COMPARED:
            self.lacking[test["why"]] += 1
        for number, count in test["met"]:
            self._met[number] += count
        self._possible.update(test["possible"])
        self.exchanges += len(test["latency"])
        for route, *seconds in test["latency"]:
            both = self.latency.setdefault(route, (array("d"), array("d")))
            for figures, value in zip(both, seconds, strict=True):
                if value is not None:
                    figures.append(value)
        names = {"suite": test["suite"], "test": test["test"]}
        for causes, differences in (
            (self._causes, test["differences"]),
            (self._unstable, test["unstable"]),
        ):
            for difference in differences:
                key = (difference["route"], place(difference["place"]), difference["kind"])
                cause = causes.setdefault(key, Cause(*key))
                cause.count += 1
                if len(cause.examples) < EXAMPLES:
                    cause.examples.append({**names, **difference})

    @property
    def causes(self) -> list[Cause]:
        """The causes of all differences, the most frequent one first."""
        return sorted(self._causes.values(), key=lambda cause: -cause.count)

    @property
    def unstable(self) -> list[Cause]:
        """Places that the right side has not repeated, the most frequent one first."""
        return sorted(self._unstable.values(), key=lambda cause: -cause.count)

    @property
    def met(self) -> list[tuple[Rule, int]]:
        """The rules that excused a difference, and how many."""
        return [(self._rules[number], count) for number, count in sorted(self._met.items())]

    @property
    def stale(self) -> list[Rule]:
        """Rules that this run could have met, and has not."""
        return [self._rules[number] for number in sorted(self._possible - self._met.keys())]

    @property
    def overused(self) -> list[tuple[Rule, int]]:
        """Rules that excused more differences than they may, and how many.

        A short run says nothing about a share: a few are allowed to each.
        """
        return [
            (rule, count)
            for rule, count in self.met
            if rule.most < 1 and count > max(FEW, rule.most * self.exchanges)
        ]

    @property
    def ok(self) -> bool:
        failed = self.stale or self.overused or self.counts[Verdict.DIFFERENT]
        return bool(self.exchanges) and not failed


def place(written: str) -> str:
    """A place without indexes and ids, e.g. body $.traits[*]."""
    return INDEX.sub("[*]", TOKEN.sub("{}", written))


def as_data(outcome: Outcome) -> dict[str, Any]:
    """The outcome for programs, and for the page. Times are in milliseconds."""
    return {
        "schema": "placement-harness/parity/1",
        "left": outcome.left,
        "right": outcome.right,
        "ok": outcome.ok,
        "exchanges": outcome.exchanges,
        "tests": {str(verdict): outcome.counts[verdict] for verdict in Verdict},
        "causes": [*_causes(outcome.causes)],
        "unstable": [*_causes(outcome.unstable)],
        "expected": [
            {"place": rule.place, "reason": rule.reason, "right": rule.right, "count": count}
            for rule, count in outcome.met
        ],
        "overused": [
            {"place": rule.place, "reason": rule.reason, "count": count, "most": rule.most}
            for rule, count in outcome.overused
        ],
        "stale": [{"place": rule.place, "reason": rule.reason} for rule in outcome.stale],
        "changes": [*outcome.changes],
        "lacking": [{"why": why, "count": count} for why, count in outcome.lacking.items()],
        "latency": [
            {"route": route, "left": _figures(left), "right": _figures(right)}
            for route, (left, right) in sorted(outcome.latency.items())
        ],
    }


def as_page(outcome: Outcome) -> str:
    """One HTML file that needs no network."""
    return page.filled(PAGE, "Parity", as_data(outcome))


def _causes(causes: Sequence[Cause]) -> Iterator[dict[str, Any]]:
    spent = 0
    for cause in causes:
        examples = cause.examples if spent < BUDGET else [_short(cause.examples[0])]
        spent += len(json.dumps(examples))
        yield {
            "route": cause.route,
            "place": cause.place,
            "kind": cause.kind,
            "count": cause.count,
            "examples": examples,
        }


def _short(example: dict[str, str]) -> dict[str, str]:
    return {
        **example,
        **{side: example[side][:SHORT] for side in ("left", "right")},
    }


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
