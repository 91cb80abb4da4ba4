"""Hypothesis's strategies for hostile calls: ordinary ones with one thing that is wrong."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from harness.parity.explore.calls import Call

Draw = Callable[[st.SearchStrategy[Any]], Any]

# Values that a program, not a person, would send.
hostile_values = st.sampled_from(
    [
        *(None, True, 0, -1, 2**31, 2**31 - 1, 2**63, 1.5, 1e308, "", "1", " ", "x" * 300, [], {}),
        *(
            "\u00fcml\u00e4ut",
            "\U0001f600",
            "a/b",
            "%2F",
            "VCPU",
            "{p0}",
            "not-a-uuid",
            [1],
            {"a": 1},
        ),
    ]
)
hostile_bodies = st.sampled_from([b"{", b"", b"null", b"[]", b'"text"', b"\xff\xfe", b'{"a":1}{'])
hostile_versions = st.sampled_from(["1.0", "1.99", "2.0", "latest", "0.9", "one", "1.1.1", "1"])
hostile_headers: st.SearchStrategy[Mapping[str, str]] = st.sampled_from(
    [
        {"accept": "text/plain"},
        {"accept": "application/xml, */*;q=0.1"},
        {"content-type": "text/plain"},
        {"content-type": "application/json; charset=latin-1"},
        {"openstack-api-version": "compute 2.1"},
        {"x-auth-token": "nobody's"},
        {"x-auth-token": ""},
        {"x-openstack-request-id": "req-mine"},
    ]
)
hostile_parts = st.sampled_from(
    ["not-a-uuid", "%2F", "a%2Fb", "%00", "x" * 300, quote("\u00fc"), "..", "{p0}/", "VCPU", "{c0}"]
)


@st.composite
def hostile(draw: Draw, ordinary: Sequence[st.SearchStrategy[list[Call]]]) -> list[Call]:
    """A call of which one thing is not as it should be."""
    call: Call = draw(st.one_of(ordinary))[-1]
    way = draw(
        st.sampled_from(["value", "value", "value", "body", "version", "header", "path", "method"])
    )
    if way == "value" and isinstance(call.body, dict):
        body = _with_one_changed(call.body, draw)
        return [Call(call.method, call.path, body)]
    if way == "body":
        return [Call(call.method, call.path, raw=draw(hostile_bodies))]
    if way == "version":
        return [Call(call.method, call.path, call.body, version=draw(hostile_versions))]
    if way == "header":
        return [Call(call.method, call.path, call.body, headers=draw(hostile_headers))]
    if way == "path":
        parts = call.path.split("?")[0].split("/")
        parts[-1] = draw(hostile_parts)
        return [Call(call.method, "/".join(parts), call.body)]
    methods = st.sampled_from(["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
    return [Call(draw(methods), call.path, call.body)]


def _with_one_changed(body: Any, draw: Draw) -> Any:
    """The body, with one of its values replaced, left out or added."""
    places = [*places_of(body)]
    *way, last = draw(st.sampled_from(places))
    changed = copied(body)
    inside = changed
    for step in way:
        inside = inside[step]
    kind = draw(st.sampled_from(["replace", "replace", "drop", "add"]))
    if kind == "replace" or not isinstance(inside, dict):
        inside[last] = draw(hostile_values)
    elif kind == "drop":
        del inside[last]
    else:
        inside["explore"] = draw(hostile_values)
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
