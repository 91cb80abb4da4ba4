"""Faults: each is noted with its times, the last is healed, and what fails is raised."""

from __future__ import annotations

import os
import random
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.consistency.cluster import Cluster
from harness.consistency.faults import FAULTS, Fault, Injector, base
from harness.core.errors import StackError, UsageError
from harness.engine import disruption
from harness.stack.operations import breakage
from harness.stack.operations.breakage import Breakage


class Fake:
    """A fault that is healed when it is let go on, and its wound."""

    name, lasts = "fake", 0.0

    def __init__(self, error: Exception | None = None, *, once: bool = False) -> None:
        self.error, self.once = error, once
        self.began, self.may_heal = threading.Event(), threading.Event()
        self.met = True
        self.injected = 0

    def inject(self, cluster: object, choice: random.Random) -> Fake:
        self.injected += 1
        self.began.set()
        if self.error is not None:
            raise self.error
        return self

    def heal(self) -> None:
        self.may_heal.wait(20)


def injector(fake: Fake, notes: list[tuple[str, bool]]) -> Injector:
    def note(service: str, begin: float, end: float, *, met: bool) -> None:
        notes.append((service, met))

    clock = iter(range(1000)).__next__
    return Injector(cast("Fault", fake), cast("Cluster", None), "7", note, clock)


def test_the_last_fault_is_healed_and_noted_before_the_run_ends() -> None:
    fake, notes = Fake(), list[tuple[str, bool]]()
    with injector(fake, notes):
        assert fake.began.wait(20)
        threading.Timer(0.05, fake.may_heal.set).start()
    assert notes == [("fake", True)]


def test_a_fault_that_met_nothing_is_noted_as_such() -> None:
    fake, notes = Fake(), list[tuple[str, bool]]()
    fake.met = False
    fake.may_heal.set()
    with injector(fake, notes):
        assert fake.began.wait(20)
    assert ("fake", False) in notes


def test_a_fault_that_cannot_be_healed_is_an_error() -> None:
    fake = Fake(StackError("It did not serve again.", "See its logs."))
    with pytest.raises(StackError, match="did not serve again"), injector(fake, []):
        assert fake.began.wait(20)


def test_what_cannot_be_repeated_is_injected_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "PAUSES", (0.0, 0.0))
    fake = Fake(once=True)
    fake.may_heal.set()
    with injector(fake, []) as running:
        running.join(20)
    assert fake.injected == 1


def cluster(database: str = "mariadb", replicas: int = 3, version: str = "16.0.0") -> Any:
    """A cluster as far as faults ask what it has."""
    placements = [SimpleNamespace(version=version)]
    record = SimpleNamespace(database=database, lanes=("main",), placements=placements)
    stack = SimpleNamespace(record=record, replicas=range(1, replicas + 1))
    return SimpleNamespace(stack=stack, replicas=replicas)


@pytest.mark.parametrize("name", ["kill-replica", "pause-replica", "rolling-restart", "upgrade"])
def test_replicas_are_struck_only_where_another_serves(name: str) -> None:
    with pytest.raises(UsageError, match=f"--fault {name} needs two replicas"):
        FAULTS[name].require(cluster(replicas=1, version="15.0.0"))
    FAULTS[name].require(cluster(version="15.0.0"))


@pytest.mark.parametrize("name", ["kill-node", "pause-node", "cut-node"])
def test_nodes_are_struck_only_in_a_cluster(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disruption, "require_cuts", lambda: None)
    with pytest.raises(UsageError, match=f"--fault {name} needs the nodes of a Galera cluster"):
        FAULTS[name].require(cluster())
    FAULTS[name].require(cluster("galera"))


def test_the_one_server_of_a_cluster_cannot_be_killed() -> None:
    with pytest.raises(UsageError, match="needs a single database server, and galera is none"):
        FAULTS["kill-database"].require(cluster("galera"))


def test_an_upgrade_needs_something_older() -> None:
    with pytest.raises(UsageError, match=r"which all replicas run already.*--placement 15\.0\.0"):
        FAULTS["upgrade"].require(cluster())


def test_a_cut_needs_its_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(UsageError, match="nsenter and nft cannot be found"):
        FAULTS["cut-replica-database"].require(cluster())
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(UsageError, match="needs root"):
        FAULTS["cut-replica-database"].require(cluster())


def struck(monkeypatch: pytest.MonkeyPatch, dropped: int | None = None) -> tuple[Any, list[str]]:
    """A cluster whose containers are broken and mended without docker, and what is done."""
    steps: list[str] = []
    made = cluster()

    @contextmanager
    def expecting(name: str) -> Iterator[None]:
        steps.append(f"expect {name}")
        yield
        steps.append("expected")

    made.stack.expecting, made.stack.state = expecting, None
    made.stack.wait_for_replicas = lambda numbers, _: steps.append(f"wait for {numbers}")

    def make(_: object, broken: Breakage) -> None:
        steps.append(f"{broken.kind} {broken.service}")

    monkeypatch.setattr(breakage, "make", make)
    monkeypatch.setattr(breakage, "mend", lambda _, broken: steps.append(f"mend {broken.service}"))
    monkeypatch.setattr(breakage, "dropped", lambda *_: dropped)
    return made, steps


def test_a_death_is_expected_until_the_replica_serves_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, steps = struck(monkeypatch)
    wound = FAULTS["kill-replica"].inject(made, random.Random(1))
    number = wound.name[-1]
    assert steps == [f"expect placement-{number}", f"killed placement-{number}"]
    wound.heal()
    assert steps[2:] == [f"mend placement-{number}", f"wait for [{number}]", "expected"]
    assert wound.met


def test_what_did_not_take_hold_is_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    made, steps = struck(monkeypatch)

    def refuse(*_: object) -> None:
        raise StackError("It was not killed.", "Look.")

    monkeypatch.setattr(breakage, "make", refuse)
    with pytest.raises(StackError, match="It was not killed"):
        FAULTS["kill-replica"].inject(made, random.Random(1))
    assert [step.split()[0] for step in steps] == ["expect", "mend", "wait", "expected"]


def test_a_cut_that_lost_no_packet_met_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = struck(monkeypatch, dropped=0)
    wound = FAULTS["pause-replica"].inject(made, random.Random(1))
    wound.heal()
    assert not wound.met
