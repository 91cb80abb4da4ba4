"""A kept stack that has stopped: its port, its images and its data may be gone by now."""

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.config.plan import Plan
from harness.core import ports
from harness.core.errors import StackError
from harness.stack.handle import Stack
from harness.stack.lifecycle import mending, up
from harness.stack.model.state import StackState
from tests.fakes.engine import container, lists, lists_parts
from tests.fakes.machine import Machine, fails
from tests.fakes.quick_engine import CONFIG, PROJECT, UP, WELL, downs, quick, ups

_quick = pytest.fixture(autouse=True)(quick)
PLAN = Plan(replicas=2, lifetime="reuse", name="one")


@pytest.fixture
def port() -> Iterator[int]:
    """A port that this process listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def stopped(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> StackState:
    """A stack that was kept, and whose containers have stopped since."""
    up.leave(up.bring_up(PLAN, print))
    monkeypatch.setattr(Stack, "whole", lambda self: False)
    return StackState("one")


def test_the_process_that_has_a_port_is_found(port: int) -> None:
    holder = ports.holder(port)
    assert holder is not None
    assert "process" in holder
    assert not ports.is_free(port)


def listens_at(state: StackState, port: int) -> None:
    record = state.record()
    assert record is not None
    state.save(replace(record, port=port))


def test_a_port_that_was_taken_meanwhile_is_said_and_nothing_is_started(
    machine: Machine, stopped: StackState, port: int
) -> None:
    listens_at(stopped, port)
    record, calls = stopped.record(), len(machine.calls)
    with pytest.raises(StackError) as caught:
        up.bring_up(PLAN, print)
    assert f"port {port}, where it listens, was taken meanwhile by " in caught.value.problem
    assert f"{ports.holder(port)}" in caught.value.problem
    assert "was left as it is, with its data" in caught.value.problem
    assert not [call for call in machine.calls[calls:] if " up " in call or " rm " in call]
    assert stopped.record() == record


def test_a_container_that_has_the_port_is_named(
    machine: Machine, stopped: StackState, port: int
) -> None:
    listens_at(stopped, port)
    other = container("web-1", "web", ports=f"127.0.0.1:{port}->80/tcp", stack="", directory="")
    plain = lists(other).replace("\t\t'", "'")
    machine.has("docker", {"ps*label*": "exit 0", "ps*": plain, **WELL})
    with pytest.raises(StackError, match="was taken meanwhile by the container web-1"):
        up.bring_up(PLAN, print)


def test_a_proxy_that_runs_has_its_port_itself(
    machine: Machine, stopped: StackState, port: int
) -> None:
    listens_at(stopped, port)
    mine = container("one-apache-1", directory=str(stopped.directory))
    machine.has("docker", {"ps*": lists(mine), **WELL})
    up.leave(up.bring_up(PLAN, print))


def test_a_port_that_was_asked_for_and_is_taken_is_said_before_anything_is_started(
    machine: Machine, port: int
) -> None:
    with pytest.raises(StackError, match=f"Port {port} is taken, by ") as caught:
        up.bring_up(Plan(replicas=1, name="one", port=port), print)
    assert "--stack-port" in caught.value.remedy
    assert ups(machine) == 0
    assert not StackState("one").directory.exists()


def test_images_that_were_pruned_are_built_again(
    machine: Machine, stopped: StackState, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[object] = []
    monkeypatch.setattr(mending, "ensure_images", lambda contents, _: built.append(contents))
    up.leave(up.bring_up(PLAN, print))
    assert len(built) == 1


@pytest.mark.parametrize("there", [True, False])
def test_data_that_were_pruned_are_said_to_be_gone(
    machine: Machine, stopped: StackState, there: bool
) -> None:
    described = {**PROJECT, "x-replica": {}, "x-settings": {}}
    volumes = {"database": {"name": "one_database"}, "code": {"name": "code", "external": True}}
    stopped.compose_file.write_text(json.dumps({**described, "volumes": volumes}))
    listed = lists_parts(stopped.directory, "one_database") if there else "exit 0"
    machine.has("docker", {"volume ls*placement-harness.stack=one*": listed, **WELL})
    up.leave(up.bring_up(PLAN, machine.steps.append))
    said = [step for step in machine.steps if "the data of one are gone" in step]
    assert bool(said) is not there
    assert downs(machine) == 0


@pytest.mark.parametrize(
    "words",
    [
        "Error response from daemon: No such container: 4a5b",
        "network one_default not found",
        "No such image: placement-harness/apache:aa",
    ],
)
def test_a_prune_beside_a_start_is_named_as_the_likely_cause(machine: Machine, words: str) -> None:
    machine.has("docker", {UP: fails(words), "compose*config*": CONFIG, **WELL})
    with pytest.raises(StackError) as caught:
        up.bring_up(Plan(replicas=1, name="one"), print)
    assert "`docker system prune` beside this run" in caught.value.remedy
    assert not (Path(StackState("one").directory)).exists()
