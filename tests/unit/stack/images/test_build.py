"""The images are built when they have to be, in order, by one run at a time."""

import threading
import time
from pathlib import Path

import pytest

from harness.core import deadline
from harness.core.deadline import Cancelled, cancellable
from harness.core.errors import BuildError
from harness.core.locks import FileLock
from harness.engine import base_image
from harness.placements import build_context
from harness.placements.model import Placement
from harness.stack.images import build
from harness.stack.images.catalogue import IMAGES, needed
from harness.stack.images.contents import Contents, contents_of
from tests.fakes.images import LIST, listed, other
from tests.fakes.machine import FULL, Machine, fails


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(base_image, "ensure_base", lambda progress, debian: None)


@pytest.fixture
def every() -> Contents:
    return contents_of(IMAGES)


def built(contents: Contents, *without: str) -> dict[str, str]:
    """An engine that has the images of these contents, but for some."""
    there = [name for name in contents.images if name not in without]
    return {LIST: listed(*(IMAGES[name].tag(contents.images[name]) for name in there))}


def builds(machine: Machine) -> list[str]:
    calls = [call for call in machine.calls if call.startswith("docker compose")]
    return [call.partition(" build ")[2] for call in calls]


def test_images_that_are_up_to_date_are_left_alone(machine: Machine, every: Contents) -> None:
    machine.has("docker", built(every))
    assert build.ensure_images(every, machine.steps.append) == []
    assert machine.steps == []
    assert builds(machine) == []


def test_an_image_is_built_when_those_that_it_builds_on_are_there(
    machine: Machine, every: Contents
) -> None:
    events = machine.home / "events"
    do = f'name=${{*##* }}; echo "begin $name" >> {events}; echo "end $name" >> {events}'
    machine.has("docker", {"compose*": do})
    assert sorted(build.ensure_images(every, machine.steps.append)) == sorted(IMAGES)
    lines = events.read_text().splitlines()
    assert sorted(builds(machine)) == sorted(IMAGES), "each once"
    for name, image in IMAGES.items():
        for parent in image.upon:
            assert lines.index(f"end {parent}") < lines.index(f"begin {name}")


def test_an_image_does_not_wait_for_one_that_it_does_not_build_on(
    machine: Machine, every: Contents
) -> None:
    keystone = machine.home / "keystone"
    wait = (
        f"for n in $(/usr/bin/seq 99); do [ -e {keystone} ] && exit; /bin/sleep 0.1; done; exit 9"
    )
    machine.has(
        "docker",
        {"compose*build oslo-config-etcd": wait, "compose*build keystone": f"> {keystone}"},
    )
    build.ensure_images(every, machine.steps.append)


def test_what_is_built_is_said_and_how_long_it_took(machine: Machine, every: Contents) -> None:
    machine.has("docker", built(every, "apache", "memcached"))
    build.ensure_images(every, machine.steps.append)
    assert machine.steps[0] == "building apache, memcached"
    assert sorted(machine.steps[1:]) == ["built apache in 0 s", "built memcached in 0 s"]


