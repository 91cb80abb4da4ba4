"""Prints the tables of the commands ``doctor`` and ``status``."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from harness.config.plan import name_option
from harness.engine.docker import current
from harness.engine.values import Container
from harness.stack.lifecycle.doctor import Finding
from harness.stack.model import containers
from harness.stack.model.state import STACK_LABEL, STATE_LABEL, StackState
from harness.stack.model.unreadable import UnreadableError


def show_findings(findings: Iterable[Finding]) -> bool:
    """Print each finding as it is made; True if there is nothing to do for the user."""
    console = Console()
    well = True
    for finding in findings:
        mark = "[green]ok  [/]" if finding.ok else "[red]need[/]"
        console.print(f"{mark}  {finding.what:18} {finding.result}", highlight=False)
        if not finding.ok:
            well = False
            console.print(f"      {'':18} -> {finding.remedy}", highlight=False)
    return well


def show_stacks() -> None:
    """Print all stacks. Raises UnreadableError at the end if a record cannot be read."""
    console = Console()
    unreadable: list[UnreadableError] = []
    stacks: dict[tuple[str, str], list[Container]] = {}
    for container in containers.of_all_stacks(current()):
        key = (container.labels[STACK_LABEL], container.labels[STATE_LABEL])
        stacks.setdefault(key, []).append(container)
    if not stacks:
        console.print("no stack is running")
    # The user's own stacks come first. Others are listed because they take ports and memory.
    for (name, directory), members in sorted(
        stacks.items(), key=lambda item: (_foreign(*item[0]), item[0])
    ):
        # rich would break a table's title at the table's width.
        console.print(
            f"{name} ({_where(name, directory, unreadable)})", markup=False, soft_wrap=True
        )
        table = Table()
        for column in ("container", "state", "since"):
            table.add_column(column)
        for container in members:
            table.add_row(container.name, container.state, container.status)
        console.print(table)
    if unreadable:
        raise unreadable[0]


def _foreign(name: str, directory: str) -> bool:
    return not StackState(name).is_at(directory)


def _where(name: str, directory: str, unreadable: list[UnreadableError]) -> str:
    """Address and lifetime of a stack, as far as this user can know them."""
    if not directory:
        return "started by hand"
    if _foreign(name, directory):
        return f"its state is in {directory}"
    try:
        record = StackState(name).record()
    except UnreadableError as error:
        unreadable.append(error)
        return "its state cannot be read"
    if record is None:
        return "its state is gone"
    if record.attached:
        return (
            f"{record.url}, attached to a cloud in the network {record.attached}, stays until "
            f"placement-harness detach --name {name}"
        )
    ends = (
        "its run removes it"
        if record.lifetime == "fresh"
        else f"stays until placement-harness down{name_option(name)}"
    )
    urls = map(record.reference_url, record.reference)
    beside = "".join(f", the reference at {url}" for url in urls)
    return f"{record.url}{beside}, {ends}"
