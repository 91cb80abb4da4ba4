"""Deaths of containers that were expected, and those that were not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from harness.core.errors import UsageError
from harness.stack.handle import Stack
from harness.stack.model import expectations
from harness.stack.model.lanes import ReplicaId
from tests.fakes.deaths import (
    Events,
    broken,
    checked,
    events_of,
    watched_stack,
)

_events = pytest.fixture(name="events")(events_of)
_stack = pytest.fixture(name="stack")(watched_stack)


@pytest.mark.parametrize("service", ["memcached", "keystone", "apache", "etcd", "mariadb"])
def test_an_expected_death_does_not_end_a_run(stack: Stack, events: Events, service: str) -> None:
    with stack.expecting(service):
        events.dies(service)
        checked(stack)
    checked(stack, 0.2)
    events.dies(service)
    broken(stack, service)


def test_a_death_that_is_noticed_after_the_block_was_meant_all_the_same(
    stack: Stack, events: Events
) -> None:
    with stack.expecting("memcached", ReplicaId.first(2)):
        at = time.time()
    time.sleep(0.2)
    events.dies("memcached", at=at)
    events.dies("placement-2", at=at)
    checked(stack)
    events.dies("memcached")
    broken(stack, "memcached")


def test_a_death_before_the_block_was_not_meant(stack: Stack, events: Events) -> None:
    before = time.time() - 1
    with stack.expecting("memcached"):
        events.dies("memcached", at=before)
        broken(stack, "memcached")


def test_any_other_death_ends_the_run_meanwhile(stack: Stack, events: Events) -> None:
    with stack.expecting("memcached", "keystone"):
        for service in ("keystone", "memcached"):
            events.dies(service)
        checked(stack)
        events.dies("apache")
        broken(stack, "apache")


def test_blocks_are_nested_and_end_one_by_one(stack: Stack, events: Events) -> None:
    with stack.expecting("memcached"):
        with stack.expecting("keystone", "memcached"):
            events.dies("keystone")
        events.dies("memcached")
        checked(stack)
        time.sleep(2 * expectations.GRACE_SECONDS)
        events.dies("keystone")
        broken(stack, "keystone")


def test_a_container_that_the_stack_does_not_have_is_refused(stack: Stack) -> None:
    with pytest.raises(UsageError, match="The stack one has no container memcache") as caught:
        stack.expecting("memcache").__enter__()
    assert "memcached" in caught.value.remedy
    assert stack.state.expectations.current() == []


EXPECT = """
import pathlib, sys
from harness.stack.model.state import StackState
with StackState("one", pathlib.Path(sys.argv[1])).expectations.expect(["memcached"]):
    print("expecting", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def elsewhere(stack: Stack) -> Iterator[subprocess.Popen[str]]:
    """Another process of the stack's owner, which expects the death of memcached."""
    words = [sys.executable, "-c", EXPECT, str(stack.state.directory.parent)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "expecting\n"
        yield process
        process.kill()


@pytest.mark.parametrize("ends", ["by itself", "by a kill"])
def test_what_another_process_expects_is_meant_until_it_ends(
    stack: Stack, events: Events, elsewhere: subprocess.Popen[str], ends: str
) -> None:
    events.dies("memcached")
    checked(stack)
    if ends == "by itself":
        elsewhere.communicate()
    else:
        os.kill(elsewhere.pid, signal.SIGKILL)
        elsewhere.wait()
    assert [one.end is None for one in stack.state.expectations.current()] == [False]
    time.sleep(2 * expectations.GRACE_SECONDS)
    events.dies("memcached")
    broken(stack, "memcached")


def test_expectations_are_forgotten_in_time_and_leave_no_files(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stack.expecting("memcached"):
        pass
    assert len(stack.state.expectations.current()) == 1
    monkeypatch.setattr(expectations, "KEPT_SECONDS", 0.0)
    with stack.expecting("keystone"):
        (current,) = stack.state.expectations.current()
        assert current.names == ("keystone",)
    files = [path.name for path in stack.state.directory.glob("expected-*")]
    assert len(files) == 1


def test_a_stack_that_is_removed_meanwhile_is_no_error(stack: Stack) -> None:
    with stack.expecting("memcached"):
        stack.state.remove()
