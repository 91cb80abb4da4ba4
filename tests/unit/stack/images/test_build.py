"""The images are built when they have to be, in order, by one run at a time."""

import itertools
import shutil
import threading
import time
from pathlib import Path

import pytest

from harness.core import deadline
from harness.core.deadline import Cancelled, cancellable
from harness.core.errors import BuildError
from harness.core.locks import FileLock
from harness.core.paths import ROOT
from harness.engine import base_image
from harness.placements import build_context
from harness.placements.model import Placement, Schema
from harness.stack.images import build, latest
from harness.stack.images.build import IMAGES, content, waves
from tests.fakes.machine import FULL, Machine, fails

# The fake docker's: which images there are is in a file, which a build writes.
LIST = "image ls*label*"


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(base_image, "ensure_base", lambda progress, debian: None)


def built(*names: str) -> dict[str, str]:
    """An engine on which these images are there, and up to date."""
    tags = " ".join(IMAGES[name].tag(content(name)) for name in names)
    return {LIST: f"echo '{tags}'"}


def builds(machine: Machine) -> list[str]:
    calls = [call for call in machine.calls if call.startswith("docker compose")]
    return [call.partition(" build ")[2] for call in calls]


def test_images_that_are_up_to_date_are_left_alone(machine: Machine) -> None:
    machine.has("docker", built(*IMAGES))
    assert build.ensure_images(machine.steps.append, IMAGES) == []
    assert machine.steps == []
    assert builds(machine) == []


def test_all_images_are_built_in_waves(machine: Machine) -> None:
    machine.has("docker")
    build.ensure_images(machine.steps.append, IMAGES)
    assert builds(machine) == [
        "apache etcd haproxy memcached oslo-config-etcd python",
        "keystone placement",
        "mariadb mariadb-10.11",
    ]
    first = "apache, etcd, haproxy, memcached, oslo-config-etcd, python"
    assert machine.steps[0] == f"building {first}"
    assert machine.steps[1].startswith(f"built {first} in 0 s")


def test_a_build_sees_no_settings_of_a_stack_that_is_started_by_hand(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_PLACEMENT_TARGET", "debug")
    told = tmp_path / "told"
    machine.has("docker", {"compose*": f'echo "$HARNESS_PLACEMENT_TARGET $*" >> {told}'})
    build.ensure_images(machine.steps.append, IMAGES)
    for line in told.read_text().splitlines():
        assert line.startswith(" ")
        assert "--env-file /dev/null build " in line


def test_one_image_that_is_out_of_date_is_built_alone(machine: Machine) -> None:
    machine.has("docker", built(*(name for name in IMAGES if name != "memcached")))
    assert build.ensure_images(machine.steps.append, IMAGES) == ["memcached"]
    assert builds(machine) == ["memcached"]


def test_no_image_is_built_before_those_that_it_is_built_upon() -> None:
    ordered = list(itertools.chain(*waves(IMAGES)))
    assert sorted(ordered) == sorted(IMAGES)
    for name in ordered:
        assert set(IMAGES[name].upon) <= set(ordered[: ordered.index(name)])


def test_a_change_reaches_every_image_built_upon_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: content(name) for name in IMAGES}
    shutil.copytree(ROOT / "services", tmp_path / "services")
    monkeypatch.setattr(build, "ROOT", tmp_path)
    assert {name: content(name) for name in IMAGES} == before
    with (tmp_path / "services/placement/Dockerfile").open("a") as file:
        file.write("# changed\n")
    changed = {name for name in IMAGES if content(name) != before[name]}
    assert changed == {"placement", "mariadb", "mariadb-10.11"}


def test_a_build_that_fails_shows_its_last_lines(machine: Machine) -> None:
    many = "for n in $(/usr/bin/seq 40); do echo line $n; done; echo 'ERROR: no'; exit 17"
    machine.has("docker", {"compose*": many})
    with pytest.raises(BuildError, match="could not be built: apache, etcd, haproxy") as caught:
        build.ensure_images(machine.steps.append, IMAGES)
    assert caught.value.evidence[0] == "line 17"
    assert caught.value.evidence[-1] == "ERROR: no"
    assert len(caught.value.evidence) == build.EVIDENCE_LINES
    files = " ".join(f"-f {one}compose.yaml" for one in ("", "services/etcd/", "services/galera/"))
    assert f"docker compose {files} -f services/mariadb-10.11/" in caught.value.remedy
    assert "build apache etcd haproxy" in caught.value.remedy


def test_a_disk_that_fills_up_under_a_build_says_so(machine: Machine) -> None:
    machine.has("docker", {"compose*": fails(FULL)})
    with pytest.raises(BuildError, match="The disk is full: building apache") as caught:
        build.ensure_images(machine.steps.append, IMAGES)
    assert "docker system df" in caught.value.remedy
    assert FULL in caught.value.evidence


def test_a_long_build_says_now_and_then_what_it_does(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "NEWS_SECONDS", 0.05)
    do = "echo one; /bin/sleep 0.2; echo step two; /bin/sleep 0.2; echo step three"
    machine.has("docker", {**built(*(set(IMAGES) - {"apache"})), "compose*": do})
    build.ensure_images(machine.steps.append, IMAGES)
    assert "building apache (0 s): step two" in machine.steps


def test_a_build_that_is_cancelled_is_ended(machine: Machine) -> None:
    running = machine.home / "running"
    machine.has("docker", {"compose*": f"echo $$ > {running}; exec /bin/sleep 60"})
    wish = threading.Event()
    threading.Timer(0.5, wish.set).start()
    with cancellable(wish), pytest.raises(Cancelled):
        build.ensure_images(machine.steps.append, IMAGES)
    assert not Path(f"/proc/{running.read_text().strip()}").exists()


