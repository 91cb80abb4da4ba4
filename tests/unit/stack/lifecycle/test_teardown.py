"""Taking down and clearing up, with a fake docker: leftovers go, all else stays."""

from collections.abc import Mapping

import pytest

from harness.config.plan import Plan
from harness.core.errors import StackError
from harness.core.paths import state_root
from harness.stack.lifecycle import teardown, up
from harness.stack.model.state import StackState
from harness.stack.operations import breakage
from tests.fakes.engine import container, lists, lists_parts
from tests.fakes.machine import Machine, fails
from tests.fakes.quick_engine import DOWN, WELL, downs, left_behind, nothing_left, quick

_quick = pytest.fixture(autouse=True)(quick)
FRESH = Plan(replicas=2, name="one")


# The listing of the volumes of all stacks.
ALL_VOLUMES = "volume ls*label=placement-harness.stack --format*"


def volumes(owners: Mapping[str, str]) -> str:
    """A fake docker's answer: a volume of each of these stacks and state directories."""
    rows = [f"'v\t{name}\t{directory}'" for name, directory in owners.items()]
    return f"printf '%s\\n' {' '.join(rows)}"


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
