"""The reference as Compose starts it, beside replicas or alone."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from harness.config.plan import Lane
from harness.stack import project
from harness.stack.model.composing import bind
from harness.stack.model.record import Installed, Record, Secrets
from harness.stack.model.state import StackState
from tests.fakes.machine import Machine
from tests.fakes.quick_engine import PROJECT

CONNECTION = "OS_PLACEMENT_DATABASE__CONNECTION"
LANES = (Lane("1"), Lane("2"), Lane("cors", {"OS_CORS__ALLOWED_ORIGIN": "http://a"}))
PORTS = {"1": 9100, "2": 9101, "cors": 9102}
PLACEMENT = (Installed(content="abc", code="/its/code"), Installed(content="other"))


@pytest.fixture
def state(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StackState:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))
    described: dict[str, Any] = copy.deepcopy(PROJECT)
    described["services"]["reference"] = {"ports": ["127.0.0.1:9100:80"]}
    described["services"]["reference-placement"] = {
        "image": "placement-harness/placement:latest",
        "environment": {
            CONNECTION: "mysql+pymysql://placement:word@mariadb/placement_reference_1?charset=utf8",
            "POST_BUFFERING": "65536",
        },
    }
    machine.has("docker", {"compose*config*": f"echo '{json.dumps(described)}'"})
    state = StackState("one")
    state.create(Record("one", "fresh", 3, 9000), Secrets())
    return state


def written(state: StackState, record: Record, *of_the_plan: Lane) -> dict[str, Any]:
    project.write(state, record, of_the_plan)
    services: dict[str, Any] = project.load(state)["services"]
    return services


def test_it_needs_no_replicas_and_has_devstacks_port(state: StackState) -> None:
    record = Record("one", "fresh", 0, 9000, reference={"1": 9100}, placements=PLACEMENT)
    services = written(state, record)
    assert not [name for name in services if name.startswith("placement")]
    assert services["apache"]["environment"]["REPLICAS"] == "3"
    assert services["reference"]["ports"] == ["127.0.0.1:9100:80"]
    assert services["mariadb"]["environment"]["SCHEMAS"] == "placement_reference_1"


def test_it_runs_the_placement_of_replica_1_with_its_code(state: StackState) -> None:
    record = Record("one", "fresh", 2, 9000, reference={"1": 9100}, placements=PLACEMENT)
    service = written(state, record)["reference-placement"]
    assert service["image"] == "placement-harness/placement:abc"
    assert bind(Path("/its/code"), "/code") in service["volumes"]
    assert service["environment"]["PYTHONPATH"] == "/code"
    where = "OS_KEYSTONE_AUTHTOKEN__WWW_AUTHENTICATE_URI"
    assert service["environment"][where] == "http://127.0.0.1:9100/identity"
    assert service["environment"]["POST_BUFFERING"] == "65536"


def test_each_lane_has_a_socket_a_schema_a_policy_and_a_port_of_its_own(state: StackState) -> None:
    record = Record("one", "fresh", 2, 9000, lanes=dict(PORTS), reference=PORTS)
    services = written(state, record, *LANES)
    apache, service = services["reference"], services["reference-placement"]
    assert apache["environment"]["LANES"] == "1:8080 2:8081 cors:8082"
    assert apache["ports"] == [
        "127.0.0.1:9100:8080",
        "127.0.0.1:9101:8081",
        "127.0.0.1:9102:8082",
    ]
    policies = [
        volume for volume in service["volumes"] if "/etc/placement-policy/" in volume["target"]
    ]
    assert policies == [
        bind(state.policy_file(f"reference-{name}").parent, f"/etc/placement-policy/{name}")
        for name in PORTS
    ]
    changes = json.loads(service["environment"]["LANES"])
    assert sorted(changes) == ["2", "cors"]
    assert changes["2"][CONNECTION].endswith("@mariadb/placement_reference_2?charset=utf8")
    assert changes["cors"]["OS_CORS__ALLOWED_ORIGIN"] == "http://a"
    assert services["mariadb"]["environment"]["SCHEMAS"] == (
        "placement_2 placement_cors placement_reference_1 placement_reference_2 "
        "placement_reference_cors"
    )


def test_a_stack_without_it_has_nothing_of_it(state: StackState) -> None:
    services = written(state, Record("one", "fresh", 2, 9000))
    assert "SCHEMAS" not in services["mariadb"]["environment"]