# Two runs at once


def test_a_run_waits_for_another_that_builds_and_builds_nothing_again(
    machine: Machine, tmp_path: Path
) -> None:
    machine.has("docker")
    (tmp_path / "state").mkdir()
    other = FileLock(tmp_path / "state/build.lock")
    assert other.take()
    results: list[list[str]] = []
    thread = threading.Thread(
        target=lambda: results.append(build.ensure_images(machine.steps.append, IMAGES))
    )
    thread.start()
    end = time.monotonic() + 10
    while not machine.steps and time.monotonic() < end:
        time.sleep(0.01)
    assert machine.steps[0].startswith("waiting for another run that builds the images (process ")
    machine.has("docker", built(*IMAGES))
    other.release()
    thread.join(10)
    assert results == [[]]
    assert builds(machine) == []


def test_a_build_of_another_run_that_never_ends_is_named(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "BUILD_SECONDS", 0.2)
    machine.has("docker")
    (tmp_path / "state").mkdir()
    other = FileLock(tmp_path / "state/build.lock")
    assert other.take()
    with pytest.raises(BuildError, match=r"Another run, process \d+, has been building"):
        build.ensure_images(machine.steps.append, IMAGES)
    assert builds(machine) == []
    other.release()
    assert build.ensure_images(machine.steps.append, IMAGES)


def test_the_build_lock_is_let_go_after_a_failure(machine: Machine) -> None:
    machine.has("docker", {"compose*": "exit 1"})
    for _ in range(2):
        with pytest.raises(BuildError):
            build.ensure_images(machine.steps.append, IMAGES)
    assert not any(step.startswith("waiting") for step in machine.steps)


# Other placements


def other(locked: bool = False, content: str = "one", schema: str = "two") -> Placement:
    here = Path()
    known = Schema("b", frozenset("ab"), schema)
    return Placement("15", "release", "15.0.0", here, here, content, known, locked=locked)


def test_the_locked_release_by_its_name_is_the_same_image() -> None:
    for name in IMAGES:
        assert content(name, [other(locked=True)]) == content(name)


def test_another_placement_has_its_own_image_and_a_database_with_its_schema() -> None:
    changed = {name for name in IMAGES if content(name, [other()]) != content(name)}
    upon = {name for name, image in IMAGES.items() if "placement" in image.upon}
    assert changed == {"placement", *upon}
    edited = other(content="three")
    assert content("placement", [edited]) != content("placement", [other()])
    assert content("mariadb", [edited]) == content("mariadb", [other()])
    migrated = other(schema="four")
    assert content("mariadb", [migrated]) != content("mariadb", [other()])


def test_each_of_several_placements_is_built_once(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contexts: list[str] = []

    def prepare(placement: Placement) -> Path:
        contexts.append(placement.content)
        return tmp_path

    monkeypatch.setattr(build_context, "prepare", prepare)
    machine.has("docker", built(*(name for name in IMAGES)))
    placements = [other(), other(locked=True), other(), other(content="three")]
    assert build.ensure_images(machine.steps.append, IMAGES, placements).count("placement") == 2
    assert contexts == ["one", "three"]
    assert any("building placement 15.0.0 (newest of 15)" in step for step in machine.steps)


def test_latest_is_what_this_checkout_makes_after_another_has_built(machine: Machine) -> None:
    apache, memcached = IMAGES["apache"], IMAGES["memcached"]
    own, up_to_date = apache.tag(content("apache")), memcached.tag(content("memcached"))
    rows = {own: 1, apache.tag("latest"): 2, up_to_date: 3, memcached.tag("latest"): 3}
    lines = "".join(f"{tag}\\t{number}\\n" for tag, number in rows.items())
    machine.has("docker", {LIST: f"printf '{lines}'"})
    latest.claim(["apache", "memcached", "python"])
    assert machine.calls[1:] == [f"docker tag {own} {apache.tag('latest')}"]


def test_the_latest_is_the_locked_release(machine: Machine) -> None:
    machine.has("docker")
    build._tidy(IMAGES["placement"], content("placement", [other()]))
    assert not any(call.endswith(":latest") for call in machine.calls)
    build._tidy(IMAGES["placement"], content("placement"))
    assert any(call.endswith(":latest") for call in machine.calls)


def test_what_was_wanted_last_is_kept_however_old_its_layers_are(machine: Machine) -> None:
    never = "0001-01-01 00:00:00 +0000 UTC"
    times = [f"2026-11-0{day}T10:00:00Z|{never}" for day in range(1, 9)]
    times[0] = "2026-10-01T10:00:00Z|2026-11-20 10:00:00 +0000 UTC"
    tags = " ".join(f"content{day}" for day in range(1, 9))
    lines = "; ".join(f"echo '{line}'" for line in times)
    machine.has("docker", {"image ls*": f"echo {tags}", "image inspect*": lines})
    build._tidy(IMAGES["apache"], "built")
    removed = [call.rpartition(":")[2] for call in machine.calls if " rmi " in call]
    assert removed == ["content6", "content5", "content4", "content3", "content2"]


def test_an_image_of_another_release_of_debian_gets_its_base(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(base_image, "ensure_base", lambda progress, debian: asked.append(debian))
    machine.has("docker")
    build.ensure_images(machine.steps.append, build.needed("mariadb-10.11", "env"))
    assert asked == ["bookworm", "trixie"]
    assert "mariadb" not in builds(machine)
    assert content("mariadb") != content("mariadb-10.11")
