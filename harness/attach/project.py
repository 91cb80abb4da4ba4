"""The Compose project of replicas that serve an existing cloud."""

import copy
from collections.abc import Mapping
from typing import Any

from harness.attach.cloud import FOLDER, Cloud
from harness.attach.examine import HOST
from harness.core.environment import PROXIES
from harness.stack import project
from harness.stack.images import code_volumes
from harness.stack.images.catalogue import IMAGES
from harness.stack.model import composing, lanes, oslo_settings
from harness.stack.model.lanes import CODE, ReplicaId
from harness.stack.model.record import Record
from harness.stack.model.state import StackState

# The service of the proxy. Compose makes a service's name an alias in the network, where the cloud
# may have an `apache` of its own.
PROXY = "attached-apache"
# Replicas on the host's own network have an address of the loopback interface each, and one port.
LOOPBACK = "127.0.0."
# uwsgi's port in a container's own network.
PORT = 8778


def members(record: Record, port: int) -> list[str]:
    """Addresses of the replicas, as an Apache in the cloud's network reaches them."""
    numbers = range(1, record.replicas + 1)
    return [f"{_prefix(record)}{number}:{port}" for number in numbers]


def _prefix(record: Record) -> str:
    if record.attached == HOST:
        return LOOPBACK
    return ReplicaId.first(0).container(record.name).removesuffix("0")


def write(state: StackState, record: Record, cloud: Cloud, port: int) -> None:
    """Describe the replicas and their proxy; ``port`` is the replicas'."""
    described = composing.described(state, [])
    template, proxy = described["services"][lanes.SERVICE], described["services"]["apache"]
    services: dict[str, Any] = {PROXY: proxy}
    for number in range(1, record.replicas + 1):
        services[ReplicaId.first(number).service] = _replica(
            template, state, record, cloud, number, port
        )
    proxy["environment"] |= {"REPLICA_PREFIX": _prefix(record), "REPLICA_PORT": str(port)}
    whole: dict[str, Any] = {"name": described["name"], "services": services}
    if record.attached == HOST:
        proxy["environment"]["LISTEN"] = f"127.0.0.1:{record.port}"
        proxy.pop("ports")
    else:
        whole["networks"] = {"default": {"name": record.attached, "external": True}}
    for service in services.values():
        service.pop("build", None)
        service["environment"] = {**dict.fromkeys(PROXIES, ""), **service["environment"]}
        service["labels"] = {**(service.get("labels") or {}), **state.labels}
        if record.attached == HOST:
            service.pop("networks", None)
            service["network_mode"] = HOST
    # A host may start anew, and the cloud goes on without the harness.
    for service in services.values():
        service["restart"] = "unless-stopped"
    code_volumes.mount(whole, state.engine, services)
    project.save(state, {**whole, project.TEMPLATE: {}, project.SETTINGS: {}})


def _replica(
    template: Mapping[str, Any],
    state: StackState,
    record: Record,
    cloud: Cloud,
    number: int,
    port: int,
) -> dict[str, Any]:
    service: dict[str, Any] = copy.deepcopy(dict(template))
    service.pop("deploy", None)
    placement = record.placement(number)
    service["container_name"] = ReplicaId.first(number).container(record.name)
    service["image"] = IMAGES[lanes.SERVICE].tag(placement.content)
    host = f"{LOOPBACK}{number}" if record.attached == HOST else ""
    service["command"] = [
        f"--uwsgi-socket={host}:{port}" if word.startswith("--uwsgi-socket=") else word
        for word in service["command"]
    ]
    volumes = service.setdefault("volumes", [])
    volumes.append(f"{state.policy_file('1').parent}:{FOLDER}:ro")
    _, others = oslo_settings.split(service["environment"])
    values = {name: value.replace("$", "$$") for name, value in cloud.settings.items()}
    service["environment"] = {**others, **oslo_settings.variables(values)}
    if placement.code:
        volumes.append(f"{placement.code}:{CODE}:ro")
        service["environment"]["PYTHONPATH"] = CODE
    return service
