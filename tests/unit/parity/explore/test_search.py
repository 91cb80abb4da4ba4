"""The search for differences, with two sides in memory that differ in one thing."""

import json
import re
from collections.abc import Callable
from typing import Any, cast

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from harness.core.exchange import Request, Response
from harness.parity.explore import suite
from harness.parity.explore.calls import Call, Generation, Names, request, shown
from harness.parity.explore.finding import Finding
from harness.parity.explore.search import Search
from harness.parity.explore.sequences import sequences
from harness.parity.explore.side import Side
from harness.parity.explore.world import World
from harness.parity.rules import Declared
from harness.targets.base import Target

Rule = Callable[["Memory", Request], Response | None]
TOKEN = "gAAAAAB-a-token-of-fernet"


def response(status: int, **data: Any) -> Response:
    body = json.dumps(data).encode() if data else b""
    headers = {"content-type": "application/json"} if data else {}
    return Response(status, "Said", headers, body)


class Memory:
    """A target that remembers which providers were made, and answers by a rule of its own first."""

    url = "http://left/placement"

    def __init__(self, rule: Rule = lambda memory, request: None) -> None:
        self.rule = rule
        self.requests: list[Request] = []
        self.providers: set[str] = set()

    def transport(self) -> "Memory":
        return self

    def token(self) -> str:
        return TOKEN

    def close(self) -> None: ...

    def send(self, request: Request, *, timeout: float) -> Response:
        self.requests.append(request)
        special = self.rule(self, request)
        if special is not None:
            return special
        made = re.fullmatch(r".*/resource_providers", request.url)
        if request.method == "POST" and made:
            self.providers.add(request.body.decode(errors="replace")[-40:])
            return response(201)
        return response(404, errors=[{"status": 404}])


def search(left: Memory, right: Memory, *, stays: bool = False) -> Search:
    one, other = (Side(cast(Target, each), "stack", stays=stays) for each in (left, right))
    return Search(one, other, Declared(), seed=1)


def differs(memory: Memory, request: Request) -> Response | None:
    """After a provider was made, this side refuses to read a usage."""
    if memory.providers and request.method == "GET" and request.url.endswith("/usages"):
        return response(500, errors=[{"status": 500}])
    return None


@pytest.fixture(autouse=True)
def short_shrinking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.parity.explore.search.SHRINKING", 1.0)


def found(right: Memory, seconds: float = 60.0) -> tuple[Search, list[Finding]]:
    findings: list[Finding] = []
    one = search(Memory(), right)
    one.run(seconds, findings.append, most=1)
    one.close()
    return one, findings


def test_a_difference_is_found_and_left_with_the_calls_that_it_needs() -> None:
    _, findings = found(Memory(differs))
    (finding,) = findings
    cause = finding.cause
    assert (cause.route, cause.place) == ("GET /resource_providers/{}/usages", "status")
    assert cause.statuses == ("404", "500")
    # Which side has made a provider in an earlier sequence already does not matter to it.
    assert [call.path.rpartition("/")[2] for call in finding.calls][-1] == "usages"
    assert len(finding.calls) <= 2


def test_two_sides_that_are_the_same_have_no_difference() -> None:
    one, findings = found(Memory(), seconds=1.0)
    assert findings == []
    assert one.outcome.requests > 0


def test_a_difference_that_does_not_come_again_is_unstable() -> None:
    fails = iter([True])

    def once(memory: Memory, request: Request) -> Response | None:
        # Generations are asked for by GET, too; the search compares none of these answers.
        is_first = request.method != "GET" and next(fails, False)
        return response(500) if is_first else None

    one, findings = found(Memory(once), seconds=3.0)
    assert findings == []
    assert len(one.outcome.unstable) == 1


def test_what_was_made_is_removed_where_the_target_stays() -> None:
    left, right = Memory(), Memory()
    one = search(left, right, stays=True)
    calls = [Call("POST", "/resource_providers", {"name": "x", "uuid": "{p0}"})]
    assert one.difference(calls) is None
    one.close()
    for side in (left, right):
        made, removed = side.requests
        assert removed.method == "DELETE"
        assert removed.url.rpartition("/")[2] in made.body.decode()


def test_each_side_has_resources_of_its_own() -> None:
    left, right = Memory(), Memory()
    one = search(left, right)
    assert one.difference([Call("GET", "/resource_providers/{p0}")]) is None
    assert left.requests[0].url != right.requests[0].url


