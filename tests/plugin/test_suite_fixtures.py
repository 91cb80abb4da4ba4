"""Suite fixtures, inner fixtures and handlers that a project adds."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.upstream.fixture_data import installed_suites
from tests.fakes.project import SUITE, Project

FIXTURES = """
import unittest
from gabbi import fixture

def note(what):
    with open("noted", "a") as file:
        file.write(what + " ")

class Outer(fixture.GabbiFixture):
    def start_fixture(self):
        note("outer-starts")
    def stop_fixture(self):
        note("outer-stops")

class Second(Outer):
    def start_fixture(self):
        note("second-starts")
    def stop_fixture(self):
        note("second-stops")

class Broken(fixture.GabbiFixture):
    def start_fixture(self):
        raise ValueError("no such thing")

class Skipping(fixture.GabbiFixture):
    def start_fixture(self):
        raise unittest.SkipTest("not on Sundays")

class Inner:
    def setUp(self):
        note("in")
    def cleanUp(self):
        note("out")
"""


@pytest.fixture
def fixtures(project: Project) -> Project:
    project.module(FIXTURES, "fixtures_of_suites")
    project.settings(gabbi_fixture_modules="fixtures_of_suites")
    return project


def noted(project: Project) -> str:
    return (project.path / "noted").read_text().strip()


def test_fixtures_start_before_the_first_test_and_stop_after_the_last(fixtures: Project) -> None:
    fixtures.suite(f"fixtures: [Outer, Second]\n{SUITE}")
    fixtures.run_apart().assert_outcomes(passed=3)
    assert noted(fixtures) == "outer-starts second-starts second-stops outer-stops"


def test_fixtures_start_for_one_picked_test_too(fixtures: Project) -> None:
    fixtures.suite(f"fixtures: [Outer]\n{SUITE}")
    fixtures.run_apart("gabbits/one.yaml::third").assert_outcomes(passed=1)
    assert noted(fixtures) == "outer-starts outer-stops"


def test_a_fixture_that_skips_skips_the_whole_suite(fixtures: Project) -> None:
    fixtures.suite(f"fixtures: [Outer, Skipping]\n{SUITE}")
    result = fixtures.run_apart("-rs")
    result.assert_outcomes(skipped=3)
    result.stdout.fnmatch_lines(["SKIPPED*not on Sundays"])
    assert noted(fixtures) == "outer-starts outer-stops"


def test_a_fixture_that_fails_is_an_error_of_each_test(fixtures: Project) -> None:
    fixtures.suite(f"fixtures: [Outer, Broken]\n{SUITE}")
    result = fixtures.run_apart()
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(["*ValueError: no such thing"])
    assert noted(fixtures) == "outer-starts outer-stops"


def test_a_fixture_that_no_module_has_names_the_modules(fixtures: Project) -> None:
    fixtures.suite(f"fixtures: [Missing]\n{SUITE}")
    result = fixtures.run_apart()
    result.stdout.fnmatch_lines(
        ["*one.yaml: there is no fixture Missing: gabbi_fixture_modules names fixtures_of_suites."]
    )


def test_inner_fixtures_run_around_each_test(project: Project) -> None:
    project.module(FIXTURES, "fixtures_of_suites")
    project.settings(gabbi_inner_fixtures="fixtures_of_suites:Inner")
    project.suite()
    project.run_apart("gabbits/one.yaml::second of them").assert_outcomes(passed=1)
    # The picked test and the one that it needs.
    assert noted(project) == "in out in out"


INTERLEAVED = """
def pytest_collection_modifyitems(items):
    # As --ff may do, and plugins that shuffle.
    places = {item: item.parent._items.index(item) for item in items}
    items.sort(key=lambda item: (places[item], item.path.name))
"""


def test_a_suite_that_is_come_back_to_runs_again_what_its_tests_need(fixtures: Project) -> None:
    fixtures.pytester.makeconftest(INTERLEAVED)
    for name in "ab":
        fixtures.suite(f"fixtures: [Outer]\n{SUITE}", f"gabbits/{name}.yaml")
    result = fixtures.run_apart()
    result.assert_outcomes(passed=6)
    assert noted(fixtures).split() == ["outer-starts", "outer-stops"] * 6
    # Each suite sends one request for its first test, two for the second, three for the third.
    result.stdout.fnmatch_lines(["requests  12"])


def test_without_fixtures_what_a_suite_has_done_stays_done(fixtures: Project) -> None:
    fixtures.pytester.makeconftest(INTERLEAVED)
    for name in "ab":
        fixtures.suite(SUITE, f"gabbits/{name}.yaml")
    fixtures.run_apart().stdout.fnmatch_lines(["requests  6"])


def test_placements_own_suites_can_be_interleaved(project: Project) -> None:
    project.module(INTERLEAVED, "interleaved")
    names = [f"upstream/{name}.yaml" for name in ("usage", "aggregate", "resource-classes")]
    tests = sum(
        len(yaml.safe_load((installed_suites() / Path(name).name).read_text())["tests"])
        for name in names
    )
    result = project.run_apart("-p", "interleaved", *names, target="embedded")
    result.assert_outcomes(passed=tests)
    # Each change of suites starts the fixture anew, and with it what the test needs runs again.
    (line,) = [line for line in result.outlines if line.startswith("requests  ")]
    assert int(line.split()[1]) > 2 * tests


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        (
            "gabbi_fixture_modules",
            "no_such_module",
            "gabbi_fixture_modules names no_such_module, which cannot be imported: No module named "
            "'no_such_module'. Check the name, and that pytest's `pythonpath` setting leads to it.",
        ),
        (
            "gabbi_response_handlers",
            "json:NoHandler",
            "gabbi_response_handlers names json:NoHandler, but json has no NoHandler. "
            "Check the name.",
        ),
        (
            "gabbi_content_handlers",
            "handler",
            "gabbi_content_handlers names handler, which is not a dotted name. "
            "Write it as package.module:Class.",
        ),
    ],
)
def test_a_setting_that_names_nothing_is_an_error(
    project: Project, setting: str, value: str, message: str
) -> None:
    project.settings(**{setting: value})
    project.suite()
    result = project.run()
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert result.ret == 4


def test_ctrl_c_where_python_knows_no_line_ends_the_run_as_any_other(project: Project) -> None:
    # pytest fails on such a traceback, which Python 3.11 makes now and then.
    project.module(
        "class Inner:\n"
        "    def setUp(self):\n"
        "        raise KeyboardInterrupt\n"
        "    def cleanUp(self):\n"
        "        pass\n"
        "code = Inner.setUp.__code__\n"
        "Inner.setUp.__code__ = code.replace(co_linetable=b'')\n",
        "fixtures_of_suites",
    )
    project.settings(gabbi_inner_fixtures="fixtures_of_suites:Inner")
    project.suite()
    result = project.run_apart("gabbits")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*KeyboardInterrupt*"])
    result.stderr.no_fnmatch_line("*TypeError*")
