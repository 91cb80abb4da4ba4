"""The commands ``scale``, ``restart`` and ``upgrade``, which change replicas of a stack."""

import sys
import time

import click

from harness.cli.common import Replicas, named, running, say
from harness.config.plan import counted_replicas
from harness.core.errors import UsageError


@click.command()
@click.argument("replicas", type=Replicas("scale"))
@named
def scale(replicas: int, name: str) -> None:
    """Add or remove replicas while requests flow."""
    from harness.stack.operations import rolling

    rolling.scale(running(name), replicas, say)


@click.command()
@click.option(
    "--rolling",
    "one_by_one",
    is_flag=True,
    help="Restart all replicas, one after the other, while requests flow.",
)
@click.option("--replica", type=Replicas("--replica"), help="Restart only this replica.")
@named
def restart(one_by_one: bool, replica: int | None, name: str) -> None:
    """Restart replicas. Each is taken out of the balancer before, and put back afterwards."""
    from harness.stack.operations import rolling

    stack, began = running(name), time.monotonic()
    if replica is not None:
        if replica not in stack.replicas:
            raise UsageError(
                f"The stack {name} has no replica {replica}.",
                f"It has replicas 1 to {stack.record.replicas}.",
            )
        if stack.record.replicas == 1:
            say("replica 1 is the only one: requests fail meanwhile")
        rolling.restart(stack, replica)
        done = f"replica {replica}"
    elif one_by_one:
        rolling.require_another(stack)
        done = counted_replicas(len(rolling.restart_rolling(stack, say)))
    else:
        raise UsageError(
            "`restart` does not know which replicas to restart.",
            "Give --rolling for all replicas, or --replica N.",
        )
    say(f"restarted {done} of {name} in {time.monotonic() - began:.1f} s")


@click.command()
@click.option(
    "--to", "spec", required=True, metavar="SPEC", help="A version, a checkout or a package."
)
@click.option(
    "--placement-constraints",
    "constraints",
    default="",
    metavar="FILE",
    help="Dependencies of the new placement (default: those of its own date).",
)
@named
def upgrade(spec: str, constraints: str, name: str) -> None:
    """Let all replicas run another placement, while requests flow.

    The schema is migrated first, then the replicas are replaced one after the other.
    """
    from harness.stack.operations import upgrade

    stack = running(name)
    try:
        upgrade.upgrade(stack, spec, say, constraints)
    except KeyboardInterrupt:
        stack.refresh()
        titles = dict.fromkeys(stack.record.placement(number).title for number in stack.replicas)
        run = f"all replicas of {name} run placement" if len(titles) == 1 else f"{name} is mixed:"
        say(f"broken off: {run} {' and '.join(titles)}, and the next upgrade goes on from there")
        sys.exit(130)
