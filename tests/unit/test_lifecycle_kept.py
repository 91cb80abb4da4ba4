"""What is done with a stack that was left running."""

import os
import threading
from dataclasses import replace

import pytest
from _engine import UP, WELL, downs, quick, ups
from _machine import Machine, fails, fresh_machine

from harness import state as state_module
from harness.errors import StackError
from harness.plan import Plan
from harness.record import Record
from harness.stack import code, kept, lifecycle
from harness.stack.balancer import Balancer
from harness.stack.stack import Stack
from harness.state import StackState

machine = pytest.fixture(fresh_machine)
_quick = pytest.fixture(autouse=True)(quick)


def known(state: StackState) -> Record:
    record = state.record()
    assert record is not None
    return record


def test_a_kept_stack_is_taken_with_as_many_replicas_as_it_has(machine: Machine) -> None:
    lifecycle.leave(lifecycle.bring_up(Plan(replicas=2, lifetime="reuse", name="one"), print))
    plan = Plan(lifetime="reuse", name="one", sources={"replicas": "default"})
    again = lifecycle.bring_up(plan, machine.steps.append)
    assert again.record.replicas == 2
    lifecycle.leave(again)


def test_a_kept_stack_that_is_not_whole_is_mended_and_keeps_its_data(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(replicas=2, lifetime="reuse", name="one")
    lifecycle.leave(lifecycle.bring_up(plan, print))
    monkeypatch.setattr(Stack, "whole", lambda self: False)
    lifecycle.leave(lifecycle.bring_up(plan, machine.steps.append))
    assert "one is not whole: starting what has stopped" in machine.steps
    assert " up --detach --no-build --pull never --quiet-pull --no-recreate" in machine.calls[-1]
    assert downs(machine) == 0


def test_a_kept_stack_that_is_mended_has_no_replica_with_the_code_of_before(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(replicas=2, lifetime="reuse", name="one")
    stack = lifecycle.bring_up(plan, print)
    (whose,) = stack.record.placements
    edited = replace(whose, code=str(stack.state.directory / "code-1"))
    stack.save(placements=(whose, edited))
    (stack.state.directory / "code-1.unloaded").touch()
    lifecycle.leave(stack)
    monkeypatch.setattr(code, "take_up", lambda *_: [edited])
    monkeypatch.setattr(kept, "_other_placement", lambda *_: None)
    monkeypatch.setattr(Stack, "whole", lambda self: False)
    calls = len(machine.calls)
    lifecycle.leave(lifecycle.bring_up(plan, print))
    done = [call for call in machine.calls[calls:] if " stop " in call or " up " in call]
    assert done[0] == "docker stop --time 5 one-placement-2"
    assert " up --detach" in done[1]
    assert not code.is_unloaded(edited)


@pytest.mark.parametrize("whole", [True, False])
def test_a_kept_stack_has_all_its_replicas_in_rotation(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    """Whatever was broken off before, or has made Apache forget who is."""
    plan = Plan(replicas=2, lifetime="reuse", name="one")
    stack = lifecycle.bring_up(plan, print)
    stack.save(leaving=(2,))
    lifecycle.leave(stack)
    told: list[object] = []
    monkeypatch.setattr(Stack, "whole", lambda self: whole)
    monkeypatch.setattr(Balancer, "only", lambda self, replicas: told.append([*replicas]))
    stack = lifecycle.bring_up(plan, print)
    assert told == [[1, 2]]
    assert stack.record.leaving == ()
    lifecycle.leave(stack)


def test_a_stack_whose_replicas_are_being_changed_is_taken_after_that(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_module, "SETTLE_SECONDS", 10.0)
    plan = Plan(replicas=2, lifetime="reuse", name="one", sources={"replicas": "default"})
    lifecycle.leave(lifecycle.bring_up(plan, print))
    changing = StackState("one").changing()
    changing.__enter__()

    def done() -> None:
        state = StackState("one")
        state.save(replace(known(state), replicas=5))
        changing.__exit__(None, None, None)

    threading.Timer(0.3, done).start()
    stack = lifecycle.bring_up(plan, machine.steps.append)
    assert stack.record.replicas == 5
    assert f"waiting for process {os.getpid()}, which changes one" in machine.steps
    lifecycle.leave(stack)


def test_a_kept_stack_that_cannot_be_mended_is_not_removed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(replicas=2, lifetime="reuse", name="one")
    lifecycle.leave(lifecycle.bring_up(plan, print))
    monkeypatch.setattr(Stack, "whole", lambda self: False)
    machine.has("docker", {UP: fails("no such network"), **WELL})
    with pytest.raises(StackError, match="was kept, but does not serve any more") as caught:
        lifecycle.bring_up(plan, machine.steps.append)
    assert "placement-harness down --name one" in caught.value.remedy
    assert downs(machine) == 0
    assert StackState("one").record() is not None


def test_a_kept_stack_whose_images_have_changed_is_started_anew(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    reuse = Plan(replicas=2, lifetime="reuse", name="one")
    lifecycle.leave(lifecycle.bring_up(reuse, machine.steps.append))
    monkeypatch.setattr(kept, "made_of", lambda *_: "something else")
    monkeypatch.setattr(lifecycle, "made_of", lambda *_: "something else")
    stack = lifecycle.bring_up(reuse, machine.steps.append)
    assert (
        "one runs, but its images have changed: starting it anew, with nothing in it"
        in machine.steps
    )
    assert (ups(machine), downs(machine)) == (2, 1)
    assert stack.record.made_of == "something else"
    lifecycle.leave(stack)
