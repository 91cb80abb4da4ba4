"""The commands: the same stack without pytest.

Exit codes: 0; 1 when check finds a violation, doctor a problem, a test fails under tempest or in a
matrix, or logs has no line of a request; 3 when check cannot decide; 64 for an argument without
sense; 70 when the command could not be carried out; 130 after Ctrl-C.
"""

import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import click

from harness.cli.check import check
from harness.cli.common import Commands, help_of, named, replicas_argument, running, say
from harness.cli.config import config
from harness.cli.matrix import matrix
from harness.cli.parity import diff, export
from harness.cli.replicas import restart, scale, upgrade
from harness.config.plan import NAME_VARIABLE, name_option, stack_name
from harness.config.resolve import BETWEEN, one_of, resolve
from harness.core.errors import UsageError
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

# What an openrc file sets, and clients take before they look at clouds.yaml.
OTHER_CREDENTIALS = (
    *("OS_AUTH_TYPE", "OS_AUTH_URL", "OS_TOKEN", "OS_USERNAME", "OS_USER_ID", "OS_PASSWORD"),
    *("OS_USER_DOMAIN_NAME", "OS_USER_DOMAIN_ID", "OS_PROJECT_NAME", "OS_PROJECT_ID"),
    *("OS_PROJECT_DOMAIN_NAME", "OS_PROJECT_DOMAIN_ID", "OS_TENANT_NAME", "OS_TENANT_ID"),
    *("OS_SYSTEM_SCOPE", "OS_DOMAIN_NAME", "OS_DOMAIN_ID", "OS_REGION_NAME", "OS_INTERFACE"),
    *("OS_ENDPOINT_TYPE", "OS_APPLICATION_CREDENTIAL_ID", "OS_APPLICATION_CREDENTIAL_NAME"),
    *("OS_APPLICATION_CREDENTIAL_SECRET", "OS_CACERT", "OS_INSECURE"),
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="placement-harness")
def main() -> None:
    """OpenStack placement as it is really deployed: a stack in containers.

    Several placement replicas behind Apache, with MariaDB, memcached and keystone.
    """


