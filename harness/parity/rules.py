"""The table of declared differences and of lists without order, each with its reason.

``declared.yaml`` beside this module is the table. A rule that a run could have met and did not is
stale: what it excuses does not happen any more, and it would hide what comes in its place.
"""

import copy
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from harness.core.errors import UsageError
from harness.core.exchange import Exchange
from harness.parity.compare import Difference, Unordered
from harness.parity.routes import route

DECLARED = Path(__file__).with_name("declared.yaml")
# A rule between ANY and ANY holds for each pair of targets, and for one target beside itself; one
# between ANY and a kind for that kind and every other one.
ANY = "any"


@dataclass(frozen=True, slots=True)
class Rule:
    """An expected difference: where it may be, what it looks like, why it is right.

    A side of ``between`` may be several kinds, e.g. devstack|reference.
    ``values`` are patterns of what stands on the first and on the second of the ``between`` sides;
    an empty one stands for nothing there. ``place``, ``query`` and ``test`` are patterns, too.
    ``sometimes`` is set where a run need not meet the difference. ``most`` is the largest share of
    a run's exchanges that may meet it. With ``other_release``, it is one between two releases of
    placement.
    """

    between: tuple[str, str]
    place: str
    values: tuple[str, str]
    reason: str
    right: str
    route: str = ""
    query: str = ""
    test: str = ""
    status: str = ""
    sometimes: bool = False
    most: float = 1.0
    other_release: bool = False

    def sides(self, left: str, right: str) -> bool | None:
        """Whether the left side is the second one of ``between``; None for a rule of others."""
        first, second = (side.split("|") for side in self.between)
        if [ANY] == first == second or (left in first and right in second):
            return False
        if left in second and right in first:
            return True
        named = second if first == [ANY] else first
        if [ANY] in (first, second) and left != right and (left in named or right in named):
            return (left in named) is (second == named)
        return None

    def covers(self, exchange: Exchange) -> bool:
        """Whether this exchange could show the difference, as far as can be told beforehand."""
        answer = exchange.response
        return bool(
            self.route in ("", route(exchange.request.method, exchange.request.url))
            and (not self.query or re.search(self.query, urlsplit(exchange.request.url).query))
            and (not self.test or re.fullmatch(self.test, exchange.test))
            and self.status in ("", str(answer.status if answer else ""))
        )

    def excuses(self, difference: Difference, *, swapped: bool) -> bool:
        """Whether this is the difference; ``swapped`` when the left side is the second one."""
        first, second = self.values if not swapped else self.values[::-1]
        return bool(
            re.fullmatch(self.place, difference.place)
            and re.fullmatch(first, difference.left)
            and re.fullmatch(second, difference.right)
        )


@dataclass(frozen=True, slots=True)
class Declared:
    """The whole table."""

    unordered: tuple[Unordered, ...] = ()
    rules: tuple[Rule, ...] = ()

    def of_one_release(self) -> "Declared":
        """The table for two sides that run the same placement."""
        return replace(self, rules=tuple(rule for rule in self.rules if not rule.other_release))


def declared(path: Path = DECLARED) -> Declared:
    """Read the table. Raises UsageError for an entry that makes no sense."""
    data: dict[str, Any] = yaml.safe_load(path.read_text()) or {}
    try:
        return Declared(
            tuple(Unordered(**entry) for entry in data.get("unordered", ())),
            tuple(_rule(entry) for entry in data.get("expected", ())),
        )
    except (TypeError, ValueError, re.error) as error:
        raise UsageError(
            f"{path} has an entry that makes no sense: {error}.",
            "docs/parity.md says which fields there are.",
        ) from error


def _rule(entry: dict[str, Any]) -> Rule:
    between, values = tuple(entry.pop("between")), tuple(map(str, entry.pop("values")))
    if len(between) != 2 or len(values) != 2:
        raise ValueError("between and values each name two sides")
    for pattern in (entry["place"], entry.get("query", ""), entry.get("test", ""), *values):
        re.compile(pattern)
    status = str(entry.pop("status", ""))
    return Rule(between=between, values=values, status=status, **entry)


class Expectations:
    """The rules between two kinds of sides, and which of them a test has met, by their indexes."""

    def __init__(self, rules: Sequence[Rule], left: str, right: str) -> None:
        # Each rule with its number, and whether the left side is its second one.
        self._between = [
            (number, rule, swapped)
            for number, rule in enumerate(rules)
            if (swapped := rule.sides(left, right)) is not None
        ]
        self.met: Counter[int] = Counter()
        self.possible: set[int] = set()

    def of_one_test(self) -> "Expectations":
        """The same rules, of which none has been met yet."""
        fresh = copy.copy(self)
        fresh.met, fresh.possible = Counter(), set()
        return fresh

    def undeclared(self, exchange: Exchange, differences: Iterable[Difference]) -> list[Difference]:
        """The differences that no rule declares."""
        covering = [each for each in self._between if each[1].covers(exchange)]
        self.possible.update(number for number, rule, _ in covering if not rule.sometimes)
        return [each for each in differences if not self._excuse(each, covering)]

    def _excuse(self, difference: Difference, covering: Iterable[tuple[int, Rule, bool]]) -> bool:
        for number, rule, swapped in covering:
            if rule.excuses(difference, swapped=swapped):
                self.met[number] += 1
                return True
        return False
