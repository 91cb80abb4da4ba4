"""`placement-harness matrix`, with a program in pytest's place."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from harness.cli import program
from harness.matrix import runner
from harness.matrix.report import memory
from tests.fakes.matrix import everything, fake_pytest

_everything = pytest.fixture(autouse=True)(everything)
ROOT = Path(__file__).parents[3]
TWO = ("--database", "mariadb,galera")


class Said:
    def __init__(self, code: object, out: str, err: str, folder: Path) -> None:
        self.code, self.out, self.err, self.folder = code, out, err, folder

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "matrix.json").read_text())
        return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def run(
    tmp_path: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Callable[..., Said]]:
    fake_pytest(tmp_path, monkeypatch)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}

    def run(*words: str, **plays: object) -> Said:
        """Cells by their databases: ``galera={...}`` is for the cell galera-env-3."""
        told = {f"{name}-env-3" if name != "every" else "": play for name, play in plays.items()}
        monkeypatch.setenv("PLAY", json.dumps(told))
        arguments = ["matrix", "--output", str(folder), *words]
        monkeypatch.setattr(sys, "argv", ["placement-harness", *arguments])
        with pytest.raises(SystemExit) as ended:
            program.main(arguments)
        written = capsys.readouterr()
        return Said(ended.value.code, written.out, written.err, folder)

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


def seen(tmp_path: Path) -> list[tuple[str, list[str]]]:
    file = tmp_path / "seen"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(name, words) for name, words in map(json.loads, lines)]


def test_each_cell_is_a_pytest_of_its_own(
    run: Callable[..., Said], tmp_path: Path, folder: Path
) -> None:
    run(*TWO, "-n", "2", "--suite", "gabbits", "--", "-k", "traits")
    first, second = seen(tmp_path)
    assert [first[0], second[0]] == ["mariadb-env-3", "galera-env-3"]
    assert second[1] == [
        *("--target", "stack", "--stack", "fresh", "--replicas", "3", "--database", "galera"),
        *("--config-source", "env", "--suite", "gabbits", "-n", "2"),
        f"--junit-xml={folder}/galera-env-3/junit.xml",
        f"--run-report={folder}/galera-env-3/run.json",
        *("-k", "traits"),
    ]


def test_constraints_of_the_environment_are_for_no_placement_that_a_cell_names(
    run: Callable[..., Said], tmp_path: Path
) -> None:
    run("--placement", "15.0.0", "--", "--placement-constraints=mine.txt")
    run("--database", "mariadb")
    named, unnamed = seen(tmp_path)
    assert "--placement=15.0.0" in named[1]
    given = [word for word in named[1] if word.startswith("--placement-constraints")]
    assert given == ["--placement-constraints=", "--placement-constraints=mine.txt"]
    assert not [word for word in unnamed[1] if word.startswith("--placement")]


def test_upstreams_suites_are_run_unless_others_are_named(
    run: Callable[..., Said], tmp_path: Path
) -> None:
    cells = tmp_path / "cells.yaml"
    cells.write_text("- name: one\n- {name: two, suite: gabbits}\n")
    run("--cells", str(cells))
    first, second = seen(tmp_path)
    assert "--suite upstream" in " ".join(first[1])
    assert "--suite gabbits --junit" in " ".join(second[1])
    assert "-n" not in first[1]


def test_all_green_is_0_and_the_table_has_everything(run: Callable[..., Said]) -> None:
    said = run(*TWO)
    assert said.code == 0
    (line,) = [line for line in said.out.splitlines() if "galera-env-3" in line]
    cells = [cell.strip() for cell in line.strip("│").split("│")]
    assert cells[:5] == ["galera-env-3", "passed", "2", "0", "0"]
    assert cells[6:] == ["5.5 s", "2 x 78-80", "420", "95", "12", "-", "-"]
    assert "the results are in" in said.err


def test_a_step_is_a_line(run: Callable[..., Said]) -> None:
    lines = run("--database", "galera").err.splitlines()
    assert lines[:3] == [
        "  [1/1] galera-env-3: begins",
        "  [1/1] galera-env-3: starting a-stack: 3 replicas",
        "  [1/1] galera-env-3: ready after 5.5 s",
    ]
    assert lines[3].startswith("  [1/1] galera-env-3: passed, 2 passed in ")


def test_a_failed_cell_is_1_and_the_others_run(run: Callable[..., Said]) -> None:
    said = run(*TWO, mariadb={"code": 1, "failed": 1, "passed": 1})
    assert said.code == 1
    assert [cell["verdict"] for cell in said.json["cells"]] == ["failed", "passed"]
    assert "mariadb-env-3 failed (" in said.out
    assert "failed, 1 passed, 1 failed in" in said.err


def test_a_stack_that_could_not_be_used_is_70_and_the_others_run(run: Callable[..., Said]) -> None:
    error = {"problem": "MariaDB died.", "remedy": "Free some space.", "evidence": []}
    said = run(*TWO, mariadb={"code": 70, "error": error}, galera={"code": 1, "failed": 1})
    assert said.code == 70
    assert [cell["verdict"] for cell in said.json["cells"]] == ["unusable", "failed"]
    assert said.json["cells"][0]["reason"] == "MariaDB died."
    assert "mariadb-env-3 unusable: MariaDB died. (" in said.out


@pytest.mark.parametrize(
    ("play", "reason"),
    [
        (
            {"code": 4, "report": False, "says": "ERROR: --replicas x cannot be run."},
            "--replicas x cannot be run.",
        ),
        ({"code": 5}, "no test was run"),
        ({"code": 2}, "pytest was interrupted"),
        ({"code": 3, "says": "INTERNALERROR> oh"}, "exit code 3: gabbits/a.yaml ..  [ 50%]"),
        ({"report": False}, "it wrote no report"),
    ],
)
def test_what_proves_nothing_is_unusable(
    run: Callable[..., Said], play: dict[str, object], reason: str
) -> None:
    said = run("--database", "galera", every=play)
    assert said.code == 70
    assert said.json["cells"][0]["verdict"] == "unusable"
    assert said.json["cells"][0]["reason"] == reason


def test_a_run_that_was_not_proven_says_why(run: Callable[..., Said]) -> None:
    line = "FAILED: replica 2 answered none of 90 requests"
    said = run("--database", "galera", every={"code": 1, "unproven": line})
    assert "galera-env-3 failed: replica 2 answered none of 90 requests" in said.out


def test_the_json_has_all_of_it(run: Callable[..., Said]) -> None:
    found = run("--database", "galera").json
    assert found["schema"] == "placement-harness/matrix/1"
    assert found["command"].startswith("placement-harness matrix --output ")
    assert (found["verdict"], found["exit_code"], found["not_run"]) == ("passed", 0, [])
    (cell,) = found["cells"]
    assert cell["name"] == "galera-env-3"
    assert (cell["database"], cell["config_source"], cell["placement"]) == ("galera", "env", [])
    assert (cell["replicas"], cell["suites"]) == (3, ["upstream"])
    assert cell["tests"] == {"passed": 2, "failed": 0, "errors": 0}
    assert cell["seconds"]["start_up"] == 5.5
    assert 0 <= cell["seconds"]["wall"] < 30
    assert cell["memory"][1] == {
        **{"service": "placement-1", "container": "x", "used": 78 * 2**20, "most": None}
    }
    assert cell["files"] == {
        "log": "galera-env-3/log.txt",
        "junit": "galera-env-3/junit.xml",
        "run": "galera-env-3/run.json",
    }


def test_one_junit_has_all_cells(run: Callable[..., Said], folder: Path) -> None:
    error = {"problem": "MariaDB died.", "remedy": "", "evidence": []}
    play = {"code": 70, "error": error, "report": True}
    run("--database", "mariadb,galera,mariadb-10.11", mariadb={"code": 1, "failed": 1}, galera=play)
    root = ElementTree.parse(folder / "junit.xml").getroot()
    suites = {suite.attrib["name"]: suite for suite in root}
    assert list(suites) == ["mariadb-env-3", "galera-env-3", "mariadb-10.11-env-3"]
    names = [case.attrib["classname"] for case in suites["mariadb-env-3"].iter("testcase")]
    assert names == ["mariadb-env-3.gabbits.a.yaml"] * 2
    assert suites["mariadb-env-3"].attrib["failures"] == "1"
    (wrong,) = suites["galera-env-3"].iter("error")
    assert wrong.attrib["message"] == "MariaDB died."
    assert root.attrib["tests"] == "7"
    assert root.attrib["errors"] == "1"
    properties = suites["mariadb-10.11-env-3"].iter("property")
    assert {one.attrib["name"]: one.attrib["value"] for one in properties} == {
        "verdict": "passed",
        "placement": "16.0.0",
    }


def test_the_table_is_there_for_a_page(run: Callable[..., Said], folder: Path) -> None:
    run("--database", "galera")
    text = (folder / "matrix.md").read_text()
    assert text.startswith("`placement-harness matrix --output ")
    assert "\n| cell | verdict | passed |" in text
    assert "| galera-env-3 | passed | 2 | 0 | 0 |" in text


def test_what_an_earlier_matrix_left_is_not_taken_for_this_ones(run: Callable[..., Said]) -> None:
    run("--database", "galera")
    said = run("--database", "galera", every={"report": False, "code": 70})
    assert said.json["cells"][0]["tests"] == {}
    assert said.json["cells"][0]["files"] == {"log": "galera-env-3/log.txt"}


def test_a_cell_that_takes_too_long_is_ended_and_the_others_run(run: Callable[..., Said]) -> None:
    said = run(*TWO, "--timeout", "1.5", mariadb={"sleeps": 60})
    assert said.code == 70
    first, second = said.json["cells"]
    assert (first["verdict"], first["reason"]) == ("unusable", "not done within 1.5 s")
    assert second["verdict"] == "passed"
    log = (said.folder / "mariadb-env-3/log.txt").read_text()
    assert log.endswith("  removing the stack\n")


def test_one_that_does_not_end_is_killed(
    run: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "PATIENCE", 0.1)
    began = time.monotonic()
    play = {"sleeps": 60, "tidies": 60}
    assert run("--database", "galera", "--timeout", "1", every=play).code == 70
    assert time.monotonic() - began < 40


PROGRAM = """
import sys
from tests.fakes.matrix import everything
import pytest
from harness import cli
from harness.matrix import runner
everything(pytest.MonkeyPatch())
runner.PYTEST = (sys.executable, sys.argv.pop(1))
cli.main(sys.argv[1:])
"""


def started(tmp_path: Path, folder: Path, ready: Path) -> "subprocess.Popen[str]":
    """A matrix of three cells in a process of its own, whose second one runs, and will for long."""
    plays = {"galera-env-3": {"sleeps": 60, "tidies": 0.5, "ready": str(ready)}}
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", PROGRAM, str(tmp_path / "fake_pytest.py"), "matrix"),
            *("--output", str(folder), "--database", "mariadb,galera,galera-multiwriter"),
        ],
        env={**os.environ, "PLAY": json.dumps(plays), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 30
    while not ready.exists() and time.monotonic() < end:
        time.sleep(0.05)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_with_130_and_the_table_of_what_was_run(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    fake_pytest(tmp_path, monkeypatch)
    ready = tmp_path / "ready"
    process = started(tmp_path, folder, ready)
    try:
        process.send_signal(number)
        time.sleep(0.2)
        # An impatient user.
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, err
    assert "mariadb-env-3" in out
    assert "1 of 3 cells were not run" in out
    assert "interrupted; the work is undone or finished" in err
    found = json.loads((folder / "matrix.json").read_text())
    assert [cell["verdict"] for cell in found["cells"]] == ["passed", "interrupted"]
    assert found["not_run"] == ["galera-multiwriter-env-3"]
    assert found["exit_code"] == 130
    # It was let to remove its stack.
    assert (folder / "galera-env-3/log.txt").read_text().endswith("  removing the stack\n")


@pytest.mark.skipif(not shutil.which("setpriv"), reason="util-linux has it")
def test_a_cell_does_not_outlive_a_matrix_that_is_killed(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_pytest(tmp_path, monkeypatch)
    process = started(tmp_path, folder, tmp_path / "ready")
    process.kill()
    process.communicate(timeout=30)
    log = folder / "galera-env-3/log.txt"
    end = time.monotonic() + 10
    while "removing the stack" not in log.read_text() and time.monotonic() < end:
        time.sleep(0.05)
    assert log.read_text().endswith("  removing the stack\n")


def test_list_runs_nothing(run: Callable[..., Said], tmp_path: Path, folder: Path) -> None:
    said = run("--list", *TWO)
    assert said.code == 0
    assert said.out == (
        "mariadb-env-3  --replicas 3 --database mariadb --config-source env\n"
        "galera-env-3   --replicas 3 --database galera --config-source env\n"
    )
    assert seen(tmp_path) == []
    assert not folder.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--cells", "smok"], "--cells smok: there is no such set of cells*Did you mean smoke?"),
        (["--database", "x"], "--database x: there is no such database."),
        (["--only", "nothing"], "--only nothing is found in no cell's name."),
        (["--list", "--zuul"], "--list and --zuul make no sense together. Give one of them."),
        (["-n", "x"], "-n x makes no sense. Give a number, or auto."),
        (["-n", "0"], "-n 0 makes no sense. Give a number, or auto."),
        (["smoke"], "smoke would be a file for pytest. Did you mean --cells smoke?"),
        (["--", "--junit-xml=x"], "--junit-xml=x is the matrix's own: it writes one for each"),
    ],
)
def test_a_bad_option_is_refused_before_anything_is_run(
    run: Callable[..., Said], tmp_path: Path, folder: Path, words: list[str], message: str
) -> None:
    said = run(*words)
    assert said.code == 64
    for part in message.split("*"):
        assert part in said.err
    assert seen(tmp_path) == []
    assert not folder.exists()


@pytest.mark.parametrize("seconds", ["0", "-1", "x"])
def test_a_time_that_cannot_be_is_refused(run: Callable[..., Said], seconds: str) -> None:
    assert run("--timeout", seconds).code == 64


def test_a_directory_that_cannot_be_written_is_refused(
    run: Callable[..., Said], tmp_path: Path, folder: Path
) -> None:
    folder.touch()
    said = run("--database", "galera")
    assert said.code == 64
    assert f"--output {folder} cannot be written: File exists." in said.err
    assert "Name a directory that you may write to." in said.err
    assert seen(tmp_path) == []


def test_without_junitparser_nothing_is_run(
    run: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "junitparser", None)
    monkeypatch.delitem(sys.modules, "harness.report.junit", raising=False)
    import harness.report

    monkeypatch.delattr(harness.report, "junit", raising=False)
    said = run("--database", "galera")
    assert said.code == 70
    assert "pip install 'placement-harness[matrix]'" in said.err
    assert seen(tmp_path) == []


def test_memory_of_parts_that_are_not_there() -> None:
    assert memory([]) == ["-"] * 6
    one = [{"service": "placement-1", "used": 2**20}, {"service": "etcd", "used": 3 * 2**20}]
    assert memory(one) == ["1 x 1", "-", "-", "-", "-", "3"]
