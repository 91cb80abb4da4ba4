"""The commands that add, remove and restart replicas."""

import dataclasses
from unittest import mock

import pytest

from harness.stack import access as stack_module
from harness.stack.handle import Stack
from harness.stack.model.record import Installed, Record
from harness.stack.operations import rolling, upgrade
from harness.stack.settings.config_sources import SOURCES
from tests.fakes.commands import WELL, Harness, apart, commands_of, listed, running
from tests.fakes.machine import Machine

_apart = pytest.fixture(autouse=True)(apart)
harness = pytest.fixture(commands_of)


def test_scale_says_what_it_changes_or_that_it_has_nothing_to_change(
    harness: Harness, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"placement-{number} placement-{number} running" for number in (1, 2, 3)]
    listed(machine, *rows, **{"events*": "exec /bin/sleep 60"})
    running(monkeypatch)
    monkeypatch.setattr(rolling, "project", mock.MagicMock())
    monkeypatch.setattr(Stack, "start_containers", lambda self, *how: None)
    monkeypatch.setattr(Stack, "balancer", mock.MagicMock())
    assert harness("scale", "3").err == "  placement-harness already has 3 replicas\n"
    assert harness("scale", "1").err == "  3 replicas -> 1\n"
    assert harness("scale", "1").err == "  placement-harness already has 1 replica\n"
    # No replica would serve meanwhile.
    said = harness("restart", "--rolling")
    assert (said.code, machine.called("docker restart")) == (64, False)
    assert "placement-harness scale 2." in said.err
    assert "requests fail meanwhile" in harness("restart", "--replica", "1").err
    assert machine.called("docker restart")
    assert harness("scale", "2").err == "  1 replica -> 2\n"


def test_scale_forgets_the_settings_of_replicas_that_are_gone(
    harness: Harness, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.has("docker", {"events*": "exec /bin/sleep 60"})
    state = running(monkeypatch)
    state.save(Record(state.name, "keep", 3, 8778, ready=True, config_source="etcd"))
    done: list[object] = []
    etcd = dataclasses.replace(
        SOURCES["etcd"], forget=lambda _, gone: done.append([*map(str, gone)])
    )
    monkeypatch.setattr(stack_module, "SOURCES", {"etcd": etcd})
    monkeypatch.setattr(rolling, "project", mock.MagicMock())
    monkeypatch.setattr(Stack, "start_containers", lambda self, *how: done.append("removed"))
    monkeypatch.setattr(Stack, "balancer", mock.MagicMock())
    assert harness("scale", "1").code == 0
    assert harness("scale", "2").code == 0
    assert done == ["removed", ["2", "3"], "removed", []]


def test_no_replica_is_taken_out_that_would_not_find_its_settings(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, machine: Machine
) -> None:
    state = running(monkeypatch)
    state.save(Record(state.name, "keep", 3, 8778, ready=True, config_source="etcd"))
    machine.has("docker", {**WELL, "ps*": "exit 0"})
    balancer = mock.MagicMock()
    monkeypatch.setattr(Stack, "balancer", balancer)
    said = harness("restart", "--rolling")
    assert said.code == 70
    assert "etcd of the stack placement-harness has no address" in said.err
    assert balancer.mock_calls == []
    assert all(one.end for one in state.expectations.current())


def test_restart_of_nothing_is_refused(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    running(monkeypatch)
    said = harness("restart")
    assert said.code == 64
    assert "which replicas to restart. Give --rolling for all replicas, or --replica N." in said.err
    said = harness("restart", "--replica", "4")
    assert said.code == 64
    assert "has no replica 4. It has replicas 1 to 3." in said.err


@pytest.mark.parametrize(
    ("placements", "told"),
    [
        (("15.0.0",), "all replicas of placement-harness run placement 15.0.0"),
        (("15.0.0", "16.0.0", "16.0.0"), "placement-harness is mixed: 15.0.0 and 16.0.0"),
    ],
)
def test_ctrl_c_in_an_upgrade_says_what_the_replicas_run(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, placements: tuple[str, ...], told: str
) -> None:
    state = running(monkeypatch)

    def interrupted(stack: Stack, *_: object) -> None:
        record = state.record()
        assert record is not None
        installed = tuple(Installed(version, version) for version in placements)
        state.save(dataclasses.replace(record, placements=installed))
        raise KeyboardInterrupt

    monkeypatch.setattr(upgrade, "upgrade", interrupted)
    said = harness("upgrade", "--to", "16.0.0")
    assert said.code == 130
    assert said.err == f"  broken off: {told}, and the next upgrade goes on from there\n"
