"""Searches for differences, as the command ``explore`` runs and shows them."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from harness import targets
from harness.cli.common import say
from harness.config.plan import Plan, is_url
from harness.core.signals import shielded
from harness.core.words import counted
from harness.parity.explore import microversions, routes, suite
from harness.parity.explore.calls import shown
from harness.parity.explore.finding import Finding
from harness.parity.explore.microversions import Change
from harness.parity.explore.search import Outcome, Search
from harness.parity.explore.side import NEWEST, Side
from harness.parity.judge import route_of
from harness.parity.rules import Declared, declared
from harness.targets.base import PerProcess, Target

FOUND, NOTHING_COMPARED = 1, 3


@dataclass(frozen=True, slots=True)
class Sought:
    """How a search is to be made: for how long, with which seed, until how many findings."""

    seconds: float
    seed: int
    most: int | None
    folder: Path


@dataclass(frozen=True, slots=True)
class Sides:
    """Targets that are up; one and the same where microversions are compared."""

    first: Target
    second: Target
    plans: tuple[Plan, Plan]

    def pair(self, left: str, right: str) -> tuple[Side, Side]:
        """The two sides of a search, with their microversions."""
        return (
            _side(self.first, self.plans[0], left),
            _side(self.second, self.plans[1], right),
        )

    def begin_anew(self) -> None:
        """Start a placement of this process again: what searches leave behind makes it slower."""
        if isinstance(self.first, PerProcess):
            self.first.stop()
            self.first.start()


def _side(target: Target, plan: Plan, version: str) -> Side:
    stays = is_url(plan.target) or plan.lifetime != "fresh"
    return Side(target, targets.kind_of(plan).name, version, stays=stays)


@contextlib.contextmanager
def started(plan: Plan, other: Plan | None) -> Iterator[Sides]:
    """The sides, which are stopped at the end."""
    first = targets.make(plan, say)
    second = targets.make(other, say) if other is not None else first
    both = [first] if second is first else [first, second]
    try:
        for each in both:
            each.start()
        yield Sides(first, second, (plan, other or plan))
    finally:
        for each in both:
            shielded(each.stop)


def between_targets(sides: Sides, sought: Sought) -> int:
    """Search for differences between two targets; the exit code."""
    first, second = sides.plans
    table = declared()
    if first.placements == second.placements:
        table = table.of_one_release()
    search = Search(*sides.pair(NEWEST, NEWEST), table, sought.seed)
    say(f"searching for {sought.seconds:g} s with seed {sought.seed}")
    outcome = _run(search, sides, sought, "")
    _show(outcome, sought)
    return _code(outcome)


def between_routes(sides: Sides, sought: Sought) -> int:
    """Search for calls that one route of a placement refuses and another accepts; the exit code."""
    table = Declared(declared().unordered)
    search = Search(
        *sides.pair(NEWEST, NEWEST), table, sought.seed, routes.is_meant, routes.other_route
    )
    say(f"comparing routes for {sought.seconds:g} s with seed {sought.seed}")
    outcome = _run(search, sides, sought, "routes-")
    _show(outcome, sought)
    return _code(outcome)


def between_microversions(sides: Sides, pair: tuple[str, str], sought: Sought) -> int:
    """Search for differences between two microversions of one placement; the exit code."""
    say(f"comparing {pair[0]} and {pair[1]} for {sought.seconds:g} s with seed {sought.seed}")
    outcome = _run(_of_versions(sides, pair, sought), sides, sought, f"{pair[0]}-{pair[1]}-")
    _show(outcome, sought)
    return _code(outcome)


def _of_versions(sides: Sides, pair: tuple[str, str], sought: Sought) -> Search:
    table = Declared(declared().unordered)
    return Search(*sides.pair(*pair), table, sought.seed, microversions.is_meant)


def along_microversions(sides: Sides, pairs: Sequence[tuple[str, str]], sought: Sought) -> int:
    """Search for the documented change of each microversion; the exit code."""
    changes, rows = microversions.documented(), list[_Row]()
    for pair in pairs:
        change = changes.get(pair[1]) or Change(pair[1], "a change that this version does not know")
        click.secho(f"\n{change.version}: {change.title}", bold=True)
        if rows:
            sides.begin_anew()
        search = _of_versions(sides, pair, sought)
        outcome = _run(search, sides, sought, f"{change.version}-", change.is_shown_by)
        rows.append(_Row(change, outcome))
    click.echo()
    for row in rows:
        click.echo(row)
    shown_ones = sum(row.proof is not None for row in rows)
    others = sum(len(row.others) for row in rows)
    click.echo(
        f"explore: {shown_ones} of {counted(len(rows), 'documented change')} shown; "
        f"{counted(others, 'other difference')}; "
        f"{counted(sum(row.outcome.requests for row in rows), 'call')}, "
        f"{sum(row.outcome.seconds for row in rows):.0f} s, seed {sought.seed}"
    )
    if not any(row.outcome.requests for row in rows):
        return NOTHING_COMPARED
    return FOUND if others or shown_ones < len(rows) else 0


class _Row:
    """A microversion, and what its search has found."""

    def __init__(self, change: Change, outcome: Outcome) -> None:
        self.change = change
        self.outcome = outcome
        fitting = [each for each in outcome.findings if change.is_shown_by(each)]
        self.proof = fitting[0] if fitting else None
        self.others = [
            each
            for each in outcome.findings
            if each not in fitting and not change.is_followed_by(each)
        ]

    def __str__(self) -> str:
        if self.proof is None:
            result = "NOT SHOWN"
        else:
            cause = self.proof.cause
            result = f"{cause.route}, {cause.place} ({' | '.join(cause.statuses)})"
            result += f", by {counted(len(self.proof.calls), 'call')}"
        others = f", {counted(len(self.others), 'other difference')}" if self.others else ""
        head = f"{self.change.version:<5} {self.change.title}"
        return f"{head}\n      {result}, in {self.outcome.seconds:.1f} s{others}"


def _run(
    search: Search,
    sides: Sides,
    sought: Sought,
    prefix: str,
    is_enough: Callable[[Finding], bool] = lambda finding: False,
) -> Outcome:
    def found(finding: Finding) -> None:
        number = len(search.outcome.findings)
        path = sought.folder / f"{prefix or 'seed-'}{sought.seed}-{number}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(suite.text(finding, sides.first.url))
        _show_finding(finding, path)

    try:
        return search.run(sought.seconds, found, most=sought.most, is_enough=is_enough)
    finally:
        shielded(search.close)


def _code(outcome: Outcome) -> int:
    if not outcome.requests:
        return NOTHING_COMPARED
    return FOUND if outcome.findings else 0


def _show_finding(finding: Finding, path: Path) -> None:
    cause, difference = finding.cause, finding.difference
    click.secho(f"{cause.route}: {cause.place} ({' | '.join(cause.statuses)})", bold=True)
    for call, left, right in zip(finding.calls, finding.left, finding.right, strict=True):
        codes = [each.response.status if each.response else each.error for each in (left, right)]
        other = route_of(right) if route_of(right) != route_of(left) else ""
        click.echo(f"  {codes[0]} | {codes[1]}  {shown(call)}{other and f' | {other}'}")
    click.echo(f"  {difference.place}: {difference.left[:300]} | {difference.right[:300]}")
    click.echo(f"  {path}")


def _show(outcome: Outcome, sought: Sought) -> None:
    click.echo(
        f"explore: {counted(len(outcome.findings), 'difference')}, "
        f"{len(outcome.unstable)} unstable; {counted(outcome.requests, 'call')} "
        f"in {counted(outcome.sequences, 'sequence')}, "
        f"{outcome.seconds:.0f} s, seed {sought.seed}"
    )
