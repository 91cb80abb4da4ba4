"""A service that still loads is asked once; the wait ends when the service has died."""

import time
from pathlib import Path

import pytest

from harness.core.deadline import Deadline
from harness.core.errors import StackError
from harness.stack.clients import serving
from harness.stack.handle import Stack
from harness.stack.lifecycle.readiness import wait_for_token
from harness.stack.model.lanes import ReplicaId
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState

# More than it takes one that serves to answer, at most.
LOADING = 0.4


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path))
    monkeypatch.setattr(serving, "ASK_SECONDS", LOADING / 4)
    record = Record(name="one", lifetime="keep", replicas=2, port=1)
    return Stack(StackState("one"), record, Secrets())


def test_keystone_is_asked_once_while_it_loads(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience = []

    def loads(self: Stack, timeout: float) -> str:
        patience.append(timeout)
        time.sleep(LOADING)
        return "a token"

    monkeypatch.setattr(Stack, "token", loads)
    wait_for_token(stack, None, Deadline.after(30))
    assert len(patience) == 1
    assert patience[0] > 20


def test_a_replica_is_asked_once_while_it_loads(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def loads(self: Stack, replica: ReplicaId, timeout: float) -> None:
        asked.append((replica.number, timeout > 20))
        time.sleep(LOADING)

    monkeypatch.setattr(Stack, "asks_replica", loads)
    stack.wait_for_replicas([1, 2], Deadline.after(30))
    assert asked == [(1, True), (2, True)]


def test_who_is_asked_when_no_time_is_left_has_some_all_the_same(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience = []

    def loads(self: Stack, replica: ReplicaId, timeout: float) -> None:
        patience.append(timeout)
        time.sleep(LOADING)

    monkeypatch.setattr(Stack, "asks_replica", loads)
    # 0, which it would be for the second one, is no time-out that requests takes.
    stack.wait_for_replicas([1, 2], Deadline.after(LOADING / 2))
    assert patience[1] == LOADING / 4


@pytest.mark.parametrize("awaited", ["token", "asks_replica"])
def test_a_death_ends_the_waiting_for_an_answer(
    awaited: str, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()

    def hangs(self: Stack, *_: object) -> None:
        time.sleep(30)

    def check(self: Stack, when: str) -> None:
        if time.monotonic() - began > LOADING:
            raise StackError("It died.", "", service="keystone")

    monkeypatch.setattr(Stack, awaited, hangs)
    monkeypatch.setattr(Stack, "check", check)
    deadline = Deadline.after(20)
    wait = {
        "token": lambda: wait_for_token(stack, None, deadline),
        "asks_replica": lambda: stack.wait_for_replicas([1], deadline),
    }
    with pytest.raises(StackError, match=r"It died\."):
        wait[awaited]()
    assert not deadline.passed


def test_a_death_while_keystone_is_asked_is_not_its_answer(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = iter([None, StackError("It died.", "", service="keystone")])

    def loads(self: Stack, timeout: float) -> str:
        time.sleep(LOADING)
        return "a token"

    def check(self: Stack, when: str) -> None:
        death = next(told, None)
        if death is not None:
            raise death

    monkeypatch.setattr(Stack, "token", loads)
    monkeypatch.setattr(Stack, "check", check)
    with pytest.raises(StackError, match=r"It died\."):
        wait_for_token(stack, None, Deadline.after(30))
