"""A finding as a gabbi suite that passes on the left side and fails on the right one.

Two routes of one placement have no second side: the suite then calls the second route, and fails as
long as that answers otherwise than the first one.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import yaml
from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.ext import parser

from harness.core.exchange import Exchange
from harness.parity.explore.finding import Finding

SERVICE = "$ENVIRON['PLACEMENT_SERVICE']"
TOKEN = "$ENVIRON['SERVICE_TOKEN']"  # noqa: S105


def text(finding: Finding, base: str) -> str:
    """The suite; ``base`` is the left side's address, which the suite leaves open."""
    tests = [*_tests(finding, base)]
    path = "".join(f"# {line}\n" for line in _why(finding))
    return path + yaml.safe_dump({"tests": tests}, sort_keys=False, allow_unicode=True, width=100)


def _why(finding: Finding) -> Iterator[str]:
    cause, difference = finding.cause, finding.difference
    statuses = " and ".join(dict.fromkeys(cause.statuses))
    yield f"{cause.route} is answered differently: {difference.place}, status {statuses}."
    yield f"Here: {difference.left[:200]!r}. There: {difference.right[:200]!r}."


def _tests(finding: Finding, base: str) -> Iterator[dict[str, Any]]:
    exchanges = finding.right if finding.is_of_two_routes else finding.left
    for number, exchange in enumerate(exchanges, 1):
        request, answer = exchange.request, exchange.response
        parts = urlsplit(request.url.removeprefix(base))
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        test: dict[str, Any] = {
            "name": f"{number} {request.method} {parts.path[:60]}",
            request.method: f"{SERVICE}{target}",
            "request_headers": {
                name: TOKEN if name == "x-auth-token" and len(value) > 20 else value
                for name, value in request.headers.items()
            },
        }
        if request.body:
            test["data"] = _data(request.body)
        test["status"] = answer.status if answer else 500
        if exchange is finding.left[-1]:
            test |= _expected(finding, exchange)
        elif number == len(exchanges):
            test["status"] = int(finding.cause.statuses[0])
        yield test


def _data(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def _expected(finding: Finding, exchange: Exchange) -> dict[str, Any]:
    """What the left side's last answer has that the right one's has not, as gabbi says it."""
    kind, _, place = finding.difference.place.partition(" ")
    answer = exchange.response
    if answer is None or finding.cause.place == "status":
        return {}
    if kind == "header":
        value = answer.headers.get(place)
        return (
            {"response_headers": {place: value}}
            if value
            else {"response_forbidden_headers": [place]}
        )
    if kind == "body" and place.startswith("$"):
        path = place.removesuffix(" (key)")
        if finding.difference.kind == "extra":
            parent = path.rpartition(".")[0]
            values = _values(answer.body, parent)
            if values:
                return {"response_json_paths": {f"{parent}.`len`": len(values[0])}}
        elif values := _values(answer.body, path):
            # A difference shows long values in part: the answer has all of it.
            return {"response_json_paths": {path: values[0]}}
    return {"response_strings": [answer.body.decode(errors="replace")]}


def _values(body: bytes, path: str) -> list[Any]:
    """The values at a JSONPath; none where the path has a key that JSONPath cannot say."""
    try:
        return [match.value for match in parser.parse(path).find(json.loads(body))]
    except (JSONPathError, ValueError):
        return []
