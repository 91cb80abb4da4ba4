"""Every database serves; a node that is killed costs nothing that was acknowledged, and returns."""

import itertools
import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from harness.stack.clients import galera
from harness.stack.model.state import StackState
from harness.stack.settings.databases import DATABASES
from tests.live._live import Commands, docker

NODES = DATABASES["galera"].cluster
# How long no write may succeed when the writer is killed, and what a node may take to return.
GAP, RETURN = 5.0, 60.0
BEFORE, AFTER = 3.0, 12.0
WRITERS = 3
# Each writes for itself: a write that hangs must not hide what the others do.
TIMEOUT = 20.0


@pytest.mark.long
@pytest.mark.parametrize("database", [name for name in DATABASES if name != "mariadb"])
def test_what_is_written_is_read_through_every_replica(commands: Commands, database: str) -> None:
    began = time.monotonic()
    commands.harness("up", "--replicas", "3", "--database", database)
    print(f"{database}: up in {time.monotonic() - began:.1f} s")
    url, headers = address(commands)
    # No letter of it is in latin1.
    name = "Ωμέγα"
    requests.post(url, json={"name": name}, headers=headers, timeout=TIMEOUT).raise_for_status()
    stack = commands.stack()
    readers = set()
    for _ in range(3 * len(stack.replicas)):
        answer = requests.get(f"{url}?name={name}", headers=headers, timeout=TIMEOUT)
        assert [provider["name"] for provider in answer.json()["resource_providers"]] == [name]
        readers.add(answer.headers["x-placement-replica"])
    assert readers == {"1", "2", "3"}
    assert stack.whole()
    listed = commands.harness("status")
    assert all(f"{commands.name}-{one}-1" in listed for one in DATABASES[database].services)
    assert commands.harness("logs", DATABASES[database].servers[0])
    commands.harness("down")
    assert commands.settled() == []


@pytest.mark.long
@pytest.mark.parametrize("what", ["mariadbd", "container"])
def test_a_killed_writer_loses_no_acknowledged_write_and_returns(
    commands: Commands, what: str
) -> None:
    commands.harness("up", "--replicas", "3", "--database", "galera")
    url, headers = address(commands)
    stack = commands.stack()
    with stack.database() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@wsrep_node_name")
        ((writer,),) = cursor.fetchall()
    with writing(url, headers) as (acknowledged, failed):
        time.sleep(BEFORE)
        at = time.monotonic()
        stack.watch()
        kill(f"{commands.name}-{writer}-1", what)
        time.sleep(AFTER)
        stack.check()
        stack.unwatch()
    times = sorted(moment for moment, _ in acknowledged)
    gap = max(later - earlier for earlier, later in itertools.pairwise(times) if later > at)
    failing = max((moment - at for moment in failed), default=0.0)
    print(
        f"{len(acknowledged)} acknowledged, no write for {gap:.1f} s, {len(failed)} failed, "
        f"the last {failing:.1f} s after the kill"
    )
    assert times[-1] > at + GAP, "nothing was written after the kill"
    deadline = time.monotonic() + RETURN
    while left := galera.missing(StackState(commands.name, commands.state), NODES):
        assert time.monotonic() < deadline, left
        time.sleep(0.5)
    print(f"{writer} is back after {time.monotonic() - at:.1f} s")
    there = requests.get(url, headers=headers, timeout=60).json()["resource_providers"]
    names = {one["name"] for one in there}
    assert {name for _, name in acknowledged} <= names, "acknowledged, and lost"
    assert gap < GAP
    assert failing < GAP
    # The one that has returned has all of it, too.
    size = node_says(commands, writer, "SHOW STATUS LIKE 'wsrep_cluster_size'").split()[-1]
    count = node_says(commands, writer, "SELECT COUNT(*) FROM placement.resource_providers")
    assert (size, int(count)) == ("3", len(names))
    # What only a first start may do: agree in a hurry, and write schemas to itself alone.
    container = f"{commands.name}-{writer}-1"
    assert "install_timeout" not in docker("top", container, "-eo", "pid,args")
    assert "OUTFILE" not in docker("exec", container, "cat", "/run/init.sql")


