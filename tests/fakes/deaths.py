"""An engine whose events a test writes: containers of the stack ``one`` die when it says so."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core.deadline import Deadline
from harness.core.errors import StackError
from harness.stack.handle import Stack
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from tests.fakes.engine import container, lists
from tests.fakes.machine import Machine

# States of containers, as the engine lists them.
DOWN, UP, RESTARTING = "exited", "running", "restarting"
SERVICES = (
    "mariadb",
    "memcached",
    "keystone",
    "apache",
    "etcd",
    "galera-1",
    "galera-2",
    "galera-3",
)


class Events:
    """Tells docker's answers, and writes events that ``docker events`` gives at once."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self._machine = machine
        self._file = folder / "events"
        self._file.touch()
        self.answers(DOWN)

    def answers(self, state: str, **more: str) -> None:
        """Let docker give its events, the last words of a container, and this for its state."""
        follow = f"exec /usr/bin/tail -n +1 -s 0.01 -f {self._file}"
        containers = [
            *(container(f"one-{service}-1", service, state) for service in SERVICES),
            *(container(f"one-placement-{number}", state=state) for number in range(1, 4)),
        ]
        answers = {"events*": follow, "ps*": lists(*containers), "logs*": "echo bye"}
        answers["container inspect*"] = f"echo {state}"
        self._machine.has("docker", {**more, **answers, **more})

    def dies(self, service: str, code: int = 137, *, at: float | None = None) -> None:
        """Write that the container of a service has died: now, or at a moment since the epoch."""
        attributes = {
            "name": f"one-{service}" if service.startswith("placement-") else f"one-{service}-1",
            "com.docker.compose.service": service,
            "exitCode": str(code),
        }
        moment = int((time.time() if at is None else at) * 1e9)
        with self._file.open("a") as file:
            actor = {"ID": attributes["name"], "Attributes": attributes}
            file.write(json.dumps({"Actor": actor, "timeNano": moment}) + "\n")


def events_of(machine: Machine, tmp_path: Path) -> Events:
    return Events(machine, tmp_path)


def watched_stack(events: Events, tmp_path: Path) -> Iterator[Stack]:
    state = StackState("one", tmp_path / "state")
    record = Record("one", "fresh", 3, 1, ready=True, config_source="etcd")
    state.create(record, Secrets())
    stack = Stack(state, record, Secrets())
    stack.watch()
    yield stack
    stack.unwatch()


def checked(stack: Stack, seconds: float = 0.5) -> None:
    """Check a stack until what was written before has come for sure."""
    for _ in Deadline.after(seconds).every(0.02):
        stack.check()


def broken(stack: Stack, words: str) -> None:
    """Check a stack until it breaks, with these words."""
    with pytest.raises(StackError, match=words):
        checked(stack, 10)
