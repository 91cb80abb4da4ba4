"""A port that cannot be reached from here is told from a stack that does not serve yet."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from harness.core.deadline import Deadline
from harness.core.errors import StackError
from harness.stack.handle import Stack
from harness.stack.lifecycle import loopback
from harness.stack.lifecycle.readiness import wait_for_token
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from tests.fakes.engine import container, lists
from tests.fakes.machine import Machine

# Lines of /proc/net/tcp: Apache listens on 8080 (1F90), and has a connection.
HEAD = "  sl  local_address rem_address   st tx_queue"
LISTENS = "   0: 00000000:1F90 00000000:0000 0A 00000000"
CONNECTED = "   0: 0100007F:1F90 0100007F:BD3A 01 00000000"


@pytest.fixture
def stack(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack whose keystone does not answer, at a port on which nothing listens."""
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path))
    monkeypatch.setattr(loopback, "GRACE", 0.0)

    def refuses(self: Stack, timeout: float) -> str:
        raise OSError("refused")

    monkeypatch.setattr(Stack, "token", refuses)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return Stack(StackState("one"), Record("one", "keep", 2, port), Secrets())


def has(machine: Machine, *lines: str) -> None:
    told = " ".join(f"'{line}'" for line in lines)
    directory = str(StackState("one").directory)
    listed = lists(container("one-apache-1", directory=directory))
    machine.has("docker", {"ps*": listed, "exec*": f"printf '%s\\n' {told}"})


def test_a_port_that_this_machine_does_not_have_is_found_out_at_once(
    stack: Stack, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    has(machine, HEAD, LISTENS)
    monkeypatch.setenv("DOCKER_HOST", "tcp://docker:2375")
    deadline = Deadline.after(20)
    with pytest.raises(StackError) as caught:
        wait_for_token(stack, None, deadline)
    assert not deadline.passed
    assert "(Connection refused): the loopback interface" in caught.value.problem
    assert "tcp://docker:2375" in caught.value.problem
    assert "--network host" in caught.value.remedy


def test_an_apache_that_does_not_listen_yet_is_waited_for(stack: Stack, machine: Machine) -> None:
    has(machine, HEAD, CONNECTED)
    with pytest.raises(StackError, match="keystone gave no token"):
        wait_for_token(stack, None, Deadline.after(0.5))


def test_a_port_that_could_be_reached_once_is_not_looked_at_again(
    stack: Stack, machine: Machine
) -> None:
    has(machine, HEAD, LISTENS)
    with socket.create_server(("127.0.0.1", stack.record.port)):
        look = loopback.Loopback(stack)
        look.look()
    look.look()
    assert not [call for call in machine.calls if "exec" in call]
