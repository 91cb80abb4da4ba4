"""A check is judged by what its run has changed, not by what an earlier one has left."""

from __future__ import annotations

from typing import Any

from harness.consistency.check import new_rows


def test_rows_of_earlier_runs_are_left_out() -> None:
    before: list[list[Any]] = [["old", 1], [None, 2]]
    assert new_rows(before, [["old", 1], ["new", 1], [None, 2]]) == [["new", 1]]


def test_a_row_that_has_changed_is_new() -> None:
    assert new_rows([["old", 1]], [["old", 2]]) == [["old", 2]]


def test_equal_rows_count_as_often_as_they_are_there() -> None:
    assert new_rows([[None, 1]], [[None, 1], [None, 1]]) == [[None, 1]]
