"""Comparing with another target, which is asked beside: on two fake targets."""

from __future__ import annotations

import json

import pytest

from tests.fakes.project import SUITE, Project

# Answers a request for /second otherwise, and each one for a link with its own number.
DIFFERENT = """
from tests.fakes.target import Application

class Other(Application):
    def __init__(self):
        super().__init__([])

    def __call__(self, environ, start):
        if environ["PATH_INFO"] == "/second":
            environ["PATH_INFO"] = "/status/203"
        return super().__call__(environ, start)
"""
# Answers what the usual one refuses.
ANSWERS_REFUSED = """
from tests.fakes.target import Application

class Main(Application):
    def __init__(self):
        super().__init__([])

    def __call__(self, environ, start):
        if environ["PATH_INFO"] == "/refused":
            environ["PATH_INFO"] = "/"
        return super().__call__(environ, start)
"""
# Each side is asked for what it has answered before.
OWN_ANSWERS = """
tests:
- name: a side makes up an id
  GET: /new
- name: the next request has it
  GET: /$RESPONSE['$.id']
  response_json_paths: {$.path: "/$HISTORY['a side makes up an id'].$RESPONSE['$.id']"}
"""
MAKES_IDS = """
import json, uuid

class Application:
    def __init__(self):
        self.id = str(uuid.uuid4())

    def __call__(self, environ, start):
        start("200 OK", [("content-type", "application/json")])
        return [json.dumps({"id": self.id, "path": environ["PATH_INFO"]}).encode()]
"""


@pytest.fixture
def two(project: Project) -> Project:
    """A suite of three tests, and two targets that answer the same."""
    project.suite()
    return project


def test_targets_that_answer_the_same_are_the_same(two: Project) -> None:
    result = two.run("--parity", "other")
    result.assert_outcomes(passed=3)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "parity: every answer is compared with that of other, asked beside",
            "beside: placement 16.0.0*",
            "fake | other: 3 exchanges; *3 same*",
        ]
    )


def test_both_targets_are_started_and_stopped(two: Project) -> None:
    two.run("--parity", "other")
    assert sorted(two.events) == ["start", "start", "started", "started", "stop", "stop"]


def test_the_summary_counts_requests_of_the_main_side_alone(two: Project) -> None:
    two.run("--parity", "other").stdout.fnmatch_lines(["requests  3"])


def test_an_answer_that_differs_fails_its_test_and_shows_both_sides(two: Project) -> None:
    two.module(DIFFERENT, "different")
    two.settings()
    two.other(application="different:Other")
    result = two.run("--parity", "other")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*GET /placement/second*", "*status*", "*fake *200", "*other*203"])
    result.stdout.fnmatch_lines(["fake | other: 3 exchanges; *2 same*1 different*"])


def test_each_side_has_its_own_earlier_answers(project: Project) -> None:
    project.suite(OWN_ANSWERS)
    project.module(MAKES_IDS, "ids")
    project.settings()
    project.fake(application="ids:Application")
    project.other(application="ids:Application")
    result = project.run("--parity", "other")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["fake | other: 2 exchanges; *2 same*"])


def test_one_test_picked_alone_is_compared_with_what_it_needs(two: Project) -> None:
    result = two.run("--parity", "other", "-k", "third")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["fake | other: 3 exchanges; *3 same*"])


def test_workers_compare_too(two: Project) -> None:
    two.suite(name="gabbits/two.yaml")
    result = two.run_apart("-n2", "--parity", "other")
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["fake | other: 6 exchanges; *6 same*"])


def test_a_side_that_does_not_start_ends_the_run(two: Project) -> None:
    two.other(start="fails")
    result = two.run("--parity", "other")
    assert result.ret == 70
    result.stdout.fnmatch_lines(["ERROR: MariaDB died while starting.*"])
    assert two.events.count("stop") == 2


def test_a_side_that_dies_half_way_ends_the_run(two: Project) -> None:
    two.suite(SUITE.replace("GET: /second", "GET: /refused"))
    two.module(ANSWERS_REFUSED, "main")
    two.settings()
    two.fake(application="main:Main")
    two.other(dies=1)
    result = two.run("--parity", "other")
    assert result.ret == 70
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["ERROR: Replica 2 died*"])
    assert two.events.count("stop") == 2


def test_a_side_that_is_up_and_does_not_answer_is_not_compared(two: Project) -> None:
    two.suite(SUITE.replace("GET: /second", "GET: /refused"))
    two.module(ANSWERS_REFUSED, "main")
    two.settings()
    two.fake(application="main:Main")
    result = two.run("--parity", "other")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["not compared: 1 test: no answer of other: *nobody listens"])


def test_what_others_have_changed_meanwhile_is_said(two: Project) -> None:
    before = {"provider a": "generation 1", "provider b": "generation 1", "trait CUSTOM_A": ""}
    after = {"provider a": "generation 2", "provider c": "generation 1", "trait CUSTOM_A": ""}
    two.other(contents=[before, after])
    result = two.run("--parity", "other", "--run-report", "run.json")
    assert result.ret == 0
    url = "http://other.example:8778/placement"
    lines = [
        f"{url}: came during the run: provider c",
        f"{url}: went during the run: provider b",
        f"{url}: changed during the run: provider a",
    ]
    result.stdout.fnmatch_lines([f"changed: {line}" for line in lines])
    assert json.loads((two.path / "run.json").read_text())["parity"]["changes"] == lines


