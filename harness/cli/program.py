"""The commands: the same stack without pytest.

Exit codes: 0; 1 if check finds a violation, doctor finds a problem, a test fails under tempest or
in a matrix, a trimmed image fails a check, or logs has no line of a request; 3 if check cannot
decide; 64 for an argument that makes no sense; 70 if the command could not be carried out; 130
after Ctrl-C.
"""

import os
import sys
from dataclasses import replace

import click

from harness.cli.attach import attach, detach
from harness.cli.check import check
from harness.cli.common import Commands, help_of, named, replicas_argument, say
from harness.cli.config import config
from harness.cli.credentials import env, token
from harness.cli.explore import explore
from harness.cli.footprint import footprint
from harness.cli.matrix import matrix
from harness.cli.parity import diff, export
from harness.cli.replicas import restart, scale, upgrade
from harness.cli.suites import bench, tempest
from harness.cli.trim import trim
from harness.config.plan import NAME_VARIABLE, name_option, stack_name
from harness.config.resolve import BETWEEN, one_of, resolve
from harness.engine import install
from harness.stack.images.build import ensure_images, unpack
from harness.stack.images.catalogue import needed
from harness.stack.images.contents import contents_of
from harness.stack.images.listing import claim_latest
from harness.stack.images.versions import versions
from harness.stack.model.state import StackState
from harness.stack.model.unreadable import UnreadableError
from harness.stack.settings.config_sources import SOURCES
from harness.stack.settings.databases import DATABASES
from harness.targets import choices


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="placement-harness")
def main() -> None:
    """OpenStack placement as it is really deployed: a stack in containers.

    Several placement replicas behind Apache, with MariaDB, memcached and keystone.
    """


@main.command()
@click.option(
    "--database", default="mariadb", metavar="NAME", help="Prepare stacks with this database."
)
@click.option(
    "--config-source", default="env", metavar="NAME", help="And with this configuration source."
)
def setup(database: str, config_source: str) -> None:
    """Install or build what a stack needs and lacks.

    That is Compose, the base image, and all images.
    """
    one_of(DATABASES, database, f"--database {database}", "database")
    one_of(SOURCES, config_source, f"--config-source {config_source}", "config source")
    install.ensure_engine(say)
    contents = contents_of(needed(database, config_source, beside=True))
    if ensure_images(contents, say):
        # Ask for the versions now: the answers are kept for all runs.
        versions(contents)
    unpack(contents)
    claim_latest(contents)


@main.command()
@replicas_argument
@click.option("--database", metavar="NAME", help=f"One of {', '.join(DATABASES)}.")
@click.option("--config-source", metavar="NAME", help=f"One of {', '.join(SOURCES)}.")
@click.option(
    "--placement",
    "placements",
    multiple=True,
    metavar="SPEC",
    help=help_of("placement"),
)
@click.option(
    "--placement-constraints",
    "constraints",
    metavar="FILE",
    help=help_of("placement_constraints"),
)
@click.option("--host", "hosts", multiple=True, metavar="NAME[=ADDRESS]", help=help_of("host"))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Apache's port; 0: any.")
@click.option("--reference", is_flag=True, help="And placement as devstack sets it up, beside it.")
@click.option(
    "--replace", "anew", is_flag=True, help="Start a stack that differs anew, with nothing in it."
)
@named
def up(
    replicas: int | None,
    database: str | None,
    config_source: str | None,
    placements: tuple[str, ...],
    constraints: str | None,
    hosts: tuple[str, ...],
    port: int,
    reference: bool,
    anew: bool,
    name: str,
) -> None:
    """Start a stack and leave it running.

    A stack that runs already is kept, and scaled to --replicas. If it differs in anything else, the
    command fails, and the stack keeps its data; --replace starts it anew.
    """
    from harness.stack.lifecycle import reuse, up

    # resolve() would take an empty --name for a missing one.
    stack_name(name)
    options = {
        "target": "stack",
        "stack": "replace" if anew else "reuse",
        "replicas": str(replicas) if replicas else None,
        "stack_port": str(port),
        "database": database,
        "config_source": config_source,
        "placement": BETWEEN.join(placements) or None,
        "placement_constraints": constraints,
        "host": BETWEEN.join(hosts) or None,
    }
    plan = resolve(options, {**os.environ, NAME_VARIABLE: name}, {}, choices())
    plan = reuse.adopted(replace(plan, reference=reference))
    stack = up.bring_up(plan, say)
    up.leave(stack)
    click.echo(f"placement  {stack.placement_url}")
    for lane in stack.record.reference:
        click.echo(f"reference  {stack.record.reference_url(lane)}/placement")
    click.echo(f"keystone   {stack.identity_url}")
    if plan.override:
        click.echo(f"override   {plan.override}")
    click.echo(f'clients    eval "$(placement-harness env{name_option(name)})"')


