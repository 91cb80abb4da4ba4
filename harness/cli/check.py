"""The command ``check``: runs workloads on a stack of several replicas, and judges them."""

import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from harness.cli.common import replicas_argument, require_writable, say
from harness.config.resolve import BETWEEN, one_of, resolve
from harness.core.errors import UsageError
from harness.core.signals import shielded
from harness.stack.settings.databases import DATABASES
from harness.targets import choices

if TYPE_CHECKING:
    from harness.consistency.check import Checked
    from harness.targets.base import Target

OUTPUT = "placement-check"
# Settings of the stack that the title of a check names.
TITLE = ("placement", "replicas", "database")


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
    default=6.0,
    show_default=True,
    help="Time for each workload, in seconds.",
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
def check(
    workloads: tuple[str, ...],
    fault: str | None,
    database: str | None,
    replicas: int | None,
    placements: tuple[str, ...],
    seconds: float,
    seed: str | None,
    clients: int | None,
    rounds: int | None,
    lifetime: str,
    folder: Path,
    histories: tuple[Path, ...],
    findings: Path | None,
) -> None:
    """Let clients write through all replicas at once, and check placement's promises.

    Exits with 0 if all promises were held, with 1 if one was violated, and with 3 if one could not
    be decided, e.g. because no two writes met.
    """
    from harness.consistency import check as checks
    from harness.consistency.cluster import Cluster
    from harness.consistency.faults import FAULTS
    from harness.consistency.runner import Settings
    from harness.consistency.workloads import WORKLOADS
    from harness.targets.stack import StackTarget

    if histories:
        _conclude([_shown(checks.judged(path)) for path in histories], findings)
    if seconds <= 0:
        raise UsageError(f"--seconds {seconds:g} leaves no time.", "Give a number above 0.")
    names = [one_of(WORKLOADS, name, f"--workload {name}", "workload") for name in workloads] or [
        *WORKLOADS
    ]
    injected = FAULTS[one_of(FAULTS, fault, f"--fault {fault}", "fault")] if fault else None
    options = {
        "target": "stack",
        "stack": lifetime,
        "replicas": str(replicas) if replicas else None,
        "database": database,
        "placement": BETWEEN.join(placements) or None,
    }
    plan = resolve(options, os.environ, {}, choices())
    require_writable(folder)
    target = StackTarget(plan, say)
    seed = seed or secrets.token_hex(3)
    made = []
    try:
        target.start()
        cluster = Cluster(target)
        if injected is not None:
            injected.require(cluster)
        settings = Settings(seed, seconds, clients or checks.CLIENTS * cluster.replicas, rounds)
        say(_title(target, seed, settings.clients))
        for name in names:
            made.append(_shown(checks.check(name, settings, cluster, folder, say, injected)))
    finally:
        shielded(target.stop)
    _conclude(made, findings)


def _shown(checked: "Checked") -> "Checked":
    """The check, when its verdict is on the screen."""
    from harness.consistency import text

    for line in text.lines(checked):
        click.echo(line)
    return checked


def _conclude(made: Sequence["Checked"], findings: Path | None) -> NoReturn:
    """Write the table of races, if it is wanted, and exit with the worst judgement."""
    from harness.consistency import history
    from harness.consistency.judge import Judgement
    from harness.consistency.races import table

    if findings is not None:
        read = [history.read(checked.path) for checked in made]
        races = [entry for entry in read if entry.header["workload"] == "races"]
        if not races:
            raise UsageError(
                f"--findings {findings} has nothing to say: no races were run.",
                "Run them: --workload races.",
            )
        findings.write_text("\n".join(table.document(races)) + "\n")
    worst = Judgement.worst(checked.report.judgement for checked in made)
    click.echo(f"check: {worst}")
    sys.exit(worst.exit_code)


def _title(target: "Target", seed: str, clients: int) -> str:
    parts = [
        f"{setting.name} {setting.value}" for setting in target.settings() if setting.name in TITLE
    ]
    return f"{', '.join(parts)}, {clients} clients, seed {seed}"
