"""The commands: the same stack without pytest.

Exit codes: 0; 1 when doctor finds a problem; 64 for an argument that makes no sense; 70 when the
command could not be carried out; 130 after Ctrl-C.
"""

import shlex
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from harness.errors import HarnessError, StackError, UsageError
from harness.plan import (
    DEFAULT_REPLICAS,
    MAX_REPLICAS,
    NAME_VARIABLE,
    SHARED_STACK,
    Plan,
    name_option,
)
from harness.stack import provision
from harness.stack.images import ensure_images
from harness.stack.versions import versions
from harness.state import StackState

named = click.option(
    "--name",
    default=SHARED_STACK,
    envvar=NAME_VARIABLE,
    show_default=True,
    show_envvar=True,
    help="The stack, where there are several.",
)


class Commands(click.Group):
    """Turns the harness's errors into one paragraph and their exit code."""

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupt)
        try:
            super().main(*args, **{**kwargs, "standalone_mode": False})
        except HarnessError as error:
            click.secho(f"ERROR: {error}", fg="red", err=True)
            sys.exit(error.exit_code)
        except click.UsageError as error:
            error.show()
            sys.exit(UsageError.exit_code)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except (KeyboardInterrupt, click.Abort):
            click.secho("interrupted; nothing is left behind", fg="yellow", err=True)
            sys.exit(130)
        sys.exit(0)


def _interrupt(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def say(line: str) -> None:
    click.echo(f"  {line}", err=True)


def replicas_argument(function: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--replicas",
        type=click.IntRange(1, MAX_REPLICAS),
        default=DEFAULT_REPLICAS,
        show_default=True,
        help=f"How many placement replicas, 1 to {MAX_REPLICAS}.",
    )(function)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="placement-harness")
def main() -> None:
    """OpenStack placement as it is really deployed: a stack in containers.

    Several placement replicas behind Apache, with MariaDB, memcached and keystone.
    """


@main.command()
def setup() -> None:
    """Get what a stack needs: Compose, the base image, the images. Does nothing twice."""
    provision.ensure_engine(say)
    if ensure_images(say):
        # Asked now, so that no run has to.
        versions()


@main.command()
@replicas_argument
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Apache's port; 0: any.")
@named
def up(replicas: int, port: int, name: str) -> None:
    """Start a stack and leave it running; one that runs already is taken as it is, and scaled."""
    from harness.stack import lifecycle

    stack = lifecycle.bring_up(Plan(replicas=replicas, lifetime="reuse", name=name, port=port), say)
    lifecycle.leave(stack)
    click.echo(f"placement  {stack.placement_url}")
    click.echo(f"keystone   {stack.identity_url}")
    click.echo(f'clients    eval "$(placement-harness env{name_option(name)})"')


@main.command()
@named
def down(name: str) -> None:
    """Remove a stack."""
    from harness.stack import removal

    state = StackState(name)
    provision.require_engine()
    removal.refuse_foreign(state)
    known = state.record() is not None
    state.lock()
    if known:
        removal.take_down(state, say)
        return
    if not removal.remove_labelled(state):
        click.echo(f"There is no stack {name}.")
    state.remove()
    state.release()


@main.command()
@named
def env(name: str) -> None:
    """Print what a shell needs for OpenStack clients: eval "$(placement-harness env)"."""
    stack = _running(name)
    click.echo(f"export OS_CLIENT_CONFIG_FILE={shlex.quote(str(stack.state.clouds_file))}")
    click.echo(f"export OS_CLOUD={shlex.quote(name)}")


@main.command()
@named
def token(name: str) -> None:
    """Print a token of the stack's admin."""
    click.echo(_running(name).token())


@main.command()
def status() -> None:
    """Show the stacks on this machine, and what runs in them."""
    from harness.report import tables

    tables.show_stacks()


@main.command()
@click.argument("service", required=False)
@click.option("--replica", type=click.IntRange(1, MAX_REPLICAS), help="One replica alone.")
@click.option("--request", metavar="ID", help="The lines of one request, by its request id.")
@click.option("--follow", is_flag=True, help="Go on with what is written from now on.")
@click.option("--tail", default="all", help="Only so many last lines of each container.")
@named
def logs(
    service: str | None,
    replica: int | None,
    request: str | None,
    follow: bool,
    tail: str,
    name: str,
) -> None:
    """Print what the containers of a stack have said."""
    from harness.stack.logs import containers, stream

    chosen = containers(name, service, replica)
    if not chosen:
        raise StackError(
            f"The stack {name} has no such container.", "See what runs: placement-harness status."
        )
    for line in stream(chosen, follow=follow, tail=tail, containing=request):
        click.echo(line)


@main.command()
@click.argument("replicas", type=click.IntRange(1, MAX_REPLICAS))
@named
def scale(replicas: int, name: str) -> None:
    """Add or remove replicas while requests flow."""
    stack = _running(name)
    stack.scale(replicas, say)


@main.command()
@click.option("--rolling", is_flag=True, help="One after the other, while requests flow.")
@click.option("--replica", type=click.IntRange(1, MAX_REPLICAS), help="This one alone.")
@named
def restart(rolling: bool, replica: int | None, name: str) -> None:
    """Restart replicas; each is taken out of the balancer before, and put back after."""
    stack = _running(name)
    if replica is not None:
        if replica not in stack.replicas:
            raise UsageError(
                f"The stack {name} has no replica {replica}.",
                f"It has replicas 1 to {stack.record.replicas}.",
            )
        stack.restart(replica)
    elif rolling:
        for _ in stack.restart_rolling(say):
            pass
    else:
        raise UsageError("Restart what?", "Give --rolling for all replicas, or --replica N.")


@main.command()
@click.option("--all", "everything", is_flag=True, help="Kept stacks too, when nobody uses them.")
def reap(everything: bool) -> None:
    """Remove what killed runs have left; never what a live run uses."""
    from harness.stack import removal

    removed = removal.reap(say, everything=everything)
    click.echo(f"removed {', '.join(removed)}" if removed else "nothing was left behind")


@main.command()
def doctor() -> None:
    """Check everything that a stack needs, and say what to do about each thing missing."""
    from harness.report import tables
    from harness.stack.doctor import examine

    if not tables.show_findings(examine()):
        sys.exit(1)


@main.command()
@click.option("--starts", default=10, show_default=True, help="How many starts to measure.")
def bench(starts: int) -> None:
    """Measure starts, reuse, tear-down, the client and the images on this machine."""
    from harness import bench as benchmark

    benchmark.run(starts, say)


def _running(name: str) -> Any:
    from harness.stack import lifecycle

    stack = lifecycle.running_stack(StackState(name), whole=False)
    if stack is None:
        raise StackError(
            f"No stack {name} is running.", "Start one: placement-harness up --replicas 3."
        )
    return stack


if __name__ == "__main__":
    main()
