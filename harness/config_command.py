"""placement-harness config: settings of a stack whose replicas take them from etcd."""

import sys
from typing import Any

import click

from harness.commands import named, say
from harness.errors import UsageError

HIDDEN = "***"


@click.group()
def config() -> None:
    """Show and change the replicas' settings: of a stack with --config-source etcd."""


@config.command(name="list")
@named
def show(name: str) -> None:
    """Print all settings but secret ones; those that differ between replicas for each."""
    from harness.stack import options

    stack = _configured(name)
    known = options.known(_python(stack))
    for setting, values in sorted(_by_setting(stack).items()):
        shown = {who: HIDDEN if known.secret(setting) else one for who, one in values.items()}
        if len(set(values.values())) == 1 and len(values) == len(_services(stack)):
            click.echo(f"{setting} = {next(iter(shown.values()))}")
        else:
            for who, one in sorted(shown.items()):
                click.echo(f"{setting} = {one}  ({who})")


@config.command()
@click.argument("setting", metavar="GROUP/OPTION")
@named
def get(setting: str, name: str) -> None:
    """Print what one option is set to, secret or not; nothing where it has its default."""
    from harness.stack import options

    stack = _configured(name)
    wanted = options.known(_python(stack)).find(setting)
    values = _by_setting(stack).get(wanted, {})
    for who, one in sorted(values.items()):
        click.echo(one if len(set(values.values())) == 1 else f"{who}: {one}")
        if len(set(values.values())) == 1:
            return


@config.command(name="set")
@click.argument("setting", metavar="GROUP/OPTION")
@click.argument("value", required=False)
@named
def change(setting: str, value: str | None, name: str) -> None:
    """Set an option for all replicas, and restart them one after the other.

    Without VALUE it is read from standard input: the command lines of a machine are no secret.
    """
    from harness.stack import options, project
    from harness.stack.etcd import Etcd, write_for_all

    stack = _configured(name)
    text = sys.stdin.read().removesuffix("\n") if value is None else value
    wanted = options.check(_python(stack), setting, text)
    with stack.state.changing():
        write_for_all(Etcd.of(stack.state), _services(stack), wanted, text)
        # For replicas that come later.
        project.set_for_all(stack.state, wanted, text)
    say(f"{wanted} is set for {len(_services(stack))} replicas")
    for replica in stack.restart_rolling(say):
        say(f"replica {replica} has taken it up")


def _configured(name: str) -> Any:
    """A stack that runs, and has settings in etcd."""
    from harness.stack import kept
    from harness.state import StackState

    state = StackState(name)
    stack = kept.running_stack(state, whole=False)
    if stack is None:
        raise kept.not_running(state)
    source = stack.record.config_source
    if source != "etcd":
        raise UsageError(
            f"The replicas of {name} take their settings from {source}, which does not change.",
            "Start it with etcd: placement-harness up --config-source etcd.",
        )
    return stack


def _services(stack: Any) -> list[str]:
    """The replicas of all lanes."""
    from harness.stack import project

    return sorted(project.load(stack.state)[project.SETTINGS])


def _python(stack: Any) -> Any:
    """Where the first replica's placement can be asked."""
    from harness.stack import options, project

    first = _services(stack)[0]
    return options.in_image(project.load(stack.state)["services"][first]["image"])


def _by_setting(stack: Any) -> dict[str, dict[str, str]]:
    """GROUP/OPTION -> replica -> value, as they stand in etcd."""
    from harness.stack.etcd import PREFIX, Etcd

    found: dict[str, dict[str, str]] = {}
    for key, value in Etcd.of(stack.state).read(PREFIX).items():
        service, _, setting = key.partition("/")
        found.setdefault(setting, {})[service] = value
    return found
