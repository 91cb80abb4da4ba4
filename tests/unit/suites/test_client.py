"""Clients of gabbi's tests, for what they send themselves."""

from __future__ import annotations

import socket
from typing import Any, cast

import pytest

from harness.core.exchange import Request, Response
from harness.suites.client import Client
from harness.suites.connection import Wire


class Direct:
    """Sends at once what a Wire would publish."""

    in_process = False
    last = None

    def sent(self, headers: dict[str, str]) -> dict[str, str]:
        return headers

    def exchange(self, suite: str, test: str, request: Request, send: Any) -> Response:
        return cast(Response, send())


@pytest.mark.parametrize("version", [1, 2])
def test_no_request_goes_to_a_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    from harness.targets.http import HttpTransport

    with (
        socket.create_server(("127.0.0.1", 0)) as proxy,
        socket.create_server(("127.0.0.1", 0)) as gone,
    ):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        port = gone.getsockname()[1]
        gone.close()
        proxy.setblocking(False)
        wire = Direct()
        setattr(wire, "transport", lambda verify: HttpTransport())  # noqa: B010
        client = Client(cast(Wire, wire), "one", "first", verify=True, version=version)
        headers = {"x-auth-token": "secret"}
        with pytest.raises(OSError, match=r"http|refused"):
            client.request(f"http://127.0.0.1:{port}/", "GET", b"", headers, False, 5.0)
        with pytest.raises(BlockingIOError):
            proxy.accept()
