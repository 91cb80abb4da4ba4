"""Which microversions are compared, and what is taken for the documented change of one."""

import re
from importlib.resources import files

import pytest

from harness.core.errors import UsageError
from harness.core.exchange import Exchange, Request, Response
from harness.parity.compare import Difference
from harness.parity.explore.finding import Finding, cause_of
from harness.parity.explore.microversions import asked, documented, is_meant

TITLE = re.compile(r"^(\d+\.\d+) - (.+)\n~~~", re.MULTILINE)


def finding(method: str, path: str, statuses: tuple[int, int], place: str, body: str) -> Finding:
    left, right = (
        Exchange("", "", Request(method, path, {}, body.encode()), Response(one, "", {}, b""), 0, 0)
        for one in statuses
    )
    difference = Difference(place, "value", "", "")
    return Finding(cause_of(left, right, difference), (), [left], [right], difference)


def test_every_microversion_of_placements_history_is_there_with_its_title() -> None:
    history = files("placement").joinpath("rest_api_version_history.rst").read_text()
    titles = {version: title for version, title in TITLE.findall(history) if version != "1.0"}
    assert {change.version: change.title for change in documented().values()} == titles


@pytest.mark.parametrize(
    ("version", "method", "path", "place", "body"),
    [
        ("1.3", "GET", "/resource_providers?member_of=in:a", "status", ""),
        ("1.15", "GET", "/traits", "header last-modified", ""),
        ("1.22", "GET", "/resource_providers?required=%21CUSTOM_A", "status", ""),
        ("1.23", "DELETE", "/traits/CUSTOM_A", "body $.errors[0].code", ""),
        ("1.26", "PUT", "/resource_providers/1/inventories", "status", '{"reserved": 1}'),
        ("1.34", "GET", "/allocation_candidates", "body $.allocation_requests[0]", ""),
        ("1.36", "GET", "/allocation_candidates?same_subtree=_A", "status", ""),
        ("1.37", "PUT", "/resource_providers/1", "status", '{"parent_provider_uuid": null}'),
    ],
)
def test_a_difference_is_the_documented_change_of_its_microversion_alone(
    version: str, method: str, path: str, place: str, body: str
) -> None:
    statuses = (400, 200) if place == "status" else (200, 200)
    shown = finding(method, path, statuses, place, body)
    assert documented()[version].is_shown_by(shown)
    other = finding("GET", "/nowhere", (200, 500), "status", "")
    assert not documented()[version].is_shown_by(other)


def test_a_range_is_compared_neighbour_by_neighbour() -> None:
    assert asked("1.8-1.11").pairs("1.0", "1.39") == [
        *(("1.8", "1.9"), ("1.9", "1.10"), ("1.10", "1.11"))
    ]
    assert len(asked("all").pairs("1.0", "1.39")) == 39
    assert asked("1.1,1.30").pairs("1.0", "1.39") == [("1.1", "1.30")]


def test_two_digits_are_no_fraction() -> None:
    with pytest.raises(UsageError, match=r"none of 1\.4, but 1\.5 to 1\.39"):
        asked("1.4-1.30").pairs("1.5", "1.39")


def test_the_version_and_the_schema_of_a_refusal_always_differ() -> None:
    schema = "JSON does not validate: ... Failed validating 'required' in schema: ..."
    assert is_meant(Difference("header openstack-api-version", "value", "1.1", "1.2"))
    assert is_meant(Difference("body $.errors[0].detail", "value", schema, "other words"))
    assert not is_meant(Difference("body $.errors[0].detail", "value", "one", "other"))
