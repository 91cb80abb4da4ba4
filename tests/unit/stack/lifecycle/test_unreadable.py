"""A record that cannot be read is an error of every command; its stack is not removed unasked."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli.program import main
from harness.config.plan import Lifetime, Plan
from harness.core.errors import HarnessError, StackError
from harness.stack.lifecycle import reuse, teardown, up
from harness.stack.lifecycle.doctor import examine
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from harness.stack.model.unreadable import UnreadableError
from tests.fakes.commands import Harness, commands_of
from tests.fakes.engine import container, lists
from tests.fakes.machine import Machine
from tests.fakes.quick_engine import WELL, downs, quick, ups

_quick = pytest.fixture(autouse=True)(quick)
harness = pytest.fixture(commands_of)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def half(path: Path) -> None:
    path.write_text('{"name": "placement-harness", "lifet')


def without_a_key(path: Path) -> None:
    path.write_text('{"name": "placement-harness", "lifetime": "keep", "ready": true}')


def list_of_nothing(path: Path) -> None:
    path.write_text("[]")


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = [empty, half, without_a_key, list_of_nothing, directory]
Damage = Callable[[Path], None]


@pytest.fixture(params=DAMAGES, ids=lambda damage: damage.__name__)
def state(request: pytest.FixtureRequest, machine: Machine) -> StackState:
    """A stack that was kept, and whose record was damaged since."""
    state = StackState("placement-harness")
    state.create(Record(state.name, "keep", 1, 1, ready=True), Secrets())
    request.param(state.directory / "stack.json")
    return state


def untouched(state: StackState, machine: Machine) -> bool:
    removals = [call for call in machine.calls if " rm " in call or " down " in call]
    return not removals and (state.directory / "stack.json").exists()


def names_file_and_command(state: StackState, text: str) -> bool:
    return (
        f"{state.directory / 'stack.json'} cannot be read" in text
        and "placement-harness down" in text
    )


@pytest.mark.parametrize("lifetime", ["keep", "reuse", "replace", "fresh"])
def test_no_run_takes_it_or_removes_it(
    state: StackState, machine: Machine, lifetime: Lifetime
) -> None:
    with pytest.raises(UnreadableError) as caught:
        up.bring_up(Plan(replicas=1, lifetime=lifetime, name=state.name), print)
    assert names_file_and_command(state, str(caught.value))
    assert caught.value.exit_code == 70
    assert untouched(state, machine)
    assert ups(machine) == 0
    assert state.acquire(), "the stack is nobody's once the run has ended"


def test_a_run_of_another_name_leaves_it_and_says_so(state: StackState, machine: Machine) -> None:
    stack = up.bring_up(Plan(replicas=1, name="one"), machine.steps.append)
    assert names_file_and_command(state, machine.steps[0])
    assert (state.directory / "stack.json").exists()
    assert downs(machine) == 0
    stack.unwatch()
    teardown.take_down(stack.state, print)


# The words of each command for one stack; a command that has tests of its own below, or knows no
# stack, has none.
COMMANDS: dict[str, list[str] | None] = {
    "up": [],
    "env": [],
    "token": [],
    "scale": ["2"],
    "restart": ["--rolling"],
    "upgrade": ["--to", "15.0.0"],
    "config": ["list"],
    "tempest": [],
    "check": ["--stack", "reuse"],
    "detach": ["--name", "placement-harness"],
    "down": None,
    "status": None,
    "reap": None,
    "doctor": None,
    # These read containers' logs, recordings, or stacks of their own, and remove nothing else.
    **dict.fromkeys(("logs", "setup", "matrix", "bench", "diff", "export", "explore", "footprint")),
    # Its stacks have names of their own.
    "trim": None,
    # Its own name, and its settings come first: tests/unit/attach.
    "attach": None,
}


def test_every_command_is_known_here() -> None:
    assert sorted(COMMANDS) == sorted(main.commands)


@pytest.mark.parametrize("name", [name for name, words in COMMANDS.items() if words is not None])
def test_commands_end_with_the_error(
    state: StackState, machine: Machine, harness: Harness, name: str
) -> None:
    said = harness(name, *COMMANDS[name] or ())
    assert said.code == 70
    assert names_file_and_command(state, said.err)
    assert untouched(state, machine)


@pytest.mark.parametrize("everything", [False, True])
def test_reap_removes_the_others_and_then_says_so(
    state: StackState, machine: Machine, everything: bool
) -> None:
    StackState("z-killed").create(Record("z-killed", "fresh", 1, 1), Secrets())
    with pytest.raises(UnreadableError) as caught:
        teardown.reap(machine.steps.append, everything=everything)
    assert names_file_and_command(state, str(caught.value))
    assert not StackState("z-killed").directory.exists()
    assert "removed z-killed" in machine.steps
    assert (state.directory / "stack.json").exists()


def test_status_shows_it_and_ends_with_the_error(
    state: StackState, machine: Machine, harness: Harness
) -> None:
    apache = container("one-apache-1", stack=state.name, directory=str(state.directory))
    machine.has("docker", {"ps*": lists(apache)})
    said = harness("status")
    assert said.code == 70
    assert "placement-harness (its state cannot be read)" in said.out
    assert names_file_and_command(state, said.err)


def test_doctor_finds_it(state: StackState, machine: Machine) -> None:
    finding = next(one for one in examine() if one.what == "leftovers")
    assert names_file_and_command(state, f"{finding.result} {finding.remedy}")


def test_down_removes_it_since_that_is_what_it_was_asked(
    state: StackState, machine: Machine, harness: Harness
) -> None:
    own = container("c1", "apache", directory=str(state.directory))
    machine.has("docker", {"ps*compose.project=*": "exit 0", "ps*": lists(own), **WELL})
    said = harness("down")
    assert said.code == 0
    assert "stack.json cannot be read: removing placement-harness by its labels" in said.err
    assert "docker container rm --force --volumes c1" in machine.calls
    assert not state.directory.exists()


# Files that another attempt may read


@contextmanager
def no_descriptors() -> Iterator[None]:
    """A process that cannot open one file more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def another_user() -> Iterator[None]:
    """A user who may not read what root has written."""
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("without", [no_descriptors, another_user])
def test_a_file_that_cannot_be_opened_is_no_absent_one(
    machine: Machine, without: Callable[[], Iterator[None]]
) -> None:
    state = StackState("one")
    state.create(Record("one", "keep", 1, 1, ready=True), Secrets())
    calls: list[Callable[[], object]] = [
        state.record,
        state.secrets,
        lambda: reuse.running_stack(state),
        lambda: reuse.adopted(Plan(lifetime="reuse", name="one")),
    ]
    errors: list[HarnessError] = []
    with without():  # type: ignore[attr-defined]
        for call in calls:
            try:
                call()
            except HarnessError as error:
                errors.append(error)
    assert [type(error) for error in errors] == [UnreadableError] * len(calls)
    assert not any(error.damaged for error in errors if isinstance(error, UnreadableError))
    assert state.record() is not None


