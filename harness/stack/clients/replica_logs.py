"""What a stack's containers have said."""

import queue
import re
import subprocess
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from harness.config.plan import MAX_REPLICAS
from harness.core.errors import StackError, UsageError
from harness.core.exchange import Exchange
from harness.core.process import run
from harness.engine.docker import listed
from harness.stack.model import lanes
from harness.stack.model.lanes import SERVICE, ReplicaId
from harness.stack.model.state import StackState

# Clocks agree on one machine; a container's log driver may lag.
SLACK_SECONDS = 1.0
# How oslo.log begins a line, by default: time, process, level, logger. A traceback's lines begin so
# too, but do not name the request.
DATED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \d+ [A-Z]+ \S+ ")


class About:
    """Tells of one container's lines, given one after the other, which hold a text, and which go
    on with such a line: a traceback, the rest of a message."""

    def __init__(self, text: str) -> None:
        self._text = text
        # How the lines begin that go on with the last one of ours.
        self._head: str | None = None
        self._ours = False

    def has(self, line: str) -> bool:
        found = DATED.match(line)
        if self._text in line:
            self._head = found[0] if found else None
            self._ours = True
        elif found is None:
            self._ours = self._ours and self._head is not None
        else:
            self._ours = found[0] == self._head
            if self._ours and line[found.end() :].startswith("["):
                # Another request, in the same millisecond.
                self._head, self._ours = None, False
        return self._ours


def container(stack: str, service: str, replica: str | None = None) -> str:
    """A service's container, or that of a replica, which those of other lanes share."""
    return ReplicaId.parse(replica).container(stack) if replica else f"{stack}-{service}-1"


def lines_of(name: str, *, since: float, containing: str) -> list[str]:
    """The lines of one container since a moment (seconds since the epoch) that are about a text."""
    about = About(containing)
    return [line for line in said_since(name, since) if about.has(line)]


def said_since(name: str, since: float) -> list[str]:
    """The lines of one container since a moment (seconds since the epoch)."""
    return _said(name, "--since", f"{since:.3f}")


def _said(name: str, *how: str) -> list[str]:
    said = run("docker", "logs", *how, name, seconds=10)
    return (said.out + said.err).splitlines()


def last_lines(name: str, count: int) -> list[str]:
    """The last lines of one container."""
    said = run("docker", "logs", "--tail", str(count), name, seconds=10)
    return (said.out + said.err).splitlines()[-count:]


def of_exchange(stack: str, exchange: Exchange) -> Mapping[str, Sequence[str]]:
    """What Apache and the replica wrote about one request, found by its id.

    What has none, because nobody or Apache itself has answered, is found by its time.
    """
    since = exchange.started - SLACK_SECONDS
    sources = {"apache": container(stack, "apache")}
    if exchange.replica:
        sources[f"replica {exchange.replica}"] = container(stack, "placement", exchange.replica)
    if exchange.request_id is None:
        return _of_time(exchange, since, sources)
    return {
        source: lines_of(name, since=since, containing=exchange.request_id)
        for source, name in sources.items()
    }


def _of_time(
    exchange: Exchange, since: float, sources: Mapping[str, str]
) -> Mapping[str, Sequence[str]]:
    """All that was written while an exchange lasted; of Apache's, errors and this request alone."""
    until = exchange.started + exchange.seconds + SLACK_SECONDS
    span = ("--since", f"{since:.3f}", "--until", f"{until:.3f}")
    found = {source: _said(name, *span) for source, name in sources.items()}
    asked = f'"{exchange.request.method} {urlsplit(exchange.request.url).path}'
    found["apache"] = [one for one in found["apache"] if one.startswith("[") or asked in one]
    return {source: lines for source, lines in found.items() if lines}


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
        routes = _routes(stack, {one.name for one in found})
        if replica in routes:
            return [container(stack, SERVICE, replica)]
        raise UsageError(
            f"The stack {stack} has no replica {replica}.", f"It has {', '.join(routes)}."
        )
    chosen = [one.name for one in found if service is None or _is(one.service, service)]
    if not chosen:
        services = {SERVICE if ReplicaId.of_service(one.service) else one.service for one in found}
        raise UsageError(
            f"The stack {stack} has no service {service}.", f"It has {', '.join(sorted(services))}."
        )
    return chosen


def _routes(stack: str, there: Collection[str]) -> list[str]:
    """The replicas in these containers of a stack, as messages call them."""
    record = StackState(stack).record()
    # A stack that was started by hand has no record, and no lanes.
    by_hand = map(ReplicaId.first, range(1, MAX_REPLICAS + 1))
    replicas = lanes.replicas(record) if record else by_hand
    return [str(replica) for replica in replicas if replica.container(stack) in there]


def _is(of: str, service: str) -> bool:
    """Whether a container's service is this one; each replica is a service of its own."""
    return of == service or (service == SERVICE and ReplicaId.of_service(of) is not None)


def stream(
    names: Sequence[str], *, follow: bool, tail: int | None, containing: str | None
) -> Iterator[str]:
    """Lines of several containers, each with its container's name when there are several.

    ``containing`` leaves only those that hold it, and their tracebacks.
    """
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
        about = About(containing) if containing is not None else None
        reader = threading.Thread(target=_read, args=(process, prefix, about, lines), daemon=True)
        reader.start()
    left = len(names)
    try:
        while left:
            line = lines.get()
            if line is None:
                left -= 1
            else:
                yield line
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def _read(
    process: "subprocess.Popen[str]",
    prefix: str,
    about: About | None,
    lines: "queue.SimpleQueue[str | None]",
) -> None:
    for line in process.stdout or ():
        if about is None or about.has(line):
            lines.put(prefix + line.rstrip("\n"))
    lines.put(None)
