"""Replicas and a balancer without containers: for tests of what is done to them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from harness.core.deadline import Deadline
from harness.core.errors import StackError
from harness.stack import project
from harness.stack.handle import Stack
from harness.stack.model.lanes import ReplicaId
from harness.stack.model.record import Record


def event_of(replica: int) -> dict[str, Any]:
    """What the engine says when a replica has ended."""
    attributes = {
        "name": f"one-placement-{replica}",
        "com.docker.compose.service": f"placement-{replica}",
        "exitCode": "1",
    }
    return {"Actor": {"ID": attributes["name"], "Attributes": attributes}}


class Replicas:
    """The replicas of a stack.

    ``busy`` are never drained, which is told by ``error``; ``silent`` do not serve.
    """

    def __init__(self, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        self._state = stack.state
        self.enabled = set(stack.replicas)
        self.busy: set[int] = set()
        self.silent: set[int] = set()
        self.told: list[str] = []
        self.error: BaseException = StackError("Replica 2 still had requests under way.", "Look.")
        monkeypatch.setattr(Stack, "balancer", self)
        monkeypatch.setattr(Stack, "asks_replica", self._ask)
        monkeypatch.setattr(Stack, "start_containers", lambda *_: None)

    def _ask(self, replica: ReplicaId, timeout: float = 1) -> str | None:
        return "503 Service Unavailable" if replica.number in self.silent else None

    @property
    def record(self) -> Record:
        record = self._state.record()
        assert record is not None
        return record

    @property
    def deaths_are_expected(self) -> bool:
        return any(one.end is None for one in self._state.expectations.current())

    @property
    def services(self) -> set[int]:
        """The replicas that Compose knows."""
        return {int(name[-1]) for name in project.load(self._state)[project.SETTINGS]}

    # The balancer's methods

    def only(self, replicas: Collection[int]) -> None:
        self.enabled = {*replicas}

    def enable(self, replica: int) -> None:
        self.told.append(f"enable {replica}")
        self.enabled.add(replica)

    def drain(self, replica: int, deadline: Deadline) -> None:
        self.told.append(f"drain {replica}")
        self.enabled.discard(replica)
        if replica in self.busy:
            raise self.error
