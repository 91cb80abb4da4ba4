"""A stack as a target: whose lane a worker has, and what a suite of upstream's finds and leaves."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal
from unittest import mock

import pytest

from harness.config.plan import Lane, Plan
from harness.core.errors import StackError, UsageError
from harness.identity.keystone import Keystone
from harness.stack.handle import Stack
from harness.stack.lifecycle import reuse, teardown, up
from harness.stack.lifecycle.running import RunningStack
from harness.stack.model import policies
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from harness.stack.resolved_plan import resolve_plan
from harness.suites.connection import Wire
from harness.targets import stack as target
from harness.upstream.fixture_data import Fixture, Scene
from harness.upstream.profiles import Profile

LANES = {"1": 8000, "2": 8002, "cors": 8003}
PLAN = Plan(name="s", lanes=(Lane("1"), Lane("2"), Lane("cors", {"OS_CORS__X": "y"})))
LEGACY = Profile("legacy-rbac", {"a": "role:legacy"})
CORS = Profile("cors", {"a": "role:legacy"}, {"OS_CORS__X": "y"})


class Fixtures(Fixture):
    """A fixture of placement's that needs no placement to say what it sets up."""

    def scene(self, progress: Any = None) -> Scene:
        return Scene(self.name, {}, {}, {"Legacy": LEGACY, "Cors": CORS}[self.name])


