"""The commands ``attach`` and ``detach``: replicas in place of an existing cloud's placement."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.common import help_of, replicas_argument, say
from harness.config.plan import DEFAULT_REPLICAS, Plan, stack_name
from harness.core.words import counted

if TYPE_CHECKING:
    from harness.attach.snapshot import TableChange

NAME = "placement-attached"
# The variable PLACEMENT_HARNESS_NAME names stacks, which an attachment is not.
name_option = click.option(
    "--name", default=NAME, show_default=True, help="Name of the replicas and their proxy."
)


@click.command()
@click.option(
    "--placement-conf",
    "conf",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The cloud's placement.conf. Variables OS_GROUP__OPTION count more.",
)
@click.option(
    "--set",
    "given",
    multiple=True,
    metavar="GROUP/OPTION=VALUE",
    help="A setting that counts more than both; no secret.",
)
@click.option(
    "--network",
    default="host",
    show_default=True,
    metavar="NAME",
    help="Docker network that replicas join, and reach the cloud from; host: this machine's own.",
)
@click.option(
    "--apache",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File of the cloud's Apache with placement's ProxyPass line (default: devstack's line).",
)
@replicas_argument
@click.option("--placement", "placements", multiple=True, metavar="SPEC", help=help_of("placement"))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The proxy's port; 0: any.")
@click.option(
    "--add-traits",
    "may_add",
    is_flag=True,
    help="Let replicas add standard traits and resource classes that the cloud lacks.",
)
@name_option
def attach(
    conf: Path | None,
    given: tuple[str, ...],
    network: str,
    apache: Path | None,
    replicas: int | None,
    placements: tuple[str, ...],
    port: int,
    may_add: bool,
    name: str,
) -> None:
    """Start replicas beside an existing cloud's placement.

    They use the cloud's database, memcached and keystone. The cloud is left as it is: the lines are
    printed that put the replicas in place of its placement, and those that take them out again.
    """
    from harness.attach import apache_lines, attachment, cloud

    stack_name(name)
    settings = cloud.read(conf, os.environ, given)
    plan = Plan(
        replicas=replicas or DEFAULT_REPLICAS,
        lifetime="keep",
        name=name,
        port=port,
        placements=placements,
        sources={"placement": "option"} if placements else {},
    )
    done = attachment.attach(plan, settings, network, say, apache=apache, may_add=may_add)
    titles = " and ".join(dict.fromkeys(placement.title for placement in done.placements))
    click.echo(f"attached   {name}: {done.record.replicas} of placement {titles}")
    click.echo(f"to try     {done.record.url}/placement")
    click.echo(f"database   {_summary(done.tables)}")
    _show_changes(done.tables)
    modules = " ".join(apache_lines.MODULES)
    click.echo(f"""
# In the cloud's Apache, in place of
#   {done.lines_out.replace(chr(10), f"{chr(10)}#   ")}
# (modules, on Debian and Ubuntu: a2enmod {modules}):
{done.lines_in}

# To take the replicas out again, put back in place of these lines:
{done.lines_out}

# Each time: apachectl configtest && apachectl graceful. Both texts are also in
#   {done.folder / attachment.LINES_IN}
#   {done.folder / attachment.LINES_OUT}
# Once they are out: placement-harness detach{"" if name == NAME else f" --name {name}"}""")


@click.command()
@click.option("--at-once", is_flag=True, help="Remove them even while they get requests.")
@name_option
def detach(at_once: bool, name: str) -> None:
    """Remove the replicas that attach has started.

    Nothing of the cloud's is removed. Take them out of the cloud's Apache before: it would answer
    503.
    """
    from harness.attach import detachment

    done = detachment.detach(name, say, at_once=at_once)
    click.echo(f"detached   {name}")
    click.echo(f"database   since attach: {_summary(done.meanwhile)}")
    _show_changes(done.meanwhile)
    click.echo(f"database   while detaching: {_summary(done.at_the_end)}")
    _show_changes(done.at_the_end)


def _summary(changes: "Sequence[TableChange]") -> str:
    different = [table for table in changes if not table.is_same]
    rows = sum(table.rows for table in changes)
    if not different:
        return f"the same: {counted(rows, 'row')} in {counted(len(changes), 'table')}"
    lost = sum(table.removed for table in changes)
    return (
        f"{len(different)} of {counted(len(changes), 'table')} with differences, "
        f"{counted(lost, 'row')} removed. Clients of the cloud may have written meanwhile."
    )


def _show_changes(changes: "Sequence[TableChange]") -> None:
    for table in changes:
        if not table.is_same:
            click.echo(f"           {table}")
