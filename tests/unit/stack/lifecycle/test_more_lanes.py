"""A stack that runs gets more lanes, and keeps its data."""

from dataclasses import replace

import pytest

from harness.config.plan import Lane, Plan
from harness.core.errors import StackError
from harness.stack import project
from harness.stack.handle import Stack
from harness.stack.lifecycle import more_lanes, up
from harness.stack.model.record import Record
from harness.stack.model.state import StackState
from tests.fakes.engine import container, lists
from tests.fakes.machine import Machine, fails
from tests.fakes.quick_engine import UP, WELL, downs, quick, ups

_quick = pytest.fixture(autouse=True)(quick)
PLAIN = Plan(replicas=2, lifetime="reuse", name="one")
WITH_LANES = replace(PLAIN, lanes=(Lane("1"), Lane("2")))


@pytest.fixture(autouse=True)
def schemas(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The schemas that were added to the database."""
    added: list[str] = []
    monkeypatch.setattr(more_lanes, "copy_schema", lambda _, name: added.append(name))
    monkeypatch.setattr(Stack, "database", lambda *_, **__: None)
    return added


def known() -> Record:
    record = StackState("one").record()
    assert record is not None
    return record


def running(machine: Machine, **more: str) -> None:
    """Let the engine list the containers of the stack."""
    own = str(StackState("one").directory)
    names = ("apache-1", "placement-1", "placement-2")
    parts = [container(f"one-{name}", directory=own) for name in names]
    machine.has("docker", {**more, "ps*": lists(*parts), **WELL})


def test_a_stack_of_up_gets_a_lane_for_a_second_worker_and_is_not_started_anew(
    machine: Machine, schemas: list[str]
) -> None:
    up.leave(up.bring_up(PLAIN, print))
    running(machine)
    port = known().port
    stack = up.bring_up(WITH_LANES, machine.steps.append)
    assert schemas == ["placement_2"]
    assert (ups(machine), downs(machine)) == (2, 0)
    last = [call for call in machine.calls if " up --detach" in call][-1]
    # Not the database.
    assert last.endswith(" --no-deps apache placement-1 placement-2")
    assert stack.record.lanes == {"1": port, "2": stack.record.lanes["2"]}
    assert stack.url("1") == f"http://127.0.0.1:{port}"
    services = project.load(stack.state)["services"]
    assert services["apache"]["environment"]["LANES"] == "2:8081:2"
    assert "8081" in services["placement-2"]["environment"]["LANES"]
    assert stack.state.policy_file("1").exists()
    assert stack.state.policy_file("2").exists()
    assert any("adding lane 2 to one" in step for step in machine.steps)
    up.leave(stack)


def test_lanes_that_are_there_are_taken_as_they_are(machine: Machine, schemas: list[str]) -> None:
    up.leave(up.bring_up(PLAIN, print))
    running(machine)
    up.leave(up.bring_up(WITH_LANES, print))
    three = replace(WITH_LANES, lanes=(Lane("1"), Lane("2"), Lane("3")))
    up.leave(up.bring_up(three, print))
    up.leave(up.bring_up(WITH_LANES, print))
    assert schemas == ["placement_2", "placement_3"]
    assert sorted(known().lanes) == ["1", "2", "3"]
    apache = project.load(StackState("one"))["services"]["apache"]
    assert len(apache["ports"]) == 2


def test_replicas_and_lanes_can_be_asked_for_at_once(machine: Machine) -> None:
    up.leave(up.bring_up(PLAIN, print))
    running(machine)
    stack = up.bring_up(replace(WITH_LANES, replicas=3, sources={"replicas": "option"}), print)
    assert (stack.record.replicas, sorted(stack.record.lanes)) == (3, ["1", "2"])
    up.leave(stack)


def test_a_stack_that_cannot_have_lanes_is_as_it_was(machine: Machine) -> None:
    up.leave(up.bring_up(PLAIN, print))
    state, before = StackState("one"), known()
    described = state.compose_file.read_text()
    running(machine, **{f"{UP}placement-2": fails("no memory")})
    with pytest.raises(StackError):
        up.bring_up(WITH_LANES, print)
    assert known() == before
    assert state.compose_file.read_text() == described
    assert downs(machine) == 0
    assert state.acquire()
