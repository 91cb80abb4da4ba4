"""A worker that dies takes only its own file with it, and never the run."""

from __future__ import annotations

import re

import pytest

from tests.fakes.project import Project

DIES = """
import os, pathlib

def pytest_runtest_setup(item):
    if item.nodeid in os.environ["DIES"].split(","):
        died = pathlib.Path("died " + item.nodeid.replace("/", " "))
        if not died.exists() or os.environ["ALWAYS"]:
            died.touch()
            os._exit(9)
"""
# More than xdist's own scheduler gives to the next worker, to wait for ever.
FILES = "abcdefgh"


@pytest.fixture
def suites(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in FILES:
        project.suite(name=f"gabbits/{name}.yaml")
    project.module(DIES, "dies")
    monkeypatch.setenv("ALWAYS", "")
    return project


@pytest.mark.parametrize("always", ["", "yes"])
@pytest.mark.parametrize("way", ["loadfile", "loadscope"])
def test_a_worker_that_dies_takes_only_its_own_file_with_it(
    suites: Project, monkeypatch: pytest.MonkeyPatch, always: str, way: str
) -> None:
    monkeypatch.setenv("DIES", "gabbits/g.yaml::second of them")
    monkeypatch.setenv("ALWAYS", always)
    result = suites.run_apart("-p", "dies", "-n2", f"--dist={way}", "-rEf")
    result.assert_outcomes(passed=22, failed=1, errors=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*not run: gw*, which had the tests before it, died in 'second of them'",
            "FAILED gabbits/g.yaml::second of them*",
        ]
    )
    result.stdout.fnmatch_lines(["ERROR gabbits/g.yaml::third*"])
    # The requests of the worker that died count, too: one for each test that passed.
    result.stdout.fnmatch_lines(["requests  22"])
    assert suites.events[-1] == "stop"


def test_each_death_costs_one_file(suites: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    dying = [f"gabbits/{name}.yaml::first" for name in "aceg"]
    monkeypatch.setenv("DIES", ",".join(dying))
    monkeypatch.setenv("ALWAYS", "yes")
    result = suites.run_apart("-p", "dies", "-n2", "-rf")
    result.assert_outcomes(passed=12, failed=4, errors=8)
    said = re.findall(r"^FAILED (\S+::\w+)", str(result.stdout), re.MULTILINE)
    assert sorted(set(said)) == dying


def test_files_of_one_test_are_all_run_by_whoever_is_left(
    suites: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in FILES:
        suites.suite("tests: [{name: only, GET: /}]", f"gabbits/{name}.yaml")
    monkeypatch.setenv("DIES", "gabbits/a.yaml::only,gabbits/b.yaml::only")
    result = suites.run_apart("-p", "dies", "-n2")
    result.assert_outcomes(passed=6, failed=2)


def test_of_python_tests_the_others_are_run_by_the_next_worker(
    suites: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    suites.module("".join(f"def test_{n}(placement): pass\n" for n in range(5)), "test_python")
    monkeypatch.setenv("DIES", "test_python.py::test_2")
    monkeypatch.setenv("ALWAYS", "yes")
    result = suites.run_apart("-p", "dies", "-n2", "gabbits", "test_python.py")
    result.assert_outcomes(passed=28, failed=1)


def test_a_worker_that_dies_before_it_has_collected_is_replaced(
    suites: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    suites.module(
        "import os, pathlib\n"
        "def pytest_collection_finish(session):\n"
        "    if hasattr(session.config, 'workerinput') and not pathlib.Path('died').exists():\n"
        "        pathlib.Path('died').touch()\n"
        "        os._exit(9)\n",
        "dies_early",
    )
    suites.run_apart("-p", "dies_early", "-n2").assert_outcomes(passed=24)
