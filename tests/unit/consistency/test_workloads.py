"""The checkers of the workloads: for each promise a history that breaks it, beside good ones."""

from __future__ import annotations

from typing import Any

import pytest

from harness.consistency import integrity
from harness.consistency.history import History, Operation
from harness.consistency.workloads import (
    WORKLOADS,
    consumer_generation,
    create_same,
    delete_claimed,
    failed_claims,
    moves,
    provider_generation,
    read_your_write,
    reshape,
)
from tests.unit.consistency.histories import history, op

HOST, CONSUMER = "r0/host", "r0/consumer"


def broken(workload: str, *operations: Operation, **tables: Any) -> list[str]:
    """The promises that a history breaks."""
    given = {name.replace("_", " "): rows for name, rows in tables.items()}
    return [one.promise for one in WORKLOADS[workload].check(history(*operations, tables=given))]


def provider(generation: int, name: str = HOST) -> list[Any]:
    return [name, "name", generation, None, name, 0, 0]


# provider-generation


def write(generation: int, total: int, outcome: str = "ok") -> Operation:
    return op("write", [HOST, "inventories", generation, total], outcome)


def inventories(total: int) -> list[Any]:
    return [[HOST, "VCPU", total, 0, 1.0]]


def test_one_write_of_each_provider_generation_is_right() -> None:
    writes = (write(1, 5), write(1, 6, "fail"), write(2, 7))
    tables = {"providers": [provider(3)], "inventories": inventories(7)}
    assert broken("provider-generation", *writes, **tables) == []


def test_two_winners_of_a_provider_generation_are_found() -> None:
    tables = {"providers": [provider(3)], "inventories": inventories(6)}
    found = broken("provider-generation", write(1, 5), write(1, 6), **tables)
    assert provider_generation.ONE_WINNER in found


def test_a_lost_write_shows_in_the_generation_and_in_the_content() -> None:
    tables = {"providers": [provider(2)], "inventories": inventories(5)}
    found = broken("provider-generation", write(1, 5), write(2, 7), **tables)
    assert found == [provider_generation.COUNTS, provider_generation.LAST]


def test_a_refused_write_that_was_applied_shows_in_the_generation() -> None:
    tables = {"providers": [provider(3)], "inventories": inventories(5)}
    found = broken("provider-generation", write(1, 5), write(2, 7, "fail"), **tables)
    assert found == [provider_generation.COUNTS]


def test_a_write_of_unknown_outcome_may_count() -> None:
    for generation, total in ((2, 5), (3, 7)):
        tables = {"providers": [provider(generation)], "inventories": inventories(total)}
        unknown = (write(1, 5), write(2, 7, "info"))
        assert broken("provider-generation", *unknown, **tables) == []


def test_traits_are_compared_as_sets() -> None:
    traits = op("write", [HOST, "traits", 1, ["A", "B"]])
    rows = {"providers": [provider(2)], "traits": [[HOST, "B"], [HOST, "A"]]}
    assert broken("provider-generation", traits, **rows) == []
    rows["traits"] = [[HOST, "A"]]
    assert broken("provider-generation", traits, **rows) == [provider_generation.LAST]


# consumer-generation


def claim(generation: int | None, amount: int, outcome: str = "ok") -> Operation:
    return op("claim", [CONSUMER, generation, amount], outcome)


def given(amount: int) -> list[Any]:
    return [[CONSUMER, HOST, "VCPU", amount]]


def test_one_claim_of_each_consumer_generation_is_right() -> None:
    claims = (claim(None, 1), claim(None, 2, "fail"), claim(1, 3))
    assert broken("consumer-generation", *claims, allocations=given(3)) == []


def test_two_winners_of_a_consumer_generation_are_found() -> None:
    claims = (claim(None, 1), claim(None, 2))
    found = broken("consumer-generation", *claims, allocations=given(1))
    assert found == [consumer_generation.ONE_WINNER]


