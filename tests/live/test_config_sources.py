"""Every config source gives replicas the same configuration."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.stack.model.state import StackState
from harness.stack.settings.config_sources import SOURCES
from tests.live._live import Commands, docker

# Prints all options of the replica, read as the service reads them.
EFFECTIVE = """
import json
from placement import deploy
found, load = [], deploy.loadapp
deploy.loadapp = lambda config: (load(config), found.append(config))[0]
from placement.wsgi import api
config = found[0]
print("OPTIONS", json.dumps({
    f"{group or 'DEFAULT'}/{option}": str((config[group] if group else config)[option])
    for group in [None, *config._groups]
    for option in (config._groups[group]._opts if group else config._opts)
    if option not in UNALIKE
}))
"""
# Options that say where the configuration comes from, or at which port a stack is, and so differ.
UNALIKE = {"config_file", "config_dir", "config_source", "www_authenticate_uri"}


def effective(commands: Commands) -> dict[str, Any]:
    """Options of the first replica of a running stack, without those of its source itself."""
    script = EFFECTIVE.replace("UNALIKE", repr(UNALIKE))
    printed = docker("exec", f"{commands.name}-placement-1", "python3", "-c", script)
    (line,) = [line for line in printed.splitlines() if line.startswith("OPTIONS ")]
    for name, secret in StackState(commands.name, commands.state).secrets().environment().items():
        line = line.replace(secret, name)
    options: dict[str, Any] = json.loads(line.removeprefix("OPTIONS "))
    return {name: value for name, value in options.items() if not name.startswith("etcd/")}


@pytest.mark.parametrize("source", sorted(set(SOURCES) - {"env"}))
def test_every_source_gives_the_same_effective_configuration(
    up: Commands, commands: Commands, source: str
) -> None:
    expected = effective(up)
    assert expected["keystone_authtoken/password"] == "HARNESS_PLACEMENT_PASSWORD"
    assert "HARNESS_DATABASE_PASSWORD@mariadb" in expected["placement_database/connection"]
    assert len(expected) > 100
    commands.harness("up", "--replicas", "1", "--config-source", source)
    options = effective(commands)
    assert {name: value for name, value in options.items() if expected.get(name) != value} == {}
    assert options.keys() == expected.keys()
    commands.harness("down")
    assert commands.settled() == []
