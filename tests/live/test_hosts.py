"""A stack on two hosts, each an engine in a network namespace of its own."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from harness.stack.model.hosts import Host as Named
from harness.stack.named_hosts import found
from tests.live._hosts import Host, hosts
from tests.live._live import Commands, docker, own

REPLICAS = 4


@pytest.fixture(scope="module")
def two() -> Iterator[list[Host]]:
    with hosts(2) as made:
        yield made


@pytest.fixture(scope="module")
def on(two: list[Host]) -> list[str]:
    """The options that name both hosts."""
    return [word for host in two for word in ("--host", host.option)]


@pytest.fixture(scope="module")
def spread(folder: Path, two: list[Host], on: list[str]) -> Iterator[Commands]:
    """A stack of four replicas on both hosts, for all tests that leave it as it was."""
    with own(folder / "hosts") as commands:
        commands.harness("up", "--replicas", str(REPLICAS), *on)
        yield commands
    assert [part for host in two for part in host.left()] == []


@pytest.fixture
def clean(two: list[Host], commands: Commands) -> Iterator[Commands]:
    """Commands after which nothing more may be on the hosts than before."""
    before = [host.left() for host in two]
    yield commands
    commands.clear()
    assert [host.left() for host in two] == before


def test_two_engines_on_this_machine_are_two_hosts(two: list[Host], on: list[str]) -> None:
    assert found(on[1::2]) == tuple(Named(host.endpoint, host.address) for host in two)


@pytest.mark.long
def test_a_host_that_is_named_twice_or_does_not_answer_ends_a_start(
    two: list[Host], commands: Commands
) -> None:
    a, b = two
    same = f"{b.endpoint.replace('/2/', '/2/../1/')}={b.address}"
    said = commands.harness("up", "--host", a.option, "--host", same, code=64)
    assert "is the same engine as unix://" in said
    with b.away():
        said = commands.harness("up", "--host", a.option, "--host", b.option, code=70)
    assert f"of the host {b.endpoint} does not answer within 5 s" in said
    assert commands.left() == []


# Everything below starts a stack, whose images are copied to both hosts first.


def inspected(two: list[Host], stack: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for host in two:
        ids = host.docker("ps", "--quiet", "--filter", f"name={stack}-").split()
        found += json.loads(host.docker("inspect", *ids))
    return found


@pytest.mark.long
def test_replicas_take_turns_on_the_hosts_and_each_answers(
    two: list[Host], spread: Commands
) -> None:
    stack, (a, b) = spread.stack(), two
    assert stack.record.url.startswith(f"http://{a.address}:")
    names = [host.docker("ps", "--format", "{{.Names}}").split() for host in (a, b)]
    assert sorted(names[1]) == [f"{spread.name}-placement-{number}" for number in (2, 4)]
    assert len(names[0]) == 4 + 2
    served = {
        requests.get(
            f"{stack.placement_url}/resource_providers",
            headers={"X-Auth-Token": stack.token()},
            timeout=30,
        ).headers["x-placement-replica"]
        for _ in range(REPLICAS)
    }
    assert served == {"1", "2", "3", "4"}


@pytest.mark.long
def test_every_port_is_on_the_address_of_its_host(two: list[Host], spread: Commands) -> None:
    bound = {
        (container["Name"].removeprefix(f"/{spread.name}-"), binding["HostIp"])
        for container in inspected(two, spread.name)
        for ports in container["NetworkSettings"]["Ports"].values()
        for binding in ports or ()
    }
    (a, b) = (host.address for host in two)
    assert bound == {
        *(("apache-1", a), ("mariadb-1", a), ("memcached-1", a)),
        *(("placement-2", b), ("placement-4", b)),
    }


@pytest.mark.long
def test_every_container_on_every_host_is_confined(two: list[Host], spread: Commands) -> None:
    containers = inspected(two, spread.name)
    assert len(containers) == 4 + REPLICAS
    for container in containers:
        name, confinement = container["Name"], container["HostConfig"]
        assert int(container["Config"]["User"].partition(":")[0]) > 0, name
        assert confinement["ReadonlyRootfs"] is True, name
        assert confinement["CapDrop"] == ["ALL"], name
        assert not confinement["CapAdd"], name
        assert not confinement["Privileged"], name
        assert confinement["SecurityOpt"] == ["no-new-privileges:true"], name


@pytest.mark.long
def test_replicas_are_added_restarted_and_removed_on_every_host(
    two: list[Host], spread: Commands
) -> None:
    _, b = two
    spread.harness("scale", "6")
    assert len(b.docker("ps", "--quiet").split()) == 3
    spread.harness("restart", "--rolling")
    spread.harness("scale", "1")
    assert b.docker("ps", "--all", "--quiet") == ""
    spread.harness("scale", str(REPLICAS))
    assert len(b.docker("ps", "--quiet").split()) == 2


@pytest.mark.long
def test_status_and_logs_look_on_every_host(two: list[Host], spread: Commands) -> None:
    said = spread.harness("status", "--name", spread.name)
    assert said.count("running") == 4 + REPLICAS
    assert "placement.requestlog" in spread.harness("logs", "--replica", "2")
    with two[1].away():
        said = spread.harness("status", "--name", spread.name, code=70)
    assert said.count("unknown") == 2
    assert f"No answer of {two[1].endpoint}" in said


@pytest.mark.long
def test_suites_run_on_several_hosts(clean: Commands, on: list[str]) -> None:
    clean.suite("tests:\n- name: root\n  GET: /placement/\n")
    said = clean.pytest("--replicas", "2", *on, "gabbits")
    assert "1 passed" in said


@pytest.mark.long
def test_workers_have_lanes_on_several_hosts(clean: Commands, on: list[str]) -> None:
    """Policies change with these suites, and are copied to replicas on the second host."""
    words = ("--suite", "upstream", "-k", "rbac or open-policy or cors")
    said = clean.pytest("--replicas", "2", "-n", "2", *on, *words)
    assert " failed" not in said
    assert int(said.split(" passed")[0].split()[-1]) > 50


@pytest.mark.long
def test_a_host_may_be_a_context_and_the_engine_of_this_machine(
    clean: Commands, two: list[Host], tmp_path: Path
) -> None:
    """This machine's address is the one that faces the other host."""
    plugins = Path(os.environ.get("DOCKER_CONFIG", Path.home() / ".docker")) / "cli-plugins"
    (tmp_path / "cli-plugins").symlink_to(plugins)
    clean.environment["DOCKER_CONFIG"] = str(tmp_path)
    where = f"host={two[1].endpoint}"
    clean.run("docker", "context", "create", "second", "--docker", where)
    options = ("--host", "default", "--host", f"second={two[1].address}")
    clean.harness("up", "--replicas", "2", *options)
    prefix = two[1].address.rpartition(".")[0]
    assert clean.stack().record.url.startswith(f"http://{prefix}.254:")
    clean.harness("up", "--replicas", "2")
    clean.harness("down")
    assert clean.left() == []


