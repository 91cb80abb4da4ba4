"""The locks of a stack: which process owns it, and which one may change it."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core.deadline import Deadline
from harness.core.errors import StackError
from harness.core.locks import FileLock
from harness.stack.model import state
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState

RECORD = Record("one", "keep", 3, 8778, ready=True)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path))
    monkeypatch.setattr(state, "LOOK_SECONDS", 0.2)
    return tmp_path


HOLD = """
import pathlib, sys
from harness.core.locks import FileLock
lock = FileLock(pathlib.Path(sys.argv[1]))
print(lock.take(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(root: Path) -> Iterator[int]:
    """Another process that owns the stack `one`; its number."""
    (root / "one").mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root / "one" / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        yield process.pid
        process.kill()


def test_a_stack_that_another_process_owns_names_it(root: Path, holder: int) -> None:
    with pytest.raises(StackError, match=f"The stack one is in use by process {holder}"):
        StackState("one").lock()
    assert not StackState("one").acquire()


def test_a_lock_is_let_go_when_its_process_is_killed(root: Path, holder: int) -> None:
    os.kill(holder, signal.SIGKILL)
    StackState("one").lock()


def test_owning_a_stack_twice_in_one_place_is_owning_it(root: Path) -> None:
    one = StackState("one")
    one.lock()
    one.lock()
    assert not StackState("one").acquire()
    one.release()
    assert StackState("one").acquire()


def test_a_stack_that_was_removed_is_nobodys_unless_it_is_to_be_made(root: Path) -> None:
    assert not StackState("one").acquire(create=False)
    assert not (root / "one").exists()
    assert StackState("one").acquire()


def test_a_lock_on_a_file_that_was_removed_meanwhile_is_not_taken_for_the_stacks(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = StackState("one")
    one.lock()
    removed: list[int] = []
    real = fcntl.flock

    def removed_before_locking(descriptor: int, how: int) -> None:
        if not removed:
            removed.append(descriptor)
            one.remove()
            one.release()
            one.directory.mkdir()
        real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", removed_before_locking)
    other = StackState("one")
    assert other.acquire()
    monkeypatch.undo()
    lock = other.directory / "lock"
    assert FileLock(lock).holder() == str(os.getpid())
    # The new file is locked, which all other processes open.
    assert not FileLock(lock).take()


def test_removing_a_state_removes_all_of_it(root: Path) -> None:
    one = StackState("one")
    one.lock()
    one.create(RECORD, Secrets())
    one.remove()
    assert list(root.iterdir()) == []
    one.remove()


def test_replicas_are_changed_by_one_process_at_a_time(root: Path) -> None:
    StackState("one").create(RECORD, Secrets())
    with StackState("one").changing():
        refused = StackState("one").changing()
        with pytest.raises(StackError, match="is changing the replicas of one"):
            refused.__enter__()
    with StackState("one").changing():
        pass


def test_clearing_up_waits_for_a_command_that_outlived_its_run(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "SETTLE_SECONDS", 0.3)
    one = StackState("one")
    one.create(RECORD, Secrets())
    one.settle()
    busy = FileLock(one.directory / "busy")
    assert busy.take()
    begin = Deadline.after(0.3)
    one.settle()
    assert begin.passed
    busy.release()
    begin = Deadline.after(0.3)
    one.settle()
    assert not begin.passed


def test_a_part_that_somebody_keeps_is_named_with_them(root: Path) -> None:
    state = StackState("one")
    state.create(RECORD, Secrets())
    late = state.taking("users.lock", 0.05)
    held = rf"Process {os.getpid()} holds the lock users.lock of one"
    with state.taking("users.lock"), pytest.raises(StackError, match=held), late:
        pass
    with state.taking("users.lock", 0.05):
        pass
