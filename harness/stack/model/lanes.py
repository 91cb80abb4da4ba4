"""Lanes: isolated placements side by side in one stack, sharing all but themselves.

A lane has a schema in the stack's database, replicas of its own, and a port and a balancer of the
stack's Apache. Its replicas are processes of their own in the containers of the first lane's, by
number (services/placement/serve.py): what replicas import is imported once, and three containers
start sooner than six.
"""

import contextlib
import json
from collections.abc import Mapping, Sequence

from harness.config.plan import FIRST_LANE, Lane
from harness.stack.model.record import Record
from harness.stack.model.state import StackState

SERVICE = "placement"


def schema(lane: str) -> str:
    # A name that SQL takes without quotes.
    return "placement" if lane == FIRST_LANE else f"placement_{lane.replace('-', '_')}"


def numbers(lane: str, replicas: int) -> range:
    """The numbers of a lane's replicas, in a stack of so many. A lane for a profile has one: few
    suites need it, and what they look at is the profile."""
    return range(1, replicas + 1 if lane.isdecimal() else 2)


def replicas(record: Record) -> dict[str, range]:
    """The numbers of the replicas of each lane of a stack."""
    return {lane: numbers(lane, record.replicas) for lane in record.lanes or (FIRST_LANE,)}


def route(lane: str, replica: int) -> str:
    """What Apache calls a replica."""
    return str(replica) if lane == FIRST_LANE else f"{lane}-{replica}"


def number(route: str) -> int:
    """Which of its lane's replicas that is; lanes' names may have dashes."""
    return int(route.rpartition("-")[2])


def owner(lane: str, replica: int) -> str:
    """Whose settings a replica's are."""
    return f"{SERVICE}-{route(lane, replica)}"


def folder(owner: str) -> str:
    """Where a replica finds what is its own, below a folder that all lanes' share; the first
    lane's have the folder itself."""
    return "" if owner == service_of(owner) else owner


def service_of(owner: str) -> str:
    """The service in Compose of the replica whose settings these are."""
    return service(number(owner))


def service(replica: int) -> str:
    """The service in Compose of a replica, in whichever lane."""
    return f"{SERVICE}-{replica}"


def container(stack: str, replica: int) -> str:
    """The container of a replica, in whichever lane."""
    return f"{stack}-{service(replica)}"


def replica_of(service: str) -> str | None:
    """Which replica a service is, as Apache calls it; None when it is another service."""
    first, _, route = service.partition("-")
    return route if first == SERVICE and route else None


def prepare(state: StackState, lanes: Sequence[Lane]) -> None:
    """Give each lane a policy that its replicas can be told to change."""
    for lane in lanes:
        folder = state.policy_file(lane.name).parent
        folder.mkdir(parents=True, exist_ok=True)
        # Replicas read it as another user; nothing in it is secret.
        folder.chmod(0o755)
        set_policy(state, lane.name, {})


def restore(state: StackState, record: Record) -> None:
    """Give each lane placement's own policy again: a run that was killed could not."""
    for lane in record.lanes:
        # Unless somebody has removed the stack.
        with contextlib.suppress(FileNotFoundError):
            set_policy(state, lane, {})


def set_policy(state: StackState, lane: str, rules: Mapping[str, str]) -> None:
    """Give a lane's replicas this policy.yaml; they see the change at their next request."""
    path = state.policy_file(lane)
    partial = path.with_suffix(".partial")
    # JSON is YAML.
    partial.write_text(json.dumps(rules))
    partial.chmod(0o644)
    partial.replace(path)