def test_a_claim_that_was_given_and_is_another_is_found() -> None:
    claims = (claim(None, 1), claim(1, 3))
    found = broken("consumer-generation", *claims, allocations=given(1))
    assert found == [consumer_generation.LAST]
    unknown = (claim(None, 1), claim(1, 3, "info"))
    assert broken("consumer-generation", *unknown, allocations=given(1)) == []


# moves


def shares(*amounts: int) -> list[Any]:
    return [[f"r0/c{number}", HOST, "VCPU", used] for number, used in enumerate(amounts)]


def test_a_conserved_sum_is_right() -> None:
    move = op("move", ["r0/c0", "r0/c1", 4, 1])
    assert broken("moves", move, op("read", HOST, result=8), allocations=shares(4, 4)) == []


def test_a_sum_that_changes_is_found_in_a_read_and_in_the_end() -> None:
    move = op("move", ["r0/c0", "r0/c1", 4, 1])
    assert broken("moves", move, op("read", HOST, result=6), allocations=shares(4, 4)) == [
        moves.CONSERVED
    ]
    assert broken("moves", move, op("read", HOST, result=8), allocations=shares(4, 6)) == [
        moves.SUM_KEPT
    ]


def test_a_round_whose_preparation_failed_is_not_judged() -> None:
    prepared = op("prepare claim", "r0/c0", "fail")
    assert broken("moves", prepared, op("read", HOST, result=6), allocations=shares(6)) == []


def test_a_consumer_made_again_between_a_read_and_a_move_decides_nothing() -> None:
    read = op("read consumer", "r0/c1", at=(0, 1), process=1)
    emptied = op("move", ["r0/c1", "r0/c2", 4, 1], at=(1, 2), process=2)
    made = op("move", ["r0/c3", "r0/c1", 2, None], at=(2, 3), process=2)
    moved = op("move", ["r0/c0", "r0/c1", 4, 1], at=(3, 4), process=1)
    calls = (read, emptied, made, moved)
    assert broken("moves", *calls, op("read", HOST, result=6), allocations=shares(6)) == []
    late = op("read consumer", "r0/c1", at=(3.2, 3.5), process=1)
    after = op("move", ["r0/c0", "r0/c1", 4, 1], at=(3.5, 4), process=1)
    assert broken("moves", emptied, made, late, after, allocations=shares(6)) == [moves.SUM_KEPT]


# create-same

REFUSED: dict[str, Any] = {"outcome": "fail", "status": None, "error": "ConnectionRefusedError"}
TRAIT = "CUSTOM_00AA_R0_TRAIT"


def make(status: int, outcome: str = "ok") -> Operation:
    return op("make trait", TRAIT, outcome, status=status)


def test_one_maker_and_one_row_are_right() -> None:
    assert broken("create-same", make(201), make(204), custom_traits=[[TRAIT, 1]]) == []


def test_two_makers_no_maker_two_rows_and_no_row_are_found() -> None:
    made, there = create_same.ONE_MADE, create_same.ONE_THERE
    row = {"custom_traits": [[TRAIT, 1]]}
    assert broken("create-same", make(201), make(201), **row) == [made]
    assert broken("create-same", make(204), make(409, "fail"), **row) == [made]
    assert broken("create-same", make(201), custom_traits=[[TRAIT, 2]]) == [there]
    assert broken("create-same", make(201), custom_traits=[]) == [there]
    assert broken("create-same", make(201)) == []


def test_calls_that_reached_no_placement_say_nothing() -> None:
    assert broken("create-same", op("make trait", TRAIT, **REFUSED), custom_traits=[]) == []


def test_a_maker_may_be_among_the_calls_of_unknown_outcome() -> None:
    assert broken("create-same", make(204), make(500, "info"), custom_traits=[[TRAIT, 1]]) == []


