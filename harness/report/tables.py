"""What the commands show in tables."""

import json
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from harness.stack.commands import run
from harness.stack.compose import STACK_LABEL
from harness.stack.doctor import Finding
from harness.state import StackState


def show_findings(findings: Iterable[Finding]) -> bool:
    """Print each finding as it is made; True when nothing has to be done."""
    console = Console()
    well = True
    for finding in findings:
        mark = "[green]ok  [/]" if finding.ok else "[red]need[/]"
        console.print(f"{mark}  {finding.what:18} {finding.found}", highlight=False)
        if not finding.ok:
            well = False
            console.print(f"      {'':18} -> {finding.remedy}", highlight=False)
    return well


def show_stacks() -> None:
    console = Console()
    listing = run(
        *("docker", "ps", "--all", "--filter", f"label={STACK_LABEL}", "--format", "{{json .}}"),
        seconds=30,
    )
    containers = [json.loads(line) for line in listing.out.splitlines()]
    stacks: dict[str, list[dict[str, str]]] = {}
    for container in containers:
        labels = dict(part.split("=", 1) for part in container["Labels"].split(",") if "=" in part)
        stacks.setdefault(labels.get(STACK_LABEL, "?"), []).append(container)
    if not stacks:
        console.print("no stack is running")
    for name, members in sorted(stacks.items()):
        record = StackState(name).record()
        where = f"{record.url}, {record.lifetime}" if record else "started by hand"
        table = Table(title=f"{name} ({where})", title_justify="left")
        for column in ("container", "state", "since"):
            table.add_column(column)
        for member in sorted(members, key=lambda one: one["Names"]):
            table.add_row(member["Names"], member["State"], member["Status"])
        console.print(table)
