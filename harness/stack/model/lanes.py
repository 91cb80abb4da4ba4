"""Lanes: isolated placements side by side in one stack, which share its services.

A lane has its own schema in the stack's database, its own replicas, and its own port and balancer
in the stack's Apache. Replicas of one number are processes in one container, whatever their lane
(services/placement/serve.py): the libraries are imported once, and three containers start sooner
than six.
"""

from dataclasses import dataclass

from harness.config.plan import FIRST_LANE
from harness.stack.model.record import Record

SERVICE = "placement"
# Folder in a replica's container with the policies of its lanes.
POLICY = "/etc/placement-policy"
# Folder in a replica's container with the code that is used in place of the image's.
CODE = "/code"

# Apache's port of the first lane, inside the stack. The ports of the other lanes follow, and are
# those of their replicas, too.
FIRST_PORT = 8080


@dataclass(frozen=True, slots=True, order=True)
class ReplicaId:
    """One replica of a stack: its lane, and its number there, from 1.

    ``str`` gives the name that Apache and messages have for it: "2" in the first lane, "2-1" for
    number 1 of lane 2. The replicas of one number share a container and its Compose service, in
    which each lane has a process.
    """

    lane: str
    number: int

    def __str__(self) -> str:
        return str(self.number) if self.lane == FIRST_LANE else f"{self.lane}-{self.number}"

    @classmethod
    def first(cls, number: int) -> "ReplicaId":
        """The replica of this number in the first lane."""
        return cls(FIRST_LANE, number)

    @classmethod
    def parse(cls, text: str) -> "ReplicaId":
        """The replica that has this name. Raises ValueError."""
        # Names of lanes may have dashes.
        lane, _, number = text.rpartition("-")
        return cls(lane or FIRST_LANE, int(number))

    @classmethod
    def of_service(cls, service: str) -> "ReplicaId | None":
        """The first lane's replica in the containers of a Compose service; None for others."""
        name, _, number = service.partition("-")
        return cls.first(int(number)) if name == SERVICE and number.isdecimal() else None

    @classmethod
    def of_key(cls, key: str) -> "ReplicaId":
        """The replica whose settings stand under this key. Raises ValueError."""
        return cls.parse(key.removeprefix(f"{SERVICE}-"))

    @property
    def service(self) -> str:
        """The Compose service of the replica's container."""
        return f"{SERVICE}-{self.number}"

    @property
    def key(self) -> str:
        """The key of the replica's settings, in the stack's description and in etcd."""
        return f"{SERVICE}-{self}"

    @property
    def folder(self) -> str:
        """The folder of the replica's files, below one that all lanes in its container share.

        Empty in the first lane, which has the shared folder itself.
        """
        return "" if self.lane == FIRST_LANE else self.key

    def container(self, stack: str) -> str:
        """Name to give to the replica's container; a container is found by its labels."""
        return f"{stack}-{self.service}"


def host_of(service: str, hosts: int) -> int:
    """The place, among this many hosts, of the one that runs a service: replicas take turns."""
    replica = ReplicaId.of_service(service)
    return (replica.number - 1) % hosts if replica else 0


def schema(lane: str) -> str:
    """The name of a lane's database schema, which SQL takes without quotes."""
    return "placement" if lane == FIRST_LANE else f"placement_{lane.replace('-', '_')}"


def of_reference(lane: str) -> str:
    """The name of what the reference has for a lane: its schema, and its policy's folder."""
    return f"reference-{lane}"


def numbers(lane: str, replicas: int) -> range:
    """The numbers of a lane's replicas, in a stack with this many.

    A lane for a profile has one replica: few suites need it, and they test the profile. A stack
    that is only there for the reference has no replicas.
    """
    return range(1, 1 + (replicas if lane.isdecimal() else min(replicas, 1)))


def names(record: Record) -> tuple[str, ...]:
    """The names of a stack's lanes."""
    return tuple(record.lanes) or (FIRST_LANE,)


def replicas(record: Record) -> tuple[ReplicaId, ...]:
    """The replicas of all lanes of a stack."""
    return tuple(
        ReplicaId(lane, number)
        for lane in names(record)
        for number in numbers(lane, record.replicas)
    )
