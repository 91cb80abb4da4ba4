"""Describes the reference of a stack to Compose."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.config.plan import Lane
from harness.stack.images.catalogue import IMAGES
from harness.stack.model import composing, lanes, oslo_settings
from harness.stack.model.lanes import CODE, POLICY
from harness.stack.model.oslo_settings import CONNECTION
from harness.stack.model.record import Record
from harness.stack.model.state import StackState
from harness.stack.settings import reference
from harness.stack.settings.databases import DATABASES


def add(
    services: dict[str, Any], state: StackState, record: Record, of_the_plan: Sequence[Lane]
) -> None:
    """Give the reference the placement of replica 1, and its lanes their ports and settings.

    Without lanes it has devstack's port inside the stack, as compose.yaml of services/reference
    says.
    """
    apache, service = services[reference.APACHE], services[reference.PLACEMENT]
    placement = record.placement(1)
    if placement.content:
        service["image"] = IMAGES[lanes.SERVICE].tag(placement.content)
    volumes, base = service.setdefault("volumes", []), service["environment"]
    if placement.code:
        volumes.append(composing.bind(Path(placement.code), CODE))
        base["PYTHONPATH"] = CODE
    for lane in of_the_plan if record.lanes else ():
        folder = state.policy_file(lanes.of_reference(lane.name)).parent
        volumes.append(composing.bind(folder, f"{POLICY}/{lane.name}"))
    first, *others = [_environment(base, record, lane) for lane in of_the_plan]
    service["environment"] = first
    if others:
        names = [lane.name for lane in of_the_plan[1:]]
        changes = [oslo_settings.changes(first, environment) for environment in others]
        service["environment"] = {
            **first,
            "LANES": json.dumps(dict(zip(names, changes, strict=True))),
        }
    if record.lanes:
        ports = dict(enumerate(record.reference, reference.FIRST_LANE_PORT))
        apache["environment"] = {
            **(apache.get("environment") or {}),
            "LANES": " ".join(f"{name}:{port}" for port, name in ports.items()),
            "ROOT": "yes",
        }
        apache["ports"] = [
            f"{record.address}:{record.reference[name]}:{port}" for port, name in ports.items()
        ]


def _environment(base: Mapping[str, str], record: Record, lane: Lane) -> dict[str, str]:
    """The variables of the reference's placement in a lane."""
    its, other_variables = oslo_settings.split({**base, **lane.environment})
    account, _, place = its[CONNECTION].rpartition("@")
    _, _, query = place.partition("?")
    schema = lanes.schema(lanes.of_reference(lane.name))
    its[CONNECTION] = f"{account}@{DATABASES[record.database].host(1)}/{schema}?{query}"
    its[oslo_settings.WWW_AUTHENTICATE] = f"{record.reference_url(lane.name)}/identity"
    if record.lanes:
        its["oslo_policy/policy_file"] = f"{POLICY}/{lane.name}/policy.yaml"
    return {**other_variables, **oslo_settings.variables(its)}