def test_a_build_sees_no_settings_of_a_stack_that_is_started_by_hand(
    machine: Machine, every: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_PLACEMENT_TARGET", "debug")
    calls = tmp_path / "compose calls"
    machine.has("docker", {"compose*": f'echo "$HARNESS_PLACEMENT_TARGET $*" >> "{calls}"'})
    build.ensure_images(every, machine.steps.append)
    for line in calls.read_text().splitlines():
        assert line.startswith(" ")
        assert "--env-file /dev/null build " in line


def test_one_image_that_is_out_of_date_is_built_alone(machine: Machine, every: Contents) -> None:
    machine.has("docker", built(every, "memcached"))
    assert build.ensure_images(every, machine.steps.append) == ["memcached"]
    assert builds(machine) == ["memcached"]


@pytest.mark.parametrize("is_copy", [False, True])
def test_an_image_of_a_copy_of_the_project_is_not_the_latest(
    machine: Machine, every: Contents, monkeypatch: pytest.MonkeyPatch, is_copy: bool
) -> None:
    monkeypatch.setattr(build, "IS_COPY", is_copy)
    machine.has("docker", built(every, "memcached"))
    build.ensure_images(every, machine.steps.append)
    assert any(call.endswith("memcached:latest") for call in machine.calls) is not is_copy


def test_a_build_that_fails_shows_its_last_lines(machine: Machine, every: Contents) -> None:
    many = "for n in $(/usr/bin/seq 40); do echo line $n; done; echo 'ERROR: no'; exit 17"
    machine.has("docker", {**built(every, "haproxy"), "compose*": many})
    with pytest.raises(BuildError, match="could not be built: haproxy") as caught:
        build.ensure_images(every, machine.steps.append)
    assert caught.value.evidence[0] == "line 17"
    assert caught.value.evidence[-1] == "ERROR: no"
    assert len(caught.value.evidence) == build.EVIDENCE_LINES
    files = " ".join(f"-f {one}compose.yaml" for one in ("", "services/etcd/", "services/galera/"))
    assert f"docker compose {files} -f services/mariadb-10.11/" in caught.value.remedy
    assert "build haproxy" in caught.value.remedy


def test_a_build_that_fails_ends_the_others(machine: Machine, every: Contents) -> None:
    running = machine.home / "running"
    sleep = f"echo $$ > {running}; exec /bin/sleep 60"
    fail = f"until [ -s {running} ]; do /bin/sleep 0.05; done; exit 1"
    without = {**built(every, "apache", "memcached")}
    machine.has("docker", {**without, "compose*apache": fail, "compose*memcached": sleep})
    with pytest.raises(BuildError, match="could not be built: apache"):
        build.ensure_images(every, machine.steps.append)
    assert not Path(f"/proc/{running.read_text().strip()}").exists()


def test_a_disk_that_fills_up_under_a_build_says_so(machine: Machine, every: Contents) -> None:
    machine.has("docker", {**built(every, "apache"), "compose*": fails(FULL)})
    with pytest.raises(BuildError, match="The disk is full: building apache") as caught:
        build.ensure_images(every, machine.steps.append)
    assert "docker system df" in caught.value.remedy
    assert FULL in caught.value.evidence


def test_a_long_build_says_now_and_then_what_it_does(
    machine: Machine, every: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "NEWS_SECONDS", 0.05)
    do = "echo one; /bin/sleep 0.2; echo step two; /bin/sleep 0.2; echo step three"
    machine.has("docker", {**built(every, "apache"), "compose*": do})
    build.ensure_images(every, machine.steps.append)
    assert "building apache (0 s): step two" in machine.steps


def test_a_build_that_is_cancelled_is_ended(machine: Machine, every: Contents) -> None:
    running = machine.home / "running"
    do = f"echo $$ > {running}; exec /bin/sleep 60"
    machine.has("docker", {**built(every, "apache"), "compose*": do})
    wish = threading.Event()
    threading.Timer(0.5, wish.set).start()
    with cancellable(wish), pytest.raises(Cancelled):
        build.ensure_images(every, machine.steps.append)
    assert not Path(f"/proc/{running.read_text().strip()}").exists()


# Two runs at once


def test_a_run_waits_for_another_that_builds_and_builds_nothing_again(
    machine: Machine, every: Contents, tmp_path: Path
) -> None:
    machine.has("docker")
    (tmp_path / "state").mkdir()
    other = FileLock(tmp_path / "state/build.lock")
    assert other.take()
    results: list[list[str]] = []
    thread = threading.Thread(
        target=lambda: results.append(build.ensure_images(every, machine.steps.append))
    )
    thread.start()
    end = time.monotonic() + 10
    while not machine.steps and time.monotonic() < end:
        time.sleep(0.01)
    assert machine.steps[0].startswith("waiting for another run that builds the images (process ")
    machine.has("docker", built(every))
    other.release()
    thread.join(10)
    assert results == [[]]
    assert builds(machine) == []


def test_a_build_of_another_run_that_never_ends_is_named(
    machine: Machine, every: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "BUILD_SECONDS", 0.2)
    machine.has("docker")
    (tmp_path / "state").mkdir()
    other = FileLock(tmp_path / "state/build.lock")
    assert other.take()
    with pytest.raises(BuildError, match=r"Another run, process \d+, has been building"):
        build.ensure_images(every, machine.steps.append)
    assert builds(machine) == []
    other.release()
    assert build.ensure_images(every, machine.steps.append)


def test_the_build_lock_is_let_go_after_a_failure(machine: Machine, every: Contents) -> None:
    machine.has("docker", {"compose*": "exit 1"})
    for _ in range(2):
        with pytest.raises(BuildError):
            build.ensure_images(every, machine.steps.append)
    assert not any(step.startswith("waiting") for step in machine.steps)


# Other placements


def test_each_of_several_placements_is_built_once(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contexts: list[str] = []

    def prepare(placement: Placement) -> Path:
        contexts.append(placement.content)
        return tmp_path

    monkeypatch.setattr(build_context, "prepare", prepare)
    placements = [other(), other(locked=True), other(), other(content="three")]
    contents = contents_of(IMAGES, placements)
    there = built(contents_of(IMAGES))
    machine.has("docker", there)
    assert build.ensure_images(contents, machine.steps.append).count("placement") == 2
    assert contexts == ["one", "three"]
    assert "placement 15.0.0 (newest of 15)" in machine.steps[0]


def test_an_image_of_another_release_of_debian_gets_its_base(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    bases: list[str] = []
    monkeypatch.setattr(base_image, "ensure_base", lambda progress, debian: bases.append(debian))
    machine.has("docker")
    contents = contents_of(needed("mariadb-10.11", "env"))
    build.ensure_images(contents, machine.steps.append)
    assert bases == ["bookworm", "trixie"]
    assert "mariadb" not in builds(machine)


def test_what_most_others_wait_for_is_built_first(
    machine: Machine, every: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "AT_ONCE", 1)
    machine.has("docker")
    build.ensure_images(every, machine.steps.append)
    order = builds(machine)
    assert order[:2] == ["python", "oslo-config-etcd"]
    assert order.index("mariadb-server") < order.index("apache")
