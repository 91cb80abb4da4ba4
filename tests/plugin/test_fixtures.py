"""Session fixtures for people who write Python tests."""

from __future__ import annotations

from tests.fakes import target as fake_target
from tests.fakes.project import Project


def test_stack_is_the_targets_stack(project: Project) -> None:
    project.fake(stack=True)
    project.module("def test_it(stack): assert stack == 'the stack object'\n", "test_python")
    project.run("test_python.py").assert_outcomes(passed=1)


def test_stack_and_database_say_which_target_lacks_them(project: Project) -> None:
    project.module("def test_1(stack): pass\ndef test_2(database): pass\n", "test_python")
    result = project.run("test_python.py")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        [
            "*_ ERROR at setup of test_1 _*",
            "The fixture `stack` needs a stack; the target of this run is fake. "
            "Run with --target stack.",
            "*_ ERROR at setup of test_2 _*",
            "The fixture `database` needs a stack; the target of this run is fake. "
            "Run with --target stack.",
        ],
        consecutive=True,
    )
    assert result.ret == 1


def test_database_is_a_connection_and_closed_at_the_end(project: Project) -> None:
    project.fake(database=True)
    project.module("def test_it(database): assert database\n", "test_python")
    project.run("test_python.py").assert_outcomes(passed=1)
    assert project.events == ["start", "started", "database closed", "stop"]


def test_placement_resolves_urls_and_authenticates(project: Project) -> None:
    project.module(
        f"""
def test_relative(placement):
    for url in ("/echo", "echo", "http://fake.example:8778/placement/echo"):
        answer = placement.post(url, json={{"one": 1}})
        assert answer.status_code == 200
        assert answer.json() == {{"one": 1}}
        assert answer.url == "http://fake.example:8778/placement/echo"
        sent = answer.request.headers
        assert sent["x-auth-token"] == {fake_target.TOKEN!r}
        assert sent["openstack-api-version"] == "placement latest"

def test_other_version(placement):
    answer = placement.get("/", headers={{"openstack-api-version": "placement 1.2"}})
    assert answer.request.headers["OpenStack-API-Version"] == "placement 1.2"

def test_status(placement):
    answer = placement.get("/status/404", params={{"a": "b c"}})
    assert (answer.status_code, answer.reason) == (404, "Whatever")
    assert answer.request.url.endswith("?a=b+c")
""",
        "test_python",
    )
    result = project.run("test_python.py")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["requests  5"])


def test_placement_raises_what_requests_users_expect(project: Project) -> None:
    project.module(
        """
import pytest
import requests

@pytest.mark.parametrize("path, error", [
    ("/refused", requests.ConnectionError), ("/slow", requests.Timeout)
])
def test_no_answer(placement, path, error):
    with pytest.raises(error):
        placement.get(path)
""",
        "test_python",
    )
    project.run("test_python.py").assert_outcomes(passed=2)


def test_a_dead_target_met_by_a_fixture_ends_the_run_with_70(project: Project) -> None:
    project.module(
        """
import pytest
from harness.core.errors import StackError

@pytest.fixture
def broken():
    raise StackError("MariaDB is gone.", "Look at its log.")

def test_one(broken): pass
def test_two(): pass
""",
        "test_python",
    )
    result = project.run("test_python.py")
    assert result.ret == 70
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["ERROR: MariaDB is gone. Look at its log."])
