"""The engine's events about a stack: every death is kept, and a watch that sees none says so."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.engine.docker import Engine
from harness.engine.events import Death, Watch
from tests.fakes.deaths import Events
from tests.fakes.machine import Machine, fails


def until(what: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def events(machine: Machine, tmp_path: Path) -> Events:
    return Events(machine, tmp_path)


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch(Engine(), {"placement-harness.stack": "one"})
    yield watch
    watch.stop()


def test_a_death_has_its_container_its_code_and_its_time(
    events: Events, watch: Watch, machine: Machine
) -> None:
    watch.start()
    events.dies("mariadb", 1, at=1_700_000_000.5)
    until(watch.deaths)
    assert watch.deaths() == [
        Death("one-mariadb-1", "one-mariadb-1", "mariadb", 1, 1_700_000_000.5)
    ]
    assert not watch.blind
    assert "--filter label=placement-harness.stack=one" in machine.calls[0]


def test_deaths_that_are_equal_are_all_kept(events: Events, watch: Watch) -> None:
    watch.start()
    for _ in range(3):
        events.dies("placement-2", at=5.0)
    until(lambda: len(watch.deaths()) == 3)
    assert watch.deaths(2) == [Death("one-placement-2", "one-placement-2", "placement-2", 137, 5.0)]


def test_events_are_asked_for_from_the_start_of_the_watch_on(
    events: Events, watch: Watch, machine: Machine
) -> None:
    """The engine takes a moment until it reports: a death in that moment is not lost."""
    before = time.time()
    watch.start()
    until(lambda: machine.calls)
    since = float(machine.calls[0].split("--since ")[1].split()[0])
    assert before - 0.001 <= since <= time.time()


@pytest.mark.usefixtures("machine")
def test_a_watch_that_could_not_start_is_blind(watch: Watch) -> None:
    watch.start()
    until(lambda: watch.blind)


@pytest.mark.parametrize("says", [fails("no permission"), "echo no event; exec /bin/sleep 60"])
def test_a_watch_that_gets_no_events_is_blind(watch: Watch, machine: Machine, says: str) -> None:
    machine.has("docker", {"events*": says})
    watch.start()
    until(lambda: watch.blind)


def test_a_watch_that_was_stopped_is_not_blind(events: Events, watch: Watch) -> None:
    watch.start()
    watch.stop()
    time.sleep(0.1)
    assert not watch.blind
