"""Containers are broken on purpose, and mended: by the same process, or by a later one."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import StackError
from harness.engine import disruption
from harness.engine.disruption import Peer
from harness.engine.values import Container
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from harness.stack.operations import breakage
from harness.stack.operations.breakage import Breakage
from tests.fakes.engine import lists
from tests.fakes.machine import Machine, fails

KILLED = Breakage("placement-2", "killed")
CUT = Breakage("placement-2", "cut off", (Peer("10.0.0.5", 3306), Peer("10.0.0.6")))


@pytest.fixture
def state(machine: Machine, tmp_path: Path) -> StackState:
    made = StackState("one", tmp_path / "state")
    made.create(Record("one", "keep", 3, 1, ready=True), Secrets())
    return made


def has(machine: Machine, status: str, **more: str) -> None:
    ps = lists("one-placement-2")
    machine.has("docker", {"ps*": ps, "container inspect*": f"echo {status}", **more})


def test_a_breakage_is_remembered_until_it_is_mended(machine: Machine, state: StackState) -> None:
    has(machine, "exited")
    breakage.make(state, KILLED)
    assert "docker container kill --signal SIGKILL one-placement-2" in machine.calls
    assert breakage.open_breakages(state) == [KILLED]
    with pytest.raises(StackError, match="placement-2 is still killed"):
        breakage.mend(state, KILLED)
    assert breakage.open_breakages(state) == [KILLED]
    has(machine, "running")
    breakage.mend(state, KILLED)
    assert breakage.open_breakages(state) == []


def test_a_breakage_that_did_not_take_hold_is_an_error(machine: Machine, state: StackState) -> None:
    has(machine, "running")
    with pytest.raises(StackError, match="placement-2 was not killed: the container is as it was"):
        breakage.make(state, KILLED)


def test_dockers_refusal_is_an_error(machine: Machine, state: StackState) -> None:
    has(machine, "running", **{"container kill*": fails("no such thing")})
    with pytest.raises(StackError, match="placement-2 could not be killed: no such thing"):
        breakage.make(state, KILLED)


def test_what_a_killed_process_left_is_mended_by_the_next(
    machine: Machine, state: StackState
) -> None:
    has(machine, "exited")
    breakage.make(state, KILLED)
    has(machine, "running")
    steps: list[str] = []
    assert breakage.mend_all(state, steps.append) == ["placement-2"]
    assert steps == ["placement-2 was left killed: mended"]
    assert breakage.mend_all(state, steps.append) == []


def test_a_container_that_is_gone_is_not_mended(machine: Machine, state: StackState) -> None:
    has(machine, "exited")
    breakage.make(state, KILLED)
    machine.has("docker", {"ps*": lists()})
    assert breakage.mend_all(state, print) == []
    assert breakage.open_breakages(state) == []


def test_half_a_file_of_a_breakage_broke_nothing(state: StackState) -> None:
    (state.directory / "broken-placement-1-killed.json").write_text('{"service": "pla')
    assert breakage.open_breakages(state) == []


def test_peers_are_cut_off_in_both_directions(
    machine: Machine, state: StackState, monkeypatch: pytest.MonkeyPatch
) -> None:
    has(machine, "123")
    rules = state.directory / "rules"
    cuts = f"case \"$*\" in *list*) [ -s {rules} ] && echo 'counter packets 7 bytes 9 drop';; "
    cuts += f"*delete*) : > {rules};; *) while read -r rule; do echo $rule; done > {rules};; esac"
    machine.has("nsenter", {"*": cuts})
    breakage.make(state, CUT)
    written = rules.read_text()
    assert "ip daddr 10.0.0.5 tcp dport 3306 counter drop" in written
    assert "ip saddr 10.0.0.5 tcp sport 3306 counter drop" in written
    assert "ip saddr 10.0.0.6 counter drop" in written
    assert "nsenter --net=/proc/123/ns/net nft -f -" in machine.calls
    assert breakage.dropped(state, CUT) == 7
    assert breakage.open_breakages(state) == [CUT]
    breakage.mend(state, CUT)
    assert breakage.dropped(state, CUT) is None


def test_a_paused_container_goes_on(
    machine: Machine, state: StackState, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused = Breakage("placement-2", "paused")
    has(machine, "paused")
    breakage.make(state, paused)
    assert "docker pause one-placement-2" in machine.calls
    seen: list[Container] = []
    monkeypatch.setattr(disruption, "unpause", seen.append)
    has(machine, "running")
    breakage.mend(state, paused)
    assert breakage.open_breakages(state) == []
