"""Comparing a database at two moments."""

from harness.attach.snapshot import compare

BEFORE = {"traits": {"1": "a", "2": "b"}, "users": {"1": "a"}, "allocations": {}}


def test_the_same_is_the_same_in_any_order() -> None:
    changes = compare(BEFORE, {**BEFORE, "traits": {"2": "b", "1": "a"}})
    assert [change.name for change in changes] == ["allocations", "traits", "users"]
    assert all(change.is_same and "the same" in str(change) for change in changes)
    assert changes[1].rows == 2


def test_rows_that_came_changed_and_went_are_counted() -> None:
    (change,) = compare({"traits": {"1": "a", "2": "b"}}, {"traits": {"1": "c", "3": "b"}})
    assert (change.added, change.changed, change.removed) == (1, 1, 1)
    assert not change.is_same
    assert not change.only_grew
    assert "1 added, 1 changed, 1 removed" in str(change)


def test_a_table_that_is_gone_has_lost_its_rows() -> None:
    (change,) = compare({"users": {"1": "a"}}, {})
    assert (change.rows, change.removed) == (0, 1)


def test_a_digest_is_that_of_the_rows() -> None:
    first, second, third = (
        compare({}, {"t": rows})[0].digest
        for rows in ({"1": "a", "2": "b"}, {"2": "b", "1": "a"}, {"1": "b", "2": "a"})
    )
    assert first == second != third
