"""The parts of an exchange that are compared, and how they are shown."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from harness.core.exchange import Exchange, Response
from harness.parity.tokens import Piece
from harness.upstream import identities

# A replica's number, with its lane if that is not the first one.
REPLICA = re.compile(r"([\w-]+-)?\d+")
# Credentials are each side's own, and never recorded.
HIDDEN_HEADERS = frozenset({"x-auth-token", "x-subject-token", "x-service-token", "authorization"})
# Without keystone, these headers name the user of a request.
HIDDEN_HEADERS |= identities.NAMES
# A client names the host that it asks; the address is told by the exchange's URL.
CLIENT_HEADERS = frozenset({"host", "connection", "content-length", "user-agent"})


def made_up(parts: Sequence[Piece]) -> set[str]:
    return {part.text for part in parts if part.kind != "literal"}


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def own_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name.lower(): value
        for name, value in headers.items()
        if name.lower() not in HIDDEN_HEADERS | CLIENT_HEADERS
    }


def answered(response: Response) -> dict[str, str]:
    """The headers; a length that is that of the body says nothing that the body does not."""
    headers = dict(response.headers)
    if REPLICA.fullmatch(headers.get("x-placement-replica", "")):
        # Any replica of a side may answer any request.
        headers["x-placement-replica"] = "one of this side"
    if headers.get("content-length") == str(len(response.body)) and response.body:
        headers["content-length"] = "that of the body"
    return headers


def text_of(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def alone(left: Sequence[Any], right: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """The entries of each list that the other one does not have."""
    here, there = ({json.dumps(entry, sort_keys=True) for entry in side} for side in (left, right))
    return (
        [entry for entry in left if json.dumps(entry, sort_keys=True) not in there],
        [entry for entry in right if json.dumps(entry, sort_keys=True) not in here],
    )


def shown_answer(exchange: Exchange) -> str:
    if exchange.response is None:
        return exchange.error or "no answer"
    return f"{exchange.response.status} {exchange.response.reason}"


def kind_of(why: str) -> str:
    if "stood for" in why:
        return "relation"
    return "time" if "time" in why else "value"
