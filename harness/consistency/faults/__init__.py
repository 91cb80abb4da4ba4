"""The faults that are injected while clients write, and healed; nothing judges them here."""

from collections.abc import Mapping

from harness.consistency.faults.audience import Audience
from harness.consistency.faults.base import Fault, Injector
from harness.consistency.faults.containers import (
    ContainerFault,
    database_peers,
    nodes,
    only,
    other_nodes,
    replicas,
    servers,
)
from harness.consistency.faults.operations import RollingRestart, Scale, Upgrade

CACHE = ("memcached", 11211)
CLUSTER, SERVER = "the nodes of a Galera cluster", "a single database server"
_CONTAINERS = (
    ContainerFault("kill-replica", "killed", replicas),
    ContainerFault("restart-replica", "stopped", replicas, lasts=0.0),
    ContainerFault("pause-replica", "paused", replicas),
    ContainerFault("cut-replica-database", "cut off", replicas, peers=database_peers),
    # A replica that has not reached its cache once does not ask it again for minutes.
    ContainerFault(
        *("cut-replica-memcached", "cut off", replicas),
        peers=lambda *_: [CACHE],
        lasts=3.0,
        early=True,
    ),
    # Replicas reach keystone through Apache, and ask it for tokens that are not in the cache.
    ContainerFault(
        "cut-replica-keystone", "cut off", replicas, peers=lambda *_: [CACHE, ("apache", 8080)]
    ),
    *(
        ContainerFault(f"{word}-{service}", kind, only(service), lasts=lasts)
        for service in ("memcached", "keystone", "apache")
        for word, kind, lasts in (("kill", "killed", 1.0), ("restart", "stopped", 0.0))
    ),
    ContainerFault("kill-database", "killed", servers, SERVER),
    ContainerFault("pause-database", "paused", servers, SERVER),
    ContainerFault("kill-node", "killed", nodes, CLUSTER, lasts=4.0),
    ContainerFault("pause-node", "paused", nodes, CLUSTER, lasts=4.0),
    ContainerFault("cut-node", "cut off", nodes, CLUSTER, other_nodes, lasts=4.0),
)
_ALL: tuple[Fault, ...] = (*_CONTAINERS, RollingRestart(), Scale(), Upgrade())
FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _ALL}

__all__ = ["FAULTS", "Audience", "Fault", "Injector"]
