"""Which node of a cluster has not joined, and what is said of it."""

from collections.abc import Mapping

import pytest

from harness.core.deadline import Deadline
from harness.core.errors import StackError
from harness.stack.clients import galera
from harness.stack.images.catalogue import needed
from harness.stack.model.state import StackState
from harness.stack.settings.databases import DATABASES
from tests.fakes.engine import container, lists
from tests.fakes.machine import Machine, fails

NODES = DATABASES["galera"].cluster
WELL = f"printf 'HTTP/1.0 200 OK\\r\\n\\r\\n{galera.JOINED}\\n'"
WAITS = f"printf 'HTTP/1.0 503 Service Unavailable\\r\\n\\r\\n{galera.WAITS}\\n'"


def nodes(**others: str) -> Mapping[str, str]:
    """A fake docker in which all nodes are well, but for these."""
    answers = {f"exec s-{one.replace('_', '-')}-1 health": how for one, how in others.items()}
    containers = lists(*(container(f"s-{node}-1", node, stack="s") for node in NODES))
    return {**answers, "exec *": WELL, "logs*galera-2*": "echo its last words", "ps*": containers}


def test_a_cluster_in_which_all_have_joined_is_not_waited_for(machine: Machine) -> None:
    machine.has("docker", nodes())
    galera.wait(StackState("s"), NODES, Deadline.after(5))
    assert sum(call.startswith("docker exec") for call in machine.calls) == 3


def test_a_single_server_is_no_cluster(machine: Machine) -> None:
    machine.has("docker", nodes())
    galera.wait(StackState("s"), DATABASES["mariadb"].cluster, Deadline.after(5))
    assert machine.calls == []


def test_the_node_that_is_to_blame_is_named_with_its_last_lines(machine: Machine) -> None:
    down = fails("Error response from daemon: Container is paused")
    machine.has("docker", nodes(galera_1=WAITS, galera_2=down, galera_3=WAITS))
    with pytest.raises(StackError) as caught:
        galera.wait(StackState("s"), NODES, Deadline.after(0.2))
    assert caught.value.problem == (
        "Galera did not form within 0 s. Not joined: galera-1 (waiting for the others), "
        "galera-2 (Error response from daemon: Container is paused), "
        "galera-3 (waiting for the others)."
    )
    assert caught.value.evidence == ("its last words",)
    assert caught.value.service == "galera-2"
    assert "placement-harness logs galera-2" in caught.value.remedy


def test_a_node_that_brings_another_one_up_has_not_joined(machine: Machine) -> None:
    machine.has("docker", nodes(galera_3="echo Primary Donor/Desynced ON"))
    assert galera.missing(StackState("s"), NODES) == {"galera-3": "Primary Donor/Desynced ON"}


def test_each_replica_has_the_next_node_when_all_are_writers() -> None:
    several = DATABASES["galera-multiwriter"]
    assert [several.host(number) for number in range(1, 6)] == [*NODES, "galera-1", "galera-2"]
    assert {DATABASES["galera"].host(number) for number in range(1, 6)} == {"haproxy"}


@pytest.mark.parametrize("name", DATABASES)
def test_a_database_is_described_whole(name: str) -> None:
    database = DATABASES[name]
    assert database.name == name
    assert {database.front, *database.servers} <= set(database.services)
    assert database.image in database.images
    assert set(database.images) <= set(needed(name, "env"))
    assert database.overlay is None or database.overlay.is_file()
    assert (database.overlay is None) == (name == "mariadb")
