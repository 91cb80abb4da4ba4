"""YAML files become pytest items, and behave as pytest users expect."""

from __future__ import annotations

import os

import pytest

from tests.fakes.project import Project

PRIOR = """
tests:
- name: one
  POST: /echo
  request_headers: {content-type: application/json}
  data: {number: 7}
- name: two
  GET: /status/404
- name: three
  POST: /echo
  request_headers: {content-type: application/json}
  data: {same: "$HISTORY['one'].$RESPONSE['$.number']"}
  response_json_paths: {$.same: 7}
- name: alone
  GET: /alone
  use_prior_test: false
"""


def test_each_test_of_a_suite_is_an_item(project: Project) -> None:
    project.suite()
    result = project.run("--collect-only", "-q")
    result.stdout.fnmatch_lines(
        [
            "gabbits/one.yaml::first",
            "gabbits/one.yaml::second of them",
            "gabbits/one.yaml::third",
            "3 tests collected*",
        ]
    )
    assert result.ret == 0


def test_collecting_alone_starts_nothing(project: Project) -> None:
    project.suite()
    project.run("--collect-only")
    assert project.events == []


def test_a_test_is_picked_by_its_id(project: Project) -> None:
    project.suite()
    result = project.run("gabbits/one.yaml::second of them", "-v")
    result.stdout.fnmatch_lines(["gabbits/one.yaml::second of them PASSED*"])
    result.assert_outcomes(passed=1)


def test_a_name_with_brackets_is_picked_by_its_id(project: Project) -> None:
    project.suite("tests:\n- name: a list [of two]\n  GET: /\n- name: other\n  GET: /\n")
    project.run("gabbits/one.yaml::a list [of two]").assert_outcomes(passed=1)


def test_k_selects_by_words_of_the_name(project: Project) -> None:
    project.suite()
    project.run("-k", "second or third").assert_outcomes(passed=2, deselected=1)


def test_a_test_picked_alone_runs_first_what_it_needs(project: Project) -> None:
    project.suite(PRIOR)
    result = project.run("gabbits/one.yaml::three")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["requests  3*"])


def test_a_test_without_priors_runs_alone(project: Project) -> None:
    project.suite(PRIOR)
    result = project.run("gabbits/one.yaml::alone")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["requests  1"])


def test_a_skipped_test_does_not_run_what_it_would_need(project: Project) -> None:
    project.suite("tests:\n- name: one\n  GET: /\n- name: two\n  GET: /\n  skip: not today\n")
    result = project.run("gabbits/one.yaml::two", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*gabbits/one.yaml:4: not today"])
    result.stdout.no_fnmatch_line("requests*")


def test_a_prior_that_failed_reports_it_when_its_own_turn_comes(project: Project) -> None:
    project.suite(PRIOR)
    project.run().assert_outcomes(passed=3, failed=1)
    # --ff brings the failed one first, with `one` as its prior.
    result = project.run("--ff", "-v")
    result.assert_outcomes(passed=3, failed=1)
    project.suite(PRIOR.replace("- name: three", "- name: three\n  status: 201"))
    result = project.run("gabbits/one.yaml::three", "gabbits/one.yaml::two")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["requests  3*"])


def test_the_last_of_very_many_tests_runs_alone(project: Project) -> None:
    tests = "\n".join(f"- {{name: number {number}, GET: /}}" for number in range(600))
    project.suite(f"tests:\n{tests}\n")
    result = project.run("gabbits/one.yaml::number 599")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["requests  600"])


def test_x_stops_at_the_first_failure(project: Project) -> None:
    project.suite(PRIOR.replace("/echo", "/status/500", 1))
    project.run("-x").assert_outcomes(failed=1)


def test_lf_runs_what_failed_last(project: Project) -> None:
    project.suite(PRIOR)
    project.suite(name="gabbits/other.yaml")
    project.run().assert_outcomes(passed=6, failed=1)
    result = project.run("--lf", "-v")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["gabbits/one.yaml::two FAILED*"])


def test_xfail_and_skip_are_pytests_own_and_unexpected_success_fails(project: Project) -> None:
    project.suite(
        """
tests:
- {name: known, GET: /status/404, xfail: true, desc: bug 12}
- {name: mended, GET: /, xfail: true}
- {name: later, GET: /, skip: later}
- {name: both, GET: /, skip: later, xfail: true}
"""
    )
    result = project.run("-rxXs")
    result.assert_outcomes(xfailed=2, failed=1, skipped=1)
    result.stdout.fnmatch_lines(["*XPASS(strict)*xfail in the suite*", "XFAIL*known - bug 12"])
    assert result.ret == 1


def test_a_success_that_was_not_expected_fails_whatever_the_project_says(project: Project) -> None:
    project.settings(xfail_strict="false")
    project.suite("tests:\n- {name: mended, GET: /, xfail: true}\n")
    project.run().assert_outcomes(failed=1)


def test_redirects_are_followed_only_when_asked_for(project: Project) -> None:
    project.fake(application="_redirecting:Application")
    project.module(
        "class Application:\n"
        "    requests = 0\n"
        "    def __call__(self, environ, start):\n"
        "        if environ['PATH_INFO'] == '/there':\n"
        "            start('200 OK', [('content-type', 'text/plain')])\n"
        "            return [environ['REQUEST_METHOD'].encode()]\n"
        "        start('302 Found', [('location', '/placement/there')])\n"
        "        return [b'']\n",
        "_redirecting",
    )
    project.settings()
    project.suite(
        """
tests:
- {name: left alone, POST: /here, status: 302}
- {name: followed, POST: /here, redirects: true, response_strings: [GET]}
"""
    )
    project.run().assert_outcomes(passed=2)


