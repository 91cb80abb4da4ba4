"""The stack as Compose starts it: compose.yaml, with each replica as a service of its own.

So a replica can have an image, a database node and a configuration of its own, and be replaced
alone, under the name that Apache knows.
"""

import copy
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.config.plan import FIRST_LANE, Lane
from harness.core.environment import PROXIES
from harness.core.files import write_private
from harness.engine.values import Once
from harness.stack import reference_project, spread
from harness.stack.images.catalogue import IMAGES
from harness.stack.model import composing, lanes, log_drivers, oslo_settings
from harness.stack.model.lanes import CODE, POLICY, ReplicaId
from harness.stack.model.oslo_settings import CONNECTION, WWW_AUTHENTICATE
from harness.stack.model.record import Installed, Record
from harness.stack.model.state import StackState
from harness.stack.model.unreadable import UnreadableError
from harness.stack.settings import reference
from harness.stack.settings.config_sources import SOURCES
from harness.stack.settings.databases import DATABASES

Project = dict[str, Any]
# Keys of the project that Compose ignores: a replica as compose.yaml describes it; the settings of
# each replica, by its key, group and option; and the variables of a lane's replicas.
TEMPLATE, SETTINGS, LANES = "x-replica", "x-settings", "x-lanes"
# Keys of every description. Older descriptions lack LANES.
PARTS = frozenset({"services", TEMPLATE, SETTINGS})


def write(
    state: StackState,
    record: Record,
    of_the_plan: Sequence[Lane],
    override: Path | None = None,
) -> None:
    """Describe a stack to Compose; ``override`` is the user's Compose file, if there is one.

    Raises StackError when Compose cannot read its files.
    """
    overlays = [
        DATABASES[record.database].overlay,
        SOURCES[record.config_source].overlay,
        reference.OVERLAY if record.reference else None,
    ]
    project = composing.described(state, [overlay for overlay in overlays if overlay], override)
    services: Project = project["services"]
    for service in services.values():
        # Images are there by now; a stack that is kept outlives the checkout.
        service.pop("build", None)
    log_drivers.choose(services, override)
    _label(project, state)
    _without_proxies(services)
    project[TEMPLATE], project[SETTINGS] = services.pop(lanes.SERVICE), {}
    project[TEMPLATE]["environment"].update(spread.signed_cache(state, record))
    project[LANES] = {lane.name: dict(lane.environment) for lane in of_the_plan}
    for number in range(1, record.replicas + 1):
        _add_replica(project, state, record, of_the_plan or [Lane(FIRST_LANE)], number)
    _add_lanes(services, record)
    if record.reference:
        reference_project.add(services, state, record, of_the_plan or [Lane(FIRST_LANE)])
    _make_schemas(services, record)
    spread.over(project, state, record)
    save(state, project)


def _without_proxies(services: Project) -> None:
    """Let no service use a proxy: docker gives containers the proxies of its own settings.

    A proxy cannot reach the stack's own addresses. The user's own file may name one.
    """
    for service in services.values():
        service["environment"] = {
            **dict.fromkeys(PROXIES, ""),
            **(service.get("environment") or {}),
        }


def _label(project: Project, state: StackState) -> None:
    """Give the stack's labels to all that Compose makes: the user's own file has none.

    A removal finds by labels what a start that failed half-way has left.
    """
    parts = [
        *project["services"].values(),
        *(project.get("networks") or {}).values(),
        *(project.get("volumes") or {}).values(),
    ]
    for part in parts:
        if not part.get("external"):
            labels = {name: composing.literal(value) for name, value in state.labels.items()}
            part["labels"] = {**(part.get("labels") or {}), **labels}


def save(state: StackState, project: Project) -> None:
    write_private(state.compose_file, json.dumps(project, indent=1))


def load(state: StackState) -> Project:
    """The description of a stack. Raises UnreadableError."""
    try:
        project: Project = json.loads(state.compose_file.read_text())
        if not project.keys() >= PARTS:
            raise ValueError("a part is missing")
    except (OSError, ValueError, AttributeError) as error:
        raise UnreadableError(state.name, state.compose_file, error) from error
    return project


def settings(state: StackState) -> dict[ReplicaId, dict[str, str]]:
    """The settings of each replica, by GROUP/OPTION."""
    return {
        ReplicaId.of_key(key): {name: _as_it_is(value) for name, value in values.items()}
        for key, values in load(state)[SETTINGS].items()
    }


def set_replicas(state: StackState, record: Record) -> None:
    """Let the only lane have as many replicas as the record says, each with its placement."""
    project = load(state)
    wanted = {ReplicaId.first(number).service: number for number in range(1, record.replicas + 1)}
    for name in [name for name in project[SETTINGS] if name not in wanted]:
        del project["services"][name], project[SETTINGS][name]
    lane = Lane(FIRST_LANE, project.get(LANES, {}).get(FIRST_LANE, {}))
    for number in wanted.values():
        _add_replica(project, state, record, [lane], number)
    # For an Apache that is made anew; the one that runs is told by its balancer-manager.
    project["services"]["apache"]["environment"]["REPLICAS"] = str(record.replicas)
    spread.over(project, state, record)
    save(state, project)


def add_lanes(state: StackState, record: Record, added: Sequence[Lane]) -> None:
    """Describe more lanes of a stack that has none or some; the record has the ports of all."""
    project = load(state)
    has = {FIRST_LANE: {}, **project.get(LANES, {})}
    project[LANES] = {**has, **{lane.name: dict(lane.environment) for lane in added}}
    of_all = [Lane(name, environment) for name, environment in project[LANES].items()]
    for number in range(1, record.replicas + 1):
        _add_replica(project, state, record, of_all, number)
    apache = project["services"]["apache"]
    # Compose describes a port by a table; the ports of lanes were added as text.
    apache["ports"] = [port for port in apache["ports"] if not isinstance(port, str)]
    _add_lanes(project["services"], record)
    _make_schemas(project["services"], record)
    spread.over(project, state, record)
    save(state, project)


