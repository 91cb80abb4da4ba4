"""Stacks of other users, and of other state directories, are left alone."""

from pathlib import Path

import pytest

from harness.config.plan import Lifetime, Plan
from harness.core.errors import StackError
from harness.stack.lifecycle import ownership, teardown, up
from harness.stack.model import containers
from harness.stack.model.state import StackState
from tests.fakes.engine import container, lists
from tests.fakes.machine import Machine
from tests.fakes.quick_engine import WELL, downs, left_behind, nothing_left, quick, ups

_quick = pytest.fixture(autouse=True)(quick)
FRESH = Plan(replicas=2, name="one")


# Stacks and projects of other users


def test_a_name_of_another_user_is_refused_and_their_stack_left_alone(machine: Machine) -> None:
    machine.has(
        "docker", {"ps*": lists(container("one-a-1", directory="/home/other/state/one")), **WELL}
    )
    with pytest.raises(StackError, match="which belongs to /home/other/state/one"):
        up.bring_up(Plan(lifetime="keep", name="one"), machine.steps.append)
    assert downs(machine) == ups(machine) == 0
    assert not machine.called("docker container rm")
    assert nothing_left()


def test_a_stack_that_was_started_by_hand_is_refused(machine: Machine) -> None:
    machine.has("docker", {"ps*": lists("one-a-1"), **WELL})
    with pytest.raises(StackError, match="was started by hand") as caught:
        ownership.refuse_foreign(StackState("one"))
    assert "docker compose down -v" in caught.value.remedy


@pytest.mark.parametrize(
    ("listing", "answer"),
    [
        ("ps*", lists(container("one-a-1", stack=""))),
        ("network ls*", "printf 'n1\t\t\n'"),
        ("volume ls*", "printf 'v1\t\t\n'"),
    ],
)
def test_another_projects_containers_networks_and_volumes_are_left_alone(
    machine: Machine, listing: str, answer: str
) -> None:
    """Compose would take what has the project's name for its own, and remove it."""
    machine.has("docker", {listing: answer, **WELL})
    with pytest.raises(StackError, match="A Compose project one is there already"):
        up.bring_up(Plan(lifetime="reuse", name="one"), machine.steps.append)
    assert downs(machine) == ups(machine) == 0
    assert not machine.called("docker container rm")


# Two state directories, and one name


def test_a_stack_of_the_same_name_in_another_state_directory_is_never_removed(
    machine: Machine,
) -> None:
    """A record outlives its stack where docker was cleaned; another user has the name by now."""
    left_behind("one", "keep")
    StackState("one").compose_file.write_text("{}")
    theirs = container("one-mariadb-1", directory="/home/other/state/one")
    elsewhere = "printf 'v1\tone\t/home/other/state/one\n'"
    machine.has("docker", {"ps*": lists(theirs), "volume ls*": elsewhere, **WELL})
    assert teardown.reap(machine.steps.append, everything=True) == ["one"]
    assert downs(machine) == 0
    assert not [call for call in machine.calls if " rm " in call or " remove " in call]


@pytest.mark.parametrize("lifetime", ["keep", "reuse", "replace"])
def test_of_two_state_directories_that_start_one_name_the_second_is_refused(
    machine: Machine, lifetime: Lifetime
) -> None:
    """Neither sees containers of the other yet: the engine keeps the first one's volume."""
    directory = StackState("one").directory
    name = "placement-harness-name-one"
    create = f'case "$*" in *state={directory}*) echo lost >> {machine.home}/lost ;; esac'
    listed = f'[ ! -e {machine.home}/lost ] || printf "{name}\\tone\\t/home/other/one\\n"'
    machine.has("docker", {"volume create*": create, "volume ls*": listed, **WELL})
    with pytest.raises(StackError, match="A stack one is there already, which belongs to /home/o"):
        up.bring_up(Plan(replicas=1, lifetime=lifetime, name="one"), machine.steps.append)
    assert (ups(machine), downs(machine)) == (0, 0)
    assert not [call for call in machine.calls if " rm " in call or " remove " in call]
    assert nothing_left()


def test_a_stack_that_was_taken_down_gives_its_name_back(machine: Machine) -> None:
    stack = up.bring_up(Plan(replicas=1, lifetime="keep", name="one"), machine.steps.append)
    stack.close()
    claims = [call for call in machine.calls if call.startswith("docker volume create")]
    assert len(claims) == 1
    assert f"--label placement-harness.state={stack.state.directory}" in claims[0]
    teardown.take_down(stack.state, machine.steps.append)
    assert machine.calls[-1] == "docker volume rm placement-harness-name-one"


def test_a_state_directory_behind_a_symbolic_link_is_the_same_one(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "real"))
    state = left_behind("one", "keep")
    mine = container("one-apache-1", directory=str(state.directory))
    machine.has("docker", {"ps*": lists(mine), **WELL})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "link"))
    again = StackState("one")
    ownership.refuse_foreign(again)
    assert not ownership.has_strangers(again)
    assert [one.name for one in containers.of_stack(again)] == ["one-apache-1"]


def test_a_home_that_was_moved_behind_a_link_has_its_stacks_still(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels have the path of the start, which leads to the directory by a link now."""
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path / "old"))
    state = left_behind("one", "keep")
    mine = container("one-apache-1", "apache", directory=str(state.directory))
    machine.has("docker", {"ps*": lists(mine), **WELL})
    (tmp_path / "old").rename(tmp_path / "new")
    (tmp_path / "old").symlink_to(tmp_path / "new")
    again = StackState("one")
    ownership.refuse_foreign(again)
    assert teardown.remove_labelled(again)
    assert "docker container rm --force --volumes one-apache-1" in machine.calls
