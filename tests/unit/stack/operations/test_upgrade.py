"""Another placement, replica by replica: what is remembered, whatever breaks it off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.errors import StackError, UsageError
from harness.placements import specs
from harness.placements.model import Placement, Schema
from harness.stack import project
from harness.stack.handle import Stack
from harness.stack.images import build
from harness.stack.images.contents import Contents
from harness.stack.model.record import Installed, Record, Secrets
from harness.stack.model.state import StackState
from harness.stack.operations import rolling
from harness.stack.operations.upgrade import upgrade
from harness.stack.settings import config_sources
from tests.fakes.engine import lists
from tests.fakes.machine import Machine, fails
from tests.fakes.replicas import Replicas

OLD = Installed("15.0.0", "15.0.0", "aa")
NEW = Installed("16.0.0", "16.0.0", "bb")
REPLICAS = lists(*(f"one-placement-{number}" for number in (1, 2, 3)))
WELL = {"events*": "exec /bin/sleep 60", "run*": "echo migrated", "ps*": REPLICAS}


def release(version: str, content: str, *revisions: str) -> Placement:
    schema = Schema(revisions[-1], frozenset(revisions), "digest")
    return Placement(version, "release", version, Path(), Path(), content, schema)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, Placement]:
    """The placement that each SPEC means."""
    found = {
        "": release("14.0.0", "zz", "first"),
        "14.0.0": release("14.0.0", "zz", "first"),
        "16.0.0": release("16.0.0", "bb", "first", "second"),
    }

    def resolve(spec: str, constraints: Path | None = None, *_: object) -> Placement:
        return replace(found[spec], constraints=constraints)

    monkeypatch.setattr(specs, "resolve", resolve)
    monkeypatch.setattr(Contents, "of", lambda self, placement: placement.content)
    monkeypatch.setattr(build, "ensure_images", lambda *_: [])
    return found


@pytest.fixture
def stack(
    machine: Machine, known: dict[str, Placement], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Stack:
    monkeypatch.setattr(rolling, "START_SECONDS", 0.3)
    monkeypatch.setattr(rolling, "ANSWER_SECONDS", 0.1)
    machine.has("docker", WELL)
    state = StackState("one", tmp_path / "state")
    record = Record("one", "keep", 3, 1, ready=True, schema="first", placements=(OLD,), made_of="x")
    state.create(record, Secrets())
    template = {"environment": {"OS_PLACEMENT_DATABASE__CONNECTION": "mysql://a:b@mariadb/x"}}
    described: project.Project = {
        "services": {"apache": {"environment": {}}},
        "networks": {"default": {"name": "one_default"}},
        project.TEMPLATE: template,
        project.SETTINGS: {},
    }
    project.save(state, described)
    project.set_replicas(state, record)
    return Stack(state, record, state.secrets())


@pytest.fixture
def replicas(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Replicas:
    return Replicas(stack, monkeypatch)


@pytest.fixture
def upgraded(stack: Stack, replicas: Replicas) -> Callable[..., list[int]]:
    """Upgrade, and give the replicas that were replaced; whatever happens, no death is excused."""

    def upgraded(spec: str = "16.0.0", constraints: str = "") -> list[int]:
        try:
            return upgrade(stack, spec, print, constraints)
        finally:
            assert not replicas.deaths_are_expected

    return upgraded


Upgraded = Callable[..., list[int]]


def images_of(stack: Stack) -> list[str]:
    """The last letters of the image that Compose has for each replica."""
    services = project.load(stack.state)["services"]
    return [services[f"placement-{number}"]["image"][-2:] for number in (1, 2, 3)]


def test_each_replica_is_replaced_out_of_the_balancer(
    stack: Stack, replicas: Replicas, upgraded: Upgraded, machine: Machine
) -> None:
    assert upgraded() == [1, 2, 3]
    assert replicas.told == [word for n in (1, 2, 3) for word in (f"drain {n}", f"enable {n}")]
    record = replicas.record
    assert (record.placements, record.schema, record.made_of) == ((NEW,), "second", "x")
    assert images_of(stack) == ["bb"] * 3
    calls = [call for call in machine.calls if call.startswith("docker ")]
    asked = ("docker events", "docker volume ls", "docker ps")
    done = [call.split()[1] for call in calls if not call.startswith(asked)]
    assert done == ["run", *("container", "compose") * 3]
    assert calls[-1].endswith("--no-deps placement-3")
    # Nothing is left to do the second time.
    assert upgraded() == []


def test_a_schema_that_cannot_be_migrated_leaves_all_as_it_was(
    replicas: Replicas, upgraded: Upgraded, machine: Machine
) -> None:
    before = replicas.record
    machine.has("docker", {**WELL, "run*": fails("no such column")})
    with pytest.raises(StackError, match="could not migrate the schema: no such column"):
        upgraded()
    assert (replicas.record, replicas.told) == (before, [])


def test_a_replica_that_does_not_serve_is_what_the_next_upgrade_begins_with(
    stack: Stack, replicas: Replicas, upgraded: Upgraded, monkeypatch: pytest.MonkeyPatch
) -> None:
    replicas.silent.add(2)
    with pytest.raises(StackError, match="Replica 2 did not serve"):
        upgraded()
    assert replicas.enabled == {1, 3}
    assert (replicas.record.placements, replicas.record.schema) == ((NEW, NEW, OLD), "second")
    assert images_of(stack) == ["bb", "bb", "aa"]
    monkeypatch.setattr(config_sources, "start", lambda *_: replicas.silent.clear())
    assert upgraded() == [2, 3]
    assert replicas.enabled == {1, 2, 3}
    assert replicas.record.placements == (NEW,)


def test_ctrl_c_while_a_replica_starts_lets_it_serve(
    replicas: Replicas, upgraded: Upgraded, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = Stack.wait_for_replicas

    def interrupted(self: Stack, numbers: list[int], *more: object) -> None:
        if numbers == [2]:
            monkeypatch.setattr(Stack, "wait_for_replicas", waits)
            raise KeyboardInterrupt

    monkeypatch.setattr(Stack, "wait_for_replicas", interrupted)
    with pytest.raises(KeyboardInterrupt):
        upgraded()
    assert replicas.enabled == {1, 2, 3}
    assert replicas.record.placements == (NEW, NEW, OLD)
    assert upgraded() == [3]


def test_a_replica_that_cannot_be_removed_goes_on_with_what_it_has(
    replicas: Replicas, upgraded: Upgraded, machine: Machine
) -> None:
    machine.has("docker", {**WELL, "container rm*": fails("the engine hangs")})
    with pytest.raises(StackError, match="one-placement-1 could not be removed: the engine hangs"):
        upgraded()
    assert replicas.enabled == {1, 2, 3}
    assert replicas.record.placements == (OLD,)
    # One that is gone already is no hindrance.
    machine.has(
        "docker", {**WELL, "container rm*": fails("Error: No such container: one-placement-1")}
    )
    assert upgraded() == [1, 2, 3]


def test_the_checkout_that_runs_is_loaded_anew_where_it_has_changed(
    known: dict[str, Placement], replicas: Replicas, upgraded: Upgraded, tmp_path: Path
) -> None:
    tree = tmp_path / "checkout"
    (tree / "placement").mkdir(parents=True)
    (tree / "placement/__init__.py").touch()
    known["co"] = replace(known["16.0.0"], kind="checkout", tree=tree, package=tree)
    assert upgraded("co") == [1, 2, 3]
    assert upgraded("co") == []
    (tree / "placement/__init__.py").write_text("# edited\n")
    replicas.silent.add(2)
    with pytest.raises(StackError):
        upgraded("co")
    replicas.silent.clear()
    # Not all replicas have loaded it: which ones have is not known.
    assert upgraded("co") == [1, 2, 3]
    assert upgraded("co") == []


def test_its_dependencies_are_those_it_was_told(replicas: Replicas, upgraded: Upgraded) -> None:
    upgraded(constraints="/upper.txt")
    assert replicas.record.placements == (replace(NEW, constraints="/upper.txt"),)


@pytest.mark.parametrize("schema", ["second", "third"])
def test_a_placement_that_the_database_is_too_new_for_is_refused(
    stack: Stack, replicas: Replicas, upgraded: Upgraded, schema: str
) -> None:
    """Whatever the placements that made it say by now."""
    stack.save(schema=schema)
    with pytest.raises(UsageError, match=f"does not know the database's schema, {schema}"):
        upgraded("14.0.0")
    assert replicas.told == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"replicas": 1}, "has one replica"), ({"lanes": {"1": 1, "2": 2}}, "has lanes")],
)
def test_a_stack_that_cannot_be_upgraded_says_so(
    stack: Stack, replicas: Replicas, upgraded: Upgraded, changes: dict[str, object], words: str
) -> None:
    stack.save(**changes)
    with pytest.raises(UsageError, match=words):
        upgraded()
    assert replicas.told == []


def test_a_database_of_the_locked_release_has_its_schema(stack: Stack, upgraded: Upgraded) -> None:
    stack.save(schema="")
    assert upgraded() == [1, 2, 3]
