"""What the commands show in tables."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from harness.errors import EngineError
from harness.plan import name_option
from harness.stack import provision
from harness.stack.commands import run
from harness.stack.compose import STACK_LABEL, STATE_LABEL
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
    labels = (STACK_LABEL, STATE_LABEL)
    # Each field by its name: `json .` has the engine measure every container's files, for seconds.
    fields = [*(f'.Label "{label}"' for label in labels), ".Names", ".State", ".Status"]
    listing = run(
        *("docker", "ps", "--all", "--filter", f"label={STACK_LABEL}"),
        *("--format", "\t".join(f"{{{{{field}}}}}" for field in fields)),
        seconds=30,
    )
    if not listing.ok:
        raise provision.engine_problem() or EngineError(
            f"The containers could not be listed: {listing.reason}.",
            "See what is wrong: placement-harness doctor.",
        )
    stacks: dict[tuple[str, str], list[list[str]]] = {}
    for line in listing.out.splitlines():
        name, directory, *container = line.split("\t")
        stacks.setdefault((name, directory), []).append(container)
    if not stacks:
        console.print("no stack is running")
    for (name, directory), members in sorted(stacks.items()):
        # Not the table's title: that is broken at the table's width.
        console.print(f"{name} ({_where(name, directory)})", markup=False, soft_wrap=True)
        table = Table()
        for column in ("container", "state", "since"):
            table.add_column(column)
        for member in sorted(members):
            table.add_row(*member)
        console.print(table)


def _where(name: str, directory: str) -> str:
    """Where a stack listens, as far as this user can know."""
    if not directory:
        return "started by hand"
    state = StackState(name)
    record = state.record()
    if directory != str(state.directory):
        return f"its state is in {directory}"
    if record is None:
        return "its state is gone"
    ends = (
        "its run removes it"
        if record.lifetime == "fresh"
        else f"stays until placement-harness down{name_option(name)}"
    )
    return f"{record.url}, {ends}"
