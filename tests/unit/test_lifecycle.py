"""Bringing up and taking down, with a fake docker: whatever fails, nothing is left."""

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from _machine import Machine, fails, fresh_machine

from harness import state as state_module
from harness.errors import BuildError, EngineError, HarnessError, StackError
from harness.plan import Plan
from harness.stack import lifecycle, provision, removal
from harness.stack.stack import Stack
from harness.state import Record, Secrets, StackState
from harness.targets.stack import StackTarget
from harness.timing import Cancelled, Deadline, cancellable

machine = pytest.fixture(fresh_machine)

FRESH = Plan(replicas=2, name="one")
UP, DOWN = "compose*up*--detach*", "compose*down*"
WELL = {
    "version*": "echo 28.0.0",
    "compose version*": "echo 2.40.3",
    "events*": "exec /bin/sleep 60",
    "logs*": "echo last words",
}
TAKEN = fails("Bind for 127.0.0.1:1 failed: port is already allocated")


@pytest.fixture(autouse=True)
def _quick(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine on which everything works, and a stack that serves at once."""
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(state_module, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(lifecycle, "READY_SECONDS", 1.0)
    monkeypatch.setattr(lifecycle, "ensure_images", lambda progress: [])
    monkeypatch.setattr(Stack, "token", lambda self: "a token")
    monkeypatch.setattr(Stack, "asks_replica", lambda self, number: None)
    machine.has("docker", WELL)


def downs(machine: Machine) -> int:
    return sum(" down " in f"{call} " for call in machine.calls)


def ups(machine: Machine) -> int:
    return sum(" up --detach" in call for call in machine.calls)


def nothing_left() -> bool:
    root = state_module.state_root()
    return not root.exists() or not [path for path in root.iterdir() if path.is_dir()]


def test_a_fresh_stack_is_up_ready_and_locked(machine: Machine) -> None:
    stack = lifecycle.bring_up(FRESH, machine.steps.append)
    assert stack.record.ready
    assert StackState("one").record() == stack.record
    assert not StackState("one").acquire()
    assert machine.steps[0].startswith("starting one: 2 replicas behind http://127.0.0.1:")
    assert machine.steps[-1].startswith("ready after ")
    stack.unwatch()
    removal.take_down(stack.state, machine.steps.append)
    assert downs(machine) == 1
    assert nothing_left()


@pytest.mark.parametrize("lifetime", ["keep", "reuse"])
def test_a_stack_that_is_kept_is_locked_until_it_is_left(machine: Machine, lifetime: str) -> None:
    plan = Plan(replicas=2, lifetime=lifetime, name="one")  # type: ignore[arg-type]
    stack = lifecycle.bring_up(plan, machine.steps.append)
    with pytest.raises(StackError, match="The stack one is in use by process"):
        lifecycle.bring_up(plan, machine.steps.append)
    lifecycle.leave(stack)
    again = lifecycle.bring_up(Plan(replicas=2, lifetime="reuse", name="one"), print)
    assert ups(machine) == 1
    assert again.record == stack.record
    lifecycle.leave(again)
    again = lifecycle.bring_up(Plan(replicas=2, lifetime="keep", name="one"), print)
    assert ups(machine) == 2
    assert downs(machine) == 1
    lifecycle.leave(again)


# Whatever fails


def no_images(progress: object) -> list[str]:
    raise BuildError("No image.", "Build one.")


def no_token(self: Stack) -> str:
    raise StackError("Connection refused.", "Wait.")


DIED = (
    '{"Actor":{"Attributes":{"name":"one-mariadb-1","exitCode":"1",'
    '"com.docker.compose.service":"mariadb","com.docker.compose.container-number":"1"}}}'
)


@pytest.mark.parametrize("lifetime", ["fresh", "keep", "reuse"])
@pytest.mark.parametrize(
    ("docker", "patches", "kind", "words"),
    [
        ({"version*": fails("no")}, {}, EngineError, "`docker version` failed"),
        ({}, {"ensure_images": no_images}, BuildError, "No image."),
        ({UP: fails("Error: no such image")}, {}, StackError, "containers could not be started"),
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
        monkeypatch.setattr(Stack if name == "token" else lifecycle, name, patch)
    machine.has("docker", {**docker, **WELL, **docker})
    plan = Plan(replicas=2, lifetime=lifetime, name="one")  # type: ignore[arg-type]
    with pytest.raises(kind, match=words):
        lifecycle.bring_up(plan, machine.steps.append)
    assert nothing_left()
    # What was begun is ended, and what was not is not.
    assert downs(machine) == min(ups(machine), 1)
    assert StackState("one").acquire()


def test_a_replica_that_never_serves_takes_everything_down(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stack, "asks_replica", lambda self, number: "503 Service Unavailable")
    with pytest.raises(StackError, match="Replica 1 did not serve within 1 s"):
        lifecycle.bring_up(FRESH, machine.steps.append)
    assert downs(machine) == 1
    assert nothing_left()
    assert "Replica 1 did not serve" in machine.steps[-2]


def test_an_interrupt_while_waiting_takes_everything_down(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: Stack) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(Stack, "token", interrupted)
    machine.has("docker", {UP: "/bin/sleep 0.3; echo done", **WELL})
    with pytest.raises(KeyboardInterrupt):
        lifecycle.bring_up(FRESH, machine.steps.append)
    # Compose had ended before anything was removed.
    order = [call for call in machine.calls if " up --detach" in call or " down " in call]
    assert [" down " in call for call in order] == [False, True]
    assert nothing_left()


def test_a_start_that_is_cancelled_takes_everything_down(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stack, "token", no_token)
    monkeypatch.setattr(lifecycle, "READY_SECONDS", 60.0)
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
        provision.engine_problem()


# The port


def taken_once(machine: Machine) -> None:
    once = machine.home / "once"
    do = f"if [ -e {once} ]; then echo up; else : > {once}; {TAKEN}; fi"
    machine.has("docker", {UP: do, **WELL})


def test_a_port_that_was_taken_meanwhile_is_changed_for_another(machine: Machine) -> None:
    taken_once(machine)
    stack = lifecycle.bring_up(FRESH, machine.steps.append)
    starts = [step for step in machine.steps if step.startswith("starting")]
    assert len(set(starts)) == 2
    assert "choosing another one" in " ".join(machine.steps)
    assert downs(machine) == 1
    assert not StackState("one").acquire(), "the second one is owned as well"
    removal.take_down(stack.state, machine.steps.append)
    stack.unwatch()


def test_a_port_that_was_asked_for_is_not_changed(machine: Machine) -> None:
    taken_once(machine)
    with pytest.raises(StackError, match="Another program listens on the port") as caught:
        lifecycle.bring_up(Plan(replicas=1, name="one", port=4711), machine.steps.append)
    assert "--stack-port" in caught.value.remedy
    assert "port is already allocated" in caught.value.evidence[-1]
    assert ups(machine) == 1
    assert nothing_left()


def test_ports_that_are_always_taken_are_given_up(machine: Machine) -> None:
    machine.has("docker", {UP: TAKEN, **WELL})
    with pytest.raises(StackError, match="Another program listens"):
        lifecycle.bring_up(FRESH, machine.steps.append)
    assert ups(machine) == lifecycle.PORT_ATTEMPTS
    assert nothing_left()


# Somebody else's


def test_a_name_of_another_user_is_refused_and_their_stack_left_alone(machine: Machine) -> None:
    machine.has("docker", {"ps*": "echo /home/other/state/one", **WELL})
    with pytest.raises(StackError, match="which belongs to /home/other/state/one"):
        lifecycle.bring_up(Plan(lifetime="keep", name="one"), machine.steps.append)
    assert downs(machine) == ups(machine) == 0
    assert not machine.called("docker rm")
    assert nothing_left()


def test_a_stack_that_was_started_by_hand_is_refused(machine: Machine) -> None:
    machine.has("docker", {"ps*": "echo", **WELL})
    with pytest.raises(StackError, match="was started by hand") as caught:
        removal.refuse_foreign(StackState("one"))
    assert "docker compose down -v" in caught.value.remedy


# Clearing up


def left_behind(name: str, lifetime: str = "fresh", *, ready: bool = True) -> StackState:
    state = StackState(name)
    state.create(Record(name, lifetime, 1, 1, ready=ready), Secrets())  # type: ignore[arg-type]
    return state


def test_reap_removes_what_is_nobodys_and_leaves_what_is_locked_or_kept(machine: Machine) -> None:
    for name in ("killed", "live", "half"):
        left_behind(name)
    left_behind("kept", "keep")
    left_behind("unready", "keep", ready=False)
    (StackState("half").directory / "stack.json").unlink()
    live = StackState("live")
    live.lock()
    assert removal.reap(machine.steps.append) == ["half", "killed", "unready"]
    assert StackState("live").record() is not None
    assert StackState("kept").record() is not None
    assert removal.reap(machine.steps.append, everything=True) == ["kept"]
    assert StackState("live").record() is not None
    live.release()


def test_a_stack_that_becomes_ready_under_reaps_eyes_is_left(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_behind("one", "keep", ready=False)
    acquire = StackState.acquire

    def ready_by_then(self: StackState, *, create: bool = True) -> bool:
        left_behind("one", "keep", ready=True)
        return acquire(self, create=create)

    monkeypatch.setattr(StackState, "acquire", ready_by_then)
    assert removal.reap(machine.steps.append) == []
    assert downs(machine) == 0
    monkeypatch.undo()


def test_the_next_run_clears_what_a_killed_one_left(machine: Machine) -> None:
    left_behind("killed")
    stack = lifecycle.bring_up(FRESH, machine.steps.append)
    assert "killed was left by a run that was killed" in machine.steps
    assert not StackState("killed").directory.exists()
    stack.unwatch()
    removal.take_down(stack.state, machine.steps.append)


def test_reap_finds_what_has_lost_its_state_by_its_labels(machine: Machine) -> None:
    root = state_module.state_root()
    lines = f"one\t{root}/one\\nhand\t\\nother\t/elsewhere/other\\nBad Name\t{root}/Bad Name"
    machine.has("docker", {"volume ls*--format*": f"printf '{lines}\\n'", **WELL})
    assert removal.reap(machine.steps.append) == ["one"]


def test_a_stack_that_compose_cannot_remove_is_removed_by_its_labels(machine: Machine) -> None:
    state = left_behind("one")
    listed = {"ps*": "echo c1 c2", "network ls*": "echo n1", "volume ls*": "echo v1"}
    machine.has("docker", {DOWN: fails("required variable X is missing"), **listed, **WELL})
    removal.take_down(state, machine.steps.append)
    for call in ("rm --force --volumes c1 c2", "network rm n1", "volume rm --force v1"):
        assert f"docker {call}" in machine.calls
    listing = next(call for call in machine.calls if call.startswith("docker ps"))
    assert f"label=placement-harness.state={state.directory}" in listing
    assert nothing_left()


def test_a_stack_that_cannot_be_removed_keeps_its_state_for_reap(machine: Machine) -> None:
    state = left_behind("one")
    machine.has("docker", {DOWN: fails("it hangs"), "ps*": fails("engine is gone"), **WELL})
    with pytest.raises(StackError, match="could not be removed: engine is gone") as caught:
        removal.take_down(state, machine.steps.append)
    assert "placement-harness reap" in caught.value.remedy
    assert state.record() is not None


# Whole, or not at all


def test_what_is_shielded_is_done_before_an_interrupt_is_raised() -> None:
    done = []

    def work() -> str:
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
            signal.raise_signal(number)
        done.append(True)
        return "result"

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        removal.shielded(work)
    assert done == [True]
    assert signal.getsignal(signal.SIGINT) is before
    assert removal.shielded(lambda: "result") == "result"


def test_what_is_shielded_is_not_cancelled() -> None:
    wish = threading.Event()
    wish.set()
    with cancellable(wish):
        assert removal.shielded(lambda: [*Deadline.after(0.01).every(0.01)])
        with pytest.raises(Cancelled):
            list(Deadline.after(1).every(0.01))


def test_what_is_shielded_may_fail() -> None:
    def work() -> None:
        raise StackError("It failed.", "Mend it.")

    with pytest.raises(StackError, match=r"It failed\."):
        removal.shielded(work)
