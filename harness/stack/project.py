"""The stack as Compose starts it: compose.yaml, with each replica as a service of its own.

So a replica can have an image, a database node and a configuration of its own, and be replaced
alone, under the name that Apache knows.
"""

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.plan import FIRST_LANE, Lane
from harness.record import Installed, Record
from harness.stack import configuration, lanes, unpacked
from harness.stack.compose import resolved
from harness.stack.databases import DATABASES
from harness.stack.images import IMAGES
from harness.stack.sources import SOURCES
from harness.state import StackState, write_private

# Apache's port of the first lane, inside the stack; the others' follow.
FIRST_PORT = 8080
# Where a lane's replicas find their policy.
POLICY = "/etc/placement-policy"
CONNECTION = "placement_database/connection"
# Where they find code that is used in place of the image's.
CODE = "/code"

Project = dict[str, Any]
# Of the project, beside what Compose reads: a replica as compose.yaml has it; the settings of each
# one, by service, group and option; and what all replicas of a lane are started with.
TEMPLATE, SETTINGS, LANES = "x-replica", "x-settings", "x-lanes"


def write(state: StackState, record: Record, of_the_plan: Sequence[Lane]) -> None:
    """Describe a stack to Compose. Raises StackError when its files make no sense."""
    overlays = [DATABASES[record.database].overlay, SOURCES[record.config_source].overlay]
    project = resolved(state, [one for one in overlays if one])
    services: Project = project["services"]
    for one in services.values():
        # Images are there by now; a stack that is kept outlives the checkout.
        one.pop("build", None)
    project[TEMPLATE], project[SETTINGS] = services.pop(lanes.SERVICE), {}
    project[LANES] = {lane.name: dict(lane.environment) for lane in of_the_plan}
    for lane in of_the_plan or [Lane(FIRST_LANE)]:
        for number in lanes.numbers(lane.name, record.replicas):
            _add_replica(project, state, record, lane, number)
    _add_lanes(services, record)
    unpacked.mount(project)
    save(state, project)


def save(state: StackState, project: Project) -> None:
    write_private(state.compose_file, json.dumps(project, indent=1))


def load(state: StackState) -> Project:
    project: Project = json.loads(state.compose_file.read_text())
    return project


def settings(state: StackState) -> dict[str, dict[str, str]]:
    """Each replica's settings, by service, group and option."""
    return {
        service: {name: _as_it_is(value) for name, value in own.items()}
        for service, own in load(state)[SETTINGS].items()
    }


def set_replicas(state: StackState, record: Record) -> None:
    """Let the first lane have as many replicas as the record says, each with its placement."""
    project = load(state)
    wanted = {lanes.service(FIRST_LANE, number): number for number in range(1, record.replicas + 1)}
    for name in [name for name in project[SETTINGS] if name not in wanted]:
        del project["services"][name], project[SETTINGS][name]
    lane = Lane(FIRST_LANE, project.get(LANES, {}).get(FIRST_LANE, {}))
    for number in wanted.values():
        _add_replica(project, state, record, lane, number)
    # For an Apache that is made anew; the one that runs is told by its balancer-manager.
    project["services"]["apache"]["environment"]["REPLICAS"] = str(record.replicas)
    unpacked.mount(project)
    save(state, project)


def change_setting(
    state: StackState, setting: str, values: Mapping[str, str | None]
) -> dict[str, str | None]:
    """Set GROUP/OPTION by service, and for replicas that come later by TEMPLATE; None: unset it.

    Gives what was there.
    """
    project = load(state)
    group, _, option = setting.partition("/")
    name = f"{group.lower()}/{option}"
    (variable,) = configuration.variables({name: ""})
    before: dict[str, str | None] = {}
    for who, value in values.items():
        later = who == TEMPLATE
        held = project[TEMPLATE]["environment"] if later else project[SETTINGS].get(who, {})
        key = variable if later else name
        had = held.pop(key, None)
        before[who] = None if had is None else _as_it_is(had)
        if value is not None:
            held[key] = value.replace("$", "$$")
    save(state, project)
    return before


def _as_it_is(written: str) -> str:
    """A value, as it stands in the file: Compose takes a single $ for a variable's."""
    return written.replace("$$", "$")


def mounted(placement: Installed) -> tuple[str, ...]:
    """docker's options for a container with code that is used in place of the image's."""
    if not placement.code:
        return ()
    return ("--volume", f"{placement.code}:{CODE}:ro", "--env", f"PYTHONPATH={CODE}")


def _add_replica(
    project: Project, state: StackState, record: Record, lane: Lane, number: int
) -> None:
    """Add a replica, or replace it: only here is said in what one differs from another."""
    name = lanes.service(lane.name, number)
    own: Project = copy.deepcopy(project[TEMPLATE])
    own.pop("deploy", None)
    own["container_name"] = f"{record.name}-{name}"
    placement = record.placement(number)
    if placement.content:
        own["image"] = IMAGES[lanes.SERVICE].tag(placement.content)
    volumes = own.setdefault("volumes", [])
    if placement.code:
        volumes.append(f"{placement.code}:{CODE}:ro")
        own["environment"]["PYTHONPATH"] = CODE
    its, left = configuration.split({**own["environment"], **lane.environment})
    account, _, _ = its[CONNECTION].rpartition("@")
    host = DATABASES[record.database].host(number)
    its[CONNECTION] = f"{account}@{host}/{lanes.schema(lane.name)}"
    if record.lanes:
        its["oslo_policy/policy_file"] = f"{POLICY}/policy.yaml"
        volumes.append(f"{state.policy_file(lane.name).parent}:{POLICY}:ro")
    source = SOURCES[record.config_source]
    own["environment"] = {**left, **source.environment(its, name)}
    volumes += source.volumes
    project["services"][name] = own
    project[SETTINGS][name] = its


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
