"""A check is judged by what its run has changed, not by what an earlier one has left."""

from __future__ import annotations

from typing import Any

from harness.consistency.client import Names
from harness.consistency.cluster import new_rows, shared_out


def test_rows_of_earlier_runs_are_left_out() -> None:
    before: list[list[Any]] = [["old", 1], [None, 2]]
    assert new_rows(before, [["old", 1], ["new", 1], [None, 2]]) == [["new", 1]]


def test_a_row_that_has_changed_is_new() -> None:
    assert new_rows([["old", 1]], [["old", 2]]) == [["old", 2]]


def test_equal_rows_count_as_often_as_they_are_there() -> None:
    assert new_rows([[None, 1]], [[None, 1], [None, 1]]) == [[None, 1]]


def test_rows_are_shared_out_among_the_runs_whose_objects_they_name() -> None:
    one, other = Names("one"), Names("other")
    host, guest = one.uuid("r0/host"), other.uuid("r0/guest")
    trait = f"CUSTOM_{other.tag}_R0_TRAIT"
    rows: list[list[Any]] = [[host, 1], [None, guest], [trait, 1], [None, "VCPU"]]
    assert shared_out(rows, [one, other]) == [
        [["r0/host", 1], [None, "VCPU"]],
        [[None, "r0/guest"], [trait, 1], [None, "VCPU"]],
    ]
