"""A target as the tests of one process reach it: its connection, and its stream of exchanges."""

from collections.abc import Mapping
from typing import Any

from harness import targets
from harness.config.plan import Plan
from harness.core.exchange_stream import ExchangeStream
from harness.suites.connection import Wire
from harness.targets.base import Target


class Side:
    """The target of a run, or the other side of a live comparison; connected once it is up."""

    def __init__(self, plan: Plan, wire: Wire, worker: str = "") -> None:
        self.plan = plan
        self.wire = wire
        self.stream = ExchangeStream(worker)
        self._target: Target | None = None

    @property
    def target(self) -> Target:
        if self._target is None:
            raise RuntimeError("the run has not begun")
        return self._target

    def connect(self, target: Target) -> None:
        """Let suites and fixtures send requests to the target, which is up."""
        self._target = target
        self.wire.connect(target, self.stream.publish)

    def attach(self, share: Mapping[str, Any]) -> None:
        """Connect to a target that the controller has started, in a worker. Raises HarnessError."""
        self.connect(targets.attach(self.plan, share))

    def disconnect(self) -> None:
        self.wire.close()
