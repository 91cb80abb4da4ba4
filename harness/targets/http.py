"""Requests over the network, on urllib3."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import IncompleteRead
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from harness.core.exchange import Request, Response
from harness.targets import http2
from harness.targets.redirects import follow

# A server may close an idle connection just when the next request is on its way. A write must not
# be lost that way, and must not be sent twice. Apache waits 5 s by default.
IDLE_SECONDS = 2.0
# Requests that change nothing, and so may be sent again.
AGAIN = frozenset({"GET", "HEAD"})
PORTS = {"http": 80, "https": 443}
PROTOCOLS = {10: "HTTP/1.0", 11: "HTTP/1.1", 20: "HTTP/2"}


@dataclass(slots=True)
class _Line:
    """A connection to one place, and when it was last used (seconds, monotonic)."""

    pool: HTTPConnectionPool
    used: float


class HttpTransport:
    """Keeps one connection for each place it speaks to; sends each request once.

    A GET on a kept connection that the server has closed is sent again, on a new one.

    ``certificates`` names a file of authorities to trust in place of the system's. One transport
    serves one thread.
    """

    def __init__(self, *, verify: bool = True, certificates: str | None = None) -> None:
        self._trust = http2.Trust(verify, certificates)
        self._lines: dict[tuple[str, str, int, str | None], _Line] = {}

    def send(self, request: Request, *, timeout: float, redirects: bool = False) -> Response:
        if redirects:
            return follow(lambda each: self._send(each, timeout), request)
        return self._send(request, timeout)

    def close(self) -> None:
        for line in self._lines.values():
            line.pool.close()
        self._lines.clear()

    def _send(self, request: Request, timeout: float) -> Response:
        parts = urlsplit(request.url)
        if request.http2:
            name = _host_header(request.headers)
            return http2.send(request, timeout=timeout, trust=self._trust, name=name)
        path = parts.path or "/"
        line = self._line(parts.scheme, parts.hostname or "", parts.port, request.headers)
        was_used = line.pool.num_requests > 0

        def ask() -> urllib3.BaseHTTPResponse:
            return line.pool.urlopen(
                request.method,
                f"{path}?{parts.query}" if parts.query else path,
                body=request.body or None,
                headers=_encoded(request.headers),
                retries=False,
                redirect=False,
                assert_same_host=False,
                timeout=timeout,
            )

        try:
            try:
                answer = ask()
            except ProtocolError as error:
                if not (was_used and request.method in AGAIN and _is_closed(error)):
                    raise
                # The server had closed the kept connection without having said so.
                answer = ask()
        except (HTTPError, ValueError) as error:
            raise _failure(error, request, timeout) from error
        finally:
            line.used = time.monotonic()
        return Response(
            answer.status,
            answer.reason or "",
            _joined(answer.headers),
            answer.data,
            PROTOCOLS.get(answer.version, "HTTP/1.1"),
        )

    def _line(self, scheme: str, host: str, port: int | None, headers: Mapping[str, str]) -> _Line:
        if scheme not in PORTS or not host:
            raise OSError(f"{scheme}://{host} is no http(s) address")
        name = _host_header(headers) if scheme == "https" else None
        place = (scheme, host, port or PORTS[scheme], name)
        line = self._lines.get(place)
        if line is None or time.monotonic() - line.used > IDLE_SECONDS:
            if line is not None:
                line.pool.close()
            line = self._lines[place] = _Line(self._pool(*place), time.monotonic())
        return line

    def _pool(self, scheme: str, host: str, port: int, name: str | None) -> HTTPConnectionPool:
        if scheme == "http":
            return HTTPConnectionPool(host, port, maxsize=1)
        if not self._trust.verify:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        return HTTPSConnectionPool(
            host,
            port,
            maxsize=1,
            cert_reqs="CERT_REQUIRED" if self._trust.verify else "CERT_NONE",
            ca_certs=self._trust.certificates,
            server_hostname=name,
        )


def _is_closed(error: ProtocolError) -> bool:
    """Whether the server has closed the connection, without a byte of an answer."""
    cause = error.args[-1]
    # http.client's RemoteDisconnected is a ConnectionResetError.
    return isinstance(cause, ConnectionResetError | BrokenPipeError)


def _is_cut_short(error: ProtocolError) -> bool:
    """Whether the server has closed the connection in the midst of an answer."""
    return isinstance(error.args[-1], IncompleteRead)


def _encoded(headers: Mapping[str, str]) -> Any:
    """The headers as they go out."""
    return {name: _as_bytes(value) for name, value in headers.items()}


def _as_bytes(value: object) -> str | bytes:
    """A header's value as it goes out: UTF-8 where http.client would use Latin-1 or refuse."""
    if isinstance(value, bytes):
        return value
    text = str(value)
    return text if text.isascii() else text.encode()


def _host_header(headers: Mapping[str, str]) -> str | None:
    """The name that the request gives to the server, which TLS has to name too."""
    for name, value in headers.items():
        if name.lower() == "host":
            return urlsplit(f"//{value}").hostname
    return None


def _joined(headers: urllib3.HTTPHeaderDict) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers.iteritems():
        name = name.lower()
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _failure(error: Exception, request: Request, timeout: float) -> OSError:
    """The OSError that a Transport promises, for an error of urllib3's."""
    what = f"{request.method} {request.url}"
    if isinstance(error, NewConnectionError):
        return ConnectionRefusedError(f"{what}: {error.__cause__ or error}")
    if isinstance(error, ReadTimeoutError):
        return TimeoutError(f"{what}: no answer within {timeout:g} s")
    if isinstance(error, ConnectTimeoutError):
        return TimeoutError(f"{what}: no connection within {timeout:g} s")
    if isinstance(error, ProtocolError) and (_is_closed(error) or _is_cut_short(error)):
        return ConnectionResetError(f"{what}: {error}")
    return ConnectionError(f"{what}: {error}")
