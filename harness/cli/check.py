"""The command ``check``: runs workloads on a stack of several replicas, and judges them."""

import os
import secrets
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


@click.command()
@click.option(
    "--workload", "workloads", multiple=True, metavar="W", help="Workload to run (default: all)."
)
@click.option("--fault", metavar="F", help="Inject it meanwhile; none without.")
@click.option("--database", metavar="NAME", help=f"One of {', '.join(DATABASES)}.")
@replicas_argument
@click.option(
    "--placement",
    "placements",
    multiple=True,
    metavar="SPEC",
    help="A placement to run (default: the locked release).",
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
    fault: str | None,
    database: str | None,
    replicas: int | None,
    placements: tuple[str, ...],
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
    """
    from harness.cli import checking
    from harness.consistency import known
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
    if known_alone and (workloads or fault or strict or findings or shown or shrink):
        raise UsageError(
            "--known runs what the record of known defects names, and judges by it: --workload, "
            "--fault, --strict, --findings, --page and --shrink make no sense with it.",
            "Leave them away.",
        )
    names = [one_of(WORKLOADS, name, f"--workload {name}", "workload") for name in workloads] or [
        *WORKLOADS
    ]
    if findings is not None and "races" not in names:
        raise checking.no_races(findings)
    injected = FAULTS[one_of(FAULTS, fault, f"--fault {fault}", "fault")] if fault else None

    def plan(database: str | None) -> "Plan":
        options = {
            "target": "stack",
            "stack": lifetime,
            "replicas": str(replicas) if replicas else None,
            "database": database,
            "placement": BETWEEN.join(placements) or None,
        }
        return resolve(options, os.environ, {}, choices())

    run = checking.Run(seed or secrets.token_hex(3), clients, rounds, folder, record, injected)
    plans = [plan(database)]
    if known_alone and database is None:
        plans = [
            plan(name)
            for name in dict.fromkeys(
                database for defect in record for database in defect.databases
            )
        ]
    require_directory(folder, "--output")
    if known_alone:
        checking.conclude_known(run, plans, seconds)
    with run.on(plans[0]) as cluster:
        for name in names:
            made = run.make(name, cluster, seconds or SECONDS)
            if shrink:
                run.shrink(made, cluster, seconds or SECONDS)
    checking.conclude(run.made, findings, shown)
