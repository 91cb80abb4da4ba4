"""Differences planted into an answer: each is found, at its place, from both sides."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from harness.core.exchange import Exchange
from tests.fakes.answers import (
    BODY,
    LEFT,
    OTHER,
    SHELF,
    compare,
    exchange,
    places,
)


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
