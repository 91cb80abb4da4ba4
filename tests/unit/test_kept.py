"""Which stack that runs is taken, and what of a plan is then the stack's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import StackError
from harness.placements.model import Placement, Schema
from harness.plan import Plan
from harness.record import Installed, Record, Secrets
from harness.stack import kept
from harness.state import StackState

RECORD = Record(
    "one",
    "keep",
    3,
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
    plan = kept.adopted(Plan(lifetime="reuse", name="one"))
    assert (plan.database, plan.config_source) == ("galera", "etcd")
    assert plan.placements == ("15.0.0", "16.0.0")
    assert {plan.sources[name] for name in ("database", "config_source", "placement")} == {
        "its own"
    }


def test_what_somebody_asks_for_is_not_overruled() -> None:
    given = {"database": "option", "placement": "environment"}
    plan = kept.adopted(Plan(lifetime="reuse", name="one", placements=("14.0.0",), sources=given))
    assert (plan.database, plan.config_source) == ("mariadb", "etcd")
    assert plan.placements == ("14.0.0",)
    assert plan.sources["database"] == "option"


@pytest.mark.parametrize("plan", [Plan(name="one"), Plan(lifetime="reuse", name="another")])
def test_a_stack_that_is_not_taken_changes_no_plan(plan: Plan) -> None:
    assert kept.adopted(plan) == plan


def placement(*revisions: str) -> Placement:
    schema = Schema(revisions[-1], frozenset(revisions), "digest")
    here = Path()
    return Placement("14.0.0", "release", "14.0.0", here, here, "cc", schema)


def test_a_database_that_is_too_new_is_refused_and_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept, "of_plan", lambda plan, progress: (placement("first"),))
    plan = Plan(lifetime="reuse", name="one", placements=("14.0.0",))
    with pytest.raises(StackError) as caught:
        kept.take(StackState("one"), plan, print)
    assert caught.value.problem == (
        "The database of one has the schema second, of placement 15.0.0 and 16.0.0, which "
        "placement 14.0.0 does not know."
    )
    assert "placement-harness down --name one" in caught.value.remedy
    assert StackState("one").record() == RECORD
