"""A fault: it says where it is available, injects, and heals what it has injected.

An injection proves that it took hold, and its healing that the stack is whole again.
"""

import random
import threading
from collections.abc import Callable
from typing import Protocol

from harness.consistency.cluster import Cluster
from harness.core.deadline import Deadline
from harness.core.errors import StackError
from harness.core.signals import shielded
from harness.stack.clients import galera
from harness.stack.model.lanes import ReplicaId
from harness.stack.settings.databases import DATABASES

# Shortest and longest time between two faults. Seconds.
PAUSES = (0.5, 2.0)
# How long a fault lasts. Seconds.
LASTS = 1.0
HEAL_SECONDS = 90.0
LOOK_SECONDS = 0.2


class Wound(Protocol):
    """A fault that was injected. ``name`` is what it has struck; ``lasts`` is in seconds.

    ``met`` is False where the fault has kept nothing from happening, known once it is healed.
    """

    @property
    def name(self) -> str: ...
    @property
    def lasts(self) -> float: ...
    @property
    def met(self) -> bool: ...

    def heal(self) -> None:
        """Undo the fault, and see that it is undone. Raises StackError."""


class Fault(Protocol):
    """A fault; ``once`` is set for a fault that cannot be injected a second time."""

    @property
    def name(self) -> str: ...
    @property
    def once(self) -> bool: ...

    def require(self, cluster: Cluster) -> None:
        """Raise UsageError where this stack cannot have the fault."""

    def inject(self, cluster: Cluster, choice: random.Random) -> Wound:
        """Inject the fault once, and see that it took hold. Raises StackError."""


def wait_until_whole(cluster: Cluster, fault: str, service: str) -> None:
    """Wait until a service serves again, and all of a stack with it. Raises StackError."""
    stack, deadline = cluster.stack, Deadline.after(HEAL_SECONDS)
    replica = ReplicaId.of_service(service)
    if replica is not None:
        stack.wait_for_replicas([replica.number], deadline)
        return
    for _ in deadline.every(LOOK_SECONDS):
        if stack.whole():
            return
    missing = galera.missing(stack.state, DATABASES[stack.record.database].cluster)
    nodes = "".join(f" {node}: {status}." for node, status in missing.items())
    raise StackError(
        f"The stack did not serve again within {HEAL_SECONDS:.0f} s after {fault}.{nodes}",
        f"See its logs: placement-harness logs {service}.",
        service=service,
    )


class Note(Protocol):
    """Takes down a fault that was injected and healed."""

    def __call__(self, service: str, begin: float, end: float, *, met: bool) -> None: ...


class Injector:
    """Injects a fault again and again, in a thread, until it is stopped.

    ``note`` is told of each fault: what it struck, the moments of its begin and its end on the
    clock, and whether it has met anything.
    """

    def __init__(
        self,
        fault: Fault,
        cluster: Cluster,
        seed: str,
        note: Note,
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

    def join(self, seconds: float) -> None:
        """Wait until no more faults are injected, as after one that cannot be repeated."""
        self._thread.join(seconds)

    def _work(self) -> None:
        try:
            while not self._over.wait(self._choice.uniform(*PAUSES)):
                begin = self._clock()
                wound = self._fault.inject(self._cluster, self._choice)
                self._over.wait(wound.lasts)
                wound.heal()
                self._note(wound.name, begin, self._clock(), met=wound.met)
                if self._fault.once:
                    return
        except Exception as error:
            self._error = error
