"""Sequences of calls that become shorter and plainer, and still show what they have shown."""

import math
from collections.abc import Callable, Sequence
from typing import cast

from harness.parity.compare import Difference
from harness.parity.explore.calls import Call, Generation, renamed
from harness.parity.explore.finding import Cause, Finding
from harness.parity.explore.shrink import Shrinker

Shows = Callable[[Sequence[Call]], bool]


def shrunk(calls: Sequence[Call], shows: Shows, end: float = math.inf) -> list[Call]:
    tried: list[str] = []

    def finding(some: Sequence[Call]) -> Finding | None:
        tried.append(repr(some))
        assert len(tried) == len({*tried}), "a sequence is tried twice"
        return of(some) if shows(some) else None

    def of(some: Sequence[Call]) -> Finding:
        cause = Cause("GET /", ("200", "400"), "status", "value")
        return Finding(cause, tuple(some), (), (), cast(Difference, None))

    return [*Shrinker(of(calls), finding, end).run().calls]


PROVIDERS = [Call("POST", "/resource_providers", {"uuid": f"{{p{n}}}"}) for n in range(3)]
LAST = Call("GET", "/resource_providers?uuid={p1}&required={t0}&member_of={a0}")


def test_calls_that_are_not_needed_are_left_out() -> None:
    calls = [*PROVIDERS * 4, LAST]
    assert shrunk(calls, lambda some: some[-1].path.startswith("/resource_providers?")) == [
        Call("GET", "/resource_providers?uuid={p0}")
    ]


def test_a_call_that_is_needed_stays() -> None:
    calls = [*PROVIDERS, LAST]
    left = shrunk(calls, lambda some: some[-1].method == "GET" and PROVIDERS[2] in some)
    assert left == [PROVIDERS[2], Call("GET", "/resource_providers?uuid={p0}")]


def test_a_listing_keeps_the_parameter_that_leaves_others_out() -> None:
    def shows(some: Sequence[Call]) -> bool:
        return "member_of" in some[-1].path

    assert shrunk([LAST], shows) == [Call("GET", "/resource_providers?uuid={p0}&member_of={a0}")]


def test_a_body_loses_what_it_does_not_need() -> None:
    inventory = {"total": 7, "reserved": 8, "min_unit": 3}
    body = {"generation": Generation("{p1}"), "inventories": {"VCPU": inventory, "MEMORY_MB": {}}}
    call = Call("PUT", "/x", body, version="1.9", headers={"accept": "text/plain"})

    def shows(some: Sequence[Call]) -> bool:
        held = some[-1].body.get("inventories", {}).get("VCPU", {})
        return bool(held.get("reserved", 0) > held.get("total", 0) > 0)

    assert shrunk([call], shows) == [
        Call("PUT", "/x", {"inventories": {"VCPU": {"total": 1, "reserved": 8}}})
    ]


def test_nothing_is_tried_when_the_time_is_over() -> None:
    assert shrunk([*PROVIDERS, LAST], lambda some: True, end=-math.inf) == [*PROVIDERS, LAST]


def test_a_resource_has_another_name_wherever_it_is_named() -> None:
    call = Call("PUT", "/x/{p1}", {"{p1}": [Generation("{p1}", stale=True), "a {p1}", 1]})
    assert renamed(call, "{p1}", "{p0}") == Call(
        "PUT", "/x/{p0}", {"{p0}": [Generation("{p0}", stale=True), "a {p0}", 1]}
    )
