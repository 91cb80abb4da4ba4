"""The commands that look at stacks: logs and status."""

import pytest

from harness.stack.clients import replica_logs
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from tests.fakes.commands import Harness, apart, commands_of, listed, running
from tests.fakes.engine import container, lists
from tests.fakes.machine import Machine

_apart = pytest.fixture(autouse=True)(apart)
harness = pytest.fixture(commands_of)


def test_ctrl_c_ends_logs_without_a_word(
    harness: Harness, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    listed(machine, "apache-1 apache running")
    monkeypatch.setattr(replica_logs, "stream", interrupted)
    said = harness("logs", "--follow")
    assert (said.code, said.out, said.err) == (130, "", "")


def test_logs_of_what_is_not_there_are_an_error(harness: Harness, machine: Machine) -> None:
    machine.has("docker")
    said = harness("logs", "--name", "nosuch")
    assert said.code == 70
    assert "There is no stack nosuch. See which there are: placement-harness status." in said.err
    listed(machine, "apache-1 apache running", "placement-1 placement running")
    said = harness("logs", "--replica", "2")
    assert said.code == 64
    assert "The stack placement-harness has no replica 2. It has 1." in said.err
    said = harness("logs", "nova")
    assert said.code == 64
    assert "placement-harness has no service nova. It has apache, placement." in said.err


def test_logs_without_an_engine_say_so(harness: Harness) -> None:
    assert "There is no container engine here" in harness("logs").err


def test_logs_are_one_requests_or_one_replicas(harness: Harness, machine: Machine) -> None:
    names = "placement-harness-apache-1 placement-harness-placement-2"
    rows = ("apache-1 apache running", "placement-2 placement running")
    listed(machine, *rows, **{"logs*": "echo $4 req-1; echo $4 req-2"})
    lines = sorted(harness("logs", "--request", "req-1").out.splitlines())
    assert [line.split(" | ")[0].strip() for line in lines] == names.split()
    assert all(line.endswith("req-1") for line in lines)
    alone = harness("logs", "--replica", "2").out.splitlines()
    assert alone == ["placement-harness-placement-2 req-1", "placement-harness-placement-2 req-2"]


def test_logs_of_a_request_that_nobody_has_seen_are_said_to_be_none(
    harness: Harness, machine: Machine
) -> None:
    listed(machine, "apache-1 apache running", **{"logs*": "echo req-2"})
    said = harness("logs", "--request", "req-1")
    assert (said.code, said.out) == (1, "")
    assert said.err == "No line of placement-harness-apache-1 has req-1.\n"
    said = harness("logs", "--request", "req-2")
    assert (said.code, said.err) == (0, "")


def test_a_replica_of_a_lane_is_named_as_messages_name_it(
    harness: Harness, machine: Machine
) -> None:
    """Its lines are in the log of the container that they share."""
    ports = {"1": 9000, "2": 9001}
    record = Record("placement-harness", "keep", 1, 9000, ready=True, lanes=ports)
    StackState("placement-harness").create(record, Secrets())
    listed(machine, "placement-1 placement-1 running", **{"logs*": "echo $4"})
    assert harness("logs", "--replica", "2-1").out == "placement-harness-placement-1\n"
    assert "has no replica 2-2. It has 1, 2-1." in harness("logs", "--replica", "2-2").err


def test_only_placement_has_replicas(harness: Harness, machine: Machine) -> None:
    listed(machine, "keystone-1 keystone running", "placement-2 placement running")
    said = harness("logs", "keystone", "--replica", "2")
    assert said.code == 64
    assert "--replica 2 makes no sense with keystone: replicas are placement's." in said.err
    assert harness("logs", "placement", "--replica", "2").code == 0


@pytest.mark.parametrize("tail", ["x", "-1", ""])
def test_a_tail_that_is_no_number_is_refused(harness: Harness, machine: Machine, tail: str) -> None:
    assert harness("logs", "--tail", tail).code == 64
    assert machine.calls == []


def test_a_tail_is_passed_on(harness: Harness, machine: Machine) -> None:
    listed(machine, "apache-1 apache running")
    assert harness("logs", "--tail", "5").code == 0
    assert machine.called("docker logs --tail 5 placement-harness-apache-1")


def test_status_without_an_engine_is_an_error(harness: Harness) -> None:
    said = harness("status")
    assert said.code == 70
    assert "no container engine" in said.err


def test_status_tells_whose_each_stack_is(
    harness: Harness, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = running(monkeypatch)
    own, theirs = str(state.directory), "/home/them/theirs"
    rows = (
        container("one-apache-1", "apache", stack=state.name, directory=own),
        container("hand-apache-1", "apache", stack="hand"),
        container("theirs-apache-1", "apache", "exited", stack="theirs", directory=theirs),
    )
    machine.has("docker", {"ps*": lists(*rows)})
    shown = harness("status").out
    stays = "stays until placement-harness down"
    assert f"placement-harness (http://127.0.0.1:8778, {stays})" in shown
    assert "hand (started by hand)" in shown
    assert shown.index(stays) < shown.index("hand (")
    assert "theirs (its state is in /home/them/theirs)" in shown
    assert "exited" in shown


def test_status_names_containers_that_are_missing(
    harness: Harness, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = running(monkeypatch)
    own = str(state.directory)
    services = ("apache", "keystone", "memcached", "mariadb", "placement-1", "placement-3")
    rows = [container(f"x-{one}", one, stack=state.name, directory=own) for one in services]
    machine.has("docker", {"ps*": lists(*rows)})
    missing = [line for line in harness("status").out.splitlines() if "missing" in line]
    assert len(missing) == 1
    assert "placement-harness-placement-2" in missing[0]
    machine.has("docker", {"ps*": "exit 0"})
    shown = harness("status").out
    assert shown.count("missing") == len(services) + 1
    assert "stays until placement-harness down" in shown


def test_status_shows_one_stack_alone(harness: Harness, machine: Machine) -> None:
    rows = (container("a-apache-1", stack="a"), container("b-apache-1", stack="b"))
    machine.has("docker", {"ps*": lists(*rows)})
    shown = harness("status", "--name", "a").out
    assert "a-apache-1" in shown
    assert "b-apache-1" not in shown
    assert harness("status", "--name", "c").out == "there is no stack c\n"
