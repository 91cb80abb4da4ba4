"""With xdist the controller owns the target, and each suite stays on one worker."""

from __future__ import annotations

import pytest
from _project import SUITE, Project

WORKERS = """
def pytest_runtest_logreport(report):
    if report.when == "call" and hasattr(report, "node"):
        with open("workers", "a") as file:
            file.write(f"{report.nodeid.split('::')[0]} {report.node.gateway.id}\\n")
"""


@pytest.fixture
def two_suites(project: Project) -> Project:
    project.suite()
    project.suite(name="gabbits/two.yaml")
    return project


def test_the_controller_alone_starts_and_stops_the_target(two_suites: Project) -> None:
    two_suites.fake(replicas=2)
    result = two_suites.run_apart("-n2")
    result.assert_outcomes(passed=6)
    events = two_suites.events
    assert sorted(events[2:-1]) == ["attach controller", "attach controller"]
    assert events[:2] == ["start", "started"]
    assert events[-1] == "stop"


def test_a_state_directory_that_cannot_be_made_ends_the_run_with_70(
    two_suites: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (two_suites.path / "file").touch()
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(two_suites.path / "file"))
    result = two_suites.run_apart("-n2")
    assert result.ret == 70
    result.stdout.fnmatch_lines(["ERROR: *file cannot be made*PLACEMENT_HARNESS_STATE."])
    assert "INTERNALERROR" not in result.stdout.str()


def test_tests_of_a_suite_stay_on_one_worker(two_suites: Project) -> None:
    two_suites.pytester.makeconftest(WORKERS)
    two_suites.run_apart("-n2").assert_outcomes(passed=6)
    lines = (two_suites.path / "workers").read_text().splitlines()
    assert len(lines) == 6
    assert len(set(lines)) == 2


def test_a_distribution_that_was_asked_for_is_kept(two_suites: Project) -> None:
    two_suites.module(
        "def pytest_sessionfinish(session):\n"
        "    if not hasattr(session.config, 'workerinput'):\n"
        "        print('dist is', session.config.option.dist)\n",
        "conftest",
    )
    two_suites.run_apart("-n1").stdout.fnmatch_lines(["*dist is loadfile"])
    two_suites.run_apart("-n1", "--dist=loadscope").stdout.fnmatch_lines(["*dist is loadscope"])


@pytest.mark.parametrize("way", ["load", "worksteal", "loadgroup"])
def test_a_distribution_that_tears_suites_apart_is_a_usage_error(
    two_suites: Project, way: str
) -> None:
    result = two_suites.run_apart("-n2", f"--dist={way}")
    result.stderr.fnmatch_lines(
        [f"ERROR: --dist {way} can give tests of one suite to several workers*--dist loadfile*"]
    )
    assert result.ret == 4
    assert two_suites.events == []


def test_python_tests_alone_are_distributed_in_any_way(project: Project) -> None:
    project.module("def test_1(placement): pass\ndef test_2(placement): pass\n", "test_python")
    project.run_apart("-n2", "--dist=load", "test_python.py").assert_outcomes(passed=2)


def test_what_workers_counted_is_added_up(two_suites: Project) -> None:
    two_suites.fake(replicas=1)
    result = two_suites.run_apart("-n2")
    result.stdout.fnmatch_lines(
        ["requests  6: replica 1 6", "latency *", "client * a test over 6 tests*"]
    )


def test_a_silent_replica_fails_a_distributed_run(two_suites: Project) -> None:
    two_suites.fake(replicas=2, silent=["1"])
    assert two_suites.run_apart("-n2").ret == 1


def test_a_start_that_fails_ends_a_distributed_run_with_70(two_suites: Project) -> None:
    two_suites.fake(start="fails")
    result = two_suites.run_apart("-n2")
    assert result.ret == 70
    result.stdout.fnmatch_lines(["ERROR: MariaDB died while starting. Free some disk space."])
    assert str(result.stdout).count("MariaDB died") == 1
    assert str(result.stderr) == ""
    assert two_suites.events == ["start", "stop"]


def test_a_replica_that_dies_ends_a_distributed_run_with_70(two_suites: Project) -> None:
    # The controller's own fake gets no requests: it has died from the beginning.
    two_suites.fake(dies=0)
    result = two_suites.run_apart("-n2")
    assert result.ret == 70
    result.stdout.fnmatch_lines(["ERROR: Replica 2 died*"])
    assert two_suites.events[-1] == "stop"


def test_a_death_ends_a_distributed_run_while_a_request_hangs(project: Project) -> None:
    project.suite(SUITE.replace("/second", "/hang"))
    project.fake(dies=0)
    result = project.run_apart("-n1")
    assert result.ret == 70
    result.stdout.fnmatch_lines(["ERROR: Replica 2 died*"])
    assert "answered at last" not in project.events
    assert project.events[-1] == "stop"


def test_a_worker_that_cannot_attach_ends_the_run_with_70(two_suites: Project) -> None:
    two_suites.fake(attach="fails")
    result = two_suites.run_apart("-n1")
    assert result.ret == 70
    result.stdout.fnmatch_lines(["ERROR: The stack is gone. Start it again."])
    assert two_suites.events[-1] == "stop"


def test_a_failure_on_a_worker_explains_itself(project: Project) -> None:
    project.suite(SUITE.replace("/second", "/status/404"))
    result = project.run_apart("-n1")
    result.stdout.fnmatch_lines(
        [
            "status 404, expected 200",
            "*- request -*",
            "GET http://fake.example:8778/placement/status/404",
            "*- again -*",
            "FAILED gabbits/one.yaml::second of them - status 404, expected*",
        ]
    )
