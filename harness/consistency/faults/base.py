"""A fault: it says where it is available, injects, and heals what it has injected.

An injection proves that it took hold, and its healing that the stack is whole again.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from harness.consistency.cluster import Cluster
from harness.consistency.faults.audience import Audience
from harness.consistency.history import Strike
from harness.core.deadline import Deadline
from harness.core.errors import StackError
from harness.core.signals import shielded
from harness.stack.clients import galera
from harness.stack.model.lanes import ReplicaId
from harness.stack.settings.databases import DATABASES

# Shortest and longest time between two faults. Seconds.
PAUSES = (0.3, 1.2)
# How long a fault lasts. Seconds.
LASTS = 1.0
HEAL_SECONDS = 90.0
LOOK_SECONDS = 0.2
# How long a fault waits for writes that it can meet, and how often it looks for them. Seconds.
PATIENCE_SECONDS, LOOK_AT_WRITES_SECONDS = 5.0, 0.001
# How often faults are injected again for workloads that did not meet them.
REPEATS = 3


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
    """A fault; ``once`` is set for a fault that cannot be injected a second time.

    ``early`` is set for a fault that has no effect for a while after some others.
    """

    @property
    def name(self) -> str: ...
    @property
    def once(self) -> bool: ...
    @property
    def early(self) -> bool: ...

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


class Injector:
    """Injects faults in turn, again and again, in a thread, until it is stopped.

    Chance decides their order, but for early ones, and for those that can be injected once alone,
    which come last. A fault waits for a moment at which the workloads write. Faults that a workload
    did not meet are injected again, a few times, before all had their turn.
    """

    def __init__(
        self,
        faults: Sequence[Fault],
        cluster: Cluster,
        seed: str,
        audience: Audience,
        clock: Callable[[], float],
    ) -> None:
        self._cluster, self._audience, self._clock = cluster, audience, clock
        names = ",".join(fault.name for fault in faults)
        self._choice = random.Random(f"{seed}/{names}")  # noqa: S311 (no secret)
        self._faults = [*faults]
        self._choice.shuffle(self._faults)
        self._faults.sort(key=lambda fault: (fault.once, not fault.early))
        self._over, self._all = threading.Event(), threading.Event()
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

    def has_injected_all(self) -> bool:
        """Whether each of the faults had its turn, or no more will be injected."""
        return self._all.is_set() or not self._thread.is_alive()

    def join(self, seconds: float) -> None:
        """Wait until no more faults are injected, as after one that cannot be repeated."""
        self._thread.join(seconds)

    def _work(self) -> None:
        try:
            for fault in self._turns():
                if self._over.wait(self._choice.uniform(*PAUSES)):
                    return
                self._strike(fault)
        except Exception as error:
            self._error = error

    def _turns(self) -> Iterator[Fault]:
        """The faults, one after the other."""
        yield from self._faults
        repeated = [fault for fault in self._faults if not fault.once]
        for _ in range(REPEATS):
            yield from (fault for fault in repeated if self._audience.lacks(fault.name))
        self._all.set()
        while repeated:
            yield from repeated

    def _strike(self, fault: Fault) -> None:
        patience = Deadline.after(PATIENCE_SECONDS)
        while not (self._audience.is_ready(fault.name) or patience.passed or self._over.is_set()):
            time.sleep(LOOK_AT_WRITES_SECONDS)
        self._audience.begin()
        begin = self._clock()
        wound = fault.inject(self._cluster, self._choice)
        self._over.wait(wound.lasts)
        self._audience.end()
        heal = self._clock()
        wound.heal()
        strike = Strike(fault.name, wound.name, begin, heal, self._clock())
        self._audience.note(strike, met=wound.met)
