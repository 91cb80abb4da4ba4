"""Recording a run, and comparing a later one with it: on the fake target."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.parity.recording import Recording
from tests.fakes.project import SUITE, Project

# The fake target, but that it answers a request for /second otherwise.
OTHER = """
from tests.fakes.target import Application

class Other(Application):
    def __init__(self):
        super().__init__([])

    def __call__(self, environ, start):
        if environ["PATH_INFO"] == "/second":
            environ["PATH_INFO"] = "/status/203"
        return super().__call__(environ, start)
"""
PYTHON = """
def test_it(placement):
    assert placement.get("/first").status_code == 200
"""


@pytest.fixture
def recorded(project: Project) -> Project:
    project.suite()
    project.run("--record", "run.jsonl").assert_outcomes(passed=3)
    return project


def test_a_recording_has_all_exchanges_and_what_was_run(recorded: Project) -> None:
    recording = Recording(recorded.path / "run.jsonl")
    assert [exchange.test for exchange in recording.exchanges()] == [
        "first",
        "second of them",
        "third",
    ]
    assert (recording.header.target, [*recording.header.suites]) == ("fake", ["one"])
    assert recording.header.settings["placement"] == "16.0.0"


def test_the_same_target_answers_the_same(recorded: Project) -> None:
    result = recorded.run("--parity", "run.jsonl")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        [
            "parity: every answer is compared with fake, recorded *",
            "fake | fake: 3 exchanges; *3 same*",
        ]
    )


def test_an_answer_that_differs_fails_its_test_and_shows_both_sides(recorded: Project) -> None:
    recorded.module(OTHER, "other")
    recorded.settings()
    recorded.fake(application="other:Other")
    result = recorded.run("--parity", "run.jsonl")
    result.assert_outcomes(passed=2, failed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*fake | fake: 3 exchanges; tests: 2 same, *1 different*"])
    result.stdout.fnmatch_lines(["*GET /second*", "*status: the values differ*", "*203*", "*200*"])


def test_of_a_suite_that_has_changed_the_tests_that_ask_the_same_are_compared(
    recorded: Project,
) -> None:
    recorded.suite(SUITE.replace("third", "another").replace("GET: /second", "GET: /changed"))
    result = recorded.run("--parity", "run.jsonl")
    result.stdout.fnmatch_lines(
        [
            "not compared: 2 tests: the suite has changed since it was recorded, *",
            "fake | fake: 1 exchange*; tests: 1 same*2 not compared*",
        ]
    )


def test_a_suite_that_asks_nothing_that_was_recorded_is_no_success(recorded: Project) -> None:
    recorded.suite(SUITE.replace("GET: /", "GET: /changed/"))
    result = recorded.run("--parity", "run.jsonl")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["nothing was compared, which is no success"])


def test_comments_do_not_change_a_suite(recorded: Project) -> None:
    recorded.suite(f"# A comment.\n{SUITE}")
    recorded.run("--parity", "run.jsonl").assert_outcomes(passed=3)


def test_a_suite_that_was_not_recorded_is_named(recorded: Project) -> None:
    recorded.suite(name="gabbits/two.yaml")
    result = recorded.run("--parity", "run.jsonl")
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["not compared: 3 tests: run.jsonl has no suite two"])


def test_one_test_picked_alone_is_compared_alone(recorded: Project) -> None:
    result = recorded.run("--parity", "run.jsonl", "-k", "third")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*tests: 3 same*"])


def test_workers_record_and_compare_too(recorded: Project) -> None:
    recorded.suite(name="gabbits/two.yaml")
    result = recorded.run_apart("-n2", "--record", "all.jsonl.gz", "--parity", "run.jsonl")
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["fake | fake: 3 exchanges; tests: 3 same*3 not compared*"])
    assert len(Recording(recorded.path / "all.jsonl.gz")) == 6


def test_python_tests_are_compared(project: Project) -> None:
    project.pytester.makepyfile(PYTHON)
    project.run("--record", "run.jsonl").assert_outcomes(passed=1)
    result = project.run("--parity", "run.jsonl")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["fake | fake: 1 exchange; tests: 1 same*"])


def test_the_page_is_written(recorded: Project) -> None:
    recorded.run("--parity", "run.jsonl", "--parity-report", "page.html").assert_outcomes(passed=3)
    assert "<title>Parity</title>" in (recorded.path / "page.html").read_text()


def test_no_token_is_recorded(recorded: Project) -> None:
    from tests.fakes.target import TOKEN

    assert TOKEN not in (recorded.path / "run.jsonl").read_text()


def test_a_recording_is_not_written_over(recorded: Project) -> None:
    before = (recorded.path / "run.jsonl").read_bytes()
    result = recorded.run("--record", "run.jsonl")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: run.jsonl exists already, and is never written over.*"])
    assert (recorded.path / "run.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--parity", "nowhere.jsonl"], "There is no recording nowhere.jsonl*"),
        (["--parity-report", "x.html"], "--parity-report x.html has nothing to show without*"),
    ],
)
def test_what_makes_no_sense_is_refused(
    project: Project, arguments: list[str], message: str
) -> None:
    project.suite()
    result = project.run(*arguments)
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: {message}"])


def test_a_recording_that_was_cut_is_refused(recorded: Project) -> None:
    path = Path(recorded.path / "run.jsonl")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    result = recorded.run("--parity", "run.jsonl")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: run.jsonl was cut: it has no closing line.*"])


def test_a_run_that_only_collects_records_nothing(project: Project) -> None:
    project.suite()
    project.run("--record", "run.jsonl", "--collect-only")
    assert not (project.path / "run.jsonl").exists()


def test_a_run_whose_target_could_not_be_started_records_nothing(project: Project) -> None:
    project.suite()
    project.fake(start="fails")
    result = project.run("--record", "run.jsonl")
    assert result.ret == 70
    result.stdout.fnmatch_lines(["no recording was written: the run did not come to its end"])
    assert not (project.path / "run.jsonl").exists()


FULL = """
from harness.core.exchange_log import ExchangeLog

def full(self, exchange):
    raise OSError(28, "No space left on device")

ExchangeLog.observe = full
"""


def test_a_recording_that_lacks_exchanges_is_not_written(project: Project) -> None:
    project.suite()
    project.pytester.makeconftest(FULL)
    # Apart: what the conftest.py changes would stay in this process.
    result = project.run_apart("--record", "run.jsonl")
    assert result.ret == 70
    result.stdout.fnmatch_lines(["ERROR: Recorder did not get to the end*No space left on device*"])
    assert not (project.path / "run.jsonl").exists()


def test_the_closing_line_counts_the_exchanges(recorded: Project) -> None:
    lines = (recorded.path / "run.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["end"]["exchanges"] == len(lines) - 2 == 3


def test_a_run_that_is_interrupted_at_once_leaves_the_page_of_another_one(
    recorded: Project,
) -> None:
    (recorded.path / "page.html").write_text("of another run")
    (recorded.path / "test_end.py").write_text("def test_it():\n    raise KeyboardInterrupt\n")
    result = recorded.run("--parity", "run.jsonl", "--parity-report", "page.html", "test_end.py")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["no page was written: the run was interrupted before*"])
    assert (recorded.path / "page.html").read_text() == "of another run"


@pytest.mark.parametrize("option", ["--record", "--parity-report"])
def test_a_file_that_cannot_be_written_is_refused_before_the_run(
    recorded: Project, option: str
) -> None:
    result = recorded.run("--parity", "run.jsonl", option, "run.jsonl/file")
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"*{option} run.jsonl/file cannot be written: *"])
