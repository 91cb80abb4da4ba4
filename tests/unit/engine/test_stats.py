"""Memory of containers: the kernel's figures, or else docker's."""

import json
from pathlib import Path

import pytest

from harness.core.measurements import Memory
from harness.engine import stats
from harness.engine.values import Container
from tests.fakes.engine import container
from tests.fakes.machine import Machine, fails

USAGE = {
    **dict.fromkeys(("BlockIO", "NetIO"), "0B / 0B"),
    **dict.fromkeys(("CPUPerc", "MemPerc"), "0.00%"),
    **dict.fromkeys(("Container", "Name"), ""),
}


def containers(*rows: str) -> list[Container]:
    """Containers by id, service and state."""
    fields = [row.split() for row in rows]
    return [container(f"one-{name}-1", name, state, id_=id_) for id_, name, state in fields]


def usage(**used: str) -> str:
    """A fake docker's answer to ``stats``."""
    lines = [json.dumps({**USAGE, "ID": id_, "MemUsage": text}) for id_, text in used.items()]
    return f"printf '%s\\n' {' '.join(map(repr, lines))}"


def group(root: Path, below: str, **files: object) -> None:
    folder = root / below
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")


@pytest.mark.parametrize("below", ["system.slice/docker-a1.scope", "docker/a1"])
def test_version_2_of_control_groups(machine: Machine, tmp_path: Path, below: str) -> None:
    running = containers("a1 mariadb running")
    stat = "anon 60\ninactive_file 30"
    group(tmp_path / "c", below, memory__current=100, memory__peak=400, memory__stat=stat)
    assert stats.memory(running, tmp_path / "c") == [Memory("mariadb", "one-mariadb-1", 70, 400)]
    assert not machine.calls


def test_a_kernel_that_does_not_know_the_most(machine: Machine, tmp_path: Path) -> None:
    running = containers("a1 mariadb running")
    group(tmp_path / "c", "docker/a1", memory__current=100, memory__stat="inactive_file 30")
    assert stats.memory(running, tmp_path / "c") == [Memory("mariadb", "one-mariadb-1", 70)]


def test_version_1_of_control_groups(machine: Machine, tmp_path: Path) -> None:
    running = containers("a1 mariadb running", "b2 apache running")
    for name, used in (("a1", 100), ("b2", 20)):
        group(
            tmp_path / "c/memory/docker",
            name,
            memory__usage_in_bytes=used,
            memory__max_usage_in_bytes=used * 2,
            memory__stat="inactive_file 1\ntotal_inactive_file 10",
        )
    assert stats.memory(running, tmp_path / "c") == [
        Memory("mariadb", "one-mariadb-1", 90, 200),
        Memory("apache", "one-apache-1", 10, 40),
    ]


def test_docker_is_asked_where_the_kernel_is_another(machine: Machine, tmp_path: Path) -> None:
    running = containers("a1 mariadb running", "b2 apache running", "c3 keystone running")
    used = usage(a1="66.5MiB / 23.54GiB", b2="3.25kB / 1GB")
    machine.has("docker", {"container stats*": used})
    assert stats.memory(running, tmp_path) == [
        Memory("mariadb", "one-mariadb-1", int(66.5 * 2**20)),
        Memory("apache", "one-apache-1", 3250),
    ]


def test_a_container_that_does_not_run_has_none(machine: Machine, tmp_path: Path) -> None:
    running = containers("a1 mariadb exited")
    assert stats.memory(running, tmp_path) == []
    assert not machine.calls


def test_nothing_is_known_when_docker_does_not_say(machine: Machine, tmp_path: Path) -> None:
    machine.has("docker", {"container stats*": fails("it is too late")})
    assert stats.memory(containers("a1 mariadb running"), tmp_path) == []
