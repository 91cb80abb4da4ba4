"""Judges the deaths of a stack's containers: which were meant, and what to say of the others."""

import threading

from harness.core.errors import EngineError, StackError
from harness.engine.docker import Engine
from harness.engine.events import Death, Watch
from harness.stack.model import containers, lanes
from harness.stack.model.lanes import SERVICE, ReplicaId
from harness.stack.model.record import Record
from harness.stack.model.state import StackState
from harness.stack.settings.databases import DATABASES

LAST_LINES = 20


class Deaths:
    """Watches a stack's containers, and judges each death once, in the order in which they came."""

    def __init__(self, state: StackState) -> None:
        self._state = state
        self._watches = [Watch(engine, state.labels) for engine in state.engines]
        self._judged = [0] * len(self._watches)
        # Several threads check a stack: a death that one of them judges is not skipped by another.
        self._judging = threading.Lock()

    def start(self) -> None:
        for watch in self._watches:
            watch.start()

    def stop(self) -> None:
        for watch in self._watches:
            watch.stop()

    def check(self, record: Record, when: str) -> None:
        """Raise StackError for a death that was not meant, and again at every later check.

        Raises EngineError when the engine has stopped reporting deaths.
        """
        with self._judging:
            for place, watch in enumerate(self._watches):
                for death in watch.deaths(self._judged[place]):
                    # Another process may have changed the stack since.
                    record = self._state.record() or record
                    if not _was_meant(death, self._state, record):
                        raise death_error(death, self._state, when)
                    self._judged[place] += 1
        for host, watch in zip(self._state.hosts, self._watches, strict=True):
            if watch.blind:
                of = f" of {host.title}" if host.name else ""
                raise EngineError(
                    f"The container engine{of} does not tell any more what happens to "
                    f"{record.name}.",
                    "See whether it runs: `docker version`, `placement-harness doctor`.",
                )


def death_error(death: Death, state: StackState, when: str) -> StackError:
    """The error for a container that died, with its last lines."""
    replica = ReplicaId.of_service(death.service)
    title = f"replica {replica}" if replica else death.service
    killed = " (killed)" if death.code == 137 else ""
    return StackError(
        f"{title} ({death.container}) exited with code {death.code}{killed} {when}.",
        "Its last lines are below. `placement-harness doctor` checks the machine; "
        "--stack keep leaves the stack for a look.",
        evidence=_engine_of(death, state).last_lines(death.id, LAST_LINES),
        service=SERVICE if replica else death.service,
    )


def _engine_of(death: Death, state: StackState) -> Engine:
    return state.engines[lanes.host_of(death.service, len(state.engines))]


def _was_meant(death: Death, state: StackState, record: Record) -> bool:
    """Whether a process of the stack's owner expected the death, or a user restarted a replica.

    A node of a ready cluster may die too, if the engine starts it again.
    """
    if state.expectations.covers(death.container, death.service, death.at):
        return True
    node = record.ready and death.service in DATABASES[record.database].cluster
    if not node and ReplicaId.of_service(death.service) is None:
        return False
    # The engine restarts no replica: a replica that runs again was restarted by its user. A listing
    # may still call a container running that has just died.
    return any(
        container.engine.state(container.id) in ("running", "restarting")
        for container in containers.of_stack(state)
        if container.service == death.service
    )
