"""Hostile calls: ordinary ones with one thing that is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from harness.parity.explore.calls import Call
from harness.parity.explore.choosing import Draw, pick

# Values that a program, not a person, would send.
VALUES: Sequence[Any] = (
    *(None, True, 0, -1, 2**31, 2**31 - 1, 2**63, 1.5, 1e308, "", "1", " ", "x" * 300, [], {}),
    *("\u00fcml\u00e4ut", "\U0001f600", "a/b", "%2F", "VCPU", "{p0}", "not-a-uuid", [1], {"a": 1}),
)
BODIES = (b"{", b"", b"null", b"[]", b'"text"', b"\xff\xfe", b'{"a":1}{')
VERSIONS = ("1.0", "1.99", "2.0", "latest", "0.9", "one", "1.1.1", "1")
HEADERS: Sequence[Mapping[str, str]] = (
    {"accept": "text/plain"},
    {"accept": "application/xml, */*;q=0.1"},
    {"content-type": "text/plain"},
    {"content-type": "application/json; charset=latin-1"},
    {"openstack-api-version": "compute 2.1"},
    {"x-auth-token": "nobody's"},
    {"x-auth-token": ""},
    {"x-openstack-request-id": "req-mine"},
)
PARTS = (
    *("not-a-uuid", "%2F", "a%2Fb", "%00", "x" * 300, quote("\u00fc"), "..", "{p0}/", "VCPU"),
    "{c0}",
)
METHODS = ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD")


def hostile(draw: Draw, call: Call) -> list[Call]:
    """The call, of which one thing is not as it should be."""
    call = replace(call, version=None)
    way = pick(draw, ("value", "value", "value", "body", "version", "header", "path", "method"))
    if way == "value" and isinstance(call.body, dict) and call.body:
        return [replace(call, body=_with_one_changed(draw, call.body))]
    if way == "body":
        return [replace(call, body=None, raw=pick(draw, BODIES))]
    if way == "version":
        return [replace(call, version=pick(draw, VERSIONS))]
    if way == "header":
        return [replace(call, headers=pick(draw, HEADERS))]
    if way == "path":
        parts = call.path.split("?")[0].split("/")
        parts[-1] = pick(draw, PARTS)
        return [replace(call, path="/".join(parts))]
    return [replace(call, method=pick(draw, METHODS))]


def _with_one_changed(draw: Draw, body: Any) -> Any:
    """The body, with one of its values replaced, left out or added."""
    *way, last = pick(draw, places_of(body))
    changed = copied(body)
    inside = changed
    for step in way:
        inside = inside[step]
    kind = pick(draw, ("replace", "replace", "drop", "add"))
    if kind == "replace" or not isinstance(inside, dict):
        inside[last] = pick(draw, VALUES)
    elif kind == "drop":
        del inside[last]
    else:
        inside["explore"] = pick(draw, VALUES)
    return changed


def places_of(value: Any, way: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The way to each value inside a body: keys of objects, indices of lists."""
    if not isinstance(value, (dict, list)):
        return []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    places = []
    for key, inner in items:
        places.append((*way, key))
        if isinstance(inner, (dict, list)):
            places += places_of(inner, (*way, key))
    return places


def copied(value: Any) -> Any:
    """A body that can be changed without changing the first one."""
    if isinstance(value, dict):
        return {key: copied(inner) for key, inner in value.items()}
    return [copied(inner) for inner in value] if isinstance(value, list) else value
