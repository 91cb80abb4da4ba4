"""Bringing up and taking down, with a fake docker: whatever fails, nothing is left."""

import threading
import time
from collections.abc import Callable

import pytest

from harness.config.plan import Plan
from harness.core import deadline, memory
from harness.core.deadline import Cancelled, cancellable
from harness.core.errors import BuildError, EngineError, HarnessError, StackError
from harness.engine import install
from harness.stack.handle import Stack
from harness.stack.lifecycle import teardown, up
from harness.stack.model.state import StackState
from harness.targets.stack import StackTarget
from tests.fakes.machine import Machine, fails
from tests.fakes.quick_engine import TAKEN, UP, WELL, downs, nothing_left, quick, ups

_quick = pytest.fixture(autouse=True)(quick)


FRESH = Plan(replicas=2, name="one")


def test_a_fresh_stack_is_up_ready_and_locked(machine: Machine) -> None:
    stack = up.bring_up(FRESH, machine.steps.append)
    assert stack.record.ready
    assert StackState("one").record() == stack.record
    assert not StackState("one").acquire()
    assert machine.steps[0].startswith("starting one: 2 replicas behind http://127.0.0.1:")
    assert machine.steps[-1].startswith("ready after ")
    stack.unwatch()
    teardown.take_down(stack.state, machine.steps.append)
    assert downs(machine) == 1
    assert nothing_left()


