"""Suites that are not true for the target's release of placement are left out, and that is said."""

from __future__ import annotations

from harness.placements.lockfile import locked_version
from tests.fakes.project import Project

ONE = "tests: [{name: only, GET: /}]"
OTHER = f'placement: "<1"\n{ONE}'


def test_a_suite_of_other_releases_is_left_out_and_named(project: Project) -> None:
    project.suite(ONE, "gabbits/a.yaml")
    project.suite(OTHER, "gabbits/b.yaml")
    result = project.run()
    result.assert_outcomes(passed=1, deselected=1)
    said = f"left out, as the target runs placement {locked_version()}: gabbits/b.yaml (<1)"
    result.stdout.fnmatch_lines([said])


def test_workers_leave_it_out_too(project: Project) -> None:
    project.suite(ONE, "gabbits/a.yaml")
    project.suite(OTHER, "gabbits/b.yaml")
    result = project.run_apart("-n2")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["left out, *: gabbits/b.yaml (<1)"])


def test_a_run_of_such_suites_alone_is_no_success(project: Project) -> None:
    project.suite(OTHER, "gabbits/b.yaml")
    result = project.run()
    assert result.ret != 0
    result.stdout.fnmatch_lines(["left out, *: gabbits/b.yaml (<1)"])


def test_a_suite_that_names_no_releases_is_refused_with_an_example(project: Project) -> None:
    project.suite(f"placement: 14\n{ONE}", "gabbits/b.yaml")
    result = project.run()
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*b.yaml: placement: 14 names no releases: write a specifier*"])
