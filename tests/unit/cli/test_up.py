"""`placement-harness up` for a stack that is there already and differs."""

from __future__ import annotations

import pytest

from harness.core import ports
from harness.stack.model.state import StackState
from tests.fakes.commands import Harness, commands_of
from tests.fakes.machine import Machine
from tests.fakes.quick_engine import downs, quick, ups

_quick = pytest.fixture(autouse=True)(quick)
harness = pytest.fixture(commands_of)


def test_up_refuses_a_stack_that_differs_and_names_replace(
    harness: Harness, machine: Machine
) -> None:
    assert harness("up", "--name", "one").code == 0
    refused = harness("up", "--name", "one", "--config-source", "file")
    assert refused.code == 70
    assert "The stack one runs, but it is configured by env, not by file." in refused.err
    assert "--replace (placement-harness up)" in refused.err
    assert (ups(machine), downs(machine)) == (1, 0)


def test_up_replaces_a_stack_that_differs_only_when_asked(
    harness: Harness, machine: Machine
) -> None:
    assert harness("up", "--name", "one").code == 0
    same = harness("up", "--name", "one", "--replace")
    assert (same.code, ups(machine), downs(machine)) == (0, 1, 0)
    port = ports.free()
    other = harness("up", "--name", "one", "--port", str(port), "--replace")
    assert other.code == 0, other.err
    assert "starting it anew, with nothing in it" in other.err
    assert (ups(machine), downs(machine)) == (2, 1)
    record = StackState("one").record()
    assert record is not None
    assert record.port == port
