"""placement's own suites, on the embedded target and, as far as it goes, without any."""

from __future__ import annotations

import pytest

from harness.upstream import fixture_data
from harness.upstream.expected_differences import declared
from tests.fakes.project import Project

TESTS = 1316
NOBODY = "http://127.0.0.1:1/placement"


def test_all_of_them_pass_on_the_embedded_target(project: Project) -> None:
    result = project.run_apart("--suite", "upstream", "-n2", target="embedded")
    result.assert_outcomes(passed=TESTS)


def test_they_have_the_same_names_wherever_placement_is_installed(project: Project) -> None:
    result = project.run_apart("--suite", "upstream", "--collect-only", "-q", target="embedded")
    result.stdout.fnmatch_lines(
        ["upstream/basic-http.yaml::404 at no service", "* tests collected*"]
    )
    result = project.run_apart("upstream/basic-http.yaml::404 at no service", target="embedded")
    result.assert_outcomes(passed=1)


def test_a_directory_and_a_file_are_suites_too(project: Project) -> None:
    project.suite(name="some/one.yaml")
    project.suite(name="other.yaml")
    result = project.run("--suite", "some", "--suite", "other.yaml")
    result.assert_outcomes(passed=6)


def test_files_that_are_given_besides_run_as_well(project: Project) -> None:
    project.suite(name="some/one.yaml")
    project.suite(name="other.yaml")
    project.run("other.yaml", "--suite", "some").assert_outcomes(passed=6)


def test_a_suite_that_is_not_there_is_a_usage_error(project: Project) -> None:
    result = project.run("--suite", "nowhere")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: --suite nowhere: there is no such suite. Give upstream*"])


def test_a_live_cloud_is_not_emptied_for_them(project: Project) -> None:
    result = project.run("--suite", "upstream", target=NOBODY)
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: * own suites need an empty * {NOBODY} is*"])
    project.suite()
    result = project.run("--empty", target=NOBODY)
    assert result.ret == 4


@pytest.mark.parametrize("workers", [[], ["-n1"]], ids=["alone", "workers"])
def test_with_empty_each_suite_begins_with_an_empty_placement(
    project: Project, workers: list[str]
) -> None:
    project.fake(stage="works")
    project.suite()
    project.suite(name="gabbits/two.yaml")
    project.suite("fixtures: [AllocationFixture]\ntests: [{name: own, GET: /}]", "gabbits/x.yaml")
    project.run_apart("--empty", *workers).assert_outcomes(passed=7)
    stages = [event for event in project.events if event.startswith("stage")]
    assert sorted(stages) == ["stage APIFixture"] * 2 + ["stage AllocationFixture"]


def test_a_target_without_stages_says_so(project: Project) -> None:
    """The suite is not placement's, and names a fixture of placement's."""
    project.suite("fixtures: [APIFixture]\ntests: [{name: one, GET: /}]")
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["APIFixture needs an empty placement, which*"])
    result.stdout.no_fnmatch_line("*connection.py*")


def test_a_fixture_that_is_not_placements_either_is_named(project: Project) -> None:
    project.suite("fixtures: [NoFixture]\ntests: [{name: one, GET: /}]")
    project.run().stdout.fnmatch_lines(["*one.yaml: there is no fixture NoFixture*"])


def test_the_embedded_target_runs_no_fixtures_of_another_placement(project: Project) -> None:
    """Those of a checkout beside the suites, where another placement is installed."""
    suite = project.suite(
        "fixtures: [OwnFixture]\ntests: [{name: one, GET: /}]",
        f"checkout/{fixture_data.SUITES}/one.yaml",
    )
    source = project.path / "checkout" / fixture_data.SOURCE
    source.parent.mkdir()
    source.write_text("class OwnFixture(GabbiFixture): ...\n")
    result = project.run_apart(str(suite), target="embedded")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"OwnFixture is to be that of {source}, but --target embedded *"])


