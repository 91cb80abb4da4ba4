"""What a stack's containers have said."""

import queue
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence

from harness.results import Exchange
from harness.stack.commands import run
from harness.stack.compose import STACK_LABEL

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


def containers(stack: str, service: str | None, replica: int | None) -> list[str]:
    """The names of a stack's containers, of one service or one replica if that is asked."""
    command = ["docker", "ps", "--all", "--format", "{{.Names}}"]
    command += ["--filter", f"label={STACK_LABEL}={stack}"]
    if replica is not None:
        return [name for name in _names(command) if name == container(stack, "", replica)]
    if service is not None:
        command += ["--filter", f"label=com.docker.compose.service={service}"]
    return _names(command)


def _names(command: Sequence[str]) -> list[str]:
    return sorted(run(*command, seconds=30).out.split())


def stream(
    names: Sequence[str], *, follow: bool, tail: str, containing: str | None
) -> Iterator[str]:
    """Lines of several containers, each with its container's name when there are several."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    width = max(map(len, names))
    processes = []
    for name in names:
        command = ["docker", "logs", "--tail", tail, *(["--follow"] if follow else []), name]
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
