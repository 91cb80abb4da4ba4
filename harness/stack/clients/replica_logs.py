"""Logs of a stack's containers."""

import queue
import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from harness.config.plan import MAX_REPLICAS
from harness.core.errors import StackError, UsageError
from harness.core.exchange import Exchange
from harness.core.process import Program
from harness.engine.values import Container, DockerError
from harness.stack.model import containers, lanes
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


def lines_of(container: Container, *, since: float, containing: str) -> list[str]:
    """Lines of a container since a moment (seconds since the epoch) that are about a text."""
    about = About(containing)
    return [line for line in _lines(container, since=since) if about.has(line)]


def _lines(container: Container, *, since: float, until: float | None = None) -> list[str]:
    """Lines of a container; none when they cannot be read."""
    try:
        return container.engine.logs(container.id, since=since, until=until)
    except DockerError:
        return []


def last_lines(state: StackState, replica: ReplicaId, count: int) -> list[str]:
    """The last lines of a replica's container; none when the container is gone."""
    for container in containers.of_stack(state):
        if containers.number_of(container) == replica.number:
            return container.engine.last_lines(container.id, count)
    return []


def of_exchange(state: StackState, exchange: Exchange) -> Mapping[str, Sequence[str]]:
    """Lines of Apache and of the replica about one request, found by its id.

    A request without an id, which a client gave up or Apache answered itself, is found by its time.
    """
    since = exchange.started - SLACK_SECONDS
    sources = _sources(state, exchange)
    if exchange.request_id is None:
        return _of_time(exchange, since, sources)
    return {
        source: lines_of(container, since=since, containing=exchange.request_id)
        for source, container in sources.items()
    }


def _sources(state: StackState, exchange: Exchange) -> Mapping[str, Container]:
    """Apache's container and the replica's, by what the lines are shown under."""
    replica = ReplicaId.parse(exchange.replica) if exchange.replica else None
    sources = {}
    for container in containers.of_stack(state):
        if container.service == "apache":
            sources["apache"] = container
        elif replica and containers.number_of(container) == replica.number:
            sources[f"replica {replica}"] = container
    return sources


def _of_time(
    exchange: Exchange, since: float, sources: Mapping[str, Container]
) -> Mapping[str, Sequence[str]]:
    """Lines from the time of an exchange; of Apache's lines, errors and this request alone."""
    until = exchange.started + exchange.seconds + SLACK_SECONDS
    request = f'"{exchange.request.method} {urlsplit(exchange.request.url).path}'
    lines: dict[str, list[str]] = {}
    for source, container in sources.items():
        lines[source] = _lines(container, since=since, until=until)
        if source == "apache":
            lines[source] = [one for one in lines[source] if one.startswith("[") or request in one]
    return {source: of_source for source, of_source in lines.items() if of_source}


def choose(state: StackState, service: str | None, replica: str | None) -> list[Container]:
    """The containers of a stack, or those of a service or of a replica.

    Raises StackError when there is no such stack, UsageError when it has no such container.
    """
    if replica is not None and service not in (None, SERVICE):
        raise UsageError(
            f"--replica {replica} makes no sense with {service}: replicas are placement's.",
            "Leave one of the two away.",
        )
    every = containers.of_stack(state)
    if not every:
        raise StackError(
            f"There is no stack {state.name}.", "See which there are: placement-harness status."
        )
    if replica is not None:
        replicas = _replicas(state, every)
        if replica in replicas:
            return [replicas[replica]]
        raise UsageError(
            f"The stack {state.name} has no replica {replica}.", f"It has {', '.join(replicas)}."
        )
    matches = [one for one in every if service in (None, one.service, _service(one))]
    if not matches:
        services = sorted({_service(container) for container in every})
        raise UsageError(
            f"The stack {state.name} has no service {service}.", f"It has {', '.join(services)}."
        )
    return matches


def _replicas(state: StackState, every: Collection[Container]) -> Mapping[str, Container]:
    """The container of each replica, by what messages call the replica."""
    places = {containers.number_of(container): container for container in every}
    record = state.record()
    # A stack that was started by hand has no record, and no lanes.
    by_hand = map(ReplicaId.first, range(1, MAX_REPLICAS + 1))
    replicas = lanes.replicas(record) if record else by_hand
    return {str(one): places[one.number] for one in replicas if one.number in places}


def _service(container: Container) -> str:
    """The service as users know it: replicas are services of their own, all of placement."""
    return container.service if containers.number_of(container) is None else SERVICE


def stream(
    sources: Sequence[Container], *, follow: bool, tail: int | None, containing: str | None
) -> Iterator[str]:
    """Lines of several containers, each with its container's name when there are several.

    ``containing`` leaves only those that hold it, and their tracebacks.
    """
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    width = max(len(container.name) for container in sources)
    programs = []
    for container in sources:
        program = container.engine.follow_logs(container.id, tail, follow=follow)
        programs.append(program)
        prefix = f"{container.name:{width}} | " if len(sources) > 1 else ""
        about = About(containing) if containing is not None else None
        reader = threading.Thread(target=_read, args=(program, prefix, about, lines), daemon=True)
        reader.start()
    unfinished = len(sources)
    try:
        while unfinished:
            line = lines.get()
            if line is None:
                unfinished -= 1
            else:
                yield line
    finally:
        for program in programs:
            program.end()


def _read(
    program: Program,
    prefix: str,
    about: About | None,
    lines: "queue.SimpleQueue[str | None]",
) -> None:
    for line in program.lines():
        if about is None or about.has(line):
            lines.put(prefix + line)
    lines.put(None)
