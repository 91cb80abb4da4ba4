"""Lanes: isolated placements side by side in one stack, sharing all but themselves.

A lane has a schema in the stack's MariaDB, replicas of its own, and a port and a balancer of the
stack's Apache. What they add to compose.yaml is one more Compose file. The first lane's replicas
are those of the service ``placement``, those of lane X of ``placement-X``.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.plan import FIRST_LANE, Lane
from harness.stack.compose import COMPOSE_FILE
from harness.state import Record, Secrets, StackState

# Apache's port of the first lane, inside the stack; the others' follow.
FIRST_PORT = 8080
CONFIGURATION = "/etc/placement"


def service(lane: str) -> str:
    return "placement" if lane == FIRST_LANE else f"placement-{lane}"


def schema(lane: str) -> str:
    return "placement" if lane == FIRST_LANE else f"placement_{lane}"


def numbers(lane: str, replicas: int) -> range:
    """The numbers of a lane's replicas, in a stack of so many. A lane for a profile has one: few
    suites need it, and what they look at is the profile."""
    return range(1, replicas + 1 if lane.isdecimal() else 2)


def replicas(record: Record) -> dict[str, range]:
    """The numbers of the replicas of each lane of a stack."""
    return {lane: numbers(lane, record.replicas) for lane in record.lanes or (FIRST_LANE,)}


def route(lane: str, replica: int) -> str:
    """What Apache calls a replica, and what a container's name ends with."""
    return str(replica) if lane == FIRST_LANE else f"{lane}-{replica}"


def prepare(state: StackState, record: Record, lanes: Sequence[Lane], secrets: Secrets) -> None:
    """Write what lanes need before Compose starts them."""
    for lane in lanes:
        folder = state.policy_file(lane.name).parent
        folder.mkdir(parents=True, exist_ok=True)
        # Replicas read it as another user; nothing in it is secret.
        folder.chmod(0o755)
        set_policy(state, lane.name, {})
    state.lanes_file.write_text(json.dumps(overlay(state, record, lanes, secrets)))
    state.lanes_file.chmod(0o600)


def set_policy(state: StackState, lane: str, rules: Mapping[str, str]) -> None:
    """Give a lane's replicas this policy.yaml; they see the change at their next request."""
    path = state.policy_file(lane)
    partial = path.with_suffix(".partial")
    # JSON is YAML.
    partial.write_text(json.dumps(rules))
    partial.chmod(0o644)
    partial.replace(path)


def overlay(
    state: StackState, record: Record, lanes: Sequence[Lane], secrets: Secrets
) -> dict[str, Any]:
    """The Compose file of the lanes."""
    others = [lane for lane in lanes if lane.name != FIRST_LANE]
    inside = {lane.name: FIRST_PORT + 1 + number for number, lane in enumerate(others)}
    services: dict[str, Any] = {
        service(lane.name): _replicas(state, record, lane, secrets) for lane in lanes
    }
    told = (f"{name}:{port}:{len(numbers(name, record.replicas))}" for name, port in inside.items())
    services["apache"] = {
        "environment": {"LANES": " ".join(told)},
        "ports": [f"127.0.0.1:{record.lanes[name]}:{port}" for name, port in inside.items()],
    }
    services["mariadb"] = {
        "environment": {"SCHEMAS": " ".join(schema(lane.name) for lane in others)}
    }
    return {"services": services}


def _replicas(state: StackState, record: Record, lane: Lane, secrets: Secrets) -> dict[str, Any]:
    folder = state.policy_file(lane.name).parent
    described: dict[str, Any] = {
        "environment": {
            **lane.environment,
            "OS_OSLO_POLICY__POLICY_FILE": f"{CONFIGURATION}/policy.yaml",
        },
        "volumes": [f"{folder}:{CONFIGURATION}:ro"],
        "deploy": {"replicas": len(numbers(lane.name, record.replicas))},
    }
    if lane.name != FIRST_LANE:
        described["extends"] = {"file": str(COMPOSE_FILE), "service": "placement"}
        described["environment"]["OS_PLACEMENT_DATABASE__CONNECTION"] = (
            f"mysql+pymysql://placement:{secrets.database_password}@mariadb/{schema(lane.name)}"
        )
    return described