def test_nothing_is_said_of_what_nobody_has_changed(two: Project) -> None:
    two.other(contents=[{"provider a": "generation 1"}] * 2)
    result = two.run("--parity", "other")
    assert "changed:" not in result.stdout.str()


def test_contents_that_cannot_be_had_are_no_reason_to_fail(two: Project) -> None:
    two.other(contents=[{"provider a": "generation 1"}])
    result = two.run("--parity", "other")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["changed: *it could not be asked whether others have changed*"])


def test_a_target_is_not_compared_with_itself(two: Project) -> None:
    two.other(url="http://fake.example:8778/placement")
    result = two.run("--parity", "other")
    assert result.ret == 64
    result.stdout.fnmatch_lines(["ERROR: --parity other compares http://fake.* with itself.*"])


def test_the_same_url_is_refused_before_anything_starts(two: Project) -> None:
    url = "http://127.0.0.1:1/placement"
    result = two.run("--parity", f"{url}/", target=url)
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: --parity {url}/ compares a target with itself.*"])


def test_what_is_neither_a_target_nor_a_recording_is_named(two: Project) -> None:
    result = two.run("--parity", "embeded")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: There is no recording embeded*"])


def test_upstreams_suites_need_another_side_that_can_be_emptied(project: Project) -> None:
    result = project.run("--suite", "upstream", "--parity", "http://127.0.0.1:1/placement")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: * own suites need an empty placement*"])


def test_a_suite_keeps_its_comparison_below_a_failure_of_its_own(two: Project) -> None:
    two.suite(SUITE.replace("GET: /second", "GET: /second\n  status: 500"))
    two.module(DIFFERENT, "different")
    two.settings()
    two.other(application="different:Other")
    result = two.run("--parity", "other")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*status 200, expected 500*", "*differences from other*"])


PYTHON = """
import pytest

calls = []

@pytest.fixture(scope="module")
def made(placement):
    calls.append("made")
    yield placement.get("/new").json()["id"]
    placement.delete("/gone")

@pytest.fixture(scope="module")
def other_thing():
    calls.append("other thing")

def test_made(placement, made, other_thing):
    assert placement.get(f"/{made}").json()["path"] == f"/{made}"

class TestIt:
    @pytest.mark.parametrize("number", [1, 2])
    def test_again(self, placement, made, number):
        assert placement.get(f"/{made}/{number}").json()["id"] == made

def test_without_it():
    assert calls == ["made", "other thing", "made"]
"""


def test_python_tests_are_run_on_both_sides(project: Project) -> None:
    project.module(PYTHON, "test_python")
    project.module(MAKES_IDS, "ids")
    project.settings()
    project.fake(application="ids:Application")
    project.other(application="ids:Application")
    result = project.run("test_python.py", "--parity", "other")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["fake | other: 4 exchanges; *3 same*"])


def test_a_python_test_that_differs_fails_once(project: Project) -> None:
    project.module("def test_it(placement): placement.get('/second')\n", "test_python")
    project.module(DIFFERENT, "different")
    project.settings()
    project.other(application="different:Other")
    result = project.run("test_python.py", "--parity", "other")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*GET /placement/second*", "*status*"])


def test_a_python_test_that_fails_on_the_other_side_alone_differs(project: Project) -> None:
    project.module(
        "def test_it(placement): assert 'fake' in placement.get('/').url\n", "test_python"
    )
    result = project.run("test_python.py", "--parity", "other")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the test itself*", "*fake *passed*", "*other *AssertionError*"])


def test_a_test_that_acts_on_the_stack_is_not_compared(project: Project) -> None:
    project.fake(stack=True)
    project.module("def test_it(placement, stack): placement.get('/')\n", "test_python")
    result = project.run("test_python.py", "--parity", "other")
    result.assert_outcomes(passed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "not compared: 1 test: the test acts on the stack of this side",
            "nothing was compared, which is no success",
        ]
    )


def test_each_side_has_the_variables_of_its_own_fixtures(project: Project) -> None:
    project.suite(
        """
fixtures:
- Numbered
tests:
- name: the variables are those of the side
  GET: /$ENVIRON['NUMBER']
""",
        "gabbits/fixture.yaml",
    )
    project.module(
        """
import os
from gabbi.fixture import GabbiFixture

class Numbered(GabbiFixture):
    def start_fixture(self):
        os.environ["NUMBER"] = os.environ["PLACEMENT_BASE"].rpartition("/")[2]

    def stop_fixture(self):
        pass
""",
        "numbered",
    )
    project.settings(gabbi_fixture_modules="numbered")
    result = project.run("gabbits/fixture.yaml", "--parity", "other")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*request url*", "*fake *fake.example*", "*other*other.example*"])