class Schema:
    def __init__(self, lane: str, steps: list[str]) -> None:
        self.lane, self.steps = lane, steps

    def reset(self, rows: object) -> None:
        self.steps.append(f"empty {self.lane}")


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The changes to the databases of a stack with three lanes."""
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path))
    state, done = StackState("s"), list[str]()
    state.create(Record("s", "keep", 3, 8000, ready=True, lanes=LANES), Secrets())
    policies.prepare(state, PLAN.lanes)
    monkeypatch.setattr(Keystone, "token", lambda *_: "token of the controller")
    monkeypatch.setattr(Stack, "users", None)
    monkeypatch.setattr(Stack, "schema", lambda _, lane: Schema(lane, done))
    monkeypatch.setattr(Stack, "database", lambda _, schema: f"connection to {schema}")
    return done


def worker(number: int) -> target.StackTarget:
    """The target of the worker of this number, from 0."""
    state = StackState("s")
    record = state.record()
    assert record is not None
    owner = target.StackTarget(PLAN, stack=RunningStack(state, record, state.secrets()))
    return target.attach(PLAN, owner.share(number))


def policy(lane: str) -> Any:
    return json.loads(StackState("s").policy_file(lane).read_text())


@pytest.mark.usefixtures("steps")
def test_each_worker_has_the_address_and_the_database_of_its_own_lane() -> None:
    first, second = worker(0), worker(1)
    assert first.url == "http://127.0.0.1:8000/placement"
    assert second.url == "http://127.0.0.1:8002/placement"
    found: list[Any] = [first.database(), second.database()]
    assert found == ["connection to placement", "connection to placement_2"]


@pytest.mark.usefixtures("steps")
def test_without_lanes_all_workers_share_the_first() -> None:
    owner = replace(PLAN, lanes=())
    share = target.StackTarget(owner, stack=worker(0).stack).share(1)
    assert share == {"name": "s", "lane": "1", "token": "token of the controller"}


@pytest.mark.parametrize(("fixture", "lane"), [("Legacy", "2"), ("Cors", "cors")])
def test_a_suite_has_its_policy_and_leaves_the_stack_with_its_own(
    steps: list[str], fixture: str, lane: str
) -> None:
    with worker(1).stage(Fixtures(Path(), fixture)):
        assert steps == [f"empty {lane}"]
        assert policy(lane) == {"a": "role:legacy"}
    assert policy(lane) == {}


@pytest.mark.usefixtures("steps")
def test_nothing_that_only_noauth2_knows_goes_over_the_wire(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    who = SimpleNamespace(token=lambda identity: f"token of {identity}")
    monkeypatch.setattr(Stack, "users", who)
    wire = Wire()
    wire.connect(worker(0), lambda exchange: exchange)
    said = {"x-roles": "reader", "Openstack-System-Scope": "all", "X-Project-Id": "p"}
    with wire.staged(Fixtures(Path(), "Legacy")):
        assert wire.sent({"accept": "x", "X-Auth-Token": "user", **said}) == {
            "accept": "x",
            "x-auth-token": "token of user as reader in the system",
        }
        assert wire.sent({"accept": "x", **said}) == {"accept": "x"}


def test_the_policy_is_put_back_after_a_failure_too(steps: list[str]) -> None:
    with pytest.raises(ZeroDivisionError), worker(0).stage(Fixtures(Path(), "Legacy")):
        raise ZeroDivisionError
    assert policy("1") == {}


def test_nothing_is_emptied_for_a_suite_whose_lane_is_not_there(steps: list[str]) -> None:
    state = StackState("s")
    record = state.record()
    assert record is not None
    state.save(replace(record, lanes={"1": 8000}))
    with pytest.raises(UsageError, match=r"Cors wants .* lane cors, .* s was started without"):
        worker(0).stage(Fixtures(Path(), "Cors")).__enter__()
    assert steps == []


@pytest.mark.usefixtures("steps")
def test_what_a_killed_run_has_left_of_its_policies_is_put_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policies.set_policy(StackState("s"), "2", LEGACY.rules)
    running = worker(0).stack
    monkeypatch.setattr(reuse, "_difference", lambda *_: None)
    monkeypatch.setattr(reuse, "running_stack", lambda _: running)
    monkeypatch.setattr(Stack, "balancer", mock.MagicMock())
    plan = resolve_plan(Plan(name="s", lifetime="reuse"), print)
    assert reuse.take(running.state, plan, print) is running
    assert [policy(lane) for lane in LANES] == [{}, {}, {}]


@pytest.mark.usefixtures("steps")
def test_a_stack_is_left_with_its_own_policies() -> None:
    policies.set_policy(StackState("s"), "2", LEGACY.rules)
    target.StackTarget(replace(PLAN, lifetime="keep"), stack=worker(0).stack).stop()
    assert [policy(lane) for lane in LANES] == [{}, {}, {}]


@pytest.mark.usefixtures("steps")
@pytest.mark.parametrize("lifetime", ["fresh", "keep"])
def test_a_stop_that_is_interrupted_can_be_repeated(
    monkeypatch: pytest.MonkeyPatch, lifetime: Literal["fresh", "keep"]
) -> None:
    attempts: list[str] = []

    def interrupted_once(stack: object, progress: object = None) -> None:
        attempts.append(lifetime)
        if len(attempts) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(teardown, "take_down", interrupted_once)
    monkeypatch.setattr(up, "leave", interrupted_once)
    running = target.StackTarget(replace(PLAN, lifetime=lifetime), stack=worker(0).stack)
    with pytest.raises(KeyboardInterrupt):
        running.stop()
    running.stop()
    assert attempts == [lifetime] * 2
    running.stop()
    assert attempts == [lifetime] * 2, "what is stopped is not stopped again"


@pytest.mark.usefixtures("steps")
def test_the_controller_asks_for_a_token_and_hands_it_to_its_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    timeouts: list[float] = []

    def token(keystone: Keystone, timeout: float) -> str:
        timeouts.append(timeout)
        return "the token"

    monkeypatch.setattr(Keystone, "token", token)
    assert [worker(number).token() for number in (0, 1)] == ["the token"] * 2
    # Each call of worker() has a controller of its own, which asks once.
    assert timeouts == [30.0] * 2


@pytest.mark.usefixtures("steps")
def test_a_stack_that_is_gone_cannot_be_attached_to() -> None:
    with pytest.raises(StackError, match="The stack other is gone"):
        target.attach(PLAN, {"name": "other", "lane": "1", "token": "t"})
