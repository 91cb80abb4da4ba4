"""What the other side does not repeat is unstable, and no failure: on two fake targets."""

from __future__ import annotations

import json

import pytest

from tests.fakes.project import Project

# Each request for /counted gets another number, /shared one that is the same for both sides. The
# first three requests for /late get 502. PUT makes a thing, which stays.
APPLICATION = """
import itertools, json

class Application:
    numbers = itertools.count(1)

    def __init__(self):
        self.late = 0
        self.things = set()

    def __call__(self, environ, start):
        path, status, body = environ["PATH_INFO"], "200 OK", {"path": environ["PATH_INFO"]}
        if path == "/counted":
            body["number"] = next(self.numbers)
        if path == "/late" and self.is_late:
            self.late += 1
            status = "502 Bad Gateway" if self.late < 2 else "200 OK"
        if path == "/other" and self.is_late:
            body["number"] = 2
        if environ["REQUEST_METHOD"] == "PUT":
            status = "204 No Content" if path in self.things else self.made
            self.things.add(path)
        start(status, [("content-type", "application/json")])
        return [json.dumps(body).encode()]

class Main(Application):
    is_late, made = False, "201 Created"

class Other(Application):
    is_late, made = True, "200 OK"
"""
SUITE = """
tests:
- name: before
  GET: /before
- name: a number that changes
  GET: /counted
- name: after
  GET: /after
"""
UNSTABLE = "unstable: GET /counted body $.number, once, first in *a number that changes: other*"


@pytest.fixture
def two(project: Project) -> Project:
    """Two targets, of which the other one does not answer as the main one does."""
    project.module(APPLICATION, "application")
    project.settings()
    project.fake(application="application:Main")
    project.other(application="application:Other")
    return project


def test_what_the_other_side_does_not_repeat_is_no_failure(two: Project) -> None:
    two.suite(SUITE)
    result = two.run("--parity", "other", "-v")
    assert result.ret == 0
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines([UNSTABLE, "*2 same, 0 expected difference, 1 unstable*"])


def test_it_is_counted_for_programs_and_on_the_page(two: Project) -> None:
    two.suite(SUITE)
    two.run("--parity", "other", "--parity-report", "page.html", "--run-report", "run.json")
    figures = json.loads((two.path / "run.json").read_text())["parity"]
    assert figures["tests"] == {
        **{"same": 2, "expected difference": 0, "unstable": 1, "not compared": 0, "different": 0}
    }
    assert [each["place"] for each in figures["unstable"]] == ["body $.number"]
    assert '"place":"body $.number"' in (two.path / "page.html").read_text()


def test_a_run_without_a_comparison_has_no_figures_of_one(two: Project) -> None:
    two.suite(SUITE)
    two.run("--run-report", "run.json")
    assert json.loads((two.path / "run.json").read_text())["parity"] is None


def test_workers_repeat_too(two: Project) -> None:
    two.suite(SUITE)
    two.suite(SUITE, "gabbits/two.yaml")
    result = two.run_apart("-n2", "--parity", "other")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*4 same, 0 expected difference, 2 unstable*"])


def test_what_it_repeats_is_different_beside_what_it_does_not(two: Project) -> None:
    two.suite(f"{SUITE}- name: another number\n  GET: /other\n")
    result = two.run("--parity", "other")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines([UNSTABLE, "*2 same*1 unstable, 0 not compared, 1 different"])


def test_a_side_that_answers_502_for_a_while_is_unstable(two: Project) -> None:
    two.suite("tests:\n- name: late\n  GET: /late\n")
    result = two.run("--parity", "other")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["unstable: GET /late status*", "*1 unstable*"])


def test_what_a_suite_leaves_behind_excuses_nothing(two: Project) -> None:
    two.suite("tests:\n- name: it stays\n  PUT: /thing\n  status: 200 || 201 || 204\n")
    result = two.run("--parity", "other")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*status*", "*0 unstable, 0 not compared, 1 different"])


def test_the_summary_counts_no_repetition(two: Project) -> None:
    two.suite(SUITE)
    two.run("--parity", "other").stdout.fnmatch_lines(["requests  3"])


def test_a_run_that_ends_within_a_suite_reports_what_waits(two: Project) -> None:
    two.suite(SUITE.replace("GET: /after", "GET: /after\n  status: 500"))
    two.suite("tests:\n- name: never\n  GET: /\n", "gabbits/two.yaml")
    result = two.run("--parity", "other", "-x", "gabbits/one.yaml", "gabbits/two.yaml")
    result.assert_outcomes(passed=2, failed=1)


PYTHON = """
def test_counted(placement):
    placement.get("/counted")

def test_other(placement):
    placement.get("/other")
"""


def test_python_tests_are_repeated(two: Project) -> None:
    two.module(PYTHON, "test_python")
    result = two.run("test_python.py", "--parity", "other")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["unstable: GET /counted body*", "*1 unstable*1 different"])