def test_environment_of_suites_is_the_targets(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "from before")
    project.suite(
        """
tests:
- name: all three
  POST: $ENVIRON['PLACEMENT_SERVICE']/echo
  request_headers: {content-type: application/json, x-auth-token: "$ENVIRON['SERVICE_TOKEN']"}
  data: {base: "$ENVIRON['PLACEMENT_BASE']"}
  response_json_paths: {$.base: "http://fake.example:8778"}
"""
    )
    project.run().assert_outcomes(passed=1)
    assert os.environ["SERVICE_TOKEN"] == "from before"
    assert "PLACEMENT_SERVICE" not in os.environ


def test_tests_of_a_https_target_use_tls_unless_they_say_otherwise(project: Project) -> None:
    project.fake(url="https://fake.example/placement")
    project.suite(
        """
defaults:
  request_headers: {content-type: application/json}
  data: {scheme: $SCHEME}
tests:
- {name: usual, POST: /echo, response_json_paths: {$.scheme: https}}
- {name: plain, POST: /echo, ssl: false, response_json_paths: {$.scheme: http}}
"""
    )
    project.run().assert_outcomes(passed=2)


@pytest.mark.parametrize("look", ["--fixtures", "--fixtures-per-test", "--setup-plan"])
@pytest.mark.parametrize("workers", [[], ["-n1"]], ids=["alone", "workers"])
def test_a_look_at_tests_starts_nothing(project: Project, look: str, workers: list[str]) -> None:
    _look(project, look, *workers)


@pytest.mark.parametrize("look", ["--markers", "--cache-show"])
def test_a_look_at_pytest_itself_starts_nothing(project: Project, look: str) -> None:
    _look(project, look)


def _look(project: Project, *words: str) -> None:
    project.suite()
    project.module("def test_one(placement):\n    pass\n", "test_one")
    result = project.run_apart(*words)
    assert project.events == []
    assert result.ret == 0


@pytest.mark.parametrize("given", ["../suites", "../elsewhere/../suites", "--suite=../suites"])
def test_a_directory_with_dots_in_it_is_the_same_one(project: Project, given: str) -> None:
    project.suite(name="suites/one.yaml")
    (project.path / "elsewhere").mkdir()
    os.chdir(project.path / "elsewhere")
    result = project.run("--collect-only", "-q", given)
    result.stdout.fnmatch_lines(["3 tests collected*"])
    assert result.ret == 0


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["alone", "workers"])
def test_two_suites_of_one_name_outside_the_root_directory_are_both_run(
    project: Project, workers: list[str]
) -> None:
    for name in ("a", "b"):
        project.suite(name=f"{name}/one.yaml")
    (project.path / "conf").mkdir()
    result = project.run_apart("--rootdir", "conf", "a", "b", *workers)
    result.assert_outcomes(passed=6)


def test_python_tests_with_one_id_are_refused_with_workers(project: Project) -> None:
    for name in ("a", "b"):
        (project.path / name).mkdir()
        (project.path / name / "test_one.py").write_text("def test(placement):\n    pass\n")
    (project.path / "conf").mkdir()
    words = ("--rootdir", "conf", "--import-mode=importlib", "a", "b")
    project.run_apart(*words).assert_outcomes(passed=2)
    result = project.run_apart(*words, "-n2")
    assert result.ret == 64
    result.stdout.fnmatch_lines(["*1 ids belong to several tests each, e.g. test_one.py::test:*"])


# This runs the whole protocol of a failed test once more, as pytest-rerunfailures does.
RERUNS = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    for left in (1, 0):
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        if not left or not any(report.failed for report in reports):
            break
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    return True
"""
# Answers each path with 500 at first.
UNSTEADY = """
from collections import Counter

class Application:
    requests = 0
    seen = Counter()
    def __call__(self, environ, start):
        path = environ["PATH_INFO"].rpartition("/")[2]
        self.seen[path] += 1
        first = path == "unsteady" and self.seen[path] == 1
        start("500 No" if first else "200 OK", [("content-type", "application/json")])
        return [b'{"name": "%s", "number": %d}' % (path.encode(), self.seen[path])]
"""
REFERRING = """
tests:
- {name: far, GET: /far}
- {name: needed, GET: /needed, use_prior_test: false}
- name: again
  GET: /unsteady
  response_json_paths: {$.number: 2}
- name: after
  GET: "/$HISTORY['far'].$RESPONSE['$.name']/$RESPONSE['$.number']"
"""


def test_a_rerun_sends_the_request_and_those_that_it_needs_again(project: Project) -> None:
    project.module(RERUNS, "conftest")
    project.module(UNSTEADY, "_unsteady")
    project.fake(application="_unsteady:Application", replicas=1)
    project.settings()
    project.suite(REFERRING)
    result = project.run("--junitxml=junit.xml")
    result.assert_outcomes(passed=4)
    # far, needed, again; needed and again once more; after.
    result.stdout.fnmatch_lines(["requests  6: *"])
    assert (project.path / "junit.xml").read_text().count('name="request id"') == 4
