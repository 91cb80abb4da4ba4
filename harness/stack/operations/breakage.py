"""Breaks a container of a stack on purpose, and mends it, also after the process that broke it.

A breakage is a file in the stack's directory from before it is made until it is mended. So a later
process can mend what a killed one has left broken (``mend_all``).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.core.errors import StackError
from harness.core.files import write_private
from harness.core.measurements import Progress
from harness.engine import disruption
from harness.engine.disruption import Peer
from harness.engine.values import Container, DockerError
from harness.stack.model import containers
from harness.stack.model.state import StackState

FILES = "broken-"
CHANGE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Breakage:
    """A broken container: ``kind`` is a row of KINDS, ``peers`` are what it is cut off from."""

    service: str
    kind: str
    peers: tuple[Peer, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """How a container is broken and mended, and how it is seen whether it is broken.

    ``mend`` may be called for a container that is not broken.
    """

    apply: Callable[[Container, Sequence[Peer]], None]
    holds: Callable[[Container], bool]
    mend: Callable[[Container], None]


def _kill(container: Container, _: Sequence[Peer]) -> None:
    container.engine.signal([container.id], "KILL", CHANGE_SECONDS)


def _stop(container: Container, _: Sequence[Peer]) -> None:
    container.engine.stop([container.id], 10, CHANGE_SECONDS)


def _is_down(container: Container) -> bool:
    return container.engine.state(container.id) != "running"


def _start(container: Container) -> None:
    if _is_down(container):
        container.engine.restart(container.id, CHANGE_SECONDS)


KINDS: Mapping[str, Kind] = {
    "killed": Kind(_kill, _is_down, _start),
    "stopped": Kind(_stop, _is_down, _start),
    "paused": Kind(
        lambda container, _: disruption.pause(container),
        lambda container: container.engine.state(container.id) == "paused",
        disruption.unpause,
    ),
    "cut off": Kind(
        disruption.cut,
        lambda container: disruption.dropped(container) is not None,
        disruption.join,
    ),
}


def make(state: StackState, breakage: Breakage) -> None:
    """Break a container, and see that it is broken. Raises StackError."""
    container = containers.of_service(state, breakage.service)
    kind = KINDS[breakage.kind]
    write_private(_file(state, breakage), json.dumps(asdict(breakage)))
    try:
        kind.apply(container, breakage.peers)
        holds = kind.holds(container)
    except DockerError as error:
        raise _failed(breakage, "could not be", error.reason) from None
    if not holds:
        raise _failed(breakage, "was not", "the container is as it was")


def mend(state: StackState, breakage: Breakage) -> None:
    """Mend a container, and see that it is whole. Raises StackError."""
    container = containers.of_service(state, breakage.service)
    kind = KINDS[breakage.kind]
    try:
        kind.mend(container)
        holds = kind.holds(container)
    except DockerError as error:
        raise _failed(breakage, "could not be mended after being", error.reason) from None
    if holds:
        raise _failed(breakage, "is still", "the container is as it was")
    _file(state, breakage).unlink(missing_ok=True)


def dropped(state: StackState, breakage: Breakage) -> int | None:
    """How many packets a container that is cut off has lost; None for other breakages."""
    if breakage.kind != "cut off":
        return None
    return disruption.dropped(containers.of_service(state, breakage.service))


def open_breakages(state: StackState) -> list[Breakage]:
    """What is broken in a stack, or was about to be, when its process ended."""
    breakages = []
    for path in sorted(state.directory.glob(f"{FILES}*.json")):
        try:
            values = json.loads(path.read_text())
            peers = tuple(Peer(**peer) for peer in values["peers"])
            breakages.append(Breakage(values["service"], values["kind"], peers))
        except (OSError, ValueError, LookupError, TypeError):
            # The process was killed while it wrote the file: it had broken nothing yet.
            path.unlink(missing_ok=True)
    return breakages


def mend_all(state: StackState, progress: Progress) -> list[str]:
    """Mend what a process has left broken; give the names of the containers. Raises StackError."""
    mended: list[str] = []
    if not open_breakages(state):
        return mended
    there = {container.service for container in containers.of_stack(state)}
    for breakage in open_breakages(state):
        if breakage.service not in there:
            # Nothing is left to be mended: its user has removed the container.
            _file(state, breakage).unlink(missing_ok=True)
            continue
        mend(state, breakage)
        progress(f"{breakage.service} was left {breakage.kind}: mended")
        mended.append(breakage.service)
    return mended


def _file(state: StackState, breakage: Breakage) -> Path:
    kind = breakage.kind.replace(" ", "-")
    return state.directory / f"{FILES}{breakage.service}-{kind}.json"


def _failed(breakage: Breakage, what: str, reason: str) -> StackError:
    return StackError(
        f"{breakage.service} {what} {breakage.kind}: {reason}.",
        "See what runs: placement-harness status. A fresh stack is whole.",
        service=breakage.service,
    )