@main.command()
@click.option("--database", default="mariadb", metavar="NAME", help="For stacks with this one.")
@click.option("--config-source", default="env", metavar="NAME", help="And with this one.")
def setup(database: str, config_source: str) -> None:
    """Get what a stack needs: Compose, the base image, the images. Does nothing twice."""
    one_of(DATABASES, database, f"--database {database}", "database")
    one_of(SOURCES, config_source, f"--config-source {config_source}", "config source")
    install.ensure_engine(say)
    contents = contents_of(needed(database, config_source, beside=True))
    if ensure_images(contents, say):
        # The answers are kept for every run.
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
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Apache's port; 0: any.")
@click.option("--reference", is_flag=True, help="And placement as devstack sets it up, beside it.")
@named
def up(
    replicas: int | None,
    database: str | None,
    config_source: str | None,
    placements: tuple[str, ...],
    constraints: str | None,
    port: int,
    reference: bool,
    name: str,
) -> None:
    """Start a stack and leave it running; one that runs already is taken as it is, and scaled.

    One that differs in more than its replicas is refused, and keeps its data.
    """
    from harness.stack.lifecycle import reuse, up

    # An empty name is one that somebody has given.
    stack_name(name)
    options = {
        "target": "stack",
        "stack": "reuse",
        "replicas": str(replicas) if replicas else None,
        "stack_port": str(port),
        "database": database,
        "config_source": config_source,
        "placement": BETWEEN.join(placements) or None,
        "placement_constraints": constraints,
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
    from harness.stack.lifecycle import ownership, teardown

    state = StackState(name)
    install.require_engine()
    ownership.refuse_foreign(state)
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
    """Whether there is a record of the stack. Raises UnreadableError where time may mend it."""
    try:
        return state.record() is not None
    except UnreadableError as error:
        if not error.damaged:
            raise
        # The stack is to go, with all that is in it: labels find its parts.
        say(f"{state.directory / 'stack.json'} cannot be read: removing {state.name} by its labels")
        return True


@main.command()
@named
def env(name: str) -> None:
    """Print what a shell needs for OpenStack clients: eval "$(placement-harness env)"."""
    stack = running(name)
    # They would count more than what the file says.
    click.echo(f"unset {' '.join(OTHER_CREDENTIALS)}")
    click.echo(f"export OS_CLIENT_CONFIG_FILE={shlex.quote(str(stack.state.clouds_file))}")
    click.echo(f"export OS_CLOUD={shlex.quote(name)}")


@main.command()
@named
def token(name: str) -> None:
    """Print a token of the stack's admin."""
    click.echo(running(name).token())


@main.command()
def status() -> None:
    """Show the stacks on this machine, and what runs in them."""
    from harness.report import tables

    tables.show_stacks()


@main.command()
@click.argument("service", required=False)
@click.option("--replica", metavar="N", help="One replica alone; 2-N, of lane 2, shares N's log.")
@click.option("--request", metavar="ID", help="The lines of one request, by its request id.")
@click.option("--follow", is_flag=True, help="Go on with what is written from now on.")
@click.option(
    "--tail", type=click.IntRange(0), metavar="N", help="Only N last lines of each container."
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
    """Print what the containers of a stack have said."""
    from harness.stack.clients.replica_logs import choose, stream

    chosen = choose(StackState(name), service, replica)
    none = True
    try:
        for line in stream(chosen, follow=follow, tail=tail, containing=request):
            click.echo(line)
            none = False
    except KeyboardInterrupt:
        # Nothing was begun that had to be undone; with --follow it is the way to end.
        sys.exit(130)
    if none and request is not None:
        names = ", ".join(container.name for container in chosen)
        click.echo(f"No line of {names} has {request}.", err=True)
        sys.exit(1)


@main.command()
@click.option("--all", "everything", is_flag=True, help="Kept stacks too, when nobody uses them.")
def reap(everything: bool) -> None:
    """Remove what killed runs have left; never what a live run uses."""
    from harness.stack.lifecycle import teardown

    removed = teardown.reap(say, everything=everything)
    click.echo(f"removed {', '.join(removed)}" if removed else "nothing was left behind")


@main.command()
def doctor() -> None:
    """Check everything that a stack needs, and say what to do about each thing missing."""
    from harness.report import tables
    from harness.stack.lifecycle.doctor import examine

    if not tables.show_findings(examine()):
        sys.exit(1)


@main.command()
@click.argument(
    "directories", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@named
@click.option("--url", help="A placement elsewhere, with the credentials of OS_* variables.")
@click.option("--release", default="", help="The release of the placement at --url.")
@click.option("--regex", help="Only the suites in whose file name this is found.")
@click.option("--junit-xml", type=click.Path(dir_okay=False, path_type=Path), help="A report.")
@click.pass_context
def tempest(
    context: click.Context,
    directories: tuple[Path, ...],
    name: str,
    url: str | None,
    release: str,
    regex: str | None,
    junit_xml: Path | None,
) -> None:
    """Run suites, those of gabbits/ or of other directories, under tempest with gabbi-tempest."""
    from harness.cli import tempest

    if url and context.get_parameter_source("name") is click.core.ParameterSource.COMMANDLINE:
        raise UsageError("--url and --name make no sense together.", "Leave one of the two away.")
    if release and not url:
        raise UsageError(
            f"--release {release} makes no sense without --url: a stack's release is known.",
            "Leave it away.",
        )
    where = url or running(name)
    if not tempest.tempest(directories, where, regex, junit_xml, say, release):
        sys.exit(1)


@main.command()
@click.option("--starts", default=10, show_default=True, help="How many starts to measure.")
@click.option("--suites", is_flag=True, help="Placement's own suites, beside upstream's way.")
@click.option("--rounds", default=3, show_default=True, help="With --suites: how often.")
def bench(starts: int, suites: bool, rounds: int) -> None:
    """Measure starts, reuse, tear-down, the client and the images on this machine."""
    if suites:
        from harness.bench import upstream_suites as placements

        placements.run(rounds, say)
    else:
        from harness.bench import startup

        startup.run(starts, say)


for command in (scale, restart, upgrade, matrix, config, diff, export, check):
    main.add_command(command)
