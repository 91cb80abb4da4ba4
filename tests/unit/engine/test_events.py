"""A container's death is noticed, and told with its last words."""

import json
import time
from pathlib import Path

import pytest

from harness.core.deadline import Deadline
from harness.core.errors import EngineError, StackError
from harness.engine.events import Death, Watch, death_error
from harness.stack.handle import Stack
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from tests.fakes.machine import Machine

DIED = Death("one-placement-2", "placement-2", 137)


def event(service: str, code: int) -> str:
    attributes = {
        "name": f"one-{service}-1",
        "com.docker.compose.service": service,
        "exitCode": str(code),
    }
    return json.dumps({"Actor": {"Attributes": attributes}})


def until(what: object) -> None:
    end = time.monotonic() + 10
    while not what():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_death_is_who_and_how(machine: Machine) -> None:
    says = event("mariadb", 1)
    machine.has("docker", {"events*": f"echo '{says}'; exec /bin/sleep 60"})
    watch = Watch("one")
    watch.start()
    until(watch.deaths)
    (death,) = watch.deaths()
    assert death == Death("one-mariadb-1", "mariadb", 1)
    assert death.who == "mariadb"
    assert not watch.blind
    watch.forget([death])
    assert watch.deaths() == []
    watch.stop()
    assert not watch.blind
    assert "--filter label=placement-harness.stack=one" in machine.calls[0]


def test_an_error_names_the_container_its_code_and_its_last_words(machine: Machine) -> None:
    machine.has("docker", {"logs*": "echo first; echo last >&2"})
    error = death_error(DIED, "during the run")
    assert error.problem == (
        "replica 2 (one-placement-2) exited with code 137 (killed) during the run."
    )
    assert error.evidence == ("first", "last")
    assert error.service == "placement"
    assert "docker logs --tail 20 one-placement-2" in machine.calls


def test_a_container_that_said_nothing_has_an_error_all_the_same(machine: Machine) -> None:
    machine.has("docker")
    assert death_error(Death("one-apache-1", "apache", 0), "at once").evidence == ()


class Told:
    """A watch that was told of deaths."""

    def __init__(self, *deaths: Death, blind: bool = False) -> None:
        self.told = list(deaths)
        self.blind = blind

    def deaths(self) -> list[Death]:
        return self.told

    def forget(self, deaths: list[Death]) -> None:
        self.told = [one for one in self.told if one not in deaths]


@pytest.fixture
def stack(machine: Machine, tmp_path: Path) -> Stack:
    machine.has("docker", {"inspect*": "echo false", "logs*": "echo bye"})
    state = StackState("one", tmp_path / "state")
    record = Record("one", "fresh", 3, 1, ready=True)
    state.create(record, Secrets())
    return Stack(state, record, Secrets())


def watched(stack: Stack, told: Told) -> None:
    stack._watch = told  # type: ignore[assignment]


def test_a_stack_that_nobody_watches_is_well(stack: Stack) -> None:
    stack.check()


def test_a_dead_replica_is_the_end_of_a_stack(stack: Stack) -> None:
    watched(stack, Told(DIED))
    with pytest.raises(StackError, match=r"replica 2 .* exited with code 137"):
        stack.check()


@pytest.mark.parametrize("change", [{"leaving": (2,)}, {"replicas": 1}])
def test_a_replica_that_was_to_go_is_no_failure(stack: Stack, change: dict[str, object]) -> None:
    stack.save(**change)
    told = Told(DIED)
    watched(stack, told)
    stack.check()
    assert told.told == []


def test_a_replica_that_somebody_restarted_is_no_failure(stack: Stack, machine: Machine) -> None:
    machine.has("docker", {"inspect*": "echo true"})
    watched(stack, Told(DIED))
    stack.check()


def test_a_service_is_never_meant_to_die(stack: Stack, machine: Machine) -> None:
    machine.has("docker", {"inspect*": "echo true"})
    watched(stack, Told(Death("one-mariadb-1", "mariadb", 0)))
    with pytest.raises(StackError, match=r"mariadb .* exited with code 0 "):
        stack.check()


@pytest.mark.parametrize(("says", "returns"), [("false true", True), ("false false", False)])
def test_a_node_of_a_cluster_may_die_if_the_engine_starts_it_again(
    stack: Stack, machine: Machine, says: str, returns: bool
) -> None:
    machine.has("docker", {"inspect*": f"echo {says}"})
    stack.save(database="galera")
    died = Death("one-galera-2-1", "galera-2", 137)
    watched(stack, Told(died))
    if returns:
        stack.check()
    # By `docker kill`, or while the cluster formed: it may go on dying for ever.
    stack.save(ready=not returns)
    watched(stack, Told(died))
    with pytest.raises(StackError, match=r"galera-2 .* exited with code 137"):
        stack.check()


def test_an_engine_that_stops_telling_is_noticed(stack: Stack) -> None:
    watched(stack, Told(blind=True))
    with pytest.raises(EngineError, match="stopped telling what happens to one"):
        stack.check()


def test_a_replica_that_never_serves_is_named_with_its_last_answer(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Stack, "asks_replica", lambda self, one, *how: None if one.number == 1 else "503 not yet"
    )
    deadline = Deadline.after(0.2)
    with pytest.raises(StackError, match=r"Replica 2 did not serve .*: 503 not yet") as caught:
        stack.wait_for_replicas([1, 2], deadline)
    assert "placement-harness logs --replica 2" in caught.value.remedy
