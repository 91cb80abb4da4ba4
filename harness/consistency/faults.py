"""Faults: a container is killed or restarted while clients write, and runs again at the end.

Each fault says before that its death is meant (``stack.expecting``), proves that it took hold, and
is healed when its containers serve again. A run that ends early heals as well.
"""

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.consistency.cluster import Cluster
from harness.core.deadline import Deadline
from harness.core.errors import StackError, UsageError
from harness.core.signals import shielded
from harness.engine.values import DockerError
from harness.stack.model import containers
from harness.stack.model.lanes import ReplicaId

# Shortest and longest time between two faults, and how long one lasts. Seconds.
PAUSES, LASTS = (0.5, 2.0), 1.0
CHANGE_SECONDS, HEAL_SECONDS = 30.0, 60.0


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of one service; ``service`` is empty for one replica after another, by chance."""

    name: str
    service: str
    kills: bool

    def require(self, cluster: Cluster) -> None:
        """Raise UsageError where this stack cannot have the fault."""
        if not self.service and cluster.replicas < 2:
            raise UsageError(
                f"--fault {self.name} needs two replicas at least: nothing serves meanwhile.",
                "Give --replicas 2 or more.",
            )

    def strike(self, cluster: Cluster, choice: random.Random, over: threading.Event) -> str:
        """Inject the fault once and heal it; give the name of the container. Raises StackError."""
        service = self.service or f"placement-{choice.randint(1, cluster.replicas)}"
        stack = cluster.stack
        with stack.expecting(service):
            container = containers.of_service(stack.state, service)
            try:
                if self.kills:
                    container.engine.signal([container.id], "KILL", CHANGE_SECONDS)
                    if container.engine.state(container.id) == "running":
                        raise StackError(f"{service} runs on after a kill.", "Run it again.")
                    over.wait(LASTS)
                shielded(lambda: container.engine.restart(container.id, CHANGE_SECONDS))
            except DockerError as error:
                raise StackError(
                    f"The fault {self.name} could not be injected or healed: {error.reason}.",
                    "See what runs: placement-harness status.",
                ) from None
            self._heal(cluster, service)
        return service

    def _heal(self, cluster: Cluster, service: str) -> None:
        replica = ReplicaId.of_service(service)
        deadline = Deadline.after(HEAL_SECONDS)
        if replica is not None:
            cluster.stack.wait_for_replicas([replica.number], deadline)
            return
        for _ in deadline.every(0.2):
            if cluster.stack.whole():
                return
        raise StackError(f"The stack did not serve again after {self.name}.", "See its logs.")


FAULTS: Mapping[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault("kill-replica", "", kills=True),
        Fault("restart-replica", "", kills=False),
        Fault("kill-memcached", "memcached", kills=True),
        Fault("kill-keystone", "keystone", kills=True),
    )
}


class Injector:
    """Injects a fault again and again, in a thread, until it is stopped.

    ``note`` is told of each fault: its container, and the moments of its begin and its end on the
    clock.
    """

    def __init__(
        self,
        fault: Fault,
        cluster: Cluster,
        seed: str,
        note: Callable[[str, float, float], None],
        clock: Callable[[], float],
    ) -> None:
        self._fault, self._cluster, self._note, self._clock = fault, cluster, note, clock
        self._choice = random.Random(f"{seed}/{fault.name}")  # noqa: S311 (no secret)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._error: Exception | None = None

    def __enter__(self) -> "Injector":
        self._thread.start()
        return self

    def __exit__(self, *details: object) -> None:
        """Wait until the last fault is healed. Raises StackError where one could not be."""
        self._over.set()
        shielded(self._thread.join)
        if self._error is not None and details[0] is None:
            raise self._error

    def _work(self) -> None:
        try:
            while not self._over.wait(self._choice.uniform(*PAUSES)):
                begin = self._clock()
                service = self._fault.strike(self._cluster, self._choice, self._over)
                self._note(service, begin, self._clock())
        except Exception as error:
            self._error = error
