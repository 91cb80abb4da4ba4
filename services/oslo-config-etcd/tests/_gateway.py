"""A fake of etcd's HTTP gateway, with users, a prefix that they may read, and faults."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "token.16"


@dataclass
class Gateway:
    """Keys, users and behaviour of a fake etcd; a test changes them while it serves."""

    keys: dict[str, bytes | str] = field(default_factory=dict)
    # None: without authentication.
    users: dict[str, str] | None = None
    readable: str = "/"
    # Answers before the usual ones: (status, body).
    first: list[tuple[int, str]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    url: str = ""

    def reply(self, path: str, body: dict[str, Any], token: str | None) -> tuple[int, str]:
        self.requests.append(path)
        if self.first:
            return self.first.pop(0)
        if path == "/v3/auth/authenticate":
            return self._authenticate(body["name"], body["password"])
        assert path == "/v3/kv/range", path
        if self.users is not None and token != TOKEN:
            return _refused(400, 3, "etcdserver: user name is empty")
        first, end = (base64.b64decode(body[name]) for name in ("key", "range_end"))
        if not first.decode().startswith(self.readable):
            return _refused(403, 7, "etcdserver: permission denied")
        kvs = [
            {"key": _encoded(key.encode()), "value": _encoded(_bytes(value))}
            for key, value in sorted(self.keys.items())
            if first <= key.encode() < end
        ]
        # etcd leaves "kvs" out of an empty answer.
        return 200, json.dumps({"header": {}, **({"kvs": kvs} if kvs else {})})

    def _authenticate(self, user: str, password: str) -> tuple[int, str]:
        if self.users is None:
            return _refused(400, 9, "etcdserver: authentication is not enabled")
        if self.users.get(user) != password:
            said = "etcdserver: authentication failed, invalid user ID or password"
            return _refused(400, 3, said)
        return 200, json.dumps({"token": TOKEN})


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _refused(status: int, code: int, message: str) -> tuple[int, str]:
    return status, json.dumps({"code": code, "message": message})


@contextmanager
def serving(gateway: Gateway, tls: Any = None, port: int = 0) -> Iterator[Gateway]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, text = gateway.reply(self.path, body, self.headers.get("Authorization"))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *arguments: object) -> None:
            """A client that breaks a TLS handshake off is part of a test."""

    server = Server(("127.0.0.1", port), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scheme = "http" if tls is None else "https"
    gateway.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    ).start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()