def test_children_of_one_name_are_counted_by_round() -> None:
    child = op("make child", "r0/child")
    rows = [provider(0, "r0/child3"), provider(0, "r1/child4")]
    assert broken("create-same", child, providers=rows) == []
    rows.append(provider(0, "r0/child5"))
    assert broken("create-same", child, providers=rows) == [create_same.ONE_THERE]


# delete-claimed

CLAIM, DELETE = op("claim", [CONSUMER]), op("delete", [HOST])
REFUSED_CLAIM, REFUSED_DELETE = op("claim", [CONSUMER], "fail"), op("delete", [HOST], "fail")


def test_either_the_claim_or_the_deletion_is_right() -> None:
    kept = {"providers": [provider(1)], "allocations": given(1)}
    assert broken("delete-claimed", CLAIM, REFUSED_DELETE, **kept) == []
    assert broken("delete-claimed", DELETE, REFUSED_CLAIM, providers=[]) == []


def test_a_claim_of_a_deleted_provider_is_found() -> None:
    assert broken("delete-claimed", DELETE, CLAIM) == [delete_claimed.EITHER]
    assert broken("delete-claimed", DELETE, DELETE) == [delete_claimed.EITHER]


def test_a_deleted_provider_that_is_there_and_a_lost_claim_are_found() -> None:
    there = {"providers": [provider(1)], "allocations": []}
    assert broken("delete-claimed", DELETE, REFUSED_CLAIM, **there) == [delete_claimed.KEPT]
    assert broken("delete-claimed", CLAIM, REFUSED_DELETE, **there) == [delete_claimed.KEPT]


# read-your-write


def wrote(
    total: int, at: tuple[float, float | None], process: int, outcome: str = "ok"
) -> Operation:
    return op("write", [HOST, total], outcome, at, process=process)


def saw(total: int, process: int = 1) -> Operation:
    return op("read", [HOST, 2], at=(2, 3), process=process, result=[7, total])


def test_a_read_of_ones_own_write_is_right() -> None:
    assert broken("read-your-write", wrote(2, (0, 1), 1), saw(2)) == []


def test_a_stale_read_is_found() -> None:
    own, before = wrote(2, (1, 2), 1), (wrote(1, (0, 1), 1), wrote(8, (0, 0.5), 2))
    for stale in (1, 8, 9):
        assert broken("read-your-write", *before, own, saw(stale)) == [read_your_write.SEEN]
    refused = wrote(2, (1, 2), 1, "fail")
    assert broken("read-your-write", wrote(1, (0, 1), 1), refused, saw(9)) == []


def test_a_read_may_show_what_others_have_written_since() -> None:
    own = wrote(2, (0, 1), 1)
    for since in ((0.5, 1.5), (2.5, None)):
        assert broken("read-your-write", own, wrote(8, since, 2), saw(8)) == []
    late = wrote(8, (3.5, 4), 2)
    assert broken("read-your-write", own, late, saw(8)) == [read_your_write.SEEN]
    refused = wrote(8, (0.5, 1.5), 2, "fail")
    assert broken("read-your-write", own, refused, saw(8)) == [read_your_write.SEEN]


def test_a_write_of_unknown_outcome_may_show_late() -> None:
    unknown, own = wrote(1, (0, 0.5), 1, "info"), wrote(2, (1, 2), 1)
    assert broken("read-your-write", unknown, own, saw(1)) == []


# reshape

BEFORE = {"r0/root": {"VCPU": 4, "MEMORY_MB": 4}}
AFTER = {"r0/root": {"MEMORY_MB": 4}, "r0/child": {"VCPU": 4}}
ROWS_BEFORE = [["r0/c", "r0/root", "VCPU", 4], ["r0/c", "r0/root", "MEMORY_MB", 4]]
ROWS_AFTER = [["r0/c", "r0/child", "VCPU", 4], ["r0/c", "r0/root", "MEMORY_MB", 4]]
RESHAPE, REFUSED_RESHAPE = op("reshape", ["r0/root"]), op("reshape", ["r0/root"], "fail")


