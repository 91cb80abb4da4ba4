"""Two routes that write the same thing, on a placement in this process."""

from collections.abc import Iterator

import pytest
import yaml

from harness.parity.compare import Difference
from harness.parity.explore import suite
from harness.parity.explore.calls import Call, Generation
from harness.parity.explore.routes import is_meant, other_route
from harness.parity.explore.search import Search
from harness.parity.explore.side import Side
from harness.parity.rules import Declared
from harness.targets.embedded import Embedded

INVENTORIES = "/resource_providers/{p0}/inventories"
PROVIDER = Call("POST", "/resource_providers", {"name": "explore_{p0}", "uuid": "{p0}"})


def stocked(**inventory: int) -> Call:
    generation = Generation("{p0}")
    body = {"resource_provider_generation": generation, "inventories": {"VCPU": inventory}}
    return Call("PUT", INVENTORIES, body)


@pytest.fixture(scope="module")
def search() -> Iterator[Search]:
    target = Embedded()
    target.start()
    left, right = (Side(target, "embedded") for _ in range(2))
    made = Search(left, right, Declared(), 1, is_meant, other_route)
    yield made
    made.close()


def test_the_reshaper_takes_more_reserved_than_there_is(search: Search) -> None:
    finding = search.difference([PROVIDER, stocked(total=1, reserved=2)])
    assert finding is not None
    assert finding.cause.route == "PUT /resource_providers/{}/inventories | POST /reshaper"
    assert (finding.cause.place, finding.cause.statuses) == ("status", ("400", "204"))
    # The suite calls the reshaper, and expects what the other route says.
    *_, last = yaml.safe_load(suite.text(finding, Embedded.url))["tests"]
    assert last["POST"].endswith("/reshaper")
    assert last["status"] == 400


def test_inventories_and_claims_are_the_same_by_either_route(search: Search) -> None:
    claim = {
        "allocations": {"{p0}": {"resources": {"VCPU": 2}}},
        "consumer_generation": Generation("{k0}"),
        "consumer_type": "EXPLORE",
        "project_id": "explore_{u0}",
        "user_id": "explore_{u1}",
    }
    put = Call("PUT", "/allocations/{k0}", claim)
    reads = [Call("GET", path) for path in (INVENTORIES, "/allocations/{k0}")]
    assert search.difference([PROVIDER, stocked(total=3), put, *reads, put, *reads]) is None


def test_a_class_has_another_name_on_each_side(search: Search) -> None:
    body = {
        "resource_provider_generation": Generation("{p0}"),
        "inventories": {"{c0}": {"total": 1}},
    }
    calls = [Call("PUT", "/resource_classes/{c0}"), PROVIDER, Call("PUT", INVENTORIES, body)]
    assert search.difference([*calls, Call("GET", INVENTORIES)]) is None


def test_a_call_without_another_route_is_the_same_on_both_sides() -> None:
    for call in (PROVIDER, Call("PUT", INVENTORIES, raw=b"{"), Call("GET", INVENTORIES)):
        assert other_route(call) is call


def test_steps_of_generations_may_differ() -> None:
    assert is_meant(Difference("body $.resource_provider_generation", "value", "1", "2"))
    assert not is_meant(Difference("body $.inventories.VCPU.total", "value", "1", "2"))
