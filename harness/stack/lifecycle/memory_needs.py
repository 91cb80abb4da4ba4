"""How much memory a stack takes, and so how many lanes a machine has room for."""

from harness.config.plan import MAX_LANES

# Memory of MariaDB, keystone, Apache and memcached together, and of a replica in one lane.
SERVICES_GIB, REPLICA_GIB = 0.4, 0.1


def needed_gib(replicas: int, lanes: int) -> float:
    return SERVICES_GIB + REPLICA_GIB * replicas * max(1, lanes)


def most_lanes(available_gib: float, replicas: int) -> int:
    """The lanes of so many replicas each that fit into this memory, 16 at most."""
    room = int((available_gib - SERVICES_GIB) / (REPLICA_GIB * replicas) + 1e-9)
    return max(0, min(MAX_LANES, room))
