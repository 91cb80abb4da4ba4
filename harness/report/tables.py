"""Prints the tables of the commands ``doctor`` and ``status``."""

import contextlib
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from harness.config.plan import name_option
from harness.core.errors import EngineError
from harness.engine.docker import current
from harness.engine.survey import answers
from harness.engine.values import Container
from harness.stack.handle import Stack
from harness.stack.lifecycle.findings import Finding
from harness.stack.model import containers, lanes
from harness.stack.model.hosts import Host
from harness.stack.model.state import STACK_LABEL, STATE_LABEL, StackState, all_states
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


def show_stacks(only: str | None = None) -> None:
    """Print all stacks, or the one of this name, with the containers that are missing.

    Raises UnreadableError at the end if a record cannot be read, EngineError if a host is silent.
    """
    console = Console()
    unreadable: list[UnreadableError] = []
    silent: set[Host] = set()
    stacks: dict[tuple[str, str], list[Container]] = {}
    for container in _of_all_hosts(silent):
        key = (container.labels[STACK_LABEL], container.labels[STATE_LABEL])
        if only in (None, key[0]):
            stacks.setdefault(key, []).append(container)
    for state in all_states():
        # A stack whose containers were all removed is there with its record alone.
        if only in (None, state.name) and _kept(state):
            stacks.setdefault((state.name, str(state.directory)), [])
    if not stacks:
        console.print(f"there is no stack {only}" if only else "no stack is running")
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
        for service in _missing(name, directory, members):
            word = "unknown" if _host_of(name, service) in silent else "missing"
            table.add_row(f"{name}-{service}", word, "")
        console.print(table)
    if unreadable:
        raise unreadable[0]
    if silent:
        raise EngineError(
            f"No answer of {' and '.join(sorted(host.title for host in silent))}: what runs there "
            "is not known.",
            "See whether the machine is up, and its engine.",
        )


def _host_of(name: str, service: str) -> Host:
    hosts = StackState(name).hosts
    return hosts[lanes.host_of(service, len(hosts))]


def _of_all_hosts(silent: set[Host]) -> list[Container]:
    """The containers of all stacks on docker's current engine, and of this user's on others.

    ``silent`` gets the hosts whose engines do not answer.
    """
    others: set[Host] = set()
    for state in all_states():
        # A file of hosts that cannot be read is reported with the stack's record.
        with contextlib.suppress(UnreadableError):
            others |= {host for host in state.hosts if host.name}
    listed = containers.of_all_stacks(current())
    known = {container.id for container in listed}
    for host in sorted(others, key=lambda host: host.name):
        if not answers(host.engine):
            silent.add(host)
            continue
        on_it = containers.of_all_stacks(host.engine, host.title)
        listed += [container for container in on_it if container.id not in known]
    return listed


def _kept(state: StackState) -> bool:
    try:
        record = state.record()
    except UnreadableError:
        # Its containers, if there are any, show the error.
        return False
    return record is not None and record.ready and record.lifetime != "fresh"


def _missing(name: str, directory: str, members: Sequence[Container]) -> list[str]:
    """The services of one of the user's own stacks that have no container."""
    if not directory or _foreign(name, directory):
        return []
    state = StackState(name)
    try:
        record = state.record()
        # What is attached to a cloud has the cloud's other services.
        if record is None or not record.ready or record.attached:
            return []
        services = Stack(state, record, state.secrets()).services
    except (UnreadableError, KeyError, OSError):
        return []
    return sorted(services - {container.service for container in members})


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
