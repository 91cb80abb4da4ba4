"""With xdist the controller owns the target, and each suite stays on one worker."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.fakes.project import SUITE, Project

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
    result = two_suites.run_workers("-n2")
    result.assert_outcomes(passed=6)
    events = two_suites.events
    assert sorted(events[2:-1]) == ["attach controller", "attach controller"]
    assert events[:2] == ["start", "started"]
    assert events[-1] == "stop"


COLLECTED = """
import time
from pathlib import Path
from tests.fakes.target import PATIENCE, event

# The file is there a moment before its first line.
def started():
    return Path("events").exists() and "start" in Path("events").read_text()

def pytest_collection_finish(session):
    if session.items:
        end = time.monotonic() + PATIENCE
        while not started() and time.monotonic() < end:
            time.sleep(0.01)
        event("collected")
        Path("go on").touch()
"""


@pytest.mark.parametrize("workers", [(), ("-n1",)])
def test_suites_are_collected_while_the_target_starts(
    two_suites: Project, workers: tuple[str, ...]
) -> None:
    two_suites.module(COLLECTED, "conftest")
    two_suites.fake(start="waits")
    two_suites.run_apart(*workers).assert_outcomes(passed=6)
    assert two_suites.events[:3] == ["start", "collected", "started"]


MIXED = """
tests:
- {name: well, GET: /}
- {name: badly, GET: /status/404}
- {name: known, GET: /status/404, xfail: true}
- {name: better than known, GET: /, xfail: true}
- {name: not today, GET: /, skip: tomorrow}
- {name: wrong, GET: "/$RESPONSE['$.nothing']"}
"""


def test_workers_come_to_the_same_verdicts(project: Project) -> None:
    """JUnit's file has the verdicts."""
    for name in "abcd":
        project.suite(f"{MIXED}- {{name: only of {name}, GET: /}}\n", f"gabbits/{name}.yaml")
    project.suite("fixtures: [APIFixture]\ntests: [{name: one, GET: /}]", "gabbits/e.yaml")
    project.module("def test_python(placement): assert placement.get('/').ok\n", "test_python")
    found = []
    for workers in ("-n0", "-n2"):
        project.run_apart(workers, "--junit-xml=run.xml", "gabbits", "test_python.py")
        tree = ElementTree.parse(project.path / "run.xml")
        found.append(sorted(map(verdict, tree.iter("testcase"))))
    assert len(found[0]) == 4 * 7 + 2
    assert {one[2] for one in found[0]} == {"passed", "failure", "skipped", "error"}
    assert found[0] == found[1]


def verdict(case: ElementTree.Element) -> tuple[str, str, str, str]:
    """A test, what came of it, and why."""
    for child in case:
        if child.tag in ("failure", "error", "skipped"):
            why = str(child.get("message"))
            return str(case.get("classname")), str(case.get("name")), child.tag, why
    return str(case.get("classname")), str(case.get("name")), "passed", ""


def test_a_state_directory_that_cannot_be_made_ends_the_run_with_70(
    two_suites: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (two_suites.path / "file").touch()
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(two_suites.path / "file"))
    result = two_suites.run_workers("-n2")
    assert result.ret == 70
    result.stdout.fnmatch_lines(["ERROR: *cannot make *file*PLACEMENT_HARNESS_STATE."])
    assert "INTERNALERROR" not in result.stdout.str()


def test_tests_of_a_suite_stay_on_one_worker(two_suites: Project) -> None:
    two_suites.pytester.makeconftest(WORKERS)
    two_suites.run_workers("-n2").assert_outcomes(passed=6)
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
    two_suites.run_workers("-n1").stdout.fnmatch_lines(["*dist is loadfile"])
    two_suites.run_workers("-n1", "--dist=loadscope").stdout.fnmatch_lines(["*dist is loadscope"])


@pytest.mark.parametrize("way", ["load", "worksteal", "loadgroup"])
def test_a_distribution_that_tears_suites_apart_is_a_usage_error(
    two_suites: Project, way: str
) -> None:
    result = two_suites.run_workers("-n2", f"--dist={way}")
    result.stderr.fnmatch_lines(
        [f"ERROR: --dist {way} can give tests of one suite to several workers*--dist loadfile*"]
    )
    assert result.ret == 4
    assert two_suites.events == []


def test_python_tests_alone_are_distributed_in_any_way(project: Project) -> None:
    project.module("def test_1(placement): pass\ndef test_2(placement): pass\n", "test_python")
    project.run_workers("-n2", "--dist=load", "test_python.py").assert_outcomes(passed=2)


