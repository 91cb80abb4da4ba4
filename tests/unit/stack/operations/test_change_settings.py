"""A setting is changed for all replicas, or for none."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.core.errors import StackError
from harness.stack import project
from harness.stack.clients.etcd import Etcd
from harness.stack.handle import Stack
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from harness.stack.operations import rolling
from harness.stack.operations.change_settings import change
from tests.fakes.engine import lists
from tests.fakes.machine import Machine
from tests.fakes.quick_engine import CONFIG

RETRIES = "placement_database/max_retries"


class Held(Etcd):
    """An etcd that is a mapping."""

    def __init__(self, keys: dict[str, str]) -> None:
        self.keys = keys

    def close(self) -> None:
        pass

    def read(self, prefix: str) -> dict[str, str]:
        return {key.removeprefix(f"{prefix}/"): value for key, value in self.keys.items()}

    def write(self, values: Any) -> None:
        self.keys |= values
        for key in [key for key, value in self.keys.items() if value is None]:
            del self.keys[key]


@pytest.fixture
def keys() -> dict[str, str]:
    return {"/placement/placement-1/DEFAULT/debug": "false"}


@pytest.fixture
def stack(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: dict[str, str]
) -> Stack:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))
    replicas = lists(*(f"one-placement-{number}" for number in (1, 2, 3)))
    machine.has("docker", {"compose*config*": CONFIG, "logs*": "echo last words", "ps*": replicas})
    monkeypatch.setattr(Etcd, "of", lambda state: Held(keys))
    state = StackState("one")
    record = Record("one", "keep", 3, 9000, ready=True, config_source="etcd")
    state.create(record, Secrets())
    project.write(state, record, ())
    return Stack(state, record, Secrets())


@pytest.fixture
def restarts(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Restarts that fail where a test says so; which there were, with what was set then."""
    told = SimpleNamespace(
        done=[], fails=lambda number, value: False, how=StackError("It broke.", "?")
    )

    def restart(stack: Stack, replica: int) -> None:
        value = self_of(replica)
        told.done.append((replica, value))
        if told.fails(replica, value):
            raise told.how

    def self_of(replica: int) -> str | None:
        held = Etcd.of(stack.state).read("/placement")
        return held.get(f"placement-{replica}/{RETRIES}")

    monkeypatch.setattr(rolling, "restart", restart)
    return told


def described(stack: Stack) -> list[str | None]:
    """What the setting is for each replica, and for one that comes later."""
    later = project.load(stack.state)[project.TEMPLATE]["environment"]
    found: list[str | None] = [one.get(RETRIES) for one in project.settings(stack.state).values()]
    return [*found, later.get("OS_PLACEMENT_DATABASE__MAX_RETRIES")]


def test_all_have_it_before_the_first_is_restarted(
    stack: Stack, restarts: SimpleNamespace, keys: dict[str, str]
) -> None:
    steps: list[str] = []
    change(stack, RETRIES, "-1", steps.append)
    assert restarts.done == [(1, "-1"), (2, "-1"), (3, "-1")]
    assert described(stack) == ["-1"] * 4
    assert steps[0] == f"{RETRIES} is set for 3 replicas"
    assert steps[-2:] == ["restarting replica 3", "replica 3 has taken it up"]


def test_a_replica_that_does_not_serve_with_it_gives_all_back_what_they_had(
    stack: Stack, restarts: SimpleNamespace, keys: dict[str, str], machine: Machine
) -> None:
    keys[f"/placement/placement-1/{RETRIES}"] = "5"
    before = (dict(keys), project.load(stack.state))
    restarts.fails = lambda number, value: (number, value) == (2, "$x")
    steps: list[str] = []
    with pytest.raises(StackError) as caught:
        change(stack, RETRIES, "$x", steps.append)
    assert caught.value.problem == f"Replica 2 did not take up {RETRIES}: It broke."
    assert "All replicas have their old values again, and serve." in caught.value.remedy
    assert caught.value.evidence == ("last words",)
    assert "docker logs --tail 12 one-placement-2" in machine.calls
    # The one that is out comes first.
    assert restarts.done == [(1, "$x"), (2, "$x"), (2, None), (1, "5")]
    assert (keys, project.load(stack.state)) == before
    assert f"putting {RETRIES} back as it was" in steps


def test_what_cannot_be_put_back_is_said_with_both_reasons(
    stack: Stack, restarts: SimpleNamespace
) -> None:
    restarts.fails = lambda number, value: number == 1
    with pytest.raises(StackError) as caught:
        change(stack, RETRIES, "7", print)
    assert "could not be restored: It broke." in caught.value.problem
    assert f"placement-harness config set {RETRIES}" in caught.value.remedy


def test_ctrl_c_gives_all_back_what_they_had(
    stack: Stack, restarts: SimpleNamespace, keys: dict[str, str]
) -> None:
    before = dict(keys)
    restarts.how = KeyboardInterrupt()
    restarts.fails = lambda number, value: number == 2 and value
    with pytest.raises(KeyboardInterrupt):
        change(stack, RETRIES, "7", print)
    assert restarts.done[2:] == [(2, None), (1, None)]
    assert keys == before
    assert described(stack) == [None] * 4
