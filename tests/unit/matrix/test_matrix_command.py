"""`placement-harness matrix`, with a program in pytest's place."""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.matrix.report import memory
from tests.fakes.matrix import Said, everything, folder_of_results, run_of, seen

_everything = pytest.fixture(autouse=True)(everything)
_folder = pytest.fixture(name="folder")(folder_of_results)
_run = pytest.fixture(name="run")(run_of)
ROOT = Path(__file__).parents[3]
TWO = ("--database", "mariadb,galera")


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


def test_memory_of_parts_that_are_not_there() -> None:
    assert memory([]) == ["-"] * 6
    one = [{"service": "placement-1", "used": 2**20}, {"service": "etcd", "used": 3 * 2**20}]
    assert memory(one) == ["1 x 1", "-", "-", "-", "-", "3"]
