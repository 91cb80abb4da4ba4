"""The command `footprint`: what it refuses before it measures an image."""

import json
from pathlib import Path

import pytest

from tests.fakes.commands import Harness, apart, commands_of, listed, running
from tests.fakes.machine import Machine

_apart = pytest.fixture(autouse=True)(apart)
harness = pytest.fixture(commands_of)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--placement", "16.0.0", "--image", "x"], "--placement and --image name two images"),
        (["--max-size", "60 parsecs"], "--max-size 60 parsecs is no size"),
        (["--max-size", "0"], "--max-size 0 allows no image"),
        (["--page", "/proc/no/page.html"], "--page /proc/no/page.html cannot be written"),
        (["--json", "/proc/no/file.json"], "--json /proc/no/file.json cannot be written"),
        (["--processes", "--image", "x"], "takes no options but --name and --json"),
        (["--processes", "--json", "/proc/no/x.json"], "--json /proc/no/x.json cannot be written"),
    ],
)
def test_what_makes_no_sense_is_refused(
    harness: Harness, machine: Machine, words: list[str], problem: str
) -> None:
    said = harness("footprint", *words)
    assert said.code == 64
    assert problem in said.err
    assert machine.calls == []


PROCESSES = [[1, "mariadbd --port=3306", 90_000_000, 80_500_000], [7, "sh", 1_000_000, 500_000]]


def test_the_processes_of_all_containers_of_a_stack_are_shown(
    harness: Harness, machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    running(monkeypatch)
    answer = f"echo '{json.dumps(PROCESSES)}'"
    rows = ("mariadb-1 mariadb running", "placement-1-1 placement-1 running", "etcd-1 etcd exited")
    listed(machine, *rows, **{"run*": answer})
    said = harness("footprint", "--processes", "--json", str(tmp_path / "figures.json"))
    assert said.code == 0, said.err
    assert [line.split() for line in said.out.splitlines()] == [
        ["rss", "pss", "service", "process"],
        *(
            row
            for service in ("mariadb", "placement-1")
            for row in (
                ["90.00", "MB", "80.50", "MB", service, "mariadbd", "--port=3306"],
                ["1.00", "MB", "500.0", "kB", service, "sh"],
            )
        ),
        ["162.00", "MB", "all", "of", "them"],
    ]
    runs = [call for call in machine.calls if call.startswith("docker run ")]
    assert len(runs) == 2
    for call in runs:
        assert "--cap-drop ALL --pid container:" in call
        assert "--user 0 --cap-add SYS_PTRACE " in call
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures[1] == {
        "service": "mariadb", "pid": 7, "command": "sh", "rss": 1_000_000, "pss": 500_000
    }  # fmt: skip


def test_processes_that_cannot_be_measured_are_an_error_with_its_cause(
    harness: Harness, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    running(monkeypatch)
    refused = "echo 'Error: privileged mode is incompatible with user namespaces' >&2; exit 125"
    listed(machine, "placement-1-1 placement-1 running", **{"run*": refused})
    said = harness("footprint", "--processes")
    assert said.code == 70
    assert "placement-1-1 could not be measured: Error: privileged mode is incompatible" in said.err
    assert "has to allow --pid container:ID" in said.err
