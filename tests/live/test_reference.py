"""The reference: placement as devstack sets it up, alone and beside replicas."""

import json
import re
from typing import Any

import pytest
import requests

from harness.stack.model.state import STACK_LABEL
from tests.live._live import ROOT, Commands, docker

SERVICES = {"apache", "keystone", "memcached", "mariadb", "reference", "reference-placement"}


def containers(name: str) -> dict[str, dict[str, Any]]:
    """The containers of a stack, by their services."""
    ids = docker("ps", "--quiet", "--filter", f"label={STACK_LABEL}={name}").split()
    found: list[dict[str, Any]] = json.loads(docker("inspect", *ids))
    return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}


def gabbits(*names: str) -> list[str]:
    return [str(ROOT / "gabbits" / f"{name}.yaml") for name in names]


def test_it_answers_as_a_devstack_does_is_confined_and_goes_as_a_whole(commands: Commands) -> None:
    suites = gabbits("root", "traits", "authentication", "errors", "usages-total")
    words = ["--target", "reference", "--parity", "devstack", "--stack", "keep"]
    said = commands.pytest(*words, *suites)
    # Suites have tests that are younger than the recording.
    verdicts = r"tests: (\d+) same, 0 expected difference, 0 unstable, \d+ not compared, 0 diff"
    (same,) = re.findall(verdicts, said)
    assert int(same) > 100
    found = containers(commands.name)
    assert set(found) == SERVICES
    for service in ("reference", "reference-placement"):
        host = found[service]["HostConfig"]
        assert host["ReadonlyRootfs"] is True
        assert host["CapDrop"] == ["ALL"]
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert found[service]["Config"]["User"].partition(":")[0] in ("33", "10001")
    record = commands.stack().record
    assert f"the reference at {record.reference_url('1')}" in commands.harness("status")
    # Debian's own error page, and its port: no placement is outside /placement.
    page = requests.get(f"{record.reference_url('1')}/nothing", timeout=10)
    assert (page.status_code, "Apache/2.4" in page.text) == (404, True)
    assert "0 expected difference" in commands.pytest(
        "--target", "reference", "--parity", "devstack", "--stack", "reuse", *suites[:1]
    )
    commands.harness("down")
    assert commands.settled() == []


@pytest.mark.long
def test_beside_replicas_each_has_a_schema_of_its_own(commands: Commands) -> None:
    said = commands.harness("up", "--replicas", "2", "--reference")
    stack = commands.stack()
    urls = [stack.placement_url, f"{stack.record.reference_url('1')}/placement"]
    assert f"reference  {urls[1]}" in said
    headers = {"X-Auth-Token": stack.token(), "OpenStack-API-Version": "placement 1.6"}
    for number, url in enumerate(urls):
        put = requests.put(f"{url}/traits/CUSTOM_OF_{number}", headers=headers, timeout=10)
        assert put.status_code == 201
    for number, url in enumerate(urls):
        listed = requests.get(
            f"{url}/traits?name=startswith:CUSTOM_OF", headers=headers, timeout=10
        ).json()
        assert listed == {"traits": [f"CUSTOM_OF_{number}"]}
    assert set(containers(commands.name)) == {*SERVICES, "placement-1", "placement-2"}
    # Replicas answer as before, and a run on the stack takes it with its reference.
    assert "and the reference" in commands.pytest("--stack", "reuse", *gabbits("traits"))
    commands.harness("down")
    assert commands.settled() == []


@pytest.mark.long
def test_a_kept_stack_without_it_is_refused_and_left(up: Commands) -> None:
    said = up.pytest("--target", "reference", "--stack", "reuse", *gabbits("root"), code=70)
    assert "it has no reference beside it" in said
    assert "reference" not in containers(up.name)


@pytest.mark.long
def test_all_suites_pass_in_two_lanes_and_its_answers_are_a_devstacks(commands: Commands) -> None:
    said = commands.pytest(
        "--target", "reference", "--suite", "upstream", str(ROOT / "gabbits"), "-n2"
    )
    assert int(re.findall(r"=+ (\d+) passed in ", said)[0]) > 2936
    said = commands.pytest("--target", "reference", "--parity", "devstack", str(ROOT / "gabbits"))
    # An order that no API promises may differ.
    assert "reference | devstack: 1620 exchanges; " in said
    assert re.search(r" 0 unstable, \d+ not compared, 0 different", said)
