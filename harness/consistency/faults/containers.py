"""Faults of one container: killed, restarted, paused, cut off from others."""

import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.consistency.cluster import Cluster
from harness.consistency.faults.base import LASTS, wait_until_whole
from harness.core.errors import StackError, UsageError
from harness.engine import disruption
from harness.engine.disruption import Peer
from harness.stack.model import containers
from harness.stack.model.hosts import HERE
from harness.stack.model.lanes import ReplicaId
from harness.stack.operations import breakage
from harness.stack.operations.breakage import Breakage
from harness.stack.settings.databases import DATABASES, Database

# The services of a stack that have the fault, by the stack's cluster.
Services = Callable[[Cluster], Sequence[str]]
# The services that a service is cut off from, each with its port; 0 for all ports.
Others = Callable[[Cluster, str], Sequence[tuple[str, int]]]


def database_of(cluster: Cluster) -> Database:
    return DATABASES[cluster.stack.record.database]


def replicas(cluster: Cluster) -> Sequence[str]:
    """The services of all replicas."""
    return [ReplicaId.first(number).service for number in cluster.stack.replicas]


def nodes(cluster: Cluster) -> Sequence[str]:
    """The nodes of a Galera cluster; none for one server."""
    return database_of(cluster).cluster


def servers(cluster: Cluster) -> Sequence[str]:
    """The one server of the database; none for a cluster."""
    return () if nodes(cluster) else database_of(cluster).servers


def only(service: str) -> Services:
    return lambda _: [service]


@dataclass(frozen=True, slots=True)
class ContainerFault:
    """A fault of one container, which chance chooses among ``services``.

    ``kind`` is a kind of breakage. ``needs`` says what a stack without such services lacks.
    """

    name: str
    kind: str
    services: Services
    needs: str = ""
    peers: Others | None = None
    lasts: float = LASTS
    once: bool = False
    early: bool = False

    def require(self, cluster: Cluster) -> None:
        services = self.services(cluster)
        if not services:
            raise UsageError(
                f"--fault {self.name} needs {self.needs}, and {cluster.stack.record.database} is "
                "none.",
                "Give another --fault, or another --database.",
            )
        if services == replicas(cluster) and len(services) < 2:
            raise UsageError(
                f"--fault {self.name} needs two replicas at least: nothing serves meanwhile.",
                "Give --replicas 2 or more.",
            )
        if self.peers is not None:
            if cluster.stack.state.hosts != HERE:
                raise UsageError(
                    f"--fault {self.name} cuts networks of this machine's containers, and "
                    f"{cluster.stack.name} is on other hosts.",
                    "Give another --fault, or leave --host away.",
                )
            disruption.require_cuts()

    def inject(self, cluster: Cluster, choice: random.Random) -> "ContainerWound":
        service = choice.choice(list(self.services(cluster)))
        others = self.peers(cluster, service) if self.peers else ()
        state = cluster.stack.state
        peers = tuple(
            Peer(disruption.address(containers.of_service(state, name)), port)
            for name, port in others
        )
        wound = ContainerWound(self, cluster, Breakage(service, self.kind, peers))
        wound.open()
        return wound


class ContainerWound:
    """A broken container. Its death is expected until it is mended and serves."""

    def __init__(self, fault: ContainerFault, cluster: Cluster, made: Breakage) -> None:
        self._fault, self._cluster, self._breakage = fault, cluster, made
        self._expected = contextlib.ExitStack()
        self.name, self.lasts, self.met = made.service, fault.lasts, True

    def open(self) -> None:
        """Break the container. Raises StackError, after mending it."""
        stack = self._cluster.stack
        self._expected.enter_context(stack.expecting(self.name))
        try:
            breakage.make(stack.state, self._breakage)
        except BaseException:
            with contextlib.suppress(StackError):
                self.heal()
            raise

    def heal(self) -> None:
        state = self._cluster.stack.state
        with self._expected:
            dropped = breakage.dropped(state, self._breakage)
            breakage.mend(state, self._breakage)
            wait_until_whole(self._cluster, self._fault.name, self.name)
        # A cut that has dropped no packet has kept nothing from anywhere.
        self.met = dropped != 0


def database_peers(cluster: Cluster, replica: str) -> Sequence[tuple[str, int]]:
    """The database as a replica reaches it."""
    number = ReplicaId.of_service(replica)
    return [(database_of(cluster).host(number.number if number else 1), 3306)]


def other_nodes(cluster: Cluster, node: str) -> Sequence[tuple[str, int]]:
    return [(other, 0) for other in nodes(cluster) if other != node]