@pytest.mark.long
def test_nothing_listens_on_a_host_but_what_is_meant(two: list[Host], spread: Commands) -> None:
    """Seen from the other host: a port of the database's is open, say, and none of keystone's."""
    for host, other in (two, two[::-1]):
        open_ports = host.open_ports(seen_from=other)
        rows = host.docker("ps", "--filter", f"name={spread.name}-", "--format", "{{.Ports}}")
        meant = {int(port) for port in re.findall(rf"{re.escape(host.address)}:(\d+)->", rows)}
        assert open_ports == meant
        assert len(meant) in (2, 3)


@pytest.mark.long
def test_a_host_that_is_away_at_the_removal_keeps_the_record_for_reap(
    two: list[Host], on: list[str], clean: Commands
) -> None:
    clean.harness("up", "--replicas", "2", *on)
    with two[1].away():
        said = clean.harness("down", code=70)
    assert f"{two[1].endpoint} does not answer: what {clean.name} has there is not removed" in said
    assert [part for part in two[0].left() if clean.name in part] == []
    assert [part for part in two[1].left() if clean.name in part] != []
    assert f"removed {clean.name}" in clean.harness("reap")


@pytest.mark.long
def test_an_engine_that_dies_ends_the_run_and_reap_removes_the_rest_later(
    two: list[Host], on: list[str], clean: Commands
) -> None:
    b = two[1]
    clean.suite(
        "tests:\n- name: for long\n  GET: /placement/\n  status: 404\n"
        "  poll: {count: 600, delay: 0.1}\n"
    )
    words = clean.pytest_words("--replicas", "2", *on, "gabbits")
    running = clean.start(*words)
    running.when("ready after")
    b.die()
    assert running.ends() == 70
    assert f"The container engine of {b.endpoint} does not tell any more" in running.text
    assert f"{b.endpoint} does not answer: what placement-harness-" in running.text
    b.begin(docker("info", "--format", "{{.Driver}}").strip())
    assert "removed placement-harness-" in clean.harness("reap")
    # The stack of other tests is there, too.
    assert [part for part in b.left() if "placement-harness-" in part] == []


@pytest.mark.long
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_nothing_on_any_host(
    clean: Commands, two: list[Host], on: list[str], end: signal.Signals
) -> None:
    running = clean.start("placement-harness", "up", "--replicas", "2", *on)
    running.when("starting")
    if end == signal.SIGKILL:
        running.kill()
        clean.harness("reap")
    else:
        running.interrupt()
        assert running.ends() == 130
    assert [part for host in two for part in host.left() if clean.name in part] == []
