"""The files of a stack, and which processes may change them."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.errors import StackError, UsageError
from harness.core.files import Scratch, clear_scratch
from harness.stack.model import state
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState, all_states
from harness.stack.model.unreadable import UnreadableError

RECORD = Record("one", "keep", 3, 8778, ready=True)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path))
    monkeypatch.setattr(state, "LOOK_SECONDS", 0.2)
    return tmp_path


def test_a_record_and_secrets_come_back_as_they_were_saved(root: Path) -> None:
    secrets = Secrets()
    StackState("one").create(RECORD, secrets)
    again = StackState("one")
    assert again.record() == RECORD
    assert again.secrets() == secrets


def test_everything_on_disk_is_readable_by_its_owner_alone(root: Path) -> None:
    os.umask(0)
    try:
        one = StackState("one")
        one.lock()
        one.create(RECORD, Secrets())
    finally:
        os.umask(0o022)
    assert stat.S_IMODE(one.directory.stat().st_mode) == 0o700
    names = {path.name: stat.S_IMODE(path.stat().st_mode) for path in one.directory.iterdir()}
    assert names == dict.fromkeys(["lock", "env", "stack.json", "clouds.yaml"], 0o600)


def test_secrets_are_new_for_each_stack_and_in_no_repr() -> None:
    one, other = Secrets(), Secrets()
    assert not set(one.environment().values()) & set(other.environment().values())
    assert not [value for value in one.environment().values() if value in repr(one)]


def test_clients_find_the_stack_in_clouds_yaml(root: Path) -> None:
    secrets = Secrets()
    one = StackState("one")
    one.create(RECORD, secrets)
    text = one.clouds_file.read_text()
    assert "  one:\n" in text
    assert "auth_url: http://127.0.0.1:8778/identity" in text
    assert secrets.admin_password in text
    # openstacksdk refuses to begin with it.
    assert "latest" not in text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("{", "it is no JSON"),
        *((text, "it lacks a value") for text in ("[]", "{}", '{"name": "x"}')),
    ],
)
def test_a_record_that_cannot_be_read_is_not_taken_for_none(
    root: Path, text: str, why: str
) -> None:
    one = StackState("one")
    assert one.record() is None
    one.create(RECORD, Secrets())
    path = one.directory / "stack.json"
    path.write_text(text)
    with pytest.raises(UnreadableError, match=f"{path} cannot be read: {why}") as caught:
        one.record()
    assert "placement-harness down --name one" in caught.value.remedy


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../../x", "/etc", "a/b", "Big", "-a", "a b", "a.b", "x" * 48]
)
def test_a_name_that_leads_elsewhere_or_that_compose_refuses_is_refused(
    root: Path, name: str
) -> None:
    with pytest.raises(UsageError, match="A stack cannot be named"):
        StackState(name)


def test_directories_that_no_stack_can_have_are_passed_over(root: Path) -> None:
    StackState("one").create(RECORD, Secrets())
    for name in ("Not One", ".hidden"):
        (root / name).mkdir()
    (root / "versions.json").touch()
    assert [one.name for one in all_states()] == ["one"]


def somebody_elses(root: Path, name: str) -> list[Path]:
    """A directory that the harness has not made, with what stacks have there too."""
    files = [root / name / "lock", root / name / "main.py"]
    files[0].parent.mkdir()
    for file in files:
        file.write_text("4711")
    return files


def test_directories_that_the_harness_has_not_made_are_nobodys_stacks(root: Path) -> None:
    somebody_elses(root, "src")
    (root / "empty").mkdir()
    assert all_states() == []
    assert sorted(path.name for path in root.rglob("*")) == ["empty", "lock", "main.py", "src"]


def test_a_directory_that_is_no_stacks_cannot_become_one(root: Path) -> None:
    files = somebody_elses(root, "src")
    with pytest.raises(StackError, match="src exists already, and is not a stack's") as caught:
        StackState("src").lock()
    assert "PLACEMENT_HARNESS_STATE" in caught.value.remedy
    assert [file.read_text() for file in files] == ["4711", "4711"]


def test_what_a_kill_left_between_two_steps_is_still_a_stacks(root: Path) -> None:
    fresh = root / "placement-harness-0123ab"
    fresh.mkdir()
    assert [one.directory for one in all_states()] == [fresh]
    (fresh / "lock").touch()
    assert [one.directory for one in all_states()] == [fresh]
    one = StackState("one")
    one.directory.mkdir()
    assert one.acquire()
    one.release()
    (one.directory / "code-1").mkdir()
    assert {two.name for two in all_states()} == {fresh.name, "one"}
    (one.directory / "lock").unlink()
    one.directory.joinpath("env").write_text("HARNESS_STACK=one\n")
    assert "one" in {two.name for two in all_states()}


def test_no_state_at_all_is_no_stacks(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(root / "nowhere"))
    assert all_states() == []


def test_a_state_directory_that_cannot_be_made_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "file"))
    with pytest.raises(StackError, match=r"cannot make .*file/one") as caught:
        StackState("one").acquire()
    assert "PLACEMENT_HARNESS_STATE" in caught.value.remedy


# What a run needs while it lives


LIVE = """
import sys
from harness.core.files import Scratch
print(Scratch().path, flush=True)
sys.stdin.read()
"""


def test_what_a_killed_run_needed_is_removed_by_the_next_and_never_a_live_ones(root: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LIVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        path = Path(other.stdout.readline().strip())
        assert path.parent == root
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
        assert clear_scratch() == []
        assert path.exists()
        other.kill()
        other.wait(10)
    own = Scratch()
    assert [one for one in root.iterdir() if one.is_dir()] == [own.path]
    own.remove()
    assert clear_scratch() == []
    assert not own.path.exists()