@pytest.mark.long
def test_a_cluster_forms_again_after_all_nodes_were_killed_or_stopped(commands: Commands) -> None:
    commands.harness("up", "--replicas", "1", "--database", "galera")
    url, headers = address(commands)
    containers = [f"{commands.name}-{node}-1" for node in NODES]
    # Three times: how nodes leave that are stopped at once is a race.
    for number, how in enumerate(("kill", "stop", "stop", "stop", "restart")):
        name = f"before {number}, {how}"
        requests.post(url, json={"name": name}, headers=headers, timeout=60).raise_for_status()
        if how == "restart":
            # One after the other: the first one finds the others, and founds no second cluster.
            docker("restart", containers[0])
        else:
            docker(how, *containers)
            docker("start", *reversed(containers))
        deadline = time.monotonic() + RETURN
        while left := galera.missing(StackState(commands.name, commands.state), NODES):
            assert time.monotonic() < deadline, (how, left)
            time.sleep(0.5)
        for node in NODES:
            counted = node_says(commands, node, "SELECT COUNT(*) FROM placement.resource_providers")
            assert int(counted) == number + 1, (how, node)
        _serves(url, headers)


@pytest.mark.long
def test_a_node_that_never_joins_ends_the_start_and_is_named(commands: Commands) -> None:
    running = commands.start("placement-harness", "up", "--replicas", "1", "--database", "galera")
    running.when("starting ")
    deadline = time.monotonic() + RETURN
    while True:
        try:
            docker("pause", f"{commands.name}-galera-2-1")
            break
        except Exception:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert running.ends() == 70
    error = running.text.partition("ERROR: ")[2]
    assert "Galera did not form within 60 s. Not joined: " in error
    assert "The last lines of galera-2 are below" in error
    assert commands.settled(20) == []


def address(commands: Commands) -> tuple[str, dict[str, str]]:
    stack = commands.stack()
    headers = {"x-auth-token": stack.token(), "openstack-api-version": "placement 1.39"}
    return f"{stack.placement_url}/resource_providers", headers


def node_says(commands: Commands, node: str, question: str) -> str:
    return docker("exec", f"{commands.name}-{node}-1", "mariadb", "-N", "-e", question).strip()


def kill(container: str, what: str) -> None:
    """kill -9 of the server alone, as the kernel would when memory runs out; or of all there is."""
    if what == "container":
        first = docker("inspect", "--format", "{{.State.Pid}}", container)
        os.kill(int(first), signal.SIGKILL)
        return
    listed = docker("top", container, "-eo", "pid,comm").splitlines()
    (process,) = (int(line.split()[0]) for line in listed if line.endswith("mariadbd"))
    os.kill(process, signal.SIGKILL)


@contextmanager
def writing(
    url: str, headers: dict[str, str]
) -> Iterator[tuple[list[tuple[float, str]], list[float]]]:
    """Several clients that make resource providers.

    Yields what was acknowledged, and when; and when writes failed: as the answer came.
    """
    acknowledged: list[tuple[float, str]] = []
    failed: list[float] = []
    over = threading.Event()

    def write() -> None:
        session = requests.Session()
        while not over.is_set():
            name = str(uuid.uuid4())
            try:
                answer = session.post(url, json={"name": name}, headers=headers, timeout=TIMEOUT)
            except requests.RequestException:
                failed.append(time.monotonic())
                continue
            if answer.ok:
                acknowledged.append((time.monotonic(), name))
            else:
                failed.append(time.monotonic())

    threads = [threading.Thread(target=write) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    try:
        yield acknowledged, failed
    finally:
        over.set()
        for thread in threads:
            thread.join(TIMEOUT)


def _serves(url: str, headers: dict[str, str]) -> None:
    """Wait until a request is served again: a pool's first connections may be dead ones."""
    deadline = time.monotonic() + RETURN
    while not requests.get(url, headers=headers, timeout=60).ok:
        assert time.monotonic() < deadline
        time.sleep(0.2)
