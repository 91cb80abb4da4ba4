"""Spreads a described stack over its hosts: each service belongs to one of them.

All hosts get the same description, in which the services of a host have its profile. Inside a host,
services reach each other by their names. Between hosts, they need ports: those of this module are
on the hosts' own addresses, and are chosen when the stack is, since Apache has them from its start.
"""

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.config.plan import MAX_LANES, MAX_REPLICAS
from harness.stack.images import code_volumes
from harness.stack.model import copies, hosts, lanes, oslo_settings
from harness.stack.model.hosts import HERE, Host
from harness.stack.model.lanes import ReplicaId
from harness.stack.model.record import Record
from harness.stack.model.state import StackState
from harness.stack.settings.databases import DATABASES

Project = dict[str, Any]
# Services, beside databases, that replicas on other hosts use, and their ports. Apache has a port
# of the hosts' anyway.
SHARED = {"memcached": 11211, "etcd": 2379}
DATABASE_PORT = 3306
# The port of the first lane's replicas in their containers (compose.yaml).
REPLICA_PORT = 8778
# A stack has so many ports of its own at most: the shared services' are the first.
SERVICE_PORTS = 8
PORTS = SERVICE_PORTS + (MAX_LANES + 1) * MAX_REPLICAS
# Below the ports that systems give to outgoing connections.
LOWEST, HIGHEST = 20000, 32000


def any_port() -> int:
    """The first port of a new stack's own, which nothing on its hosts is likely to have."""
    return random.randrange(LOWEST, HIGHEST - PORTS, PORTS)  # noqa: S311 (no secret)


def signed_cache(state: StackState, record: Record) -> dict[str, str]:
    """Variables with which replicas believe nothing in memcached that no replica has written.

    Several hosts need its port, and memcached itself lets everything in.
    """
    if record.hosts == 1:
        return {}
    key = hashlib.sha256(f"memcached {state.secrets().fernet_key}".encode()).hexdigest()
    settings = {"memcache_security_strategy": "MAC", "memcache_secret_key": key}
    return oslo_settings.variables({f"keystone_authtoken/{k}": v for k, v in settings.items()})


def over(project: Project, state: StackState, record: Record) -> None:
    """Give each service of a project its host. A project that is spread already stays the same."""
    services: dict[str, Project] = project["services"]
    of_stack = state.hosts
    if of_stack != HERE:
        for name, service in services.items():
            _copy_in_place_of_mounts(project, name, service, state.directory)
    if len(of_stack) > 1:
        published = dict(_shared(services, record))
        places = _places(published, record)
        for name, service in services.items():
            place = lanes.host_of(name, len(of_stack))
            service["profiles"] = [hosts.profile(place)]
            if name in published:
                _publish(service, of_stack[0].address, published[name])
            if place:
                service["environment"] = _reaching(service["environment"], places)
                replicas = _replica_ports(name, record)
                _publish(service, of_stack[place].address, dict(replicas.values()))
        _let_settings_reach(project, of_stack, places)
        services["apache"]["environment"]["MEMBERS"] = _members(of_stack, record)
    for place, host in enumerate(of_stack):
        here = [name for name in services if lanes.host_of(name, len(of_stack)) == place]
        code_volumes.mount(project, host.engine, here)


def _copy_in_place_of_mounts(project: Project, name: str, service: Project, state: Path) -> None:
    """Let a service have volumes, into which folders of the state are copied, for their mounts."""
    folders = {}
    for place, volume in enumerate(service.get("volumes") or ()):
        if isinstance(volume, dict) and volume["type"] == "bind":
            source = Path(volume["source"].replace("$$", "$"))
            if source.is_relative_to(state):
                folders[volume["target"]] = str(source)
                service["volumes"][place] = volume["target"]
    if folders:
        project.setdefault(copies.COPIED, {})[name] = folders


def _shared(
    services: Mapping[str, Project], record: Record
) -> Iterator[tuple[str, dict[int, int]]]:
    """The services that replicas on other hosts use: port in the container -> port of the host."""
    database = DATABASES[record.database]
    inside = {**dict.fromkeys((*database.servers, database.front), DATABASE_PORT), **SHARED}
    there = [name for name in inside if name in services]
    for number, name in enumerate(there):
        yield name, {inside[name]: record.first_port + number}


def _places(published: Mapping[str, Mapping[int, int]], record: Record) -> dict[str, str]:
    """Words of settings that name a service -> the words that name it from other hosts."""
    places = {"apache:8080": f"{record.address}:{record.port}"}
    for name, ports in published.items():
        for inside, outside in ports.items():
            places[f"{name}:{inside}"] = f"{record.address}:{outside}"
            if inside == DATABASE_PORT:
                # A database's URL has no port where it is the usual one.
                places[f"@{name}/"] = f"@{record.address}:{outside}/"
    return places


def _reaching(values: Mapping[str, str], places: Mapping[str, str]) -> dict[str, str]:
    """Variables or settings in which each shared service is named as other hosts reach it."""
    changed = {}
    for name, value in values.items():
        for inside, outside in places.items():
            if isinstance(value, str):
                value = value.replace(inside, outside)
        changed[name] = value
    return changed


def _let_settings_reach(
    project: Project, of_stack: Sequence[Host], places: Mapping[str, str]
) -> None:
    """The same for settings that replicas get from a file or from etcd."""
    settings: dict[str, dict[str, str]] = project["x-settings"]
    for key, values in settings.items():
        if lanes.host_of(ReplicaId.of_key(key).service, len(of_stack)):
            settings[key] = _reaching(values, places)


def _publish(service: Project, address: str, ports: Mapping[int, int]) -> None:
    """Publish ports of a service, inside -> outside, on this address alone."""
    others = [
        port
        for port in service.get("ports") or ()
        if isinstance(port, str) or port["target"] not in ports
    ]
    service["ports"] = others + [
        {
            "mode": "ingress",
            "protocol": "tcp",
            "host_ip": address,
            "target": inside,
            "published": str(outside),
        }
        for inside, outside in ports.items()
    ]


def _replica_ports(service: str, record: Record) -> dict[ReplicaId, tuple[int, int]]:
    """Ports of the replicas in a service's container: inside, and on its host."""
    replica = ReplicaId.of_service(service)
    if replica is None:
        return {}
    return {
        ReplicaId(lane, replica.number): _ports(record, place, replica.number)
        for place, lane in enumerate(lanes.names(record))
    }


def _ports(record: Record, lane: int, number: int) -> tuple[int, int]:
    inside = REPLICA_PORT if lane == 0 else lanes.FIRST_PORT + lane
    return inside, record.first_port + SERVICE_PORTS + lane * MAX_REPLICAS + number - 1


def _members(of_stack: Sequence[Host], record: Record) -> str:
    """Addresses of the replicas, those to come included, that are on other hosts than Apache.

    Words as services/apache/start.sh takes them: REPLICA=ADDRESS:PORT.
    """
    words = []
    for number in range(1, MAX_REPLICAS + 1):
        place = lanes.host_of(ReplicaId.first(number).service, len(of_stack))
        for lane, name in enumerate(lanes.names(record)) if place else ():
            _, outside = _ports(record, lane, number)
            words.append(f"{ReplicaId(name, number)}={of_stack[place].address}:{outside}")
    return " ".join(words)
