"""Taking down and clearing up, with a fake docker: leftovers go, all else stays."""

import signal
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.config.plan import Lifetime, Plan
from harness.core.deadline import Cancelled, Deadline, cancellable
from harness.core.errors import StackError
from harness.core.paths import state_root
from harness.core.signals import shielded
from harness.stack.lifecycle import ownership, teardown, up
from harness.stack.model import containers
from harness.stack.model.record import Record, Secrets
from harness.stack.model.state import StackState
from harness.stack.operations import breakage
from tests.fakes.engine import container, lists, lists_parts
from tests.fakes.machine import Machine, fails
from tests.fakes.quick_engine import DOWN, WELL, downs, nothing_left, quick, ups

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


# Clearing up


# The listing of the volumes of all stacks.
ALL_VOLUMES = "volume ls*label=placement-harness.stack --format*"


def volumes(owners: Mapping[str, str]) -> str:
    """A fake docker's answer: a volume of each of these stacks and state directories."""
    rows = [f"'v\t{name}\t{directory}'" for name, directory in owners.items()]
    return f"printf '%s\\n' {' '.join(rows)}"


def left_behind(name: str, lifetime: str = "fresh", *, ready: bool = True) -> StackState:
    state = StackState(name)
    state.create(Record(name, lifetime, 1, 1, ready=ready), Secrets())  # type: ignore[arg-type]
    return state


def test_reap_removes_what_is_nobodys_and_leaves_what_is_locked_or_kept(machine: Machine) -> None:
    for name in ("killed", "live", "half"):
        left_behind(name)
    left_behind("kept", "keep")
    left_behind("unready", "keep", ready=False)
    (StackState("half").directory / "stack.json").unlink()
    live = StackState("live")
    live.lock()
    assert teardown.reap(machine.steps.append) == ["half", "killed", "unready"]
    assert StackState("live").record() is not None
    assert StackState("kept").record() is not None
    assert teardown.reap(machine.steps.append, everything=True) == ["kept"]
    assert StackState("live").record() is not None
    live.release()


def test_reap_mends_what_a_killed_check_broke_in_a_kept_stack(machine: Machine) -> None:
    kept, live = left_behind("kept", "keep"), left_behind("live", "keep")
    replica = lists(container("kept-placement-2", stack="kept"))
    machine.has("docker", {"ps*": replica, **WELL, "container inspect*": "echo running"})
    for state in (kept, live):
        text = '{"service": "placement-2", "kind": "paused", "peers": []}'
        (state.directory / "broken-placement-2-paused.json").write_text(text)
    live.lock()
    assert teardown.reap(machine.steps.append) == []
    assert "placement-2 was left paused: mended" in machine.steps
    assert breakage.open_breakages(kept) == []
    assert len(breakage.open_breakages(live)) == 1
    live.release()


def test_what_is_no_stacks_is_never_touched(machine: Machine) -> None:
    """PLACEMENT_HARNESS_STATE may name a directory with all kinds of things in it."""
    root = state_root()
    (root / "src" / "deep").mkdir(parents=True)
    (root / "src" / "deep" / "main.py").touch()
    assert teardown.reap(machine.steps.append, everything=True) == []
    assert [str(path.relative_to(root)) for path in sorted(root.rglob("*"))] == [
        *("src", "src/deep", "src/deep/main.py")
    ]


