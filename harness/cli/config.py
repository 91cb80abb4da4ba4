"""placement-harness config: settings of a stack whose replicas take them from etcd."""

import sys
from typing import Any

import click

from harness.cli.common import named, running, say
from harness.core.errors import UsageError

HIDDEN = "***"


@click.group()
def config() -> None:
    """Show and change the replicas' settings: of a stack with --config-source etcd."""


@config.command(name="list")
@named
def show(name: str) -> None:
    """Print all settings but secret ones; those that differ between replicas for each."""
    from harness.stack.operations import placement_options

    stack = _configured(name)
    known = placement_options.known(placement_options.pythons(stack.record))
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
    from harness.stack.operations import placement_options

    stack = _configured(name)
    wanted = placement_options.known(placement_options.pythons(stack.record)).find(setting)
    values = _by_setting(stack).get(wanted, {})
    for who, one in sorted(values.items()):
        click.echo(one if len(set(values.values())) == 1 else f"{who}: {one}")
        if len(set(values.values())) == 1:
            return


# A value may begin with a dash: -1.
@config.command(name="set", context_settings={"ignore_unknown_options": True})
@click.argument("setting", metavar="GROUP/OPTION")
@click.argument("value", required=False)
@named
def change(setting: str, value: str | None, name: str) -> None:
    """Set an option for all replicas, and restart them one after the other.

    When one of them does not serve with it, all get back what they had. Without VALUE it is read
    from standard input: the command lines of a machine are no secret.
    """
    from harness.stack.operations import change_settings, placement_options

    stack = _configured(name)
    if len(stack.record.lanes) > 1:
        raise UsageError(
            f"The stack {name} has lanes, whose replicas are not restarted one by one.",
            "Start one without: placement-harness down, then "
            "placement-harness up --config-source etcd.",
        )
    text = sys.stdin.read().removesuffix("\n") if value is None else value
    wanted = placement_options.check(placement_options.pythons(stack.record), setting, text)
    change_settings.change(stack, wanted, text, say)


def _configured(name: str) -> Any:
    """A stack that runs, and has settings in etcd."""
    stack = running(name)
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


def _by_setting(stack: Any) -> dict[str, dict[str, str]]:
    """GROUP/OPTION -> replica -> value, as they stand in etcd."""
    from harness.stack.clients.etcd import PREFIX, Etcd

    values: dict[str, dict[str, str]] = {}
    with Etcd.of(stack.state) as etcd:
        for key, value in etcd.read(PREFIX).items():
            replica, _, setting = key.partition("/")
            values.setdefault(setting, {})[replica] = value
    return values
