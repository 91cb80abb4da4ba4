"""The transport over the network: one connection, each request once, headers as given."""

from __future__ import annotations

import gzip
import socket
import threading
import time

import pytest

from harness.core.exchange import Request
from harness.targets import http
from harness.targets.http import HttpTransport
from tests.fakes.server import Received, Server, answer


@pytest.fixture
def transport() -> HttpTransport:
    return HttpTransport()


def ok(received: Received) -> bytes:
    return answer(body=b"fine")


def get(url: str, **headers: str) -> Request:
    return Request("GET", url, headers)


def test_requests_share_a_connection(transport: HttpTransport) -> None:
    with Server(ok) as server:
        for _ in range(3):
            response = transport.send(get(f"{server.url}/"), timeout=5)
            assert (response.status, response.reason, response.body) == (200, "OK", b"fine")
            assert response.protocol == "HTTP/1.1"
        assert [one.connection for one in server.received] == [0, 0, 0]


def test_a_connection_that_the_server_closed_does_not_fail_a_write(
    transport: HttpTransport,
) -> None:
    with Server(ok) as server:
        transport.send(get(f"{server.url}/"), timeout=5)
        server.drop()
        time.sleep(0.05)
        response = transport.send(Request("POST", f"{server.url}/", {}, b"{}"), timeout=5)
        assert response.status == 200
        assert [one.method for one in server.received] == ["GET", "POST"]


def test_a_connection_that_was_idle_for_long_is_not_used_again(
    transport: HttpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "IDLE_SECONDS", 0.05)
    with Server(ok) as server:
        for _ in range(2):
            transport.send(get(f"{server.url}/"), timeout=5)
            time.sleep(0.1)
        assert [one.connection for one in server.received] == [0, 1]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_that_gets_no_answer_is_not_sent_again(
    transport: HttpTransport, method: str
) -> None:
    with Server(lambda received: None) as server:
        with pytest.raises(ConnectionResetError, match=f"{method} {server.url}/x: "):
            transport.send(Request(method, f"{server.url}/x"), timeout=5)
        assert len(server.received) == 1


def test_an_answer_that_is_cut_short_is_a_closed_connection(transport: HttpTransport) -> None:
    def cut_short() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer(body=b"all of it")[:-3])

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=cut_short, daemon=True).start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/x"
        with pytest.raises(ConnectionResetError, match="IncompleteRead"):
            transport.send(get(address), timeout=5)


@pytest.mark.parametrize(("method", "again"), [("GET", True), ("POST", False)])
def test_a_kept_connection_that_ends_at_the_next_request_is_opened_again_for_a_get(
    transport: HttpTransport, method: str, again: bool
) -> None:
    """devstack's Apache closes a connection after an answer, at times without having said so."""

    def first_alone(received: Received) -> bytes | None:
        is_first = received.connection == 0 and not server.received[1:]
        return answer(body=b"fine") if is_first or received.connection else None

    with Server(first_alone) as server:
        transport.send(get(f"{server.url}/"), timeout=5)
        request = Request(method, f"{server.url}/x")
        if again:
            assert transport.send(request, timeout=5).status == 200
        else:
            with pytest.raises(ConnectionError):
                transport.send(request, timeout=5)
        assert len(server.received) == (3 if again else 2)


def test_an_error_of_the_server_is_an_answer_and_not_sent_again(transport: HttpTransport) -> None:
    with Server(lambda received: answer("503 Busy", headers=(("retry-after", "0"),))) as server:
        assert transport.send(get(f"{server.url}/"), timeout=5).status == 503
        assert len(server.received) == 1


def test_nobody_listening_is_connection_refused(transport: HttpTransport) -> None:
    with Server(ok) as server:
        url = server.url
    with pytest.raises(ConnectionRefusedError, match=f"GET {url}/: .*refused"):
        transport.send(get(f"{url}/"), timeout=5)


def test_a_late_answer_is_a_timeout(transport: HttpTransport) -> None:
    def late(received: Received) -> None:
        time.sleep(1)

    with Server(late) as server, pytest.raises(TimeoutError, match=r"no answer within 0\.1 s"):
        transport.send(get(f"{server.url}/"), timeout=0.1)


@pytest.mark.parametrize("url", ["ftp://host/", "/relative", "http://"])
def test_an_address_that_is_none_is_an_oserror(transport: HttpTransport, url: str) -> None:
    with pytest.raises(OSError, match="is no http"):
        transport.send(get(url), timeout=1)