def test_a_stack_that_becomes_ready_under_reaps_eyes_is_left(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_behind("one", "keep", ready=False)
    acquire = StackState.acquire

    def ready_by_then(self: StackState, *, create: bool = True) -> bool:
        left_behind("one", "keep", ready=True)
        return acquire(self, create=create)

    monkeypatch.setattr(StackState, "acquire", ready_by_then)
    assert teardown.reap(machine.steps.append) == []
    assert downs(machine) == 0
    monkeypatch.undo()


def test_the_next_run_clears_what_a_killed_one_left(machine: Machine) -> None:
    left_behind("killed")
    stack = up.bring_up(FRESH, machine.steps.append)
    assert "killed was left by a run that was killed" in machine.steps
    assert not StackState("killed").directory.exists()
    stack.unwatch()
    teardown.take_down(stack.state, machine.steps.append)


def test_what_cannot_be_cleared_keeps_nobody_from_working(machine: Machine) -> None:
    state = left_behind("killed")
    machine.has(
        "docker",
        {
            "compose*killed*down*": fails("network killed has active endpoints"),
            "network ls*=killed*": lists_parts(state.directory, "n1"),
            "network remove*": fails("permission denied"),
            **WELL,
        },
    )
    stack = up.bring_up(FRESH, machine.steps.append)
    assert any("The stack killed could not be removed" in step for step in machine.steps)
    # It is there for reap.
    assert state.record() is not None
    assert state.acquire(create=False)
    state.release()
    stack.unwatch()
    teardown.take_down(stack.state, machine.steps.append)


def test_reap_finds_what_has_lost_its_state_by_its_labels(machine: Machine) -> None:
    root = state_root()
    owners = {
        "one": f"{root}/one", "hand": "",
        "other": "/elsewhere/other", "Bad Name": f"{root}/Bad Name",
    }  # fmt: skip
    machine.has("docker", {ALL_VOLUMES: volumes(owners), **WELL})
    assert teardown.reap(machine.steps.append) == ["one"]


def test_reap_goes_on_after_a_stack_that_it_cannot_remove(machine: Machine) -> None:
    for name in ("a-hangs", "b-hangs", "killed"):
        left_behind(name)
    root = state_root()
    hangs = {"compose*-hangs*down*": fails("it hangs"), "ps*-hangs*": fails("the engine hangs")}
    machine.has("docker", {**hangs, ALL_VOLUMES: volumes({"gone": f"{root}/gone"}), **WELL})
    with pytest.raises(
        StackError, match="b-hangs could not be removed: the engine hangs"
    ) as caught:
        teardown.reap(machine.steps.append)
    assert caught.value.exit_code == 70
    assert {"removed gone", "removed killed"} <= set(machine.steps)
    assert any("a-hangs could not be removed" in step for step in machine.steps)
    for name in ("a-hangs", "b-hangs"):
        assert StackState(name).record() is not None
        assert StackState(name).acquire(create=False), "the next reap can try again"


def test_a_stack_that_compose_cannot_remove_is_removed_by_its_labels(machine: Machine) -> None:
    state = left_behind("one")
    own = str(state.directory)
    listed = {
        "ps*": lists(
            container("c1", "apache", directory=own),
            container("c2", "apache", directory=own),
            container("c3", "apache", directory="/home/other/state/one"),
        ),
        "network ls*": lists_parts(state.directory, "n1"),
        "volume ls*": lists_parts(state.directory, "v1"),
    }
    machine.has("docker", {DOWN: fails("required variable X is missing"), **listed, **WELL})
    teardown.take_down(state, machine.steps.append)
    for call in ("container rm --force --volumes c1 c2", "network remove n1", "volume remove v1"):
        assert f"docker {call}" in machine.calls
    assert nothing_left()


def test_a_stack_that_cannot_be_removed_keeps_its_state_for_reap(machine: Machine) -> None:
    state = left_behind("one")
    machine.has("docker", {DOWN: fails("it hangs"), "ps*": fails("engine is gone"), **WELL})
    with pytest.raises(StackError, match="could not be removed: engine is gone") as caught:
        teardown.take_down(state, machine.steps.append)
    assert "placement-harness reap" in caught.value.remedy
    assert state.record() is not None


def test_a_network_that_the_engine_will_not_give_up_fails_no_run(machine: Machine) -> None:
    state = left_behind("one")
    kept = "error while removing network: network one_default id 9 has active endpoints"
    listed = {
        "network ls*": lists_parts(state.directory, "n1"),
        "volume ls*": lists_parts(state.directory, "v1"),
        "network remove*": fails(kept),
    }
    machine.has("docker", {DOWN: fails(kept), **listed, **WELL})
    teardown.take_down(state, machine.steps.append)
    assert f"All of one is removed but its network: {kept}." in machine.steps[-1]
    assert "docker volume remove v1" in machine.calls
    # The state stays for reap.
    assert state.record() is not None
    assert StackState("one").acquire()


# Whole, or not at all


def test_what_is_shielded_is_done_before_an_interrupt_is_raised() -> None:
    done = []

    def work() -> str:
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
            signal.raise_signal(number)
        done.append(True)
        return "result"

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        shielded(work)
    assert done == [True]
    assert signal.getsignal(signal.SIGINT) is before
    assert shielded(lambda: "result") == "result"


def test_what_is_shielded_is_not_cancelled() -> None:
    wish = threading.Event()
    wish.set()
    with cancellable(wish):
        assert shielded(lambda: [*Deadline.after(0.01).every(0.01)])
        with pytest.raises(Cancelled):
            list(Deadline.after(1).every(0.01))


def test_what_is_shielded_may_fail() -> None:
    def work() -> None:
        raise StackError("It failed.", "Mend it.")

    with pytest.raises(StackError, match=r"It failed\."):
        shielded(work)


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
