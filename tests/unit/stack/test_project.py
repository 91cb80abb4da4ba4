"""The stack as Compose starts it."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from harness.config.plan import Lane
from harness.core.environment import PROXIES
from harness.core.errors import StackError, UsageError
from harness.stack import project
from harness.stack.model import composing, log_drivers, policies
from harness.stack.model.lanes import ReplicaId
from harness.stack.model.record import Installed, Record, Secrets
from harness.stack.model.state import StackState
from harness.stack.model.unreadable import UnreadableError
from tests.fakes.machine import Machine, fails
from tests.fakes.quick_engine import CONFIG, PROJECT

LANES = (Lane("1"), Lane("2"), Lane("cors", {"OS_CORS__ALLOWED_ORIGIN": "http://a"}))
RECORD = Record("one", "fresh", 3, 9000, lanes={"1": 9000, "2": 9001, "cors": 9002})
CONNECTION = "OS_PLACEMENT_DATABASE__CONNECTION"
WWW_AUTHENTICATE = "OS_KEYSTONE_AUTHTOKEN__WWW_AUTHENTICATE_URI"


@pytest.fixture
def state(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StackState:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))
    machine.has("docker", {"compose*config*": CONFIG})
    state = StackState("one")
    state.create(RECORD, Secrets())
    policies.prepare(state, LANES)
    return state


def services(state: StackState) -> dict[str, Any]:
    found: dict[str, Any] = project.load(state)["services"]
    return found


def test_each_replica_is_a_service_with_the_name_that_apache_knows(state: StackState) -> None:
    project.write(state, Record("one", "fresh", 2, 9000), ())
    found = services(state)
    assert set(found) == {"placement-1", "placement-2", "apache", "mariadb"}
    assert found["placement-2"]["container_name"] == "one-placement-2"
    assert "deploy" not in found["placement-2"]
    assert not [one for one in found.values() if "build" in one]
    assert "LANES" not in found["apache"]["environment"]


def test_each_log_can_be_read_whatever_the_engines_own_driver_is(state: StackState) -> None:
    project.write(state, Record("one", "fresh", 2, 9000), ())
    drivers = {service["logging"]["driver"] for service in services(state).values()}
    assert drivers == {"json-file"}


@pytest.mark.parametrize(
    ("logging", "problem"),
    [
        ({"driver": "none"}, "the log driver `none`"),
        ({"driver": "gelf", "options": {"cache-disabled": "true"}}, "`gelf` with cache-disabled"),
        ({"driver": "gelf"}, ""),
        ({"driver": "journald", "options": {}}, ""),
    ],
)
def test_a_log_driver_of_the_users_file_has_to_be_one_that_can_be_read(
    logging: dict[str, object], problem: str
) -> None:
    services: dict[str, dict[str, object]] = {"apache": {"logging": logging}, "keystone": {}}
    if problem:
        with pytest.raises(UsageError, match=r"mine\.yaml gives the service apache") as caught:
            log_drivers.choose(services, "mine.yaml")
        assert problem in str(caught.value)
        assert "Name one that `docker logs` can read" in str(caught.value)
    else:
        log_drivers.choose(services, "mine.yaml")
        assert services["apache"]["logging"] == logging
        assert services["keystone"]["logging"] == log_drivers.STACKS_LOGGING


def test_variables_of_the_shell_are_for_stacks_that_are_started_by_hand(
    state: StackState, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_PORT", "9000")
    told = tmp_path / "told"
    machine.has("docker", {"compose*config*": f'echo "$HARNESS_PORT" > {told}; {CONFIG}'})
    (machine.path / "env").symlink_to("/usr/bin/env")
    project.write(state, RECORD, ())
    assert told.read_text() == "\n"


def test_each_lane_has_replicas_a_schema_and_a_port_of_its_own(state: StackState) -> None:
    project.write(state, RECORD, LANES)
    found = services(state)
    assert set(found) == {"placement-1", "placement-2", "placement-3", "apache", "mariadb"}
    assert found["apache"]["environment"]["LANES"] == "2:8081:3 cors:8082:1"
    assert found["apache"]["ports"] == ["127.0.0.1:9001:8081", "127.0.0.1:9002:8082"]
    assert found["mariadb"]["environment"]["SCHEMAS"] == "placement_2 placement_cors"
    environments = [found[f"placement-{number}"]["environment"] for number in (1, 2, 3)]
    others = [json.loads(one["LANES"]) for one in environments]
    # The profile's lane has one replica.
    assert [sorted(one) for one in others] == [["8081", "8082"], ["8081"], ["8081"]]
    assert environments[1][CONNECTION].endswith(":word@mariadb/placement")
    assert others[0]["8081"][CONNECTION].endswith(":word@mariadb/placement_2")
    # Nothing but what differs.
    policy = {"OS_OSLO_POLICY__POLICY_FILE": "/etc/placement-policy/cors/policy.yaml"}
    own = {CONNECTION: others[0]["8082"][CONNECTION], "OS_CORS__ALLOWED_ORIGIN": "http://a"}
    assert others[0]["8082"] == {**own, **policy}
    policies = [
        composing.bind(state.policy_file(name).parent, f"/etc/placement-policy/{name}")
        for name in "12"
    ]
    assert found["placement-3"]["volumes"] == policies


def test_a_path_may_hold_what_compose_takes_for_a_variable_or_an_end(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state: $HOME #ü"))
    machine.has("docker", {"compose*config*": CONFIG})
    state = StackState("one")
    state.create(RECORD, Secrets())
    policies.prepare(state, LANES)
    record = dataclasses.replace(
        RECORD, placements=(Installed("tree", code=str(state.directory / "code-1")),)
    )
    project.write(state, record, LANES)
    service = services(state)["placement-1"]
    sources = [volume["source"] for volume in service["volumes"]]
    assert len(sources) == 4
    assert all("/state: $$HOME #ü/" in source for source in sources)
    assert {label for label in service["labels"].values() if "HOME" in label} == {
        str(state.directory).replace("$", "$$")
    }


@pytest.mark.parametrize(
    ("given", "lanes_own"),
    [("http://127.0.0.1:9000/identity", "http://127.0.0.1:9001/identity"), ("http://k/v3", None)],
)
def test_a_401_names_the_lanes_own_address_unless_the_user_has_set_one(
    state: StackState, machine: Machine, given: str, lanes_own: str | None
) -> None:
    told = copy.deepcopy(PROJECT)
    told["services"]["placement"]["environment"][WWW_AUTHENTICATE] = given
    machine.has("docker", {"compose*config*": f"echo '{json.dumps(told)}'"})
    project.write(state, RECORD, LANES)
    environment = services(state)["placement-1"]["environment"]
    assert environment[WWW_AUTHENTICATE] == given
    assert json.loads(environment["LANES"])["8081"].get(WWW_AUTHENTICATE) == lanes_own


def test_what_the_first_lane_alone_has_is_taken_from_the_others(state: StackState) -> None:
    alone = (Lane("1", {"OS_CORS__ALLOWED_ORIGIN": "http://a"}), Lane("2"))
    project.write(state, RECORD, alone)
    told = json.loads(services(state)["placement-1"]["environment"]["LANES"])
    assert told["8081"]["OS_CORS__ALLOWED_ORIGIN"] is None


def test_each_lane_has_a_file_and_a_place_in_etcd_of_its_own(state: StackState) -> None:
    files = dataclasses.replace(RECORD, config_source="file")
    project.write(state, files, LANES)
    first = services(state)["placement-1"]["environment"]
    folder = "/etc/placement/placement-2-1"
    assert json.loads(first["LANES"])["8081"] == {"OS_PLACEMENT_CONFIG_DIR": folder}
    assert "OS_PLACEMENT_CONFIG_DIR" not in first
    project.write(state, dataclasses.replace(RECORD, config_source="etcd"), LANES)
    first = services(state)["placement-1"]["environment"]
    prefix = {"OS_ETCD__PREFIX": "/placement/placement-2-1"}
    assert json.loads(first["LANES"])["8081"] == prefix


def test_replicas_take_turns_with_several_placements(state: StackState) -> None:
    placements = (Installed("15.0.0", "15.0.0", "aa"), Installed("16.0.0", "16.0.0", "bb"))
    record = Record("one", "fresh", 3, 9000, placements=placements)
    project.write(state, record, ())
    images = [services(state)[f"placement-{number}"]["image"][-2:] for number in (1, 2, 3)]
    assert images == ["aa", "bb", "aa"]


def test_a_setting_of_one_replica_alone_outlives_more_replicas_and_lanes(state: StackState) -> None:
    record = Record("one", "fresh", 2, 9000)
    project.write(state, record, ())
    second = ReplicaId.first(2)
    project.change_setting(state, "placement/max_allocation_candidates", {second: "7"})
    project.set_replicas(state, dataclasses.replace(record, replicas=3))

    def limits() -> list[str | None]:
        kept = project.settings(state)
        name = "placement/max_allocation_candidates"
        return [kept[ReplicaId.first(number)].get(name) for number in (1, 2, 3)]

    assert limits() == [None, "7", None]
    with_lanes = dataclasses.replace(RECORD, lanes={"1": 9000, "2": 9001})
    project.add_lanes(state, with_lanes, [Lane("2")])
    assert limits() == [None, "7", None]
    variable = "OS_PLACEMENT__MAX_ALLOCATION_CANDIDATES"
    environment = services(state)["placement-2"]["environment"]
    assert environment[variable] == "7"
    # The other lane's replica in that container has not that setting.
    assert json.loads(environment["LANES"])["8081"][variable] is None
    policy = project.settings(state)[second]["oslo_policy/policy_file"]
    assert policy == "/etc/placement-policy/1/policy.yaml"


def test_replicas_come_and_go_under_their_numbers(state: StackState) -> None:
    project.write(state, Record("one", "fresh", 2, 9000), ())
    before = services(state)
    project.set_replicas(state, Record("one", "fresh", 3, 9000))
    assert set(services(state)) == {*before, "placement-3"}
    assert services(state)["placement-3"]["container_name"] == "one-placement-3"
    # An Apache that is made anew has as many.
    assert services(state)["apache"]["environment"]["REPLICAS"] == "3"
    project.set_replicas(state, Record("one", "fresh", 2, 9000))
    assert {*services(state)} == {*before}


@pytest.mark.parametrize("source", ["env", "file", "etcd"])
def test_a_dollar_reaches_later_replicas_as_it_was_set(state: StackState, source: str) -> None:
    project.write(state, Record("one", "fresh", 1, 9000, config_source=source), ())
    values: dict[ReplicaId | None, str | None]
    values = dict.fromkeys([ReplicaId.first(1), None], "$a ${b $$c")
    before = project.change_setting(state, "DEFAULT/log_format", values)
    assert before == dict.fromkeys(values)
    project.set_replicas(state, Record("one", "fresh", 2, 9000, config_source=source))
    assert {one["default/log_format"] for one in project.settings(state).values()} == {"$a ${b $$c"}
    # Compose reads all of the file, and takes what follows a single $ for a variable.
    assert "$" not in state.compose_file.read_text().replace("$$", "")
    told = services(state)["placement-2"]["environment"].get("OS_DEFAULT__LOG_FORMAT")
    assert told == ("$$a $${b $$$$c" if source == "env" else None)
    assert project.change_setting(state, "DEFAULT/log_format", before) == values


def test_secrets_are_for_the_owner_alone(state: StackState) -> None:
    project.write(state, RECORD, LANES)
    assert state.compose_file.stat().st_mode & 0o077 == 0
    # Replicas read their policy as another user.
    assert state.policy_file("2").stat().st_mode & 0o444 == 0o444


def test_an_override_that_makes_no_sense_is_shown(state: StackState, machine: Machine) -> None:
    machine.has("docker", {"compose*config*": fails("services.placement must be a mapping")})
    with pytest.raises(StackError, match="Compose cannot read") as caught:
        project.write(state, RECORD, LANES)
    assert caught.value.evidence == ("services.placement must be a mapping",)


def test_the_users_file_is_merged_last_and_named_with_its_path(
    state: StackState, machine: Machine, tmp_path: Path
) -> None:
    override = tmp_path / "compose.override.yaml"
    override.write_text("services: 1\n")
    project.write(state, RECORD, LANES, override)
    merged = f"compose.yaml --file {override} "
    assert [call for call in machine.calls if merged in call]
    machine.has("docker", {"compose*config*": fails("services must be a mapping")})
    with pytest.raises(StackError, match=f"cannot read compose.yaml, {override}"):
        project.write(state, RECORD, LANES, override)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"services": {}}'])
def test_a_description_that_cannot_be_read_is_an_error_that_names_it(
    tmp_path: Path, text: str
) -> None:
    state = StackState("one", tmp_path)
    state.directory.mkdir()
    state.compose_file.write_text(text)
    with pytest.raises(UnreadableError, match=r"compose\.json cannot be read"):
        project.load(state)


def test_all_that_compose_makes_has_the_stacks_labels(state: StackState, machine: Machine) -> None:
    """The user's own file adds services, networks and volumes without labels."""
    own = {
        "services": {**PROJECT["services"], "tool": {"image": "tool", "labels": {"mine": "yes"}}},
        "networks": {"default": {}, "office": {"external": True, "name": "office"}},
        "volumes": {"tools": {"name": "one_tools"}},
    }
    machine.has("docker", {"compose*config*": f"echo '{json.dumps(own)}'"})
    project.write(state, RECORD, LANES)
    written = project.load(state)
    made = [
        *written["services"].values(),
        written["networks"]["default"],
        written["volumes"]["tools"],
    ]
    assert all(part["labels"].items() >= state.labels.items() for part in made)
    assert written["services"]["tool"]["labels"]["mine"] == "yes"
    # What is not the stack's is not removed with it.
    assert "labels" not in written["networks"]["office"]


def test_no_service_uses_a_proxy_unless_the_users_own_file_says_so(
    state: StackState, machine: Machine
) -> None:
    """docker gives each container the proxies of its own settings, and Compose does so too."""
    tool = {"image": "tool", "environment": {"HTTP_PROXY": "http://mine:1"}}
    own = {"services": {**PROJECT["services"], "tool": tool, "bare": {"image": "bare"}}}
    machine.has("docker", {"compose*config*": f"echo '{json.dumps(own)}'"})
    alone = dataclasses.replace(RECORD, lanes={})
    project.write(state, alone, ())
    found = services(state)
    assert found["tool"]["environment"]["HTTP_PROXY"] == "http://mine:1"
    for name in ("placement-1", "placement-3", "apache", "mariadb", "bare"):
        environment = found[name]["environment"]
        assert [environment[proxy] for proxy in PROXIES] == [""] * len(PROXIES)
    # A replica that comes later is made of the same template.
    project.set_replicas(state, dataclasses.replace(alone, replicas=4))
    assert services(state)["placement-4"]["environment"]["http_proxy"] == ""
