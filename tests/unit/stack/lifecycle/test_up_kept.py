"""What is done with a stack that was left running."""

import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.config.plan import Plan
from harness.core.errors import StackError, TargetError
from harness.core.paths import ROOT
from harness.stack.clients.apache_balancer import Balancer
from harness.stack.handle import Stack
from harness.stack.images import catalogue
from harness.stack.lifecycle import reuse, up
from harness.stack.model import state as state_module
from harness.stack.model.record import Record
from harness.stack.model.state import StackState
from harness.stack.operations import code_reload
from tests.fakes.engine import container, lists
from tests.fakes.machine import Machine, fails
from tests.fakes.quick_engine import UP, WELL, downs, quick, ups

_quick = pytest.fixture(autouse=True)(quick)


def known(state: StackState) -> Record:
    record = state.record()
    assert record is not None
    return record


def change_images(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the project's images be made of something else from now on."""
    shutil.copytree(ROOT / "services", folder / "services")
    monkeypatch.setattr(catalogue, "SERVICES", folder / "services")
    (folder / "services/memcached/Dockerfile").write_text("# changed")


def test_a_kept_stack_is_taken_with_as_many_replicas_as_it_has(machine: Machine) -> None:
    up.leave(up.bring_up(Plan(replicas=2, lifetime="reuse", name="one"), print))
    plan = Plan(lifetime="reuse", name="one", sources={"replicas": "default"})
    again = up.bring_up(plan, machine.steps.append)
    assert again.record.replicas == 2
    up.leave(again)


def test_a_stack_whose_keystone_takes_seconds_is_not_taken_for_gone(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    up.leave(up.bring_up(Plan(replicas=2, lifetime="reuse", name="one"), print))

    def slow(self: Stack, timeout: float) -> str:
        if timeout < 4:
            raise TargetError("keystone does not answer.", "Check OS_AUTH_URL.")
        return "a token"

    monkeypatch.setattr(Stack, "token", slow)
    stack = reuse.running_stack(StackState("one"))
    assert stack is not None
    stack.close()


def test_a_kept_stack_that_is_not_whole_is_mended_and_keeps_its_data(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(replicas=2, lifetime="reuse", name="one")
    up.leave(up.bring_up(plan, print))
    monkeypatch.setattr(Stack, "whole", lambda self: False)
    up.leave(up.bring_up(plan, machine.steps.append))
    assert "one is not whole: starting what has stopped" in machine.steps
    started = " up --detach --no-build --pull never --quiet-pull --no-recreate"
    assert [started in call for call in machine.calls].count(True) == 1
    assert downs(machine) == 0


def test_a_kept_stack_that_is_mended_has_no_replica_with_the_code_of_before(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(replicas=2, lifetime="reuse", name="one")
    stack = up.bring_up(plan, print)
    (whose,) = stack.record.placements
    edited = replace(whose, code=str(stack.state.directory / "code-1"))
    stack.save(placements=(whose, edited))
    (stack.state.directory / "code-1.unloaded").touch()
    up.leave(stack)
    monkeypatch.setattr(code_reload, "take_up", lambda *_: [edited])
    monkeypatch.setattr(reuse, "_other_placement", lambda *_: None)
    monkeypatch.setattr(Stack, "whole", lambda self: False)
    own = str(stack.state.directory)
    replicas = [container(f"one-placement-{number}", directory=own) for number in (1, 2)]
    machine.has("docker", {**WELL, "ps*": lists(*replicas)})
    calls = len(machine.calls)
    up.leave(up.bring_up(plan, print))
    done = [call for call in machine.calls[calls:] if " stop " in call or " up " in call]
    assert done[0] == "docker stop --time 5 one-placement-2"
    assert " up --detach" in done[1]
    assert not code_reload.is_unloaded(edited)


@pytest.mark.parametrize("whole", [True, False])
def test_a_kept_stack_has_all_its_replicas_in_rotation(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    """An operation may have been broken off before, or Apache restarted."""
    plan = Plan(replicas=2, lifetime="reuse", name="one")
    stack = up.bring_up(plan, print)
    up.leave(stack)
    told: list[object] = []
    monkeypatch.setattr(Stack, "whole", lambda self: whole)
    monkeypatch.setattr(Balancer, "only", lambda self, replicas: told.append([*replicas]))
    stack = up.bring_up(plan, print)
    assert told == [[1, 2]]
    up.leave(stack)


def test_a_stack_whose_replicas_are_being_changed_is_taken_after_that(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_module, "SETTLE_SECONDS", 10.0)
    plan = Plan(replicas=2, lifetime="reuse", name="one", sources={"replicas": "default"})
    up.leave(up.bring_up(plan, print))
    changing = StackState("one").changing()
    changing.__enter__()

    def done() -> None:
        state = StackState("one")
        state.save(replace(known(state), replicas=5))
        changing.__exit__(None, None, None)

    threading.Timer(0.3, done).start()
    stack = up.bring_up(plan, machine.steps.append)
    assert stack.record.replicas == 5
    assert f"waiting for process {os.getpid()}, which changes one" in machine.steps
    up.leave(stack)


def test_a_kept_stack_that_cannot_be_mended_is_not_removed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(replicas=2, lifetime="reuse", name="one")
    up.leave(up.bring_up(plan, print))
    monkeypatch.setattr(Stack, "whole", lambda self: False)
    machine.has("docker", {UP: fails("no such network"), **WELL})
    with pytest.raises(StackError, match="was kept, but does not serve any more") as caught:
        up.bring_up(plan, machine.steps.append)
    assert "placement-harness down --name one" in caught.value.remedy
    assert downs(machine) == 0
    assert StackState("one").record() is not None


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"database": "galera"}, "its database is mariadb, not galera"),
        ({"config_source": "file"}, "it is configured by env, not by file"),
        ({"port": 4711}, "it listens on port"),
        ({}, "its images or Compose files have changed since it was started"),
    ],
)
def test_a_kept_stack_that_differs_is_refused_and_keeps_its_data(
    machine: Machine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    difference: str,
) -> None:
    plan = Plan(replicas=2, lifetime="reuse", name="one")
    up.leave(up.bring_up(plan, print))
    record = StackState("one").record()
    if not changes:
        change_images(tmp_path, monkeypatch)
    with pytest.raises(StackError, match=f"The stack one runs, but {difference}") as caught:
        up.bring_up(replace(plan, **changes), print)
    for way in (
        "--stack fresh",
        "--stack replace (pytest) or --replace (placement-harness up)",
        "placement-harness down --name one",
    ):
        assert way in caught.value.remedy
    assert (ups(machine), downs(machine)) == (1, 0)
    assert StackState("one").record() == record
    assert StackState("one").acquire(), "the stack is nobody's once the run has ended"


def test_a_stack_that_does_not_differ_is_taken_by_replace(machine: Machine) -> None:
    up.leave(up.bring_up(Plan(replicas=2, lifetime="keep", name="one"), print))
    up.leave(up.bring_up(Plan(replicas=2, lifetime="replace", name="one"), print))
    assert (ups(machine), downs(machine)) == (1, 0)


def test_a_kept_stack_whose_images_have_changed_is_replaced_by_name(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(replicas=2, lifetime="replace", name="one")
    up.leave(up.bring_up(plan, machine.steps.append))
    change_images(tmp_path, monkeypatch)
    made_of = known(StackState("one")).made_of
    stack = up.bring_up(plan, machine.steps.append)
    assert (
        "one runs, but its images or Compose files have changed since it was started: starting it "
        "anew, with nothing in it" in machine.steps
    )
    assert (ups(machine), downs(machine)) == (2, 1)
    assert stack.record.made_of != made_of
    up.leave(stack)
