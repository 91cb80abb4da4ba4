"""A recording as HAR 1.2, for the tools that read that: browsers' developer tools, proxies, diffs.

http://www.softwareishard.com/blog/har-12-spec/ describes the format.
"""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from harness.core.exchange import Exchange, Response
from harness.parity.recording import Recording

# HAR's number for a size that is not known.
UNKNOWN = -1


def as_har(recording: Recording) -> dict[str, Any]:
    """The log of a recording. Suites are pages; the test's name is an entry's comment."""
    entries = [_entry(exchange) for exchange in recording.exchanges()]
    first = {entry["pageref"]: entry["startedDateTime"] for entry in reversed(entries)}
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "placement-harness", "version": recording.header.harness},
            "comment": f"{recording.header.target}, placement {recording.header.placement}",
            "pages": [
                {"id": suite, "title": suite, "startedDateTime": started, "pageTimings": {}}
                for suite, started in sorted(first.items())
            ],
            "entries": entries,
        }
    }


def _entry(exchange: Exchange) -> dict[str, Any]:
    milliseconds = round(exchange.seconds * 1000, 3)
    return {
        "pageref": exchange.suite,
        "startedDateTime": datetime.fromtimestamp(exchange.started, UTC).isoformat(),
        "time": milliseconds,
        "request": _request(exchange),
        "response": _response(exchange.response, exchange.error),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "comment": exchange.test,
    }


def _request(exchange: Exchange) -> dict[str, Any]:
    request = exchange.request
    entry: dict[str, Any] = {
        "method": request.method,
        "url": request.url,
        "httpVersion": exchange.response.protocol if exchange.response else "HTTP/1.1",
        "cookies": [],
        "headers": _named(request.headers),
        "queryString": _named(dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))),
        "headersSize": UNKNOWN,
        "bodySize": len(request.body),
    }
    if request.body:
        kind = request.headers.get("content-type", "")
        entry["postData"] = {"mimeType": kind, "text": request.body.decode(errors="replace")}
    return entry


def _response(response: Response | None, error: str | None) -> dict[str, Any]:
    """The answer; one that never came has the status 0, as browsers write it."""
    body = response.body if response else b""
    headers = response.headers if response else {}
    return {
        "status": response.status if response else 0,
        "statusText": response.reason if response else "",
        "httpVersion": response.protocol if response else "HTTP/1.1",
        "cookies": [],
        "headers": _named(headers),
        "content": {"size": len(body), "mimeType": headers.get("content-type", ""), **_text(body)},
        "redirectURL": headers.get("location", ""),
        "headersSize": UNKNOWN,
        "bodySize": len(body),
        **({"comment": error} if error else {}),
    }


def _named(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def _text(body: bytes) -> dict[str, str]:
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(body).decode(), "encoding": "base64"}


def text(recording: Recording) -> str:
    return json.dumps(as_har(recording), indent=1)
