"""Faults: each is noted with its times, the last is healed, and what fails is raised."""

from __future__ import annotations

import random
import threading
from typing import cast

import pytest

from harness.consistency.cluster import Cluster
from harness.consistency.faults import FAULTS, Fault, Injector
from harness.core.errors import StackError, UsageError


class Fake:
    """A fault that is healed when it is let go on."""

    name = "fake"

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.began, self.may_heal = threading.Event(), threading.Event()

    def strike(self, cluster: object, choice: random.Random, over: threading.Event) -> str:
        self.began.set()
        if self.error is not None:
            raise self.error
        self.may_heal.wait(20)
        return "placement-2"


def injector(fake: Fake, notes: list[str]) -> Injector:
    def note(service: str, begin: float, end: float) -> None:
        notes.append(service)

    clock = iter(range(1000)).__next__
    return Injector(cast("Fault", fake), cast("Cluster", None), "7", note, clock)


def test_the_last_fault_is_healed_and_noted_before_the_run_ends() -> None:
    fake, notes = Fake(), list[str]()
    with injector(fake, notes):
        assert fake.began.wait(20)
        threading.Timer(0.05, fake.may_heal.set).start()
    assert notes == ["placement-2"]


def test_a_fault_that_cannot_be_healed_is_an_error() -> None:
    fake = Fake(StackError("It did not serve again.", "See its logs."))
    with pytest.raises(StackError, match="did not serve again"), injector(fake, []):
        assert fake.began.wait(20)


def test_a_replica_is_killed_only_where_another_serves() -> None:
    class One:
        replicas = 1

    with pytest.raises(UsageError, match="--fault kill-replica needs two replicas"):
        FAULTS["kill-replica"].require(cast("Cluster", One()))
    FAULTS["kill-memcached"].require(cast("Cluster", One()))
