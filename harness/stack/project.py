"""The stack as Compose starts it: compose.yaml, with each replica as a service of its own.

So a replica can have an image, a database node and a configuration of its own, and be replaced
alone, under the name that Apache knows.
"""

import copy
import json
from collections.abc import Sequence
from typing import Any

from harness.plan import FIRST_LANE, Lane
from harness.stack import lanes
from harness.stack.compose import resolved
from harness.stack.databases import DATABASES
from harness.stack.images import IMAGES
from harness.stack.sources import SOURCES
from harness.state import Record, StackState, write_private

# Apache's port of the first lane, inside the stack; the others' follow.
FIRST_PORT = 8080
# Where a lane's replicas find their policy.
POLICY = "/etc/placement-policy"
CONNECTION = "OS_PLACEMENT_DATABASE__CONNECTION"

Project = dict[str, Any]


def write(state: StackState, record: Record, of_the_plan: Sequence[Lane]) -> None:
    """Describe a stack to Compose. Raises StackError when its files make no sense."""
    overlays = [DATABASES[record.database].overlay, SOURCES[record.config_source].overlay]
    project = resolved(state, [one for one in overlays if one])
    services: Project = project["services"]
    template = services.pop(lanes.SERVICE)
    for lane in of_the_plan or [Lane(FIRST_LANE)]:
        for number in lanes.numbers(lane.name, record.replicas):
            own = copy.deepcopy(template)
            own["environment"].update(lane.environment)
            if of_the_plan:
                own["environment"]["OS_OSLO_POLICY__POLICY_FILE"] = f"{POLICY}/policy.yaml"
                folder = state.policy_file(lane.name).parent
                own.setdefault("volumes", []).append(f"{folder}:{POLICY}:ro")
            services[lanes.service(lane.name, number)] = _replica(own, record, lane.name, number)
    _add_lanes(services, record)
    for one in services.values():
        # Images are there by now; a stack that is kept outlives the checkout.
        one.pop("build", None)
    save(state, project)


def save(state: StackState, project: Project) -> None:
    write_private(state.compose_file, json.dumps(project, indent=1))


def load(state: StackState) -> Project:
    project: Project = json.loads(state.compose_file.read_text())
    return project


def set_replicas(state: StackState, record: Record) -> None:
    """Let the first lane have as many replicas as the record says, each with its placement."""
    project = load(state)
    services: Project = project["services"]
    wanted = {lanes.service(FIRST_LANE, number): number for number in range(1, record.replicas + 1)}
    template = services[lanes.service(FIRST_LANE, 1)]
    for name in [name for name in services if lanes.replica_of(name) and name not in wanted]:
        del services[name]
    for name, number in wanted.items():
        own = services.get(name) or copy.deepcopy(template)
        services[name] = _replica(own, record, FIRST_LANE, number)
    save(state, project)


def _replica(own: Project, record: Record, lane: str, number: int) -> Project:
    """Make a service this replica: only here is said in what one differs from another."""
    placement = record.placement(number)
    own["container_name"] = f"{record.name}-{lanes.service(lane, number)}"
    own.pop("deploy", None)
    if placement.content:
        own["image"] = IMAGES[lanes.SERVICE].tag(placement.content)
    environment = own["environment"]
    account, _, _ = environment[CONNECTION].rpartition("@")
    host = DATABASES[record.database].host(number)
    environment[CONNECTION] = f"{account}@{host}/{lanes.schema(lane)}"
    return own


def _add_lanes(services: Project, record: Record) -> None:
    """Give Apache a port for each lane beside the first one, and the database a schema."""
    others = [lane for lane in record.lanes if lane != FIRST_LANE]
    if not others:
        return
    inside = {name: FIRST_PORT + 1 + number for number, name in enumerate(others)}
    told = (
        f"{name}:{port}:{len(lanes.numbers(name, record.replicas))}"
        for name, port in inside.items()
    )
    services["apache"]["environment"]["LANES"] = " ".join(told)
    services["apache"]["ports"] += [
        f"127.0.0.1:{record.lanes[name]}:{port}" for name, port in inside.items()
    ]
    for server in DATABASES[record.database].servers:
        services[server]["environment"]["SCHEMAS"] = " ".join(map(lanes.schema, others))
