"""Containers that a fake docker lists."""

from pathlib import Path

from harness.engine.docker import Engine
from harness.engine.values import Container


def container(
    name: str,
    service: str = "",
    state: str = "running",
    *,
    id_: str = "",
    number: int = 1,
    ports: str = "",
    stack: str = "one",
    directory: str = "",
) -> Container:
    """A container of a stack; it was started by hand unless it has a state directory.

    Without ``service`` the name says it: one-apache-1 is of the service apache, one-placement-2 of
    the service placement-2.
    """
    if not service:
        service = name.removeprefix(f"{stack}-")
        if not service.startswith("placement-"):
            service = service.rpartition("-")[0]
    labels = {"stack": stack, "directory": directory}
    return Container(id_ or name, name, service, number, state, "Up", ports, labels, Engine())


def lists(*containers: Container | str) -> str:
    """A fake docker's answer to ``ps``: these containers, with the labels of stacks."""
    rows = [_row(one) for one in containers]
    return f"printf '%s\\n' {' '.join(rows)}" if rows else "exit 0"


def lists_parts(directory: Path, *ids: str) -> str:
    """A fake docker's answer to the listings of a removal: parts of a stack with this directory."""
    return f"printf '%s\\tone\\t{directory}\\n' {' '.join(ids)}"


def _row(listed: Container | str) -> str:
    one = container(listed) if isinstance(listed, str) else listed
    fields = [one.id, one.name, one.service, str(one.number), one.state, one.status, one.ports]
    return "'" + "\t".join([*fields, *one.labels.values()]) + "'"
