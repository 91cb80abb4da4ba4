"""Calls of placement's API that name their resources, and requests that are made of them.

A call says ``{p0}`` for a provider, ``{k0}`` for a consumer, ``{c0}`` for a resource class,
``{t0}`` for a trait, ``{a0}`` for an aggregate and ``{u0}`` for a project or a user. Each sequence
of calls has resources of its own on each side, so that nothing has to be removed between two
sequences.
"""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from harness.core.exchange import Request

NAME = re.compile(r"\{([pkctau])(\d)\}")
CUSTOM = "CUSTOM_"
SPACE = uuid.UUID("a110ca7e-0099-4000-8000-000000000000")


@dataclass(frozen=True, slots=True)
class Generation:
    """The generation of a provider or a consumer at that moment, or one that is ``stale``."""

    of: str
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One call. ``path`` begins with a slash; ``body`` is JSON-able but for Generation.

    ``raw`` takes the place of ``body``, as it goes over the wire. ``version`` is a microversion;
    None: that of the side.
    """

    method: str
    path: str
    body: Any = None
    raw: bytes | None = None
    version: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Names:
    """The resources of one sequence on one side."""

    seed: str

    def __getitem__(self, name: str) -> str:
        made = uuid.uuid5(SPACE, f"{self.seed} {name}")
        if name[0] in "ct":
            return f"{CUSTOM}{made.hex.upper()}"
        return str(made)

    def fill(self, text: str) -> str:
        """The text, with names in place of their keys."""
        return NAME.sub(lambda match: self[f"{match[1]}{match[2]}"], text)


def request(
    call: Call,
    names: Names,
    *,
    url: str,
    version: str,
    headers: Mapping[str, str],
    generation: Callable[[str, str], int | None],
) -> Request:
    """The request of a call on one side.

    ``generation`` tells that of a resource, by its kind (p or k) and its UUID.
    """
    sent = {
        "accept": "application/json",
        "openstack-api-version": f"placement {version if call.version is None else call.version}",
        **headers,
    }
    body = b""
    if call.raw is not None:
        body = call.raw
    elif call.body is not None:
        body = json.dumps(_filled(call.body, names, generation)).encode()
    if body:
        sent["content-type"] = "application/json"
    sent |= call.headers
    sent = {name: value for name, value in sent.items() if value}
    return Request(call.method, url + names.fill(call.path), sent, body)


def _filled(value: Any, names: Names, generation: Callable[[str, str], int | None]) -> Any:
    if isinstance(value, Generation):
        number = generation(value.of[1], names.fill(value.of))
        return (number or 0) + 7 if value.stale else number
    if isinstance(value, dict):
        return {names.fill(k): _filled(v, names, generation) for k, v in value.items()}
    if isinstance(value, list):
        return [_filled(each, names, generation) for each in value]
    return names.fill(value) if isinstance(value, str) else value


def keys(call: Call) -> set[str]:
    """The resources that a call names, e.g. {'p0', 'k1'}."""
    return {kind + number for kind, number in NAME.findall(f"{call.path} {call.body}")}


def renamed(call: Call, old: str, new: str) -> Call:
    """The call with another name of a resource, e.g. {p0} in place of {p1}."""

    def other(value: Any) -> Any:
        if isinstance(value, Generation):
            return replace(value, of=value.of.replace(old, new))
        if isinstance(value, dict):
            return {key.replace(old, new): other(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [other(inner) for inner in value]
        return value.replace(old, new) if isinstance(value, str) else value

    return replace(call, path=call.path.replace(old, new), body=other(call.body))


def shown(call: Call) -> str:
    """A call in one line."""

    def plain(value: Any) -> Any:
        return f"<generation of {value.of}{', stale' if value.stale else ''}>"

    body = json.dumps(call.body, default=plain) if call.body is not None else ""
    if call.raw is not None:
        body = repr(call.raw)
    version = f" [{call.version}]" if call.version is not None else ""
    headers = f" {dict(call.headers)}" if call.headers else ""
    return f"{call.method} {call.path}{version}{headers} {body}".rstrip()
