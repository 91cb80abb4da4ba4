"""Replicas whose settings are in etcd: changed while requests flow, and what is said without."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live._live import Commands, docker, own
from tests.live._traffic import none_failed, traffic
from tests.live.test_deaths import SLOW, fresh_name

RETRIES = "placement_database/max_retries"


@pytest.fixture(scope="module")
def stack(folder: Path) -> Iterator[Commands]:
    with own(folder / "etcd") as commands:
        commands.harness("up", "--replicas", "3", "--config-source", "etcd")
        yield commands


def etcdctl(commands: Commands, *words: str) -> str:
    """Run etcdctl as the user root of etcd."""
    password = commands.stack().state.secrets().etcd_password
    who = ("--env", "ETCDCTL_USER=root", "--env", f"ETCDCTL_PASSWORD={password}")
    return docker("exec", *who, f"{commands.name}-etcd-1", "etcdctl", *words)


def test_a_setting_is_changed_without_a_failed_request_and_kept_by_later_replicas(
    stack: Commands,
) -> None:
    with traffic(stack) as clients:
        stack.harness("scale", "2")
        assert "placement-3" not in etcdctl(stack, "get", "--prefix", "--keys-only", "/placement/")
        said = stack.harness("config", "set", RETRIES, "-1")
        assert "replica 2 has taken it up" in said
        stack.harness("scale", "3")
        # One value for all: the new one has not what its name had before.
        assert f"\n{RETRIES} = -1\n" in stack.harness("config", "list")
    none_failed(stack, clients, least=100)


def test_a_replica_that_cannot_use_what_it_finds_ends_with_the_drivers_words(
    stack: Commands,
) -> None:
    key = f"/placement/placement-2/{RETRIES}"
    etcdctl(stack, "put", key, "many")
    said = _started_again(stack, code=70)
    assert f"the value of {key} is not an integer" in said
    etcdctl(stack, "put", key, "9")
    etcdctl(stack, "role", "revoke-permission", "placement", "--prefix", "/placement/")
    said = _started_again(stack, code=70)
    assert "does not let the user placement read /placement/placement-2/" in said
    etcdctl(stack, "role", "grant-permission", "placement", "read", "--prefix", "/placement/")
    _started_again(stack, code=0)


def _started_again(stack: Commands, *, code: int) -> str:
    container = f"{stack.name}-placement-2"
    if docker("inspect", "--format", "{{.State.Running}}", container).strip() == "true":
        docker("kill", container)
    began = time.monotonic()
    said = stack.harness("up", code=code)
    # What the driver waits is less than what the harness does.
    assert time.monotonic() - began < 30
    return said


@pytest.mark.long
def test_a_value_that_no_replica_serves_with_is_put_back(stack: Commands) -> None:
    before = stack.harness("config", "get", "placement_database/connection")
    wrong = before.replace("/placement", "/nothing")
    with traffic(stack) as clients:
        said = stack.harness("config", "set", "placement_database/connection", wrong, code=70)
    assert "Replica 1 did not take up placement_database/connection" in said
    assert "All replicas have their old values again" in said
    assert "Unknown database 'nothing'" in said or "Access denied" in said
    assert stack.harness("config", "get", "placement_database/connection") == before
    none_failed(stack, clients, least=100)


@pytest.mark.long
def test_no_replica_is_taken_out_while_etcd_is_down(stack: Commands) -> None:
    docker("kill", f"{stack.name}-etcd-1")
    for words in (["restart", "--rolling"], ["config", "set", RETRIES, "5"]):
        with traffic(stack) as clients:
            said = stack.harness(*words, code=70)
        assert "etcd" in said
        none_failed(stack, clients, least=10)
    # The settings in etcd outlive that.
    stack.harness("up", "--replicas", "3")
    assert stack.harness("config", "get", RETRIES)


@pytest.mark.long
def test_an_etcd_that_is_lost_during_a_run_ends_it(commands: Commands) -> None:
    suite = commands.suite(SLOW)
    words = commands.pytest_words("--replicas", "1", "--config-source", "etcd", str(suite))
    running = commands.start(*words)
    running.when("target: placement")
    docker("kill", f"{fresh_name(running.text)}-etcd-1")
    assert running.ends() == 70
    assert "-etcd-1) exited with code 137 (killed) during the run." in running.text
    assert commands.settled() == []
