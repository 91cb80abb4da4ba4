"""Two sides of a comparison, and answers of them."""

from __future__ import annotations

import json
from typing import Any

from harness.core.exchange import Exchange, Request, Response
from harness.parity.compare import Comparison, Difference

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
