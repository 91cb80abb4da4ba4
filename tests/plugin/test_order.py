"""Suites that took longest come first, where workers share them."""

from __future__ import annotations

import json

import pytest

from tests.fakes.project import SUITE, Project

STARTED = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if item.name == "only":
        with open("started", "a") as file:
            file.write(item.path.stem + "\\n")
"""
ONE = "tests: [{name: only, GET: /}]"


def started(project: Project) -> list[str]:
    return (project.path / "started").read_text().split()


def test_the_longest_suite_of_the_last_run_comes_first(project: Project) -> None:
    for name in "abcd":
        project.suite(ONE, f"gabbits/{name}.yaml")
    project.pytester.makeconftest(STARTED)
    seconds = {"gabbits/a.yaml": 1, "gabbits/b.yaml": 2, "gabbits/c.yaml": 4, "gabbits/d.yaml": 3}
    cache = project.path / ".pytest_cache/v/placement-harness"
    cache.mkdir(parents=True)
    (cache / "seconds-fake").write_text(json.dumps(seconds))
    project.run_apart("-n1").assert_outcomes(passed=4)
    assert started(project) == ["c", "d", "b", "a"]
    # The times of this run are remembered, for all suites.
    known = json.loads((cache / "seconds-fake").read_text())
    assert set(known) == set(seconds)
    assert not set(known.values()) & set(seconds.values())


CHANGING = """
import json, pathlib, pytest

@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config):
    # As another run may do that ends just now.
    worker = getattr(config, "workerinput", {}).get("workerid")
    if worker is not None:
        seconds = {"gabbits/a.yaml": 9} if worker == "gw0" else {"gabbits/b.yaml": 9}
        config.cache.set("placement-harness/seconds-fake", seconds)
"""


def test_workers_have_one_order_though_the_cache_changes_as_they_start(project: Project) -> None:
    for name in "ab":
        project.suite(ONE, f"gabbits/{name}.yaml")
    project.pytester.makeconftest(CHANGING)
    result = project.run_apart("-n2")
    result.assert_outcomes(passed=2)
    result.stdout.no_fnmatch_line("*Different tests were collected*")


def test_without_workers_suites_run_as_they_are_found(project: Project) -> None:
    for name in "ab":
        project.suite(ONE, f"gabbits/{name}.yaml")
    project.pytester.makeconftest(STARTED)
    cache = project.path / ".pytest_cache/v/placement-harness"
    cache.mkdir(parents=True)
    (cache / "seconds-fake").write_text(json.dumps({"gabbits/b.yaml": 9}))
    project.run().assert_outcomes(passed=2)
    assert started(project) == ["a", "b"]


def test_without_a_cache_nothing_is_remembered(project: Project) -> None:
    project.suite()
    project.run_apart("-n1", "-p", "no:cacheprovider").assert_outcomes(passed=3)
    assert not (project.path / ".pytest_cache").exists()


def remembered(project: Project, target: str = "fake") -> set[str]:
    file = project.path / ".pytest_cache/v/placement-harness" / f"seconds-{target}"
    return set(json.loads(file.read_text())) if file.exists() else set()


@pytest.mark.parametrize("workers", [(), ("-n1",)])
@pytest.mark.parametrize(
    "part",
    [
        ("-k", "third"),
        ("gabbits/one.yaml::second of them",),
        ("--deselect", "gabbits/one.yaml::first"),
        ("-x",),
    ],
)
def test_a_suite_of_which_a_part_was_run_is_not_remembered(
    project: Project, part: tuple[str, ...], workers: tuple[str, ...]
) -> None:
    project.suite(SUITE.replace("/second", "/status/404"))
    project.run_apart(*part, *workers)
    assert remembered(project) == set()


def test_each_kind_of_target_has_its_own_times(project: Project) -> None:
    project.suite("tests: [{name: only, GET: /}]")
    project.run_apart(target="embedded").assert_outcomes(passed=1)
    assert (remembered(project), remembered(project, "embedded")) == (set(), {"gabbits/one.yaml"})
