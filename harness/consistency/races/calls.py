"""The calls that are raced: each of placement's 20 writing routes, as request and as model.

All calls of a race meet on the same few objects (``PREPARED``): the provider ``host`` of 4 VCPU, of
which the consumer ``c`` has one; the providers ``other``, of 4 VCPU that are free, and ``side``;
the trait T and the class C, which exist and are not in use.
"""

import copy
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from harness.consistency.bodies import claim_body
from harness.consistency.races.model import State


@dataclass(frozen=True, slots=True)
class Objects:
    """UUIDs and names of one race's objects: ``uuid("host")``, ``custom("T")``."""

    uuid: Callable[[str], str]
    custom: Callable[[str], str]

    def label(self, name: str, of: str) -> str:
        """Name of a provider; ``of`` makes it one of this race."""
        return f"{name}-{self.uuid(of)}"


@dataclass(frozen=True, slots=True)
class RacedCall:
    """``touches`` are the objects whose state decides about the call, or which it changes."""

    name: str
    route: str
    touches: frozenset[str]
    apply: Callable[[State], bool]
    path: Callable[[Objects], str]
    body: Callable[[Objects], Any] = lambda _: None

    @property
    def method(self) -> str:
        return self.route.split()[0]


def _provider(name: str, rest: str = "") -> Callable[[Objects], str]:
    return lambda of: f"/resource_providers/{of.uuid(name)}{rest}"


def _make(name: str, label: str, parent: str | None = None, uuid: bool = True) -> Any:
    def body(of: Objects) -> dict[str, Any]:
        made = {"name": of.label(label, "host")}
        if uuid:
            made["uuid"] = of.uuid(name)
        return made if parent is None else {**made, "parent_provider_uuid": of.uuid(parent)}

    return body


def _inventories(generation: int, **totals: int) -> Any:
    return lambda of: {
        "resource_provider_generation": generation,
        "inventories": {
            class_ if len(class_) > 1 else of.custom(class_): {"total": total}
            for class_, total in totals.items()
        },
    }


def _claims(provider: str, amount: int, generation: int | None) -> Callable[[Objects], Any]:
    return lambda of: claim_body({of.uuid(provider): {"VCPU": amount}}, generation)


def _made(name: str) -> RacedCall:
    return RacedCall(
        f"make {name}",
        "POST /resource_providers",
        frozenset({name}),
        lambda state: state.post_provider(name, name),
        lambda _: "/resource_providers",
        _make(name, name),
    )


def _given(name: str) -> RacedCall:
    return RacedCall(
        f"give {name} VCPU",
        "PUT /resource_providers/{uuid}/inventories",
        frozenset({name}),
        lambda state: state.put_inventories(name, 0, {"VCPU": 4}),
        _provider(name, "/inventories"),
        _inventories(0, VCPU=4),
    )


PREPARED: Sequence[RacedCall] = (
    *(_made(name) for name in ("host", "other", "side")),
    RacedCall(
        "make T",
        "PUT /traits/{name}",
        frozenset("T"),
        lambda state: state.put_trait("T"),
        lambda of: f"/traits/{of.custom('T')}",
    ),
    RacedCall(
        "make C",
        "PUT /resource_classes/{name}",
        frozenset("C"),
        lambda state: state.put_class("C"),
        lambda of: f"/resource_classes/{of.custom('C')}",
    ),
    *(_given(name) for name in ("host", "other")),
    RacedCall(
        "claim for c",
        "PUT /allocations/{consumer_uuid}",
        frozenset({"host", "c"}),
        lambda state: state.claim({"c": (None, {("host", "VCPU"): 1})}),
        lambda of: f"/allocations/{of.uuid('c')}",
        _claims("host", 1, None),
    ),
)


@cache
def _prepared() -> State:
    state = State()
    for call in PREPARED:
        if not call.apply(state):
            raise ValueError(f"the model refuses to prepare a race: {call.name}")
    return state


def prepared() -> State:
    """The state in which a race begins; the caller may change it."""
    return copy.deepcopy(_prepared())


# Generations of the prepared providers, and of the consumer c.
HOST, OTHER, SIDE, C = 2, 1, 0, 1


