"""Locks: their holders, and file systems without locks."""

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.deadline import Deadline
from harness.core.errors import StackError
from harness.core.files import Scratch, clear_scratch, write_private
from harness.core.locks import FileLock
from harness.core.paths import state_root


@pytest.fixture(autouse=True)
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))


def refuse(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let every lock fail with this error of the system."""

    def flock(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_named_and_nobody_is_blamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    refuse(monkeypatch, number)
    lock = FileLock(tmp_path / "lock")
    with pytest.raises(StackError) as caught:
        lock.wait(Deadline.after(60), 0.01)
    assert f"The file system of {tmp_path / 'lock'} does not lock files" in caught.value.problem
    assert "PLACEMENT_HARNESS_STATE" in caught.value.remedy


def test_a_lock_that_another_process_has_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, errno.EWOULDBLOCK)
    assert not FileLock(tmp_path / "lock").take()


def test_a_file_system_without_locks_gets_no_directories_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refuse(monkeypatch, errno.ENOLCK)
    with pytest.raises(StackError, match="does not lock files"):
        Scratch()
    assert [*state_root().iterdir()] == []


def take(path: Path) -> None:
    FileLock(path / "lock").take()


def write(path: Path) -> None:
    write_private(path / "env", "text")


@pytest.mark.parametrize("use", [take, write])
@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EMFILE])
def test_a_file_that_cannot_be_made_is_one_error_that_names_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    use: Callable[[Path], None],
    number: int,
) -> None:
    def refused(path: Path, *_: object) -> int:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(StackError) as caught:
        use(tmp_path)
    assert str(tmp_path) in caught.value.problem
    assert os.strerror(number) in caught.value.problem


def test_a_directory_that_is_a_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(StackError, match=f"{tmp_path}/state"):
        Scratch()
    assert clear_scratch() == []
