"""The curl line of a failure repeats the request: a shell and curl prove it."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from harness.core.exchange import Request
from harness.report import curl
from tests.fakes.server import Received, Server, answer

NASTY = """it's a "test" with $HOME, `id`, \\ and\nlines"""


def repeated(request: Request) -> Received:
    """What a server gets when a shell runs the line; $TOKEN is `secret`."""
    with Server(lambda received: answer()) as server:
        sent = Request(request.method, server.url + request.url, request.headers, request.body)
        done = subprocess.run(
            ["bash", "-c", curl.command(sent)],
            env={"TOKEN": "secret", "PATH": "/usr/bin:/bin"},
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        (received,) = server.received
    return received


needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")


@needs_curl
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST", "PUT", "PATCH", "UNREAL"])
def test_method_and_address_arrive(method: str) -> None:
    received = repeated(Request(method, "/a/b?c=d&e=%20f'g"))
    assert (received.method, received.target) == (method, "/a/b?c=d&e=%20f'g")


@needs_curl
@pytest.mark.parametrize(
    "body",
    [
        *(b"{}", NASTY.encode(), "snow ☃".encode(), b"\x00\xff\n", b"a\nb\r\nc\n"),
        # No file of this machine's goes anywhere.
        b"@/etc/hostname",
        b"@",
    ],
)
def test_the_body_arrives_byte_for_byte(body: bytes) -> None:
    assert repeated(Request("PUT", "/", {"content-type": "text/plain"}, body)).body == body


@pytest.mark.parametrize("body", [b"x" * 8193, b"\xff" * 300_000])
def test_of_a_long_body_the_size_is_shown(body: bytes) -> None:
    line = curl.command(Request("PUT", "http://host/", {"content-type": "text/plain"}, body))
    assert line == (
        f"# Put the body, {len(body)} bytes, into a file named body before.\n"
        "curl -sS -i -X PUT -H 'content-type: text/plain' --data-binary @body http://host/"
    )


def test_a_body_of_8_kilobytes_is_shown() -> None:
    assert "x" * 8192 in curl.command(Request("PUT", "http://host/", {}, b"x" * 8192))


@needs_curl
@pytest.mark.parametrize("target", ["/a[1]", "/a[1-3]", "/{b,c}?d=[]"])
def test_brackets_and_braces_of_an_address_arrive(target: str) -> None:
    assert repeated(Request("GET", target)).target == target


@needs_curl
def test_headers_arrive_and_the_token_comes_from_the_shell() -> None:
    headers = {"X-Auth-Token": "never shown", "x-nasty": "a'b\"c$d", "x-empty": "", "accept": "a/b"}
    line = curl.command(Request("GET", "/", headers))
    assert "never shown" not in line
    received = repeated(Request("GET", "/", headers)).headers
    assert received["x-auth-token"] == b"secret"
    assert received["x-nasty"] == b"a'b\"c$d"
    assert received["x-empty"] == b""
    assert received["accept"] == b"a/b"


@needs_curl
def test_curl_adds_no_content_type_of_its_own() -> None:
    assert "content-type" not in repeated(Request("POST", "/", {}, b"words")).headers
    assert "content-type" not in repeated(Request("POST", "/")).headers


def test_headers_that_any_client_sends_are_left_out() -> None:
    usual = {"user-agent": "gabbi", "accept": "*/*", "accept-encoding": "gzip"}
    usual |= {"Connection": "keep-alive", "Content-Length": "0"}
    assert curl.command(Request("GET", "http://host/", usual)) == "curl -sS -i http://host/"


def test_a_host_header_is_kept() -> None:
    line = curl.command(Request("GET", "http://host/", {"Host": "other"}))
    assert line == "curl -sS -i -H 'Host: other' http://host/"
