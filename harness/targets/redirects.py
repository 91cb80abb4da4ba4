"""Follows redirects, for the tests that ask for it."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from harness.core.exchange import Request, Response
from harness.core.redact import SECRET_HEADERS

FOLLOWED = frozenset({301, 302, 303, 307, 308})
MOST = 20


def follow(send: Callable[[Request], Response], request: Request) -> Response:
    """Send, and follow the answers to where they lead. Raises OSError after 20 of them."""
    for _ in range(MOST + 1):
        response = send(request)
        if response.status not in FOLLOWED or "location" not in response.headers:
            return response
        request = _next(request, response)
    raise OSError(f"more than {MOST} redirects, the last one to {request.url}")


def _next(request: Request, response: Response) -> Request:
    """The request that a redirect asks for, as browsers and httpx understand it."""
    url = urljoin(request.url, response.headers["location"])
    method, body = request.method, request.body
    drop = {"host"}
    if (response.status == 303 and method != "HEAD") or (
        response.status in (301, 302) and method == "POST"
    ):
        method, body = "GET", b""
        drop |= {"content-length", "content-type", "transfer-encoding"}
    if urlsplit(url)[:2] != urlsplit(request.url)[:2]:
        # Another server has no business with our token.
        drop |= SECRET_HEADERS | {"cookie"}
    headers = {name: value for name, value in request.headers.items() if name.lower() not in drop}
    return replace(request, method=method, url=url, headers=headers, body=body)
