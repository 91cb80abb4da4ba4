"""Which deaths of a stack's containers end a run, and which were meant."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from harness.core.deadline import Deadline
from harness.core.errors import EngineError, StackError
from harness.engine.events import Death
from harness.stack.deaths import death_error
from harness.stack.handle import Stack
from harness.stack.model.state import StackState
from tests.fakes.deaths import (
    DOWN,
    RESTARTING,
    UP,
    Events,
    broken,
    checked,
    events_of,
    watched_stack,
)
from tests.fakes.machine import Machine, fails

_events = pytest.fixture(name="events")(events_of)
_stack = pytest.fixture(name="stack")(watched_stack)


# Deaths that end a run


def test_a_stack_that_is_not_watched_is_well(stack: Stack, events: Events) -> None:
    stack.unwatch()
    events.dies("mariadb")
    checked(stack, 0.2)


@pytest.mark.parametrize("service", ["memcached", "keystone", "apache", "etcd", "mariadb"])
def test_the_death_of_a_service_ends_a_run_though_it_runs_again(
    stack: Stack, events: Events, service: str
) -> None:
    events.answers(UP)
    events.dies(service, 0)
    broken(stack, rf"{service} \(one-{service}-1\) exited with code 0 during the run\.")
    # At every later check too.
    broken(stack, rf"{service} \(one-{service}-1\) exited with code 0 during the run\.")


def test_the_death_of_a_replica_ends_a_run(stack: Stack, events: Events) -> None:
    events.dies("placement-2")
    broken(stack, r"replica 2 \(one-placement-2\) exited with code 137 \(killed\)")


def test_a_replica_that_its_user_restarted_is_no_failure(stack: Stack, events: Events) -> None:
    events.answers(UP)
    events.dies("placement-2")
    checked(stack)


def test_a_replica_that_a_listing_still_calls_running_ends_a_run(
    stack: Stack, events: Events
) -> None:
    events.answers(UP, **{"container inspect*": f"echo {DOWN}"})
    events.dies("placement-2")
    broken(stack, "replica 2")


@pytest.mark.parametrize("ready", [True, False])
def test_a_node_of_a_ready_cluster_may_die_if_the_engine_starts_it_again(
    stack: Stack, events: Events, ready: bool
) -> None:
    events.answers(RESTARTING)
    # While the cluster forms, a node may go on dying for ever.
    stack.save(database="galera", ready=ready)
    events.dies("galera-2")
    if ready:
        checked(stack)
    else:
        broken(stack, r"galera-2 .* exited with code 137")


def test_a_second_death_of_the_same_container_is_judged_by_itself(
    stack: Stack, events: Events
) -> None:
    """Deaths are equal to the eye: the second comes while the first is judged, and is not meant."""
    asked = stack.state.directory / "asked"
    slow = f"if [ ! -e {asked} ]; then : > {asked}; /bin/sleep 0.5; echo {UP}; else echo {DOWN}; fi"
    events.answers(UP, **{"container inspect*": slow})
    events.dies("placement-2", at=1.0)
    judging = threading.Thread(target=stack.check)
    for _ in Deadline.after(10).every(0.02):
        stack.check() if judging.ident else judging.start()
        if asked.exists():
            break
    events.dies("placement-2", at=1.0)
    judging.join()
    broken(stack, "replica 2")


def test_a_death_that_two_threads_judge_at_a_time_hides_no_other(
    stack: Stack, events: Events
) -> None:
    running = f"/bin/sleep 0.3; echo {UP}"
    events.answers(DOWN, **{"container inspect*one-placement-1": running})
    errors: list[StackError] = []

    def check() -> None:
        try:
            checked(stack, 3)
        except StackError as error:
            errors.append(error)

    threads = [threading.Thread(target=check) for _ in range(4)]
    for thread in threads:
        thread.start()
    events.dies("placement-1")
    events.dies("placement-3")
    for thread in threads:
        thread.join()
    assert len(errors) == len(threads)
    assert all("replica 3" in error.problem for error in errors)


def test_an_engine_that_does_not_tell_any_more_is_an_error(stack: Stack, machine: Machine) -> None:
    stack.unwatch()
    machine.has("docker", {"events*": fails("no permission")})
    stack.watch()
    with pytest.raises(EngineError, match="does not tell any more what happens to one"):
        checked(stack, 10)


def test_what_died_before_an_operation_ended_is_told_in_its_end(
    stack: Stack, events: Events
) -> None:
    stack.unwatch()

    def operation() -> None:
        with stack.watching():
            events.dies("memcached")
            time.sleep(0.5)

    with pytest.raises(StackError, match="memcached"):
        operation()


def test_an_error_names_the_container_its_code_and_its_last_lines(machine: Machine) -> None:
    machine.has("docker", {"logs*": "echo first; echo last >&2"})
    error = death_error(
        Death("c2", "one-placement-2", "placement-2", 137), StackState("one"), "during the run"
    )
    assert error.problem == (
        "replica 2 (one-placement-2) exited with code 137 (killed) during the run."
    )
    assert error.evidence == ("first", "last")
    assert error.service == "placement"
    assert "docker logs --tail 20 c2" in machine.calls


def test_a_container_without_a_line_has_an_error_all_the_same(machine: Machine) -> None:
    machine.has("docker")
    death = Death("c1", "one-apache-1", "apache", 0)
    assert death_error(death, StackState("one"), "at once").evidence == ()


# Waiting for replicas


def test_a_replica_that_never_serves_is_named_with_its_last_answer(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    serves: Callable[..., str | None] = lambda self, replica, timeout: (  # noqa: E731
        None if replica.number == 1 else "503 not yet"
    )
    monkeypatch.setattr(Stack, "asks_replica", serves)
    deadline = Deadline.after(0.2)
    with pytest.raises(StackError, match=r"Replica 2 did not serve .*: 503 not yet") as caught:
        stack.wait_for_replicas([1, 2], deadline)
    assert "placement-harness logs --replica 2" in caught.value.remedy
