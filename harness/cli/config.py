"""The command ``config``: settings of a stack whose replicas take them from etcd."""

import sys
from typing import Any

import click

from harness.cli.common import named, running, say
from harness.core.errors import UsageError

HIDDEN = "***"


@click.group()
def config() -> None:
    """Show and change the replicas' settings (--config-source etcd)."""


@config.command(name="list")
@named
def show(name: str) -> None:
    """Print all settings, with secret values hidden.

    A setting that differs between replicas is printed for each replica.
    """
    from harness.stack.operations import placement_options

    stack = _configured(name)
    known = placement_options.known(placement_options.pythons(stack.record))
    for setting, values in sorted(_by_setting(stack).items()):
        is_secret = known.secret(setting)
        shown = {key: HIDDEN if is_secret else value for key, value in values.items()}
        if len(set(values.values())) == 1 and len(values) == len(_services(stack)):
            click.echo(f"{setting} = {next(iter(shown.values()))}")
        else:
            for replica, value in sorted(shown.items()):
                click.echo(f"{setting} = {value}  ({replica})")


@config.command()
@click.argument("setting", metavar="GROUP/OPTION")
@named
def get(setting: str, name: str) -> None:
    """Print the value of one option, secret or not; nothing if the option has its default."""
    from harness.stack.operations import placement_options

    stack = _configured(name)
    wanted = placement_options.known(placement_options.pythons(stack.record)).find(setting)
    values = _by_setting(stack).get(wanted, {})
    for replica, value in sorted(values.items()):
        click.echo(value if len(set(values.values())) == 1 else f"{replica}: {value}")
        if len(set(values.values())) == 1:
            return


# A value may begin with a dash, such as -1.
@config.command(name="set", context_settings={"ignore_unknown_options": True})
@click.argument("setting", metavar="GROUP/OPTION")
@click.argument("value", required=False)
@named
def change(setting: str, value: str | None, name: str) -> None:
    """Set an option for all replicas, and restart them one after the other.

    If a replica does not serve with the new value, all replicas get their old values back. Without
    VALUE, the value is read from standard input: other users can read command lines.
    """
    from harness.stack.operations import change_settings, placement_options

    stack = _configured(name)
    if len(stack.record.lanes) > 1:
        raise UsageError(
            f"The stack {name} has lanes, whose replicas are not restarted one by one.",
            "Start a stack without lanes: placement-harness down, then "
            "placement-harness up --config-source etcd.",
        )
    text = sys.stdin.read().removesuffix("\n") if value is None else value
    wanted = placement_options.check(placement_options.pythons(stack.record), setting, text)
    change_settings.change(stack, wanted, text, say)


def _configured(name: str) -> Any:
    """The running stack with this name. Raises UsageError unless its settings are in etcd."""
    stack = running(name)
    source = stack.record.config_source
    if source != "etcd":
        raise UsageError(
            f"The replicas of {name} take their settings from {source}, which does not change.",
            "Start it with etcd: placement-harness up --config-source etcd.",
        )
    return stack


def _services(stack: Any) -> list[str]:
    """Keys of the replicas of all lanes, as in etcd."""
    from harness.stack import project

    return sorted(project.load(stack.state)[project.SETTINGS])


def _by_setting(stack: Any) -> dict[str, dict[str, str]]:
    """The settings in etcd: GROUP/OPTION -> key of a replica -> value."""
    from harness.stack.clients.etcd import PREFIX, Etcd

    values: dict[str, dict[str, str]] = {}
    with Etcd.of(stack.state) as etcd:
        for key, value in etcd.read(PREFIX).items():
            replica, _, setting = key.partition("/")
            values.setdefault(setting, {})[replica] = value
    return values
