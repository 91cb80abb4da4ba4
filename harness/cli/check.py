"""The command ``check``: runs workloads on a stack of several replicas, and judges them."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.common import replicas_argument, require_seconds
from harness.config.resolve import BETWEEN, one_of, resolve
from harness.core.errors import UsageError
from harness.core.files import require_directory, require_file
from harness.stack.settings.databases import DATABASES
from harness.targets import choices

if TYPE_CHECKING:
    from harness.config.plan import Plan

OUTPUT = "placement-check"
# Time for each workload. Seconds.
SECONDS = 6.0
# Word for all workloads, and for all faults.
ALL = "all"


@click.command()
@click.option(
    *("--workload", "workloads"),
    multiple=True,
    metavar="W",
    help="Workload to run, or all (default: all). May be given several times.",
)
@click.option(
    *("--fault", "faults"),
    multiple=True,
    metavar="F",
    help="Inject it meanwhile, or all that the stack can have; none without. May be given several "
    "times. Workloads then run side by side, and each fault strikes all of them.",
)
@click.option(
    *("--database", "databases"),
    multiple=True,
    metavar="NAME",
    help=f"Database: {', '.join(DATABASES)}. Given several times: a stack for each.",
)
@replicas_argument
@click.option(
    "--placement",
    "placements",
    multiple=True,
    metavar="SPEC",
    help="A placement to run (default: the locked release).",
)
@click.option(
    "--each",
    multiple=True,
    metavar="SPEC",
    help="A placement to run on a stack of its own. May be given several times.",
)
@click.option(
    "--target", metavar="URL", help="A live placement, in place of a stack; see --on-live."
)
@click.option(
    "--on-live",
    is_flag=True,
    help="Write to the live placement of --target, and delete everything that was written.",
)
@click.option(
    "--seconds",
    type=float,
    help="Time for each workload, in seconds (default: 6; with --known, what each defect needs).",
)
@click.option("--seed", metavar="X", help="Seed of all random choices (default: a random seed).")
@click.option(
    "--clients",
    type=click.IntRange(2, 64),
    help="Number of clients (default: 3 for each replica).",
)
@click.option("--rounds", type=click.IntRange(1), help="Largest number of rounds.")
@click.option(
    "--stack",
    "lifetime",
    metavar="fresh|reuse",
    default="fresh",
    help="Lifetime of the stack, as with pytest (default: fresh).",
)
@click.option(
    *("--output", "folder"),
    type=click.Path(file_okay=False, path_type=Path),
    default=OUTPUT,
    show_default=True,
    help="The directory of the histories.",
)
@click.option(
    *("--history", "histories"),
    type=click.Path(dir_okay=False, path_type=Path),
    multiple=True,
    help="Judge this saved history again; start nothing. May be given several times.",
)
@click.option(
    "--findings",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the table of what races have found (Markdown), also from --history.",
)
@click.option(
    *("--page", "shown"),
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page (HTML) with calls over time and timelines, also from --history.",
)
@click.option(
    "--known", "known_alone", is_flag=True, help="Run the known defects: does each still occur?"
)
@click.option(
    "--shrink",
    is_flag=True,
    help="Make what was violated small: fewer clients, then the fewest calls, in a file.",
)
@click.option("--strict", is_flag=True, help="Take no defect for known: each one fails the check.")
def check(
    workloads: tuple[str, ...],
    faults: tuple[str, ...],
    databases: tuple[str, ...],
    replicas: int | None,
    placements: tuple[str, ...],
    each: tuple[str, ...],
    target: str | None,
    on_live: bool,
    seconds: float | None,
    seed: str | None,
    clients: int | None,
    rounds: int | None,
    lifetime: str,
    folder: Path,
    histories: tuple[Path, ...],
    findings: Path | None,
    shown: Path | None,
    known_alone: bool,
    shrink: bool,
    strict: bool,
) -> None:
    """Check placement's promises under concurrent writes and faults.

    Clients write through all replicas at once. Exits with 0 if all promises were held, or broken in
    known ways alone, with 1 if one was violated, and with 3 if one could not be decided, e.g.
    because no two writes met.

    With --target they write to a live placement through its URL; --on-live says that they may.
    """
    from harness.cli import checking
    from harness.consistency import cloud, known
    from harness.consistency.faults import FAULTS
    from harness.consistency.workloads import WORKLOADS

    record = () if strict else known.record()
    for path, option in ((findings, "--findings"), (shown, "--page")):
        if path is not None:
            require_file(path, option)
    if histories:
        saved = [checking.saved(path, record) for path in histories]
        if shrink:
            checking.shrink(saved)
        checking.conclude(saved, findings, shown)
    require_seconds(seconds)
    if known_alone and (workloads or faults or strict or findings or shown or shrink or target):
        raise UsageError(
            "--known runs what the record of known defects names, and judges by it: --workload, "
            "--fault, --strict, --findings, --page, --shrink and --target make no sense with it.",
            "Leave them away.",
        )
    if each and placements:
        raise UsageError(
            "--each and --placement make no sense together.",
            "--placement given several times mixes releases in one stack; --each does not.",
        )
    names = [
        one_of((*WORKLOADS, ALL), name, f"--workload {name}", "workload") for name in workloads
    ] or [ALL]
    if ALL in names:
        names = [*WORKLOADS]
    injected = [one_of((*FAULTS, ALL), name, f"--fault {name}", "fault") for name in faults]

    def plan(database: str | None, spec: str | None) -> "Plan":
        options = {
            "target": target or "stack",
            "stack": None if target else lifetime,
            "replicas": str(replicas) if replicas else None,
            "database": database,
            "placement": spec,
        }
        return resolve(options, os.environ, {}, choices())

    specs: Sequence[str | None] = each or [BETWEEN.join(placements) or None]
    if known_alone and not databases:
        databases = tuple(dict.fromkeys(name for defect in record for name in defect.databases))
    plans = [plan(database, spec) for spec in specs for database in databases or [None]]
    names = [*cloud.required(target, on_live, names if workloads else None, injected)] or names
    if findings is not None and "races" not in names:
        raise checking.no_races(findings)
    chosen = [FAULTS[name] for name in (FAULTS if ALL in injected else injected)]
    run = checking.Run(
        seed or secrets.token_hex(3), clients, rounds, folder, record, chosen, ALL in injected
    )
    require_directory(folder, "--output")
    if known_alone:
        checking.conclude_known(run, plans, seconds)
    for planned in plans:
        with run.on_cloud(planned) if target else run.on(planned) as place:
            made = run.make(names, place, seconds or SECONDS)
            for checked in made if shrink else ():
                run.shrink(checked, place, seconds or SECONDS)
    checking.conclude(run.made, findings, shown)
