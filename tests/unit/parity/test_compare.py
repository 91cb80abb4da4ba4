"""Two exchanges -> differences: each planted one is found, at its place; none where none is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from harness.core.exchange import Exchange, Request, Response
from harness.parity.compare import Comparison, Difference, Unordered
from harness.parity.routes import route

LEFT, RIGHT = "http://127.0.0.1:8778/placement", "http://192.0.2.10/placement"
DATE = "Wed, 25 Nov 2026 16:53:15 GMT"
SHELF, OTHER = "a110ca7e-0000-4000-8000-000000000001", "a110ca7e-0000-4000-8000-000000000002"
MADE, MADE_THERE = "0b0a5f6e-1111-4222-8333-000000000001", "7c1d2e3f-4444-4555-8666-000000000009"
BODY: dict[str, Any] = {
    "resource_providers": [
        {"uuid": SHELF, "name": "shelf", "generation": 3, "parent_provider_uuid": None},
        {"uuid": OTHER, "name": "other", "generation": 0, "parent_provider_uuid": SHELF},
    ],
    "allocations": {SHELF: {"resources": {"VCPU": 2}, "generation": 3}},
    "total": 1.5,
    "empty": [],
    "flag": True,
}
HEADERS = {
    "date": DATE,
    "server": "Apache",
    "content-type": "application/json",
    "openstack-api-version": "placement 1.39",
    "vary": "openstack-api-version",
    "cache-control": "no-cache",
    "last-modified": DATE,
    "x-openstack-request-id": "req-4576d842-ceea-4887-bed2-543613f8c81c",
    "location": f"{LEFT}/resource_providers/{SHELF}",
}


def exchange(
    body: Any = None, *, base: str = LEFT, status: int = 200, **headers: str | None
) -> Exchange:
    raw = json.dumps(BODY if body is None else body).encode()
    given = {**HEADERS, "content-length": str(len(raw))}
    changes = {name.replace("_", "-"): value for name, value in headers.items()}
    answered = {name: value for name, value in {**given, **changes}.items() if value is not None}
    request = Request("GET", f"{base}/resource_providers?name=shelf", {"x-auth-token": base})
    response = Response(status, "OK", answered, raw)
    return Exchange("suite", "test", request, response, 0.0, 0.01)


def compare(left: Exchange, right: Exchange) -> list[Difference]:
    return Comparison().compare(left, right)


def places(left: Exchange, right: Exchange) -> list[tuple[str, str]]:
    return [(one.place, one.kind) for one in compare(left, right)]


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


def changed(*path: Any, to: Any) -> Any:
    """The body with another value at a path; ``to`` may be a function of the old one."""
    body = json.loads(json.dumps(BODY))
    at = body
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = to(at[path[-1]]) if callable(to) else to
    return body


def without(*path: Any) -> Any:
    body = json.loads(json.dumps(BODY))
    at = body
    for step in path[:-1]:
        at = at[step]
    del at[path[-1]]
    return body


FIRST = "body $.resource_providers[0]"
PLANTED: dict[str, tuple[Exchange, str, str]] = {
    "a status": (exchange(status=201), "status", "value"),
    "a reason": (
        replace(exchange(), response=replace(exchange().response, reason="Fine")),  # type: ignore[type-var]
        "reason",
        "value",
    ),
    "a missing header": (exchange(vary=None), "header vary", "missing"),
    "an extra header": (exchange(x_more="1"), "header x-more", "extra"),
    "a header's value": (exchange(cache_control="public"), "header cache-control", "value"),
    "a server": (exchange(server="Apache/2.4"), "header server", "value"),
    "a microversion": (
        exchange(openstack_api_version="placement 1.38"),
        "header openstack-api-version",
        "value",
    ),
    "a header's order of words": (
        exchange(vary="openstack-api-version, accept"),
        "header vary",
        "value",
    ),
    "a length that is not the body's": (
        exchange(content_length="7"),
        "header content-length",
        "value",
    ),
    "no length": (exchange(content_length=None), "header content-length", "missing"),
    "a host in location with another path": (
        exchange(location=f"{LEFT}/resource_provider/{SHELF}"),
        "header location",
        "value",
    ),
    "a location elsewhere": (
        exchange(location=f"{LEFT}/resource_providers/{OTHER}x"),
        "header location",
        "value",
    ),
    "no location": (exchange(location=None), "header location", "missing"),
    "a relative location": (
        exchange(location=f"/placement/resource_providers/{SHELF}"),
        "header location",
        "value",
    ),
    "https for http": (
        exchange(location=f"https://127.0.0.1:8778/placement/resource_providers/{SHELF}"),
        "header location",
        "relation",
    ),
    "a time in the future": (
        exchange(last_modified="Wed, 25 Nov 2026 19:53:15 GMT"),
        "header last-modified",
        "time",
    ),
    "a time from before the run": (
        exchange(last_modified="Tue, 24 Nov 2026 16:53:15 GMT"),
        "header last-modified",
        "time",
    ),
    "no time at all": (exchange(last_modified="yesterday"), "header last-modified", "value"),
    "no request id": (
        exchange(x_openstack_request_id=None),
        "header x-openstack-request-id",
        "missing",
    ),
    "a request id that is none": (
        exchange(x_openstack_request_id="req-1"),
        "header x-openstack-request-id",
        "value",
    ),
    "null in place of missing": (
        exchange({**BODY, "extra": None}),
        "body $.extra",
        "extra",
    ),
    "missing in place of null": (
        exchange(without("resource_providers", 0, "parent_provider_uuid")),
        f"{FIRST}.parent_provider_uuid",
        "missing",
    ),
    "a number as a string": (
        exchange(changed("resource_providers", 0, "generation", to="3")),
        f"{FIRST}.generation",
        "type",
    ),
    "an integer as a float": (
        exchange(changed("allocations", SHELF, "resources", "VCPU", to=2.0)),
        f"body $.allocations.{SHELF}.resources.VCPU",
        "type",
    ),
    "a float's value": (exchange(changed("total", to=1.0)), "body $.total", "value"),
    "a number for a boolean": (exchange(changed("flag", to=1)), "body $.flag", "type"),
    "a boolean": (exchange(changed("flag", to=False)), "body $.flag", "value"),
    "an order": (
        exchange(changed("resource_providers", to=lambda both: both[::-1])),
        f"{FIRST}.uuid",
        "relation",
    ),
    "a name's case": (
        exchange(changed("resource_providers", 0, "name", to="Shelf")),
        f"{FIRST}.name",
        "value",
    ),
    "a generation that stands still": (
        exchange(changed("resource_providers", 0, "generation", to=2)),
        f"{FIRST}.generation",
        "value",
    ),
    "a generation that leaps": (
        exchange(changed("resource_providers", 0, "generation", to=5)),
        f"{FIRST}.generation",
        "value",
    ),
    "an allocation": (
        exchange(changed("allocations", SHELF, "resources", "VCPU", to=3)),
        f"body $.allocations.{SHELF}.resources.VCPU",
        "value",
    ),
    "a resource class": (
        exchange(changed("allocations", SHELF, "resources", to={"VCPUS": 2})),
        f"body $.allocations.{SHELF}.resources.VCPU",
        "missing",
    ),
    "an entry too few": (
        exchange(changed("resource_providers", to=lambda both: both[:1])),
        "body $.resource_providers",
        "length",
    ),
    "an entry twice": (
        exchange(changed("resource_providers", to=lambda both: [both[0], *both])),
        "body $.resource_providers",
        "length",
    ),
    "a list that is not empty": (exchange(changed("empty", to=[1])), "body $.empty", "length"),
    "an object for a list": (exchange(changed("empty", to={})), "body $.empty", "type"),
    "null for a list": (exchange(changed("empty", to=None)), "body $.empty", "type"),
    "an empty string for null": (
        exchange(changed("resource_providers", 0, "parent_provider_uuid", to="")),
        f"{FIRST}.parent_provider_uuid",
        "type",
    ),
    "a parent": (
        exchange(changed("resource_providers", 1, "parent_provider_uuid", to=OTHER)),
        "body $.resource_providers[1].parent_provider_uuid",
        "relation",
    ),
    "a body that is cut off": (
        replace(
            exchange(),
            response=replace(exchange().response, body=exchange().response.body[:-9]),  # type: ignore
        ),
        "header content-length",
        "value",
    ),
    "no answer": (replace(exchange(), response=None, error="no answer"), "response", "value"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_difference_is_found_at_its_place(name: str) -> None:
    other, place, kind = PLANTED[name]
    assert (place, kind) in places(exchange(), other)


@pytest.mark.parametrize("name", PLANTED)
def test_it_is_found_from_the_other_side_too(name: str) -> None:
    other, place, _ = PLANTED[name]
    assert place in [one.place for one in compare(other, exchange())]


def test_there_are_at_least_forty_of_them() -> None:
    assert len(PLANTED) >= 40


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
