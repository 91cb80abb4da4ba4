"""The model of placement agrees with placement: each pair of calls, one after the other.

placement runs in this process, with SQLite: what the model says of answers and of what is there
afterwards must be what placement does. Otherwise a race could be called broken that is not.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from harness.config.plan import Plan
from harness.consistency.races.calls import CALLS, PAIRS, PREPARED, Objects, RacedCall, prepared
from harness.core.exchange import Request
from harness.targets import embedded


class Placement:
    def __init__(self) -> None:
        self._target = embedded.make(Plan(target="embedded"))
        self._target.start()
        self._transport = self._target.transport()
        self._headers = {
            "x-auth-token": self._target.token(),
            # The reshaper is for services.
            "x-roles": "admin,service",
            "content-type": "application/json",
            "accept": "application/json",
            "openstack-api-version": "placement latest",
        }

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        content = b"" if body is None else json.dumps(body).encode()
        request = Request(method, f"{self._target.url}{path}", self._headers, content)
        response = self._transport.send(request, timeout=30)
        return response.status, json.loads(response.body) if response.body else None

    def does(self, call: RacedCall, of: Objects) -> bool:
        """Whether placement accepts a call."""
        status, answer = self.ask(call.method, call.path(of), call.body(of))
        assert status < 500, (call.name, answer)
        return status < 400

    def stop(self) -> None:
        self._transport.close()
        self._target.stop()


@pytest.fixture(scope="module")
def placement() -> Iterator[Placement]:
    placement = Placement()
    yield placement
    placement.stop()


def fresh() -> Objects:
    space = uuid.uuid4()
    tag = space.hex[:8].upper()
    return Objects(
        lambda name: str(uuid.uuid5(space, name)), lambda name: f"CUSTOM_{tag}_R0_0{name}"
    )


def there(placement: Placement, of: Objects) -> dict[str, Any]:
    """The objects of a race as placement shows them, in the form of ``State.shown``."""
    names = {of.uuid(name): name for name in ("host", "other", "side", "kid", "kid2", "A", "B")}
    names |= {of.custom(name): name for name in "TUCD"}
    providers: dict[str, Any] = {}
    for name in ("host", "other", "side", "kid", "kid2"):
        path = f"/resource_providers/{of.uuid(name)}"
        status, found = placement.ask("GET", path)
        if status == 404:
            continue
        _, inventories = placement.ask("GET", f"{path}/inventories")
        _, traits = placement.ask("GET", f"{path}/traits")
        _, aggregates = placement.ask("GET", f"{path}/aggregates")
        providers[name] = [
            found["name"].partition("-")[0],
            names.get(found["parent_provider_uuid"]),
            {names.get(c, c): one["total"] for c, one in inventories["inventories"].items()},
            {names.get(trait, trait) for trait in traits["traits"]},
            {names.get(aggregate, aggregate) for aggregate in aggregates["aggregates"]},
        ]
    claims = {}
    for name in "cde":
        _, found = placement.ask("GET", f"/allocations/{of.uuid(name)}")
        if found["allocations"]:
            claims[name] = {
                (names[provider], class_): used
                for provider, of_it in found["allocations"].items()
                for class_, used in of_it["resources"].items()
            }
    return {
        "providers": providers,
        "claims": claims,
        "consumers": {*claims},
        "traits": {n for n in "TU" if placement.ask("GET", f"/traits/{of.custom(n)}")[0] == 204},
        "classes": {
            n for n in "CD" if placement.ask("GET", f"/resource_classes/{of.custom(n)}")[0] == 200
        },
    }


def test_every_writing_route_is_raced() -> None:
    assert len({call.route for call in CALLS}) == 20
    assert len({call.name for call in CALLS}) == len(CALLS)


@pytest.mark.parametrize("reverse", [False, True], ids=["in order", "reversed"])
@pytest.mark.parametrize(
    "pairs", [PAIRS[::24], pytest.param(PAIRS, marks=pytest.mark.long)], ids=["some", "all"]
)
def test_the_model_agrees_with_placement_on_pairs(
    placement: Placement, reverse: bool, pairs: Sequence[tuple[RacedCall, RacedCall]]
) -> None:
    wrong = []
    for pair in pairs:
        of, state = fresh(), prepared()
        for call in PREPARED:
            assert placement.does(call, of), call.name
        for call in pair[::-1] if reverse else pair:
            said, did = call.apply(state), placement.does(call, of)
            if said != did:
                wrong.append(f"{[one.name for one in pair]}: {call.name}: model {said}")
        if state.shown() != there(placement, of):
            wrong.append(f"{[one.name for one in pair]}: {state.shown()} {there(placement, of)}")
    assert not wrong, "\n".join(wrong[:10])
