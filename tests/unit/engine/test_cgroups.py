"""Memory and CPU time of a container, in every layout of control groups."""

from pathlib import Path

import pytest

from harness.engine import cgroups


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("cpuacct/docker/abc/cpuacct.usage", "2500000000\n"),
        ("cpuacct/system.slice/docker-abc.scope/cpuacct.usage", "2500000000\n"),
        ("docker/abc/cpu.stat", "usage_usec 2500000\nuser_usec 2000000\n"),
        ("system.slice/docker-abc.scope/cpu.stat", "usage_usec 2500000\nuser_usec 2000000\n"),
    ],
)
def test_cpu_seconds_are_read_from_both_versions(tmp_path: Path, file: str, text: str) -> None:
    write(tmp_path, {file: text})
    assert cgroups.cpu_seconds("abc", tmp_path) == 2.5


@pytest.mark.parametrize("text", ["", "usage_usec many\n"])
def test_a_file_without_a_figure_is_no_figure(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"docker/abc/cpu.stat": text, "cpuacct/docker/abc/cpuacct.usage": text})
    assert cgroups.cpu_seconds("abc", tmp_path) is None


def test_a_container_of_another_machine_has_no_figures(tmp_path: Path) -> None:
    assert cgroups.cpu_seconds("abc", tmp_path) is None
    assert cgroups.memory("abc", tmp_path) is None


def test_memory_is_without_the_cache_that_the_kernel_gives_back(tmp_path: Path) -> None:
    folder = "docker/abc"
    write(
        tmp_path,
        {
            f"{folder}/memory.current": "1000\n",
            f"{folder}/memory.stat": "anon 700\ninactive_file 300\n",
        },
    )
    assert cgroups.memory("abc", tmp_path) == (700, None)
    write(tmp_path, {f"{folder}/memory.peak": "1500\n"})
    assert cgroups.memory("abc", tmp_path) == (700, 1500)