def change_setting(
    state: StackState, setting: str, values: Mapping[ReplicaId | None, str | None]
) -> dict[ReplicaId | None, str | None]:
    """Set GROUP/OPTION for these replicas; the key None is for replicas that come later.

    A value of None unsets the option. Returns the values that were set before.
    """
    project = load(state)
    group, _, option = setting.partition("/")
    name = f"{group.lower()}/{option}"
    (variable,) = oslo_settings.variables({name: ""})
    before: dict[ReplicaId | None, str | None] = {}
    for replica, value in values.items():
        if replica is None:
            held, key = project[TEMPLATE]["environment"], variable
        else:
            held, key = project[SETTINGS].get(replica.key, {}), name
        had = held.pop(key, None)
        before[replica] = None if had is None else _as_it_is(had)
        if value is not None:
            held[key] = composing.literal(value)
    save(state, project)
    return before


def _as_it_is(written: str) -> str:
    """A value, as it stands in the file: Compose takes a single $ for a variable's."""
    return written.replace("$$", "$")


def confined(placement: Installed) -> Once:
    """A container, without a network, with the code of a placement that is not its image's."""
    if not placement.code:
        return Once(confined=True)
    return Once(confined=True, volumes={placement.code: CODE}, environment={"PYTHONPATH": CODE})


def _add_replica(
    project: Project, state: StackState, record: Record, of_the_plan: Sequence[Lane], number: int
) -> None:
    """Add a replica of each lane, or replace them. No other function knows how replicas differ.

    These replicas are one service. Its variables are those of the first lane's replica; its
    variable LANES says how those of the other lanes differ.
    """
    service: Project = copy.deepcopy(project[TEMPLATE])
    service.pop("deploy", None)
    service["container_name"] = ReplicaId.first(number).container(record.name)
    placement = record.placement(number)
    if placement.content:
        service["image"] = IMAGES[lanes.SERVICE].tag(placement.content)
    volumes = service.setdefault("volumes", [])
    volumes += SOURCES[record.config_source].volumes
    if placement.code:
        volumes.append(composing.bind(Path(placement.code), CODE))
    here = [lane for lane in of_the_plan if number in lanes.numbers(lane.name, record.replicas)]
    for lane in here if record.lanes else ():
        folder = state.policy_file(lane.name).parent
        volumes.append(composing.bind(folder, f"{POLICY}/{lane.name}"))
    first, *others = [_environment(project, record, lane, number) for lane in here]
    service["environment"] = {**first, **({"PYTHONPATH": CODE} if placement.code else {})}
    if others:
        ports = _ports(record)
        own_ports = [ports[lane.name] for lane in here[1:]]
        changes = [oslo_settings.changes(first, environment) for environment in others]
        service["environment"]["LANES"] = json.dumps(dict(zip(own_ports, changes, strict=True)))
    project["services"][ReplicaId.first(number).service] = service


def _environment(project: Project, record: Record, lane: Lane, number: int) -> dict[str, str]:
    """The variables of a lane's replica; its settings go into the project, too.

    A replica that is there already keeps its settings: one of them may have been changed for this
    replica alone.
    """
    variables = {**project[TEMPLATE]["environment"], **lane.environment}
    settings, others = oslo_settings.split(variables)
    account, _, _ = settings[CONNECTION].rpartition("@")
    replica = ReplicaId(lane.name, number)
    settings = dict(project[SETTINGS].get(replica.key, settings))
    host = DATABASES[record.database].host(number)
    settings[CONNECTION] = f"{account}@{host}/{lanes.schema(lane.name)}"
    if record.lanes:
        settings["oslo_policy/policy_file"] = f"{POLICY}/{lane.name}/policy.yaml"
        # Each lane has a port of Apache's. An address that the user has set stays as it is.
        if settings.get(WWW_AUTHENTICATE) == f"{record.url}/identity":
            settings[WWW_AUTHENTICATE] = f"{record.lane_url(lane.name)}/identity"
    project[SETTINGS][replica.key] = settings
    return {**others, **SOURCES[record.config_source].environment(settings, replica)}


def _ports(record: Record) -> dict[str, int]:
    """The ports of the lanes beside the first one: of Apache, and of replicas, inside the stack."""
    others = [lane for lane in record.lanes if lane != FIRST_LANE]
    return {name: lanes.FIRST_PORT + 1 + place for place, name in enumerate(others)}


def _add_lanes(services: Project, record: Record) -> None:
    """Give Apache a port for each lane beside the first one."""
    ports = _ports(record)
    if not ports:
        return
    words = (
        f"{name}:{port}:{len(lanes.numbers(name, record.replicas))}" for name, port in ports.items()
    )
    services["apache"]["environment"]["LANES"] = " ".join(words)
    services["apache"]["ports"] += [
        f"{record.address}:{record.lanes[name]}:{port}" for name, port in ports.items()
    ]


def _make_schemas(services: Project, record: Record) -> None:
    """Have the database make all schemas but the first lane's, which its image has."""
    others = [name for name in record.lanes if name != FIRST_LANE]
    others += map(lanes.of_reference, record.reference)
    if others:
        for server in DATABASES[record.database].servers:
            services[server]["environment"]["SCHEMAS"] = " ".join(map(lanes.schema, others))
