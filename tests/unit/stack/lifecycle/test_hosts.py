"""Life of a stack on two hosts, with a fake docker: nothing is left on either."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from harness.cli.program import main
from harness.config.plan import Plan
from harness.core.errors import StackError, UsageError
from harness.engine import command
from harness.stack.lifecycle import teardown, up
from harness.stack.model import hosts
from harness.stack.model.state import StackState
from tests.fakes.engine import container, lists
from tests.fakes.hosts import HOSTS, A, B
from tests.fakes.machine import Machine, fails
from tests.fakes.quick_engine import CONFIG, TAKEN, WELL, nothing_left, quick

_quick = pytest.fixture(autouse=True)(quick)
PLAN = Plan(replicas=2, name="one", hosts=("a", "b"))
ON = {f"* {pattern}": do for pattern, do in WELL.items()}
IMAGES = "*image ls*"
# Images that are on each host already.
THERE = {"*compose*config*": CONFIG, "*events*": "exec /bin/sleep 60"}


@pytest.fixture(autouse=True)
def delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "deliver", lambda *_: None)


def docker(machine: Machine, **more: str) -> None:
    answers = {name.replace("_", " "): do for name, do in more.items()}
    machine.has("docker", {**answers, **HOSTS, **WELL, **THERE})


@pytest.fixture
def running(machine: Machine) -> Iterator[StackState]:
    docker(machine)
    stack = up.bring_up(replace(PLAN, lifetime="keep"), machine.steps.append)
    up.leave(stack)
    machine.calls_file.write_text("")
    yield stack.state
    stack.unwatch()


def calls(machine: Machine, word: str) -> list[str]:
    """The contexts in which docker was told this."""
    return sorted(call.split()[2] for call in machine.calls if f" {word} " in f"{call} ")


def test_each_host_starts_its_own_services_of_one_project(machine: Machine) -> None:
    docker(machine)
    stack = up.bring_up(PLAN, machine.steps.append)
    starts = sorted(call for call in machine.calls if " up --detach" in call)
    assert ["--context a " in starts[0], "--profile host-1 " in starts[0]] == [True, True]
    assert ["--context b " in starts[1], "--profile host-2 " in starts[1]] == [True, True]
    assert machine.steps[0].startswith("starting one: 2 replicas behind http://192.0.2.1:")
    assert stack.state.hosts == (A, B)
    assert calls(machine, "events") == ["a", "b"], "deaths on both hosts are noticed"
    stack.unwatch()
    teardown.take_down(stack.state, machine.steps.append)
    assert calls(machine, "down") == ["a", "b"]
    assert nothing_left()


@pytest.mark.parametrize("host", ["a", "b"])
@pytest.mark.parametrize("failure", [fails("Error: no such device"), TAKEN])
def test_a_host_that_cannot_start_its_part_takes_both_down(
    machine: Machine, host: str, failure: str
) -> None:
    docker(machine, **{f"--context_{host}*compose*up*--detach*": failure})
    with pytest.raises(StackError):
        up.bring_up(PLAN, machine.steps.append)
    assert {*calls(machine, "down")} == {"a", "b"}
    assert nothing_left()


def test_a_bad_host_leaves_nothing(machine: Machine) -> None:
    docker(machine)
    with pytest.raises(UsageError, match="--host x: docker has no context"):
        up.bring_up(replace(PLAN, hosts=("a", "x")), machine.steps.append)
    assert nothing_left()


@pytest.mark.usefixtures("running")
def test_a_kept_stack_is_taken_again_on_its_hosts_and_refused_on_others(machine: Machine) -> None:
    again = replace(PLAN, lifetime="reuse", sources={"host": "option"})
    stack = up.bring_up(again, machine.steps.append)
    up.leave(stack)
    stack.unwatch()
    with pytest.raises(StackError, match="runs, but it is on a and b, not on a"):
        up.bring_up(replace(again, hosts=("a",)), machine.steps.append)


def loses_b(machine: Machine, state: StackState) -> None:
    """Let the engine of b be gone, while that of a has a container."""
    part = container("one-placement-1", directory=str(state.directory))
    silent = fails("Cannot connect to the Docker daemon")
    docker(machine, **{"--context_b*": silent, "--context_a*ps*": lists(part)})


LEFT = (
    "b does not answer: what one has there is not removed. Once its engine answers again: "
    "placement-harness reap."
)


def test_a_host_that_is_away_at_the_removal_is_named_and_reap_removes_the_rest(
    machine: Machine, running: StackState
) -> None:
    loses_b(machine, running)
    with pytest.raises(StackError) as caught:
        teardown.take_down(running, machine.steps.append)
    running.release()
    assert str(caught.value) == LEFT
    assert any("--context a container rm" in call.replace("remove", "rm") for call in machine.calls)
    docker(machine)
    assert teardown.reap(machine.steps.append) == ["one"]
    assert nothing_left()


def test_down_removes_what_it_can(
    machine: Machine, running: StackState, capsys: pytest.CaptureFixture[str]
) -> None:
    loses_b(machine, running)
    with pytest.raises(SystemExit) as ended:
        main(["down", "--name", "one"])
    assert ended.value.code == 70
    assert LEFT in capsys.readouterr().err
    record = running.record()
    assert record is not None, "what is on b has to be removed later"
    assert not record.ready


def test_a_host_that_hangs_is_not_waited_for(
    machine: Machine, running: StackState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "SURVEY_SECONDS", 0.2)
    docker(machine, **{"--context_b*": "exec /bin/sleep 60"})
    with pytest.raises(StackError, match="b does not answer"):
        teardown.take_down(running, machine.steps.append)
    running.release()
    docker(machine)
    assert teardown.reap(machine.steps.append) == ["one"]


def test_what_a_killed_start_left_on_both_hosts_is_removed(machine: Machine) -> None:
    docker(machine)
    state = StackState("one")
    state.lock()
    hosts.write(state.directory, (A, B))
    state.release()
    assert teardown.reap(machine.steps.append) == ["one"]
    assert {"a", "b"} <= {*calls(machine, "ps")}
    assert nothing_left()
