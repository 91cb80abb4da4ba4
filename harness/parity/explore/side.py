"""One side of a search: a target, to which calls are sent with resources of its own."""

import json
import re
import time
from collections.abc import Collection, Mapping
from typing import Any

from harness.core.exchange import Exchange, Request, Response
from harness.parity.explore.calls import Call, Names, request
from harness.targets.base import Target

TIMEOUT = 30.0
# Asked for generations: it tells those of consumers, and every placement since 13 has it.
NEWEST = "1.39"
PROVIDER = re.compile(r"/resource_providers/([0-9a-f-]{36})/")


class Side:
    """A target that is up, and its ``kind``. ``version`` is the microversion of calls without one.

    ``stays`` is set for a target that outlives the search. A side belongs to the thread that sends
    first, as its transport does.
    """

    def __init__(
        self, target: Target, kind: str, version: str = NEWEST, *, stays: bool = False
    ) -> None:
        self.kind = kind
        self.stays = stays
        self.version = version
        self._target = target
        self._transport = target.transport()
        self._token = target.token()
        # Generations that answers have told since the last call that could change others.
        self._generations: dict[str, int] = {}

    def send(self, call: Call, names: Names, suite: str, test: str) -> Exchange:
        """Send a call. An exchange without an answer has the error."""
        made = request(
            call,
            names,
            url=self._target.url,
            version=self.version,
            # The reshaper is for the role service. Roles in a header are read by noauth2 alone.
            headers={"x-auth-token": self._token, "x-roles": "admin,service"},
            generation=self.generation,
        )
        started, begin = time.time(), time.monotonic()
        try:
            response, error = self._transport.send(made, timeout=TIMEOUT), None
        except OSError as problem:
            response, error = None, str(problem) or type(problem).__name__
        seconds = time.monotonic() - begin
        if call.method != "GET":
            self._generations = _told(made, response)
        return Exchange(suite, test, made, response, started, seconds, error, begin)

    def generation(self, of: str, uuid: str) -> int | None:
        """The generation of a provider (``of`` is p) or a consumer (k); None for no consumer."""
        if uuid in self._generations:
            return self._generations[uuid]
        if of == "k":
            number = self._ask(f"/allocations/{uuid}").get("consumer_generation")
        else:
            number = self._ask(f"/resource_providers/{uuid}").get("generation", 0)
        return None if number is None else int(number)

    def clear(self, names: Names, keys: Collection[str]) -> None:
        """Remove what a sequence may have made of these; what was not made answers 404."""
        providers = [key for key in keys if key[0] == "p"]
        for collection, kind in (
            ("allocations", [key for key in keys if key[0] == "k"]),
            # Parents go after their children.
            *(("resource_providers", providers) for _ in providers),
            ("resource_classes", [key for key in keys if key[0] == "c"]),
            ("traits", [key for key in keys if key[0] == "t"]),
        ):
            for key in kind:
                self._plain("DELETE", f"/{collection}/{names[key]}")

    def close(self) -> None:
        self._transport.close()

    def _ask(self, path: str) -> Mapping[str, Any]:
        answer = self._plain("GET", path)
        if answer.status != 200:
            return {}
        data: Mapping[str, Any] = json.loads(answer.body)
        return data

    def _plain(self, method: str, path: str) -> Response:
        headers = {
            "x-auth-token": self._token,
            "accept": "application/json",
            "openstack-api-version": f"placement {NEWEST}",
        }
        whole = Request(method, f"{self._target.url}{path}", headers)
        return self._transport.send(whole, timeout=TIMEOUT)


def _told(request: Request, response: Response | None) -> dict[str, int]:
    """The generation of a provider that an answer tells, by the provider's UUID."""
    try:
        body = json.loads(response.body) if response is not None else {}
    except ValueError:
        return {}
    if not isinstance(body, dict):
        return {}
    if "resource_provider_generation" in body:
        of = PROVIDER.search(request.url)
        return {of[1]: body["resource_provider_generation"]} if of else {}
    return {body["uuid"]: body["generation"]} if {"uuid", "generation"} <= body.keys() else {}
