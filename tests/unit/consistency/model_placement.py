"""A placement without faults, made of the model of races: it serves the requests of workloads.

Each request is carried out at one moment between its begin and its end, so that every history that
clients make of it is valid.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from harness.consistency.client import Client, Names
from harness.consistency.history import Writer
from harness.consistency.races.model import State
from harness.core.exchange import Request, Response

Claims = dict[str, tuple[int | None, dict[tuple[str, str], int]]]


class ModelPlacement:
    """Several replicas, as clients and the runner see them, with one state."""

    replicas = 3

    def __init__(self) -> None:
        self.state = State()
        self._lock = threading.Lock()

    def client(self, process: int, writer: Writer) -> Client:
        return Client(process, process % 3 + 1, lambda _: "http://model", {}, self, writer)

    def check(self) -> None:
        """Nothing dies."""

    def close(self) -> None:
        """Nothing is open."""

    def send(self, request: Request, *, timeout: float, redirects: bool = False) -> Response:
        body = json.loads(request.body) if request.body else None
        parts = urlsplit(request.url).path.strip("/").split("/")
        # Other clients begin meanwhile, and their requests may be carried out before.
        time.sleep(0)
        with self._lock:
            status, answer = self._answer(request.method, parts, body)
        time.sleep(0)
        content = b"" if answer is None else json.dumps(answer).encode()
        return Response(status, "", {"x-openstack-request-id": "req-1"}, content)

    def _answer(self, method: str, parts: list[str], body: Any) -> tuple[int, Any]:
        kind, rest = parts[0], parts[1:]
        answer: Callable[[str, list[str], Any], tuple[int, Any]] = getattr(self, f"_{kind}")
        return answer(method, rest, body)

    def _traits(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        if method == "DELETE":
            return _done(self.state.delete_trait(rest[0]))
        made = rest[0] not in self.state.traits
        self.state.put_trait(rest[0])
        return (201 if made else 204), None

    def _resource_classes(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        if method == "POST":
            return _done(self.state.post_class(body["name"]), 201)
        if method == "DELETE":
            return _done(self.state.delete_class(rest[0]))
        made = rest[0] not in self.state.classes
        self.state.put_class(rest[0])
        return (201 if made else 204), None

    def _resource_providers(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        state = self.state
        if not rest:
            parent = body.get("parent_provider_uuid")
            return _done(state.post_provider(body["uuid"], body["name"], parent), 200, {})
        name, facet = rest[0], "/".join(rest[1:2])
        if method == "GET":
            return self._shown(name, facet)
        if not facet:
            if method == "DELETE":
                return _done(state.delete_provider(name))
            parent = body.get("parent_provider_uuid")
            return _done(state.put_provider(name, body["name"], parent), 200, {})
        done = self._write(method, name, facet, rest[2:], body or {})
        provider = state.providers.get(name)
        generation = provider.generation if provider else None
        return _done(done, 200, {"resource_provider_generation": generation})

    def _write(
        self, method: str, name: str, facet: str, rest: list[str], body: Mapping[str, Any]
    ) -> bool:
        state, generation = self.state, body.get("resource_provider_generation", -1)
        if facet == "traits":
            if method == "DELETE":
                return state.delete_traits(name)
            return state.put_traits(name, generation, set(body["traits"]))
        if facet == "aggregates":
            return state.put_aggregates(name, generation, set(body["aggregates"]))
        if method == "POST":
            return state.post_inventory(name, body["resource_class"], body["total"])
        if method == "DELETE":
            return state.delete_inventory(name, rest[0]) if rest else state.delete_inventories(name)
        if rest:
            return state.put_inventory(name, generation, rest[0], body["total"])
        return state.put_inventories(name, generation, _totals(body["inventories"]))

    def _shown(self, name: str, facet: str) -> tuple[int, Any]:
        provider = self.state.providers.get(name)
        if provider is None:
            return 404, None
        if facet == "usages":
            used = dict.fromkeys(provider.inventories, 0)
            for wanted in self.state.claims.values():
                for (at, class_), amount in wanted.items():
                    if at == name:
                        used[class_] = used.get(class_, 0) + amount
            return 200, {"usages": used}
        inventories = {class_: {"total": total} for class_, total in provider.inventories.items()}
        generation = provider.generation
        return 200, {"inventories": inventories, "resource_provider_generation": generation}

    def _allocations(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        if method == "GET":
            return self._claimed(rest[0])
        if method == "DELETE":
            return _done(self.state.delete_claims(rest[0]))
        claims = _claims({rest[0]: body} if rest else body)
        providers = {at for _, wanted in claims.values() for at, _ in wanted}
        if not providers <= self.state.providers.keys():
            return 400, None
        return _done(self.state.claim(claims))

    def _claimed(self, consumer: str) -> tuple[int, Any]:
        allocations: dict[str, Any] = {}
        for (at, class_), amount in self.state.claims.get(consumer, {}).items():
            allocations.setdefault(at, {"resources": {}})["resources"][class_] = amount
        answer: dict[str, Any] = {"allocations": allocations}
        if allocations:
            answer["consumer_generation"] = self.state.consumers[consumer]
        return 200, answer

    def _reshaper(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        inventories = {
            name: (part["resource_provider_generation"], _totals(part["inventories"]))
            for name, part in body["inventories"].items()
        }
        return _done(self.state.reshape(inventories, _claims(body["allocations"])))

    def tables(self, names: Names) -> dict[str, list[list[Any]]]:
        """The state as rows of the database (``cluster.TABLES``)."""
        state, name = self.state, names.name
        providers, rows = state.providers, dict[str, list[list[Any]]]()
        rows["providers"] = [
            [name(at), has.label, has.generation, name(has.parent), name(self._root(at)), 0, 0]
            for at, has in providers.items()
        ]
        rows["inventories"] = [
            [name(at), class_, total, 0, 1.0]
            for at, has in providers.items()
            for class_, total in has.inventories.items()
        ]
        rows["allocations"] = [
            [name(consumer), name(at), class_, used]
            for consumer, wanted in state.claims.items()
            for (at, class_), used in wanted.items()
        ]
        rows["consumers"] = [[name(at), number] for at, number in state.consumers.items()]
        for table in ("traits", "aggregates"):
            rows[table] = [
                [name(at), name(value)]
                for at, has in providers.items()
                for value in getattr(has, table)
            ]
        rows["custom traits"] = [[trait, 1] for trait in state.traits]
        rows["custom classes"] = [[class_, 1, 10_000] for class_ in state.classes]
        return rows

    def _root(self, name: str) -> str:
        parent = self.state.providers[name].parent
        return name if parent is None else self._root(parent)


def _done(accepted: bool, status: int = 204, answer: Any = None) -> tuple[int, Any]:
    return (status, answer) if accepted else (409, None)


def _totals(inventories: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    return {class_: inventory["total"] for class_, inventory in inventories.items()}


def _claims(body: Mapping[str, Any]) -> Claims:
    return {
        consumer: (
            claim["consumer_generation"],
            {
                (provider, class_): amount
                for provider, of in claim["allocations"].items()
                for class_, amount in of["resources"].items()
            },
        )
        for consumer, claim in body.items()
    }