def test_a_machine_with_less_memory_than_the_stack_takes_is_told_before(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available_gib", lambda: 0.5)
    stack = up.bring_up(FRESH, machine.steps.append)
    assert machine.steps[0] == (
        "this stack takes about 0.6 GiB of memory, and 0.5 are available here: fewer workers (-n) "
        "or replicas take less"
    )
    stack.unwatch()
    teardown.take_down(stack.state, machine.steps.append)


def test_one_replica_is_not_several(machine: Machine) -> None:
    stack = up.bring_up(Plan(replicas=1, name="one"), machine.steps.append)
    assert machine.steps[0].startswith("starting one: 1 replica behind http://127.0.0.1:")
    stack.unwatch()
    teardown.take_down(stack.state, machine.steps.append)


@pytest.mark.parametrize("lifetime", ["keep", "reuse"])
def test_a_stack_that_is_kept_is_locked_until_it_is_left(machine: Machine, lifetime: str) -> None:
    plan = Plan(replicas=2, lifetime=lifetime, name="one")  # type: ignore[arg-type]
    stack = up.bring_up(plan, machine.steps.append)
    with pytest.raises(StackError, match="The stack one is in use by process"):
        up.bring_up(plan, machine.steps.append)
    up.leave(stack)
    again = up.bring_up(Plan(replicas=2, lifetime="reuse", name="one"), print)
    assert ups(machine) == 1
    assert again.record == stack.record
    up.leave(again)
    with pytest.raises(StackError, match="A stack one is there already, with all that is in it"):
        up.bring_up(Plan(replicas=2, lifetime="keep", name="one"), print)
    assert (ups(machine), downs(machine)) == (1, 0)


# Whatever fails


def no_images(*_: object) -> list[str]:
    raise BuildError("No image.", "Build one.")


def no_token(self: Stack, timeout: float) -> str:
    raise StackError("Connection refused.", "Wait.")


DIED = (
    '{"Actor":{"ID":"c1","Attributes":{"name":"one-mariadb-1","exitCode":"1",'
    '"com.docker.compose.service":"mariadb","com.docker.compose.container-number":"1"}}}'
)


@pytest.mark.parametrize("lifetime", ["fresh", "keep", "reuse"])
@pytest.mark.parametrize(
    ("docker", "patches", "kind", "words"),
    [
        ({"version*": fails("no")}, {}, EngineError, "`docker version` failed"),
        ({}, {"ensure_images": no_images}, BuildError, "No image."),
        ({UP: fails("Error: no such device")}, {}, StackError, "containers could not be started"),
        ({UP: fails("write x: no space left on device")}, {}, BuildError, "The disk is full"),
        ({}, {"token": no_token}, StackError, "keystone gave no token within 1 s"),
        ({"events*": f"echo '{DIED}'; exec /bin/sleep 60"}, {"token": no_token}, StackError,
         r"mariadb \(one-mariadb-1\) exited with code 1 while the stack was starting"),
    ],
    ids=["engine", "images", "compose", "disk", "token", "death"],
)  # fmt: skip
def test_whatever_fails_everything_is_taken_down(
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    docker: dict[str, str],
    patches: dict[str, Callable[..., object]],
    kind: type[HarnessError],
    words: str,
    lifetime: str,
) -> None:
    for name, patch in patches.items():
        monkeypatch.setattr(Stack if name == "token" else up, name, patch)
    machine.has("docker", {**docker, **WELL, **docker})
    plan = Plan(replicas=2, lifetime=lifetime, name="one")  # type: ignore[arg-type]
    with pytest.raises(kind, match=words):
        up.bring_up(plan, machine.steps.append)
    assert nothing_left()
    # What was begun is ended, and what was not is not.
    assert downs(machine) == min(ups(machine), 1)
    assert StackState("one").acquire()


def test_a_start_that_takes_long_says_what_it_waits_for(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "NEWS_SECONDS", 0.1)
    monkeypatch.setattr(
        Stack, "asks_replica", lambda self, replica, timeout: "503" if replica.number == 2 else None
    )
    with pytest.raises(StackError, match="Replica 2 did not serve"):
        up.bring_up(FRESH, machine.steps.append)
    assert "waiting for replica 2 (1 s)" in machine.steps


def test_a_replica_that_never_serves_takes_everything_down(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stack, "asks_replica", lambda self, *which: "503 Service Unavailable")
    with pytest.raises(StackError, match="Replica 1 did not serve within 1 s"):
        up.bring_up(FRESH, machine.steps.append)
    assert downs(machine) == 1
    assert nothing_left()
    assert "Replica 1 did not serve" in machine.steps[-2]


def test_an_interrupt_while_waiting_takes_everything_down(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: Stack, timeout: float) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(Stack, "token", interrupted)
    machine.has("docker", {UP: "/bin/sleep 0.3; echo done", **WELL})
    with pytest.raises(KeyboardInterrupt):
        up.bring_up(FRESH, machine.steps.append)
    # Compose had ended before anything was removed.
    order = [call for call in machine.calls if " up --detach" in call or " down " in call]
    assert [" down " in call for call in order] == [False, True]
    assert nothing_left()


def test_a_start_that_is_cancelled_takes_everything_down(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stack, "token", no_token)
    monkeypatch.setattr(up, "READY_SECONDS", 60.0)
    target = StackTarget(FRESH, machine.steps.append)
    raised: list[BaseException] = []

    def start() -> None:
        try:
            target.start()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    end = time.monotonic() + 20
    while not ups(machine) and time.monotonic() < end:
        time.sleep(0.02)
    target.cancel()
    thread.join(20)
    assert [type(error) for error in raised] == [Cancelled]
    assert downs(machine) == 1
    assert nothing_left()
    target.stop()


def test_a_command_that_takes_long_is_cancelled(machine: Machine) -> None:
    machine.has("docker", {"version*": "exec /bin/sleep 60"})
    wish = threading.Event()
    threading.Timer(0.2, wish.set).start()
    with cancellable(wish), pytest.raises(Cancelled):
        install.engine_problem()


# The port


def taken_once(machine: Machine) -> None:
    once = machine.home / "once"
    do = f"if [ -e {once} ]; then echo up; else : > {once}; {TAKEN}; fi"
    machine.has("docker", {UP: do, **WELL})


def test_a_port_that_was_taken_meanwhile_is_changed_for_another(machine: Machine) -> None:
    taken_once(machine)
    stack = up.bring_up(FRESH, machine.steps.append)
    starts = [step for step in machine.steps if step.startswith("starting")]
    assert len(set(starts)) == 2
    assert "choosing another one" in " ".join(machine.steps)
    assert downs(machine) == 1
    assert not StackState("one").acquire(), "the second one is owned as well"
    teardown.take_down(stack.state, machine.steps.append)
    stack.unwatch()


def test_a_port_that_was_asked_for_is_not_changed(machine: Machine) -> None:
    taken_once(machine)
    with pytest.raises(StackError, match="Another program listens on the port") as caught:
        up.bring_up(Plan(replicas=1, name="one", port=4711), machine.steps.append)
    remedy = caught.value.remedy
    assert "--stack-port (pytest) or --port (placement-harness up)" in remedy
    assert "port is already allocated" in caught.value.evidence[-1]
    assert ups(machine) == 1
    assert nothing_left()


def test_ports_that_are_always_taken_are_given_up(machine: Machine) -> None:
    machine.has("docker", {UP: TAKEN, **WELL})
    with pytest.raises(StackError, match="Another program listens"):
        up.bring_up(FRESH, machine.steps.append)
    assert ups(machine) == up.PORT_ATTEMPTS
    assert nothing_left()
