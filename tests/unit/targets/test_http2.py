"""Requests over HTTP/2 go through the target's transport: its certificates, and no proxy."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest

from harness.config.plan import Plan
from harness.core.exchange import Request
from harness.targets import url
from harness.targets.http import HttpTransport
from tests.fakes import server
from tests.fakes.http2_server import Headers, authority, serving

TOKEN = {"x-auth-token": "secret"}


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return authority(tmp_path_factory.mktemp("authority"))


def fine(request: dict[str, str]) -> tuple[int, Headers]:
    return 200, [("content-type", "application/json")]


def ask(transport: HttpTransport, address: str, *, redirects: bool = False) -> tuple[int, str]:
    request = Request("GET", f"{address}/traits?name=a", TOKEN, http2=True)
    response = transport.send(request, timeout=10, redirects=redirects)
    assert response.body == b'{"spoken": 2}'
    return response.status, response.protocol


def test_a_request_is_sent_over_http2_with_its_headers() -> None:
    with serving(fine) as (address, received):
        assert ask(HttpTransport(), address) == (200, "HTTP/2")
    (request,) = received
    assert request[":path"] == "/traits?name=a"
    assert request["x-auth-token"] == "secret"


def test_the_authority_of_the_credentials_is_trusted(
    tls: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, context = tls
    monkeypatch.delenv("OS_CLOUD", raising=False)
    monkeypatch.setenv("OS_AUTH_TYPE", "none")
    with serving(fine, context) as (address, received):
        monkeypatch.delenv("OS_CACERT", raising=False)
        with pytest.raises(ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            ask(url.make(Plan(target=address)).transport(), address)  # type: ignore[arg-type]
        assert received == []
        monkeypatch.setenv("OS_CACERT", str(certificate))
        transport = url.make(Plan(target=address)).transport()
        assert ask(transport, address) == (200, "HTTP/2")  # type: ignore[arg-type]


def test_a_test_may_accept_any_certificate(tls: tuple[Path, ssl.SSLContext]) -> None:
    with serving(fine, tls[1]) as (address, _):
        assert ask(HttpTransport(verify=False), address) == (200, "HTTP/2")


def test_a_redirect_is_followed_only_when_asked_for_and_takes_no_token_elsewhere() -> None:
    with serving(fine) as (other, received):

        def elsewhere(request: dict[str, str]) -> tuple[int, Headers]:
            return 302, [("location", f"{other}/there")]

        with serving(elsewhere) as (address, _):
            assert ask(HttpTransport(), address) == (302, "HTTP/2")
            assert received == []
            assert ask(HttpTransport(), address, redirects=True) == (200, "HTTP/2")
    assert "x-auth-token" not in received[0]


def test_a_server_without_http2_is_named() -> None:
    with (
        server.Server(lambda received: server.answer()) as old,
        pytest.raises(ConnectionError, match="`http_version: 2` needs a server that speaks"),
    ):
        ask(HttpTransport(), old.url)


def test_no_answer_within_the_time_limit_is_a_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(TimeoutError, match="/traits"):
            HttpTransport().send(Request("GET", f"{address}/traits", http2=True), timeout=0.2)
