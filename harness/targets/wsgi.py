"""Requests to a WSGI application in this process."""

import io
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from harness.core.exchange import Request, Response
from harness.targets.redirects import follow

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
PLAIN = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})


class WsgiTransport:
    """Calls the application below the path ``prefix``, one request at a time.

    An exception of the application reaches the caller: no server turns it into an answer of 500.
    """

    def __init__(self, application: Application, prefix: str = "") -> None:
        self._application = application
        self._prefix = prefix.rstrip("/")

    def send(self, request: Request, *, timeout: float, redirects: bool = False) -> Response:
        if redirects:
            return follow(self._send, request)
        return self._send(request)

    def close(self) -> None:
        """Do nothing: no connection is open."""

    def _send(self, request: Request) -> Response:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
            started.append((status, headers))

        body = b"".join(whole(self._application(self._environ(request), start_response)))
        status, headers = started[-1]
        code, _, reason = status.partition(" ")
        joined: dict[str, str] = {}
        for name, value in headers:
            name = name.lower()
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
        return Response(int(code), reason, joined, body)

    def _environ(self, request: Request) -> dict[str, Any]:
        url = urlsplit(request.url)
        path = unquote_to_bytes(url.path or "/").decode("latin-1")
        inside = path == self._prefix or path.startswith(f"{self._prefix}/")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": self._prefix if inside else "",
            "PATH_INFO": path[len(self._prefix) :] if inside else path,
            "QUERY_STRING": url.query,
            "SERVER_NAME": url.hostname or "",
            "SERVER_PORT": str(url.port or (443 if url.scheme == "https" else 80)),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": url.netloc,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": url.scheme,
            "wsgi.input": io.BytesIO(request.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if request.body or request.method in ("POST", "PUT", "PATCH"):
            environ["CONTENT_LENGTH"] = str(len(request.body))
        for name, value in request.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key in PLAIN else f"HTTP_{key}"] = _native(value)
        return environ


def whole(chunks: Iterable[bytes]) -> list[bytes]:
    """All of an application's answer; closes the answer as WSGI has it."""
    try:
        return list(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()


def _native(value: object) -> str:
    """A header's value for WSGI: its bytes, each as one character."""
    return str(value).encode().decode("latin-1")