@main.command()
@named
def down(name: str) -> None:
    """Remove a stack."""
    from harness.stack.lifecycle import away, ownership, teardown

    state = StackState(name)
    install.require_engine()
    there, _ = away.hosts_of(state)
    ownership.refuse_foreign(state, there)
    known = _recorded(state)
    state.lock()
    if known:
        teardown.take_down(state, say)
        return
    if not teardown.remove_labelled(state):
        click.echo(f"There is no stack {name}.")
    state.remove()
    state.release()


def _recorded(state: StackState) -> bool:
    """Whether there is a record of the stack.

    Raises UnreadableError if a later attempt may succeed in reading the record.
    """
    try:
        return state.record() is not None
    except UnreadableError as error:
        if not error.damaged:
            raise
        # The user wants the stack removed, and labels find its parts without the record.
        say(f"{state.directory / 'stack.json'} cannot be read: removing {state.name} by its labels")
        return True


@main.command()
@click.option("--name", help="Only the stack of this name.")
def status(name: str | None) -> None:
    """Show the stacks on this machine, and their containers.

    Containers that are missing are listed, too.
    """
    from harness.report import tables

    tables.show_stacks(name)


@main.command()
@click.argument("service", required=False)
@click.option(
    "--replica", metavar="N", help="Only this replica. (2-N, in lane 2, shares the log of N.)"
)
@click.option("--request", metavar="ID", help="Only the lines of the request with this id.")
@click.option("--follow", is_flag=True, help="Go on with new lines, until Ctrl-C.")
@click.option(
    "--tail", type=click.IntRange(0), metavar="N", help="Only the last N lines of each container."
)
@named
def logs(
    service: str | None,
    replica: str | None,
    request: str | None,
    follow: bool,
    tail: int | None,
    name: str,
) -> None:
    """Print the logs of a stack's containers."""
    from harness.stack.clients.replica_logs import choose, stream

    chosen = choose(StackState(name), service, replica)
    none = True
    try:
        for line in stream(chosen, follow=follow, tail=tail, containing=request):
            click.echo(line)
            none = False
    except KeyboardInterrupt:
        # Ctrl-C is the way to end --follow, and there is nothing to undo.
        sys.exit(130)
    if none and request is not None:
        names = ", ".join(container.name for container in chosen)
        click.echo(f"No line of {names} has {request}.", err=True)
        sys.exit(1)


@main.command()
@click.option(
    "--all", "everything", is_flag=True, help="Also remove kept stacks that are not used."
)
def reap(everything: bool) -> None:
    """Remove the stacks and files of killed runs.

    Stacks that a live run uses are never removed.
    """
    from harness.stack.lifecycle import teardown

    removed = teardown.reap(say, everything=everything)
    click.echo(f"removed {', '.join(removed)}" if removed else "nothing was left behind")


@main.command()
@click.option("--host", "hosts", multiple=True, metavar="NAME[=ADDRESS]", help="And this host.")
def doctor(hosts: tuple[str, ...]) -> None:
    """Check everything that a stack needs.

    For each problem there is a line that says what to do.
    """
    from harness.report import tables
    from harness.stack.lifecycle.doctor import examine

    if not tables.show_findings(examine(hosts)):
        sys.exit(1)


for command in (
    attach,
    detach,
    env,
    token,
    scale,
    restart,
    upgrade,
    matrix,
    config,
    diff,
    export,
    check,
    explore,
    footprint,
    trim,
    tempest,
    bench,
):
    main.add_command(command)
