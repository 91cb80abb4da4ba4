"""--run-report: what a run has measured, for other programs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.project import SUITE, Project

MIXED = """
tests:
- {name: well, GET: /}
- {name: badly, GET: /status/404}
- {name: known, GET: /status/404, xfail: true}
- {name: not today, GET: /, skip: tomorrow}
"""


def report(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.path / "out/run.json").read_text())
    return found


def test_verdicts_requests_and_settings_are_in_it(project: Project) -> None:
    project.suite(MIXED)
    project.fake(replicas=3)
    assert project.run("--run-report", "out/run.json").ret == 1
    found = report(project)
    assert found["schema"] == "placement-harness/run/1"
    assert found["exit_code"] == 1
    assert found["error"] is None
    assert found["unproven"] is None
    assert found["client_ms"] > 0
    assert found["tests"] == {
        **{"passed": 1, "failed": 1, "skipped": 1, "xfailed": 1, "xpassed": 0, "errors": 0}
    }
    assert found["requests"] == {
        "total": 3,
        "unanswered": 0,
        "closed": 0,
        "replicas": {"1": 1, "2": 1, "3": 1},
    }
    assert found["latency_ms"].keys() == {"p50", "p95", "p99", "longest"}
    assert found["settings"][0] == {"name": "placement", "value": "16.0.0", "source": "image"}
    assert found["plan"]["target"] == "fake"
    assert found["plan"]["replicas"] == 3
    assert found["seconds"]["total"] > 0


def test_a_target_that_measures_nothing_has_no_memory(project: Project) -> None:
    project.suite()
    project.run("--run-report", "out/run.json")
    assert report(project)["memory"] == []
    assert report(project)["seconds"]["start_up"] is None


def test_a_target_is_measured_before_it_is_stopped(project: Project) -> None:
    project.suite()
    project.fake(measures=True)
    project.run("--run-report", "out/run.json")
    found = report(project)
    assert found["seconds"]["start_up"] == 4.5
    assert found["memory"] == [
        {"service": "placement-1", "container": "x-placement-1", "used": 70, "most": 90}
    ]
    assert project.events == ["start", "started", "measure", "stop"]


def test_nothing_is_measured_when_nobody_asks(project: Project) -> None:
    project.suite()
    project.fake(measures=True)
    project.run()
    assert "measure" not in project.events


def test_what_cannot_be_measured_keeps_no_run_from_ending(project: Project) -> None:
    project.suite()
    project.fake(measures="fails")
    assert project.run("--run-report", "out/run.json").ret == 0
    assert report(project)["memory"] == []
    assert project.events[-1] == "stop"


def test_workers_verdicts_are_counted_once(project: Project) -> None:
    project.suite(MIXED)
    project.suite(name="gabbits/two.yaml")
    project.fake(replicas=1, measures=True)
    project.run_apart("-n2", "--run-report", "out/run.json")
    found = report(project)
    assert found["tests"]["passed"] == 4
    assert found["tests"]["failed"] == 1
    assert found["requests"]["total"] == 6
    assert project.events.count("measure") == 1


def test_a_target_that_does_not_start_is_in_it(project: Project) -> None:
    project.suite()
    project.fake(start="fails")
    assert project.run("--run-report", "out/run.json").ret == 70
    found = report(project)
    assert found["exit_code"] == 70
    assert found["error"] == {
        "problem": "MariaDB died while starting.",
        "remedy": "Free some disk space.",
        "evidence": ["no space left"],
    }
    assert found["requests"]["total"] == 0


def test_a_file_that_cannot_be_read_is_an_error_in_it(project: Project) -> None:
    project.suite("tests: {")
    assert project.run("--run-report", "out/run.json").ret == 2
    assert report(project)["tests"]["errors"] == 1


def test_a_silent_replica_makes_its_exit_code(project: Project) -> None:
    project.suite(SUITE + SUITE.removeprefix("\ntests:\n").replace("name: ", "name: again "))
    project.fake(replicas=2, silent=["2"])
    assert project.run("--run-report", "out/run.json").ret == 1
    assert report(project)["exit_code"] == 1


def test_placement_in_this_process_has_it_too(project: Project) -> None:
    project.suite("tests:\n- {name: root, GET: /, status: 200}\n")
    result = project.run_apart("--run-report", "out/run.json", target="embedded")
    assert result.ret == 0
    found = report(project)
    assert found["tests"]["passed"] == 1
    assert found["memory"] == []
    assert found["settings"][0]["value"] == "16.0.0"


def test_a_file_that_cannot_be_written_is_a_usage_error(project: Project) -> None:
    project.suite()
    (project.path / "file").touch()
    result = project.run("--run-report", "file/run.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: --run-report file/run.json cannot be written: * "
            "Name a file in a directory that you may write to."
        ]
    )
    assert project.events == []


def test_an_old_file_is_gone_when_a_run_ends_early(project: Project) -> None:
    old = project.path / "run.json"
    old.write_text("{}")
    project.suite()
    assert project.run("--run-report", "run.json", "nowhere.yaml").ret == 4
    assert old.read_text() != "{}"
