"""No stranger gets in, and no secret gets out."""

import dataclasses
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from harness.config.plan import Plan
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import STACK_LABEL, StackState
from tests.live._live import Commands, docker


@pytest.fixture(scope="module")
def containers(up: Commands) -> list[dict[str, Any]]:
    names = docker("ps", "--quiet", "--filter", f"label={STACK_LABEL}={up.name}").split()
    found: list[dict[str, Any]] = json.loads(docker("inspect", *names))
    assert len(found) == 7
    return found


def secrets_of(up: Commands) -> list[str]:
    return list(dataclasses.asdict(StackState(up.name, up.state).secrets()).values())


def test_every_container_is_confined(containers: list[dict[str, Any]]) -> None:
    for container in containers:
        name, host = container["Name"], container["HostConfig"]
        user = container["Config"]["User"].partition(":")[0]
        assert user.isdecimal(), name
        assert int(user) > 0, name
        assert host["ReadonlyRootfs"] is True, name
        assert host["CapDrop"] == ["ALL"], name
        assert not host["CapAdd"], name
        assert not host["Privileged"], name
        assert host["SecurityOpt"] == ["no-new-privileges:true"], name
        assert host["NetworkMode"] not in {"host", "none"}, name
        # Volumes have names; a path would be the host's.
        assert not [bind for bind in host["Binds"] or () if bind.startswith("/")], name


def test_no_process_in_a_container_is_root_or_has_a_capability(
    containers: list[dict[str, Any]],
) -> None:
    for container in containers:
        for process in docker("top", container["Id"], "-eo", "pid").split()[1:]:
            status = Path(f"/proc/{process}/status").read_text()
            values = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
            assert "0" not in values["Uid"].split(), container["Name"]
            assert int(values["CapEff"], 16) == 0, container["Name"]
            assert values["NoNewPrivs"].strip() == "1", container["Name"]


def test_every_published_port_is_bound_to_the_loopback_interface(
    containers: list[dict[str, Any]],
) -> None:
    bindings = [
        binding["HostIp"]
        for container in containers
        for ports in container["NetworkSettings"]["Ports"].values()
        for binding in ports or ()
    ]
    assert bindings == ["127.0.0.1"] * 2, "Apache's and MariaDB's"


@pytest.mark.parametrize(
    "path", ["/balancer-manager", "/replica/1", "/replica/3/resource_providers"]
)
@pytest.mark.parametrize("key", [None, "", "0" * 32])
def test_the_proxys_own_pages_are_closed_to_who_has_not_the_key(
    up: Commands, path: str, key: str | None
) -> None:
    stack = up.stack()
    right = stack.state.secrets().balancer_key

    def status(headers: dict[str, str]) -> int:
        url = f"{stack.record.url}{path}"
        return requests.get(url, headers=headers, timeout=10).status_code

    assert status({} if key is None else {"X-Harness-Key": key}) == 403
    # The pages are there, for requests that have the key.
    assert status({"X-Harness-Key": right}) in (200, 401)


@pytest.mark.parametrize("token", [None, "admin", "gAAAAA" + "x" * 120])
def test_nothing_is_served_without_a_token_of_this_stacks_keystone(
    up: Commands, token: str | None
) -> None:
    headers = {} if token is None else {"X-Auth-Token": token}
    url = f"{up.stack().placement_url}/resource_providers"
    assert requests.get(url, headers=headers, timeout=10).status_code == 401


def test_no_two_stacks_have_a_secret_in_common() -> None:
    one, other = (set(dataclasses.asdict(Secrets()).values()) for _ in range(2))
    assert len(one) == len(other) == len(dataclasses.fields(Secrets))
    assert not one & other


def test_no_secret_is_on_a_command_line(up: Commands, containers: list[dict[str, Any]]) -> None:
    words = [docker("top", container["Id"], "-eo", "pid,args") for container in containers]
    words += [json.dumps([one["Config"]["Cmd"], one["Path"], one["Args"]]) for one in containers]
    words.append(subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True).stdout)
    for secret in secrets_of(up):
        assert not [line for line in words if secret in line]


def test_no_secret_is_in_what_the_commands_print(up: Commands) -> None:
    token = up.harness("token").strip()
    url = f"{up.stack().placement_url}/resource_providers"
    requests.get(url, headers={"X-Auth-Token": token}, timeout=10).raise_for_status()
    printed = "".join(up.harness(*words) for words in (["logs"], ["status"], ["env"]))
    for secret in [*secrets_of(up), token]:
        assert secret not in printed


def test_what_a_stack_leaves_on_disk_is_for_its_owner_alone(up: Commands) -> None:
    directory = up.state / up.name
    modes = {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()}
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {"env", "clouds.yaml", "stack.json", "lock"} <= set(modes)
    assert modes["env"] == modes["clouds.yaml"] == modes["stack.json"] == 0o600


def test_a_plan_and_a_record_hold_no_secret() -> None:
    secret = Secrets()
    record = Record("x", "fresh", 1, 8778)
    shown = repr(secret) + repr(record) + repr(Plan())
    assert not [value for value in dataclasses.asdict(secret).values() if value in shown]
