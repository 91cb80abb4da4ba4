"""A checkout's code, as it is copied for running replicas."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.core.errors import StackError
from harness.stack.clients import replica_logs
from harness.stack.model.record import Installed, Record
from harness.stack.model.state import StackState
from harness.stack.operations import code_reload
from tests.fakes.engine import lists
from tests.fakes.machine import Machine


@pytest.fixture
def package(tmp_path: Path) -> Path:
    package = tmp_path / "checkout" / "placement"
    for name in ("__init__.py", "handler.py", "db/api.py", "tests/unit/test_a.py"):
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n")
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "handler.pyc").touch()
    return package


def there(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_only_what_has_changed_is_copied_and_what_is_gone_is_removed(
    package: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "code"
    everything = ["placement/__init__.py", "placement/db/api.py", "placement/handler.py"]
    assert code_reload.sync(package, folder) == everything
    assert there(folder) == everything
    assert code_reload.sync(package, folder) == []
    (package / "handler.py").write_text("# another\n")
    (package / "db/api.py").unlink()
    (package / "util.py").touch()
    changed = ["placement/db/api.py", "placement/handler.py", "placement/util.py"]
    assert code_reload.sync(package, folder) == changed
    assert (folder / "placement/handler.py").read_text() == "# another\n"
    assert "placement/db/api.py" not in there(folder)


def test_an_edit_of_the_same_length_is_noticed(package: Path, tmp_path: Path) -> None:
    folder = tmp_path / "code"
    code_reload.sync(package, folder)
    (package / "handler.py").write_text("# Handler.py\n")
    assert code_reload.sync(package, folder) == ["placement/handler.py"]


def test_replicas_can_read_it_whoever_wrote_it(package: Path, tmp_path: Path) -> None:
    (package / "handler.py").chmod(0o600)
    (package / "db").chmod(0o700)
    code_reload.sync(package, tmp_path / "code")
    assert (tmp_path / "code/placement/handler.py").stat().st_mode & 0o004
    assert (tmp_path / "code/placement/db").stat().st_mode & 0o005 == 0o005


def test_a_change_is_named_once_for_each_checkout(package: Path, tmp_path: Path) -> None:
    folder = tmp_path / "code"
    code_reload.sync(package, folder)
    (package / "handler.py").write_text("# another\n")
    (package / "util.py").touch()
    edited = Installed(str(package.parent), "16.0.0", "aa", str(folder))
    record = Record("one", "keep", 3, 1, placements=(Installed("16.0.0"), edited, edited))
    steps: list[str] = []
    assert code_reload.take_up(record, steps.append) == [edited]
    assert steps == [
        f"placement/handler.py and 1 more changed: loading {package.parent} anew",
    ]
    # Until replicas have loaded the code, each later run has to let them.
    assert code_reload.take_up(record, steps.append) == [edited]
    assert steps[1:] == [f"loading {package.parent} anew, which was broken off"]
    code_reload.loaded([edited])
    assert code_reload.take_up(record, steps.append) == []


def test_code_that_is_copied_half_way_is_known_to_be_unloaded(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "code"
    code_reload.sync(package, folder)
    edited = Installed(str(package.parent), "16.0.0", "aa", str(folder))
    code_reload.loaded([edited])
    (package / "handler.py").write_text("# another\n")
    assert not code_reload.is_unloaded(edited)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "copyfile", interrupted)
    with pytest.raises(KeyboardInterrupt):
        code_reload.sync(package, folder)
    assert code_reload.is_unloaded(edited)


@pytest.mark.parametrize("serves", [True, False])
def test_what_replicas_have_loaded_is_not_loaded_again(
    tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch, serves: bool
) -> None:
    edited = Installed("/src", "16.0.0", "aa", str(tmp_path / "code"))
    (tmp_path / "code.unloaded").touch()
    record = Record("one", "keep", 3, 1, placements=(Installed("16.0.0"), edited))
    state = StackState("one", tmp_path)
    stack = SimpleNamespace(state=state, record=record, watch=str, check=lambda when: None)
    machine.has("docker", {"ps*": lists(*(f"one-placement-{number}" for number in (1, 2, 3)))})
    monkeypatch.setattr(code_reload, "WAKE_AFTER", ())
    monkeypatch.setattr(code_reload, "READY_SECONDS", 0.1)
    monkeypatch.setattr(replica_logs, "lines_of", lambda *_, **__: ["WSGI app 0"] if serves else [])
    with contextlib.nullcontext() if serves else pytest.raises(StackError, match="has not loaded"):
        code_reload.reload(stack, [edited])  # type: ignore[arg-type]
    assert machine.calls[1:] == ["docker container kill --signal SIGHUP one-placement-2"]
    assert code_reload.is_unloaded(edited) is not serves