@pytest.mark.parametrize("seen", [BEFORE, AFTER])
def test_before_and_after_a_reshape_are_right(seen: object) -> None:
    read = op("read", "r0/c", result=seen)
    assert broken("reshape", RESHAPE, read, allocations=ROWS_AFTER) == []


def test_between_two_winners_and_a_lost_reshape_are_found() -> None:
    read = op("read", "r0/c", result={"r0/root": {"MEMORY_MB": 4}})
    assert broken("reshape", RESHAPE, read, allocations=ROWS_AFTER) == [reshape.ATOMIC]
    assert broken("reshape", RESHAPE, RESHAPE, allocations=ROWS_AFTER) == [reshape.ONE_WINNER]
    assert broken("reshape", RESHAPE, allocations=ROWS_BEFORE) == [reshape.DONE]
    assert broken("reshape", REFUSED_RESHAPE, allocations=ROWS_AFTER) == [reshape.DONE]
    assert broken("reshape", REFUSED_RESHAPE, allocations=ROWS_BEFORE) == []


# failed-claims


def test_a_refused_claim_whose_consumer_is_there_is_found() -> None:
    refused = op("claim too much", ["r0/x", "claim too much"], "fail")
    good = op("claim", ["r0/y", "claim"])
    assert broken("failed-claims", refused, good, consumers=[["r0/y", 1]]) == []
    assert broken("failed-claims", refused, good, consumers=[["r0/y", 1], ["r0/x", 0]]) == [
        failed_claims.NO_CONSUMER
    ]
    assert broken("failed-claims", refused, good, consumers=[]) == [failed_claims.KEPT]


# Integrity, which must hold after every workload


def rows(**tables: Any) -> list[str]:
    given: History = history(op("claim", ["r0/c"]), tables=tables)
    return [violation.what for violation in integrity.check(given)]


def test_whole_rows_and_trees_are_right() -> None:
    assert rows(
        consumers=[["r0/c", 1]],
        allocations=[["r0/c", HOST, "VCPU", 1]],
        providers=[
            ["r0/root", "n", 1, None, "r0/root", 0, 0],
            ["r0/child", "n", 1, "r0/root", "r0/root", 0, 0],
        ],
        inventories=inventories(4),
    ) == []  # fmt: skip


def test_dangling_rows_are_found() -> None:
    claims = [["r0/c", None, "VCPU", 1]]
    assert rows(consumers=[["r0/c", 1]], allocations=claims) == [
        "r0/c has 1 VCPU of a provider that is gone"
    ]
    assert rows(allocations=[["r0/c", HOST, "VCPU", 1]]) == [
        "there is an allocation of r0/c, and no such consumer"
    ]
    assert rows(inventories=[[None, "VCPU", 4, 0, 1.0]]) == [
        "a row of inventories refers to nothing: [None, 'VCPU', 4, 0, 1.0]"
    ]


def test_trees_that_cannot_be_are_found() -> None:
    def tree(*of: tuple[str, str | None, str | None]) -> list[str]:
        return rows(providers=[[name, "n", 1, parent, root, 0, 0] for name, parent, root in of])

    assert tree(("r0/a", None, "r0/b")) == ["r0/a has no parent, and the root r0/b"]
    assert tree(("r0/a", None, "r0/a"), ("r0/b", "r0/a", "r0/b")) == [
        "r0/b has the root r0/b, its parent r0/a has r0/a"
    ]
    assert tree(("r0/a", "r0/b", "r0/a"), ("r0/b", "r0/a", "r0/a")) == [
        "r0/a is its own ancestor",
        "r0/b is its own ancestor",
    ]
    assert rows(providers=[["r0/a", "n", 1, None, "r0/a", 0, 1]]) == [
        "the parent or the root of r0/a is gone"
    ]
