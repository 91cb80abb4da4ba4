"""What a stack's containers have said."""

import queue
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence

from harness.errors import EngineError, StackError, UsageError
from harness.results import Exchange
from harness.stack import provision
from harness.stack.commands import run
from harness.stack.compose import STACK_LABEL
from harness.stack.lanes import SERVICE, replica_of

# Clocks agree on one machine; a container's log driver may lag.
EARLIER_SECONDS = 1.0


def container(stack: str, service: str, replica: int | str | None = None) -> str:
    return f"{stack}-{'placement' if replica else service}-{replica or 1}"


def lines_of(name: str, *, since: float, containing: str) -> list[str]:
    """The lines of one container since a moment (seconds since the epoch) that hold a text."""
    said = run("docker", "logs", "--since", f"{since:.3f}", name, seconds=10)
    return [line for line in (said.out + said.err).splitlines() if containing in line]


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
    return {name: state for name, _, state in _listed(stack)}


def containers(stack: str, service: str | None, replica: str | None) -> list[str]:
    """The names of a stack's containers, of one service or one replica if that is asked.

    Raises StackError when there is no such stack, UsageError when it has nothing of that.
    """
    if replica is not None and service not in (None, "placement"):
        raise UsageError(
            f"--replica {replica} makes no sense with {service}: replicas are placement's.",
            "Leave one of the two away.",
        )
    listed = _listed(stack)
    if not listed:
        raise StackError(
            f"There is no stack {stack}.", "See which there are: placement-harness status."
        )
    if replica is not None:
        name = container(stack, "placement", replica)
        if any(name == one for one, _, _ in listed):
            return [name]
        own = [one for one, of, _ in listed if _is(of, SERVICE)]
        raise UsageError(
            f"The stack {stack} has no replica {replica}.",
            f"It has {', '.join(one.removeprefix(f'{stack}-placement-') for one in own)}.",
        )
    chosen = [name for name, of, _ in listed if service is None or _is(of, service)]
    if not chosen:
        services = ", ".join(sorted({SERVICE if replica_of(of) else of for _, of, _ in listed}))
        raise UsageError(f"The stack {stack} has no service {service}.", f"It has {services}.")
    return chosen


def _is(of: str, service: str) -> bool:
    """Whether a container's service is this one; each replica is a service of its own."""
    return of == service or (service == SERVICE and replica_of(of) is not None)


def _listed(stack: str) -> list[tuple[str, str, str]]:
    """Name, service and state of each container of a stack."""
    fields = (".Names", '.Label "com.docker.compose.service"', ".State")
    said = run(
        *("docker", "ps", "--all", "--filter", f"label={STACK_LABEL}={stack}"),
        *("--format", "\t".join(f"{{{{{field}}}}}" for field in fields)),
        seconds=30,
    )
    if not said.ok:
        raise provision.engine_problem() or EngineError(
            f"The containers of {stack} could not be listed: {said.reason}.",
            "See what is wrong: placement-harness doctor.",
        )
    rows = (line.split("\t") for line in said.out.splitlines())
    return sorted((name, service, state) for name, service, state in rows)


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