def test_a_call_becomes_a_request_with_names_and_generations() -> None:
    names = Names("one")
    body = {
        "{p0}": {
            "resource_provider_generation": Generation("{p0}"),
            "old": Generation("{k0}", True),
        }
    }
    made = request(
        Call("PUT", "/allocations/{k0}", body),
        names,
        url="http://host/placement",
        version="1.39",
        headers={},
        generation=lambda kind, uuid: 3 if kind == "p" else None,
    )
    assert made.url == f"http://host/placement/allocations/{names['k0']}"
    sent = json.loads(made.body)
    assert sent == {names["p0"]: {"resource_provider_generation": 3, "old": 7}}
    assert made.headers["openstack-api-version"] == "placement 1.39"


def test_a_call_is_shown_in_a_line() -> None:
    call = Call("PUT", "/x", {"generation": Generation("{p0}")}, version="1.99")
    assert shown(call) == 'PUT /x [1.99] {"generation": "<generation of {p0}>"}'


def test_a_finding_becomes_a_suite_without_the_token() -> None:
    _, (finding,) = found(Memory(differs))
    text = suite.text(finding, Memory.url)
    assert TOKEN not in text
    tests = yaml.safe_load(text)["tests"]
    assert len(tests) == len(finding.calls)
    last = tests[-1]
    assert last["status"] == 404
    assert last["GET"].startswith("$ENVIRON['PLACEMENT_SERVICE']/resource_providers/")
    assert last["request_headers"]["x-auth-token"] == "$ENVIRON['SERVICE_TOKEN']"


def test_a_text_that_differs_in_a_body_is_what_the_suite_expects() -> None:
    """The difference has the text itself, which is no JSON, and may be a part of it."""

    def refuses(word: str) -> Rule:
        return lambda memory, request: response(400, errors=[{"detail": f"It is {word}. Sorry."}])

    one = search(Memory(refuses("wrong")), Memory(refuses("bad")))
    finding = one.difference([Call("GET", "/resource_providers/{p0}")])
    assert finding is not None
    (test,) = yaml.safe_load(suite.text(finding, Memory.url))["tests"]
    assert test["response_json_paths"] == {"$.errors[0].detail": "It is wrong. Sorry."}


def test_a_key_that_jsonpath_cannot_say_leaves_the_whole_body_to_be_expected() -> None:
    def holds(value: int) -> Rule:
        return lambda memory, request: response(200, **{"a-b c": value})

    one = search(Memory(holds(1)), Memory(holds(2)))
    finding = one.difference([Call("GET", "/resource_providers/{p0}")])
    assert finding is not None
    (test,) = yaml.safe_load(suite.text(finding, Memory.url))["tests"]
    assert test["response_strings"] == ['{"a-b c": 1}']


def test_a_sequence_is_sent_once_however_it_was_made() -> None:
    left = Memory()
    one = search(left, Memory())
    one.run(2.0, lambda finding: None)
    assert one.outcome.sequences == len(one._sent)


def test_claims_have_the_shape_of_the_microversions_that_are_compared() -> None:
    @given(sequences((27, 27)))
    @settings(max_examples=30, database=None, deadline=None, suppress_health_check=[*HealthCheck])
    def claims_have_no_generation(calls: list[Call]) -> None:
        for call in calls:
            is_claim = call.method == "PUT" and call.path.startswith("/allocations/")
            if is_claim and call.version is None and not call.headers:
                assert "consumer_generation" not in (call.body or {})

    claims_have_no_generation()


def test_later_calls_meet_what_earlier_ones_have_made() -> None:
    calls = [
        Call("POST", "/resource_providers", {"name": "x", "uuid": "{p1}"}),
        Call(
            "PUT", "/resource_providers/{p1}/inventories", {"inventories": {"{c0}": {"total": 3}}}
        ),
        Call("PUT", "/allocations/{k1}", {}),
        Call("PUT", "/resource_classes/{c1}"),
    ]
    world = World()
    for call in calls:
        world.take(call)
    assert world.stock == {"{p1}": {"{c0}": 3}}
    assert (world.consumers, world.classes) == (["{k1}"], ["{c1}"])


@pytest.mark.parametrize("path", ["", "/", "/allocations", "/allocations/{k0}/x", "/inventories"])
def test_a_hostile_path_makes_nothing_that_later_calls_meet(path: str) -> None:
    world = World()
    world.take(Call("PUT", path, {"inventories": {"{c0}": {"total": 3}}}))
    assert world == World()
