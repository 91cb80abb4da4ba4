"""The command `explore`: sequences of calls that two targets answer differently."""

import os
import secrets
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness import targets
from harness.cli.common import require_seconds, say
from harness.config.beside import OTHER_PLACEMENT, second_stack
from harness.config.plan import is_url, number_of_replicas
from harness.config.resolve import BETWEEN, resolve, target_named
from harness.core.errors import UsageError
from harness.core.files import require_directory
from harness.core.signals import shielded

if TYPE_CHECKING:
    from harness.config.plan import Plan
    from harness.parity.explore.search import Finding, Outcome

VERSION = "openstack-api-version"
OUTPUT = "placement-explore"


@click.command()
@click.option("--target", metavar="TARGET", help="stack, embedded or a URL; default: stack.")
@click.option("--parity", "other", metavar="TARGET", help="The other side; or placement=SPEC.")
@click.option(
    "--replicas", metavar="N", help="Number of replicas of the stack; default: 1.", default="1"
)
@click.option("--placement", "placements", multiple=True, metavar="SPEC", help="Which placement.")
@click.option(
    "--microversions",
    metavar="A,B",
    help="Compare two microversions of one placement, in place of two targets.",
)
@click.option("--seconds", type=float, default=60.0, show_default=True, help="For the search.")
@click.option("--seed", type=int, help="Decides the calls; a random one without.")
@click.option("--most", type=click.IntRange(1), help="End with so many differences.")
@click.option(
    *("--output", "folder"),
    type=click.Path(file_okay=False, path_type=Path),
    default=OUTPUT,
    show_default=True,
    help="The directory of the suites, one for each difference.",
)
def explore(
    target: str | None,
    other: str | None,
    replicas: str,
    placements: tuple[str, ...],
    microversions: str | None,
    seconds: float,
    seed: int | None,
    most: int | None,
    folder: Path,
) -> None:
    """Search for calls that two sides answer differently.

    Each difference is shrunk to its shortest sequence, and written as a gabbi suite that passes on
    the target and fails on the other side. Exits with 0 when no difference was found, with 1 when
    one was, with 3 when nothing was compared.
    """
    _require()
    require_seconds(seconds)
    if target is not None:
        target_named(target, f"--target {target}", targets.choices()["target"])
    if (other is None) == (microversions is None):
        raise UsageError(
            "There is nothing to compare with.", "Give --parity TARGET, or --microversions A,B."
        )
    versions = _versions(microversions) if microversions else None
    plan = plan_of(target, replicas, placements)
    require_directory(folder, "--output")
    chosen = secrets.randbelow(1_000_000) if seed is None else seed
    outcome = _search(plan, _other_plan(plan, other), versions, seconds, chosen, most, folder)
    _show(outcome, chosen)
    if not outcome.requests:
        sys.exit(3)
    sys.exit(1 if outcome.findings else 0)


def plan_of(target: str | None, replicas: str, placements: Sequence[str]) -> "Plan":
    """The plan of the first side; a target without replicas ignores their number."""
    options = {"target": target, "placement": BETWEEN.join(placements) or None}
    plan = resolve(options, os.environ, {}, targets.choices())
    if targets.kind_of(plan).has_replicas:
        plan = replace(plan, replicas=number_of_replicas(replicas, f"--replicas {replicas}"))
    return plan


def _require() -> None:
    try:
        import hypothesis  # noqa: F401
    except ImportError:
        raise UsageError(
            "Hypothesis, which makes the calls, is not installed.",
            "Install it: pip install 'placement-harness[explore]'.",
        ) from None


def _versions(written: str) -> tuple[str, str]:
    first, comma, second = written.partition(",")
    if (
        not comma
        or first == second
        or not all(
            part.count(".") == 1 and part.replace(".", "").isdecimal() for part in (first, second)
        )
    ):
        raise UsageError(
            f"--microversions {written} are not two microversions.", "Give two, e.g. 1.27,1.28."
        )
    return first, second


def _other_plan(plan: "Plan", other: str | None) -> "Plan | None":
    if other is None:
        return None
    if other.startswith(OTHER_PLACEMENT):
        return second_stack(plan, other)
    target_named(other, f"--parity {other}", targets.choices()["target"])
    resolved = resolve({"target": other}, {}, {}, targets.choices())
    if resolved.target == plan.target:
        raise UsageError(f"--parity {other} compares a target with itself.", "Name another one.")
    return replace(resolved, replicas=1) if targets.kind_of(resolved).has_replicas else resolved


def _search(
    plan: "Plan",
    other: "Plan | None",
    versions: tuple[str, str] | None,
    seconds: float,
    seed: int,
    most: int | None,
    folder: Path,
) -> "Outcome":
    from harness.parity.explore import suite
    from harness.parity.explore.search import Search
    from harness.parity.explore.side import NEWEST, Side
    from harness.parity.rules import Declared, declared

    first = targets.make(plan, say)
    second = targets.make(other, say) if other is not None else first
    started = [first] if second is first else [first, second]
    kinds = [targets.kind_of(each).name for each in (plan, other or plan)]
    try:
        for each in started:
            each.start()
        left, right = versions or (NEWEST, NEWEST)
        search = Search(
            Side(first, kinds[0], left, stays=_stays(plan)),
            Side(second, kinds[1], right, stays=_stays(other or plan)),
            # Two microversions of one placement are meant to differ.
            declared() if versions is None else Declared(declared().unordered),
            seed,
            ignored=(f"header {VERSION}",) if versions else (),
        )

        def found(finding: "Finding") -> None:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"seed-{seed}-{len(search.outcome.findings)}.yaml"
            path.write_text(suite.text(finding, first.url))
            _show_finding(finding, path)

        say(f"searching for {seconds:g} s with seed {seed}")
        try:
            return search.run(seconds, found, most=most)
        finally:
            shielded(search.close)
    finally:
        for each in started:
            shielded(each.stop)


def _stays(plan: "Plan") -> bool:
    return is_url(plan.target) or plan.lifetime != "fresh"


def _show_finding(finding: "Finding", path: Path) -> None:
    from harness.parity.explore.calls import shown

    route, statuses, place, _ = finding.cause
    click.secho(f"{route}: {place} ({statuses.replace(' ', ' | ')})", bold=True)
    for call, left, right in zip(finding.calls, finding.left, finding.right, strict=True):
        codes = [each.response.status if each.response else each.error for each in (left, right)]
        click.echo(f"  {codes[0]} | {codes[1]}  {shown(call)}")
    difference = finding.difference
    click.echo(f"  {difference.place}: {difference.left[:300]} | {difference.right[:300]}")
    click.echo(f"  {path}")


def _show(outcome: "Outcome", seed: int) -> None:
    click.echo(
        f"explore: {len(outcome.findings)} differences, {len(outcome.unstable)} unstable; "
        f"{outcome.requests} calls in {outcome.sequences} sequences, {outcome.seconds:.0f} s, "
        f"seed {seed}"
    )
