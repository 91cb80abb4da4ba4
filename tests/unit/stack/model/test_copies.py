"""Policies of lanes on other hosts: copied, since they cannot be mounted there."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from harness.config.plan import Lane
from harness.core.errors import StackError
from harness.stack import project
from harness.stack.model import copies, hosts, policies
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from tests.fakes.engine import container, lists
from tests.fakes.hosts import A, B
from tests.fakes.machine import Machine, fails
from tests.fakes.quick_engine import CONFIG

LANES = (Lane("1"), Lane("2"))
RECORD = Record(
    *("one", "fresh", 2, 9000),
    lanes={"1": 9000, "2": 9001},
    address=A.address,
    hosts=2,
    first_port=20000,
)


@pytest.fixture
def state(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StackState:
    """A stack on two hosts, whose replicas run."""
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "state"))
    state = StackState("one")
    engine(machine, state)
    state.directory.mkdir(parents=True)
    hosts.write(state.directory, (A, B))
    state.create(RECORD, Secrets())
    policies.prepare(state, LANES)
    project.write(state, RECORD, LANES)
    machine.calls_file.write_text("")
    return state


def engine(machine: Machine, state: StackState, copy: str = "exit 0") -> None:
    """A fake docker that keeps what is copied, and has a replica on each host."""
    replicas = {
        place: lists(container(f"one-placement-{number}", directory=str(state.directory)))
        for place, number in (("a", 1), ("b", 2))
    }
    listings = {f"--context {place} ps*": listing for place, listing in replicas.items()}
    machine.has("docker", {"*compose*config*": CONFIG, **listings, "* cp *": copy})


def copied(machine: Machine) -> list[str]:
    """Context, and place in the container, of each copy."""
    words = [call.split() for call in machine.calls if " cp " in call]
    return sorted(f"{call[2]} {call[-1]}" for call in words)


def test_replicas_of_several_hosts_have_volumes_in_place_of_mounts(state: StackState) -> None:
    services: dict[str, Any] = project.load(state)["services"]
    for name in ("placement-1", "placement-2"):
        assert services[name]["volumes"] == ["/etc/placement-policy/1", "/etc/placement-policy/2"]
    assert copies.of_stack(state)["placement-2"] == {
        f"/etc/placement-policy/{lane}": str(state.policy_file(lane).parent) for lane in "12"
    }


def test_a_policy_goes_to_each_replica_of_its_lane_when_it_has_changed(
    state: StackState, machine: Machine
) -> None:
    policies.set_policy(state, "2", {"a": "@"})
    to = "placement-{}:/etc/placement-policy/2"
    assert copied(machine) == [f"a one-{to.format(1)}", f"b one-{to.format(2)}"]
    machine.calls_file.write_text("")
    policies.set_policy(state, "2", {"a": "@"})
    assert copied(machine) == []


def test_a_copy_has_the_time_by_which_replicas_see_that_it_is_new(
    state: StackState, machine: Machine, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    engine(machine, state, f"/bin/cat > {archive}")
    policies.set_policy(state, "1", {"a": "@"})
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as tar:
        (entry,) = tar.getmembers()
        content = tar.extractfile(entry)
        assert content is not None
        assert json.load(content) == {"a": "@"}
    path = state.policy_file("1")
    assert (entry.name, entry.mode) == ("policy.yaml", 0o644)
    assert entry.mtime == pytest.approx(path.stat().st_mtime, abs=1e-5)


def test_a_policy_that_cannot_be_copied_is_an_error(state: StackState, machine: Machine) -> None:
    engine(machine, state, fails("no route to host"))
    with pytest.raises(StackError, match="policy-1 could not be copied into one-placement-1"):
        policies.set_policy(state, "1", {"a": "@"})


def test_on_one_host_policies_are_mounted_and_nothing_is_copied(
    state: StackState, machine: Machine
) -> None:
    hosts.write(state.directory, hosts.HERE)
    one = Record("one", "fresh", 2, 9000, lanes={"1": 9000, "2": 9001})
    state.save(one)
    machine.has("docker", {"*compose*config*": CONFIG})
    project.write(state, one, LANES)
    assert copies.of_stack(state) == {}
    policies.set_policy(state, "1", {"a": "@"})
    assert copied(machine) == []
