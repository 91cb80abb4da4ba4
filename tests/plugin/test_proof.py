"""A run shows which replicas answered and how fast, and fails if one was silent."""

from __future__ import annotations

import pytest

from tests.fakes.project import SUITE, Project

MANY = "tests:\n" + "\n".join(f"- {{name: number {number}, GET: /}}" for number in range(6))


def test_the_summary_says_who_answered_and_how_fast(project: Project) -> None:
    project.suite(MANY)
    project.fake(replicas=3)
    result = project.run()
    result.stdout.fnmatch_lines(
        [
            "*= placement =*",
            "requests  6: replica 1 2, replica 2 2, replica 3 2",
            "latency   p50 *.* ms, p95 *.* ms, p99 *.* ms, max *.* ms",
            "client    *.* ms a test over 6 tests, besides *.* s of waiting for answers",
        ]
    )
    assert result.ret == 0


def test_requests_without_an_answer_are_counted_apart(project: Project) -> None:
    project.suite(SUITE.replace("/second", "/refused"))
    project.fake(replicas=1)
    project.run().stdout.fnmatch_lines(["requests  3: replica 1 2, 1 without an answer"])


def test_a_replica_that_answered_nothing_fails_the_run(project: Project) -> None:
    project.suite(MANY)
    project.fake(replicas=3, silent=["2"])
    result = project.run()
    assert result.ret == 1
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(
        [
            "requests  6: replica 1 3, replica 2 0, replica 3 3",
            "FAILED: replica 2 answered none of 6 requests, so this run does not test it. "
            "Look at its log: placement-harness logs --replica 2",
        ]
    )


def test_a_silent_replica_fails_a_quiet_run_too(project: Project) -> None:
    project.suite(MANY)
    project.fake(replicas=3, silent=["1", "2"])
    result = project.run("-q")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["FAILED: replicas 1, 2 answered none of 6 requests*"])


def test_too_few_requests_say_nothing_about_a_silent_replica(project: Project) -> None:
    project.suite()
    project.fake(replicas=3, silent=["2"])
    result = project.run()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["replica 2 answered nothing; 3 requests are too few to tell"])


def test_what_apache_answers_itself_proves_nothing_of_a_replica(project: Project) -> None:
    project.module(
        "class Application:\n"
        "    requests = 0\n"
        "    def __call__(self, environ, start):\n"
        "        start('404 Not Found', [('content-type', 'text/html')])\n"
        "        return [b'<h1>Not Found</h1>']\n",
        "_apache",
    )
    project.fake(replicas=2, application="_apache:Application")
    project.settings()
    project.suite(MANY.replace("GET: /", "GET: /a%2Fb, status: 404"))
    result = project.run()
    result.stdout.fnmatch_lines(
        [
            "requests  6: replica 1 0, replica 2 0, Apache itself 6",
            "replicas 1, 2 answered nothing; 0 requests are too few to tell",
        ]
    )
    assert result.ret == 0


def test_a_proxys_own_answers_are_counted_apart_on_a_cloud_too(project: Project) -> None:
    project.module(
        "class Application:\n"
        "    requests = 0\n"
        "    def __call__(self, environ, start):\n"
        "        start('503 Unavailable', [('content-type', 'text/html; charset=iso-8859-1')])\n"
        "        return [b'<h1>Service Unavailable</h1>']\n",
        "_proxy",
    )
    project.fake(application="_proxy:Application")
    project.settings()
    project.suite(MANY)
    result = project.run()
    result.assert_outcomes(failed=6)
    result.stdout.fnmatch_lines(
        [
            "The proxy gave this 503 itself, not placement: *post-buffering = 65536*",
            "proxy     6 answers of its own, not placement's (503: 6)",
        ]
    )


def test_requests_of_python_tests_count(project: Project) -> None:
    project.module("def test_it(placement): assert placement.get('/').ok\n", "test_python")
    project.run("test_python.py").stdout.fnmatch_lines(["requests  1"])


def test_junit_names_replica_and_request(project: Project) -> None:
    project.suite()
    project.fake(replicas=1)
    project.run("--junitxml=junit.xml", "-k", "first").assert_outcomes(passed=1, deselected=2)
    xml = (project.path / "junit.xml").read_text()
    assert '<property name="replica" value="1"' in xml
    assert '<property name="request id" value="req-1"' in xml
    assert 'classname="gabbits.one.yaml" name="first"' in xml


@pytest.mark.parametrize("workers", [[], ["-n1"]], ids=["alone", "workers"])
def test_a_test_that_was_collected_and_not_run_fails_the_run(
    project: Project, workers: list[str]
) -> None:
    project.module(
        "def pytest_runtest_protocol(item, nextitem):\n"
        "    return True if 'second' in item.name else None\n",
        "conftest",
    )
    project.suite()
    result = project.run_apart(*workers)
    result.assert_outcomes(passed=2)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["FAILED: 1 of 3 tests were collected and not run, e.g. gabbits/one.yaml::second of them.*"]
    )
