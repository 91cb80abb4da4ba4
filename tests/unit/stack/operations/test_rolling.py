"""Replicas are changed out of the balancer, and whatever fails, those that serve are in it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core.errors import StackError, UsageError
from harness.stack import project
from harness.stack.handle import Stack
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from harness.stack.operations import rolling
from tests.fakes.engine import container, lists
from tests.fakes.machine import Machine, fails
from tests.fakes.replicas import Replicas, event_of

REPLICAS = lists(*(f"one-placement-{number}" for number in range(1, 5)))


@pytest.fixture
def stack(machine: Machine, tmp_path: Path) -> Stack:
    machine.has("docker", {"events*": "exec /bin/sleep 60", "ps*": REPLICAS})
    state = StackState("one", tmp_path / "state")
    record = Record("one", "keep", 3, 1, ready=True)
    state.create(record, Secrets())
    template = {"environment": {"OS_PLACEMENT_DATABASE__CONNECTION": "mysql://a:b@mariadb/x"}}
    services: dict[str, object] = {"apache": {"environment": {}}}
    project.save(state, {"services": services, project.TEMPLATE: template, project.SETTINGS: {}})
    return Stack(state, record, state.secrets())


@pytest.fixture
def replicas(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Replicas]:
    monkeypatch.setattr(rolling, "START_SECONDS", 0.5)
    monkeypatch.setattr(rolling, "ANSWER_SECONDS", 0.1)
    found = Replicas(stack, monkeypatch)
    yield found
    # Whatever has happened: no death is excused for ever.
    assert not found.deaths_are_expected


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


# One after the other


def test_a_replica_is_restarted_out_of_the_balancer(
    stack: Stack, replicas: Replicas, machine: Machine
) -> None:
    assert rolling.restart_rolling(stack, print) == [1, 2, 3]
    assert replicas.told == [word for n in (1, 2, 3) for word in (f"drain {n}", f"enable {n}")]
    assert "docker restart one-placement-2" in machine.calls


def test_a_replica_that_is_not_drained_in_time_goes_on(
    stack: Stack, replicas: Replicas, machine: Machine
) -> None:
    replicas.busy.add(2)
    with pytest.raises(StackError, match="Replica 2 still had requests"):
        rolling.restart(stack, 2)
    assert replicas.enabled == {1, 2, 3}
    assert not machine.called("docker restart")


def test_a_replica_that_cannot_be_restarted_goes_on_if_it_serves(
    stack: Stack, replicas: Replicas, machine: Machine
) -> None:
    machine.has(
        "docker", {"restart*": fails("it hangs"), "events*": "exec /bin/sleep 60", "ps*": REPLICAS}
    )
    with pytest.raises(StackError, match="Replica 2 could not be restarted: it hangs"):
        rolling.restart(stack, 2)
    assert replicas.enabled == {1, 2, 3}


def test_a_replica_that_does_not_serve_again_gets_no_requests(
    stack: Stack, replicas: Replicas
) -> None:
    replicas.silent.add(2)
    with pytest.raises(StackError, match="Replica 2 did not serve within"):
        rolling.restart(stack, 2)
    assert replicas.enabled == {1, 3}


def test_a_replica_that_dies_while_it_is_waited_for_ends_that_at_once(
    stack: Stack, replicas: Replicas, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rolling, "START_SECONDS", 60.0)
    replicas.silent.add(2)
    machine.has(
        "docker",
        {
            "events*": f"/bin/sleep 0.5; echo '{json.dumps(event_of(2))}'; exec /bin/sleep 60",
            "ps*": lists(container("one-placement-2", state="exited")),
            "logs*": "echo no module named x",
        },
    )
    began = time.monotonic()
    with pytest.raises(StackError, match=r"replica 2 .* exited with code 1") as caught:
        rolling.restart(stack, 2)
    assert time.monotonic() - began < 10
    assert caught.value.evidence == ("no module named x",)


def test_ctrl_c_while_a_replica_starts_puts_it_back(
    stack: Stack, replicas: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = Stack.wait_for_replicas

    def serves_now(*words: object) -> None:
        monkeypatch.setattr(Stack, "wait_for_replicas", waits)
        raise KeyboardInterrupt

    monkeypatch.setattr(Stack, "wait_for_replicas", serves_now)
    with pytest.raises(KeyboardInterrupt):
        rolling.restart_rolling(stack, print)
    assert replicas.told == ["drain 1", "enable 1"]


def test_nobody_else_changes_replicas_between_two_restarts(
    stack: Stack, replicas: Replicas
) -> None:
    other = Stack(stack.state, stack.record, Secrets())

    def progress(line: str) -> None:
        if line == "restarting replica 2":
            with pytest.raises(StackError, match="is changing the replicas of one"):
                rolling.restart(other, 3)
            steps.append(line)

    steps: list[str] = []
    assert rolling.restart_rolling(stack, progress) == [1, 2, 3]
    assert steps == ["restarting replica 2"]


def test_the_only_replica_is_restarted_when_that_is_said(stack: Stack, replicas: Replicas) -> None:
    stack.save(replicas=1)
    steps: list[str] = []
    assert rolling.restart_rolling(stack, steps.append) == [1]
    assert steps == ["restarting replica 1, the only one: requests fail meanwhile"]
    with pytest.raises(UsageError, match="every request fails") as caught:
        rolling.require_another(stack)
    assert "placement-harness scale 2 --name one" in caught.value.remedy


# More and fewer


def test_new_replicas_get_requests_when_they_serve(stack: Stack, replicas: Replicas) -> None:
    rolling.scale(stack, 5, print)
    assert replicas.enabled == {1, 2, 3, 4, 5}
    assert (replicas.record.replicas, replicas.services) == (5, {1, 2, 3, 4, 5})
    rolling.scale(stack, 1, print)
    assert replicas.enabled == {1}
    assert (replicas.record.replicas, replicas.services) == (1, {1})


def test_as_many_as_there_are_are_put_in_rotation(stack: Stack, replicas: Replicas) -> None:
    """A restarted Apache has lost its balancer settings."""
    replicas.enabled = {1, 7}
    rolling.scale(stack, 3, print)
    assert replicas.enabled == {1, 2, 3}


def test_a_new_replica_that_does_not_serve_is_kept_for_a_look(
    stack: Stack, replicas: Replicas
) -> None:
    replicas.silent.add(5)
    with pytest.raises(StackError, match="Replica 5 did not serve"):
        rolling.scale(stack, 5, print)
    assert replicas.enabled == {1, 2, 3, 4}
    assert replicas.record.replicas == 5


def test_ctrl_c_while_replicas_are_added_removes_them(
    stack: Stack, replicas: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stack, "wait_for_replicas", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rolling.scale(stack, 5, print)
    assert replicas.enabled == {1, 2, 3}
    assert (replicas.record.replicas, replicas.services) == (3, {1, 2, 3})


@pytest.mark.parametrize("error", [StackError, KeyboardInterrupt])
def test_replicas_that_are_not_removed_after_all_go_on(
    stack: Stack, replicas: Replicas, error: type[BaseException]
) -> None:
    replicas.busy.add(2)
    replicas.error = error("x", "y")
    with pytest.raises(error):
        rolling.scale(stack, 1, print)
    assert replicas.enabled == {1, 2, 3}
    assert replicas.record.replicas == 3


def test_what_another_process_changed_is_known(stack: Stack, replicas: Replicas) -> None:
    rolling.scale(Stack(stack.state, stack.record, Secrets()), 2, print)
    rolling.scale(stack, 4, print)
    assert replicas.enabled == {1, 2, 3, 4}