def _call(
    name: str,
    route: str,
    touches: str,
    apply: Callable[[State], bool],
    path: Callable[[Objects], str],
    body: Callable[[Objects], Any] = lambda _: None,
) -> RacedCall:
    return RacedCall(name, route, frozenset(touches.split()), apply, path, body)


_RP = "/resource_providers/{uuid}"

CALLS: Sequence[RacedCall] = (
    _call("make class D", "POST /resource_classes", "D", lambda s: s.post_class("D"),
          lambda _: "/resource_classes", lambda of: {"name": of.custom("D")}),
    _call("ensure class D", "PUT /resource_classes/{name}", "D", lambda s: s.put_class("D"),
          lambda of: f"/resource_classes/{of.custom('D')}"),
    _call("delete class C", "DELETE /resource_classes/{name}", "C",
          lambda s: s.delete_class("C"), lambda of: f"/resource_classes/{of.custom('C')}"),
    _call("make kid of other", "POST /resource_providers", "kid other",
          lambda s: s.post_provider("kid", "kid", "other"), lambda _: "/resource_providers",
          _make("kid", "kid", "other")),
    _call("make another kid of that name", "POST /resource_providers", "kid other",
          lambda s: s.post_provider("kid2", "kid", "other"), lambda _: "/resource_providers",
          _make("kid2", "kid", "other")),
    _call("delete other", f"DELETE {_RP}", "other", lambda s: s.delete_provider("other"),
          _provider("other")),
    _call("delete side", f"DELETE {_RP}", "side", lambda s: s.delete_provider("side"),
          _provider("side")),
    _call("rename side to kid", f"PUT {_RP}", "side kid",
          lambda s: s.put_provider("side", "kid"), _provider("side"),
          _make("side", "kid", None, False)),
    _call("put side under other", f"PUT {_RP}", "side other",
          lambda s: s.put_provider("side", "side", "other"), _provider("side"),
          _make("side", "side", "other", False)),
    _call("put other under side", f"PUT {_RP}", "side other",
          lambda s: s.put_provider("other", "other", "side"), _provider("other"),
          _make("other", "other", "side", False)),
    _call("add C to other", f"POST {_RP}/inventories", "other C",
          lambda s: s.post_inventory("other", "C", 1), _provider("other", "/inventories"),
          lambda of: {"resource_class": of.custom("C"), "resource_provider_generation": OTHER,
                      "total": 1}),
    _call("set other's inventories to C", f"PUT {_RP}/inventories", "other C",
          lambda s: s.put_inventories("other", OTHER, {"C": 2}), _provider("other", "/inventories"),
          _inventories(OTHER, C=2)),
    _call("set other's inventories to 8 VCPU", f"PUT {_RP}/inventories", "other",
          lambda s: s.put_inventories("other", OTHER, {"VCPU": 8}),
          _provider("other", "/inventories"), _inventories(OTHER, VCPU=8)),
    _call("delete other's inventories", f"DELETE {_RP}/inventories", "other",
          lambda s: s.delete_inventories("other"), _provider("other", "/inventories")),
    _call("delete host's inventories", f"DELETE {_RP}/inventories", "host c",
          lambda s: s.delete_inventories("host"), _provider("host", "/inventories")),
    _call("set other's VCPU to 6", f"PUT {_RP}/inventories/{{class}}", "other",
          lambda s: s.put_inventory("other", OTHER, "VCPU", 6),
          _provider("other", "/inventories/VCPU"),
          lambda _: {"resource_provider_generation": OTHER, "total": 6}),
    _call("delete other's VCPU", f"DELETE {_RP}/inventories/{{class}}", "other",
          lambda s: s.delete_inventory("other", "VCPU"), _provider("other", "/inventories/VCPU")),
    _call("set other's traits to T", f"PUT {_RP}/traits", "other T",
          lambda s: s.put_traits("other", OTHER, {"T"}), _provider("other", "/traits"),
          lambda of: {"resource_provider_generation": OTHER, "traits": [of.custom("T")]}),
    _call("set other's traits to AVX", f"PUT {_RP}/traits", "other",
          lambda s: s.put_traits("other", OTHER, {"HW_CPU_X86_AVX"}), _provider("other", "/traits"),
          lambda _: {"resource_provider_generation": OTHER, "traits": ["HW_CPU_X86_AVX"]}),
    _call("delete other's traits", f"DELETE {_RP}/traits", "other",
          lambda s: s.delete_traits("other"), _provider("other", "/traits")),
    _call("set other's aggregates to A", f"PUT {_RP}/aggregates", "other",
          lambda s: s.put_aggregates("other", OTHER, {"A"}), _provider("other", "/aggregates"),
          lambda of: {"resource_provider_generation": OTHER, "aggregates": [of.uuid("A")]}),
    _call("set other's aggregates to B", f"PUT {_RP}/aggregates", "other",
          lambda s: s.put_aggregates("other", OTHER, {"B"}), _provider("other", "/aggregates"),
          lambda of: {"resource_provider_generation": OTHER, "aggregates": [of.uuid("B")]}),
    _call("ensure trait U", "PUT /traits/{name}", "U", lambda s: s.put_trait("U"),
          lambda of: f"/traits/{of.custom('U')}"),
    _call("delete trait T", "DELETE /traits/{name}", "T", lambda s: s.delete_trait("T"),
          lambda of: f"/traits/{of.custom('T')}"),
    _call("claim 3 of other for d", "PUT /allocations/{consumer_uuid}", "other d",
          lambda s: s.claim({"d": (None, {("other", "VCPU"): 3})}),
          lambda of: f"/allocations/{of.uuid('d')}", _claims("other", 3, None)),
    _call("claim 2 of other for d", "PUT /allocations/{consumer_uuid}", "other d",
          lambda s: s.claim({"d": (None, {("other", "VCPU"): 2})}),
          lambda of: f"/allocations/{of.uuid('d')}", _claims("other", 2, None)),
    _call("claim 3 of other for c", "PUT /allocations/{consumer_uuid}", "other c host",
          lambda s: s.claim({"c": (C, {("other", "VCPU"): 3})}),
          lambda of: f"/allocations/{of.uuid('c')}", _claims("other", 3, C)),
    _call("move c's claim to d", "POST /allocations", "c d host",
          lambda s: s.claim({"c": (C, {}), "d": (None, {("host", "VCPU"): 1})}),
          lambda _: "/allocations",
          lambda of: {of.uuid("c"): claim_body({}, C),
                      of.uuid("d"): claim_body({of.uuid("host"): {"VCPU": 1}}, None)}),
    _call("move c's claim to e", "POST /allocations", "c e host",
          lambda s: s.claim({"c": (C, {}), "e": (None, {("host", "VCPU"): 1})}),
          lambda _: "/allocations",
          lambda of: {of.uuid("c"): claim_body({}, C),
                      of.uuid("e"): claim_body({of.uuid("host"): {"VCPU": 1}}, None)}),
    _call("delete c's claim", "DELETE /allocations/{consumer_uuid}", "c host",
          lambda s: s.delete_claims("c"), lambda of: f"/allocations/{of.uuid('c')}"),
    _call("reshape host's VCPU to side", "POST /reshaper", "host side c",
          lambda s: s.reshape({"host": (HOST, {}), "side": (SIDE, {"VCPU": 4})},
                              {"c": (C, {("side", "VCPU"): 1})}),
          lambda _: "/reshaper",
          lambda of: {
              "inventories": {
                  of.uuid("host"): {"resource_provider_generation": HOST, "inventories": {}},
                  of.uuid("side"): {"resource_provider_generation": SIDE,
                                    "inventories": {"VCPU": {"total": 4}}}},
              "allocations": {of.uuid("c"): claim_body({of.uuid("side"): {"VCPU": 1}}, C)}}),
)  # fmt: skip
BY_NAME = {call.name: call for call in CALLS}

# Pairs that meet on an object, the same call twice included.
PAIRS: Sequence[tuple[RacedCall, RacedCall]] = tuple(
    (first, second)
    for first, second in itertools.combinations_with_replacement(CALLS, 2)
    if first.touches & second.touches
)
