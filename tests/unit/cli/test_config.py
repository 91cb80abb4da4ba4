"""placement-harness config: what it says and does, on a fake stack."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from harness.cli.config import config
from harness.core.errors import StackError, UsageError
from harness.core.measurements import Progress
from harness.stack import project
from harness.stack.clients import etcd
from harness.stack.lifecycle import reuse
from harness.stack.operations import change_settings as module
from harness.stack.operations import placement_options
from harness.stack.operations.placement_options import Options

PLACEMENT = {
    "DEFAULT/debug": False,
    "placement_database/connection": True,
    "api/auth_strategy": False,
}
Keys = dict[str, str]


class Stack:
    """Two replicas, and what they were told."""

    def __init__(self, config_source: str) -> None:
        self.record = SimpleNamespace(config_source=config_source, lanes={})
        self.state = None
        self.told: list[tuple[str, str]] = []
        self.closed = False

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def stack() -> Stack:
    return Stack("etcd")


@pytest.fixture
def keys(stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Keys:
    """The keys in etcd below its prefix, with their values."""
    held: Keys = {
        f"placement-{number}/{name}": value
        for number in (1, 2)
        for name, value in {"DEFAULT/debug": "false", "placement_database/connection": "pw"}.items()
    }

    class FakeEtcd:
        def __enter__(self) -> "FakeEtcd":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def read(self, prefix: str) -> Keys:
            return held

    def change(stack: Stack, setting: str, value: str, progress: Progress) -> None:
        stack.told.append((setting, value))
        progress("replica 2 has taken it up")

    def check(pythons: Any, written: str, value: str) -> str:
        if value == "wrong":
            raise UsageError("takes a value of type boolean.", "Give one.")
        return Options(PLACEMENT).find(written)

    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path))
    monkeypatch.delenv("PLACEMENT_HARNESS_NAME", raising=False)
    described: dict[str, Any] = {project.SETTINGS: {"placement-1": {}, "placement-2": {}}}
    monkeypatch.setattr(reuse, "running_stack", lambda state, whole: stack)
    monkeypatch.setattr(project, "load", lambda state: described)
    monkeypatch.setattr(module, "change", change)
    monkeypatch.setattr(etcd.Etcd, "of", lambda state: FakeEtcd())
    monkeypatch.setattr(placement_options, "pythons", lambda record: {})
    monkeypatch.setattr(placement_options, "known", lambda pythons: Options(PLACEMENT))
    monkeypatch.setattr(placement_options, "check", check)
    return held


def run(*words: str, text: str | None = None) -> Result:
    return CliRunner().invoke(config, words, input=text)


def test_list_shows_each_setting_once_and_no_secret(keys: Keys) -> None:
    assert run("list").output == "DEFAULT/debug = false\nplacement_database/connection = ***\n"


def test_list_tells_replicas_apart_that_differ(keys: Keys) -> None:
    keys["placement-2/DEFAULT/debug"] = "true"
    keys["placement-2/api/auth_strategy"] = "noauth2"
    assert run("list").output.splitlines() == [
        "DEFAULT/debug = false  (placement-1)",
        "DEFAULT/debug = true  (placement-2)",
        "api/auth_strategy = noauth2  (placement-2)",
        "placement_database/connection = ***",
    ]


def test_get_prints_the_value(keys: Keys) -> None:
    assert run("get", "placement_database/connection").output == "pw\n"
    assert run("get", "api/auth-strategy").output == ""
    keys["placement-2/DEFAULT/debug"] = "true"
    assert run("get", "default/debug").output == "placement-1: false\nplacement-2: true\n"


@pytest.mark.parametrize(("words", "text"), [(["true"], None), ([], "true\n")])
def test_set_tells_all_and_says_who_has_taken_it_up(
    keys: Keys, stack: Stack, words: list[str], text: str | None
) -> None:
    said = run("set", "DEFAULT/debug", *words, text=text)
    assert said.exit_code == 0
    assert stack.told == [("DEFAULT/debug", "true")]
    assert stack.closed
    assert "replica 2 has taken it up" in said.output


def test_a_value_may_look_like_an_option(keys: Keys, stack: Stack) -> None:
    assert run("set", "DEFAULT/debug", "-1").exit_code == 0
    assert run("set", "DEFAULT/debug", "--name=x").exit_code == 0
    assert run("set", "DEFAULT/debug", "--", "--name=x").exit_code == 0
    assert [value for _, value in stack.told] == ["-1", "", "--name=x"]


@pytest.mark.parametrize("words", [["DEFAULT/debug", "wrong"], ["DEFAULT/debgu", "true"]])
def test_set_changes_nothing_when_placement_would_not_take_it(
    keys: Keys, stack: Stack, words: list[str]
) -> None:
    assert isinstance(run("set", *words).exception, UsageError)
    assert stack.told == []


def test_set_refuses_a_stack_with_lanes(keys: Keys, stack: Stack) -> None:
    stack.record.lanes = {"1": 1, "2": 2}
    error = run("set", "DEFAULT/debug", "true").exception
    assert isinstance(error, UsageError)
    assert "has lanes, whose replicas are not restarted one by one" in error.problem
    assert stack.told == []


def test_a_stack_with_another_source_is_refused(keys: Keys, stack: Stack) -> None:
    stack.record.config_source = "env"
    error = run("list").exception
    assert isinstance(error, UsageError)
    assert "take their settings from env, which does not change" in error.problem
    assert "up --config-source etcd" in error.remedy


def test_a_stack_that_does_not_run_is_said(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reuse, "running_stack", lambda state, whole: None)
    for words in (["list"], ["get", "DEFAULT/debug"], ["set", "DEFAULT/debug", "true"]):
        error = run(*words).exception
        assert isinstance(error, StackError)
        assert error.problem == "No stack placement-harness is running."
        assert "placement-harness up" in error.remedy
