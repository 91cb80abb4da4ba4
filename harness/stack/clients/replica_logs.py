"""Reads and follows the logs of a stack's containers."""

import queue
import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from harness.config.plan import MAX_REPLICAS
from harness.core.errors import StackError, UsageError
from harness.core.exchange import Exchange
from harness.core.program import Program
from harness.engine.values import Container, DockerError
from harness.stack.model import containers, lanes
from harness.stack.model.lanes import SERVICE, ReplicaId
from harness.stack.model.state import StackState
from harness.stack.settings import reference

# All clocks are this machine's, but a container's log driver may lag behind.
SLACK_SECONDS = 1.0
# The beginning of a line by oslo.log: time, process, level, logger. The lines of a traceback have
# it too, but do not name the request.
DATED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \d+ [A-Z]+ \S+ ")


class About:
    """Filter for the lines of one container that hold a text, or continue such a line.

    A line continues another one if it is part of the same message or traceback.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        # Beginning of the lines that continue the last line with the text.
        self._head: str | None = None
        self._ours = False

    def has(self, line: str) -> bool:
        """Whether the filter lets the next line of the container through."""
        dated = DATED.match(line)
        if self._text in line:
            self._head = dated[0] if dated else None
            self._ours = True
        elif dated is None:
            self._ours = self._ours and self._head is not None
        else:
            self._ours = dated[0] == self._head
            if self._ours and line[dated.end() :].startswith("["):
                # The line names another request, in the same millisecond.
                self._head, self._ours = None, False
        return self._ours


def lines_of(container: Container, *, since: float, containing: str) -> list[str]:
    """Lines of a container that contain a text, and the lines that continue them.

    ``since`` is in seconds since the epoch.
    """
    about = About(containing)
    return [line for line in _lines(container, since=since) if about.has(line)]


def _lines(container: Container, *, since: float, until: float | None = None) -> list[str]:
    """Lines of a container; empty if they cannot be read."""
    try:
        return container.engine.logs(container.id, since=since, until=until)
    except DockerError:
        return []


def last_lines(state: StackState, replica: ReplicaId, count: int) -> list[str]:
    """The last lines of a replica's container; empty if the container is gone."""
    for container in containers.of_stack(state):
        if containers.number_of(container) == replica.number:
            return container.engine.last_lines(container.id, count)
    return []


def of_exchange(state: StackState, exchange: Exchange) -> Mapping[str, Sequence[str]]:
    """Lines of Apache and of the replica about one request, found by its id.

    A request that the client gave up, or that Apache answered itself, has no id. Its lines are
    found by its time.
    """
    return _about(exchange, _sources(state, exchange))


def of_reference(state: StackState, exchange: Exchange) -> Mapping[str, Sequence[str]]:
    """Lines of the reference about one request: of its placement, if the request has an id.

    Debian's format of Apache's access log has no ids.
    """
    services = (reference.PLACEMENT,) if exchange.request_id else reference.SERVICES
    return _about(
        exchange,
        {
            container.service: container
            for container in containers.of_stack(state)
            if container.service in services
        },
    )


def _about(exchange: Exchange, sources: Mapping[str, Container]) -> Mapping[str, Sequence[str]]:
    since = exchange.started - SLACK_SECONDS
    if exchange.request_id is None:
        return _of_time(exchange, since, sources)
    return {
        source: lines_of(container, since=since, containing=exchange.request_id)
        for source, container in sources.items()
    }


def _sources(state: StackState, exchange: Exchange) -> Mapping[str, Container]:
    """Heading of a failure report -> container: Apache's, and that of the exchange's replica."""
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
    """Lines from the time of an exchange; from Apache only errors and this request."""
    until = exchange.started + exchange.seconds + SLACK_SECONDS
    request = f'"{exchange.request.method} {urlsplit(exchange.request.url).path}'
    lines: dict[str, list[str]] = {}
    for source, container in sources.items():
        lines[source] = _lines(container, since=since, until=until)
        if source in ("apache", reference.APACHE):
            lines[source] = [
                line for line in lines[source] if line.startswith("[") or request in line
            ]
    return {source: of_source for source, of_source in lines.items() if of_source}


def choose(state: StackState, service: str | None, replica: str | None) -> list[Container]:
    """The containers of a stack, of one of its services, or of a replica.

    Raises StackError if there is no such stack, UsageError if it has no such service or replica.
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
    matches = [
        container
        for container in every
        if service in (None, container.service, _service(container))
    ]
    if not matches:
        services = sorted({_service(container) for container in every})
        raise UsageError(
            f"The stack {state.name} has no service {service}.", f"It has {', '.join(services)}."
        )
    return matches


def _replicas(state: StackState, every: Collection[Container]) -> Mapping[str, Container]:
    """Name of each replica, as messages show it -> its container."""
    places = {containers.number_of(container): container for container in every}
    record = state.record()
    # A stack that was started by hand has no record, and no lanes.
    by_hand = map(ReplicaId.first, range(1, MAX_REPLICAS + 1))
    replicas = lanes.replicas(record) if record else by_hand
    return {str(id_): places[id_.number] for id_ in replicas if id_.number in places}


def _service(container: Container) -> str:
    """The service under the name that users know: in Compose, each replica is a service."""
    return container.service if containers.number_of(container) is None else SERVICE


def stream(
    sources: Sequence[Container], *, follow: bool, tail: int | None, containing: str | None
) -> Iterator[str]:
    """Lines of containers; with several containers, each line begins with the container's name.

    With ``containing``, only lines that hold this text are given, and the lines that continue them.
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