def test_workers_have_the_plan_of_the_controller(project: Project) -> None:
    """A stack that is reused may be started anew while they begin."""
    project.suite()
    project.module(
        "import pytest\n"
        "from harness.plugin.fixtures import RUN\n"
        "@pytest.hookimpl(trylast=True, optionalhook=True)\n"
        "def pytest_configure_node(node):\n"
        "    node.workerinput['placement_plan'].update(database='galera', placements=('15.0.0',))\n"
        "def pytest_sessionfinish(session):\n"
        "    plan = session.config.stash[RUN].plan\n"
        "    with open('plans', 'a') as file:\n"
        "        file.write(f'{plan.database} {plan.placements}\\n')\n",
        "conftest",
    )
    project.run_workers("-n1").assert_outcomes(passed=3)
    told = set((project.path / "plans").read_text().splitlines())
    assert told == {"galera ('15.0.0',)", "mariadb ()"}


def test_workers_that_are_given_as_a_product_are_counted(two_suites: Project) -> None:
    result = two_suites.run_apart("--dist=loadfile", "--tx", "2*popen")
    result.assert_outcomes(passed=6)
    assert two_suites.events.count("attach controller") == 2


def test_what_workers_counted_is_added_up(two_suites: Project) -> None:
    two_suites.fake(replicas=1)
    result = two_suites.run_workers("-n2")
    result.stdout.fnmatch_lines(
        ["requests  6: replica 1 6", "latency *", "client * a test over 6 tests*"]
    )


def test_a_silent_replica_fails_a_distributed_run(two_suites: Project) -> None:
    two_suites.fake(replicas=2, silent=["1"])
    assert two_suites.run_workers("-n2").ret == 1


def test_a_start_that_fails_ends_a_distributed_run_with_70(two_suites: Project) -> None:
    two_suites.fake(start="fails")
    result = two_suites.run_workers("-n2")
    assert result.ret == 70
    result.stdout.fnmatch_lines(["ERROR: MariaDB died while starting. Free some disk space."])
    assert str(result.stdout).count("MariaDB died") == 1
    assert str(result.stderr) == ""
    assert two_suites.events == ["start", "stop"]


def test_a_replica_that_dies_ends_a_distributed_run_with_70(two_suites: Project) -> None:
    # The controller's own fake gets no requests: it has died from the beginning.
    two_suites.fake(dies=0)
    result = two_suites.run_workers("-n2")
    assert result.ret == 70
    result.stdout.fnmatch_lines(["ERROR: Replica 2 died*"])
    assert two_suites.events[-1] == "stop"


def test_a_death_ends_a_distributed_run_while_a_request_hangs(project: Project) -> None:
    project.suite(SUITE.replace("/second", "/hang"))
    project.fake(dies=0)
    result = project.run_workers("-n1")
    assert result.ret == 70
    result.stdout.fnmatch_lines(["ERROR: Replica 2 died*"])
    assert "answered at last" not in project.events
    assert project.events[-1] == "stop"


def test_a_worker_that_cannot_attach_ends_the_run_with_70(two_suites: Project) -> None:
    two_suites.fake(attach="fails")
    result = two_suites.run_workers("-n1")
    assert result.ret == 70
    result.stdout.fnmatch_lines(["ERROR: The stack is gone. Start it again."])
    assert two_suites.events[-1] == "stop"


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_a_target_that_breaks_under_a_suite_ends_the_run_with_70(
    project: Project, workers: tuple[str, ...]
) -> None:
    for name in "abcdefgh":
        project.suite(f"fixtures: [APIFixture]\n{SUITE}", f"gabbits/{name}.yaml")
    project.fake(stage="fails")
    result = project.run_apart(*workers)
    assert result.ret == 70
    result.stdout.fnmatch_lines(["ERROR: keystone answers 500. See what it says."])
    assert "passed" not in result.parseoutcomes()
    assert project.events[-1] == "stop"


def test_a_failure_on_a_worker_explains_itself(project: Project) -> None:
    project.suite(SUITE.replace("/second", "/status/404"))
    result = project.run_workers("-n1")
    result.stdout.fnmatch_lines(
        [
            "status 404, expected 200",
            "*- request -*",
            "GET http://fake.example:8778/placement/status/404",
            "*- again -*",
            "FAILED gabbits/one.yaml::second of them - status 404, expected*",
        ]
    )
