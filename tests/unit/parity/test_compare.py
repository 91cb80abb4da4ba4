"""Two exchanges -> differences: each planted one is found, at its place; none where none is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.core.exchange import Exchange, Request
from harness.parity.compare import Comparison, Unordered
from harness.parity.routes import route
from tests.fakes.answers import (
    LEFT,
    MADE,
    MADE_THERE,
    OTHER,
    RIGHT,
    SHELF,
    compare,
    exchange,
    places,
)


def test_an_answer_is_the_same_as_itself() -> None:
    assert compare(exchange(), exchange()) == []


def test_what_a_side_makes_up_may_be_its_own() -> None:
    other = exchange(
        base=RIGHT,
        x_openstack_request_id="req-00000000-ceea-4887-bed2-543613f8c81c",
        location=f"{RIGHT}/resource_providers/{SHELF}",
        date="Wed, 25 Nov 2026 21:10:00 GMT",
        last_modified="Wed, 25 Nov 2026 21:10:00 GMT",
    )
    assert compare(exchange(), other) == []


def test_a_side_without_a_date_has_the_clients_clock() -> None:
    left, right = exchange(date=None), exchange(date=None)
    right = replace(right, started=1795625595.0)
    found = compare(replace(left, started=1795625595.0), right)
    assert found == []
    assert [one.kind for one in compare(replace(left, started=1795620000.0), right)] == ["time"]


def test_an_error_code_is_found() -> None:
    error = {"errors": [{"status": 409, "code": "placement.concurrent_update", "detail": "x"}]}
    other = {"errors": [{"status": 409, "code": "placement.undefined_code", "detail": "x"}]}
    (found,) = compare(exchange(error), exchange(other))
    assert (found.place, found.left) == (
        "body $.errors[0].code",
        "placement.concurrent_update",
    )


def listing(*names: str) -> dict[str, Any]:
    return {"resource_providers": [{"uuid": name} for name in names]}


def test_a_value_stands_for_one_value_throughout_the_run() -> None:
    comparison = Comparison()
    assert comparison.compare(exchange(listing(MADE)), exchange(listing(MADE_THERE))) == []
    assert comparison.compare(exchange(listing(MADE)), exchange(listing(MADE_THERE))) == []
    (found,) = comparison.compare(exchange(listing(MADE)), exchange(listing(OTHER)))
    assert (found.place, found.kind) == ("body $.resource_providers[0].uuid", "relation")
    assert found.why == f"{MADE} has stood for {MADE_THERE} before"


def test_two_values_never_stand_for_the_same_one() -> None:
    comparison = Comparison()
    comparison.compare(exchange(listing(MADE)), exchange(listing(MADE_THERE)))
    third = MADE.replace("1111", "9999")
    (found,) = comparison.compare(exchange(listing(third)), exchange(listing(MADE_THERE)))
    assert found.why == f"{MADE_THERE} has stood for {MADE} before"


def test_keys_that_a_side_made_up_are_matched_by_what_they_stand_for() -> None:
    left = {"allocations": {MADE: {"resources": {"VCPU": 1}}, SHELF: {"resources": {"VCPU": 2}}}}
    right = {
        "allocations": {SHELF: {"resources": {"VCPU": 2}}, MADE_THERE: {"resources": {"VCPU": 1}}}
    }
    assert compare(exchange(left), exchange(right)) == []


def test_values_of_exchanged_keys_are_a_difference() -> None:
    left = {"allocations": {SHELF: {"VCPU": 1}, OTHER: {"VCPU": 2}}}
    right = {"allocations": {SHELF: {"VCPU": 2}, OTHER: {"VCPU": 1}}}
    assert places(exchange(left), exchange(right)) == [
        (f"body $.allocations.{SHELF}.VCPU", "value"),
        (f"body $.allocations.{OTHER}.VCPU", "value"),
    ]


def test_ids_of_rows_in_the_databases_words_are_related() -> None:
    def words(row: int, again: int) -> dict[str, str]:
        return {
            "detail": f"(pymysql.err.IntegrityError) (1062, \"Duplicate entry '{row}-0'\") "
            f"[parameters: {{'resource_provider_id': {again}}}]"
        }

    assert compare(exchange(words(1775, 1775)), exchange(words(4, 4))) == []
    found = compare(exchange(words(1775, 1775)), exchange(words(4, 5)))
    assert [one.kind for one in found] == ["relation"]


UNORDERED = (
    Unordered("GET /allocation_candidates", "$.allocation_requests", "no promise"),
    Unordered("GET /allocation_candidates", "$.allocation_requests[*].mappings.*", "a set"),
)


def candidates(*requests: Any) -> Exchange:
    one = exchange({"allocation_requests": list(requests)})
    return replace(one, request=replace(one.request, url=f"{LEFT}/allocation_candidates?x=1"))


def test_a_list_without_order_may_come_in_any() -> None:
    first, second = {"mappings": {"": [SHELF, OTHER]}}, {"mappings": {"": [MADE]}}
    turned = {"mappings": {"": [OTHER, SHELF]}}
    comparison = Comparison(UNORDERED)
    assert comparison.compare(candidates(first, second), candidates(second, turned)) == []
    assert Comparison().compare(candidates(first, second), candidates(second, turned)) != []


def test_in_a_list_without_order_nothing_may_be_missing_or_twice() -> None:
    comparison = Comparison(UNORDERED)
    found = comparison.compare(candidates({"a": 1}, {"a": 2}), candidates({"a": 2}, {"a": 2}))
    assert [(one.place, one.kind) for one in found] == [
        ("body $.allocation_requests[0]", "missing")
    ]


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/placement/", "GET /"),
        ("GET", f"/placement/resource_providers/{SHELF}", "GET /resource_providers/{}"),
        (
            "PUT",
            f"/placement/resource_providers/{SHELF}/inventories/VCPU?x=1",
            "PUT /resource_providers/{}/inventories/{}",
        ),
        ("PUT", "/traits/CUSTOM_X", "PUT /traits/{}"),
        ("DELETE", f"/allocations/{SHELF}", "DELETE /allocations/{}"),
        (
            "GET",
            f"/resource_providers/{SHELF}/allocations",
            "GET /resource_providers/{}/allocations",
        ),
        (
            "GET",
            "http://x/placement/allocation_candidates?resources=VCPU:1",
            "GET /allocation_candidates",
        ),
    ],
)
def test_a_route_leaves_ids_out(method: str, path: str, expected: str) -> None:
    assert route(method, path) == expected


def test_requests_are_compared_too_but_for_credentials() -> None:
    left = exchange()
    right = replace(left, request=replace(left.request, body=b"{}", headers={"x-auth-token": "b"}))
    assert [one.place for one in compare(left, right)] == ["request"]


def test_ids_in_a_query_are_related_whatever_separates_them() -> None:
    def asked(*ids: str) -> Exchange:
        url = f"{LEFT}/allocation_candidates?member_of=in%3A{'%2C'.join(ids)}"
        return replace(exchange({}, location=None), request=Request("GET", url))

    assert compare(asked(SHELF, OTHER), asked(MADE, MADE_THERE)) == []
    assert [one.place for one in compare(asked(SHELF, OTHER), asked(MADE, MADE))] == ["request url"]


def test_ids_that_were_introduced_may_be_written_otherwise() -> None:
    comparison, project = Comparison(), "255acf0623a6449db829dfebe28cda7b"
    left, right, other = (
        exchange({"project_id": each}, location=None) for each in (project, MADE, OTHER)
    )
    assert [one.place for one in comparison.compare(left, right)] == ["body $.project_id"]
    comparison.begin_anew([(project, MADE)])
    assert comparison.compare(left, right) == []
    assert [one.place for one in comparison.compare(left, other)] == ["body $.project_id"]


def test_lists_of_other_lengths_show_the_entries_of_one_side_alone() -> None:
    (found,) = compare(exchange({"a": ["X", "Y", "Z"]}), exchange({"a": ["Z", "X"]}))
    assert (found.place, found.kind) == ("body $.a", "length")
    assert (found.left, found.right) == ('["Y"]', "[]")
    assert found.why.startswith("3 entries, 2 on the other side")
