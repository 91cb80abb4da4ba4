"""The code of images in volumes."""

import threading
from pathlib import Path
from typing import Any

import pytest

from harness.core.locks import FileLock
from harness.engine.docker import current
from harness.stack.images import code_volumes
from tests.fakes.images import details
from tests.fakes.machine import Machine, fails


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


IMAGE = "placement-harness/placement:abc"
OPT, USR, WHOLE = (f"placement-harness-placement-abc-{part}" for part in ("opt", "usr", "whole"))
SLOW = {
    "image inspect*": details(driver="fuse-overlayfs"),
    "volume create*": "echo volume",
    "volume inspect*": """echo '[{"Name": "volume"}]'""",
    "create*": "echo 1",
}
LIST = "volume ls*"
ALL = f"echo {OPT}; echo {USR}; echo {WHOLE}"


def changes(machine: Machine) -> list[str]:
    words = ("volume create", "volume remove", "create ")
    calls = [call.removeprefix("docker ") for call in machine.calls]
    return [call for call in calls if call.startswith(words)]


def project() -> dict[str, Any]:
    return {"services": {"placement-1": {"image": IMAGE}, "apache": {"image": "a:1"}, "x": {}}}


def test_an_image_is_unpacked_where_its_storage_is_slow(machine: Machine) -> None:
    machine.has("docker", SLOW)
    code_volumes.ensure(IMAGE)
    made = [call for call in changes(machine) if "create" in call]
    # That it is whole is said last.
    assert [call.split()[-1] for call in made] == [OPT, USR, IMAGE, WHOLE]


def test_an_image_is_left_alone_where_its_storage_is_quick(machine: Machine) -> None:
    machine.has("docker", {"image inspect*": details()})
    code_volumes.ensure(IMAGE)
    assert changes(machine) == []


def test_an_image_is_unpacked_once(machine: Machine) -> None:
    machine.has("docker", {**SLOW, LIST: ALL})
    code_volumes.ensure(IMAGE)
    assert changes(machine) == []


def test_what_was_unpacked_in_part_is_unpacked_anew(machine: Machine) -> None:
    machine.has("docker", {**SLOW, LIST: f"echo {OPT}"})
    code_volumes.ensure(IMAGE)
    assert changes(machine)[0] == f"volume remove {OPT}"
    assert changes(machine)[-1].endswith(WHOLE)


def test_what_another_run_unpacks_is_waited_for(machine: Machine, state: Path) -> None:
    machine.has("docker", SLOW)
    state.mkdir(mode=0o700)
    with FileLock(state / "unpack.lock") as other:
        other.take()
        waiting = threading.Thread(target=code_volumes.ensure, args=(IMAGE,))
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
        machine.has("docker", {**SLOW, LIST: ALL})
    waiting.join()
    assert changes(machine) == []


def test_what_another_run_unpacks_for_ever_is_left_to_it(
    machine: Machine, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_volumes, "UNPACK_SECONDS", 0.1)
    machine.has("docker", SLOW)
    state.mkdir(mode=0o700)
    with FileLock(state / "unpack.lock") as other:
        other.take()
        code_volumes.ensure(IMAGE)
    assert changes(machine) == []


def test_services_read_their_code_from_volumes(machine: Machine) -> None:
    machine.has("docker", {LIST: ALL})
    described = project()
    for _ in range(2):
        code_volumes.mount(described, current(), described["services"])
    assert described["services"] == {
        "placement-1": {"image": IMAGE, "volumes": [f"{OPT}:/opt:ro", f"{USR}:/usr:ro"]},
        "apache": {"image": "a:1"},
        "x": {},
    }
    # Compose neither makes them nor removes them.
    assert described["volumes"][OPT] == {"name": OPT, "external": True}


@pytest.mark.parametrize("listing", [f"echo {OPT}; echo {USR}", fails("no engine")])
def test_a_service_runs_from_its_image_where_volumes_are_not_whole(
    machine: Machine, listing: str
) -> None:
    machine.has("docker", {LIST: listing})
    described = project()
    code_volumes.mount(described, current(), described["services"])
    assert described == project()
