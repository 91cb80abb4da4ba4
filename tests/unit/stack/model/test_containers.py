"""Containers of a stack are found by their labels, whatever their names are."""

from pathlib import Path

import pytest

from harness.core.errors import EngineError, StackError
from harness.stack.model import containers
from harness.stack.model.lanes import ReplicaId
from harness.stack.model.state import StackState
from tests.fakes.engine import container, lists
from tests.fakes.machine import Machine, fails

THIRD = ReplicaId.first(3)


@pytest.fixture
def state(tmp_path: Path) -> StackState:
    return StackState("one", tmp_path)


def test_containers_of_another_users_stack_of_this_name_are_left_out(
    machine: Machine, state: StackState
) -> None:
    own = container("x", "apache", directory=str(state.directory))
    theirs = container("y", "apache", directory="/elsewhere/one")
    machine.has("docker", {"ps*": lists(own, theirs, container("z", "apache"))})
    assert [found.name for found in containers.of_stack(state)] == ["x"]
    assert containers.of_service(state, "apache").name == "x"
    machine.has("docker", {"ps*": lists(theirs)})
    assert containers.of_stack(state) == []


def test_a_stack_that_was_started_by_hand_has_numbers_of_replicas_too(
    machine: Machine, state: StackState
) -> None:
    rows = [container(f"any-{number}", "placement", number=number) for number in (1, 2)]
    machine.has("docker", {"ps*": lists(*rows, container("other", "keystone"))})
    found = containers.of_replicas(state, [ReplicaId("2", 2), ReplicaId.first(2)])
    assert [one.name for one in found] == ["any-2"], "replicas of one number share a container"
    assert containers.number_of(containers.of_service(state, "keystone")) is None


def test_what_is_missing_is_named(machine: Machine, state: StackState) -> None:
    machine.has("docker", {"ps*": lists(container("x", "apache"))})
    with pytest.raises(StackError, match="one has no container of placement-3"):
        containers.of_replica(state, THIRD)
    with pytest.raises(StackError, match=r"etcd of the stack one has no address: .*no container"):
        containers.address(state, "etcd", 2379, "etcd")
    with pytest.raises(StackError, match="its container is running, and publishes no port 80"):
        containers.address(state, "apache", 80, "Apache")


def test_containers_that_cannot_be_listed_are_an_error(machine: Machine, state: StackState) -> None:
    machine.has("docker", {"ps*": fails("it is too late"), "version*": "echo 28.0.0"})
    with pytest.raises(EngineError, match="containers of one could not be listed: it is too late"):
        containers.of_stack(state)
