"""Exchanges as JSON lines. A process writes each one at once, so that its death loses none.

No token and no password is written. A reader leaves out the line that a dying process cut short.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from harness.core import redact
from harness.core.exchange import Exchange, Request, Response

# One encoder serves all lines: json.dumps would make an encoder for each call.
ENCODE = json.JSONEncoder(ensure_ascii=False).encode


class ExchangeLog:
    """Observer that appends each exchange to a file; ``hidden`` are values to keep out of it."""

    def __init__(self, path: Path, hidden: Iterable[str] = ()) -> None:
        self._file: IO[str] = path.open("x", encoding="utf-8")
        path.chmod(0o600)
        self._hidden = in_json(hidden)

    def observe(self, exchange: Exchange) -> None:
        line = ENCODE(as_data(exchange))
        self._file.write(f"{redact.text(line, self._hidden)}\n")
        # The kernel has the line then, whatever happens to this process.
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> Iterator[Exchange]:
    """The exchanges of a log, in the order in which they were written."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                exchange = from_data(json.loads(line))
            except (ValueError, LookupError, TypeError):
                # The process died while it wrote, or its disk was full.
                return
            yield exchange


def in_json(values: Iterable[str]) -> frozenset[str]:
    """The values to hide, in JSON's spelling. Short values are words that any text may have."""
    return frozenset(ENCODE(value)[1:-1] for value in values if len(value) >= redact.SHORTEST)


def as_data(exchange: Exchange) -> dict[str, Any]:
    """The exchange for JSON, with tokens and passwords hidden."""
    request, response = exchange.request, exchange.response
    return {
        "suite": exchange.suite,
        "test": exchange.test,
        "number": exchange.number,
        "worker": exchange.worker,
        "started": round(exchange.started, 3),
        "begin": round(exchange.begin, 6),
        "seconds": round(exchange.seconds, 6),
        "request": {
            "method": request.method,
            "url": request.url,
            "headers": redact.headers(request.headers),
            "body": _body(request.body),
        },
        "response": None
        if response is None
        else {
            "status": response.status,
            "reason": response.reason,
            "headers": redact.headers(response.headers),
            "body": _body(response.body),
        },
        "error": exchange.error,
    }


def from_data(data: Mapping[str, Any]) -> Exchange:
    """The exchange that ``as_data`` has described."""
    request, response = data["request"], data["response"]
    return Exchange(
        suite=data["suite"],
        test=data["test"],
        request=Request(
            request["method"], request["url"], request["headers"], _bytes(request["body"])
        ),
        response=response
        and Response(
            response["status"], response["reason"], response["headers"], _bytes(response["body"])
        ),
        started=data["started"],
        seconds=data["seconds"],
        error=data["error"],
        begin=data.get("begin", 0.0),
        number=data.get("number", 1),
        worker=data.get("worker", ""),
    )


def _body(body: bytes) -> str | dict[str, str]:
    """Text as it is; other bytes as {"base64": ...}."""
    try:
        return redact.body(body.decode())
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def _bytes(body: str | Mapping[str, str]) -> bytes:
    return body.encode() if isinstance(body, str) else base64.b64decode(body["base64"])
