"""What a stack's containers have said."""

import queue
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence

from harness.errors import StackError, UsageError
from harness.results import Exchange
from harness.stack.commands import run
from harness.stack.containers import listed
from harness.stack.lanes import SERVICE, replica_of

# Clocks agree on one machine; a container's log driver may lag.
EARLIER_SECONDS = 1.0


def container(stack: str, service: str, replica: int | str | None = None) -> str:
    return f"{stack}-{'placement' if replica else service}-{replica or 1}"


def lines_of(name: str, *, since: float, containing: str) -> list[str]:
    """The lines of one container since a moment (seconds since the epoch) that hold a text."""
    said = run("docker", "logs", "--since", f"{since:.3f}", name, seconds=10)
    return [line for line in (said.out + said.err).splitlines() if containing in line]


def last_lines(name: str, count: int) -> list[str]:
    """The last lines of one container."""
    said = run("docker", "logs", "--tail", str(count), name, seconds=10)
    return (said.out + said.err).splitlines()[-count:]


def of_exchange(stack: str, exchange: Exchange) -> Mapping[str, Sequence[str]]:
    """What Apache and the replica wrote about one request, found by its id."""
    if exchange.request_id is None:
        return {}
    since = exchange.started - EARLIER_SECONDS
    sources = {"apache": container(stack, "apache")}
    if exchange.replica:
        sources[f"replica {exchange.replica}"] = container(stack, "placement", exchange.replica)
    return {
        source: lines_of(name, since=since, containing=exchange.request_id)
        for source, name in sources.items()
    }


def states(stack: str) -> Mapping[str, str]:
    """The containers of a stack, and what state each is in: running, exited, ..."""
    return {one.name: one.state for one in listed(stack)}


def containers(stack: str, service: str | None, replica: str | None) -> list[str]:
    """The names of a stack's containers, of one service or one replica if that is asked.

    Raises StackError when there is no such stack, UsageError when it has nothing of that.
    """
    if replica is not None and service not in (None, "placement"):
        raise UsageError(
            f"--replica {replica} makes no sense with {service}: replicas are placement's.",
            "Leave one of the two away.",
        )
    found = listed(stack)
    if not found:
        raise StackError(
            f"There is no stack {stack}.", "See which there are: placement-harness status."
        )
    if replica is not None:
        name = container(stack, "placement", replica)
        if any(name == one.name for one in found):
            return [name]
        own = [one.name for one in found if _is(one.service, SERVICE)]
        raise UsageError(
            f"The stack {stack} has no replica {replica}.",
            f"It has {', '.join(one.removeprefix(f'{stack}-placement-') for one in own)}.",
        )
    chosen = [one.name for one in found if service is None or _is(one.service, service)]
    if not chosen:
        services = {SERVICE if replica_of(one.service) else one.service for one in found}
        raise UsageError(
            f"The stack {stack} has no service {service}.", f"It has {', '.join(sorted(services))}."
        )
    return chosen


def _is(of: str, service: str) -> bool:
    """Whether a container's service is this one; each replica is a service of its own."""
    return of == service or (service == SERVICE and replica_of(of) is not None)


def stream(
    names: Sequence[str], *, follow: bool, tail: int | None, containing: str | None
) -> Iterator[str]:
    """Lines of several containers, each with its container's name when there are several."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    width = max(map(len, names))
    processes = []
    for name in names:
        last = "all" if tail is None else str(tail)
        command = ["docker", "logs", "--tail", last, *(["--follow"] if follow else []), name]
        process = subprocess.Popen(  # noqa: S603 (no shell, names come from docker)
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        processes.append(process)
        prefix = f"{name:{width}} | " if len(names) > 1 else ""
        threading.Thread(target=_read, args=(process, prefix, lines), daemon=True).start()
    left = len(names)
    try:
        while left:
            line = lines.get()
            if line is None:
                left -= 1
            elif containing is None or containing in line:
                yield line
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def _read(
    process: "subprocess.Popen[str]", prefix: str, lines: "queue.SimpleQueue[str | None]"
) -> None:
    for line in process.stdout or ():
        lines.put(prefix + line.rstrip("\n"))
    lines.put(None)
