"""A stack that is spread over hosts: profiles, and ports on the hosts' own addresses alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.stack import project, spread
from harness.stack.model import hosts
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from tests.fakes.hosts import A, B
from tests.fakes.machine import Machine
from tests.fakes.quick_engine import PROJECT

RECORD = Record("one", "keep", 4, 9000, address=A.address, hosts=2, first_port=20000)
MARIADB = {"mode": "ingress", "host_ip": A.address, "target": 3306, "protocol": "tcp"}
DESCRIBED: dict[str, Any] = {
    **PROJECT,
    "services": {
        **PROJECT["services"],
        "placement": {
            **PROJECT["services"]["placement"],
            "environment": {
                "OS_PLACEMENT_DATABASE__CONNECTION": "mysql+pymysql://p:word@mariadb/placement",
                "OS_KEYSTONE_AUTHTOKEN__AUTH_URL": "http://apache:8080/identity",
                "OS_KEYSTONE_AUTHTOKEN__MEMCACHED_SERVERS": "memcached:11211",
            },
        },
        "mariadb": {"environment": {}, "ports": [MARIADB]},
        "memcached": {"environment": {}},
    },
}


@pytest.fixture
def state(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StackState:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))
    machine.has("docker", {"*compose*config*": f"echo '{json.dumps(DESCRIBED)}'"})
    state = StackState("one")
    state.directory.mkdir(parents=True)
    hosts.write(state.directory, (A, B))
    state.create(RECORD, Secrets())
    return state


def written(state: StackState, record: Record = RECORD) -> dict[str, Any]:
    project.write(state, record, ())
    services: dict[str, Any] = project.load(state)["services"]
    return services


def ports(service: dict[str, Any]) -> dict[int, str]:
    return {
        port["target"]: f"{port['host_ip']}:{port['published']}"
        for port in service.get("ports") or ()
    }


def test_replicas_take_turns_and_all_else_is_on_the_first_host(state: StackState) -> None:
    profiles = {name: service["profiles"] for name, service in written(state).items()}
    others = {name for name, its in profiles.items() if its == ["host-2"]}
    assert others == {"placement-2", "placement-4"}
    assert {name for name, its in profiles.items() if its == ["host-1"]} == {
        *("apache", "mariadb", "memcached", "placement-1", "placement-3")
    }


def test_only_what_another_host_needs_is_published_on_the_hosts_own_address(
    state: StackState,
) -> None:
    services = written(state)
    assert ports(services["mariadb"]) == {3306: "192.0.2.1:20000"}
    assert ports(services["memcached"]) == {11211: "192.0.2.1:20001"}
    assert ports(services["placement-2"]) == {8778: "192.0.2.2:20009"}
    assert ports(services["placement-1"]) == {}


def test_replicas_reach_what_is_shared_by_name_or_by_address(state: StackState) -> None:
    services = written(state)
    assert (
        services["placement-2"]["environment"]
        | {
            "OS_PLACEMENT_DATABASE__CONNECTION": "mysql+pymysql://p:word@192.0.2.1:20000/placement",
            "OS_KEYSTONE_AUTHTOKEN__AUTH_URL": "http://192.0.2.1:9000/identity",
            "OS_KEYSTONE_AUTHTOKEN__MEMCACHED_SERVERS": "192.0.2.1:20001",
        }
        == services["placement-2"]["environment"]
    )
    here = services["placement-1"]["environment"]
    assert here["OS_KEYSTONE_AUTHTOKEN__AUTH_URL"] == "http://apache:8080/identity"
    assert here["OS_PLACEMENT_DATABASE__CONNECTION"].endswith("@mariadb/placement")


def test_replicas_believe_only_their_own_words_in_a_memcached_with_an_open_port(
    state: StackState,
) -> None:
    strategy, key = (
        f"OS_KEYSTONE_AUTHTOKEN__MEMCACHE_{name}" for name in ("SECURITY_STRATEGY", "SECRET_KEY")
    )
    environments = [written(state)[f"placement-{number}"]["environment"] for number in (1, 2)]
    assert {environment[strategy] for environment in environments} == {"MAC"}
    assert len({environment[key] for environment in environments}) == 1
    assert len(environments[0][key]) == 64


def test_apache_has_the_addresses_of_replicas_that_come_later_too(state: StackState) -> None:
    members = written(state)["apache"]["environment"]["MEMBERS"].split()
    assert members[:2] == ["2=192.0.2.2:20009", "4=192.0.2.2:20011"]
    assert len(members) == 8


def test_a_stack_that_is_scaled_is_spread_as_before(state: StackState) -> None:
    before = written(state)
    more = Record("one", "keep", 6, 9000, address=A.address, hosts=2, first_port=20000)
    project.set_replicas(state, more)
    after = project.load(state)["services"]
    assert {name: after[name] for name in before if name != "apache"} == {
        name: service for name, service in before.items() if name != "apache"
    }
    assert ports(after["placement-6"]) == {8778: "192.0.2.2:20013"}


def test_on_one_host_nothing_is_changed(state: StackState) -> None:
    hosts.write(state.directory, hosts.HERE)
    services = written(state, Record("one", "keep", 4, 9000))
    assert not [name for name, service in services.items() if "profiles" in service]
    assert "MEMBERS" not in services["apache"]["environment"]
    assert not [name for name in services["placement-2"]["environment"] if "MEMCACHE_SEC" in name]
    assert ports(services["placement-2"]) == {}


def test_a_stacks_own_ports_are_below_those_of_outgoing_connections() -> None:
    for _ in range(100):
        first = spread.any_port()
        assert first >= spread.LOWEST
        assert first + spread.PORTS <= spread.HIGHEST