def test_secrets_that_cannot_be_read_are_an_error_and_no_reason_to_start_anew(
    machine: Machine,
) -> None:
    plan = Plan(replicas=1, lifetime="reuse", name="one")
    up.leave(up.bring_up(plan, print))
    StackState("one").env_file.write_text("HARNESS_STACK=one\n")
    with pytest.raises(StackError, match="/env cannot be read: it lacks a value"):
        up.bring_up(plan, print)
    assert downs(machine) == 0
    assert StackState("one").record() is not None


def lose(state: StackState, *names: str) -> None:
    for name in names:
        (state.directory / name).unlink()


@pytest.mark.parametrize("lost", [["env"], ["env", "stack.json"], ["stack.json"]], ids=" ".join)
@pytest.mark.parametrize("lifetime", ["keep", "reuse", "replace"])
def test_a_stack_that_lost_a_file_is_not_taken_for_none(
    machine: Machine, lifetime: Lifetime, lost: list[str]
) -> None:
    plan = Plan(replicas=1, lifetime="reuse", name="one")
    up.leave(up.bring_up(plan, print))
    state = StackState("one")
    lose(state, *lost)
    with pytest.raises(StackError) as caught:
        up.bring_up(replace(plan, lifetime=lifetime), print)
    if lifetime != "keep" or "stack.json" in lost:
        assert f"{state.directory / lost[-1]} cannot be read" in str(caught.value)
    assert downs(machine) == 0
    assert state.compose_file.exists()
    # What tells reap and other runs that the stack may be one that was kept.
    with pytest.raises(UnreadableError) if "stack.json" in lost else nullcontext():
        teardown.reap(print)
    assert downs(machine) == 0
    assert state.compose_file.exists()


def test_a_state_directory_that_cannot_be_looked_into_is_not_gone(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = StackState("one")
    state.create(Record("one", "keep", 1, 1, ready=True), Secrets())
    machine.has("docker", {"volume ls*": f"printf 'v1\\tone\\t{state.directory}\\n'", **WELL})
    state.directory.parent.chmod(0)
    try:
        with another_user(), pytest.raises(StackError, match="cannot be read"):
            teardown.reap(print)
    finally:
        state.directory.parent.chmod(0o700)
    assert not [call for call in machine.calls if " rm " in call or " remove " in call]


def test_a_removal_that_was_broken_off_leaves_no_stack_that_may_be_kept(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The description goes first: without it, a directory without a record is a leftover."""
    up.leave(up.bring_up(Plan(replicas=1, lifetime="keep", name="one"), print))
    state = StackState("one")
    removed: list[str] = []
    unlink = Path.unlink

    def remember(self: Path, missing_ok: bool = False) -> None:
        removed.append(self.name)
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", remember)
    state.remove()
    assert removed[0] == "compose.json"
