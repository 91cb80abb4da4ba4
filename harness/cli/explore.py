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
from harness.cli.common import require_seconds
from harness.config.beside import OTHER_PLACEMENT, second_stack
from harness.config.plan import number_of_replicas
from harness.config.resolve import BETWEEN, resolve, target_named
from harness.core.errors import UsageError
from harness.core.files import require_directory

if TYPE_CHECKING:
    from harness.config.plan import Plan

OUTPUT = "placement-explore"
# Seconds of one search, and of each where many microversions are compared.
SECONDS, SECONDS_OF_EACH = 60.0, 20.0


@click.command()
@click.option("--target", metavar="TARGET", help="stack, embedded or a URL; default: stack.")
@click.option("--parity", "other", metavar="TARGET", help="The other side; or placement=SPEC.")
@click.option(
    "--replicas", metavar="N", help="Number of replicas of the stack; default: 1.", default="1"
)
@click.option("--placement", "placements", multiple=True, metavar="SPEC", help="Which placement.")
@click.option(
    "--microversions",
    metavar="A,B|A-B|all",
    help="Compare microversions of one placement, in place of two targets: two, or all neighbours.",
)
@click.option(
    "--routes",
    "by_routes",
    is_flag=True,
    help="Compare routes of one placement that write the same, in place of two targets.",
)
@click.option(
    "--seconds",
    type=float,
    help=f"For the search, at most. Default: {SECONDS:g}; {SECONDS_OF_EACH:g} for each of a range.",
)
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
    by_routes: bool,
    seconds: float | None,
    seed: int | None,
    most: int | None,
    folder: Path,
) -> None:
    """Search for calls that two sides answer differently.

    Each difference is shrunk to its shortest sequence, and written as a gabbi suite that passes on
    the target and fails on the other side. Exits with 0 when no difference was found, with 1 when
    one was, with 3 when nothing was compared. With a range of microversions, each is compared with
    the one before until its documented change is found. Then 0 says that all of these were found,
    and no other difference.
    """
    _require()
    require_seconds(seconds)
    if target is not None:
        target_named(target, f"--target {target}", targets.choices()["target"])
    if (other is not None) + (microversions is not None) + by_routes != 1:
        raise UsageError(
            "There is nothing to compare with.",
            "Give --parity TARGET, or --microversions A,B, or --routes.",
        )
    from harness.cli import exploring
    from harness.parity.explore import microversions as versions

    request = versions.asked(microversions) if microversions else None
    plan = plan_of(target, replicas, placements)
    beside = _other_plan(plan, other)
    require_directory(folder, "--output")
    given = SECONDS_OF_EACH if request and request.is_range else SECONDS
    chosen = secrets.randbelow(1_000_000) if seed is None else seed
    sought = exploring.Sought(seconds or given, chosen, most, folder)
    with exploring.started(plan, beside) as sides:
        if by_routes:
            sys.exit(exploring.between_routes(sides, sought))
        if request is None:
            sys.exit(exploring.between_targets(sides, sought))
        pairs = request.pairs(*versions.known_to(sides.first))
        if request.is_range:
            sys.exit(exploring.along_microversions(sides, pairs, sought))
        sys.exit(exploring.between_microversions(sides, pairs[0], sought))


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
