"""The same settings as environment variables, as a file, and as what replicas are given."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest

from harness.core.environment import PROXIES
from harness.core.errors import StackError
from harness.engine.compose import Up
from harness.stack import project
from harness.stack.model import oslo_settings
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from harness.stack.settings import config_sources
from tests.fakes.engine import lists
from tests.fakes.machine import Machine, fails
from tests.fakes.quick_engine import CONFIG

SETTINGS = {
    "keystone_authtoken/auth_type": "password",
    "placement_database/connection": "mysql+pymysql://a:b@c/d",
    "placement_database/retry_interval": "1",
}
SOURCE = config_sources.SOURCES["file"]


@pytest.fixture
def state(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StackState:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))
    replicas = lists("one-placement-1", "one-placement-2")
    copy = f"/bin/cat > {tmp_path}/copied"
    machine.has("docker", {"compose*config*": CONFIG, "cp*": copy, "ps*": replicas})
    state = StackState("one")
    record = Record("one", "fresh", 2, 9000, config_source="file")
    state.create(record, Secrets())
    project.write(state, record, ())
    return state


def test_settings_are_told_from_other_variables_and_back() -> None:
    variables = oslo_settings.variables(SETTINGS)
    assert variables["OS_KEYSTONE_AUTHTOKEN__AUTH_TYPE"] == "password"
    settings, left = oslo_settings.split({**variables, "OS_CLOUD": "x", "PATH": "/bin"})
    assert settings == SETTINGS
    assert left == {"OS_CLOUD": "x", "PATH": "/bin"}


def test_a_file_says_what_the_environment_says() -> None:
    parser = configparser.ConfigParser()
    parser.read_string(oslo_settings.file(SETTINGS))
    read = {
        f"{group}/{name}": value
        for group in parser.sections()
        for name, value in parser.items(group)
    }
    assert read == SETTINGS


def test_a_file_names_the_group_default_as_oslo_config_does() -> None:
    said = oslo_settings.file({"default/debug": "true", "api/auth_strategy": "keystone"})
    assert said == "[api]\nauth_strategy = keystone\n\n[DEFAULT]\ndebug = true\n"


def test_replicas_get_their_file_before_they_start_and_nothing_in_the_environment(
    state: StackState, machine: Machine, tmp_path: Path
) -> None:
    described = project.load(state)
    environment = described["services"]["placement-2"]["environment"]
    assert {name for name in environment if name not in PROXIES} == set()
    assert described["services"]["placement-2"]["volumes"] == ["/etc/placement"]
    config_sources.start(SOURCE, state, project.settings(state), Up())
    did = [call for call in machine.calls if " up " in call or " cp " in call]
    assert [("--no-start" in call, " cp " in call) for call in did] == [
        (True, False),
        (False, True),
        (False, True),
        (False, False),
    ]
    assert b"[placement_database]\nconnection = mysql" in (tmp_path / "copied").read_bytes()


def test_a_file_that_cannot_be_copied_ends_the_start(state: StackState, machine: Machine) -> None:
    replicas = lists("one-placement-1", "one-placement-2")
    machine.has("docker", {"cp*": fails("no such container"), "ps*": replicas})
    settings = project.settings(state)
    with pytest.raises(StackError, match=r"could not be copied into one-placement-1: no such"):
        config_sources.start(SOURCE, state, settings, Up())
