"""Faults: each is noted with its times, the last is healed, and what fails is raised."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.consistency.cluster import Cluster
from harness.consistency.faults import FAULTS, Audience, Fault, Injector, base
from harness.consistency.history import Operation, Strike, Writer
from harness.core.deadline import Deadline
from harness.core.errors import StackError, UsageError
from harness.engine import disruption
from harness.stack.model.hosts import HERE
from harness.stack.operations import breakage
from harness.stack.operations.breakage import Breakage
from tests.fakes.hosts import A, B


class Fake:
    """A fault that is healed when it is let go on, and its wound."""

    lasts = 0.0

    def __init__(
        self,
        error: Exception | None = None,
        *,
        once: bool = False,
        early: bool = False,
        name: str = "fake",
    ) -> None:
        self.error, self.once, self.early, self.name = error, once, early, name
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


class Hall:
    """An audience that meets each fault, unless it ``lacks`` some."""

    def __init__(self, looks: Sequence[bool] = (), lacking: Sequence[str] = ()) -> None:
        self.looks, self.lacking = [*looks], [*lacking]
        self.notes: list[tuple[str, bool]] = []

    def lacks(self, fault: str) -> bool:
        return fault in self.lacking

    def is_ready(self, fault: str) -> bool:
        return not self.looks or self.looks.pop(0)

    def begin(self) -> None: ...
    def end(self) -> None: ...

    def note(self, strike: Strike, *, met: bool) -> None:
        assert strike.begin < strike.heal < strike.end
        self.notes.append((strike.fault, met))


def injector(hall: Hall, *fakes: Fake) -> Injector:
    faults, clock = cast("list[Fault]", fakes), itertools.count().__next__
    return Injector(faults, cast("Cluster", None), "7", cast("Audience", hall), clock)


def test_the_last_fault_is_healed_and_noted_before_the_run_ends() -> None:
    fake, hall = Fake(), Hall()
    with injector(hall, fake):
        assert fake.began.wait(20)
        threading.Timer(0.05, fake.may_heal.set).start()
    assert hall.notes == [("fake", True)]


def test_a_fault_that_met_nothing_is_noted_as_such() -> None:
    fake, hall = Fake(), Hall()
    fake.met = False
    fake.may_heal.set()
    with injector(hall, fake):
        assert fake.began.wait(20)
    assert ("fake", False) in hall.notes


def test_a_fault_that_cannot_be_healed_is_an_error() -> None:
    fake = Fake(StackError("It did not serve again.", "See its logs."))
    with pytest.raises(StackError, match="did not serve again"), injector(Hall(), fake):
        assert fake.began.wait(20)


def test_what_cannot_be_repeated_is_injected_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "PAUSES", (0.0, 0.0))
    fake = Fake(once=True)
    fake.may_heal.set()
    with injector(Hall(), fake) as running:
        running.join(20)
    assert fake.injected == 1


def test_several_faults_are_injected_in_turn_those_that_cannot_be_repeated_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(base, "PAUSES", (0.0, 0.0))
    fakes = [Fake(once=True, name="once"), Fake(name="a"), Fake(early=True, name="early")]
    for fake in fakes:
        fake.may_heal.set()
    hall = Hall()
    with injector(hall, *fakes) as running:
        for _ in Deadline.after(20).every(0.001):
            if len(hall.notes) > 4:
                break
        assert running.has_injected_all()
    names = [name for name, _ in hall.notes]
    assert names[:5] == ["early", "a", "once", "early", "a"]


def test_a_run_goes_on_until_its_faults_were_injected() -> None:
    fake = Fake()
    with injector(Hall(), fake) as running:
        assert fake.began.wait(20)
        assert not running.has_injected_all()
        fake.may_heal.set()
        for _ in Deadline.after(20).every(0.001):
            if running.has_injected_all():
                break
        assert running.has_injected_all()


def test_a_fault_waits_for_a_write_that_it_can_meet() -> None:
    fake, hall = Fake(), Hall(looks=[False, False, True])
    fake.may_heal.set()
    with injector(hall, fake):
        assert fake.began.wait(20)
    assert hall.looks == []


def test_a_fault_that_a_workload_did_not_meet_is_injected_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(base, "PAUSES", (0.0, 0.0))
    fakes = [Fake(name="a"), Fake(name="b")]
    for fake in fakes:
        fake.may_heal.set()
    hall = Hall(lacking=["b"])
    with injector(hall, *fakes) as running:
        for _ in Deadline.after(20).every(0.001):
            if running.has_injected_all():
                break
    names = [name for name, _ in hall.notes]
    assert names[2 : 2 + base.REPEATS] == ["b"] * base.REPEATS


def test_an_audience_tells_which_workloads_wrote_under_a_fault(tmp_path: Path) -> None:
    writers = [Writer(tmp_path / name, {}, 0.0) for name in ("one", "two")]
    audience, strike = Audience(writers), Strike("scale", "placement-4", 1, 2, 3)
    first = writers[0].invoke(1, 0, "claim", None, 1, 0.5)
    writers[1].invoke(1, 0, "read", None, 1, 0.5)
    assert not audience.is_ready("scale")
    audience.begin()
    writers[0].complete(Operation(first, 1, 0, "claim", 0.5), 1.5)
    audience.end()
    audience.note(strike, met=False)
    assert audience.lacks("scale")
    assert not audience.is_ready("scale")
    audience.note(strike, met=True)
    writers[1].invoke(1, 0, "claim", None, 1, 2.5)
    assert audience.is_ready("scale")
    audience.begin()
    audience.end()
    audience.note(strike, met=True)
    assert not audience.lacks("scale")
    # The next one waits for a write all the same: here both are under way, then none is.
    assert audience.is_ready("scale")
    for writer in writers:
        writer.writing = 0
    assert not audience.is_ready("scale")
    for writer in writers:
        writer.close(complete=True)


def cluster(database: str = "mariadb", replicas: int = 3, version: str = "16.0.0") -> Any:
    """A cluster as far as faults ask what it has."""
    placements = [SimpleNamespace(version=version)]
    record = SimpleNamespace(database=database, lanes=("main",), placements=placements)
    state = SimpleNamespace(hosts=HERE)
    stack = SimpleNamespace(name="one", state=state, record=record, replicas=range(1, replicas + 1))
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


def test_containers_of_other_hosts_cannot_be_cut_off() -> None:
    several = cluster()
    several.stack.state = SimpleNamespace(hosts=(A, B))
    with pytest.raises(UsageError, match="cut-replica-database cuts networks of this machine"):
        FAULTS["cut-replica-database"].require(several)
    FAULTS["kill-replica"].require(several)


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