def test_headers_go_out_as_given(transport: HttpTransport) -> None:
    odd = {"x-empty": "", "x-utf8": "snow ☃", "Content-Length": "no number", "x-number": "7"}
    with Server(ok) as server:
        transport.send(Request("GET", f"{server.url}/", odd), timeout=5)
        sent = server.received[0].headers
    assert sent["x-empty"] == b""
    assert sent["x-utf8"] == "snow ☃".encode()
    assert sent["content-length"] == b"no number"
    assert sent["x-number"] == b"7"


def test_a_header_with_a_line_break_is_not_sent(transport: HttpTransport) -> None:
    with Server(ok) as server:
        with pytest.raises(OSError, match="Invalid header value"):
            transport.send(get(f"{server.url}/", injected="a\r\nb: c"), timeout=5)
        assert server.received == []


@pytest.mark.parametrize(
    ("method", "length"), [("GET", None), ("DELETE", None), ("POST", b"0"), ("PUT", b"0")]
)
def test_an_empty_body_has_a_length_only_where_bodies_are_usual(
    transport: HttpTransport, method: str, length: bytes | None
) -> None:
    with Server(ok) as server:
        transport.send(Request(method, f"{server.url}/"), timeout=5)
        assert server.received[0].headers.get("content-length") == length


def test_repeated_headers_are_joined(transport: HttpTransport) -> None:
    headers = (("Set-Cookie", "a=1"), ("set-cookie", "b=2"), ("Vary", "one"))
    with Server(lambda received: answer(headers=headers)) as server:
        response = transport.send(get(f"{server.url}/"), timeout=5)
    assert response.headers["set-cookie"] == "a=1, b=2"
    assert response.headers["vary"] == "one"


def test_a_compressed_body_is_unpacked(transport: HttpTransport) -> None:
    packed = answer(body=gzip.compress(b"words"), headers=(("content-encoding", "gzip"),))
    with Server(lambda received: packed) as server:
        assert transport.send(get(f"{server.url}/"), timeout=5).body == b"words"


def test_path_and_query_go_out_as_written(transport: HttpTransport) -> None:
    with Server(ok) as server:
        transport.send(get(f"{server.url}/a%2Fb//c/../d?x=%20y&z=a+b&empty="), timeout=5)
        transport.send(get(f"{server.url}?only=query"), timeout=5)
        assert [one.target for one in server.received] == [
            "/a%2Fb//c/../d?x=%20y&z=a+b&empty=",
            "/?only=query",
        ]


def redirecting(received: Received) -> bytes:
    if received.target == "/there":
        return ok(received)
    where = "/here" if received.target == "/loop" else "/there"
    return answer(received.target[1:4] + " Moved", headers=(("location", where),))


def test_redirects_are_left_alone_unless_asked_for(transport: HttpTransport) -> None:
    with Server(redirecting) as server:
        assert transport.send(get(f"{server.url}/302"), timeout=5).status == 302


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (302, "PUT", "PUT"),
        (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"),
        (307, "POST", "POST"),
        (308, "PUT", "PUT"),
    ],
)
def test_a_redirect_changes_the_method_as_browsers_do(
    transport: HttpTransport, status: int, method: str, then: str
) -> None:
    sent = Request(method, "", {"content-type": "text/plain", "x-auth-token": "t"}, b"body")
    with Server(redirecting) as server:
        request = Request(method, f"{server.url}/{status}", sent.headers, sent.body)
        transport.send(request, timeout=5, redirects=True)
        last = server.received[-1]
    assert (last.method, last.target) == (then, "/there")
    assert (last.body, "content-type" in last.headers) == (
        (b"body", True) if then == method else (b"", False)
    )
    assert last.headers["x-auth-token"] == b"t"


def test_a_redirect_to_another_server_does_not_get_the_token(transport: HttpTransport) -> None:
    with Server(ok) as other:
        moved = answer("307 Moved", headers=(("location", f"{other.url}/there"),))
        with Server(lambda received: moved) as server:
            request = Request("GET", f"{server.url}/", {"X-Auth-Token": "t", "cookie": "c"})
            transport.send(request, timeout=5, redirects=True)
        assert not {"x-auth-token", "cookie"} & set(other.received[0].headers)


def test_redirects_without_end_are_an_error(transport: HttpTransport) -> None:
    moved = answer("302 Moved", headers=(("location", "/again"),))
    with Server(lambda received: moved) as server:
        with pytest.raises(OSError, match=r"more than 20 redirects, the last one to .*/again"):
            transport.send(get(f"{server.url}/"), timeout=5, redirects=True)
        assert len(server.received) == 21


def test_closing_closes_the_connections(transport: HttpTransport) -> None:
    with Server(ok) as server:
        transport.send(get(f"{server.url}/"), timeout=5)
        transport.close()
        transport.send(get(f"{server.url}/"), timeout=5)
        assert [one.connection for one in server.received] == [0, 1]
