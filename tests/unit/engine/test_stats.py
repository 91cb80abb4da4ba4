"""What containers have in memory: the kernel's figures, or else docker's."""

from pathlib import Path

import pytest

from harness.core.errors import EngineError
from harness.core.measurements import Memory
from harness.engine import stats
from tests.fakes.machine import Machine, fails

ROW = "{0}\\tone-{1}-1\\t{1}\\t{2}\\tUp\\tone\\t/state\\n"


def lists(machine: Machine, *containers: str, stats: str = "exit 1") -> None:
    rows = "".join(ROW.format(*one.split()) for one in containers)
    machine.has("docker", {"ps*": f"printf '{rows}'", "stats*": stats})


def group(root: Path, below: str, **files: object) -> None:
    folder = root / below
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")


@pytest.mark.parametrize("below", ["system.slice/docker-a1.scope", "docker/a1"])
def test_version_2_of_control_groups(machine: Machine, tmp_path: Path, below: str) -> None:
    lists(machine, "a1 mariadb running")
    stat = "anon 60\ninactive_file 30"
    group(tmp_path / "c", below, memory__current=100, memory__peak=400, memory__stat=stat)
    assert stats.of_stack("one", tmp_path / "c") == [Memory("mariadb", "one-mariadb-1", 70, 400)]
    assert not machine.called("docker stats")


def test_a_kernel_that_does_not_know_the_most(machine: Machine, tmp_path: Path) -> None:
    lists(machine, "a1 mariadb running")
    group(tmp_path / "c", "docker/a1", memory__current=100, memory__stat="inactive_file 30")
    assert stats.of_stack("one", tmp_path / "c") == [Memory("mariadb", "one-mariadb-1", 70)]


def test_version_1_of_control_groups(machine: Machine, tmp_path: Path) -> None:
    lists(machine, "a1 mariadb running", "b2 apache running")
    for name, used in (("a1", 100), ("b2", 20)):
        group(
            tmp_path / "c/memory/docker",
            name,
            memory__usage_in_bytes=used,
            memory__max_usage_in_bytes=used * 2,
            memory__stat="inactive_file 1\ntotal_inactive_file 10",
        )
    assert stats.of_stack("one", tmp_path / "c") == [
        Memory("apache", "one-apache-1", 10, 40),
        Memory("mariadb", "one-mariadb-1", 90, 200),
    ]


def test_docker_is_asked_where_the_kernel_is_another(machine: Machine, tmp_path: Path) -> None:
    usage = "printf 'a1\\t66.5MiB / 23.54GiB\\nb2\\t3.25kB / 1GB\\nc3\\t-- / --\\n'"
    lists(machine, "a1 mariadb running", "b2 apache running", "c3 keystone running", stats=usage)
    assert stats.of_stack("one", tmp_path) == [
        Memory("apache", "one-apache-1", 3250),
        Memory("mariadb", "one-mariadb-1", int(66.5 * 2**20)),
    ]
    assert machine.called("docker stats --no-stream --no-trunc --format")


def test_a_container_that_does_not_run_has_none(machine: Machine, tmp_path: Path) -> None:
    lists(machine, "a1 mariadb exited")
    assert stats.of_stack("one", tmp_path) == []
    assert not machine.called("docker stats")


def test_nothing_is_known_when_docker_does_not_say(machine: Machine, tmp_path: Path) -> None:
    lists(machine, "a1 mariadb running")
    assert stats.of_stack("one", tmp_path) == []


def test_containers_that_cannot_be_listed_are_an_error(machine: Machine, tmp_path: Path) -> None:
    machine.has("docker", {"ps*": fails("it is too late"), "version*": "echo 28.0.0"})
    with pytest.raises(EngineError, match="containers of one could not be listed: it is too late"):
        stats.of_stack("one", tmp_path)
