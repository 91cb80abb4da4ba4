"""Which stack that runs is taken, and what of a plan is then the stack's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from harness.config.plan import ADOPTED, Lane, Plan
from harness.core.errors import StackError
from harness.placements.model import Placement, Schema
from harness.stack import project
from harness.stack.images.catalogue import needed
from harness.stack.images.contents import Contents, contents_of
from harness.stack.lifecycle import reuse
from harness.stack.model.record import Installed, Record, Secrets
from harness.stack.model.state import StackState
from harness.stack.resolved_plan import ResolvedPlan

PLAIN = Plan(lifetime="reuse", name="one")
RECORD = Record(
    "one",
    "keep",
    5,
    8778,
    ready=True,
    database="galera",
    config_source="etcd",
    schema="second",
    placements=(Installed("15.0.0", "15.0.0", "aa"), Installed("16.0.0", "16.0.0", "bb")),
)


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACEMENT_HARNESS_STATE", str(tmp_path))
    StackState("one").create(RECORD, Secrets())


def test_what_nobody_asks_for_is_as_the_stack_has_it() -> None:
    plan = reuse.adopted(PLAIN)
    assert (plan.database, plan.config_source) == ("galera", "etcd")
    assert plan.placements == ("15.0.0", "16.0.0")
    assert plan.replicas == RECORD.replicas != Plan().replicas
    # Workers, which read the same command line, are told of these alone.
    changed = {
        one.name for one in fields(Plan) if getattr(plan, one.name) != getattr(PLAIN, one.name)
    }
    assert changed - {"sources"} <= {*ADOPTED}
    taken = ("database", "config_source", "replicas", "placement")
    assert {plan.sources[name] for name in taken} == {"its own"}


def test_what_somebody_asks_for_is_not_overruled() -> None:
    given = {"database": "option", "placement": "environment"}
    plan = reuse.adopted(Plan(lifetime="reuse", name="one", placements=("14.0.0",), sources=given))
    assert (plan.database, plan.config_source) == ("mariadb", "etcd")
    assert plan.placements == ("14.0.0",)
    assert plan.sources["database"] == "option"


def test_an_upgrade_that_was_broken_off_is_adopted_with_all_that_runs() -> None:
    new = Installed("/src", "16.0.0", "bb", "/code", constraints="/upper.txt")
    StackState("one").save(replace(RECORD, placements=(new, Installed(version="15.0.0"))))
    plan = reuse.adopted(Plan(lifetime="reuse", name="one"))
    assert plan.placements == ("/src", "")
    assert plan.constraints == "/upper.txt"


@pytest.mark.parametrize("plan", [Plan(name="one"), Plan(lifetime="reuse", name="another")])
def test_a_stack_that_is_not_taken_changes_no_plan(plan: Plan) -> None:
    assert reuse.adopted(plan) == plan


def placement(*revisions: str) -> Placement:
    schema = Schema(revisions[-1], frozenset(revisions), "digest")
    here = Path()
    return Placement("14.0.0", "release", "14.0.0", here, here, "cc", schema)


def test_a_database_that_is_too_new_is_refused_and_left_alone() -> None:
    given = {"placement": "option"}
    plan = Plan(lifetime="reuse", name="one", placements=("14.0.0",), sources=given)
    with pytest.raises(StackError) as caught:
        reuse.take(StackState("one"), resolved_plan(plan, placement("first")), print)
    assert caught.value.problem == (
        "The database of one has the schema second, of placement 15.0.0 and 16.0.0, which "
        "placement 14.0.0 does not know."
    )
    assert "placement-harness down --name one" in caught.value.remedy
    assert StackState("one").record() == RECORD


# How a stack that runs differs from a plan


@pytest.fixture
def difference() -> Callable[..., str | None]:
    """What a stack of one checkout has otherwise than a plan; its images are those of now."""
    runs = Installed("/a", "16.0.0", content(checkout("/a")), "/code")
    made_of = contents().made_of
    record = replace(RECORD, placements=(runs,), lanes={"1": 8778}, made_of=made_of)
    state = StackState("one")
    state.save(record)
    lane: dict[str, object] = {"1": {"OS_A__B": "c"}}
    project.save(
        state, {"services": {}, project.TEMPLATE: {}, project.SETTINGS: {}, project.LANES: lane}
    )

    def difference(*placements: Placement, **changes: Any) -> str | None:
        common = {"lifetime": "reuse", "name": "one", "database": "galera", "config_source": "etcd"}
        plan = Plan(**{**common, **changes})
        resolved = resolved_plan(plan, *placements)
        return reuse._difference(state, state.record() or record, resolved)

    return difference


def checkout(path: str, content: str = "cc") -> Placement:
    one = placement("first")
    return replace(one, kind="checkout", package=Path(path), content=content)


def contents(*placements: Placement) -> Contents:
    """The contents of RECORD's images, with these placements."""
    return contents_of(needed(RECORD.database, RECORD.config_source), placements)


def resolved_plan(plan: Plan, *placements: Placement) -> ResolvedPlan:
    """A plan that was resolved to these placements."""
    given = {field.name: getattr(plan, field.name) for field in fields(Plan)}
    return ResolvedPlan(**given, contents=contents(*placements))


def content(placement: Placement) -> str:
    return contents(placement).of(placement)


def test_another_checkout_is_another_placement_though_it_depends_on_the_same(
    difference: Callable[..., str | None],
) -> None:
    assert difference(checkout("/a")) is None
    assert difference(checkout("/b")) == (
        "it runs placement 16.0.0 (/a), not 14.0.0 (checkout 14.0.0)"
    )
    assert difference(checkout("/a", "other dependencies")) == reuse.IMAGES_CHANGED
    assert difference(placement("first")) == "it runs placement 16.0.0 (/a), not 14.0.0"


def test_a_half_upgraded_stack_is_its_own_and_nobody_elses(
    difference: Callable[..., str | None],
) -> None:
    state = StackState("one")
    first = replace(placement("first"), spec="15", content="aa")
    second = replace(placement("first"), spec="16", content="bb")
    old = Installed("15", "15.0.0", content(first))
    new = Installed("16", "16.0.0", content(second))
    made_of = contents().made_of
    state.save(replace(RECORD, placements=(new, old, old), lanes={}, made_of=made_of))
    assert difference(second, first, first) is None
    runs = "it runs placement 16.0.0 (16) and 15.0.0 (15), not"
    assert difference(first) == f"{runs} 14.0.0 (newest of 15)"
    assert difference(second) == f"{runs} 14.0.0 (newest of 16)"


def test_another_port_and_another_lane_are_not_passed_over(
    difference: Callable[..., str | None],
) -> None:
    runs = checkout("/a")
    assert difference(runs, port=8778) is None
    assert difference(runs, port=4711) == "it listens on port 8778, not on 4711"
    assert difference(runs, lanes=(Lane("1", {"OS_A__B": "c"}),)) is None
    assert difference(runs, lanes=(Lane("1"),)) == "its lane 1 has another configuration"
    assert difference(runs, lanes=(Lane("1"), Lane("2"))) == "its lane 1 has another configuration"


def test_lanes_that_a_stack_has_not_can_be_added_but_not_for_suites_that_empty_them(
    difference: Callable[..., str | None],
) -> None:
    runs, own = checkout("/a"), Lane("1", {"OS_A__B": "c"})
    assert difference(runs, lanes=(own, Lane("2"))) is None
    assert difference(runs, lanes=(own, Lane("2")), profiles=("cors",)) == (
        "it has no lane 2, which placement's own suites may empty"
    )
