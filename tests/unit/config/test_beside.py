"""The second stack of a comparison: the run's own settings, and another name or placement."""

from __future__ import annotations

from dataclasses import dataclass

from harness.config.beside import second_stack
from harness.config.plan import FRESH_NAME, Lane, Plan

PLAN = Plan(
    replicas=3,
    lifetime="keep",
    port=9000,
    database="galera",
    config_source="etcd",
    placements=("16.0.0",),
    constraints="upper.txt",
    lanes=(Lane("1"),),
    sources={"placement": "ini", "database": "option"},
)


def test_another_placement_is_the_only_one_of_the_second_stack() -> None:
    other = second_stack(PLAN, "placement=15.0.0")
    assert other.placements == ("15.0.0",)
    assert other.target == "stack"
    assert other.replicas == 1
    assert other.sources["placement"] == "option"


@dataclass(frozen=True, slots=True)
class Resolved(Plan):
    """A plan that has been looked up, as the run's own is."""

    images: tuple[str, ...] = ()


def test_what_the_runs_own_plan_means_is_not_taken_over() -> None:
    resolved = Resolved(placements=("16.0.0",), images=("of-16",))
    assert type(second_stack(resolved, "placement=15.0.0")) is Plan


def test_the_second_stack_is_fresh_and_has_a_name_and_a_port_of_its_own() -> None:
    other = second_stack(PLAN, "placement=15.0.0")
    assert other.lifetime == "fresh"
    assert FRESH_NAME.fullmatch(other.name)
    assert other.name != second_stack(PLAN, "stack").name
    assert other.port == 0


def test_everything_else_is_as_in_the_run() -> None:
    other = second_stack(PLAN, "stack")
    assert other.database == "galera"
    assert other.config_source == "etcd"
    assert other.constraints == "upper.txt"
    assert other.placements == PLAN.placements
    assert other.sources["database"] == "option"
    assert not other.reference


def test_a_second_reference_is_alone_in_its_stack() -> None:
    other = second_stack(PLAN, "reference")
    assert other.target == "reference"
    assert other.reference
    assert other.replicas == 0