def test_a_failure_in_one_of_them_shows_the_log_on_the_embedded_target(project: Project) -> None:
    project.suite("fixtures: [APIFixture]\ntests: [{name: one, GET: /, status: 404}]")
    result = project.run_apart(target="embedded")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*log of placement*", '*"GET /" status: 200*'])


def test_a_suite_with_two_of_placements_fixtures_is_told_so(project: Project) -> None:
    project.suite("fixtures: [APIFixture, CORSFixture]\ntests: [{name: one, GET: /}]")
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*one.yaml: a suite can have one of placement's fixtures; CORSF*"])


@pytest.mark.parametrize("target", ["fake", "embedded"])
def test_placements_fixtures_are_never_started_beside_the_target(
    project: Project, target: str
) -> None:
    """A project that names their module to gabbi gets what the target has for them."""
    project.settings(gabbi_fixture_modules=fixture_data.FIXTURES)
    project.fake(stage=True)
    project.suite("fixtures: [APIFixture]\ntests: [{name: one, GET: /}]")
    project.run_apart(target=target).assert_outcomes(passed=1)
    assert (project.events[2:-1] == ["stage APIFixture", "unstage"]) == (target == "fake")


def test_a_fixture_that_builds_upon_placements_is_told_that_it_starts_one(
    project: Project,
) -> None:
    project.module(f"from {fixture_data.FIXTURES} import *\nclass Own(APIFixture): ...\n", "own")
    project.settings(gabbi_fixture_modules="own")
    project.suite("fixtures: [Own]\ntests: [{name: one, GET: /}]")
    result = project.run_apart()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*one.yaml: fixture Own extends a fixture of placement's, which*"])


def test_every_difference_is_of_a_test_that_there_is_and_has_a_reason() -> None:
    for (suite, test), difference in declared().items():
        assert f"name: {test}\n" in (fixture_data.installed_suites() / suite).read_text()
        assert len(difference.reason) > 40
        assert "status" in difference.expected


HELD = {
    "gabbits/basic-http.yaml": """
fixtures: [APIFixture]
tests:
- {name: bad content length not int, GET: /, status: 200}
- {name: as it stands, GET: /, status: 200}
""",
    "gabbits/with-allocations.yaml": """
fixtures: [AllocationFixture]
tests:
- name: fail to delete all inventory
  DELETE: /status/409
  data: >-
    "Inventory for 'DISK_GB, VCPU' on resource provider 'of-the-test' in use"
  status: 200
""",
}


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_a_test_is_held_to_its_declared_difference_and_fails_against_another_answer(
    project: Project, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    monkeypatch.setenv("RP_UUID", "of-the-test")
    project.fake(stage=True)
    for name, text in HELD.items():
        project.suite(text, name)
    result = project.run_apart(*workers)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        ["status 200, expected 400", "differ    2 tests, as declared: docs/upstream.md"]
    )


def test_where_nothing_differs_nothing_is_said_of_it(project: Project) -> None:
    project.suite()
    project.run().stdout.no_fnmatch_line("differ *")


def test_tests_of_the_same_name_are_told_apart(project: Project) -> None:
    """gabbi allows them; xdist would run one of them alone."""
    project.suite("tests: [{name: one, GET: /}, {name: one, GET: /status/200}]")
    project.run_apart("-n1").assert_outcomes(passed=2)
    project.run("gabbits/one.yaml::one (2)").assert_outcomes(passed=1)


DIES = """
import os, pathlib

def pytest_runtest_setup(item):
    died = pathlib.Path("died")
    if item.name == "post new resource class" and not died.exists():
        died.touch()
        os._exit(9)
"""


def test_a_worker_that_dies_takes_only_its_own_file_with_it(project: Project) -> None:
    # Not in a conftest.py: that counts for tests beside it alone.
    project.module(DIES, "dies")
    names = [
        f"upstream/{name}.yaml" for name in ("resource-classes", "traits", "usage", "aggregate")
    ]
    result = project.run_apart("-p", "dies", "-n2", *names, target="embedded")
    failed = [line for line in result.outlines if line.startswith("FAILED")]
    assert failed
    assert all("upstream/resource-classes.yaml" in line for line in failed)
