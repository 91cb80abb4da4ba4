"""The file with a stack's hosts: what cannot be read is not absent."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness.stack.lifecycle import teardown
from harness.stack.model import hosts
from harness.stack.model.hosts import HERE, engine_of
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from harness.stack.model.unreadable import UnreadableError
from tests.fakes.hosts import A, B
from tests.fakes.machine import Machine


@pytest.fixture
def state(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StackState:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))
    machine.has("docker")
    state = StackState("one")
    state.directory.mkdir(parents=True)
    hosts.write(state.directory, (A, B))
    state.create(Record("one", "fresh", 1, 1, hosts=2), Secrets())
    return state


def test_the_hosts_of_a_stack_are_read_as_they_were_written(state: StackState) -> None:
    assert state.hosts == (A, B)
    assert state.engines == (engine_of("a"), engine_of("b"))
    assert state.engine is engine_of("a")


def test_a_stack_of_an_older_harness_is_on_dockers_current_engine(state: StackState) -> None:
    hosts.write(state.directory, HERE)
    assert not (state.directory / hosts.FILE).exists()
    assert state.hosts == HERE


@pytest.mark.parametrize("text", ["", "[]", "{}", '[{"name": "a"}]', "[1]", None])
def test_hosts_that_cannot_be_read_keep_everything_as_it_is(
    state: StackState, machine: Machine, text: str | None
) -> None:
    path = state.directory / hosts.FILE
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    with pytest.raises(UnreadableError, match="On which engines the stack one has containers is"):
        state.record()
    with pytest.raises(UnreadableError, match=r"hosts\.json cannot be read"):
        teardown.reap(machine.steps.append)
    assert (state.directory / "stack.json").exists()
    assert not [call for call in machine.calls if " rm " in call or " down " in call]


def test_replicas_on_several_hosts_reach_keystone_at_the_clients_address(state: StackState) -> None:
    record = dataclasses.replace(Record("one", "fresh", 1, 9000), address="192.0.2.1")
    assert record.url == "http://192.0.2.1:9000"
    state.create(record, Secrets())
    assert "HARNESS_ADDRESS=192.0.2.1\n" in state.env_file.read_text()
